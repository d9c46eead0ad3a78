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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal
from weakref import WeakSet

import msgspec

from orchestrator.errors import NoAnswerError, OrchestratorError, TransientError
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
        self._cut: frozenset[str] = frozenset()
        """The remotes about which no call is made."""
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        repeatable: bool | None = None,
        about: str | None = None,
        within_s: float | None = None,
    ) -> dict[str, Any]:
        """Make one rc call and return its answer.

        `repeatable` calls are sent again on a new connection when the old one turns out to be dead; by default those that change
        nothing. Errors name the path `about`, by default the one in `params`. `within_s`: the call ends if it takes longer, and
        is made even if its remote was cut off.
        """
        return self._call(method, params or {}, repeatable=repeatable, about=about, within_s=within_s)[1]

    def version(self) -> str:
        """The version of the running rclone ("1.75.2"), as the headers of its answers name it.

        `core/version` would start `lsb_release` and others first, to describe the system.
        """
        answer, _ = self._call("rc/noop", {})
        return answer.header(b"server").removeprefix("rclone/").removeprefix("v")

    def _call(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        repeatable: bool | None = None,
        about: str | None = None,
        within_s: float | None = None,
    ) -> tuple[Answer, dict[str, Any]]:
        # Each group beyond the last few drops what an older one has counted.
        body = json.dumps({"_group": rc_bodies.GROUP, **params}).encode()
        headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        if repeatable is None:
            repeatable = method in _READ_ONLY
        connection, response = self._send(
            "POST", f"/{method}", headers, body, repeatable=repeatable, locations=_locations_of(params), within_s=within_s
        )
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
        opened = [fs for key in _FS_KEYS if isinstance(fs := params.get(key), str)]
        if (doubt := self._doubt(text, opened, about)) is not None:
            return doubt
        names = [value for key in _NAME_KEYS if isinstance(value := params.get(key), str)]
        path = about or params.get("remote") or params.get("srcRemote") or params.get("fs")
        return classify(text, status=int(answer.get("status", 500)), path=path, names=names)

    def _doubt(self, text: str, opened: Iterable[str], path: str | None) -> TransientError | None:
        """The error for a refusal that says of a location which was a folder before that it is a file."""
        if _IS_FILE not in text or (fs := next((one for one in opened if one in self.folders), None)) is None:
            return None
        return TransientError(f"{fs}: the server did not say whether this is a folder", path=path)

    def get_range(self, fs: str, path: str, offset: int, length: int) -> bytes:
        """`length` bytes of the file from `offset`; fewer only where the file ends. Raises UnexplainedReadError as well."""
        return self.get_parts(ranges.file_address(fs, path), path, [(offset, length)], fs=fs)[0]

    def get_parts(self, address: str, path: str, wanted: Sequence[tuple[int, int]], *, fs: str = "") -> list[bytes]:
        """Each (offset, length) of the file at an address that rclone serves, all in one request. Otherwise as `get_range`.

        `address` must come from `ranges`, and is that of a file in `fs`; errors name `path`.
        """
        if any(length <= 0 for _, length in wanted):
            return [self.get_parts(address, path, [span], fs=fs)[0] if span[1] > 0 else b"" for span in wanted]
        connection, response = self._send("GET", address, _range(wanted), repeatable=True, locations=frozenset([fs]))
        return self._parts(connection, response, path, wanted, fs)

    def get_ranges(self, fs: str, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """As `get_range` for each (offset, length): one request each, all sent before the first answer is read."""
        address = ranges.file_address(fs, path)
        ahead = [self._ask_ahead(address, span, fs) for span in wanted[1:]]
        try:
            found = self.get_parts(address, path, wanted[:1], fs=fs)
            for span in wanted[1:]:
                found += self._answer(ahead.pop(0), address, path, span, fs)
            return found
        finally:
            for connection in ahead:  # an error came first
                connection.close()

    def get(self, fs: str, path: str) -> Iterator[bytes]:
        """The whole file in blocks."""
        connection, response = self._send("GET", ranges.file_address(fs, path), repeatable=True, locations=frozenset([fs]))
        if response.status != 200:
            raise self._read_refusal(self._finish(connection, response), response.status, fs, path)
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

    def cut_off(self, remote: str) -> None:
        """Let calls about a remote fail, those that wait for an answer and all others, until `reconnect`."""
        with self._lock:
            self._cut |= {remote}
            for connection in self._open:
                if any(is_on(location, remote) for location in connection.locations):
                    connection.break_off()

    def is_cut_off(self, fs: str) -> bool:
        """Whether calls about a location fail for that."""
        return any(is_on(fs, remote) for remote in self._cut)

    def reconnect(self, remote: str) -> None:
        """Let calls about the remote pass again."""
        with self._lock:
            self._cut -= {remote}

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _send(
        self,
        verb: str,
        address: str,
        headers: str = "",
        body: bytes = b"",
        *,
        repeatable: bool,
        locations: frozenset[str] = frozenset(),
        within_s: float | None = None,
    ) -> tuple[Connection, Answer]:
        timeout_s = within_s or (self._timeout_s if repeatable else None)
        while True:
            connection = self._take(locations if within_s is None else frozenset())
            reused = connection.used  # rclone may have closed it meanwhile; a new connection that breaks means trouble
            sent = False
            try:
                connection.send(verb, address, headers, body, timeout_s=timeout_s)
                sent = True
                return connection, connection.answer()
            except TimeoutError as error:
                connection.close()
                raise NoAnswerError(f"no answer within {timeout_s:.0f} s") from error
            except OSError as error:
                connection.close()
                self._check_not_cut(locations if within_s is None else frozenset())
                self._on_broken_connection(connection.endpoint)
                if reused and (repeatable or not sent):
                    continue
                raise DaemonLostError(f"the connection to rclone broke ({type(error).__name__})") from error
            except BaseException:  # an interrupt, for example: a connection with half an answer is useless
                connection.close()
                raise

    def _ask_ahead(self, address: str, span: tuple[int, int], fs: str) -> Connection:
        """Send a request and read its answer later."""
        connection = self._take(frozenset([fs]))
        with contextlib.suppress(OSError):  # `_answer` notices, and asks again
            connection.send("GET", address, _range([span]), b"", timeout_s=self._timeout_s)
        return connection

    def _answer(self, connection: Connection, address: str, path: str, span: tuple[int, int], fs: str) -> list[bytes]:
        try:
            response = connection.answer()
        except OSError:  # most likely rclone had closed that connection
            connection.close()
            return self.get_parts(address, path, [span], fs=fs)
        return self._parts(connection, response, path, [span], fs)

    def _parts(
        self, connection: Connection, response: Answer, path: str, wanted: Sequence[tuple[int, int]], fs: str
    ) -> list[bytes]:
        content = self._finish(connection, response, reading=path)
        content_range = response.header(b"content-range")
        found = ranges.parts_of_answer(response.status, content_range, content, wanted)
        if found is not None:
            return found
        if content_range:
            raise UnexplainedReadError(f"{path}: could not be opened", path=path)
        raise self._read_refusal(content, response.status, fs, path)

    def _read_refusal(self, content: bytes, status: int, fs: str, path: str) -> OrchestratorError:
        answer = _decode(content)
        text = (answer.get("error") if isinstance(answer, dict) else None) or content[:300].decode("utf-8", "replace")
        return self._doubt(text, [fs], path) or classify(text, status=status, path=path)

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

    def _take(self, locations: frozenset[str] = frozenset()) -> Connection:
        self._check_not_cut(locations)
        endpoint = self._endpoint()
        with self._lock:
            connection = self._idle_at(endpoint)
            if connection is None:
                self._open.add(connection := Connection(endpoint))
            connection.locations = locations
        return connection

    def _idle_at(self, endpoint: Endpoint) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.endpoint == endpoint:
                return connection
            connection.close()
        return None

    def _check_not_cut(self, locations: frozenset[str]) -> None:
        if self._cut and any(map(self.is_cut_off, locations)):
            raise TransientError(f"{' and '.join(sorted(self._cut))}: given up for now, as it does not answer")

    def _give_back(self, connection: Connection, answered: Answer) -> None:
        if not answered.keeps_connection:
            connection.close()
            return
        with self._lock:
            connection.locations = frozenset()
            self._idle.append(connection)


def _range(wanted: Sequence[tuple[int, int]]) -> str:
    return f"Range: {ranges.header(wanted)}\r\n"


def _decode(content: bytes) -> Any:  # any JSON; None for anything else
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None


def _locations_of(params: Mapping[str, Any]) -> frozenset[str]:
    """Those that a call is about, as rclone opens them."""
    calls = [params, *params.get("inputs", ())]
    return frozenset(str(call[key]) for call in calls for key in _FS_KEYS if key in call)


def is_on(location: str, remote: str) -> bool:
    """Whether rclone reaches a location by this remote: `remote:path`, `remote,option=value:path`, or inside a combine of it."""
    return location.startswith((f"{remote}:", f"{remote},")) or any(f"={remote}{end}" in location for end in ":,")
