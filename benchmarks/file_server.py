"""An S3 server for a directory, RTT_MS away: answers LIST, HEAD and GET with ranges, and uses as little CPU as it can.

    python -m benchmarks.file_server DIRECTORY RTT_MS      prints its port, serves until its standard input is closed

Every answer is sent one round trip after its request arrived, and two on a new connection: to a client, the server seems that
far away and infinitely fast. `GET /_counts` returns the number of requests so far, by kind, without delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from benchmarks.listing_server import Bucket
from orchestrator.records import Entry

_DATE = b"Mon, 01 Jan 2024 00:00:00 GMT"


class _Files:
    """The files that are served, and the number of requests by kind."""

    def __init__(self, root: Path, rtt_s: float) -> None:
        self.root = root
        self.rtt_s = rtt_s
        self.counts: Counter[str] = Counter()
        self.entries: dict[str, Entry] = {}
        for path in root.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
                key = path.relative_to(root).as_posix()
                self.entries[key] = Entry(key, len(content), None, {"md5": digest})
        self.bucket = Bucket(self.entries.values())

    def answer(self, method: str, target: str, wanted: str) -> bytes:  # noqa: PLR0911 - one for each kind of request
        """The complete answer, head and body."""
        path, _, query = target.partition("?")
        _, _, key = unquote(path).lstrip("/").partition("/")
        if path == "/_counts":
            return _reply(b"200 OK", json.dumps(self.counts).encode())
        fields = dict(parse_qsl(query, keep_blank_values=True))
        if "list-type" in fields:
            self.counts["list"] += 1
            return _reply(b"200 OK", self.bucket.page(fields), b"Content-Type: application/xml\r\n")
        entry = self.entries.get(key)
        self.counts["head" if method == "HEAD" else "range" if wanted else "get"] += 1
        if entry is None:
            return _reply(b"404 Not Found", b"")
        size = entry.size or 0
        extra = b'ETag: "%b"\r\nLast-Modified: %b\r\nAccept-Ranges: bytes\r\n' % (entry.hashes["md5"].encode(), _DATE)
        if method == "HEAD":
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n" % (size, extra)
        if not wanted:
            return _reply(b"200 OK", self._part(key, 0, size), extra)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, size - int(last))
        end = min(size - 1, int(last)) if first and last else size - 1
        if start > end:
            return _reply(b"416 Range Not Satisfiable", b"", b"Content-Range: bytes */%d\r\n" % size)
        content_range = b"Content-Range: bytes %d-%d/%d\r\n" % (start, end, size)
        return _reply(b"206 Partial Content", self._part(key, start, end - start + 1), extra + content_range)

    def _part(self, key: str, offset: int, length: int) -> bytes:
        descriptor = os.open(self.root / key, os.O_RDONLY)
        try:
            return os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)


def _reply(status: bytes, body: bytes, extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), extra, body)


class _Connection(asyncio.Protocol):
    """One client. Requests have no bodies."""

    def __init__(self, files: _Files) -> None:
        self._files = files
        self._pending = b""
        self._transport: asyncio.Transport | None = None
        self._extra_s = files.rtt_s  # the TCP handshake

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            head, _, self._pending = self._pending.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ", 2)
            wanted = next((line[6:].strip() for line in lines if line[:6].lower() == "range:"), "")
            delay, self._extra_s = self._files.rtt_s + self._extra_s, 0.0
            if target == "/_counts":
                delay = 0.0
            asyncio.get_running_loop().call_later(delay, self._send, method, target, wanted)

    def _send(self, method: str, target: str, wanted: str) -> None:
        if self._transport is not None:
            self._transport.write(self._files.answer(method, target, wanted))


async def _serve(root: Path, rtt_s: float) -> None:
    files = _Files(root, rtt_s)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(files), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextlib.contextmanager
def file_server(root: Path, rtt_ms: float) -> Iterator[tuple[int, int]]:
    """Run the server in a process of its own; gives its port and process id. The directory must not change while it runs."""
    command = [sys.executable, "-m", "benchmarks.file_server", str(root), str(rtt_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2]) / 1000))
