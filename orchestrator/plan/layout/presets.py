"""The built-in layouts. A new one needs one entry in each table here."""

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
_MOVEMENT = (
    "{% if work %}{{ work }} - {% if movement_number %}{{ movement_number }}. {% endif %}{{ movement or title }}"
    "{% else %}{{ title }}{% endif %}"
)
_FILE_IN_ONE_FOLDER = _DISC_NUMBER + _TRACK + _ARTIST + "{{ title }}"
_BOOK = "{{ albumartist }}/{{ year }} - {{ album }}/" + _DISC_NUMBER + "{{ track | pad_to(track_total) }} {{ title }}"
_EPISODE = "{{ album or albumartist }}/{{ track_date }} - {{ title }}"

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
    # Who composed comes first, and who conducts tells recordings apart; an album of several composers is its artist's.
    "classical": (
        LayoutRule(
            "{{ album_composer or albumartist }}/{{ album }} ({{ year }}) [{{ album_conductor or album_ensemble }}]/"
            + _DISC
            + _TRACK
            + "{% if composer and not album_composer %}{{ composer }} - {% elif various %}{{ artist }} - {% endif %}"
            + _MOVEMENT
        ),
    ),
    "flat": (LayoutRule("{{ artist }} - {{ title }}"),),
    # "Artist/Album/Track - Title", with the disc number directly before the track number ("101 - Title").
    "plex": (
        LayoutRule("{{ albumartist }}/{{ album }}/{% if multi_disc %}{{ disc }}{% endif %}{{ track | pad(2) }} - {{ title }}"),
    ),
    # One folder per album, with all its discs.
    "jellyfin": (LayoutRule(_BY_ARTIST + _FILE_IN_ONE_FOLDER),),
    # Navidrome goes by tags. It looks for artist.jpg in an artist's folder, for cover.jpg next to tracks. Editions are albums.
    "navidrome": (LayoutRule("{{ albumartist }}/{{ year }} - {{ album }} [{{ edition }}]/" + _FILE_IN_ONE_FOLDER),),
    # Audiobookshelf wants Author/Book, and reads a year before the title; Plex, Emby and Jellyfin want one folder per book.
    "audiobook": (LayoutRule(_BOOK, when="album_class == 'audiobook'"), LayoutRule(_BOOK)),
    # Audiobookshelf wants one folder per podcast, without folders for seasons.
    "podcast": (LayoutRule(_EPISODE, when="album_class == 'podcast'"), LayoutRule(_EPISODE)),
}
"""Name -> rules; the last rule of each applies to all remaining albums."""

DESCRIPTIONS: Final = {
    DEFAULT: "one folder per album, named by artist, album and year, with one folder per disc in it",
    "artist-album": "the same without the year",
    "year-album": "albums of an artist sorted by year",
    "genre": "by genre of the album",
    "decade": "by the decade of the album's first release",
    "disc-numbers": "all discs of an album in one folder, with the disc number before the track number",
    "by-class": "by the kind of album: Albums, Live, Compilations, Collaborations, Rarities, Singles and Soundtracks",
    "singles": "like `default`, but tracks without an album are in the folder of their artist",
    "classical": "by composer, with the conductor or ensemble in the album's folder, and work and movement as the title",
    "flat": "one folder for everything",
    "plex": "for Plex: Artist/Album/Track - Title, with `101 - Title` for track 1 of disc 1",
    "jellyfin": "for Jellyfin: one folder per album with all its discs; names without special characters",
    "navidrome": "for Navidrome: one folder per edition, as it looks for cover.jpg in the album's folder",
    "audiobook": "for audiobooks, as Audiobookshelf, Plex and Jellyfin expect them: by author, one folder per book",
    "podcast": "for podcasts, as Audiobookshelf expects them: one folder per show, episodes by date",
}
"""Name -> description."""
