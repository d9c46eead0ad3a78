"""What is asked of the search for duplicates, and what it answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from orchestrator.plan.planners.dedup.candidates import Candidate


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


class Decision(msgspec.Struct, frozen=True):
    """One file that goes, and the one for which it goes. That one stays."""

    duplicate: Candidate
    kept: Candidate
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
    def duplicate_bytes(self) -> int:
        """Bytes of the files that go."""
        return sum(decision.duplicate.size for decision in self.decisions)
