"""The plan as frozen records: what will be done. Every planner makes the same kind."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from orchestrator.records import OWN_DIRECTORY, Entry, Ref

FORMAT = "music-orchestrator-plan/3"
READABLE_FORMATS = frozenset({"music-orchestrator-plan/2", FORMAT})
"""/2 has no REPLACE; otherwise they are the same."""

TEMPORARY = f"{OWN_DIRECTORY}/tmp"  # noqa: S108 - on the storage, not on this machine
"""Where a file is between the two steps of a rename, as `TEMPORARY/<operation id>`."""

MIRRORS = "mirrors"
"""The option in the header of a plan that names its mirrors."""
MIRRORED = "mirrored"
"""The option in the header of a plan file that holds what its copies make alike, as a list of Mirrored."""

KEPT_FOLDERS = "kept_folders"
"""The option in the header of a plan that names folders to keep although they lose their last file: location -> folders."""
GONE_FOLDERS = "gone_folders"
"""The same for empty folders to remove at the end of the run, although it takes no file out of them."""

NUMBERED = "collision: number"
"""How the reason begins of an operation that gives a file a name with a number, because others want the same name or have it."""
IS_CLUTTER = "clutter in a folder that is emptied"
"""The reason of a quarantine."""


class Verb(StrEnum):
    """What an operation does."""

    MOVE = "move"
    COPY = "copy"
    QUARANTINE = "quarantine"
    DELETE = "delete"
    REWRITE = "rewrite"
    REPLACE = "replace"
    """Give the file at the destination the content of the source; its old content goes to the trash of the run."""


LEAVING_THE_SOURCE = frozenset({Verb.COPY, Verb.REWRITE, Verb.REPLACE})
"""After these, the source is where and as it was."""


NO_MUSIC = ("podcast", "audiobook", "video", "memo")
"""The codes of `Skipped` for files that are left alone because they are no music, by their kind."""


def is_temporary(path: str) -> bool:
    """Whether a path is one of our temporary names."""
    return path.startswith(f"{TEMPORARY}/")


class KeptCopy(msgspec.Struct, frozen=True, gc=False):
    """A file that must still be there, unchanged, when its duplicate is quarantined or deleted."""

    fs: str
    path: str
    size: int | None
    hash: dict[str, str] = {}
    mtime: int | None = None
    """As in Expect."""
    tier: str = ""
    """"T0" if both have the same bytes; "T1", "T2", "T3" if they are the same by their sound or tags."""
    id: str | msgspec.UnsetType = msgspec.UNSET
    """As in Ref."""

    @property
    def ref(self) -> Ref:
        """Where it must be."""
        return Ref(self.fs, self.path, self.id)


class Replaced(msgspec.Struct, frozen=True, gc=False):
    """The file that a REPLACE finds at its destination, and puts into the trash."""

    size: int | None
    hash: dict[str, str] = {}
    mtime: int | None = None
    """As in Expect."""


class Expect(msgspec.Struct, frozen=True, gc=False):
    """What the source must still be when its operation starts, together with the operation's `size`."""

    hash: dict[str, str] = {}
    mtime: int | None = None
    """Nanoseconds since 1970, UTC. None if the remote's listing has no modification times."""
    kept: KeptCopy | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="twin")
    """The kept copy, if the file is removed as its duplicate. Of a MOVE, what is at its destination already."""
    replaced: Replaced | msgspec.UnsetType = msgspec.UNSET
    """REPLACE: what must still be at the destination."""


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One line of a plan. `id` is `operation_id(verb, src, dst)`."""

    id: str
    verb: Verb
    src: Ref
    dst: Ref
    """For a quarantine: the file's own path; apply puts the quarantine directory of the run in front of it."""
    size: int | None
    expect: Expect
    reason: str
    group: str
    """The heading under which a report shows it, such as the album's directory."""
    depends: tuple[str, ...] = ()
    """Ids of operations that must be done before this one starts."""
    content: str | msgspec.UnsetType = msgspec.UNSET
    """REWRITE: the bytes to write, in base64. The old list is `src`; a later operation quarantines it."""

    @property
    def finishes_move(self) -> bool:
        """Whether it is a MOVE whose file is at the destination already: both are compared in full, and the source is deleted."""
        return self.verb is Verb.MOVE and self.expect.kept is not msgspec.UNSET and self.expect.kept.ref == self.dst

    def content_bytes(self) -> bytes | None:
        """The bytes that a rewrite writes; None if there are none or they are not valid base64."""
        if self.content is msgspec.UNSET:
            return None
        try:
            return b64decode(self.content, validate=True)
        except binascii.Error:
            return None


class CompletedOperation(msgspec.Struct, frozen=True, gc=False):
    """An operation that succeeded, with what undo needs to know about it."""

    operation: Operation
    destination: Ref
    """Where the file was put; for a quarantined file its path in the quarantine."""
    entry: Entry | None
    """The file as seen at `destination`; None when it was deleted for good."""
    at: float = 0.0
    """When it was done, seconds since 1970; 0 if that is not known, as of what one process began and another one finished."""


ENTRIES_WITHOUT_FILE = "entries-without-file"
"""Code of a list with entries that name no file. The list itself may move."""


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A file of interest that the plan leaves as it is, and why."""

    path: str
    code: str
    """"unreadable", "untagged", "unclear", "doubtful-text", "unsupported-name", "left-alone", "ambiguous-sidecar", "playlist",
    "entries-without-file", "conflict", "deleted", "other", or one of NO_MUSIC."""
    reason: str


MOST_STAYING = 10_000
"""So many skipped files are named in a plan file: about 1 MB."""


class Staying(msgspec.Struct, frozen=True):
    """The paths of skipped files that have their code and reason in common."""

    code: str
    reason: str
    paths: tuple[str, ...]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a plan file."""

    format: str = FORMAT
    tool_version: str
    created: str
    """RFC 3339; the only field that differs between two plans of the same inputs."""
    source: str
    target: str
    locations: tuple[str, ...] = ()
    """The locations that the plan is about, in canonical form: source, target, those that the planner was given, and those that
    an operation touches. Empty only in the journal of an older version (format /1)."""
    options: dict[str, Any]
    config_sha256: str
    capabilities: dict[str, dict[str, Any]]
    """Location -> its capabilities when the plan was made."""
    counts: dict[str, int]
    """Verb -> operations; also "files", "music", "in_place" (music), "at_target" (files that stay in the source because they are
    at the target already), "alike_at_target" (those whose bytes were not compared), "artist_inferred" and "discs_by_folder"
    (music whose album artist or disc was inferred), "copies" (albums with the tags of another one), "albums_of_one_track",
    "without_number" (music of albums), "title_from_name" and "tags_from_cue_sheet" (music), "folders_left" (folders that lose
    all their music, with files that stay), "numbered" (files whose names get a number, because others want the same name or
    have it), "entries_without_file" (of playlists and cue sheets), "beside_staying" (files that stay with music that stays),
    "from_names" (music whose name tells what its tags do not), "names_fit" (files that stay, although their names would tell),
    "kept_together" (folders that stay, because nothing tells which albums they hold), "to_mirrors" and "bytes_to_mirrors" (what
    is copied to mirrors; bytes that a server copies by itself are not counted), "at_mirrors" (files that a mirror has already),
    and "skipped.<code>"."""
    estimate: dict[str, float | int | str | None]
    """requests (to remotes), bytes (through this machine), cost (None: a price is unknown), currency, seconds, the requests of
    each kind (see `orchestrator.prices`), bytes_up, bytes_down and bytes_copied (by servers). Older plans have only requests,
    bytes, cost and seconds, and count requests to disks."""
    staying: tuple[Staying, ...] | msgspec.UnsetType = msgspec.UNSET
    """The files that are skipped, at most MOST_STAYING; `counts` counts all. Left out if there are none, by older versions, and
    in the journal."""
    plan_id: str = ""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The skipped files that it names."""
        return tuple(Skipped(path, one.code, one.reason) for one in self.staying or () for path in one.paths)


class Respelled(msgspec.Struct, frozen=True):
    """A directory of the target that files enter under another spelling."""

    directory: str
    path: str
    """A file in it."""
    other_path: str
    """The same under another spelling of the directory: if that leads to a file, the storage ignores case there."""


class Mirrored(msgspec.Struct, frozen=True, gc=False):
    """A file that the target and a mirror both have, and that is alike there once the changes are made."""

    target: Ref
    mirror: Ref
    target_entry: Entry | None = None
    """As listed, perhaps with another path; None for what an operation brings from elsewhere. So is `mirror_entry`."""
    mirror_entry: Entry | None = None
    changes: tuple[tuple[Verb, Ref], ...] = ()
    """Verb and destination of the operations that have to succeed."""


class Plan(msgspec.Struct, frozen=True):
    """A header and its operations in their order. The rest is not part of the file."""

    header: Header
    operations: tuple[Operation, ...]
    skipped: tuple[Skipped, ...] = ()
    """For the report."""
    undecided: tuple[tuple[str, str], ...] = ()
    """Paths at the source and at the target of files that may be the same: once both have a hash, or their ends are
    known, a new plan knows."""
    undecided_at_mirrors: tuple[tuple[Ref, Ref], ...] = ()
    """The same for files of source or target, and of a mirror."""
    mirrored: tuple[Mirrored, ...] = ()
    """What `sync` may record of target and mirrors."""
    full_mirrors: frozenset[str] = frozenset()
    """The mirrors that have all that the target has once the plan is carried out."""
    respelled: tuple[Respelled, ...] = ()
    """A new plan needs to know whether the storage ignores case there, and whether all that they hold is listed."""
    litter: tuple[str, ...] = ()
    """Folders of other programs that alone keep emptied directories: once their files are known, a new plan removes them."""
    suspect: tuple[tuple[str, str], ...] = ()
    """Path and reason of music that may be cut short or damaged; it is organized like all other."""
    named_like: tuple[tuple[str, int], ...] = ()
    """Patterns that the names of files without usable tags fit, each with their number; only if names were not to be used."""


def mirrors_of(header: Header) -> frozenset[str]:
    """The locations that only get copies of what the plan places: what fails there holds up nothing else."""
    return frozenset(header.options.get(MIRRORS, ()))


def folders_of(header: Header, option: str) -> dict[str, list[str]]:
    """Location -> its folders, by the option KEPT_FOLDERS or GONE_FOLDERS."""
    return dict(header.options.get(option, {}))


def locations_of(operations: Iterable[Operation]) -> list[str]:
    """The locations that operations touch or look at, sorted."""
    found: set[str] = set()
    for operation in operations:
        found.update((operation.src.fs, operation.dst.fs))
        if operation.expect.kept:
            found.add(operation.expect.kept.fs)
    return sorted(found)


def changed_locations(operations: Iterable[Operation]) -> set[str]:
    """The locations where operations change something."""
    changed = {operation.dst.fs for operation in operations}
    return changed | {operation.src.fs for operation in operations if operation.verb not in LEAVING_THE_SOURCE}


def bytes_to_locations(operations: Iterable[Operation]) -> dict[str, int]:
    """Location -> bytes that operations bring there from other locations."""
    found: dict[str, int] = {}
    for operation in operations:
        if operation.src.fs != operation.dst.fs and not operation.finishes_move:
            found[operation.dst.fs] = found.get(operation.dst.fs, 0) + (operation.size or 0)
    return found


def updated_lists(operations: Iterable[Operation]) -> frozenset[Ref]:
    """The playlists that rewrites replace: their quarantine removes no file from the library."""
    return frozenset(operation.src for operation in operations if operation.verb is Verb.REWRITE)


def operation_id(verb: str, src: Ref, dst: Ref) -> str:
    """A stable id: the first 20 hex digits of a sha256 over verb, source and destination."""
    text = "\0".join((verb, src.fs, src.path, dst.fs, dst.path, *filter(None, (src.object_id, dst.object_id))))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
