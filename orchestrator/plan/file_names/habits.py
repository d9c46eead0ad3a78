"""The table behind `--names-as-tags auto`: how people and programs name folders and files of music, most telling first.

From the defaults of EAC, iTunes, foobar2000 and beets, the downloads of Bandcamp, the rules of the scene, the naming standard of
etree.org (Live Music Archive), and what users of beets, Amarok, Lidarr and Clementine asked these programs to understand.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Example(NamedTuple):
    """Files as people name them, and what becomes of the first: shown in the documentation and checked by the tests."""

    paths: tuple[str, ...]
    pattern: str
    becomes: str
    """Its path in the default layout."""


class Habit(NamedTuple):
    """Names of folders, and the names of files that go with them, in order."""

    folders: str
    """"": only the name of the file counts."""
    files: tuple[str, ...]

    @property
    def is_one_folder(self) -> bool:
        """Whether one folder names artist and album: what lies above it must not be the artist of another reading."""
        return " - " in self.folders and "/" not in self.folders


_WITH_YEAR: Final = (
    "{album} ({year})",
    "{album} [{year}]",
    "{year} - {album}",
    "({year}) {album}",
    "[{year}] {album}",
    "({year}) - {album}",
    "[{year}] - {album}",
    "{album} ({year}) [{edition}]",
    "{album} ({year}) ({edition})",
    "{album} ({year}) {edition}",
)
_CONCERTS: Final = (
    "{date} - {venue} ({source})",
    "{date} - {venue} [{source}]",
    "{date} - {venue}",
    "{date} {city} ({source})",
    "{date} {city} [{source}]",
    "{date} ({source})",
    "{date} [{source}]",
    "{date} {city}",
    "{date}",
)
_BY_ITS_ARTIST: Final = (
    "{artist} - {album} - {track} - {title}",
    "{artist} - {album} - {track}. {title}",
    "{artist} - {album} - {track} {title}",
    "{artist} - {track} - {title}",
    "{artist} - {track}. {title}",
    "{artist} - {track} {title}",
    "{track} - {artist} - {title}",
    "{track}. {artist} - {title}",
    "{track}-{artist} - {title}",
    "{track} {artist} - {title}",
    "{track}-{artist}-{title}",
    "{artist}-{track}-{title}",
)
_DISC_AND_TRACK: Final = (
    "{disc}-{track} - {title}",
    "{disc}-{track}. {title}",
    "{disc}-{track} {title}",
    "{disc}.{track} - {title}",
    "{disc}.{track} {title}",
    "{disc}{track} - {title}",
    "{disc}{track}. {title}",
    "{disc}{track} {title}",
    "d{disc}t{track} - {title}",
    "d{disc}t{track}. {title}",
    "d{disc}t{track} {title}",
    "d{disc}t{track}",
    "s{disc}t{track}",
    "{disc}-{track}",
)
_NUMBERED: Final = (
    "{track} - {title}",
    "{track}. {title}",
    "{track}.{title}",
    "({track}) {title}",
    "[{track}] {title}",
    "{track}) {title}",
    "{track}_{title}",
    "{track}-{title}",
    "{track} {title}",
    "Track {track}",
    "Track{track}",
    "AudioTrack {track}",
    "{track}",
)
_OF_ARTIST: Final = (*_BY_ITS_ARTIST, *_DISC_AND_TRACK, *_NUMBERED)
_NAMED: Final = (*_OF_ARTIST, "{artist} - {title}", "{title}")
"""Where the folder says so much, a title alone is enough."""
_OF_SEVERAL: Final = (
    "{disc}-{track} - {artist} - {title}",
    "{disc}-{track} {artist} - {title}",
    "{disc}{track} - {artist} - {title}",
    "{disc}{track} {artist} - {title}",
    "{track} - {artist} - {title}",
    "{track}. {artist} - {title}",
    "{track}-{artist} - {title}",
    "({track}) {artist} - {title}",
    "[{track}] {artist} - {title}",
    "{track} {artist} - {title}",
    "{artist} - {title}",
    *_DISC_AND_TRACK,
    *_NUMBERED,
)
"""In the end without artists, as iTunes keeps compilations."""
_SCENE: Final = (
    "{disc}{track}-{artist}-{title}-{group}",
    "{track}-{artist}-{title}-{group}",
    "{track}-{artist} - {title}-{group}",
    "{disc}{track}-{artist}-{title}",
    "{track}-{artist}-{title}",
    "{track}-{artist} - {title}",
)
_DISCS_OF_TAPE: Final = ("d{disc}t{track}", "s{disc}t{track}")
_TAPE: Final = tuple(
    f"{{band}}{{date}}{gap}{number}{title}"
    for gap in ("", "-", " ", ".")
    for number in (*_DISCS_OF_TAPE, "t{track}", "d{disc} t{track}", "d{disc} {track}")
    for title in ("", " - {title}", " {title}")
)
_TAPE_OF_CONCERT: Final = tuple(
    f"{{ignore}}{number}{title}" for number in _DISCS_OF_TAPE for title in ("", " - {title}", " {title}")
)
"""In a folder that says more: where, and how it was recorded."""

HABITS: Final = (
    *(Habit(f"{artist}{concert}", _TAPE_OF_CONCERT) for artist in ("{artist} - ", "{artist}/") for concert in _CONCERTS),
    Habit("", _TAPE),
    Habit("{various}-{album}-{year}-{group}", _SCENE),
    Habit("{artist}-{album}-{year}-{group}", _SCENE),
    Habit("{artist} - {album}-{year}-{group}", _SCENE),
    *(Habit("{various} - " + album, _OF_SEVERAL) for album in (*_WITH_YEAR, "{album} - {year}", "{album}")),
    *(Habit("{various}/" + album, _OF_SEVERAL) for album in (*_WITH_YEAR, "{album}")),
    *(Habit("{artist} - " + album, _NAMED) for album in (*_CONCERTS, *_WITH_YEAR, "{album} - {year}")),
    *(Habit("{artist} " + concert, _NAMED) for concert in _CONCERTS),
    # What our layouts make of a missing album.
    Habit("{artist}/[no album]", (*_NUMBERED[:-1], "{title}")),
    *(Habit("{artist}/" + album, _NAMED) for album in (*_WITH_YEAR, *_CONCERTS)),
    *(Habit(year + "{artist} - {album}", _NAMED) for year in ("{year} - ", "({year}) ", "[{year}] ")),
    Habit("{artist} - {album}", _NAMED),
    Habit("{artist}/{album}", (*_OF_ARTIST, "{artist} - {title}")),
    Habit("", ("{artist} - {album} - {track} - {title}", "{artist} - {album} - {track} {title}", "{artist} - {title}")),
)
"""All that `auto` knows, in order: the first habit that all files of a folder have."""

_WORDS_OF_SHELVES: Final = """
in out input import imports source src raw extracted loose messy mess stuff my_stuff store storage nas disk drive tapes
records uploads
music musik musique musica música muziek muzyka музыка 音乐 音楽 audio media my_music your_music music_library itunes
itunes_media mp3 mp3s flac flacs alac aac m4a ogg opus wav wma lossless lossy hires hi-res 24bit 16bit vinyl cd cds usb sd
phone external albums album alben singles single eps compilations soundtracks ost live concerts bootlegs shows collection
collections discography discographies library tracks songs artists bands various misc miscellaneous other others sonstiges
divers verschiedenes unsorted unsortiert sorted new neu nouveau recent incoming inbox download downloads torrents torrent
complete completed seeding temp tmp backup backups archive archives old share shared public data files home desktop documents
amazon bandcamp rips ripped untagged unknown todo favorites favourites playlists mixes mixtapes new_folder neuer_ordner
rock popjazz blues classical klassik classique metal punk indie alternative electronic electronica electro techno house
trance ambient dance disco funk soul r&b rnb rap hip-hop hiphop hip_hop reggae ska dub country folk world latin gospel
easy_listening new_age instrumental experimental industrial gothic hardcore grunge chillout lounge swing schlager kids
children holiday christmas
"""
SHELVES: Final = frozenset(_WORDS_OF_SHELVES.split())
"""Names of folders that hold music of many artists, in lower case, with `_` for spaces. None of them is an artist or an album."""

BANDS: Final = {
    "abb": "The Allman Brothers Band",
    "db": "Disco Biscuits",
    "dmb": "Dave Matthews Band",
    "dso": "Dark Star Orchestra",
    "furthur": "Furthur",
    "gd": "Grateful Dead",
    "gm": "Gov't Mule",
    "jgb": "Jerry Garcia Band",
    "lf": "Little Feat",
    "lom": "Legion of Mary",
    "mmw": "Medeski Martin & Wood",
    "moe": "moe.",
    "nrps": "New Riders of the Purple Sage",
    "ph": "Phish",
    "phil": "Phil Lesh and Friends",
    "ratdog": "RatDog",
    "rre": "Railroad Earth",
    "sci": "The String Cheese Incident",
    "um": "Umphrey's McGee",
    "wsp": "Widespread Panic",
    "ymsb": "Yonder Mountain String Band",
}
"""Abbreviation of a band as etree.org's naming standard has it -> the band. Names with others are not read."""

_EXAMPLES: Final = """
Ann Bee - Sky (1979)/01 - Star.mp3
    {artist} - {album} ({year})/{track} - {title}
    Ann Bee/Sky (1979)/01 Star.mp3
Rock/Ann Bee - Sea [1980]/02. Wave.mp3
    {artist} - {album} [{year}]/{track}. {title}
    Ann Bee/Sea (1980)/02 Wave.mp3
Cid - 1991 - Tree/(03) Leaf.mp3
    {artist} - {year} - {album}/({track}) {title}
    Cid/Tree (1991)/03 Leaf.mp3
Dan_-_Old_Hat_(1999)_[FLAC]/04_-_My_Hat.flac
    {artist} - {album} ({year})/{track} - {title}
    Dan/Old Hat (1999)/04 My Hat.flac
Eve - Moon (2001) [Deluxe Edition]/Eve - 05 - Tide.mp3
    {artist} - {album} ({year}) [{edition}]/{artist} - {track} - {title}
    Eve/Moon [Deluxe Edition] (2001)/05 Tide.mp3
Fay - Plain/Fay - Plain - 06 Song.flac
    {artist} - {album}/{artist} - {album} - {track} {title}
    Fay/Plain/06 Song.flac
Downloads/Fay - Hill - 07 Song.flac
    {artist} - {album} - {track} {title}
    Fay/Hill/07 Song.flac
Gus/1984 - Fire/08 - Ash.mp3
    {artist}/{year} - {album}/{track} - {title}
    Gus/Fire (1984)/08 Ash.mp3
G/Gus/Smoke/09. Air.mp3
    {artist}/{album}/{track}. {title}
    Gus/Smoke/09 Air.mp3
Hal/Rain/1-01 Drop.m4a + Hal/Rain/2-01 Pool.m4a
    {artist}/{album}/{disc}-{track} {title}
    Hal/Rain/Disc 1/01 Drop.m4a
Hal/Snow/CD1/01 - Flake.mp3 + Hal/Snow/CD2/01 - Ice.mp3
    {artist}/{album}/{track} - {title}
    Hal/Snow/Disc 1/01 Flake.mp3
Ida/Vinyl Days/A1 - Dust.flac + Ida/Vinyl Days/B1 - Needle.flac
    {artist}/{album}/{track} - {title}
    Ida/Vinyl Days/A1 Dust.flac
VA - Sampler (2004)/01 - Jim - Door.mp3 + VA - Sampler (2004)/02 - Kay - Key.mp3
    {various} - {album} ({year})/{track} - {artist} - {title}
    Various Artists/Sampler (2004)/01 Jim - Door.mp3
Leo_Low-Late_Night-WEB-2010-GRP/01-leo_low-first_bus-grp.mp3
    {artist}-{album}-{year}-{group}/{track}-{artist}-{title}-{group}
    Leo Low/Late Night (2010)/01 first bus.mp3
Max - 1999-07-14 Oslo (SBD)/d1t03.flac + Max - 1999-07-14 Oslo (SBD)/d2t01.flac
    {artist} - {date} {city} ({source})/d{disc}t{track}
    Max/1999-07-14 Oslo (SBD) (1999)/Disc 1/03.flac
Grateful Dead - 1977-05-08 Ithaca (SBD)/gd77-05-08d1t03.flac + Grateful Dead - 1977-05-08 Ithaca (SBD)/gd77-05-08d2t01.flac
    {artist} - {date} {city} ({source})/{ignore}d{disc}t{track}
    Grateful Dead/1977-05-08 Ithaca (SBD) (1977)/Disc 1/03.flac
gd1977-05-08.sbd.hicks.4982/gd77-05-08d1t03.flac + gd1977-05-08.sbd.hicks.4982/gd77-05-08d2t01.flac
    {band}{date}d{disc}t{track}
    Grateful Dead/1977-05-08 (1977)/Disc 1/03.flac
Ned - Rip (2005)/Track 04.mp3
    {artist} - {album} ({year})/Track {track}
    Ned/Rip (2005)/04.mp3
Inbox/Ola - Boat.mp3
    {artist} - {title}
    Ola/[no album]/Boat.mp3
"""
_LINES: Final = [line.strip() for line in _EXAMPLES.strip().splitlines()]
EXAMPLES: Final = tuple(
    Example(tuple(paths.split(" + ")), pattern, becomes)
    for paths, pattern, becomes in zip(_LINES[::3], _LINES[1::3], _LINES[2::3], strict=True)
)
