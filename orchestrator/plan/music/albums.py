"""Tracks into albums, by their tags alone: where the files lie plays no part, so a library that is in order stays in order.

Whose album it is: ALBUMARTIST; else Various Artists where the compilation flag is set; else the artist that the most
tracks of that title share (a guest, in a second value or after "feat.", changes nothing). What one artist calls by one name
is still several albums where release ids differ, or where year, type, catalogue number, edition, barcode or label differ and
the track numbers meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.plan.music.editions import releases
from orchestrator.plan.music.owners import by_owner
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.values import first
from orchestrator.track import Track


def has_place(track: Track) -> bool:
    """Whether the tags say enough: an album or an artist, and a title or a track number.

    A value that makes no name counts as well: names have fallbacks.
    """
    return bool((track.album or track.artist or track.album_artist) and (track.title or track.track))


def group_albums(songs: Sequence[Song]) -> list[Album]:
    """The albums of these tracks. The songs' order makes no difference but to the order within an album."""
    by_title: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_title[fold(first(song.track.album))].append(song)
    albums: list[Album] = []
    for title, of_one_title in by_title.items():
        for artist, of_one_artist in by_owner(of_one_title, album_known=bool(title)).items():
            if title:
                albums.extend(Album(release, artist) for release in releases(of_one_artist))
            else:
                albums.append(Album(of_one_artist, artist))
    return albums
