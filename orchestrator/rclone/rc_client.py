"""A client for rclone's rc protocol over its private socket. One connection for each running call, kept for reuse.

A call that rclone refuses raises the typed error of `classify`. A call whose connection breaks raises DaemonLostError: rclone
aborts the call, but nobody knows how far it got. Only calls that change nothing are sent again.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal
from weakref import WeakSet

import msgspec

from orchestrator.errors import OrchestratorError, TransientError
from orchestrator.rclone import ranges, rc_bodies
from orchestrator.rclone.classify import classify
from orchestrator.rclone.http_connection import Answer, Connection, CutAnswerError, Endpoint

_READ_ONLY = frozenset(
    {
        *("operations/stat", "operations/list", "operations/fsinfo", "operations/about"),  # not hashes: they may read for hours
        *(
            "config/listremotes",
            "config/dump",
            "config/get",
            "core/stats",
            "core/pid",
            "options/local",
            "rc/noop",
        ),
    }
)
_SENT = re.compile(r"rclone_http_status_code\{(?P<labels>.*)\} (?P<number>\S+)")
"""One line of the metrics of rclone: the requests that got the same status."""
_LABEL = re.compile(r'(\w+)="(\w*)"')
_FS_KEYS = ("fs", "srcFs", "dstFs")
_NAME_KEYS = ("remote", "srcRemote", "dstRemote", *_FS_KEYS)
_IS_FILE = "is a file not a directory"
_TIMEOUT_S = 600.0
"""How long a lookup or a read may go without a byte. rclone itself gives up on a silent server after three times 2 minutes, but a
server that keeps the connection alive and sends nothing would block it forever. Changes have no timeout: copies take hours."""


class DaemonLostError(TransientError):
    """The connection to rclone broke: it died, or was stopped. The result of the call is unknown."""


class UnexplainedReadError(TransientError):
    """rclone found a file but could not read it, and does not say why."""


class RcClient:
    """Calls to one rclone, even if its process is replaced in between. Safe for any number of threads."""

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        on_broken_connection: Callable[[Endpoint], None] = lambda _endpoint: None,
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        """`endpoint` gives the running rclone and starts it if necessary; it raises TransientError when it cannot.

        `on_broken_connection` is called before the caller gets the error. `timeout_s` is for lookups and reads.
        """
        self._endpoint = endpoint
        self._on_broken_connection = on_broken_connection
        self._timeout_s = timeout_s
        self.folders: set[str] = set()
        """Locations in buckets that were opened as folders. When rclone opens one again, and the server refuses to say whether it
        is a file, rclone says that it is."""
        self._idle: list[Connection] = []
        self._open = WeakSet[Connection]()
        self._lock = threading.Lock()

    def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, repeatable: bool | None = None, about: str | None = None
    ) -> dict[str, Any]:
        """Make one rc call and return its answer.

        `repeatable` calls are sent again on a new connection when the old one turns out to be dead; by default those that change
        nothing. Errors name the path `about`, by default the one in `params`.
        """
        return self._call(method, params or {}, repeatable=repeatable, about=about)[1]

    def version(self) -> str:
        """The version of the running rclone ("1.75.2"), as the headers of its answers name it.

        `core/version` would start `lsb_release` and others first, to describe the system.
        """
        answer, _ = self._call("rc/noop", {})
        return answer.header(b"server").removeprefix("rclone/").removeprefix("v")

    def _call(
        self, method: str, params: Mapping[str, Any], *, repeatable: bool | None = None, about: str | None = None
    ) -> tuple[Answer, dict[str, Any]]:
        # Each group beyond the last few drops what an older one has counted.
        body = json.dumps({"_group": rc_bodies.GROUP, **params}).encode()
        headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        if repeatable is None:
            repeatable = method in _READ_ONLY
        connection, response = self._send("POST", f"/{method}", headers, body, repeatable=repeatable)
        content = self._finish(connection, response)
        answer = _decode(content)
        if response.status == 200 and isinstance(answer, dict):
            return response, answer
        if not isinstance(answer, dict):
            answer = {"error": content[:300].decode("utf-8", "replace"), "status": response.status}
        raise self.refusal(answer, params, about=about)

    def refusal(self, answer: Mapping[str, Any], params: Mapping[str, Any], *, about: str | None = None) -> OrchestratorError:
        """The typed error for one refused call, from rclone's answer and the parameters of the call."""
        text = str(answer.get("error", ""))
        opened = [fs for key in _FS_KEYS if isinstance(fs := params.get(key), str) and fs in self.folders]
        if opened and _IS_FILE in text:
            return TransientError(f"{opened[0]}: the server did not say whether this is a folder", path=about)
        names = [value for key in _NAME_KEYS if isinstance(value := params.get(key), str)]
        path = about or params.get("remote") or params.get("srcRemote") or params.get("fs")
        return classify(text, status=int(answer.get("status", 500)), path=path, names=names)

    def get_range(self, fs: str, path: str, offset: int, length: int) -> bytes:
        """`length` bytes of the file from `offset`; fewer only where the file ends. Raises UnexplainedReadError as well."""
        return self.get_parts(ranges.file_address(fs, path), path, [(offset, length)])[0]

    def get_parts(self, address: str, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Each (offset, length) of the file at an address that rclone serves, all in one request. Otherwise as `get_range`.

        `address` must come from `ranges`; errors name `path`.
        """
        if any(length <= 0 for _, length in wanted):
            return [self.get_parts(address, path, [span])[0] if span[1] > 0 else b"" for span in wanted]
        connection, response = self._send("GET", address, _range(wanted), repeatable=True)
        return self._parts(connection, response, path, wanted)

    def get_ranges(self, fs: str, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """As `get_range` for each (offset, length): one request each, all sent before the first answer is read."""
        address = ranges.file_address(fs, path)
        ahead = [self._ask_ahead(address, span) for span in wanted[1:]]
        try:
            found = self.get_parts(address, path, wanted[:1])
            for span in wanted[1:]:
                found += self._answer(ahead.pop(0), address, path, span)
            return found
        finally:
            for connection in ahead:  # an error came first
                connection.close()

    def get(self, fs: str, path: str) -> Iterator[bytes]:
        """The whole file in blocks."""
        connection, response = self._send("GET", ranges.file_address(fs, path), repeatable=True)
        if response.status != 200:
            raise _read_refusal(self._finish(connection, response), response.status, path)
        try:
            yield from response.blocks()
        except CutAnswerError as error:
            raise TransientError(f"{path}: the content ended early", path=path) from error
        except OSError as error:
            raise DaemonLostError(f"{path}: reading broke off ({type(error).__name__})", path=path) from error
        finally:
            self._give_back(connection, response)

    def requests_sent(self, by: Literal["method", "code"] = "method") -> Counter[str]:
        """HTTP method, or status of the answer -> the requests that this rclone has sent to remotes since it started."""
        connection, response = self._send("GET", "/metrics", repeatable=True)
        found: Counter[str] = Counter()
        for line in self._finish(connection, response).decode().splitlines():
            if counted := _SENT.fullmatch(line):
                found[dict(_LABEL.findall(counted["labels"]))[by]] += int(float(counted["number"]))
        return found

    def break_off(self) -> None:
        """Close all connections: running requests fail."""
        with self._lock:
            idle, self._idle = self._idle, []
            for connection in self._open:
                connection.break_off()
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _send(
        self, verb: str, address: str, headers: str = "", body: bytes = b"", *, repeatable: bool
    ) -> tuple[Connection, Answer]:
        while True:
            connection = self._take()
            reused = connection.used  # rclone may have closed it meanwhile; a new connection that breaks means trouble
            sent = False
            try:
                connection.send(verb, address, headers, body, timeout_s=self._timeout_s if repeatable else None)
                sent = True
                return connection, connection.answer()
            except TimeoutError as error:
                connection.close()
                raise TransientError(f"no answer within {self._timeout_s:.0f} s") from error
            except OSError as error:
                connection.close()
                self._on_broken_connection(connection.endpoint)
                if reused and (repeatable or not sent):
                    continue
                raise DaemonLostError(f"the connection to rclone broke ({type(error).__name__})") from error
            except BaseException:  # an interrupt, for example: a connection with half an answer is useless
                connection.close()
                raise

    def _ask_ahead(self, address: str, span: tuple[int, int]) -> Connection:
        """Send a request and read its answer later."""
        connection = self._take()
        with contextlib.suppress(OSError):  # `_answer` notices, and asks again
            connection.send("GET", address, _range([span]), b"", timeout_s=self._timeout_s)
        return connection

    def _answer(self, connection: Connection, address: str, path: str, span: tuple[int, int]) -> list[bytes]:
        try:
            response = connection.answer()
        except OSError:  # most likely rclone had closed that connection
            connection.close()
            return self.get_parts(address, path, [span])
        return self._parts(connection, response, path, [span])

    def _parts(self, connection: Connection, response: Answer, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        content = self._finish(connection, response, reading=path)
        content_range = response.header(b"content-range")
        found = ranges.parts_of_answer(response.status, content_range, content, wanted)
        if found is not None:
            return found
        if content_range:
            raise UnexplainedReadError(f"{path}: could not be opened", path=path)
        raise _read_refusal(content, response.status, path)

    def _finish(self, connection: Connection, response: Answer, *, reading: str | None = None) -> bytes:
        """Read the answer and return the connection. `reading`: the file whose content it is."""
        try:
            content = response.read()
        except OSError as error:
            connection.close()
            if reading is not None and isinstance(error, CutAnswerError):
                # rclone ends the answer like this when it cannot read on. If rclone itself is dead, the next call notices.
                raise UnexplainedReadError(f"{reading}: reading broke off", path=reading) from error
            self._on_broken_connection(connection.endpoint)
            raise DaemonLostError(f"the connection to rclone broke ({type(error).__name__})") from error
        except BaseException:  # as in _send
            connection.close()
            raise
        self._give_back(connection, response)
        return content

    def _take(self) -> Connection:
        endpoint = self._endpoint()
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.endpoint == endpoint:
                    return connection
                connection.close()
            self._open.add(connection := Connection(endpoint))
        return connection

    def _give_back(self, connection: Connection, answered: Answer) -> None:
        if not answered.keeps_connection:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


def _range(wanted: Sequence[tuple[int, int]]) -> str:
    return f"Range: {ranges.header(wanted)}\r\n"


def _read_refusal(content: bytes, status: int, path: str) -> OrchestratorError:
    answer = _decode(content)
    text = answer.get("error") if isinstance(answer, dict) else None
    return classify(text or content[:300].decode("utf-8", "replace"), status=status, path=path)


def _decode(content: bytes) -> Any:  # any JSON; None for anything else
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None
