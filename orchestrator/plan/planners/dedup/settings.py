"""The settings of the search for duplicates."""

from __future__ import annotations

import msgspec

from orchestrator.config.model import LayoutRule

DEFAULT_KEEP = (
    "reference",
    "whole",
    "lossless",
    "bit_depth",
    "sample_rate",
    "bitrate",
    "first_location",
    "in_place",
    "longest",
    "album_tracks",
    "folder_tracks",
    "not_compilation",
    "tags",
    "original_name",
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
    precedence: tuple[str, ...] = ()
    """Locations in canonical form: of equal copies, the one in the location that comes first is kept."""
    opened: tuple[str, ...] = ()
    """The patterns of `include` that open folders of other programs."""
    same_format_only: bool = False
    """Files of different codecs are never duplicates, so lossy copies of lossless files are kept."""


class LayoutSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The layout of the config, as the settings of `organize` have it."""

    layout: str | None = None
    layouts: tuple[LayoutRule, ...] = ()
    names: str = "portable"
    replace: dict[str, str] = {}
