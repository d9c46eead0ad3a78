"""HTTP over the unix socket of rclone: one connection, on which one request is answered before the next is sent.

A scan sends two requests for each file. The standard library's client spends 0.1 ms of processor time on each, most of it on the
headers, which it reads as those of an email.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import struct
from collections.abc import Iterator

import httptools
import msgspec

_AT_ONCE = 64 * 1024
"""Bytes of one read from the socket: most answers need one or two."""
_UNSAFE = re.compile("[^\x21-\x7e]")
"""What must not be in the address of a request: it would end it, or the header."""


class CutAnswerError(ConnectionError):
    """The content of an answer ended early."""


class Endpoint(msgspec.Struct, frozen=True):
    """The socket of one rclone, and its credentials."""

    socket: str
    user: str
    password: str


class Connection:
    """One connection. Every method raises OSError when it breaks; then it must be closed."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.used = False
        """Whether a request was sent on it before."""
        self.locations: frozenset[str] = frozenset()
        """What the call is about that it is used for now."""
        credentials = base64.b64encode(f"{endpoint.user}:{endpoint.password}".encode()).decode()
        self._headers = f" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\n"
        self._socket: socket.socket | None = None
        self._timeout_s: float | None = None

    def send(self, verb: str, address: str, headers: str, body: bytes, *, timeout_s: float | None) -> None:
        """Send a request. `headers` are whole lines; `timeout_s` is for each part of the answer, None for no timeout."""
        if _UNSAFE.search(address):
            raise ValueError(f"not an address: {address!r}")
        self.used = True
        new = self._socket is None
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if timeout_s != self._timeout_s:
            self._limit(self._socket, timeout_s)
        try:
            if new:
                self._socket.connect(self.endpoint.socket)
            self._socket.sendall(f"{verb} {address}{self._headers}{headers}\r\n".encode() + body)
        except BlockingIOError as error:
            raise TimeoutError from error

    def _limit(self, line: socket.socket, timeout_s: float | None) -> None:
        """Let the system give up after so long.

        A timeout of Python's own asks it before each call whether it would have to wait, and lets go of the interpreter twice.
        """
        self._timeout_s = timeout_s
        limit = struct.pack("ll", *divmod(round((timeout_s or 0) * 1_000_000), 1_000_000))  # all zeros: no limit
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            line.setsockopt(socket.SOL_SOCKET, option, limit)

    def answer(self) -> Answer:
        """Wait for the answer to what was sent, up to the end of its headers."""
        assert self._socket is not None  # noqa: S101 - sent before
        return Answer(self._socket)

    def break_off(self) -> None:
        """Let the thread that waits for an answer have an error instead."""
        if (line := self._socket) is not None:
            with contextlib.suppress(OSError):  # it was closed meanwhile
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it. Harmless if it is closed."""
        if self._socket is not None:
            self._socket.close()
            self._socket = self._timeout_s = None


class Answer:
    """An answer: its status, its headers, and its content as it arrives."""

    def __init__(self, line: socket.socket) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        """Whether its content has been read to its end."""
        self.keeps_connection = False
        """Whether all was read, and another request may be sent."""
        self._line = line
        self._has_headers = False
        self._received: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        while not self._has_headers:
            self._receive(ConnectionResetError("closed before it answered"))
        self.status = self._parser.get_status_code()

    def header(self, name: bytes) -> str:
        """The header of this name, which is in lower case; "" if there is none."""
        return next((value.decode("latin-1") for key, value in self._headers if key.lower() == name), "")

    def read(self) -> bytes:
        """All content that was not read yet."""
        while not self.complete:
            self._receive(CutAnswerError("the answer ended early"))
        received, self._received = self._received, []
        return received[0] if len(received) == 1 else b"".join(received)

    def blocks(self) -> Iterator[bytes]:
        """The content in blocks, as it arrives."""
        while True:
            received, self._received = self._received, []
            yield from received
            if self.complete:
                return
            self._receive(CutAnswerError("the answer ended early"))

    def _receive(self, at_end: OSError) -> None:
        try:
            data = self._line.recv(_AT_ONCE)
        except BlockingIOError as error:
            raise TimeoutError from error
        if not data:
            raise at_end
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise ConnectionError(f"not HTTP ({type(error).__name__})") from error

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._has_headers = True

    def on_body(self, content: bytes) -> None:
        """Called by the parser."""
        self._received.append(content)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.complete = True
        self.keeps_connection = self._parser.should_keep_alive()
