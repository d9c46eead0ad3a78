"""The names that other programs give to the fields of a layout, and what they are here."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final[dict[str, str]] = {
    "albumartist": "albumartist albumartists albumartistname albumartistcredit albuminterpret artistname artistcleanname band",
    "albumartist | the_last": "artistnamethe artistcleannamethe albumartistnamethe",
    "albumartist | initial": "artistnamefirstcharacter",
    "albumartist_sort": "albumartistsort artistsortname albumartistsortorder",
    "album": "album albumtitle albumname albumcleantitle albumfile release releasetitle",
    "album | the_last": "albumtitlethe albumcleantitlethe",
    "artist": "artist artists artistcredit trackartist trackartistname trackartistcleanname performer artistfile creator",
    "artist_sort": "artistsort artistsortorder",
    "title": "title tracktitle trackname trackcleantitle songtitle songname song name trackfile",
    "title_sort": "titlesort titlesortorder",
    "subtitle": "subtitle",
    "track": "track trackno tracknum tracknr nr tracknumber trackindex trackn songnumber",
    "track_total": "tracktotal totaltracks trackcount trackscount trackstotal numtracks numberoftracks tracks",
    "disc": "disc discno discnum discnumber disk diskno disknum disknumber medium mediumnumber cdnumber",
    "disc_subtitle": "discsubtitle disctitle setsubtitle mediumname",
    "discs": "disctotal totaldiscs disccount discstotal numdiscs numberofdiscs discs disktotal totaldisks mediumcount",
    "multi_disc": "multidisc",
    "year": "year yyyy releaseyear albumyear dateyear yearyyyy",
    "date": "date releasedate albumdate",
    "original_year": "originalyear origyear originalreleaseyear",
    "original_date": "originaldate origdate originalreleasedate",
    "year | decade": "decade",
    "genre": "genre genres albumgenre artistgenre maingenre",
    "composer": "composer composers",
    "conductor": "conductor",
    "ensemble": "ensemble orchestra",
    "work": "work",
    "movement": "movement movementname",
    "movement_number": "movementnumber movementno",
    "movement_total": "movementtotal movementcount",
    "label": "label publisher recordlabel organization",
    "catalogue_number": "cataloguenumber catalognumber catalognum catalogno catalogueno catalog",
    "barcode": "barcode upc ean",
    "media": "media mediumformat mediatype",
    "edition": "edition albumdisambig albumdisambiguation albumcomment releasecomment disambiguation",
    "release_type": "releasetype albumtype albumtypes primaryreleasetype",
    "release_status": "releasestatus albumstatus",
    "compilation": "compilation comp iscompilation",
    "various": "multiartist various",
    "venue": "venue",
    "codec": "codec format fileformat",
    "codec | upper": "mediainfoaudiocodec",
    "bitrate": "bitrate",
    "sample_rate": "samplerate",
    "bit_depth": "bitdepth bitspersample",
    "channels": "channels",
    "isrc": "isrc",
    "advisory": "advisory itunesadvisory",
    "musicbrainz_release_id": "mbalbumid musicbrainzalbumid albummbid musicbrainzreleaseid releasembid",
    "musicbrainz_release_group_id": "mbreleasegroupid musicbrainzreleasegroupid",
    "": "ext outputext extension filenameextension fileextension filetype",  # is added automatically
}
_KNOWN: Final = {word: expression for expression, words in _NAMES.items() for word in words.split()}

LETTERS: Final[dict[str, dict[str, str]]] = {
    "EasyTAG": {
        "a": "artist", "b": "album", "d": "disc", "g": "genre", "l": "track_total", "n": "track | pad(2)", "p": "composer",
        "t": "title", "x": "discs", "y": "year", "z": "albumartist",
    },
    "Kid3": {"a": "artist", "g": "genre", "l": "album", "s": "title", "t": "track | pad(2)", "T": "track", "y": "year"},
    "whipper": {
        "A": "albumartist", "S": "albumartist_sort", "a": "artist", "d": "album", "n": "title", "s": "artist_sort",
        "t": "track | pad(2)", "y": "year",
    },
    "XLD or K3b": {
        "A": "albumartist", "D": "disc", "T": "album", "a": "artist", "c": "composer", "g": "genre", "n": "track | pad(2)",
        "t": "title", "y": "year",
    },
    "Kodi": {"A": "artist", "B": "album", "G": "genre", "N": "track | pad(2)", "T": "title", "Y": "year"},
    "Asunder": {"A": "artist", "G": "genre", "L": "album", "N": "track | pad(2)", "T": "title", "Y": "year"},
    "Exact Audio Copy": {
        "A": "albumartist", "C": "album", "D": "artist", "G": "genre", "N": "track | pad(2)", "T": "title", "Y": "year",
    },
    "Ampache": {"A": "album", "T": "track | pad(2)", "a": "artist", "d": "disc", "g": "genre", "t": "title", "y": "year"},
    "lltag": {"A": "album", "a": "artist", "g": "genre", "n": "track | pad(2)", "t": "title", "y": "year"},
    "Rhythmbox or Sound Juicer": {
        "aa": "albumartist", "as": "albumartist_sort", "at": "album", "ay": "year", "dn": "disc", "ta": "artist",
        "tn": "track", "tN": "track | pad(2)", "tt": "title",
    },
}  # fmt: skip
"""Program -> its letters after "%". They mean different things in different programs."""


def expression_of(name: str) -> str | None:
    """What a field of another program is here, as an expression: "" for the extension, None if nothing is known of it."""
    return _KNOWN.get(re.sub(r"[^a-z]", "", name.casefold()))
