"""Whether two listed files have the same content, judged by listings and tags."""

from __future__ import annotations

from orchestrator.records import Item
from orchestrator.track import Status


def same_content(ours: Item, theirs: Item) -> bool | None:
    """Whether size and every hash that both sides list are equal; without a common hash, tags and audio identity.

    None if only a read of both can show it: companions have no tags, and covers of equal size are not equal. The answer only
    saves a copy, and never removes a file.
    """
    if ours.entry.size != theirs.entry.size or ours.entry.size is None:
        return False
    common = ours.entry.hashes.keys() & theirs.entry.hashes.keys()
    if common:
        return all(ours.entry.hashes[name] == theirs.entry.hashes[name] for name in common)
    if ours.reading is None or theirs.reading is None:
        if ours.reading is not theirs.reading:
            return False
        return None if ours.content is None or theirs.content is None else ours.content == theirs.content
    mine, other = ours.reading, theirs.reading
    if Status.UNREADABLE in {mine.status, other.status}:
        return False
    # Headers may state the same sound although one of the files is cut: `suspect` must be equal too.
    return (mine.track, mine.identity, mine.suspect) == (other.track, other.identity, other.suspect)
