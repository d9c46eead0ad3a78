"""The result of the search for duplicates."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from orchestrator.plan.planners.dedup.candidates import Candidate


class Tier(StrEnum):
    """In what way two files are the same, strongest first."""

    BYTES = "T0"
    """Equal size and equal hashes, at least one of a type that both storages list."""
    AUDIO = "T1"
    """Equal audio identity, sure or strong."""
    RELEASE_TRACK = "T2"
    """Equal MusicBrainz recording, release and disc."""
    TAGS = "T3"
    """Equal album artist, album, disc, track, title and version words, lengths within 2 s and 3 %."""
    ALIKE = "T4"
    """Similar title and artist, or similar sound: only reported."""

    @property
    def words(self) -> str:
        """Its meaning, for people."""
        return _WORDS[self]


_WORDS = {
    Tier.BYTES: "same bytes",
    Tier.AUDIO: "same audio",
    Tier.RELEASE_TRACK: "same release track",
    Tier.TAGS: "same tags",
    Tier.ALIKE: "looks alike",
}

ACTING = (Tier.BYTES, Tier.AUDIO, Tier.RELEASE_TRACK, Tier.TAGS)
"""The tiers whose duplicates may be quarantined."""


class Decision(msgspec.Struct, frozen=True):
    """One duplicate, and the file that is kept instead of it."""

    duplicate: Candidate
    kept: Candidate
    tier: Tier
    criterion: str
    """The criterion that decided which of the two is kept; "album": a complete album keeps its own track."""


class Alike(msgspec.Struct, frozen=True):
    """Files that are the same or look alike, and are all kept."""

    tier: Tier
    files: tuple[Candidate, ...]
    why: str
    """Why they are all kept, in words."""


class Duplicates(msgspec.Struct, frozen=True):
    """The whole result, sorted: the same files in any order give the same result."""

    decisions: tuple[Decision, ...] = ()
    alike: tuple[Alike, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    """The compared files, if a plan is made from the result."""

    @property
    def duplicate_bytes(self) -> int:
        """Total size of the duplicates, in bytes."""
        return sum(decision.duplicate.size for decision in self.decisions)
