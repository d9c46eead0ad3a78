"""How long work reports its progress. Rooms call it; only `report/` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Stages in sequence, each counted in items and bytes. May be called from several threads."""

    def stage(self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None) -> None:
        """Start a stage ("listing", "reading tags", "moving", "verifying") of `total` items, None when unknown.

        `sizes`: location -> bytes that go there.
        """

    def advance(self, items: int = 1, size: int = 0) -> None:
        """So many more items and bytes of the current stage are done."""


class NoProgress:
    """Ignores all progress."""

    def stage(self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None) -> None:
        """Do nothing."""

    def advance(self, items: int = 1, size: int = 0) -> None:
        """Do nothing."""
