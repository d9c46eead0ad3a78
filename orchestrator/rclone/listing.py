"""Lists a remote by a streaming `rclone lsjson`: constant memory, whatever the size.

The location travels by environment, as an alias remote; argv holds constants only. A listing counts only when it came to its end:
output without the closing bracket, or an exit code other than 0, is an error, never a short listing.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import IO

import msgspec

from orchestrator.errors import NotFoundError, OrchestratorError, TransientError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.classify import classify
from orchestrator.rclone.daemon import COMMON_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.supervisor import Supervised
from orchestrator.storage.base import OWN_DIRECTORY, Entry

_REMOTE = "MOLIST"
_OWN = OWN_DIRECTORY + "/"
_STDERR_TAIL = 64 * 1024
_EXIT_DIRECTORY_NOT_FOUND = 3
_NO_HASHES: dict[str, str] = {}


class Row(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    """One file as rclone writes it, in `lsjson` and in `operations/stat`."""

    path: str
    size: int = -1
    mod_time: str = ""
    hashes: dict[str, str] | None = None
    id: str | None = msgspec.field(default=None, name="ID")

    def entry(self) -> Entry:
        """The same as an Entry."""
        return Entry(
            self.path,
            self.size if self.size >= 0 else None,
            nanoseconds(self.mod_time) if self.mod_time else None,
            {kind: value for kind, value in self.hashes.items() if value} if self.hashes else _NO_HASHES,
            self.id or None,
        )


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to list, and what to ask for."""

    fs: str
    mtime: bool = True
    hashes: Sequence[str] = ()
    flat: bool = False
    """The remote lists a whole tree at once. A filter would make rclone go through it directory by directory instead."""
    hide_own: bool = True
    """Leave out OWN_DIRECTORY at the root."""


def arguments(request: ListRequest) -> list[str]:
    """The arguments of `rclone`: constants, and names of hash types."""
    flags = ["lsjson", "--recursive", "--files-only", "--no-mimetype", "--skip-links", *COMMON_FLAGS]
    if not request.mtime:
        flags.append("--no-modtime")
    if request.hashes:
        flags += ["--hash", *(f"--hash-type={name}" for name in request.hashes)]
    if request.hide_own and not request.flat:
        flags.append(f"--exclude=/{_OWN}**")
    return [*flags, f"{_REMOTE}:"]


def list_files(binary: Binary, environment: Mapping[str, str], request: ListRequest) -> Iterator[Entry]:
    """Every file below the location. Raises the typed error when the listing fails, at its end at the latest."""
    variables = {**environment, **remote_variables(_REMOTE, {"type": "alias", "remote": request.fs})}
    with (
        tempfile.TemporaryFile() as said,
        Supervised((str(binary.path), *arguments(request)), variables, stdout=subprocess.PIPE, stderr=said) as lister,
    ):
        stream = lister.process.stdout
        assert stream is not None  # noqa: S101 it was asked for a pipe
        complete = False
        decode = msgspec.json.Decoder(Row).decode
        hide = request.hide_own and request.flat
        try:
            for line in stream:
                if line[:1] == b"{":
                    row = decode(line.rstrip(b",\n"))
                    if not (hide and row.path.startswith(_OWN)):
                        yield row.entry()
                elif line.startswith(b"]"):
                    complete = True
        except msgspec.DecodeError as error:
            raise _failure(request.fs, lister.wait(), said) or TransientError(f"{request.fs}: the listing is damaged") from error
        code = lister.wait()
        if code != 0 or not complete:
            raise _failure(request.fs, code, said) or TransientError(f"{request.fs}: the listing ended early (exit {code})")


def _failure(fs: str, code: int, said: IO[bytes]) -> OrchestratorError | None:
    """Why the listing failed, from what rclone wrote; None when it wrote nothing of use."""
    said.seek(max(0, said.seek(0, 2) - _STDERR_TAIL))
    lines = [
        line
        for line in said.read().decode("utf-8", "replace").splitlines()
        if "ERROR" in line or "CRITICAL" in line or "Failed" in line
    ]
    if not lines:
        return None
    # "2026/11/23 22:26:52 ERROR : path: reason": the first one is the cause, later ones count and repeat.
    reason = lines[0].partition(": ")[2] or lines[0]
    if code == _EXIT_DIRECTORY_NOT_FOUND:
        return NotFoundError(f"{fs}: no such directory or bucket", path=fs)
    return classify(reason, path=fs, names=(fs,))


def nanoseconds(text: str) -> int:
    """RFC 3339, as Go writes it, with up to nine decimals -> nanoseconds since 1970, UTC."""
    seconds = _day(text[:10]) + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    rest = text[19:]
    fraction = 0
    if rest.startswith("."):
        end = 1
        while end < len(rest) and rest[end].isdigit():
            end += 1
        fraction = int(rest[1:end].ljust(9, "0"))
        rest = rest[end:]
    if rest not in {"", "Z"}:
        offset = int(rest[1:3]) * 3600 + int(rest[4:6]) * 60
        seconds += offset if rest[0] == "-" else -offset
    return seconds * 1_000_000_000 + fraction


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days * 86400
