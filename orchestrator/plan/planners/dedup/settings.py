"""What decides about duplicates: the command line over the config, resolved."""

from __future__ import annotations

import msgspec

DEFAULT_KEEP = (
    "reference",
    "whole",
    "lossless",
    "bit_depth",
    "sample_rate",
    "bitrate",
    "longest",
    "album_tracks",
    "folder_tracks",
    "not_compilation",
    "tags",
    "in_place",
    "oldest",
    "shortest_path",
)
"""What decides which copy stays, first to last."""


class DedupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command as the planner needs them, the command line over the config; the plan's header records them."""

    keep: tuple[str, ...] = ()
    """Criteria (`orchestrator.plan.planners.dedup.keep_order`), first to last; () is DEFAULT_KEEP."""
    reference: tuple[str, ...] = ()
    """Locations in canonical form whose files, and all below them, never go."""
    same_format_only: bool = False
    """Files of different codecs are never duplicates: lossy companions of lossless files stay."""
