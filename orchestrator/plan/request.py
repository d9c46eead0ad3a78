"""What the organize planner is given: two listings with what their tags say, what the remotes can do, and the options."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.storage.base import Capabilities, Entry
from orchestrator.tags.track import Reading


class Item(msgspec.Struct, frozen=True, gc=False):
    """One listed file and, if it is audio, what reading it came to (None for every other file)."""

    entry: Entry
    reading: Reading | None = None
    left_alone: str | None = None
    """Why the run's options leave the file where it is, in words; its name is taken all the same."""


class LayoutRule(msgspec.Struct, frozen=True):
    """One rule of `layouts:`: `template` (a template or a preset's name) where `when` holds; no `when`: always."""

    template: str
    when: str | None = None


class OrganizeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user chose."""

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
    names: str = "portable"
    """A rule set of `orchestrator.plan.names`, or "target" for the one that the target's provider asks for."""


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
    options: OrganizeOptions = OrganizeOptions()
    tool_version: str
    created: str
    """RFC 3339."""
    config_sha256: str = ""
