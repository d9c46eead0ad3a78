"""A look into a folder, and how long it holds: each request less is one that another program could have come before."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

IDS_HOLD_S = 10.0
"""So long, what was looked up leads to the same folders: see `Storage.forget_folders`. docs/reliability.md names it."""

_NAMES_HOLD_S = 1.0
"""So long, a folder of ours may be removed with what was seen in it. As much time may lie between rclone's own look into a folder
on Google Drive and the request that removes it."""


class FolderLook(msgspec.Struct, frozen=True):
    """What was seen in a folder. Made before the request, so that it is older rather than newer than it says."""

    at: float
    """By the monotonic clock."""
    names: Sequence[str] | None = None
    """Folders with a "/" at the end; None: there is no such folder."""

    @property
    def names_of_now(self) -> Sequence[str] | None:
        """The names, if they still hold."""
        return self.names if time.monotonic() - self.at <= _NAMES_HOLD_S else None
