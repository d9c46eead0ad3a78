"""The base of the emulated clouds: an HTTP/1.1 server in threads that counts calls by kind."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.servers.content import Content

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class EmulatedServer:
    """It listens on `port` of 127.0.0.1."""

    def __init__(self, handler: type[EmulatedHandler], name: str) -> None:
        self.calls: Counter[str] = Counter()
        """Kind of call -> its number since `reset`."""
        self.requests: list[tuple[str, str]] = []
        """(kind, details) of each call, in order."""
        self.lock = threading.Lock()
        self.numbers = count(1)
        self.connections: set[socket.socket] = set()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), {"server_of": self}))
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name=name, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Start counting again."""
        with self.lock:
            self.calls.clear()
            self.requests.clear()

    def close(self) -> None:
        """Stop the server."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        for connection in [*self.connections]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def note(self, kind: str, asked: str) -> None:
        """Count a call."""
        with self.lock:
            self.calls[kind] += 1
            self.requests.append((kind, asked))


class EmulatedHandler(BaseHTTPRequestHandler, ABC):
    """One connection. Subclasses implement `answer`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server_of: Any

    @abstractmethod
    def answer(self) -> None:
        """Answer one request, whose body is `self.body`."""

    def setup(self) -> None:
        super().setup()
        self.server_of.connections.add(self.connection)

    def finish(self) -> None:
        self.server_of.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has disconnected
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 because http.server names it so
        pass

    def do_GET(self) -> None:
        self.body = self._read_body()
        self.answer()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 because http.server names them so

    def send_json(self, answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON."""
        self.send(status, json.dumps(answer).encode(), {"Content-Type": "application/json; charset=UTF-8", **(headers or {})})

    def send_content(self, content: Content, headers: Mapping[str, str]) -> None:
        """Answer with a file, or the requested range of it."""
        size = content.size
        headers = {**headers, "Accept-Ranges": "bytes"}
        wanted = _RANGE.match(self.headers.get("Range", ""))
        if wanted is None or wanted.groups() == ("", ""):
            self.send(200, content.whole(), headers)
            return
        first, last = wanted.groups()
        start = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
        if start >= size or end <= start:
            self.send(416, b"", {"Content-Range": f"bytes */{size}"})
        else:
            self.send(206, content.part(start, end), {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._read(int(self.headers.get("Content-Length", "0")))
        blocks = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            blocks.append(self._read(size))
            self._read(2)
        self._read(2)
        return b"".join(blocks)

    def _read(self, size: int) -> bytes:
        """Raises ConnectionResetError if the client disconnects before it has sent all of it: nothing is done then."""
        found = self.rfile.read(size)
        if len(found) < size:
            raise ConnectionResetError
        return found
