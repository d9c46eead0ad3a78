"""Reads parts of many files of one location through rclone's VFS, which lists each directory only once.

`--rc-serve` looks a file up before every range (on Google Drive, two of three calls). Here each directory costs one listing the
first time, or all of them together one listing of the whole tree, and a range at the beginning of a file then costs one request.
Any other range costs two, because rclone first opens a file at its beginning; so we ask for head and tail together
(`bytes=0-9,90-99`), which also costs two.

The VFS does not notice changes until `close`: keep a server only while you read what you have just listed.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from orchestrator.errors import OrchestratorError, RateLimitError, RemoteError, TransientError
from orchestrator.paths import path_problem
from orchestrator.rclone import ranges, rc_bodies
from orchestrator.rclone.classify import classify
from orchestrator.rclone.http_connection import Endpoint
from orchestrator.rclone.rc_client import RcClient, UnexplainedReadError

_numbers = count(1)
_READS_OF_ONE_SERVER = 200_000
"""Then another server takes over, so that the memory of rclone, 0.8 KB for each listed file, does not grow with the library."""
_READS_END_S = 20.0
"""By then, rclone has ended the reads that were given up. Before, it lets no other server start while it stops theirs."""
_FILES_A_PAGE = 1000
"""The most that object stores list in one request: S3, Google Cloud Storage; Azure five times as many."""
_PAGE_IN_LOOKS = 12
"""A page of a listing costs as much as so many looks, by the prices of S3, Google Cloud Storage and Azure."""
_STOP_S = 1.0
"""How long rclone may take to answer that it will stop a server: at the latest, it ends with its rclone."""


def another_listing_pays(files: int, listed: int | None) -> bool:
    """Whether it takes less to list everything once more than to look at so many files, where profiles say "heads"."""
    return listed is not None and files >= _PAGE_IN_LOOKS * (1 + listed // _FILES_A_PAGE)


class _Server(NamedTuple):
    """One that runs."""

    rclone: Endpoint
    endpoint: Endpoint
    id: str


class GivenUpError(TransientError):
    """The read was ended because the remote refuses requests: nothing else is to be tried before the pause is over."""


class VfsReads:
    """One location with a server of its own from the first read to `close`, even if rclone dies in between. Thread-safe."""

    def __init__(
        self,
        daemon: Callable[[], Endpoint],
        client: RcClient,
        fs: str,
        *,
        chunk_bytes: int,
        list_first: bool = False,
        only_heads: bool = False,
    ) -> None:
        """`daemon` gives the running rclone, `client` calls it. Ranges of up to `chunk_bytes` are one request each.

        With `list_first`, the whole tree is listed before the first read; with `only_heads`, see `reads`.
        """
        self._daemon = daemon
        self._client = client
        self.fs = fs
        self._chunk_bytes = chunk_bytes
        self._list_first = self._lists_first = list_first
        self._only_heads = only_heads
        self._listing = threading.Lock()  # not the other one, on which `close` waits
        self._lock = threading.Lock()
        self._served: _Server | None = None
        self._given_up: list[tuple[float, _Server]] = []
        self._reads = self._renewals = 0
        self._begun = threading.local()
        self._closed = False
        self.may_be_refused: Callable[[], bool] = lambda: False
        """Whether a file could not be read because remotes refuse requests, maybe: then nothing else is tried."""
        self._http = RcClient(self._endpoint)
        self._lister = RcClient(daemon)
        self._stopper = RcClient(daemon, timeout_s=_STOP_S)

    def reads(self, path: str, wanted: Sequence[tuple[int, int]]) -> bool:
        """Whether to read these ranges here. With `only_heads`, what `--rc-serve` reads in as few requests is better read there.

        That is what does not begin with the file, and a range of several chunks. A VFS would take the object `a//b` for `a/b`.
        """
        return path_problem(path) is None and (
            not self._only_heads or (wanted[0][0] == 0 and all(length <= self._chunk_bytes for _, length in wanted))
        )

    def get_ranges(self, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Each (offset, length) of a file, in ascending order, in one request; fewer bytes only where the file ends.

        Raises UnexplainedReadError for a file that exists but could not be read. Any other error says little: maybe another file
        has the same name, maybe a directory could not be listed.
        """
        self._begun.renewals = self._renewals
        if self._list_first:
            self._list_tree()
        try:
            return self._http.get_parts(ranges.address_in_served(path), path, wanted)
        except RemoteError as error:
            self._check_begun()
            if self.may_be_refused():
                raise UnexplainedReadError(error.message, path=path) from error
            raise

    def renew(self) -> None:
        """Go on with another server, which lists folders again; running reads fail."""
        with self._lock:
            self._renewals += 1
            if self._served is not None:  # it is stopped later: meanwhile, no other could start
                self._given_up.append((monotonic(), self._served))
                self._served = None
        self.break_off()
        self._list_first = self._lists_first and self._only_heads  # elsewhere that takes more than a few requests

    def break_off(self) -> None:
        """Let running reads fail."""
        self._http.break_off()
        self._lister.break_off()

    def close(self) -> None:
        """Stop the server and forget what it listed. Reads fail from now on."""
        with self._lock:
            self._closed = True
            for server in (*(server for _, server in self._given_up), self._served):
                self._stop(server)
        self._http.close()
        self._lister.close()
        self._stopper.close()

    def _check_begun(self) -> None:
        if self._begun.renewals != self._renewals:
            raise GivenUpError(f"{self.fs}: the remote refuses requests, and this read was ended with others")

    def _endpoint(self) -> Endpoint:
        with self._lock:
            daemon = self._daemon()
            if self._closed:
                raise TransientError(f"{self.fs}: the server for reading is closed")
            self._check_begun()
            self._reads += 1
            if self._reads > _READS_OF_ONE_SERVER:
                self._stop(self._served)
                self._served = None
            if self._served is None or self._served.rclone != daemon:
                number = next(_numbers)
                endpoint = Endpoint(
                    str(Path(daemon.socket).with_name(f"vfs{number}")), secrets.token_hex(16), secrets.token_hex(32)
                )
                body = rc_bodies.serve(
                    self.fs, endpoint.socket, endpoint.user, endpoint.password, chunk_bytes=self._chunk_bytes, number=number
                )
                answer = self._client.call("serve/start", body)
                now = monotonic()
                for since_s, server in self._given_up:
                    if now - since_s >= _READS_END_S:
                        self._stop(server)
                self._given_up = [one for one in self._given_up if now - one[0] < _READS_END_S]
                self._served = _Server(daemon, endpoint, str(answer["id"]))
                self._reads = 1
            return self._served.endpoint

    def _list_tree(self) -> None:
        """List all directories once; other readers wait until that is done."""
        with self._listing:
            if self._list_first:
                self._endpoint()
                refused = self._why_unlisted()
                self._check_begun()
                self._list_first = False
                if isinstance(refused, RateLimitError):
                    self._lists_first = False  # it may take more requests than the remote allows at a time
                    self.renew()  # otherwise those that wait for the listing would list their folders at once
                    raise refused

    def _why_unlisted(self) -> OrchestratorError | None:
        """List the tree; returns why it could not be. Each directory is then listed at its first read."""
        try:
            answer = self._lister.call("vfs/refresh", rc_bodies.list_tree(self._newest()))
        except OrchestratorError as error:
            return error
        message = next(iter(answer["result"].values()))
        return None if message == "OK" else classify(message, path="")

    def _newest(self) -> str:
        """What rclone calls the running VFS: a number tells it from those that were given up and still run."""
        names: list[str] = self._client.call("vfs/list").get("vfses") or []
        return next((name for name in reversed(names) if name.startswith(f"{self.fs}[")), self.fs)

    def _stop(self, server: _Server | None) -> None:
        with contextlib.suppress(OrchestratorError):
            if server is not None and server.rclone == self._daemon():
                # Do not wait: it gives running reads 10 s to finish.
                self._stopper.call("serve/stop", {"id": server.id, "_async": True}, repeatable=True)
