"""Tags of any kind -> Track: which key of which tag format means which field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.tags.fact_names import FACTS, LYRICS_LANGUAGE, PEOPLE, fact_fields
from orchestrator.tags.parsed import Parsed
from orchestrator.track import Facts, Track

MOST_VALUES = 16
_APE_BINARY = _ASF_BYTES = 1
"""The types of values that are not text: mostly pictures."""
_NUMBER = re.compile(r"\s*0*([1-9]\d{0,8})")
_TOTAL = re.compile(r"\s*\d*\s*/\s*0*([1-9]\d{0,8})")

# Track field -> keys, in lower case (ASF: as spelled); of several keys, the first one present counts. Texts:
_LISTS = (
    "title", "artist", "album_artist", "album", "release_type", "genre", "composer", "isrc", "version", "remixer",
    "musicbrainz_artist_ids", "musicbrainz_album_artist_ids", "artist_sort", "album_artist_sort",
)  # fmt: skip
_SINGLES = (
    "disc_subtitle", "date", "original_date", "edition", "venue", "label", "catalogue_number", "barcode", "media", "subtitle",
    "comment",
    "musicbrainz_recording_id", "musicbrainz_track_id", "musicbrainz_release_id", "musicbrainz_release_group_id",
    "acoustid_id", "title_sort", "album_sort",
)  # fmt: skip

Keys = dict[str, tuple[str, ...]]

_MUSICBRAINZ_NAMES: Keys = {  # as spelled in TXXX frames of ID3 and free-form atoms of MP4
    "musicbrainz_track_id": ("musicbrainz release track id",),
    "musicbrainz_release_id": ("musicbrainz album id",),
    "musicbrainz_release_group_id": ("musicbrainz release group id",),
    "musicbrainz_artist_ids": ("musicbrainz artist id",),
    "musicbrainz_album_artist_ids": ("musicbrainz album artist id",),
    "release_type": ("musicbrainz album type", "releasetype"),
    "release_status": ("musicbrainz album status", "releasestatus"),
    "edition": ("musicbrainz album comment", "albumversion", "edition"),
    "venue": ("venue",),
    "acoustid_id": ("acoustid id",),
    "barcode": ("barcode", "upc"),
    "catalogue_number": ("catalognumber", "catalog number"),
    "advisory": ("itunesadvisory",),
}

ID3: Keys = {
    "title": ("tit2",),
    "artist": ("tpe1",),
    "album_artist": ("tpe2",),
    "album": ("talb",),
    "date": ("tdrc",),
    "track": ("trck",),
    "disc": ("tpos",),
    "disc_subtitle": ("tsst", "txxx:discsubtitle"),
    "compilation": ("tcmp", "txxx:compilation"),
    "original_date": ("tdor", "txxx:originaldate", "txxx:originalyear"),
    "genre": ("tcon",),
    "composer": ("tcom",),
    "label": ("tpub",),
    "media": ("tmed",),
    "subtitle": ("tit3", "txxx:subtitle"),
    "version": ("txxx:version",),
    "remixer": ("tpe4", "txxx:remixer"),
    "comment": ("comm",),
    "isrc": ("tsrc",),
    "musicbrainz_recording_id": ("ufid:http://musicbrainz.org", "txxx:musicbrainz track id"),
    "title_sort": ("tsot",),
    "artist_sort": ("tsop",),
    "album_artist_sort": ("tso2", "txxx:albumartistsort"),
    "album_sort": ("tsoa",),
    "track_total": ("txxx:totaltracks", "txxx:tracktotal"),
    "disc_total": ("txxx:totaldiscs", "txxx:disctotal"),
} | {field: tuple(f"txxx:{name}" for name in names) for field, names in _MUSICBRAINZ_NAMES.items()}

_PLAIN: Keys = {  # Vorbis comments and APEv2 share most names
    "title": ("title",),
    "artist": ("artist",),
    "album": ("album",),
    "disc_subtitle": ("discsubtitle", "setsubtitle"),
    "compilation": ("compilation",),
    "release_type": ("musicbrainz_albumtype", "releasetype"),
    "release_status": ("musicbrainz_albumstatus", "releasestatus"),
    "edition": ("musicbrainz_albumcomment", "albumversion", "edition"),
    "venue": ("venue",),
    "original_date": ("originaldate", "original date", "originalyear"),
    "genre": ("genre",),
    "composer": ("composer",),
    "label": ("label", "organization", "publisher"),
    "catalogue_number": ("catalognumber", "catalog number"),
    "barcode": ("barcode", "upc", "ean/upn"),
    "media": ("media",),
    "subtitle": ("subtitle",),
    "version": ("version",),
    "remixer": ("remixer", "mixartist"),
    "isrc": ("isrc",),
    "musicbrainz_recording_id": ("musicbrainz_trackid",),
    "musicbrainz_track_id": ("musicbrainz_releasetrackid",),
    "musicbrainz_release_id": ("musicbrainz_albumid",),
    "musicbrainz_release_group_id": ("musicbrainz_releasegroupid",),
    "musicbrainz_artist_ids": ("musicbrainz_artistid",),
    "musicbrainz_album_artist_ids": ("musicbrainz_albumartistid",),
    "acoustid_id": ("acoustid_id",),
    "title_sort": ("titlesort",),
    "artist_sort": ("artistsort",),
    "album_artist_sort": ("albumartistsort",),
    "album_sort": ("albumsort",),
    "advisory": ("itunesadvisory",),
    "track_total": ("tracktotal", "totaltracks"),
    "disc_total": ("disctotal", "totaldiscs"),
}

VORBIS: Keys = _PLAIN | {
    "album_artist": ("albumartist", "album artist"),
    "date": ("date", "year"),
    "track": ("tracknumber", "track"),
    "disc": ("discnumber", "disc"),
    "comment": ("comment", "description"),
}

APE: Keys = _PLAIN | {
    "album_artist": ("album artist", "albumartist"),
    "date": ("year",),
    "track": ("track",),
    "disc": ("disc", "discnumber"),
    "comment": ("comment",),
}

MP4: Keys = {
    "title": ("\xa9nam",),
    "artist": ("\xa9art",),
    "album_artist": ("aart",),
    "album": ("\xa9alb",),
    "date": ("\xa9day",),
    "track": ("trkn",),
    "disc": ("disk",),
    "disc_subtitle": ("discsubtitle",),
    "compilation": ("cpil",),
    "original_date": ("originaldate", "originalyear"),
    "genre": ("\xa9gen",),
    "composer": ("\xa9wrt",),
    "label": ("label",),
    "media": ("media",),
    "subtitle": ("subtitle",),
    "version": ("version",),
    "remixer": ("remixer",),
    "comment": ("\xa9cmt",),
    "isrc": ("isrc",),
    "musicbrainz_recording_id": ("musicbrainz track id",),
    "title_sort": ("sonm",),
    "artist_sort": ("soar",),
    "album_artist_sort": ("soaa",),
    "album_sort": ("soal",),
} | _MUSICBRAINZ_NAMES | {"advisory": ("rtng", "itunesadvisory")}  # fmt: skip

ASF: Keys = {  # as spelled: mutagen distinguishes "Title" from "title"
    "title": ("Title",),
    "artist": ("Author",),
    "album_artist": ("WM/AlbumArtist",),
    "album": ("WM/AlbumTitle",),
    "date": ("WM/Year",),
    "track": ("WM/TrackNumber",),
    "disc": ("WM/PartOfSet",),
    "disc_subtitle": ("WM/SetSubTitle",),
    "compilation": ("WM/IsCompilation",),
    "release_type": ("MusicBrainz/Album Type",),
    "release_status": ("MusicBrainz/Album Status",),
    "edition": ("MusicBrainz/Album Comment", "ALBUMVERSION", "EDITION"),
    "venue": ("VENUE",),
    "original_date": ("WM/OriginalReleaseTime", "WM/OriginalReleaseYear"),
    "genre": ("WM/Genre",),
    "composer": ("WM/Composer",),
    "label": ("WM/Publisher",),
    "catalogue_number": ("WM/CatalogNo",),
    "barcode": ("WM/Barcode",),
    "media": ("WM/Media",),
    "subtitle": ("WM/SubTitle",),
    "version": ("VERSION",),
    "remixer": ("WM/ModifiedBy", "REMIXER"),
    "comment": ("Description",),
    "isrc": ("WM/ISRC",),
    "musicbrainz_recording_id": ("MusicBrainz/Track Id",),
    "musicbrainz_track_id": ("MusicBrainz/Release Track Id",),
    "musicbrainz_release_id": ("MusicBrainz/Album Id",),
    "musicbrainz_release_group_id": ("MusicBrainz/Release Group Id",),
    "musicbrainz_artist_ids": ("MusicBrainz/Artist Id",),
    "musicbrainz_album_artist_ids": ("MusicBrainz/Album Artist Id",),
    "acoustid_id": ("Acoustid/Id",),
    "title_sort": ("WM/TitleSortOrder",),
    "artist_sort": ("WM/ArtistSortOrder",),
    "album_artist_sort": ("WM/AlbumArtistSortOrder",),
    "album_sort": ("WM/AlbumSortOrder",),
    "advisory": ("ITUNESADVISORY", "WM/ParentalRating"),
    "track_total": ("TotalTracks",),
    "disc_total": ("TotalDiscs",),
}


def _texts(values: Iterable[object]) -> list[str]:
    return [text for value in values if (text := str(value))]


# ------------------------------------------------------------ tags of one kind -> {key: texts}


_ID3_PEOPLE = frozenset({"TIPL", "TMCL", "IPLS"})
_ID3_OTHER_TEXTS = frozenset({"GRP1", "MVNM", "MVIN"})
_ID3_LYRICS = frozenset({"USLT", "SYLT"})


def _id3_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, frame in tags.items():
        frame_id = key[:4]
        if frame_id == "TCON":
            values["tcon"] = _texts(frame.genres)
        elif frame_id in _ID3_PEOPLE:
            for role, name in frame.people:
                if name:
                    values.setdefault(PEOPLE + role.strip().lower(), []).append(name)
        elif frame_id == "TXXX" or frame_id[0] == "T" or frame_id in _ID3_OTHER_TEXTS:
            values.setdefault(key.lower(), _texts(frame.text))
        elif frame_id in _ID3_LYRICS:
            values.setdefault(LYRICS_LANGUAGE, []).append(frame.lang)
        elif frame_id == "UFID":
            values[key.lower()] = _texts([frame.data.decode("latin-1").strip("\0")])
        elif frame_id == "COMM" and ("comm" not in values or not frame.desc) and not frame.desc.startswith("iTun"):
            values["comm"] = _texts(frame.text)
    return values


def _vorbis_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in list.__iter__(tags):
        texts = values.setdefault(key.lower(), [])
        if value and len(texts) < MOST_VALUES:
            texts.append(value)
    return values


def _ape_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in tags.items():
        if value.kind != _APE_BINARY:
            values[key.lower()] = _texts(value if hasattr(value, "__iter__") else [value])
    return values


def _mp4_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, tuple):
        return "/".join(str(number) for number in value)
    return str(value)


def _mp4_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in tags.items():
        if key == "covr":
            continue
        name = key.rpartition(":")[2] if key.startswith("----:") else key
        items = value if isinstance(value, list) else [value]
        values.setdefault(name.lower(), [text for item in items if (text := _mp4_text(item))])
    return values


def _asf_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in list.__iter__(tags):
        if value.TYPE != _ASF_BYTES and (text := str(value)):
            values.setdefault(key, []).append(text)
    return values


_KINDS: dict[str, tuple[Callable[[Any], dict[str, list[str]]], Keys]] = {
    "id3": (_id3_values, ID3),
    "vorbis": (_vorbis_values, VORBIS),
    "ape": (_ape_values, APE),
    "mp4": (_mp4_values, MP4),
    "asf": (_asf_values, ASF),
}


# ------------------------------------------------------------ texts -> fields


def _number(values: list[str]) -> int | None:
    found = _NUMBER.match(values[0]) if values else None
    return int(found[1]) if found else None


def _total(values: list[str]) -> int | None:
    found = _TOTAL.match(values[0]) if values else None
    return int(found[1]) if found else None


def _truth(values: list[str]) -> bool | None:
    """None if absent; "0" and "no" are false, everything else ("1", "yes") is true."""
    word = values[0].strip().lower() if values else ""
    return None if not word else word not in ("0", "no", "false")


def _advisory(values: list[str]) -> str | None:
    word = values[0].strip().lower() if values else ""
    return {"1": "explicit", "4": "explicit", "explicit": "explicit", "2": "clean", "clean": "clean"}.get(word)


def text_fields(kind: str, tags: Any) -> dict[str, Any]:
    """The fields of Track and Facts that come from tags; absent ones are missing or None."""
    read_values, keys = _KINDS[kind]
    values = read_values(tags)

    def look_up(field: str) -> list[str]:
        for key in keys.get(field, ()):
            found = values.get(key)
            if found is not None:
                return found
        return []

    fields: dict[str, Any] = {field: tuple(found[:MOST_VALUES]) for field in _LISTS if (found := look_up(field))}
    fields |= {field: found[0] for field in _SINGLES if (found := look_up(field))}
    for field, total in (("track", "track_total"), ("disc", "disc_total")):
        found = look_up(field)
        fields[field] = _number(found)
        fields[total] = _total(found) or _number(look_up(total))
    fields["compilation"] = _truth(look_up("compilation"))
    fields["advisory"] = _advisory(look_up("advisory"))
    for field in ("musicbrainz_artist_ids", "musicbrainz_album_artist_ids"):
        if field in fields:
            fields[field] = _words(fields[field])  # ID3v2.3 has no other way to hold several
    fields["release_status"] = next((word.strip().lower() for word in look_up("release_status") if word.strip()), None)
    if "release_type" in fields:
        fields["release_type"] = tuple(word.lower() for word in _words(fields["release_type"]))
    fields |= {field: texts[:MOST_VALUES] for field, texts in fact_fields(kind, values).items()}
    return fields


def _words(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a list: two in "Album/Live" and in "album; live"."""
    return tuple(word for text in texts for part in re.split("[/;]", text) if (word := part.strip()))


def _positive(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else None


def track_of(parsed: Parsed) -> Track:
    """All fields of a file."""
    fields: dict[str, Any] = text_fields(parsed.kind, parsed.tags) if parsed.tags else {}
    for kind, tags in ((parsed.other_kind, parsed.other_tags), (parsed.kind, parsed.last_tags)):
        if tags:
            fields = text_fields(kind, tags) | {field: value for field, value in fields.items() if value is not None}
    facts = {field: fields.pop(field) for field in FACTS & fields.keys()}
    if facts:
        fields["facts"] = Facts(**facts)
    info = parsed.info
    length = getattr(info, "length", None)
    if length is not None and math.isfinite(length):
        fields["duration_s"] = round(length, 3)
    return Track(
        **fields,
        codec=parsed.codec,
        lossless=parsed.lossless,
        bitrate=_positive(parsed.bitrate or getattr(info, "bitrate", None)),
        sample_rate=_positive(getattr(info, "sample_rate", None)),
        bit_depth=_positive(getattr(info, "bits_per_sample", None)),
        channels=_positive(getattr(info, "channels", None)),
    )
