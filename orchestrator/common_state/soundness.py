"""The rows of the common state, and whether they are as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from orchestrator.plan.planners.sync.records import Row


class KnownRows(msgspec.Struct, frozen=True):
    """The common state of a pair."""

    rows: tuple[Row, ...]
    after_runs: Mapping[int, str] = {}
    """Number of a row -> the run that was the newest one when it was recorded; "" if there was none."""
    damaged: int = 0
    """Entries that were lost because their checksum does not fit: they are as in a first run."""
    digest: str = ""
    """See `CommonState.digest`."""


class Digest:
    """The digest of the entries of a pair, in their order."""

    def __init__(self) -> None:
        self._sum = sha256()
        self._any = False

    def add(self, number: int, checksum: str) -> None:
        """One more entry."""
        self._sum.update(f"{number} {checksum}\n".encode())
        self._any = True

    def value(self) -> str:
        """Of all of them; "" if there was none."""
        return self._sum.hexdigest() if self._any else ""


def stored_path(stored: object) -> str | None:
    """A path of a row; None for a damaged one."""
    try:
        return stored.decode() if isinstance(stored, bytes) else None
    except UnicodeDecodeError:
        return None


def is_sound(checksum: object, *values: object) -> bool:
    """Whether the values of a row are as they were written. A damaged one may hold values of any type."""
    known = [one for one in values if isinstance(one, str | bytes)]
    return len(known) == len(values) and checksum == checksum_of(*known)


def checksum_of(*values: str | bytes) -> str:
    """The checksum of the values of a row, of which only the last one may contain NUL."""
    return sha256(b"\0".join(one.encode(errors="replace") if isinstance(one, str) else one for one in values)).hexdigest()
