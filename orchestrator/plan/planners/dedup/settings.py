"""The settings of the search for duplicates."""

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
"""The default criteria for which copy is kept, most important first."""


class DedupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command as the planner needs them, the command line over the config; the plan's header records them."""

    keep: tuple[str, ...] = ()
    """Criteria (`orchestrator.plan.planners.dedup.keep_order`), most important first; () means DEFAULT_KEEP."""
    reference: tuple[str, ...] = ()
    """Locations in canonical form. Files in them are never quarantined."""
    same_format_only: bool = False
    """Files of different codecs are never duplicates, so lossy copies of lossless files are kept."""
