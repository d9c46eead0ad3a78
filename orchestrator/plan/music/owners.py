"""Groups the songs of one album title by album artist, and infers the album artist of songs whose tags name none.

The owner of a song is the folded name of its album artist.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.plan.music.album_fields import VARIOUS_KEY
from orchestrator.plan.music.editions import positions
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.plan.music.tag_values import joined

VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "v/a"})
_VARIOUS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz id of the artist "Various Artists", whose name is written in many languages."""
_JOINT = re.compile(r"\s*(?:[,;]|\s[&+x]\s|\s(?:and|with|vs\.?|versus|y|und|et|con|e|presents)\s)", re.IGNORECASE)
_MIN_ALBUM = 4
"""Fewer songs are not recognised as an album by their numbers alone."""


def by_owner(songs: list[Song], *, album_known: bool) -> dict[str, list[Song]]:
    """Owner -> songs; "" for songs without any artist. `Song.inferred_from` is set for songs whose owner was inferred."""
    owned: dict[str, list[Song]] = defaultdict(list)
    ownerless: list[Song] = []
    for song in songs:
        owner = fold(joined(song.track.album_artist))
        if owner in VARIOUS or (owner and _VARIOUS_ID in song.track.musicbrainz_album_artist_ids):
            owned[VARIOUS_KEY].append(song)
        elif owner:
            owned[owner].append(song)
        else:
            ownerless.append(song)
    if album_known and len(owned) > 1:
        _merge_guests(owned)
    if not album_known:
        for song, owner in _by_name(ownerless, owned):
            owned[owner].append(song)
    elif ownerless:
        _infer(ownerless, owned)
    return owned


def _merge_guests(owned: dict[str, list[Song]]) -> None:
    """Merge songs whose album artist also names a guest into the host's album."""
    for owner in sorted(owned, key=lambda name: (len(owned[name]), name)):
        group = owned[owner]
        spellings = {song.track.album_artist for song in group}
        for host in sorted({fold(name) for names in spellings for name in (without_guest(joined(names)), names[0])}):
            if host != owner and host in owned and len(owned[host]) >= len(group) and not _numbers_meet(group, owned[host]):
                owned[host] += owned.pop(owner)
                break


def _infer(ownerless: list[Song], owned: dict[str, list[Song]]) -> None:
    """Find owners for the songs without an album artist, strongest evidence first."""
    ownerless = _assign(ownerless, owned, "its release", _by_release(ownerless, owned))
    flagged = [song for song in ownerless if song.track.compilation]
    if flagged and not _has_one_artist(flagged, ownerless, owned):
        ownerless = _assign(ownerless, owned, "the compilation flag", ((song, VARIOUS_KEY) for song in flagged))
    ownerless = _assign(ownerless, owned, "its release", _by_own_release(ownerless))
    ownerless = _assign(ownerless, owned, "its tracks", _by_numbers(ownerless, owned))
    _assign(ownerless, owned, "its tracks", _by_name(ownerless, owned))


def _assign(ownerless: list[Song], owned: dict[str, list[Song]], evidence: str, found: Iterable[tuple[Song, str]]) -> list[Song]:
    """Give songs to their owners. Returns the songs that still have none."""
    assigned = set()
    for song, owner in list(found):
        owned[owner].append(song)
        song.inferred_from = evidence
        assigned.add(id(song))
    return [song for song in ownerless if id(song) not in assigned] if assigned else ownerless


def _by_release(ownerless: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """The owner of the other songs of the same release."""
    owner_of_release = {
        song.track.musicbrainz_release_id: owner
        for owner, group in sorted(owned.items(), reverse=True)
        for song in group
        if song.track.musicbrainz_release_id
    }
    for song in ownerless:
        if song.track.musicbrainz_release_id in owner_of_release:
            yield song, owner_of_release[song.track.musicbrainz_release_id]


def _by_own_release(ownerless: list[Song]) -> Iterator[tuple[Song, str]]:
    """For a release without any album artist: the artist of most of its songs, or Various Artists."""
    releases: dict[str, list[Song]] = defaultdict(list)
    for song in ownerless:
        if song.track.musicbrainz_release_id:
            releases[song.track.musicbrainz_release_id].append(song)
    for group in releases.values():
        if any(map(_candidates, group)):
            owner = _shared_by_most(group)
            yield from ((song, owner) for song in group)


def _has_one_artist(flagged: list[Song], ownerless: list[Song], owned: dict[str, list[Song]]) -> bool:
    """Whether only some songs of one artist's album have the flag."""
    shared = set.intersection(*(set(_candidates(song)) for song in flagged))
    unflagged = (song for song in ownerless if not song.track.compilation)
    return bool(shared) and (not shared.isdisjoint(owned) or any(not shared.isdisjoint(_candidates(song)) for song in unflagged))


def _by_numbers(ownerless: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """Songs that are exactly tracks 1 to the last of every disc, alone or with the songs of one owner, are one album."""
    for owner in sorted(owned):
        if _is_complete([*owned[owner], *ownerless]):
            yield from ((song, owner) for song in ownerless)
            return
    if not owned and _is_complete(ownerless):
        owner = _shared_by_most(ownerless)
        yield from ((song, owner) for song in ownerless)


def _by_name(ownerless: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """A known owner that the song names; otherwise the artist that most songs share, the one named first if several do."""
    explicit = set(owned)
    candidates = [_candidates(song) for song in ownerless]
    counts = Counter(name for names in candidates for name in set(names))
    for song, names in zip(ownerless, candidates, strict=True):
        known = [name for name in names if name in explicit]
        owner = known[0] if known else max(names, key=lambda name: counts[name], default="")
        if not known and counts[owner] == 1:
            owner = next((host for host in _hosts(owner) if host in explicit or counts[host] > 1), owner)
        yield song, owner


def _shared_by_most(songs: Sequence[Song]) -> str:
    """The artist that more than half of the songs name, otherwise Various Artists."""
    counts = Counter(name for song in songs for name in set(_candidates(song)))
    best = min(counts, key=lambda name: (-counts[name], name), default="")
    return best if counts[best] * 2 > len(songs) else VARIOUS_KEY


def _candidates(song: Song) -> list[str]:
    """The folded names of a song's artists: first without their guests, then as they are."""
    names = [fold(without_guest(artist)) for artist in song.track.artist] + [fold(artist) for artist in song.track.artist]
    return [name for name in dict.fromkeys(names) if name]


def _hosts(artist: str) -> Iterator[str]:
    """The text before each "&", "with" and so on: one of these may be the owner of the other songs."""
    for found in _JOINT.finditer(artist):
        yield artist[: found.start()].rstrip()


def _is_complete(songs: list[Song]) -> bool:
    places = positions(songs)
    if not _MIN_ALBUM <= len(places) == len(songs) == len(set(places)):
        return False
    lengths = Counter(disc for disc, _ in places)
    if sorted(lengths) != list(range(1, len(lengths) + 1)) or any(track > lengths[disc] for disc, track in places):
        return False
    return all(song.track.track_total in (None, lengths[song.track.disc or 1], len(songs)) for song in songs)


def _numbers_meet(group: list[Song], other: list[Song]) -> bool:
    return not set(positions(group)).isdisjoint(positions(other))
