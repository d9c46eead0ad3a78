"""Reads parts of many files of one location through rclone's VFS, which looks into each directory once.

`--rc-serve` looks a file up before every range (on Google Drive that is two of three calls). Here a directory costs one listing,
when it is first entered, and a range from the beginning of a file then one request. A range behind it costs two, for rclone opens
a file at its beginning first; so head and tail are asked for together (`bytes=0-9,90-99`), which is two as well.

What was listed stays as it was until `close`: a server lives for as long as somebody reads what was just listed, no longer.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from orchestrator.errors import OrchestratorError, TransientError
from orchestrator.rclone import ranges, rc_bodies
from orchestrator.rclone.rc_client import Endpoint, RcClient

_numbers = count(1)


class VfsReads:
    """One location, served from the first read to `close`, by another rclone should one die. Used by any number of threads."""

    def __init__(self, daemon: Callable[[], Endpoint], client: RcClient, fs: str, *, piece: int) -> None:
        """`daemon` gives the running rclone, `client` speaks to it. Ranges of up to `piece` bytes are one request each."""
        self._daemon = daemon
        self._client = client
        self._fs = fs
        self._piece = piece
        self._lock = threading.Lock()
        self._served: tuple[Endpoint, Endpoint, str] | None = None  # the rclone, its server, and what it calls that server
        self._closed = False
        self._http = RcClient(self._endpoint)

    def get_ranges(self, path: str, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Each (offset, length) of a file, in ascending order, in one request; less only where the file ends.

        Raises UnreadError for a file that it shows and could not read. Any other error may mean anything: that a name hides
        another one, or that a directory could not be listed.
        """
        return self._http.get_parts(ranges.served_address(path), path, wanted)

    def close(self) -> None:
        """End the server and forget what it listed. Reads fail from now on."""
        with self._lock:
            self._closed = True
            served, self._served = self._served, None
        self._http.close()
        with contextlib.suppress(OrchestratorError):  # it ends with its rclone at the latest
            if served is not None and served[0] == self._daemon():
                # Not waited for: it lets running reads end, for 10 s.
                self._client.call("serve/stop", {"id": served[2], "_async": True})

    def _endpoint(self) -> Endpoint:
        with self._lock:
            daemon = self._daemon()
            if self._closed:
                raise TransientError(f"{self._fs} is served no longer")
            if self._served is None or self._served[0] != daemon:
                number = next(_numbers)
                endpoint = Endpoint(
                    str(Path(daemon.socket).with_name(f"vfs{number}")), secrets.token_hex(16), secrets.token_hex(32)
                )
                body = rc_bodies.serve(
                    self._fs, endpoint.socket, endpoint.user, endpoint.password, piece=self._piece, number=number
                )
                answer = self._client.call("serve/start", body)
                self._served = daemon, endpoint, str(answer["id"])
            return self._served[1]
