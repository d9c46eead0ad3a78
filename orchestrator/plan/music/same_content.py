"""Whether two listed files hold the same content, as far as listings and tags tell."""

from __future__ import annotations

from orchestrator.records import Item
from orchestrator.track import Status


def same_content(ours: Item, theirs: Item) -> bool:
    """Same size, and equal in every hash that both sides list; without such a hash, equal in tags and sound.

    Companions of music have no tags: their size alone decides where no hash does. The answer only saves a copy, it never
    removes a file.
    """
    if ours.entry.size != theirs.entry.size or ours.entry.size is None:
        return False
    common = ours.entry.hashes.keys() & theirs.entry.hashes.keys()
    if common:
        return all(ours.entry.hashes[name] == theirs.entry.hashes[name] for name in common)
    if ours.reading is None or theirs.reading is None:
        return ours.reading is theirs.reading
    mine, other = ours.reading, theirs.reading
    if Status.UNREADABLE in {mine.status, other.status}:
        return False
    # A header may promise the same sound, and one of the two may not hold it.
    return (mine.track, mine.identity, mine.suspect) == (other.track, other.identity, other.suspect)
