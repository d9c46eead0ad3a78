"""An HTTP proxy that counts requests and makes chosen ones fail.

    with http_proxy(server.port) as proxy:
        proxy.at(3, Lose())                 # the server carries out the third changing request, but its reply is lost
        proxy.when(lambda seen: seen.method == "DELETE", Hold())
        ...
        assert proxy.changing == 20

It runs in its own thread, and forwards requests with their Host header unchanged, so that signatures stay valid.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.servers.tcp import LoopThread

CHANGING = frozenset({"PUT", "POST", "DELETE", "PATCH", "MOVE", "COPY", "MKCOL", "PROPPATCH"})
_BLOCK = 64 * 1024
_LIMIT = 1024 * 1024
_ETAG = re.compile(rb"(?i)(etag(?:: |>)(?:\"|&quot;|&#34;))[0-9a-f]{8}([0-9a-f]{24})")
"""In a header and in XML; so that it differs from the MD5, its beginning is replaced."""


@dataclass
class Seen:
    """One request."""

    number: int
    """Its number among all requests, from 1."""
    change: int
    """Its number among the changing requests; 0 for others."""
    method: str
    path: str
    headers: Mapping[str, str]
    """By their names in lower case."""
    status: int | None = None
    """The status that the client got; None if it got none."""
    body_bytes: int = 0
    answer_bytes: int = 0
    """Of the body of the answer."""
    at: float = field(default_factory=time.monotonic)
    """When its headers were complete, in seconds of the monotonic clock."""


@dataclass(frozen=True)
class Refuse:
    """Answer with an error, without asking the server."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Drop:
    """Close the connection; the server never sees the request."""


@dataclass(frozen=True)
class Lose:
    """Let the server carry it out, then close the connection without a reply."""


@dataclass(frozen=True)
class Hold:
    """Hold the request until `release` is set; `held` is set when it has arrived. With `reply`, hold the reply instead."""

    reply: bool = False
    held: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Then:
    """Call a function (to kill a process, say) before the request is passed on, or with `reply` after it; then drop it."""

    call: Callable[[], None]
    reply: bool = False


@dataclass(frozen=True)
class Halve:
    """Send only the first half of the body to the server, as if it were all."""


@dataclass(frozen=True)
class Redate:
    """Date the request that many days from now, so that an S3 server itself reports that our clock is wrong."""

    days: int


@dataclass(frozen=True)
class Retag:
    """Answer as S3 does for a bucket that encrypts with a KMS key by default: its ETags are no MD5."""


Action = Refuse | Drop | Lose | Hold | Then | Halve | Redate | Retag


@dataclass
class _Rule:
    applies: Callable[[Seen], bool]
    action: Action
    times: int | None


class _Gone(Exception):  # noqa: N818 - the end of a connection, not an error
    pass


class HttpProxy:
    """See the module. It listens on `port` of 127.0.0.1."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.requests: list[Seen] = []
        self._rules: list[_Rule] = []
        self._changes = 0
        self._lock = threading.Lock()
        self._under_way = 0
        self._idle = threading.Condition()
        self._thread = LoopThread("http-proxy")
        self._server: asyncio.Server = self._thread.serve(self._client, limit=_LIMIT)
        self.port: int = self._server.sockets[0].getsockname()[1]

    # Used by tests.

    @property
    def counts(self) -> Counter[str]:
        """Method -> number of requests."""
        return Counter(seen.method for seen in self.requests)

    @property
    def changing(self) -> int:
        """The number of changing requests so far."""
        return self._changes

    def reset(self) -> None:
        """Forget all requests and all faults."""
        with self._lock:
            self.requests = []
            self._changes = 0
            self._rules = []

    def end_faults(self) -> None:
        """Forget all faults; the requests stay."""
        with self._lock:
            self._rules = []

    def at(self, number: int, action: Action, *, changing: bool = True) -> None:
        """Make the `number`-th request since the last reset fail, counting the changing ones or all."""
        self.when(lambda seen: (seen.change if changing else seen.number) == number, action, times=1)

    def when(self, applies: Callable[[Seen], bool], action: Action, *, times: int | None = None) -> None:
        """Make the requests of a kind fail: all, or the first `times`."""
        with self._lock:
            self._rules.append(_Rule(applies, action, times))

    def wait_until_idle(self, timeout_s: float = 30) -> None:
        """Wait until the server has answered everything, even if the client no longer listens."""
        with self._idle:
            if not self._idle.wait_for(lambda: self._under_way == 0, timeout_s):
                raise TimeoutError("the server does not answer")

    def close(self) -> None:
        """Stop the proxy; held requests are dropped."""
        for rule in self._rules:
            if isinstance(rule.action, Hold):
                rule.action.release.set()
        self._thread.loop.call_soon_threadsafe(self._server.close)
        self._thread.close()

    # Internal, on the loop.

    def _note(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[Seen, Action | None]:
        with self._lock:
            self._changes += method in CHANGING
            seen = Seen(len(self.requests) + 1, self._changes if method in CHANGING else 0, method, path, headers)
            self.requests.append(seen)
            for rule in self._rules:
                if (rule.times is None or rule.times > 0) and rule.applies(seen):
                    if rule.times is not None:
                        rule.times -= 1
                    return seen, rule.action
        return seen, None

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if upstream is None:
                    upstream = await asyncio.open_connection("127.0.0.1", self.target_port, limit=_LIMIT)
                await self._exchange(head, reader, writer, upstream)
        except (_Gone, OSError, EOFError, asyncio.LimitOverrunError):
            pass  # a side has disconnected, or a fault closes the connection
        finally:
            if upstream is not None:
                upstream[1].transport.abort()

    async def _exchange(
        self,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        first, headers = _parse(head)
        method, path, _ = first.split(" ", 2)
        seen, action = self._note(method, path, headers)
        if isinstance(action, Drop):
            raise _Gone
        if headers.get("expect", "").lower() == "100-continue" and not isinstance(action, Refuse):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
        unsent = isinstance(action, Refuse) and "expect" in headers  # the client waits for a 100 that it never gets
        body = b"" if unsent else b"".join([block async for block in _body(reader, headers)])
        seen.body_bytes = len(body)
        if isinstance(action, Halve):
            head, body = _halved(head, body, headers)
        if isinstance(action, Redate):
            then = datetime.now(UTC) + timedelta(days=action.days)
            head = re.sub(rb"(?i)(\r\nx-amz-date: )\w+", rb"\g<1>%s" % f"{then:%Y%m%dT%H%M%SZ}".encode(), head)
        if isinstance(action, Refuse):
            await self._refuse(writer, action, seen)
            return
        await self._wait(action, reply=False)
        server, to_server = upstream
        with self._counted():
            to_server.write(head + body)
            await to_server.drain()
            answer = await server.readuntil(b"\r\n\r\n")
            while answer.startswith((b"HTTP/1.1 100", b"HTTP/1.1 102", b"HTTP/1.1 103")):
                answer = await server.readuntil(b"\r\n\r\n")
        status_line, answer_headers = _parse(answer)
        status = int(status_line.split(" ", 2)[1])
        if isinstance(action, Lose):
            async for _ in _body(server, answer_headers, bodiless=_bodiless(method, status), until_close=True):
                pass
            raise _Gone
        await self._wait(action, reply=True)
        seen.status = status
        if isinstance(action, Retag):
            content = [block async for block in _body(server, answer_headers, bodiless=_bodiless(method, status))]
            writer.write(_ETAG.sub(rb"\g<1>00000000\g<2>", answer) + _ETAG.sub(rb"\g<1>00000000\g<2>", b"".join(content)))
            await writer.drain()
            return
        writer.write(answer)
        async for block in _body(server, answer_headers, bodiless=_bodiless(method, status), until_close=True):
            seen.answer_bytes += len(block)
            writer.write(block)
            await writer.drain()
        await writer.drain()
        if "close" in (answer_headers.get("connection", "").lower(), headers.get("connection", "").lower()):
            writer.close()
            raise _Gone

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._idle:
            self._under_way += 1
        try:
            yield
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    async def _refuse(self, writer: asyncio.StreamWriter, action: Refuse, seen: Seen) -> None:
        seen.status = action.status
        extra = "".join(f"{name}: {value}\r\n" for name, value in action.headers.items())
        length = 0 if seen.method == "HEAD" else len(action.body)
        head = f"HTTP/1.1 {action.status} Ordered\r\n{extra}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + (b"" if seen.method == "HEAD" else action.body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        raise _Gone

    async def _wait(self, action: Action | None, *, reply: bool) -> None:
        match action:
            case Hold() if action.reply == reply:
                action.held.set()
                await asyncio.to_thread(action.release.wait, 120)
            case Then() if action.reply == reply:
                await asyncio.to_thread(action.call)
                raise _Gone


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _halved(head: bytes, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, bytes]:
    """A request with half its content, and without the checksums that would reveal it."""
    content = body[: int(headers["content-length"]) // 2]
    telling = (b"content-length:", b"content-md5:", b"x-amz-checksum", b"x-amz-content-sha256:")
    lines = [line for line in head.rstrip(b"\r\n").split(b"\r\n") if not line.lower().startswith(telling)]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(content), b"", b""]), content


def _bodiless(method: str, status: int) -> bool:
    return method == "HEAD" or status in {204, 304}


async def _body(
    reader: asyncio.StreamReader, headers: Mapping[str, str], *, bodiless: bool = False, until_close: bool = False
) -> AsyncIterator[bytes]:
    """The raw bytes of a body as they arrive, including chunk headers."""
    if bodiless:
        return
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line + await reader.readexactly(size + 2)
            if size == 0:
                return
    elif "content-length" in headers:
        left = int(headers["content-length"])
        while left > 0:
            block = await reader.read(min(left, _BLOCK))
            if not block:
                raise _Gone
            left -= len(block)
            yield block
    elif until_close:
        while block := await reader.read(_BLOCK):
            yield block
        return


@contextlib.contextmanager
def http_proxy(target_port: int) -> Iterator[HttpProxy]:
    """An HttpProxy that runs during the block."""
    proxy = HttpProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
