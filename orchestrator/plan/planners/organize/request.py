"""What the organize planner is given: two listings with what their tags say, what the remotes can do, and the options."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.config.model import LayoutRule
from orchestrator.config.sidecars import DEFAULT_SIDECARS, SidecarRule
from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Capabilities, Item


class OrganizeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command as the planner needs them, the command line over the config; the plan's header records them."""

    layout: str | None = None
    """A template or a preset's name, for albums that no rule of `layouts` takes; None is the preset "default"."""
    layouts: tuple[LayoutRule, ...] = ()
    """Rules; the first whose condition holds for an album decides about all of it."""
    copy: bool = False
    """Leave the source as it is."""
    cloud_only: bool = False
    """Refuse whatever would bring content through this machine."""
    untagged: str | None = None
    """A directory of the target for files without usable tags; None leaves them where they are."""
    leftovers: str | None = None
    """A directory of the target for what is left in directories that lose their music; None leaves it where it is."""
    sidecars: tuple[SidecarRule, ...] = DEFAULT_SIDECARS
    """With what files beside the music go; the first rule that fits decides."""
    names: str = "portable"
    """A rule set of `orchestrator.plan.layout.names`, or "target" for the one that the target's provider asks for."""
    dedup: DedupSettings | None = None
    """Which duplicates go into quarantine; None: all stay."""


class OrganizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to `plan_organize`. The order of the sequences makes no difference."""

    source_fs: str
    target_fs: str
    """Equal to `source_fs`: in place."""
    items: Sequence[Item]
    target_entries: Sequence[Item] = ()
    """What already lies at another target; empty in place."""
    source_capabilities: Capabilities
    target_capabilities: Capabilities
    target_has_buckets: bool = False
    """The first name in the path of `target_fs` is a bucket, which does not count for `max_path_bytes`."""
    external_lists: Sequence[ExternalList] = ()
    """Playlists outside source and target; those that point at files being moved are reported."""
    options: OrganizeSettings = OrganizeSettings()
    tool_version: str
    created: str
    """RFC 3339."""
    config_sha256: str = ""
