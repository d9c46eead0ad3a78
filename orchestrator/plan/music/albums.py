"""Groups tracks into albums by their tags alone. Folders do not matter, so an organized library stays as it is.

The album artist is ALBUMARTIST; without it, Various Artists if the compilation flag is set; otherwise the artist shared by most
tracks of that album title (a guest, in a second value or after "feat.", changes nothing). Albums of one artist and one title are
still separate if their release ids differ, or if year, type, catalogue number, edition, barcode or label differ and both have
tracks of the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.plan.music.editions import releases
from orchestrator.plan.music.owners import by_owner
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first
from orchestrator.track import Track


def has_usable_tags(track: Track) -> bool:
    """Whether the tags are enough to organize a file: an album or an artist, and a title or a track number.

    A value from which no file name can be made counts too: names have fallbacks.
    """
    return bool((track.album or track.artist or track.album_artist) and (track.title or track.track))


def group_albums(songs: Sequence[Song]) -> list[Album]:
    """The albums of these songs. The order of the songs only affects the order within each album."""
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
