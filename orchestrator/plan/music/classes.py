"""What kind of release an album is, by what its tracks say of it together: one class for all of them, never by a title.

A word counts when at least half of the tracks say it, so that one track that was tagged apart changes nothing: a track that says
nothing does not say it, as one without the compilation flag is no compilation's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.track import Track

CLASSES: Final = {
    "soundtrack": "release type soundtrack",
    "live": "release type live",
    "compilation": "album artist Various Artists, the compilation flag, or release type compilation or dj-mix",
    "rarity": "release type demo, remix, mixtape or bootleg, or release status bootleg",
    "single": "release type single, or tracks without an album",
    "ep": "release type ep",
    "collaboration": "several album artists, or several MusicBrainz ids of album artists",
    "album": "everything else",
}
"""Class -> what makes it; the first that holds is the album's."""

_COMPILATIONS = frozenset({"compilation", "dj-mix"})
_RARITIES = frozenset({"demo", "remix", "bootleg", "mixtape", "street", "rarities", "outtakes", "b-sides", "field recording"})


def release_words(tracks: Sequence[Track]) -> frozenset[str]:
    """The release types and statuses that hold for the whole album, case-folded."""
    return _said(track.release_type for track in tracks) | _said(
        (track.release_status,) if track.release_status else () for track in tracks
    )


def is_compilation(tracks: Sequence[Track], words: frozenset[str], *, various: bool) -> bool:
    """Whether the album gathers what was released elsewhere, or several artists."""
    # Taggers take the flag off where it does not hold: a track without it says no.
    flagged = sum(1 for track in tracks if track.compilation)
    return various or bool(words & _COMPILATIONS) or (flagged > 0 and flagged * 2 >= len(tracks))


def class_of(tracks: Sequence[Track], words: frozenset[str], *, compilation: bool, singleton: bool) -> str:
    """One of CLASSES."""
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
    together = sum(1 for track in tracks if _is_shared(track))
    return "collaboration" if together and together * 2 >= len(tracks) else "album"


def _said(values: Iterable[tuple[str, ...]]) -> frozenset[str]:
    votes = Counter(frozenset(map(fold, words)) for words in values)
    if len(votes) == 1:
        return next(iter(votes))
    counts: Counter[str] = Counter()
    for words, number in votes.items():
        counts.update(dict.fromkeys(words, number))
    return frozenset(word for word, number in counts.items() if number * 2 >= votes.total())


def _is_shared(track: Track) -> bool:
    """Whether several artists made the album together; a guest who is named as one does not count."""
    names = {fold(name) for name in track.album_artist if name.strip()}
    if len(names) > 1:
        return True
    alone = all(without_guest(name) == name for name in track.album_artist)
    return alone and len(set(track.musicbrainz_album_artist_ids)) > 1
