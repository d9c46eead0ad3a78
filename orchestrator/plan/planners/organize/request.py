"""The input of the organize planner: two listings with their tags, what the remotes can do, and the settings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.config.model import LayoutRule
from orchestrator.config.sidecars import DEFAULT_SIDECARS, SidecarRule
from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import Capabilities, Item, Ref

LEFT = "kept where it is, as decided in the review"
"""Why the files of `OrganizeRequest.left` stay."""


class OrganizeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command as the planner needs them, the command line over the config; the plan's header records them."""

    layout: str | None = None
    """A template or a preset's name, for albums that match no rule of `layouts`; None is the preset "default"."""
    layouts: tuple[LayoutRule, ...] = ()
    """Rules; the first whose condition holds for an album applies to the whole album."""
    copy: bool = False
    """Copy, and leave the source as it is."""
    cloud_only: bool = False
    """Refuse operations that would transfer content through this machine."""
    opened: tuple[str, ...] = ()
    """The patterns of `include` that open folders of other programs."""
    untagged: str | None = None
    """A directory of the target for files without usable tags; None: they stay where they are."""
    leftovers: str | None = None
    """A directory of the target for what is left behind in emptied music directories; None: it stays there."""
    names_as_tags: tuple[str, ...] | None = None
    """Patterns of `orchestrator.plan.file_names.pattern`, or "auto", for files without usable tags; None: not asked for, so what
    they would find is reported."""
    various_artists: tuple[str, ...] = ()
    """More names of album artists that mean several artists."""
    sidecars: tuple[SidecarRule, ...] = DEFAULT_SIDECARS
    """What the files beside the music move with; the first matching rule counts."""
    names: str = "portable"
    """A rule set of `orchestrator.plan.layout.names`, or "target" for the one of the target's provider."""
    replace: dict[str, str] = {}
    """Text -> what stands for it in names, before they are made legal."""
    dedup: DedupSettings | None = None
    """Which duplicates are quarantined; None: none."""


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """A location that gets a copy of what the plan places."""

    fs: str
    items: Sequence[Item]
    """The files that it holds already."""
    capabilities: Capabilities
    has_buckets: bool = False
    """As `OrganizeRequest.target_has_buckets`."""


class OrganizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan_organize` is asked. The order of the sequences makes no difference."""

    source_fs: str
    target_fs: str
    """Equal to `source_fs`: in place."""
    items: Sequence[Item]
    target_items: Sequence[Item] = ()
    """The files that another target already holds; empty in place."""
    mirrors: Sequence[Mirror] = ()
    kept_spellings: Sequence[str] = ()
    """Directories of the target that cannot be emptied, because they hold what is not listed: they keep their spelling."""
    foreign_folders: Sequence[str] = ()
    """The folders of other programs in the source. They are not listed: nothing in them moves."""
    litter: Sequence[Item] = ()
    """The files in those that `Plan.litter` named: they are quarantined as clutter is."""
    left: frozenset[Ref] = frozenset()
    """Files of the source, as operations name them, that a person has decided to leave as they are: they still count as tracks of
    their album, so that all else goes where it would go with them."""
    source_capabilities: Capabilities
    target_capabilities: Capabilities
    target_has_buckets: bool = False
    """The first name in the path of `target_fs` is a bucket, which does not count towards `max_path_bytes`."""
    external_lists: Sequence[ExternalList] = ()
    """Playlists outside source and target; those that point at files being moved are reported."""
    elsewhere: frozenset[str] = frozenset()
    """Absolute paths of files outside the locations that playlist entries name, on this machine."""
    options: OrganizeSettings = OrganizeSettings()
    tool_version: str
    created: str
    """RFC 3339."""
    config_sha256: str = ""


def source_names(request: OrganizeRequest) -> SharedNames:
    """How operations name the files of its source."""
    return SharedNames([*request.items, *request.litter])


def items_at(request: OrganizeRequest, fs: str) -> Sequence[Item]:
    """The files of one of its locations."""
    known = {mirror.fs: mirror.items for mirror in request.mirrors}
    return (known | {request.target_fs: request.target_items, request.source_fs: request.items})[fs]
