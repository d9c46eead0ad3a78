"""What `verify` knows of each file, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.records import WEAK_HASHES, Entry
from orchestrator.track import Reading


class Proof(StrEnum):
    """What shows that the target holds the content of a file."""

    HASH = "hash"
    """A hash of all bytes is the same, and at least one side states it without a read."""
    READ = "read"
    """Both files were read in full, and have the same hash."""
    SOUND = "sound"
    """Both files say the same about their sound, and neither seems to be cut. The sound itself was not compared, nor the tags."""
    LIST = "list"
    """It is a playlist, a cue sheet or a list of checksums. Entries that differ name the copies of the same files, and all other
    text is the same: it was updated when its files moved."""
    EMPTY = "empty"
    """It has no content."""


class Reason(StrEnum):
    """Why nothing shows that the target holds the content of a file."""

    MISSING = "missing"
    """The target holds neither these bytes nor this sound."""
    DIFFERS = "differs"
    """The target holds a file that should be it, and is not the same or seems to be damaged."""
    SIMILAR = "similar"
    """The target holds a file that may be it, but the two were not compared."""
    QUARANTINED = "quarantined"
    """The only copy is in the quarantine or trash of the target, which may be emptied."""
    UNREADABLE = "unreadable"
    """It, or the file that may be its copy, could not be read."""
    VANISHED = "vanished"
    """It was listed, but was gone when it was read."""


@dataclass(slots=True, eq=False)
class Known:
    """One file of either side, and what was found out about it."""

    entry: Entry
    computed: dict[str, str] = field(default_factory=dict)
    """Hashes in lower case, from reading it."""
    reading: Reading | None = None
    """With its end."""
    failure: str | None = None
    """Why it could not be read, in words."""
    gone: bool = False
    """It was gone when it was read."""
    read_before: float | None = None
    """When an earlier call has read it (seconds since 1970), if it was not read again."""
    shares_name: bool = False
    """Other files have its name, so that a read by name returns any of them."""

    @property
    def path(self) -> str:
        """Below its location."""
        return self.entry.path

    @property
    def readable(self) -> bool:
        """Whether it can be read, as far as is known."""
        return bool(self.entry.size) and self.failure is None and not self.shares_name

    @property
    def hashes(self) -> dict[str, str]:
        """Every hash of all of its bytes, those of the listing and the computed ones."""
        found = {**self.entry.hashes, **self.computed}
        return {kind: value.lower() for kind, value in found.items() if value and kind not in WEAK_HASHES}


@dataclass(slots=True, eq=False)
class Wanted(Known):
    """A file of the source."""

    proof: Proof | None = None
    twin: Known | None = None
    """The file of the target that has its content; with a reason, the one that comes nearest. None if there is none."""
    reason: Reason | None = None
    """None as long as it is proved or not judged."""
    why: str = ""
    """The reason in words."""
    whole: bool = False
    """With `Proof.SOUND`: the file of the target was read in full, and checksums of its own show that its sound is undamaged."""


def same_hashes(one: Known, other: Known) -> Proof | None:
    """The proof that both hold the same bytes; None if hashes do not show it."""
    if differ(one, other):
        return None
    if one.computed.keys() & other.computed.keys():
        return Proof.READ
    return Proof.HASH if one.hashes.keys() & other.hashes.keys() else None


def differ(one: Known, other: Known) -> bool:
    """Whether it is known that they do not hold the same bytes. If both were read, that counts, and not what listings state."""
    mine, theirs = one.hashes, other.hashes
    read = one.computed.keys() & other.computed.keys()
    if read:
        mine, theirs = one.computed, other.computed
    return one.entry.size != other.entry.size or any(mine[kind] != theirs[kind] for kind in mine.keys() & theirs.keys())
