"""The files that the search for duplicates compares, and the album copies that they form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.paths import is_ours, is_rclone_debris, path_problem
from orchestrator.plan.music.completeness import missing
from orchestrator.plan.music.song import Album
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import Capabilities, Item, Ref
from orchestrator.track import Reading, Status, Track

_NO_TRACK = Track()
_NAMES_ONLY = Capabilities()


@dataclass(slots=True, eq=False)
class Candidate:
    """One file that may be a duplicate, with its part in an album."""

    fs: str
    item: Item
    reading: Reading
    shares_name: bool = False
    """Other files have the same name; its id distinguishes it."""
    eligible: bool = True
    """False: it only counts as a track of its album; it neither is a duplicate nor has duplicates."""
    in_place: bool = False
    """It is already where the layout wants it."""
    album_copy: AlbumCopy | None = field(default=None, repr=False)
    """The copy of an album that it is part of; None for a file without an album in its tags."""
    kind: str = ""
    """One of KINDS of `orchestrator.plan.music.kinds`; "" for music, and for files without usable tags."""
    disc: int | None = None
    """Disc number from the tags, otherwise from the name of the folder."""
    number: int | None = None
    """Track number from the tags."""

    @property
    def path(self) -> str:
        """The path below `fs`."""
        return self.item.entry.path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.item.entry.size or 0

    @property
    def track(self) -> Track:
        """Its tags; empty if it has none."""
        return self.reading.track or _NO_TRACK

    @property
    def ref(self) -> Ref:
        """How operations refer to it."""
        return Ref(self.fs, self.path, self.item.entry.id) if self.shares_name and self.item.entry.id else Ref(self.fs, self.path)


Slot = tuple[int, int]
"""Disc (1 where none is given) and track number."""


class AlbumCopy:
    """The tracks of one album in one folder of one location."""

    __slots__ = (
        "album", "complete", "folder", "fs", "members", "mixes_discs", "needs_unnumbered", "several_anywhere", "several_discs",
        "slots", "tracks_at_location",
    )  # fmt: skip

    def __init__(self, fs: str, folder: str, album: Album) -> None:
        self.fs = fs
        self.folder = folder
        self.album = album
        self.members: list[Candidate] = []
        self.slots: dict[Slot, list[Candidate]] = defaultdict(list)
        """The tracks that have a number and are not suspect."""
        self.complete = False
        self.mixes_discs = False
        """Whether it contains several discs without disc numbers: several track numbers have two titles each."""
        self.several_discs = False
        """Whether a track says that the album has several discs."""
        self.several_anywhere = False
        """Whether a track of this copy or another one does."""
        self.needs_unnumbered = False
        """Whether it is complete only because a track without a number may be the missing one."""
        self.tracks_at_location = 0
        """How many different tracks of the album its location has, in all folders."""

    def assess(self) -> None:
        """Find out whether it is complete, once all members are added."""
        for member in self.members:
            if member.number is not None and member.reading.suspect is None:
                self.slots[member.disc or 1, member.number].append(member)
        whole = [member.track for member in self.members if member.reading.suspect is None]
        self.complete = bool(self.slots) and missing(whole) is None
        ambiguous = (len({fold(first(member.track.title)) for member in members}) > 1 for members in self.slots.values())
        self.mixes_discs = sum(ambiguous) > 1
        self.several_discs = any(map(states_several_discs, self.members))
        numbered = [member.track for members in self.slots.values() for member in members]
        self.needs_unnumbered = self.complete and missing(numbered) is not None

    def needed(self) -> list[list[Candidate]]:
        """The files of each track that it needs to stay complete: one of each must stay, or all may go."""
        if not self.needs_unnumbered:
            return [*self.slots.values()]
        whole = (member for member in self.members if member.reading.suspect is None)
        return [*self.slots.values(), *([member] for member in whole if member.number is None)]


def states_several_discs(candidate: Candidate) -> bool:
    """Whether the tags of a track, or the name of its folder, say that its album has several discs."""
    return max(candidate.disc or 1, candidate.track.disc_total or 1) > 1


def candidates_of(fs: str, items: Iterable[Item], capabilities: Capabilities = _NAMES_ONLY) -> list[Candidate]:
    """The files of a location that can be compared: readable, not empty, and distinguishable by name or id.

    Files that the options of the run exclude, and suspect ones, still count as tracks of their album.
    """
    listed = list(items)
    sharing = SharedNames(listed)
    found = []
    for item in listed:
        reading, path = item.reading, item.entry.path
        if reading is None or reading.status is Status.UNREADABLE or not item.entry.size:
            continue
        if path_problem(path) or is_ours(path) or is_rclone_debris(path):
            continue
        if not sharing.is_distinct(item.entry, capabilities):
            continue
        eligible = item.skipped_because is None and reading.suspect is None
        found.append(Candidate(fs, item, reading, sharing.count(path) > 1, eligible))
    return found
