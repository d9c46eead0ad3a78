"""What the sync planner is asked and what it answers.

The two sides are called A and B, and are numbered 0 and 1 in every pair of values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

import msgspec

from orchestrator.config.setting_syntax import Limit
from orchestrator.plan.model import Operation, Plan, Verb
from orchestrator.records import WEAK_HASHES, Capabilities, Entry, Ref
from orchestrator.track import Reading

LETTERS = "AB"
"""The names of the sides, in reports and in the names of conflict copies."""
SideNumber = Literal[0, 1]
SIDES: tuple[SideNumber, SideNumber] = (0, 1)


def other(side: SideNumber) -> SideNumber:
    """The other side."""
    return 0 if side else 1


CHANGED_SINCE = 0
"""The `ctime_ns` of a file that has changed since it was verified: no file has it, so the file is read the next time."""


class Inode(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a disk of this machine knows of a file beyond its listing."""

    number: int
    ctime_ns: int | None
    """Nanoseconds since 1970; None where the disk has no time of change that programs cannot set."""
    links: int = 1


class Sound(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the tags room found in an audio file that can be read."""

    identity: str | None
    """Of the sound, equal for files with the same sound; None if unknown."""
    tags: str
    """A digest of the tags and of the facts about its pictures, as a scan reads them."""
    lasting_tags: str | None = None
    """A digest of everything beside its sound that players do not write by themselves, as they do ratings, play counts and gains;
    None if unknown: it is only read of files in conflict."""
    sure: bool = True
    """Whether equal identities alone prove the same sound; otherwise equal tags are needed as well."""
    content: str | None = None
    """A digest of the parts of the file that were read; None if they were read earlier."""
    reading: Reading | None = None
    """What its bytes look like, without its tags: it tells which of two copies has lost its end."""


class File(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One file of one side, as it is now or as it was when both sides were alike."""

    entry: Entry
    inode: Inode | None = None
    read_hashes: dict[str, str] = {}
    """Hashes made by reading the whole file."""
    sound: Sound | None = None
    """None for what is not audio, cannot be read, or was not read."""
    own_mtime_ns: int | None = None
    """Its own modification time, where the listing has none or only that of the upload and a look was made; as in Entry."""
    damage: str | None = None
    """Why it cannot be whole, in words; known only of files whose sound was asked for."""
    moved_away: bool = False
    """In a row: --delete-after has deleted it here once the other side had it. That it is not here is no deletion."""
    renamed_there: bool = False
    """In a row: the other side has renamed it, which a one-way sync from here has left. There, it still counts as renamed."""

    @property
    def path(self) -> str:
        """Its path below the root of its side."""
        return self.entry.path

    @property
    def size(self) -> int | None:
        """Bytes; None where the remote does not know."""
        return self.entry.size

    @property
    def hashes(self) -> dict[str, str]:
        """All its hashes that two different files cannot share."""
        listed, read = self.entry.hashes, self.read_hashes
        known = {**listed, **read} if listed and read and listed is not read else listed or read
        return known if WEAK_HASHES.isdisjoint(known) else {name: known[name] for name in known.keys() - WEAK_HASHES}


class Row(msgspec.Struct, frozen=True, gc=False):
    """One entry of the last common state: two files that were verified to be alike."""

    number: int
    """Its own name in the state."""
    files: tuple[File, File]
    """As they were then; their paths differ where one side could not hold the name, or spells it otherwise."""

    @property
    def moved_away_from(self) -> SideNumber | None:
        """The side that has no file of this entry any more, since --delete-after."""
        first, second = self.files
        return 0 if first.moved_away else 1 if second.moved_away else None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two locations as it is now. The order of the sequences makes no difference."""

    fs: str
    capabilities: Capabilities
    files: Sequence[File]
    left_out: Sequence[File] = ()
    """Files that are there but that filters leave out: they are no deletions, and their entries leave the common state."""
    waiting: Sequence[File] = ()
    """Files that are still being written, or are too young for --settle: their entries wait for a later run."""
    folders: Collection[str] = ()
    """Its folders, with and without files; none where folders do not exist on their own."""
    unlisted: Sequence[str] = ()
    """Folders that could not be listed, or were not: nothing below them is known, and nothing is done there on either side."""
    refused: Sequence[str] = ()
    """Paths that the remote has refused in earlier runs, beside those that its capabilities rule out."""
    renamed: Mapping[str, str] = {}
    """Old path -> new path, by runs of this program since the last common state."""
    readable: bool = False
    """Whole files may be read to hash them: on disks of this machine, elsewhere with --checksum."""
    checked: bool = False
    """--checksum: what has no hash is read even if it looks unchanged."""


class Direction(StrEnum):
    """Which side gets the changes of the other."""

    A_TO_B = "a-to-b"
    B_TO_A = "b-to-a"
    BOTH = "both"


class Policy(StrEnum):
    """Which file keeps its name when both sides have changed it."""

    KEEP_BOTH = "keep-both"
    NEWER = "newer"
    OLDER = "older"
    LARGER = "larger"
    A = "a"
    B = "b"


class Answer(StrEnum):
    """What is to become of one conflict."""

    A = "a"
    B = "b"
    BOTH = "both"
    LATER = "later"
    """Nothing is done with either file, and the next sync finds the conflict again."""


class Conflict(msgspec.Struct, frozen=True):
    """Two files of one entry that both sides have changed, and what the plan does with them."""

    files: tuple[File, File]
    outcome: Answer
    why: str
    """In words."""
    damaged: SideNumber | None = None
    """The side whose file is damaged: it replaces none, whatever a person answers."""

    @property
    def paths(self) -> tuple[str, str]:
        """Where the files are now. No two conflicts have the same."""
        return self.files[0].path, self.files[1].path


class SyncSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command as the planner needs them; the plan's header records them."""

    direction: Direction = Direction.BOTH
    conflict: Policy | None = None
    """None: not given. As KEEP_BOTH, but files that only differ in what players write make no copies."""
    keep_names: Literal["a", "b"] | None = None
    """Whose names files of equal content get when both sides meet for the first time; None: they stay, and are reported."""
    delete: bool = False
    """One way: carry deletions over."""
    delete_after: bool = False
    """One way: delete what the target has as well from the source, once both were compared in full."""
    max_delete: Limit | None = None
    """None: not given, which means DEFAULT_MAX_DELETE."""

    def writes_to(self, side: SideNumber) -> bool:
        """Whether files of a side may be changed."""
        return self.direction is Direction.BOTH or self.direction is (Direction.B_TO_A, Direction.A_TO_B)[side]

    @property
    def source(self) -> SideNumber | None:
        """The side that stays as it is; None both ways."""
        return {Direction.A_TO_B: SIDES[0], Direction.B_TO_A: SIDES[1]}.get(self.direction)

    @property
    def name_giver(self) -> SideNumber | None:
        """The side whose names files of equal content get when both sides meet for the first time; None if they are reported."""
        return self.source if self.source is not None else {"a": SIDES[0], "b": SIDES[1]}.get(self.keep_names or "")

    @property
    def emptied(self) -> SideNumber | None:
        """The side whose files are deleted once the other has them; None for none."""
        return self.source if self.delete_after else None


DEFAULT_MAX_DELETE = Limit(50, percent=True)


class SyncRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan_sync` is asked."""

    sides: tuple[Side, Side]
    rows: Sequence[Row] = ()
    """The last common state; empty for a first run."""
    empty_folders: Sequence[FolderPair] = ()
    """The folders without files that both sides had after the last sync, or that one of them still has."""
    settings: SyncSettings = SyncSettings()
    now_ns: int | None = None
    """When the run started, nanoseconds since 1970: later times are no times. None: all are believed."""
    answers: Mapping[tuple[str, str], Answer] = {}
    """Paths of a conflict -> what a person wants; the settings decide about all others."""
    reviewed: bool = False
    """Whether a person has seen all conflicts."""
    answered: bool = False
    """What could be read was read: ask no more. What may have changed then counts as changed."""
    bytes_read: int = 0
    """Of files on remotes, to answer questions."""
    tool_version: str
    created: str
    """RFC 3339."""
    config_sha256: str = ""


FolderPair = tuple[str, str]
"""A folder of both sides: its path on each."""
Change = tuple[Verb, Ref]
"""Verb and destination of an operation: its id may become another one when its run begins. See `change_of`."""


def change_of(operation: Operation) -> Change:
    """The change that an operation makes. One that only deletes the source of a move is a deletion there."""
    return (Verb.DELETE, operation.src) if operation.finishes_move else (operation.verb, operation.dst)


class Link(msgspec.Struct, frozen=True):
    """What the state may record of one entry once its operations have succeeded."""

    row: int | None
    """The row that it replaces; None for a new entry."""
    paths: tuple[str, str] | None
    """Where the two files then are; None: the entry is gone, and its row is to be dropped."""
    files: tuple[File | None, File | None] = (None, None)
    """The files as they are now; None for one that an operation puts there."""
    changes: tuple[Change, ...] = ()
    """What has to succeed; () for what was seen to be so already."""


class Questions(msgspec.Struct, frozen=True):
    """What the planner has to know before it can plan."""

    hashes: tuple[Ref, ...] = ()
    """Files to read, for their hashes."""
    times: tuple[Ref, ...] = ()
    """Files to look at, for their own modification times."""
    sounds: tuple[Ref, ...] = ()
    """Audio files of which to read the tags and the end."""
    lasting_tags: tuple[Ref, ...] = ()
    """Those of which to read all tags as well."""

    def __bool__(self) -> bool:
        return bool(self.hashes or self.times or self.sounds or self.lasting_tags)


class SyncPlan(msgspec.Struct, frozen=True):
    """The plan, and what it means for the common state."""

    plan: Plan
    links: tuple[Link, ...]
    empty_folders: tuple[FolderPair, ...] = ()
    """As in SyncRequest, for the next sync."""
    conflicts: tuple[Conflict, ...] = ()
    """By path."""


def options_of(settings: SyncSettings, *, reviewed: bool = False) -> dict[str, Any]:
    """The settings for the header of a plan. `reviewed`: a person has decided about the conflicts."""
    known = {name: value for name, value in msgspec.structs.asdict(settings).items() if name != "max_delete"}
    if reviewed:
        known["conflict"] = "ask"
    limit = settings.max_delete
    return {"sync": {**known, "max_delete": None if limit is None else str(limit)}}
