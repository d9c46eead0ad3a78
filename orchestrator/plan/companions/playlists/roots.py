"""The root of a location as playlists see it: how deep it is below the top of its disk or remote."""

from __future__ import annotations

from orchestrator.paths import is_local, location_prefix


class Root:
    """The root of a location, as far as the location's name says."""

    def __init__(self, fs: str) -> None:
        self.local = is_local(fs)
        prefix = location_prefix(fs)
        below_top = prefix if self.local else prefix.partition(":")[2]
        self.parts = tuple(part for part in below_top.split("/") if part)
        """The path of the root, below the top of its disk or remote."""
        # In a list on a remote, "/" can be the top of the remote, or the root that the list was written for.
        self.anchors: tuple[tuple[str, ...], ...] = (self.parts,) if self.local or not self.parts else (self.parts, ())
        """What a leading "/" in a list can stand for."""

    def base(self, directory: str) -> tuple[str, ...]:
        """The parts of a directory below the root, counted from the top."""
        return (*self.parts, *(part for part in directory.split("/") if part))

    def inside(self, parts: tuple[str, ...] | None) -> str | None:
        """The path below the root of these parts, counted from the top; None for anything outside, and for the root itself."""
        length = len(self.parts)
        return "/".join(parts[length:]) or None if parts is not None and parts[:length] == self.parts else None
