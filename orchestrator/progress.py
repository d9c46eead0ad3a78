"""How long work reports its progress. Rooms call it; only `report/` shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec


class Transfer(msgspec.Struct, frozen=True):
    """One file on its way. `size` and `done` are bytes; `size` is -1 where rclone does not know it."""

    name: str
    size: int
    done: int


class Activity(msgspec.Struct, frozen=True):
    """What rclone has done since it started, and what it is sending now."""

    bytes: int
    """Over the network and to disks; without what servers copy by themselves."""
    copied: int
    """Files that were copied, or read in part."""
    renamed: int
    signs: int
    """A number that changes with each sign of life: an answer of a server, a byte of a file."""
    under_way: Sequence[Transfer]


class Outcome(msgspec.Struct, frozen=True):
    """What became of one operation of a plan."""

    run: str
    verb: str
    source: str
    """With its location, as is `destination`."""
    destination: str
    result: str
    """"done", "failed" or "skipped"."""
    message: str | None


class Progress(Protocol):
    """Stages in sequence, each counted in items and bytes. May be called from several threads."""

    def stage(
        self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None, *, at: Collection[str] = ()
    ) -> None:
        """Start a stage ("listing", "reading tags", "copying", "verifying") of `total` items, None when unknown.

        `sizes`, if the stage changes files: location -> bytes that go there. `at`: the locations that it waits for.
        """

    def advance(self, items: int = 1, size: int = 0) -> None:
        """So many more items and bytes of the current stage are done."""

    def wait(self, reason: str, seconds: float) -> None:
        """Something failed for the stated reason, and is tried again after so long."""

    def run(self, run: str | None) -> None:
        """What follows belongs to this run; None: to no run."""

    def outcome(self, outcome: Outcome) -> None:
        """An operation of a run has ended."""


class NoProgress:
    """Ignores all progress."""

    def stage(
        self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None, *, at: Collection[str] = ()
    ) -> None:
        """Do nothing."""

    def advance(self, items: int = 1, size: int = 0) -> None:
        """Do nothing."""

    def wait(self, reason: str, seconds: float) -> None:
        """Do nothing."""

    def run(self, run: str | None) -> None:
        """Do nothing."""

    def outcome(self, outcome: Outcome) -> None:
        """Do nothing."""
