"""Which files may have lost the end of their sound, judged by the last bytes of it and by those of another copy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from orchestrator.track import LEAST_ZEROS, Reading, SoundEnd, Track

_Flaws = tuple[bool, bool, int]


def flawed(end: SoundEnd | None) -> bool:
    """Whether anything at the end of the sound looks odd, so that it has to be compared with that of another copy."""
    return end is not None and (end.doubt is not None or end.loose > 0 or end.zeros >= LEAST_ZEROS)


def lost_end(one: Reading, other: Reading) -> str | None:
    """Why the end of a file may be lost, in words, while that of another copy looks better; None if nothing says so.

    More zeros count only if both hold the same stretch of sound in one form: then one of the two ends differs from the original.
    """
    mine, theirs = one.end, other.end
    if mine is None:
        return None
    if mine.loose > (theirs.loose if theirs is not None else 0):
        return f"{mine.loose:,} bytes behind its sound are neither sound nor tags"
    if mine.doubt is not None and (theirs is None or theirs.doubt is None):
        return mine.doubt
    more_zeros = theirs is not None and mine.zeros > theirs.zeros and mine.zeros >= LEAST_ZEROS
    if more_zeros and one.track is not None and other.track is not None and _form(one.track) == _form(other.track):
        return f"its sound ends in {mine.zeros:,} zero bytes, and that of another copy does not"
    return None


def lost_ends(groups: Iterable[Sequence[Reading]]) -> frozenset[int]:
    """Ids (of Python) of the readings whose end looks worse than that of another file of their group in the same form."""
    found: set[int] = set()
    for members in groups:
        by_form: dict[Hashable, list[Reading]] = defaultdict(list)
        for reading in members:
            if reading.end is not None and reading.track is not None:
                by_form[_form(reading.track)].append(reading)
        for readings in by_form.values():
            best = min(map(_flaws, readings))
            found |= {id(reading) for reading in readings if _flaws(reading) > best}
    return frozenset(found)


def _flaws(reading: Reading) -> _Flaws:
    end = reading.end or SoundEnd()
    return end.loose > 0, end.doubt is not None, end.zeros if end.zeros >= LEAST_ZEROS else 0


def _form(track: Track) -> Hashable:
    """What two copies of the same stretch of sound have in common, if they were encoded in the same way."""
    seconds = round(track.duration_s or 0.0, 1)
    return track.codec, track.sample_rate, track.bit_depth, track.channels, seconds
