"""A small library in which everything happens that sends music to the wrong place, and where each file belongs, written by hand.

`SITUATIONS` holds the cases by name. A new case is one more function with `@situation`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import quote

import msgspec

from orchestrator.track import Track
from tests.audio import FORMATS
from tests.audio_streams import flac
from tests.places import digest

FLAC24 = {"rate": 96_000, "bits": 24}


class Library:
    """The files of a library, and where they go."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.destinations: dict[str, str | None] = {}
        """Path -> where it belongs; None for the quarantine."""
        self.updated: dict[str, bytes] = {}
        """Path of a list -> its content afterwards."""
        self.foreign_folders = 0
        self._serials = count(1)

    def put(self, path: str, destination: str | None, content: bytes | None = None) -> None:
        """A file of any kind."""
        assert path not in self.files
        self.files[path] = content or path.encode()
        self.destinations[path] = destination

    def song(self, path: str, destination: str, *, codec: str = "", stream: dict[str, int] | None = None, **tags: Any) -> None:
        """A song with sound of its own. Its title is the end of its name if `tags` give none; text may be one string."""
        kind, serial = FORMATS[codec or path.rpartition(".")[2]], next(self._serials)
        name = path.rpartition("/")[2].rpartition(".")[0]
        given = {"title": name[3:], "track": int(name[:2]), **tags}
        texts = {field: (value,) if isinstance(value, str) and field in _SEVERAL else value for field, value in given.items()}
        file = BytesIO(flac(0.2, serial, **stream) if stream else kind.stream(0.2, serial))
        kind.save(file, Track(**texts), b"")
        self.put(path, destination, file.getvalue())

    def updated_list(self, path: str, text: str, *entries: tuple[str, str]) -> None:
        """A playlist that stays: `text` with each entry for a `%s`, and with what the entry becomes."""
        before, after = (text % chosen for chosen in zip(*entries, strict=True))
        self.put(path, path, before.encode())
        self.updated[path] = after.encode()

    def bare(self, path: str, destination: str) -> None:
        """The same without tags."""
        self.put(path, destination, FORMATS[path.rpartition(".")[2]].stream(0.2, next(self._serials)))

    def album(self, folder: str, destination: str, names: Iterable[str], *, extension: str = "mp3", **tags: Any) -> None:
        """Songs that keep their names, in a folder that may hold a copy of them already."""
        for name in names:
            stem = name if f"{folder}/{name}.{extension}" not in self.files else f"{name} again"
            self.song(f"{folder}/{stem}.{extension}", f"{destination}/{name}.{extension}", **{"title": name[3:], **tags})

    def before(self) -> dict[str, str]:
        """Path -> sha256."""
        return {path: digest(content) for path, content in self.files.items()}

    def after(self) -> dict[str, str]:
        """The same where each file belongs, without the quarantine."""
        contents = self.files | self.updated
        return {there: digest(contents[path]) for path, there in self.destinations.items() if there is not None}


_SEVERAL = frozenset(field.name for field in msgspec.structs.fields(Track) if "tuple" in str(field.type))
"""The fields with several values."""

SITUATIONS: dict[str, Callable[[Library], None]] = {}


def situation(function: Callable[[Library], None]) -> Callable[[Library], None]:
    """Add a case."""
    SITUATIONS[function.__name__] = function
    return function


def whole_library() -> Library:
    """All cases in one library."""
    library = Library()
    for fill in SITUATIONS.values():
        fill(library)
    return library


ANN = {"artist": "Ann", "album_artist": "Ann", "date": "1999"}
DISC_1, DISC_2 = ("01 Sea", "02 Sun"), ("01 Rain", "02 Snow")
SONGS = ("01 Sea", "02 Sun")


@situation
def discs_that_only_folders_tell(library: Library) -> None:
    for title, one, two in (
        ("Words", "Words/CD1", "Words/cd 2"),
        ("Titles", "Titles/Disc 01 - Water", "Titles/Disc 02 - Air"),
        ("Bare", "Bare", "Bare (2)"),
    ):
        for number, folder, names in ((1, one, DISC_1), (2, two, DISC_2)):
            there = f"Ann/{title} (1999)/Disc {number}"
            library.album(f"discs/{folder}", there, names, album=title, **ANN)
            library.put(f"discs/{folder}/cover.jpg", f"{there}/cover.jpg")
            library.put(f"discs/{folder}/rip.log", f"{there}/rip.log")
    library.put("discs/Words/booklet.pdf", "Ann/Words (1999)/booklet.pdf")
    library.put("discs/Words/CD1/Scans/1.png", "Ann/Words (1999)/Disc 1/Scans/1.png")


@situation
def copies_of_one_album(library: Library) -> None:
    qualities = (("24", "FLAC, 24 bit", "flac", FLAC24), ("cd", "FLAC, 16 bit", "flac", None), ("mp3", "MP3", "mp3", None))
    for folder, label, extension, stream in qualities:
        there = f"Ann/Quality [{label}] (1999)"
        library.album(f"copies/q/{folder}", there, SONGS, extension=extension, stream=stream, album="Quality", **ANN)
        library.put(f"copies/q/{folder}/cover.jpg", f"{there}/cover.jpg")
    for codec, label in (("alac", "ALAC"), ("m4a", "AAC")):
        library.album(
            "copies/m4a", f"Ann/Together [{label}] (1999)", SONGS, codec=codec, extension="m4a", album="Together", **ANN
        )
    for rip in ("Monday", "Friday"):
        for disc, names in ((1, DISC_1), (2, DISC_2)):
            there = f"Ann/Two discs [{rip}] (1999)/Disc {disc}"
            library.album(f"copies/discs/{rip}/CD{disc}", there, names, album="Two discs", **ANN)
    for folder, total in (("standard", 2), ("deluxe", 3)):
        names = (*SONGS, "03 Moon")[:total]
        library.album(
            f"copies/e/{folder}", f"Ann/Edition [{total} tracks] (1999)", names, track_total=total, album="Edition", **ANN
        )
    for folder in ("Rip 1 of Ann", "Rip of Bob"):
        library.album(f"copies/{folder}", f"Ann/Twice [{folder}] (1999)", SONGS, album="Twice", **ANN)
    library.album("Ann/At home (1999)", "Ann/At home (1999)", SONGS, album="At home", **ANN)
    library.album("copies/again/At home", "Ann/At home [again] (1999)", SONGS, album="At home", **ANN)
    library.album("copies/album", "Ann/Sea [2 tracks] (1999)", SONGS, track_total=2, album="Sea", **ANN)
    library.album("copies/single", "Ann/Sea [1 track] (1999)", SONGS[:1], track_total=1, album="Sea", **ANN)
    for folder in ("CD of Monday", "CD of Friday"):
        library.album(f"copies/{folder}", f"Fay/Unknown Album [{folder}]", SONGS, album="Unknown Album", artist="Fay")


@situation
def samplers_without_album_artist(library: Library) -> None:
    for number in (1, 2, 4, 5):
        artist = f"Star {number}"
        there = f"Various Artists/Hits (2001)/0{number} {artist} - S{number}.mp3"
        library.song(f"samplers/Hits/0{number} S{number}.mp3", there, artist=artist, album="Hits", date="2001")
    library.put("samplers/Hits/cover.jpg", "Various Artists/Hits (2001)/cover.jpg")


@situation
def a_folder_that_tells_nothing_stays_together(library: Library) -> None:
    for number, total in ((1, 12), (2, 12), (3, 9), (4, 9)):
        path = f"unclear/0{number} S{number}.mp3"
        library.song(path, path, artist=f"Star {number}", album="Mixed", track_total=total)
    library.put("unclear/cover.jpg", "unclear/cover.jpg")


@situation
def compilations_and_their_artists(library: Library) -> None:
    library.album("flagged", "Bob/Best Of (2002)", SONGS, artist="Bob", album="Best Of", date="2002", compilation=True)
    for number, various in enumerate(("V/A", "[Various Artists]", "Verschiedene Interpreten"), 1):
        there = f"Various Artists/Party (2003)/0{number} Star {number} - S.mp3"
        library.song(
            f"va/{number}/0{number} S.mp3", there, artist=f"Star {number}", album_artist=various, album="Party", date="2003"
        )


@situation
def hosts_guests_and_twins(library: Library) -> None:
    for number, host in enumerate(("Hana", "Hana, Eve", "Hana & Bob", ("Eve", "Hana"), "Hana w/ Cid"), 1):
        there = f"Hana/Guests (2004)/0{number} S.mp3"
        library.song(f"hosts/0{number} S.mp3", there, artist=host, album_artist=host, album="Guests", date="2004")
    for number, band in enumerate(("Earth, Wind & Fire", "Earth, Wind & Fire feat. Ann", "Earth, Wind & Fire - ft. Bob"), 1):
        library.song(
            f"bands/0{number} S.mp3", f"Earth, Wind & Fire/Fire (2005)/0{number} S.mp3", artist=band, album="Fire", date="2005"
        )
    for number, twin in enumerate(("Guns N\u2019 Roses", "Guns N\u2019 Roses", "Guns N' Roses"), 1):
        there = f"Guns N\u2019 Roses/Twins (2006)/0{number} S.mp3"
        library.song(f"twins/0{number} S.mp3", there, artist=twin, album_artist=twin, album="Twins", date="2006")


@situation
def folders_of_one_name_in_two_forms(library: Library) -> None:
    for form, name in (("NFC", "01 Sea"), ("NFD", "02 Sun")):
        folder = unicodedata.normalize(form, "forms/Café")
        tags = {"artist": unicodedata.normalize(form, "Zoë"), "album": unicodedata.normalize(form, "Café")}
        library.album(folder, "Zoë/Café (2007)", [name], date="2007", **tags)


@situation
def playlists_written_on_other_machines(library: Library) -> None:
    library.album("lists/in", "Ann/Écoute & Co (1999)", SONGS, album="Écoute & Co", **ANN)
    names = ("lists/in/01 Sea.mp3", "Ann/Écoute & Co (1999)/01 Sea.mp3")
    drive = tuple(f"D:\\Music\\{name}".replace("/", "\\") for name in names)
    escaped = tuple(name.replace("&", "&amp;") for name in drive)
    url = tuple(f"file://localhost/Users/ann/Music/{quote(name, safe='/&()')}".replace("&", "&amp;") for name in names)
    library.updated_list("Playlists/drive.m3u8", "\ufeff#EXTM3U\r\n%s\r\nD:\\Music\\gone.mp3\r\n", drive)
    library.updated_list("Playlists/container.m3u", "/data/%s\n/data/music/01 Sun.mp3\n", names)
    library.updated_list("Playlists/share.pls", "[playlist]\nFile1=//nas/music/%s\nTitle1=Sea\n", names)
    library.updated_list("Playlists/wmp.wpl", '<?wpl version="1.0"?><smil><seq><media src="%s"/></seq></smil>', escaped)
    itunes = "<plist><dict><key>Tracks</key><dict><key>Location</key><string>%s</string></dict></dict></plist>"
    library.updated_list("iTunes/iTunes Music Library.xml", itunes, url)
    rekordbox = '<DJ_PLAYLISTS><COLLECTION><TRACK Location="%s"/></COLLECTION><NODE><TRACK Key="%s"/></NODE></DJ_PLAYLISTS>'
    library.updated_list("DJ/export.xml", rekordbox, url, url)


@situation
def characters_that_no_name_can_have(library: Library) -> None:
    library.song("odd/01 a.mp3", "Ann/Odd Album (1999)/01 Line and tab.mp3", title="Line\r\nand\ttab", album="Odd\nAlbum", **ANN)
    persian, joined = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "Sea\u200d\u200cSun"
    library.song("odd/02 b.mp3", f"Ann/Odd Album (1999)/02 {persian}.mp3", title=persian, album="Odd Album", **ANN)
    library.song("odd/03 c.mp3", "Ann/Odd Album (1999)/03 SeaSun.mp3", title=joined, album="Odd Album", **ANN)


@situation
def folders_of_other_programs(library: Library) -> None:
    tags = {**ANN, "album": "Bins"}
    library.album("bins/in", "Ann/Bins (1999)", SONGS, **tags)
    for folder in (
        "#recycle/bins/in",
        "bins/.stversions",
        ".Trash-1000/files",
        "usb/RECYCLER/S-1-5-21-1",
        "usb/x/recycler/S-1-5-21-1",
    ):
        library.album(folder, folder, SONGS[:1], **tags)
    library.put("bins/in/@eaDir/01 Sea.mp3/SYNOAUDIO.jpg", None)
    library.put("bins/in/Thumbs.db", None)
    library.foreign_folders += 6
    library.album("Recycler", "ZZ Top/Recycler (1990)", SONGS, artist="ZZ Top", album="Recycler", date="1990")


@situation
def names_that_tell_what_tags_do_not(library: Library) -> None:
    library.bare("names/Hal - Rain (1991)/01 - Drop.mp3", "Hal/Rain (1991)/01 Drop.mp3")
    library.song("names/Hal - Rain (1991)/02 - Pool.mp3", "Hal/Rain (1991)/02 Own.mp3", title="Own", artist="Unknown Artist")
    library.put("names/Hal - Rain (1991)/cover.jpg", "Hal/Rain (1991)/cover.jpg")
    library.bare("names/Ida/Snow/CD1/01. Flake.mp3", "Ida/Snow/Disc 1/01 Flake.mp3")
    library.bare("names/Ida/Snow/CD2/01. Ice.mp3", "Ida/Snow/Disc 2/01 Ice.mp3")
    library.bare("names/gd77-05-08/gd77-05-08d1t03.flac", "Grateful Dead/1977-05-08 (1977)/03.flac")


@situation
def downloads_under_way(library: Library) -> None:
    """Programs give a file its full size at once; only what they keep beside it shows that it is not finished."""
    library.album("dl/ready", "Ann/Download (1999)", SONGS[:1], album="Download", **ANN)
    library.album("dl/file", "dl/file", SONGS[1:], album="Download", **ANN)
    library.put("dl/file/02 Sun.mp3.aria2", "dl/file/02 Sun.mp3.aria2")
    library.album("dl/torrent/CD1", "dl/torrent/CD1", SONGS, album="Torrent", **ANN)
    library.put("dl/torrent/cover.jpg", "dl/torrent/cover.jpg")
    library.put("dl/torrent.aria2", "dl/torrent.aria2")


@situation
def albums_that_only_characters_tell_apart_that_no_path_can_have(library: Library) -> None:
    for folder, album, label in (("a", "Why?", "question mark"), ("b", "Why*", "asterisk")):
        there = f"Ann/Why_ [{label}] (1999)"
        library.album(f"signs/{folder}", there, SONGS, album=album, **ANN)
        library.put(f"signs/{folder}/cover.jpg", f"{there}/cover.jpg")
