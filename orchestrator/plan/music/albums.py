"""Groups tracks into albums by their tags, and by their folders where tags contradict themselves.

The album artist is ALBUMARTIST; without it, the artist shared by most tracks of that album title (a guest, in a second value or
after "feat.", changes nothing); Various Artists if the compilation flag is set and no artist is shared, or if the tracks are a
sampler by their folder. Albums of one artist and one title are still separate if their release ids differ, if year, type,
catalogue number, edition, barcode or label differ and both have tracks of the same numbers, or if they are copies in several
folders.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.paths import collision_key
from orchestrator.plan.music.copies import copies_of
from orchestrator.plan.music.editions import releases
from orchestrator.plan.music.folders import (
    Folders,
    are_images_of_discs,
    by_folder,
    has_repeats,
    tell_discs,
    tell_scattered_discs,
    title_key,
)
from orchestrator.plan.music.kinds import PODCAST
from orchestrator.plan.music.owners import by_owner
from orchestrator.plan.music.samplers import leave_scattered
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.plan.music.stand_ins import VARIOUS, is_no_album, is_no_artist, is_no_title
from orchestrator.plan.music.tag_values import first, joined
from orchestrator.track import Track


def has_usable_tags(track: Track) -> bool:
    """Whether the tags are enough to organize a file: two of album, artist and a title or track number.

    With album and artist alone the file's name is its title. Names that stand for none ("Unknown Artist", and "Track 03" where
    album or artist is missing) do not count. A value from which no file name can be made counts too: names have fallbacks.
    """
    artists = (*track.artist, *track.album_artist)
    names_artist = any(not is_no_artist(name) for name in artists)
    names_album = any(not is_no_album(title, artists[0] if artists else "") for title in track.album)
    if names_artist and names_album:
        return True
    return (names_artist or names_album) and bool(track.track or any(not is_no_title(title) for title in track.title))


def group_albums(songs: Sequence[Song], folders: Folders | None = None, various: frozenset[str] = VARIOUS) -> list[Album]:
    """The albums of these songs. The order of the songs only affects the order within each album.

    Without `folders` only tags count. `various` are the letters of names that mean several artists.
    """
    by_title: dict[tuple[str, str], list[Song]] = defaultdict(list)
    for song in songs:
        by_title[title_key(song), song.kind].append(song)
    albums: list[Album] = []
    for (title, kind), of_one_title in by_title.items():
        if kind == PODCAST and title:
            albums.append(_show(of_one_title))
            continue
        named, nameless = _nameless(title, of_one_title, folders)
        if named:
            albums.extend(_albums_of(title, named, folders, various))
        for part in nameless:
            albums.extend(_albums_without_title(title, part, folders, various, is_copy=len(nameless) > 1))
    return albums


def _show(episodes: list[Song]) -> Album:
    """A podcast: its title alone counts, because guests are named as artists, and every season counts from 1."""
    owners = by_owner(episodes, "")
    return Album(episodes, min(owners, key=lambda owner: (-len(owners[owner]), owner)))


def _nameless(title: str, songs: list[Song], folders: Folders | None) -> tuple[list[Song], list[list[Song]]]:
    """The songs whose album title is one, and those of each folder whose album title is "Unknown Album" or the like."""
    if folders is None or not title:
        return songs, []
    named: list[Song] = []
    nameless: list[Song] = []
    for song in songs:
        artist = joined(song.track.album_artist or song.track.artist)
        (nameless if is_no_album(title, artist) else named).append(song)
    if nameless:
        folders.asked.add(title)
    parts = by_folder(nameless)
    return named, [parts[folder] for folder in sorted(parts)]


def _albums_without_title(
    title: str, songs: list[Song], folders: Folders | None, various: frozenset[str], *, is_copy: bool
) -> Iterator[Album]:
    """The songs of one folder are one album if their numbers say so; otherwise each belongs to its artist."""
    tell_discs(songs)
    is_album = not has_repeats(songs) and all(song.track.track is not None for song in songs)
    for artist, of_one_artist in by_owner(songs, title if is_album else "", folders, various).items():
        yield Album(of_one_artist, artist, is_copy=is_copy)


def _albums_of(title: str, songs: list[Song], folders: Folders | None, various: frozenset[str]) -> Iterator[Album]:
    if title and folders is not None and (has_repeats(songs) or are_images_of_discs(songs)):
        folders.asked.add(title)
        tell_discs(songs)
    owned = by_owner(songs, title, folders, various)
    if folders is not None and title in folders.asked:
        for together in leave_scattered(owned, title, folders):
            yield Album(together, "")
    for artist, of_one_artist in owned.items():
        if not title:
            yield Album(of_one_artist, artist)
            continue
        for release in releases(of_one_artist):
            copies = [release]
            if folders is not None and title in folders.asked:
                tell_scattered_discs(release)
                copies = copies_of(release)
            for copy in copies:
                yield Album(copy, artist, is_copy=len(copies) > 1)


def artist_spellings(songs: Iterable[Song]) -> dict[str, str]:
    """Folded name -> the spelling of most files, for artists whose names are spelled with typographic twins."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for song in songs:
        name = joined(song.track.album_artist) or without_guest(first(song.track.artist))
        votes[fold(name)][name] += 1
    return {
        key: min(names, key=lambda name: (-names[name], name))
        for key, names in votes.items()
        if key and len(names) > 1 and len(set(map(collision_key, names))) > 1
    }
