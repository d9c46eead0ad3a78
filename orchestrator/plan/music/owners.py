"""Whose album it is: the songs of one title, by album artist; and where the name comes from for songs that have none."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.plan.music.album_fields import VARIOUS_KEY
from orchestrator.plan.music.editions import positions
from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.plan.music.values import joined

if TYPE_CHECKING:
    from orchestrator.plan.music.song import Song

VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "v/a"})
_VARIOUS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz' artist "Various Artists", whatever language the name is written in."""
_WITH = re.compile(r"\s*(?:[,;]|\s[&+x]\s|\s(?:and|with|vs\.?|versus|y|und|et|con|e|presents)\s)", re.IGNORECASE)
_WHOLE = 4
"""Fewer songs than this make no album that is recognised by its numbers alone."""


def by_owner(songs: list[Song], *, album_known: bool) -> dict[str, list[Song]]:
    """Folded album artist ("" for none at all) -> songs. Songs whose owner was inferred say so in `Song.inferred`."""
    owned: dict[str, list[Song]] = defaultdict(list)
    loose: list[Song] = []
    for song in songs:
        owner = fold(joined(song.track.album_artist))
        if owner in VARIOUS or (owner and _VARIOUS_ID in song.track.musicbrainz_album_artist_ids):
            owned[VARIOUS_KEY].append(song)
        elif owner:
            owned[owner].append(song)
        else:
            loose.append(song)
    if album_known and len(owned) > 1:
        _merge_guests(owned)
    if not album_known:
        for song, owner in _by_name(loose, owned):
            owned[owner].append(song)
    elif loose:
        _infer(loose, owned)
    return owned


def _merge_guests(owned: dict[str, list[Song]]) -> None:
    """A guest who got into the album artist of a few songs does not take them out of their album."""
    for owner in sorted(owned, key=lambda name: (len(owned[name]), name)):
        group = owned[owner]
        spellings = {song.track.album_artist for song in group}
        for host in sorted({fold(name) for names in spellings for name in (without_guest(joined(names)), names[0])}):
            if host != owner and host in owned and len(owned[host]) >= len(group) and not _meet(group, owned[host]):
                owned[host] += owned.pop(owner)
                break


def _infer(loose: list[Song], owned: dict[str, list[Song]]) -> None:
    """Find owners for the songs without an album artist, the surest evidence first."""
    loose = _give(loose, owned, "its release", _by_release(loose, owned))
    flagged = [song for song in loose if song.track.compilation]
    if flagged and not _is_one_artists(flagged, loose, owned):
        loose = _give(loose, owned, "the compilation flag", ((song, VARIOUS_KEY) for song in flagged))
    loose = _give(loose, owned, "its release", _by_own_release(loose))
    loose = _give(loose, owned, "its tracks", _by_numbers(loose, owned))
    _give(loose, owned, "its tracks", _by_name(loose, owned))


def _give(loose: list[Song], owned: dict[str, list[Song]], evidence: str, found: Iterable[tuple[Song, str]]) -> list[Song]:
    """Hand songs to their owners; gives back those that have none yet."""
    placed = set()
    for song, owner in list(found):
        owned[owner].append(song)
        song.inferred = evidence
        placed.add(id(song))
    return [song for song in loose if id(song) not in placed] if placed else loose


def _by_release(loose: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """To the owner of the other songs of the same release."""
    owner_of_release = {
        song.track.musicbrainz_release_id: owner
        for owner, group in sorted(owned.items(), reverse=True)
        for song in group
        if song.track.musicbrainz_release_id
    }
    for song in loose:
        if song.track.musicbrainz_release_id in owner_of_release:
            yield song, owner_of_release[song.track.musicbrainz_release_id]


def _by_own_release(loose: list[Song]) -> Iterator[tuple[Song, str]]:
    """A release without any album artist is its artist's, or of various artists."""
    releases: dict[str, list[Song]] = defaultdict(list)
    for song in loose:
        if song.track.musicbrainz_release_id:
            releases[song.track.musicbrainz_release_id].append(song)
    for group in releases.values():
        if any(map(_candidates, group)):
            owner = _shared_by_most(group)
            yield from ((song, owner) for song in group)


def _is_one_artists(flagged: list[Song], loose: list[Song], owned: dict[str, list[Song]]) -> bool:
    """Whether the flag was only put on some songs of an album of one artist."""
    shared = set.intersection(*(set(_candidates(song)) for song in flagged))
    unflagged = (song for song in loose if not song.track.compilation)
    return bool(shared) and (not shared.isdisjoint(owned) or any(not shared.isdisjoint(_candidates(song)) for song in unflagged))


def _by_numbers(loose: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """Songs that are, together or with those of one owner, exactly the tracks 1 to the last of every disc are one album."""
    for owner in sorted(owned):
        if _is_whole([*owned[owner], *loose]):
            yield from ((song, owner) for song in loose)
            return
    if not owned and _is_whole(loose):
        owner = _shared_by_most(loose)
        yield from ((song, owner) for song in loose)


def _by_name(loose: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """To an owner who is named, else to the artist whom most of the songs share, among equals the one named first."""
    explicit = set(owned)
    candidates = [_candidates(song) for song in loose]
    counts = Counter(name for names in candidates for name in set(names))
    for song, names in zip(loose, candidates, strict=True):
        known = [name for name in names if name in explicit]
        owner = known[0] if known else max(names, key=lambda name: counts[name], default="")
        if not known and counts[owner] == 1:
            owner = next((host for host in _hosts(owner) if host in explicit or counts[host] > 1), owner)
        yield song, owner


def _shared_by_most(songs: Sequence[Song]) -> str:
    """The artist whom more than half of the songs name, else Various Artists."""
    counts = Counter(name for song in songs for name in set(_candidates(song)))
    best = min(counts, key=lambda name: (-counts[name], name), default="")
    return best if counts[best] * 2 > len(songs) else VARIOUS_KEY


def _candidates(song: Song) -> list[str]:
    """The folded names of a song's artists, guests cut off first."""
    names = [fold(without_guest(artist)) for artist in song.track.artist] + [fold(artist) for artist in song.track.artist]
    return [name for name in dict.fromkeys(names) if name]


def _hosts(artist: str) -> Iterator[str]:
    """What stands before each "&", "with" and the like: whoever owns the other songs may be the one."""
    for found in _WITH.finditer(artist):
        yield artist[: found.start()].rstrip()


def _is_whole(songs: list[Song]) -> bool:
    places = positions(songs)
    if not _WHOLE <= len(places) == len(songs) == len(set(places)):
        return False
    lengths = Counter(disc for disc, _ in places)
    if sorted(lengths) != list(range(1, len(lengths) + 1)) or any(track > lengths[disc] for disc, track in places):
        return False
    return all(song.track.track_total in (None, lengths[song.track.disc or 1], len(songs)) for song in songs)


def _meet(group: list[Song], other: list[Song]) -> bool:
    return not set(positions(group)).isdisjoint(positions(other))
