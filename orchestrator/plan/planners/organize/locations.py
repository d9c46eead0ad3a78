"""Whether the source of an organize run is inside its target, and what follows for paths."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.paths import is_local, location_prefix
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Capabilities, Item


class SourceAndTarget:
    """The two locations of a request."""

    def __init__(self, request: OrganizeRequest) -> None:
        self.source, self.target = request.source_fs, request.target_fs
        source_prefix, target_prefix = location_prefix(self.source), location_prefix(self.target)
        self.below = source_prefix[len(target_prefix) :] if source_prefix.startswith(target_prefix) else None
        """The source's path below the target ("" in place, otherwise such as "inbox/"); None if it is elsewhere."""
        self.max_path_bytes = max_path_bytes(self.target, request.target_capabilities, has_buckets=request.target_has_buckets)
        """How many bytes a path below the target may take there; None: any number."""
        self._stored_bytes = request.target_capabilities.stored_bytes

    def too_long(self, path: str) -> bool:
        """Whether the target cannot have a file of this path."""
        return self.max_path_bytes is not None and self._stored_bytes(path) > self.max_path_bytes

    def position(self, item: Item) -> str:
        """The path of a file of the source as it is now, below the target if the source is inside it."""
        return (self.below or "") + item.entry.path

    def in_source(self, paths: Iterable[str]) -> list[str]:
        """Those of the target's paths that are in the source, as paths of the source."""
        below = self.below
        return [path[len(below) :] for path in paths if below is not None and path.startswith(below)]


def max_path_bytes(fs: str, capabilities: Capabilities, *, has_buckets: bool) -> int | None:
    """How many bytes a path below a location may take there (see `Capabilities.stored_bytes`); None: any number."""
    limit = capabilities.max_path_bytes
    if limit is None:
        return None
    root = location_prefix(fs)
    root = root if is_local(root) else root.partition(":")[2]
    if has_buckets:
        root = root.partition("/")[2]
    return limit - capabilities.stored_bytes(root)
