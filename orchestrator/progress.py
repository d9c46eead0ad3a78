"""How long work tells that it goes on. Rooms call it; only `report/` shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One stage after another, each counted in items and bytes. Calls come from several threads."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage ("listing", "reading tags", "moving", "verifying") of `total` items, None when unknown."""

    def advance(self, items: int = 1, size: int = 0) -> None:
        """So many items and bytes more are done in the present stage."""


class NoProgress:
    """Tells nobody."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, items: int = 1, size: int = 0) -> None:
        """Do nothing."""
