"""What the folders of a library tell about its albums: what each holds, and which discs are in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

import msgspec

from orchestrator.paths import collision_key, name_of
from orchestrator.plan.music.disc_folders import disc_folder, disc_in_name
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first


class Folders:
    """The folders of all songs of a plan. They are looked at only where tags contradict themselves."""

    def __init__(self, songs: Iterable[Song]) -> None:
        self._titles: dict[tuple[str, str], set[str]] = defaultdict(set)
        """Folder and kind -> the album titles in it."""
        for song in songs:
            self._titles[song.folder, song.kind].add(title_key(song))
        self.asked: set[str] = set()
        """The album titles for which folders were looked at. It depends on tags alone."""

    def holds_only(self, songs: Iterable[Song], title: str) -> bool:
        """Whether the folders of these songs hold no other album."""
        return all(self._titles[place] <= {title, ""} for place in {(song.folder, song.kind) for song in songs})


def title_key(song: Song) -> str:
    """The folded album title of a song, "" for none."""
    return fold(first(song.track.album))


def place_of(song: Song) -> Hashable:
    """What only one song of an album should have: disc and track number, without a number its title."""
    disc = song.track.disc or 1
    return (disc, song.track.track) if song.track.track is not None else (disc, fold(first(song.track.title)))


def has_repeats(songs: Sequence[Song]) -> bool:
    """Whether two songs claim one place on an album."""
    return len({place_of(song) for song in songs}) < len(songs)


def are_images(songs: Iterable[Song]) -> bool:
    """Whether none of these songs has a title or a number: so are images of whole albums or discs."""
    return all(song.titled_by_name and song.track.track is None for song in songs)


def are_images_of_discs(songs: Sequence[Song]) -> bool:
    """Whether images are in folders of several discs."""
    if not are_images(songs):
        return False
    told = {disc_folder(song.folder) for song in songs}
    return len(told) > 1 and all(one.disc and one.certain for one in told)


def folder_of_album(song: Song) -> str:
    """The folder of a song's album: that above a folder such as "CD1" whose disc is known, or is what "(2)" means."""
    found = disc_folder(song.folder)
    return found.album if song.track is not song.tags or (found.certain and song.track.disc) else song.folder


def by_album_folder(songs: Iterable[Song]) -> dict[str, list[Song]]:
    """Key of each album folder -> its songs."""
    return _by_key((folder_of_album(song), song) for song in songs)


def by_folder(songs: Iterable[Song]) -> dict[str, list[Song]]:
    """Key of each folder -> its songs."""
    return _by_key((song.folder, song) for song in songs)


def _by_key(pairs: Iterable[tuple[str, Song]]) -> dict[str, list[Song]]:
    found: dict[str, list[Song]] = defaultdict(list)
    for folder, song in pairs:
        found[_key(folder)].append(song)
    return found


@lru_cache(maxsize=65536)
def _key(folder: str) -> str:
    return collision_key(folder)


def tell_discs(songs: Sequence[Song]) -> None:
    """Set the disc of songs that claim one place, if folders below one album, or names, tell that they are on several discs."""
    for together in _by_key((disc_folder(song.folder).album, song) for song in songs).values():
        if has_repeats(together) or are_images_of_discs(together):
            _tell_discs(together)


def tell_scattered_discs(songs: Sequence[Song]) -> None:
    """The same for discs in folders that do not lie together, if each tells a disc of its own, or only one tells none."""
    if not has_repeats(songs):
        return
    told = [disc_folder(song.folder) for song in songs]
    folders = {song.folder: one.disc or 1 for one, song in zip(told, songs, strict=True)}
    untold = {song.folder for one, song in zip(told, songs, strict=True) if one.disc is None}
    distinct = len(set(folders.values())) == len(folders) > 1 and all(one.certain for one in told)
    if distinct and (not untold or (len(untold) == 1 and differ_in_titles(songs))):
        _set_discs(songs, [folders[song.folder] for song in songs])


def _tell_discs(songs: Sequence[Song]) -> None:
    told = [disc_folder(song.folder) for song in songs]
    discs = {one.disc for one in told}
    if len(discs) > 1:
        # The first disc is often in the folder of the album itself.
        found = [one.disc or (None if 1 in discs else 1) for one in told]
        in_order = set(found) == set(range(1, len(discs) + 1))
        if all(one.certain for one in told) or (in_order and differ_in_titles(songs)):
            _set_discs(songs, found)
        return
    in_names = [disc_in_name(song.name, song.track.track) for song in songs]
    discs_at: dict[Hashable, set[int | None]] = defaultdict(set)
    for song, disc in zip(songs, in_names, strict=True):
        discs_at[place_of(song)].add(disc)
    # In "03 - 3 Libras", the number of the track is not that of a disc: it tells no songs of one place apart.
    if None not in in_names and any(len(found) > 1 for found in discs_at.values()):
        _set_discs(songs, in_names, "name")


def differ_in_titles(songs: Sequence[Song]) -> bool:
    """Whether most places that several songs claim have different titles: songs of several discs, not copies."""
    titles: dict[Hashable, list[str]] = defaultdict(list)
    for song in songs:
        titles[place_of(song)].append(fold(first(song.track.title)))
    claimed = [found for found in titles.values() if len(found) > 1]
    return sum(len(set(found)) == len(found) for found in claimed) * 2 > len(claimed)


def _set_discs(songs: Sequence[Song], discs: Sequence[int | None], source: str = "folder") -> None:
    stated = {song.tags.disc for song in songs if song.tags.disc}
    for song, disc in zip(songs, discs, strict=True):
        if disc and (song.tags.disc is None or len(stated) == 1):
            if disc != song.tags.disc:
                name = song.name if source == "name" else name_of(song.folder)
                song.evidence += f"; disc {disc} by its {source} {name}"
            song.track = msgspec.structs.replace(song.tags, disc=disc)
