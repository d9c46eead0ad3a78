"""What is asked of the search for duplicates, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from orchestrator.records import Item, Ref
from orchestrator.track import Reading, Track

if TYPE_CHECKING:
    from orchestrator.plan.planners.dedup.album_copies import AlbumCopy


class Tier(StrEnum):
    """By what two files are the same, strongest first."""

    BYTES = "T0"
    """Equal size and equal hashes, at least one of a type that both storages give."""
    AUDIO = "T1"
    """Equal audio identity, sure or strong."""
    RELEASE_TRACK = "T2"
    """Equal MusicBrainz recording, release and disc."""
    TAGS = "T3"
    """Equal album artist, album, disc, track, title and version words, lengths within 2 s."""
    ALIKE = "T4"
    """Title and artist, or acoustic likeness: for the report alone."""

    @property
    def words(self) -> str:
        """What it means, for people."""
        return _WORDS[self]


_WORDS = {
    Tier.BYTES: "same bytes",
    Tier.AUDIO: "same audio",
    Tier.RELEASE_TRACK: "same release track",
    Tier.TAGS: "same tags",
    Tier.ALIKE: "looks alike",
}

ACTING = (Tier.BYTES, Tier.AUDIO, Tier.RELEASE_TRACK, Tier.TAGS)
"""The tiers whose duplicates may go."""


@dataclass(slots=True, eq=False)
class Candidate:
    """One file that may be a duplicate, and what its album looks like from where it lies."""

    fs: str
    item: Item
    reading: Reading
    shares_name: bool = False
    """Other files carry its name, and its id tells it apart."""
    acts: bool = True
    """False: it counts for the album it belongs to, and neither goes nor makes another one go."""
    in_place: bool = False
    """It lies where the layout wants it."""
    copy: AlbumCopy | None = field(default=None, repr=False)
    """The album it is part of, as it lies there; None for a file that names no album."""
    disc: int | None = None
    number: int | None = None
    """Disc and track number by its tags; the disc, where they name none, by the folder of the disc."""

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
        """Its tags, empty where it has none."""
        return self.reading.track or _NO_TRACK

    @property
    def ref(self) -> Ref:
        """Where it lies."""
        return Ref(self.fs, self.path, self.item.entry.id) if self.shares_name and self.item.entry.id else Ref(self.fs, self.path)


_NO_TRACK = Track()


class Decision(msgspec.Struct, frozen=True):
    """One file that goes, and the one for which it goes. That one stays."""

    goes: Candidate
    stays: Candidate
    tier: Tier
    criterion: str
    """The criterion that decided which of the two stays; "album": a complete album keeps its own track."""


class Alike(msgspec.Struct, frozen=True):
    """Files that are the same by a tier, or look so, and all stay."""

    tier: Tier
    files: tuple[Candidate, ...]
    why: str
    """Why they stay, in words."""


class Duplicates(msgspec.Struct, frozen=True):
    """The answer. Sorted; the same files in any order give the same answer."""

    decisions: tuple[Decision, ...] = ()
    alike: tuple[Alike, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    """What was judged, where a plan is to be made of the answer."""

    @property
    def waste(self) -> int:
        """Bytes of the files that go."""
        return sum(decision.goes.size for decision in self.decisions)
