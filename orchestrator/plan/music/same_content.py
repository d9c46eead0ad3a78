"""Whether two listed files have the same content, judged by listings and tags."""

from __future__ import annotations

from enum import Enum

from orchestrator.records import WEAK_HASHES, Item


class Likeness(Enum):
    """What is known of the contents of two files."""

    SAME = "same"
    """A hash or the content itself shows it."""
    ALIKE = "alike"
    """Music whose size, tags and sound agree, as far as headers and what was read of the ends tell; no hash was compared."""
    UNKNOWN = "unknown"
    """Equal size is all that is known."""
    DAMAGED = "damaged"
    """Music whose size and tags agree, but not its bytes or its sound: one of the two may be damaged."""
    OTHER = "other"

    @property
    def agrees(self) -> bool:
        """Whether a second copy would be one too many."""
        return self in {Likeness.SAME, Likeness.ALIKE}


def same_content(ours: Item, theirs: Item) -> Likeness:
    """Compare sizes and the hashes that both list; without a common hash, tags, audio identity and ends.

    The answer only saves a copy, and never removes a file.
    """
    if ours.entry.size is None or ours.entry.size != theirs.entry.size:
        return Likeness.OTHER
    mine, other = ours.reading, theirs.reading
    same_tags = mine is not None and other is not None and mine.track is not None and mine.track == other.track
    common = ours.entry.hashes.keys() & theirs.entry.hashes.keys()
    if any(ours.entry.hashes[name] != theirs.entry.hashes[name] for name in common):
        return Likeness.DAMAGED if same_tags else Likeness.OTHER
    if common - WEAK_HASHES:
        return Likeness.SAME
    if mine is None and other is None:
        return _same_text(ours.content, theirs.content)
    if mine is None or other is None or not same_tags:
        return Likeness.OTHER
    # Headers may state the same sound although one of the files is cut or damaged: `suspect` and what is known of the ends count.
    ends_agree = mine.end == other.end or mine.end is None or other.end is None
    same_sound = (mine.identity, mine.suspect) == (other.identity, other.suspect) and ends_agree
    return Likeness.ALIKE if same_sound else Likeness.DAMAGED


def _same_text(one: bytes | None, other: bytes | None) -> Likeness:
    if one is None or other is None:
        return Likeness.UNKNOWN
    return Likeness.SAME if one == other else Likeness.OTHER
