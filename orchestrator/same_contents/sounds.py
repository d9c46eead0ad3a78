"""Whether what two files say of their sound shows that one is a copy of the other, with the same tags or others."""

from __future__ import annotations

from orchestrator.plan.music.cut import may_be_cut
from orchestrator.plan.music.lost_end import lost_end
from orchestrator.same_contents.records import Known, Proof, Reason, Wanted, differ
from orchestrator.track import Reading, Strength


def judge(mine: Wanted, other: Known) -> tuple[Proof | Reason, str]:
    """What a file of the target shows that has the audio identity of `mine`, and in words what speaks against it.

    With equal sizes and different hashes, the sound may be damaged as well as the tags may have been edited: that is no proof.
    """
    ours, theirs = mine.reading, other.reading
    if ours is None or theirs is None or ours.identity is None or ours.identity != theirs.identity:
        return Reason.MISSING, ""
    same_size = mine.entry.size == other.entry.size
    if same_size and differ(mine, other):
        return (
            Reason.DIFFERS,
            "a file of this size says the same about its sound, but has other bytes: one of them may be damaged",
        )
    lost = lost_end(theirs, ours)
    if lost is not None:
        return Reason.DIFFERS, f"its copy may have lost its end: {lost}"
    if not same_size and may_be_cut(theirs, ours):
        return Reason.DIFFERS, "its copy has fewer bytes of sound, and may be cut"
    if ours.identity.strength is Strength.HINT and not same_titles(ours, theirs):
        return Reason.SIMILAR, "its sound has the same length, beginning and end, which is no proof without equal tags"
    return Proof.SOUND, ""


def unlike(one: Reading | None, other: Reading | None) -> bool:
    """Whether two files say that they hold different sounds."""
    if one is None or other is None or one.identity is None or other.identity is None:
        return False
    return one.identity.kind == other.identity.kind and one.identity.value != other.identity.value


def same_titles(one: Reading | None, other: Reading | None) -> bool:
    """Whether both have a title and artists, and the same ones."""
    if one is None or other is None or one.track is None or other.track is None:
        return False
    titles = one.track.title, one.track.artist
    return all(titles) and titles == (other.track.title, other.track.artist)
