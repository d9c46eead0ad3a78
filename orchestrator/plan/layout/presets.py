"""The layouts that come with the program. A new one is one entry here."""

from __future__ import annotations

from typing import Final

from orchestrator.config.model import LayoutRule

DEFAULT: Final = "default"

_ALBUM = "{{ album }} ({{ year }})/"
_BY_ARTIST = "{{ albumartist }}/" + _ALBUM
_DISC = "{% if multi_disc and disc %}Disc {{ disc | pad_to(discs, 1) }}/{% endif %}"
_DISC_NUMBER = "{% if multi_disc and disc %}{{ disc | pad_to(discs, 1) }}-{% endif %}"
_TRACK = "{{ track | pad(2) }} "
_ARTIST = "{% if various %}{{ artist }} - {% endif %}"
_FILE = _DISC + _TRACK + _ARTIST + "{{ title }}"
_FILE_OF_SEVERAL = _DISC + _TRACK + "{{ artist }} - {{ title }}"
_FILE_IN_ONE_FOLDER = _DISC_NUMBER + _TRACK + _ARTIST + "{{ title }}"

PRESETS: Final[dict[str, tuple[LayoutRule, ...]]] = {
    DEFAULT: (LayoutRule(_BY_ARTIST + _FILE),),
    "artist-album": (LayoutRule("{{ albumartist }}/{{ album }}/" + _FILE),),
    "year-album": (LayoutRule("{{ albumartist }}/{{ year }} - {{ album }}/" + _FILE),),
    "genre": (LayoutRule("{{ genre | default('[no genre]') }}/" + _BY_ARTIST + _FILE),),
    "decade": (LayoutRule("{{ (original_year or year) | decade | default('[no year]') }}/" + _BY_ARTIST + _FILE),),
    "disc-numbers": (LayoutRule(_BY_ARTIST + _FILE_IN_ONE_FOLDER),),
    "by-class": (
        LayoutRule("Singles/{{ albumartist }}/{{ title }}", when="singleton"),
        LayoutRule("Soundtracks/" + _ALBUM + _FILE_OF_SEVERAL, when="album_class == 'soundtrack'"),
        LayoutRule("Live/{{ albumartist }}/{{ date }} - {{ venue or album }}/" + _FILE, when="album_class == 'live'"),
        LayoutRule("Compilations/" + _ALBUM + _FILE_OF_SEVERAL, when="album_class == 'compilation'"),
        LayoutRule("Rarities/{{ albumartist }}/{{ album }} ({{ edition or year }})/" + _FILE, when="album_class == 'rarity'"),
        LayoutRule("Singles/" + _BY_ARTIST + _FILE, when="album_class == 'single'"),
        LayoutRule("Collaborations/{{ album }} ({{ year }}) - {{ artists }}/" + _FILE, when="album_class == 'collaboration'"),
        LayoutRule("Albums/" + _BY_ARTIST + _FILE),
    ),
    "singles": (
        LayoutRule("{{ albumartist }}/{{ title }}", when="singleton"),
        LayoutRule(_BY_ARTIST + _FILE),
    ),
    "flat": (LayoutRule("{{ artist }} - {{ title }}"),),
    # "Artist/Album/Track - Title"; the disc is put before the track's number ("101 - Title"), without a separator.
    "plex": (
        LayoutRule("{{ albumartist }}/{{ album }}/{% if multi_disc %}{{ disc }}{% endif %}{{ track | pad(2) }} - {{ title }}"),
    ),
    # One folder an album, all its discs in it.
    "jellyfin": (LayoutRule(_BY_ARTIST + _FILE_IN_ONE_FOLDER),),
    # Tags decide; artist.jpg is looked for above an artist's albums, cover.jpg beside the tracks. Editions are albums.
    "navidrome": (LayoutRule("{{ albumartist }}/{{ year }} - {{ album }} [{{ edition }}]/" + _FILE_IN_ONE_FOLDER),),
}
"""Name -> rules; the last rule of each takes whatever is left."""

EXPLAINED: Final = {
    DEFAULT: "one folder an album, named by artist, album and year, in it one a disc",
    "artist-album": "the same without the year",
    "year-album": "albums of an artist in the order of their years",
    "genre": "by the album's genre",
    "decade": "by the decade in which the album first came out",
    "disc-numbers": "all discs of an album in one folder, the disc before the track number",
    "by-class": "Albums, Live, Compilations, Collaborations, Rarities, Singles and Soundtracks, by the class of the album",
    "singles": "as `default`, but tracks without an album lie in their artist's folder",
    "flat": "one folder for everything",
    "plex": "what Plex asks for: Artist/Album/Track - Title, `101 - Title` for the first track of disc 1",
    "jellyfin": "what Jellyfin asks for: one folder an album, its discs together; names without special characters",
    "navidrome": "tags decide there: the artist's folder holds artist.jpg, the album's folder cover.jpg, editions apart",
}
"""Name -> what it is for."""
