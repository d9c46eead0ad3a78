"""Groups the songs of one album title by album artist, and infers the album artist of songs whose tags name none.

The owner of a song is the folded name of its album artist.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.plan.music.album_fields import VARIOUS_KEY
from orchestrator.plan.music.company import merge_company
from orchestrator.plan.music.editions import positions
from orchestrator.plan.music.folders import Folders, by_album_folder, has_repeats
from orchestrator.plan.music.samplers import by_shared_folder, each_by_its_artist
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold, hosts, without_guest
from orchestrator.plan.music.stand_ins import VARIOUS, is_various
from orchestrator.plan.music.tag_values import joined

_VARIOUS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz id of the artist "Various Artists", whose name is written in many languages."""
_MIN_ALBUM = 4
"""Fewer songs are not recognised as an album by their numbers alone."""


def by_owner(
    songs: list[Song], title: str, folders: Folders | None = None, various: frozenset[str] = VARIOUS
) -> dict[str, list[Song]]:
    """Owner -> songs; "" for songs without any artist. `Song.inferred_from` is set for songs whose owner was inferred.

    `title` is the folded title of their album, "" for none. Without `folders` only tags count. `various` are the letters of names
    that mean several artists.
    """
    owned: dict[str, list[Song]] = defaultdict(list)
    ownerless: list[Song] = []
    for song in songs:
        owner = fold(joined(song.track.album_artist))
        if owner and (is_various(owner, various) or _VARIOUS_ID in song.track.musicbrainz_album_artist_ids):
            owned[VARIOUS_KEY].append(song)
        elif owner:
            owned[owner].append(song)
        else:
            ownerless.append(song)
    if title and len(owned) > 1:
        if folders is not None:
            folders.asked.add(title)
        merge_company(owned, by_folder=folders is not None)
        if folders is not None:
            _merge_sampler(owned, title, folders)
    if not title:
        for song, owner in _by_name(ownerless, owned):
            owned[owner].append(song)
    elif ownerless:
        _infer(ownerless, owned, title, folders, various)
    return owned


def _merge_sampler(owned: dict[str, list[Song]], title: str, folders: Folders) -> None:
    """Make one album of songs whose album artists are only their own artists."""
    owners = {id(songs[0]): owner for owner, songs in owned.items()}
    for song in each_by_its_artist(owned, title, folders):
        owned[VARIOUS_KEY] += owned.pop(owners[id(song)])
        song.inferred_from = "its folder"


def _infer(
    ownerless: list[Song], owned: dict[str, list[Song]], title: str, folders: Folders | None, various: frozenset[str]
) -> None:
    """Find owners for the songs without an album artist, strongest evidence first."""
    ownerless = _assign(ownerless, owned, "its release", _by_release(ownerless, owned))
    flagged = [song for song in ownerless if song.track.compilation]
    if flagged and not _has_one_artist(flagged, ownerless, owned):
        ownerless = _assign(ownerless, owned, "the compilation flag", _by_flag(flagged, title, folders))
    named = [song for song in ownerless if any(is_various(name, various) for name in _candidates(song))]
    ownerless = _assign(ownerless, owned, "its artist", ((song, VARIOUS_KEY) for song in named))
    ownerless = _assign(ownerless, owned, "its release", _by_own_release(ownerless))
    ownerless = _assign(ownerless, owned, "its tracks", _by_numbers(ownerless, owned, title, folders))
    if folders is not None and ownerless and (owned or len({frozenset(_candidates(song)) for song in ownerless}) > 1):
        folders.asked.add(title)
        ownerless = _assign(ownerless, owned, "its folder", by_shared_folder(ownerless, owned, title, folders, _shared_by_most))
    _assign(ownerless, owned, "its tracks", _by_name(ownerless, owned))


def _by_flag(flagged: list[Song], title: str, folders: Folders | None) -> Iterator[tuple[Song, str]]:
    """Various Artists for a flagged compilation, unless all of its songs share an artist: then it is that artist's."""
    groups = [flagged]
    if folders is not None and has_repeats(flagged):
        folders.asked.add(title)
        groups = list(by_album_folder(flagged).values())
    for group in groups:
        shared = set.intersection(*(set(_candidates(song)) for song in group)) if len(group) > 1 else set()
        owner = next((name for name in _candidates(group[0]) if name in shared), VARIOUS_KEY)
        yield from ((song, owner) for song in group)


def _assign(ownerless: list[Song], owned: dict[str, list[Song]], evidence: str, found: Iterable[tuple[Song, str]]) -> list[Song]:
    """Give songs to their owners. Returns the songs that still have none."""
    assigned = set()
    for song, owner in list(found):
        owned[owner].append(song)
        song.inferred_from = evidence if owner else ""
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


def _by_numbers(
    ownerless: list[Song], owned: dict[str, list[Song]], title: str, folders: Folders | None
) -> Iterator[tuple[Song, str]]:
    """Songs that are exactly tracks 1 to the last of every disc, alone or with the songs of one owner, are one album."""
    for owner in sorted(owned):
        if _is_complete(together := [*owned[owner], *ownerless]) and not _fit_by_chance(together, title, folders):
            yield from ((song, owner) for song in ownerless)
            return
    if not owned and _is_complete(ownerless) and not _fit_by_chance(ownerless, title, folders):
        owner = _shared_by_most(ownerless)
        yield from ((song, owner) for song in ownerless)


def _fit_by_chance(songs: list[Song], title: str, folders: Folders | None) -> bool:
    """Whether the numbers of different albums may fit by chance: "Greatest Hits" by Ann, 1 and 2, and by Bob, 3 and 4.

    Then each folder has several songs by artists of its own, and no song states how many there are.
    """
    if folders is None or any(song.track.track_total for song in songs):
        return False
    parts = by_album_folder(songs).values()
    names = Counter(name for part in parts for name in {name for song in part for name in _candidates(song)})
    by_chance = len(parts) > 1 and min(map(len, parts)) > 1 and max(names.values(), default=0) < 2
    if len(names) > 1:
        folders.asked.add(title)
    return by_chance


def _by_name(ownerless: list[Song], owned: dict[str, list[Song]]) -> Iterator[tuple[Song, str]]:
    """A known owner that the song names; otherwise the artist that most songs share, the one named first if several do."""
    explicit = set(owned)
    candidates = [_candidates(song) for song in ownerless]
    counts = Counter(name for names in candidates for name in set(names))
    for song, names in zip(ownerless, candidates, strict=True):
        known = [name for name in names if name in explicit]
        owner = known[0] if known else max(names, key=lambda name: counts[name], default="")
        if not known and counts[owner] == 1:
            owner = next((host for host in hosts(owner) if host in explicit or counts[host] > 1), owner)
        yield song, owner


def _shared_by_most(songs: Sequence[Song]) -> str:
    """The artist that more than half of the songs name, alone or with company, otherwise Various Artists; "" if none is named."""
    candidates = [set(_candidates(song)) for song in songs]
    alone = set().union(*candidates)
    counts = Counter(
        name for names in candidates for name in names | {host for one in names for host in hosts(one) if host in alone}
    )
    best = min(counts, key=lambda name: (-counts[name], name), default="")
    return best if not best or counts[best] * 2 > len(songs) else VARIOUS_KEY


def _candidates(song: Song) -> list[str]:
    """The folded names of a song's artists: first without their guests, then as they are."""
    names = [fold(without_guest(artist)) for artist in song.track.artist] + [fold(artist) for artist in song.track.artist]
    return [name for name in dict.fromkeys(names) if name]


def _is_complete(songs: list[Song]) -> bool:
    places = positions(songs)
    if not _MIN_ALBUM <= len(places) == len(songs) == len(set(places)):
        return False
    lengths = Counter(disc for disc, _ in places)
    if sorted(lengths) != list(range(1, len(lengths) + 1)) or any(track > lengths[disc] for disc, track in places):
        return False
    return all(song.track.track_total in (None, lengths[song.track.disc or 1], len(songs)) for song in songs)
