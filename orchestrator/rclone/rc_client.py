"""Speaks rclone's rc protocol over its private socket. One connection a running call, kept and used again.

A call that rclone refuses raises the typed error of `classify`. A call whose connection breaks raises DaemonLostError: rclone
stops what a broken connection asked for, but how far it came is unknown. Only calls that change nothing are sent again.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.errors import OrchestratorError, TransientError
from orchestrator.rclone import ranges
from orchestrator.rclone.classify import classify

_READ_ONLY = frozenset(
    {
        *("operations/stat", "operations/list", "operations/fsinfo", "operations/about"),  # no hashes: they may read for hours
        *(
            "config/listremotes",
            "config/dump",
            "config/get",
            "core/version",
            "core/stats",
            "core/pid",
            "options/local",
            "rc/noop",
        ),
    }
)
_NAME_KEYS = ("remote", "srcRemote", "dstRemote", "fs", "srcFs", "dstFs")
_BLOCK = 256 * 1024
_PATIENCE_S = 600.0
"""How long a look or a read may go without a byte. rclone itself gives up on a silent server after 2 minutes, three times over; a
server that keeps the connection alive and says nothing would hold it for ever. Changes wait without end: copies take hours."""


class DaemonLostError(TransientError):
    """The connection to rclone broke: it died, or was ended. What became of the call is unknown."""


class UnreadError(TransientError):
    """rclone found a file and could not read it, and does not say why."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where one rclone listens."""

    socket: str
    user: str
    password: str

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__("localhost")
        self.endpoint = endpoint
        self.headers = {"Authorization": endpoint.authorization}
        self.used = False

    def wait_at_most(self, seconds: float | None) -> None:
        """For each piece of an answer; None: without end."""
        self.timeout = seconds
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self.endpoint.socket)
        except OSError:
            self.close()
            raise


class RcClient:
    """Calls to one rclone, whichever process that is at the moment. Used by any number of threads."""

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        lost: Callable[[Endpoint], None] = lambda _endpoint: None,
        *,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """`endpoint` gives the running rclone, started if need be; it raises TransientError when it cannot.

        `lost` hears of connections that broke, before the caller does. `patience_s` is for looks and reads.
        """
        self._endpoint = endpoint
        self._lost = lost
        self._patience = patience_s
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, repeatable: bool | None = None, about: str | None = None
    ) -> dict[str, Any]:
        """Carry out one rc call; its answer.

        `repeatable` calls are sent once more on a new connection when the old one turns out to be dead; by default those that
        change nothing. Errors are about the item `about`, by default the one that `params` name.
        """
        params = params or {}
        body = json.dumps(params).encode()
        headers = {"Content-Type": "application/json"}
        again = method in _READ_ONLY if repeatable is None else repeatable  # and so bounded in time
        connection, response = self._send("POST", f"/{method}", body, headers, repeatable=again)
        content = self._finish(connection, response)
        answer = _decode(content)
        if response.status == 200 and isinstance(answer, dict):
            return answer
        if not isinstance(answer, dict):
            answer = {"error": content[:300].decode("utf-8", "replace"), "status": response.status}
        raise refusal(answer, params, about=about)

    def get_range(self, fs: str, path: str, offset: int, length: int) -> bytes:
        """`length` bytes of the file from `offset`; fewer only where the file ends. Raises UnreadError, too."""
        return self.get_parts(ranges.address(fs, path), path, [(offset, length)])[0]

    def get_parts(self, address: str, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Each (offset, length) of the file at an address that rclone serves, all in one request. Else as `get_range`.

        `address` must be of `ranges`; `path` is what errors are about.
        """
        if any(length <= 0 for _, length in wanted):
            return [self.get_parts(address, path, [one])[0] if one[1] > 0 else b"" for one in wanted]
        connection, response = self._send("GET", address, None, {"Range": ranges.header(wanted)}, repeatable=True)
        return self._parts(connection, response, path, wanted)

    def get_ranges(self, fs: str, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """As `get_range` for each (offset, length). One request each, and all are on their way before the first is awaited."""
        address = ranges.address(fs, path)
        ahead = [self._ask_ahead(address, one) for one in wanted[1:]]
        try:
            found = self.get_parts(address, path, wanted[:1])
            for one in wanted[1:]:
                found += self._answer(ahead.pop(0), address, path, one)
            return found
        finally:
            for connection in ahead:  # an error came first
                connection.close()

    def get(self, fs: str, path: str) -> Iterator[bytes]:
        """The whole file in blocks."""
        connection, response = self._send("GET", ranges.address(fs, path), None, {}, repeatable=True)
        if response.status != 200:
            raise _unread(self._finish(connection, response), response.status, path)
        complete = False
        try:
            expected = int(response.headers.get("Content-Length") or -1)
            received = 0
            while block := response.read(_BLOCK):
                received += len(block)
                yield block
            complete = expected in (-1, received)
        except (OSError, http.client.HTTPException) as error:
            raise DaemonLostError(f"{path}: reading broke off ({type(error).__name__})", path=path) from error
        finally:
            if complete:
                self._give_back(connection)
            else:
                connection.close()
        if not complete:
            raise TransientError(f"{path}: the content ended early", path=path)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _send(
        self, verb: str, url: str, body: bytes | None, headers: Mapping[str, str], *, repeatable: bool
    ) -> tuple[_Connection, http.client.HTTPResponse]:
        while True:
            connection = self._take()
            stale = connection.used  # a fresh connection that breaks is no leftover: rclone is in trouble
            sent = False
            try:
                connection.used = True
                connection.wait_at_most(self._patience if repeatable else None)
                connection.request(verb, url, body, {**headers, **connection.headers})
                sent = True
                return connection, connection.getresponse()
            except TimeoutError as error:
                connection.close()
                raise TransientError(f"no answer within {self._patience:.0f} s") from error
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._lost(connection.endpoint)
                if stale and (repeatable or not sent):
                    continue
                raise DaemonLostError(f"the connection to rclone broke ({type(error).__name__})") from error
            except BaseException:  # an interrupt, for example: a connection with half an answer is of no use
                connection.close()
                raise

    def _ask_ahead(self, address: str, one: tuple[int, int]) -> _Connection:
        """Send a request whose answer is fetched later."""
        connection = self._take()
        connection.used = True
        connection.wait_at_most(self._patience)
        with contextlib.suppress(OSError, http.client.HTTPException):  # `_answer` finds out, and asks again
            connection.request("GET", address, None, {"Range": ranges.header([one]), **connection.headers})
        return connection

    def _answer(self, connection: _Connection, address: str, path: str, one: tuple[int, int]) -> list[bytes]:
        try:
            response = connection.getresponse()
        except (OSError, http.client.HTTPException):  # rclone had closed that connection, most likely
            connection.close()
            return self.get_parts(address, path, [one])
        return self._parts(connection, response, path, [one])

    def _parts(
        self, connection: _Connection, response: http.client.HTTPResponse, path: str, wanted: Sequence[tuple[int, int]]
    ) -> list[bytes]:
        content = self._finish(connection, response, reading=path)
        span = response.headers.get("Content-Range", "")
        found = ranges.pieces(response.status, span, content, wanted)
        if found is not None:
            return found
        if span:
            raise UnreadError(f"{path}: could not be opened", path=path)
        raise _unread(content, response.status, path)

    def _finish(self, connection: _Connection, response: http.client.HTTPResponse, *, reading: str | None = None) -> bytes:
        """Read the answer and give the connection back. `reading` is the file that it is the content of."""
        try:
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if reading is not None and isinstance(error, http.client.IncompleteRead):
                # So rclone ends what it cannot read on. Were it dead itself, the next call would notice.
                raise UnreadError(f"{reading}: reading broke off", path=reading) from error
            self._lost(connection.endpoint)
            raise DaemonLostError(f"the connection to rclone broke ({type(error).__name__})") from error
        except BaseException:  # as in _send
            connection.close()
            raise
        self._give_back(connection)
        return content

    def _take(self) -> _Connection:
        endpoint = self._endpoint()
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.endpoint == endpoint:
                    return connection
                connection.close()
        return _Connection(endpoint)

    def _give_back(self, connection: _Connection) -> None:
        with self._lock:
            self._idle.append(connection)


def refusal(answer: Mapping[str, Any], params: Mapping[str, Any], *, about: str | None = None) -> OrchestratorError:
    """The typed error for one refused call: rclone's answer, and what was asked."""
    names = [value for key in _NAME_KEYS if isinstance(value := params.get(key), str)]
    path = about or params.get("remote") or params.get("srcRemote") or params.get("fs")
    return classify(str(answer.get("error", "")), status=int(answer.get("status", 500)), path=path, names=names)


def _unread(content: bytes, status: int, path: str) -> OrchestratorError:
    answer = _decode(content)
    text = answer.get("error") if isinstance(answer, dict) else None
    return classify(text or content[:300].decode("utf-8", "replace"), status=status, path=path)


def _decode(content: bytes) -> Any:  # JSON is what it is
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None
