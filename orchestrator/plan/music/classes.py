"""What kind of release an album is: one class for all its tracks, from their tags, never from a title.

A word counts if at least half of the tracks have it, so one track with different tags changes nothing. A track without the word
counts against it, just as a track without the compilation flag counts against a compilation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.plan.music.kinds import KINDS
from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.track import Track

CLASSES: Final = {
    **KINDS,
    "soundtrack": "release type soundtrack",
    "live": "release type live",
    "compilation": "album artist Various Artists, the compilation flag, or release type compilation or dj-mix",
    "rarity": "release type demo, remix, mixtape or bootleg, or release status bootleg",
    "single": "release type single, or tracks without an album",
    "ep": "release type ep",
    "collaboration": "several album artists, or several MusicBrainz ids of album artists",
    "album": "everything else",
}
"""Class -> the condition for it. The first class whose condition holds is the album's."""

_COMPILATIONS = frozenset({"compilation", "dj-mix"})
_RARITIES = frozenset({"demo", "remix", "bootleg", "mixtape", "street", "rarities", "outtakes", "b-sides", "field recording"})


def release_words(tracks: Sequence[Track]) -> frozenset[str]:
    """The release types and statuses that count for the whole album, case-folded."""
    return _common_words(track.release_type for track in tracks) | _common_words(
        (track.release_status,) if track.release_status else () for track in tracks
    )


def is_compilation(tracks: Sequence[Track], words: frozenset[str], *, various: bool) -> bool:
    """Whether the album collects tracks of other releases or of several artists."""
    # Taggers remove the flag if it is wrong, so a track without it counts as a no.
    flagged = sum(1 for track in tracks if track.compilation)
    return various or bool(words & _COMPILATIONS) or (flagged > 0 and flagged * 2 >= len(tracks))


def class_of(tracks: Sequence[Track], words: frozenset[str], *, compilation: bool, singleton: bool) -> str:
    """One of CLASSES, for music."""
    if singleton:
        return "single"
    for name in ("soundtrack", "live"):
        if name in words:
            return name
    if compilation:
        return "compilation"
    if words & _RARITIES:
        return "rarity"
    for name in ("single", "ep"):
        if name in words:
            return name
    shared = sum(1 for track in tracks if _is_shared(track))
    return "collaboration" if shared and shared * 2 >= len(tracks) else "album"


def _common_words(values: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """The words that at least half of the tracks have. `values`: the words of each track."""
    votes = Counter(frozenset(map(fold, words)) for words in values)
    if len(votes) == 1:
        return next(iter(votes))
    counts: Counter[str] = Counter()
    for words, number in votes.items():
        counts.update(dict.fromkeys(words, number))
    return frozenset(word for word, number in counts.items() if number * 2 >= votes.total())


def _is_shared(track: Track) -> bool:
    """Whether several artists made the album together. A guest after "feat." does not count."""
    names = {fold(name) for name in track.album_artist if name.strip()}
    if len(names) > 1:
        return True
    without_guests = all(without_guest(name) == name for name in track.album_artist)
    return without_guests and len(set(track.musicbrainz_album_artist_ids)) > 1
