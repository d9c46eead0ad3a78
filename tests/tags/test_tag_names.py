"""Every kind of tag fills the same fields: names that taggers write, and the rules for numbers and words."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.wave
import pytest
from mutagen import id3

from orchestrator.tags.tag_texts import MOST_VALUES
from orchestrator.tags.tag_values import text_fields
from orchestrator.track import Track
from tests.audio import track_bytes
from tests.tags.ranges import read

ID = "0b6f6b2e-0000-4000-8000-00000000000"
FULL: dict[str, Any] = {
    "title": ("T",),
    "artist": ("A", "B"),
    "album_artist": ("AA",),
    "album": ("Al",),
    "track": 2,
    "track_total": 12,
    "disc": 1,
    "disc_total": 3,
    "disc_subtitle": "Ds",
    "compilation": True,
    "release_type": ("album", "live"),
    "release_status": "bootleg",
    "edition": "deluxe",
    "venue": "Hall",
    "date": "1999-02-03",
    "original_date": "1980",
    "genre": ("Rock", "Pop"),
    "composer": ("C",),
    "label": "L",
    "catalogue_number": "CN",
    "barcode": "123",
    "media": "CD",
    "subtitle": "Sub",
    "version": ("Ver", "Sion"),
    "remixer": ("R1", "R2"),
    "comment": "hello",
    "isrc": ("I1",),
    "musicbrainz_recording_id": ID + "1",
    "musicbrainz_track_id": ID + "2",
    "musicbrainz_release_id": ID + "3",
    "musicbrainz_release_group_id": ID + "4",
    "musicbrainz_artist_ids": (ID + "5", ID + "6"),
    "musicbrainz_album_artist_ids": (ID + "7",),
    "acoustid_id": ID + "8",
    "title_sort": "Ts",
    "artist_sort": ("As",),
    "album_artist_sort": ("AAs",),
    "album_sort": ("Als"),
    "advisory": "explicit",
}


def test_the_list_of_fields_here_is_complete() -> None:
    stream_facts = {"duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless", "video"}
    elsewhere = {"facts", "track_text", "disc_text", "position", "media_kind"}  # test_fact_names, _written, _positions, _kinds
    elsewhere.add("cue_sheet")  # test_cue_sheets
    assert set(FULL) | stream_facts | elsewhere == set(Track.__struct_fields__)


def vorbis() -> bytes:
    audio = mutagen.flac.FLAC(BytesIO(track_bytes("flac", None)))
    audio.add_tags()
    assert audio.tags is not None
    for key, values in {
        "TITLE": ["T"],
        "Artist": ["A", "B"],
        "ALBUMARTIST": ["AA"],
        "ALBUM": ["Al"],
        "TRACKNUMBER": ["02"],
        "TOTALTRACKS": ["12"],
        "DISCNUMBER": ["1/3"],
        "DISCSUBTITLE": ["Ds"],
        "COMPILATION": ["1"],
        "RELEASETYPE": ["Album", "live"],
        "RELEASESTATUS": ["Bootleg"],
        "MUSICBRAINZ_ALBUMCOMMENT": ["deluxe"],
        "VENUE": ["Hall"],
        "DATE": ["1999-02-03"],
        "ORIGINALDATE": ["1980"],
        "GENRE": ["Rock", "Pop"],
        "COMPOSER": ["C"],
        "LABEL": ["L"],
        "CATALOGNUMBER": ["CN"],
        "BARCODE": ["123"],
        "MEDIA": ["CD"],
        "SUBTITLE": ["Sub"],
        "VERSION": ["Ver", "Sion"],
        "REMIXER": ["R1", "R2"],
        "COMMENT": ["hello"],
        "ISRC": ["I1"],
        "MUSICBRAINZ_TRACKID": [ID + "1"],
        "MUSICBRAINZ_RELEASETRACKID": [ID + "2"],
        "MUSICBRAINZ_ALBUMID": [ID + "3"],
        "MUSICBRAINZ_RELEASEGROUPID": [ID + "4"],
        "MUSICBRAINZ_ARTISTID": [ID + "5", ID + "6"],
        "MUSICBRAINZ_ALBUMARTISTID": [ID + "7"],
        "ACOUSTID_ID": [ID + "8"],
        "TITLESORT": ["Ts"],
        "ARTISTSORT": ["As"],
        "ALBUMARTISTSORT": ["AAs"],
        "ALBUMSORT": ["Als"],
        "ITUNESADVISORY": ["1"],
    }.items():
        audio.tags[key] = values
    return saved(audio, track_bytes("flac", None))


def saved(audio: Any, stream: bytes) -> bytes:
    file = BytesIO(stream)
    audio.save(file)
    return file.getvalue()


def id3_frames(tags: Any) -> None:
    text = {
        "TIT2": ["T"],
        "TPE1": ["A", "B"],
        "TPE2": ["AA"],
        "TALB": ["Al"],
        "TRCK": ["2/12"],
        "TPOS": ["1/3"],
        "TSST": ["Ds"],
        "TCMP": ["1"],
        "TDRC": ["1999-02-03"],
        "TDOR": ["1980"],
        "TCON": ["17", "Pop"],
        "TCOM": ["C"],
        "TPUB": ["L"],
        "TMED": ["CD"],
        "TIT3": ["Sub"],
        "TPE4": ["R1", "R2"],
        "TSRC": ["I1"],
        "TSOT": ["Ts"],
        "TSOP": ["As"],
        "TSO2": ["AAs"],
        "TSOA": ["Als"],
    }
    for name, values in text.items():
        tags.add(getattr(id3, name)(encoding=3, text=values))
    named = {
        "MusicBrainz Release Track Id": ID + "2",
        "MusicBrainz Album Id": ID + "3",
        "MusicBrainz Release Group Id": ID + "4",
        "MusicBrainz Artist Id": f"{ID}5/{ID}6",
        "MusicBrainz Album Artist Id": ID + "7",
        "Acoustid Id": ID + "8",
        "MusicBrainz Album Type": "album/live",
        "MusicBrainz Album Status": "bootleg",
        "MusicBrainz Album Comment": "deluxe",
        "VENUE": "Hall",
        "BARCODE": "123",
        "CATALOGNUMBER": "CN",
        "ITUNESADVISORY": "1",
    }
    for name, value in named.items():
        tags.add(id3.TXXX(encoding=3, desc=name, text=[value]))
    tags.add(id3.TXXX(encoding=3, desc="VERSION", text=["Ver", "Sion"]))
    tags.add(id3.COMM(encoding=3, lang="eng", desc="iTunNORM", text=["0000"]))
    tags.add(id3.COMM(encoding=3, lang="eng", desc="", text=["hello"]))
    tags.add(id3.UFID(owner="http://musicbrainz.org", data=(ID + "1").encode()))


def mp3() -> bytes:
    tags = id3.ID3()
    id3_frames(tags)
    file = BytesIO(track_bytes("mp3", None))
    tags.save(file)
    return file.getvalue()


def wav() -> bytes:
    stream = track_bytes("wav", None)
    audio = mutagen.wave.WAVE(BytesIO(stream))
    audio.add_tags()
    id3_frames(audio.tags)
    return saved(audio, stream)


def m4a() -> bytes:
    stream = track_bytes("m4a", None)
    audio = mutagen.mp4.MP4(BytesIO(stream))
    audio.add_tags()
    plain: dict[str, Any] = {
        "\xa9nam": ["T"],
        "\xa9ART": ["A", "B"],
        "aART": ["AA"],
        "\xa9alb": ["Al"],
        "trkn": [(2, 12)],
        "disk": [(1, 3)],
        "cpil": True,
        "\xa9day": ["1999-02-03"],
        "\xa9gen": ["Rock", "Pop"],
        "\xa9wrt": ["C"],
        "\xa9cmt": ["hello"],
        "sonm": ["Ts"],
        "soar": ["As"],
        "soaa": ["AAs"],
        "soal": ["Als"],
        "rtng": [4],
    }
    free = {
        "DISCSUBTITLE": ["Ds"],
        "MusicBrainz Album Type": ["album", "live"],
        "MusicBrainz Album Status": ["Bootleg"],
        "ALBUMVERSION": ["deluxe"],
        "VENUE": ["Hall"],
        "ORIGINALDATE": ["1980"],
        "LABEL": ["L"],
        "MEDIA": ["CD"],
        "CATALOGNUMBER": ["CN"],
        "BARCODE": ["123"],
        "SUBTITLE": ["Sub"],
        "VERSION": ["Ver", "Sion"],
        "REMIXER": ["R1", "R2"],
        "ISRC": ["I1"],
        "MusicBrainz Track Id": [ID + "1"],
        "MusicBrainz Release Track Id": [ID + "2"],
        "MusicBrainz Album Id": [ID + "3"],
        "MusicBrainz Release Group Id": [ID + "4"],
        "MusicBrainz Artist Id": [ID + "5", ID + "6"],
        "MusicBrainz Album Artist Id": [ID + "7"],
        "Acoustid Id": [ID + "8"],
    }
    assert audio.tags is not None
    for key, value in plain.items():
        audio.tags[key] = value
    for name, values in free.items():
        audio.tags["----:com.apple.iTunes:" + name] = [value.encode() for value in values]
    return saved(audio, stream)


def ape() -> bytes:
    tags = mutagen.apev2.APEv2()
    for key, value in {
        "Title": "T",
        "Artist": ["A", "B"],
        "Album Artist": "AA",
        "Album": "Al",
        "Track": "2/12",
        "Disc": "1/3",
        "DiscSubtitle": "Ds",
        "Compilation": "1",
        "MUSICBRAINZ_ALBUMTYPE": ["album", "live"],
        "MUSICBRAINZ_ALBUMSTATUS": "bootleg",
        "Edition": "deluxe",
        "Venue": "Hall",
        "Year": "1999-02-03",
        "ORIGINALDATE": "1980",
        "Genre": ["Rock", "Pop"],
        "Composer": "C",
        "Label": "L",
        "CatalogNumber": "CN",
        "Barcode": "123",
        "Media": "CD",
        "Subtitle": "Sub",
        "Version": ["Ver", "Sion"],
        "MixArtist": ["R1", "R2"],
        "Comment": "hello",
        "ISRC": "I1",
        "MUSICBRAINZ_TRACKID": ID + "1",
        "MUSICBRAINZ_RELEASETRACKID": ID + "2",
        "MUSICBRAINZ_ALBUMID": ID + "3",
        "MUSICBRAINZ_RELEASEGROUPID": ID + "4",
        "MUSICBRAINZ_ARTISTID": [ID + "5", ID + "6"],
        "MUSICBRAINZ_ALBUMARTISTID": ID + "7",
        "ACOUSTID_ID": ID + "8",
        "TITLESORT": "Ts",
        "ARTISTSORT": "As",
        "ALBUMARTISTSORT": "AAs",
        "ALBUMSORT": "Als",
        "ITUNESADVISORY": "1",
    }.items():
        tags[key] = value
    file = BytesIO(track_bytes("wv", None))
    tags.save(file)
    return file.getvalue()


def wma() -> bytes:
    stream = track_bytes("wma", None)
    audio = mutagen.asf.ASF(BytesIO(stream))
    for key, value in {
        "Title": ["T"],
        "Author": ["A", "B"],
        "WM/AlbumArtist": ["AA"],
        "WM/AlbumTitle": ["Al"],
        "WM/TrackNumber": ["2/12"],
        "WM/PartOfSet": ["1/3"],
        "WM/SetSubTitle": ["Ds"],
        "WM/IsCompilation": [mutagen.asf.ASFBoolAttribute(True)],
        "MusicBrainz/Album Type": ["album", "live"],
        "MusicBrainz/Album Status": ["bootleg"],
        "MusicBrainz/Album Comment": ["deluxe"],
        "VENUE": ["Hall"],
        "WM/Year": ["1999-02-03"],
        "WM/OriginalReleaseYear": ["1980"],
        "WM/Genre": ["Rock", "Pop"],
        "WM/Composer": ["C"],
        "WM/Publisher": ["L"],
        "WM/CatalogNo": ["CN"],
        "WM/Barcode": ["123"],
        "WM/Media": ["CD"],
        "WM/SubTitle": ["Sub"],
        "VERSION": ["Ver", "Sion"],
        "WM/ModifiedBy": ["R1", "R2"],
        "Description": ["hello"],
        "WM/ISRC": ["I1"],
        "MusicBrainz/Track Id": [ID + "1"],
        "MusicBrainz/Release Track Id": [ID + "2"],
        "MusicBrainz/Album Id": [ID + "3"],
        "MusicBrainz/Release Group Id": [ID + "4"],
        "MusicBrainz/Artist Id": [ID + "5", ID + "6"],
        "MusicBrainz/Album Artist Id": [ID + "7"],
        "Acoustid/Id": [ID + "8"],
        "WM/TitleSortOrder": ["Ts"],
        "WM/ArtistSortOrder": ["As"],
        "WM/AlbumArtistSortOrder": ["AAs"],
        "WM/AlbumSortOrder": ["Als"],
        "ITUNESADVISORY": ["1"],
    }.items():
        audio.tags[key] = value
    return saved(audio, stream)


@pytest.mark.parametrize(
    ("name", "make"), [("x.flac", vorbis), ("x.mp3", mp3), ("x.wav", wav), ("x.m4a", m4a), ("x.wv", ape), ("x.wma", wma)]
)
def test_every_field_is_found_under_the_names_that_taggers_use(name: str, make: Any) -> None:
    track = read(name, make()).track
    assert track is not None
    found = {field: getattr(track, field) for field in FULL}
    assert found == FULL


NAMES: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(
        ("ALBUMARTIST", "ALBUM ARTIST", "album_artist", "Album-Artist", "AlbumArtists", "Band", "TPE2"), ("album_artist", ("3",))
    ),
    **dict.fromkeys(("date", "YEAR", "RELEASEDATE", "release_time", "TDRL", "TDOR", "Original Year"), ("date", "2003")),
    **dict.fromkeys(("OriginalDate", "ORIGINAL RELEASE DATE", "origyear", "TDOR"), ("original_date", "2003")),
    **dict.fromkeys(("TRACKNUMBER", "track", "Track No"), ("track", 3)),
    **dict.fromkeys(("TRACKTOTAL", "TotalTracks", "TRACKC", "track_count"), ("track_total", 3)),
    **dict.fromkeys(("DISCNUMBER", "disc", "Disk-Number", "part of set"), ("disc", 3)),
    **dict.fromkeys(("DISCTOTAL", "TotalDiscs", "DISCC", "disk total"), ("disc_total", 3)),
    **dict.fromkeys(("COMPILATION", "TCMP", "IsCompilation", "itunes_compilation"), ("compilation", True)),
    **dict.fromkeys(("MUSICBRAINZ_ALBUMID", "MusicBrainz Album Id", "MusicBrainz/Album Id"), ("musicbrainz_release_id", "3")),
}
"""Free names for the text "3", or "2003" for dates, and the field that each means in every kind of tag."""


def with_free_name(kind: str, name: str, text: str) -> bytes:
    """A file with one tag of this name."""
    stream = track_bytes(kind, None)
    if kind == "mp3":
        id3_tags = id3.ID3()
        id3_tags.add(id3.TXXX(encoding=3, desc=name, text=[text, text]))
        file = BytesIO(stream)
        id3_tags.save(file)
        return file.getvalue()
    if kind == "wv":
        ape_tags = mutagen.apev2.APEv2()
        ape_tags[name] = text
        file = BytesIO(stream)
        ape_tags.save(file)
        return file.getvalue()
    opened = {"flac": mutagen.flac.FLAC, "m4a": mutagen.mp4.MP4, "wma": mutagen.asf.ASF}[kind]
    audio: Any = opened(BytesIO(stream))
    if audio.tags is None:
        audio.add_tags()
    if kind == "m4a":
        audio.tags["----:com.apple.iTunes:" + name] = [text.encode()]
    else:
        audio.tags["WM/" + name if kind == "wma" and name in ("AlbumArtist", "IsCompilation") else name] = [text, text]
    return saved(audio, stream)


@pytest.mark.parametrize("kind", ["flac", "mp3", "wv", "m4a", "wma"])
def test_every_spelling_of_a_name_is_understood_in_every_kind_of_tag(kind: str) -> None:
    for name, (field, expected) in NAMES.items():
        track = read(f"x.{kind}", with_free_name(kind, name, "2003" if "date" in field else "3")).track
        assert track is not None
        assert (name, getattr(track, field)) == (name, expected)


def test_of_several_names_the_usual_one_counts_and_a_value_written_twice_is_one() -> None:
    fields = tags_of(
        **{"ALBUM ARTIST": ["AA"], "ALBUMARTIST": ["AA"], "artist": ["A", "A", "B"], "year": ["2001"], "date": ["2001-05"]}
    )
    assert (fields["album_artist"], fields["artist"], fields["date"]) == (("AA",), ("A", "B"), "2001-05")
    fields = tags_of(
        **{"track": ["x"], "tracknumber": [""], "track no": ["7"], "originaldate": ["1980"], "disc": ["2/3"], "totaldiscs": ["9"]}
    )
    assert (fields["track"], fields["disc_total"], fields.get("date")) == (7, 3, None)


def test_the_track_index_of_old_windows_media_counts_from_zero() -> None:
    stream = track_bytes("wma", None)
    for names, number in (({"WM/Track": 3}, 4), ({"WM/Track": 3, "WM/TrackNumber": 9}, 9)):
        audio: Any = mutagen.asf.ASF(BytesIO(stream))
        for name, value in names.items():
            audio.tags[name] = [value]
        track = read("x.wma", saved(audio, stream)).track
        assert track is not None
        assert track.track == number


def tags_of(**texts: list[str]) -> dict[str, Any]:
    tags = mutagen.flac.VCFLACDict()
    for key, values in texts.items():
        tags[key] = values
    return text_fields("vorbis", tags)


@pytest.mark.parametrize(
    ("text", "number", "total"),
    [
        ("2/12", 2, 12),
        ("02", 2, None),
        (" 7 ", 7, None),
        ("0", None, None),
        ("0/9", None, 9),
        ("A1", None, None),
        ("3 of 4", 3, 4),
        ("", None, None),
        ("/5", None, 5),
        ("1234567890123", None, None),
    ],
)
def test_a_number_and_its_total_may_be_one_text_and_zero_is_none(text: str, number: int | None, total: int | None) -> None:
    fields = tags_of(tracknumber=[text])
    assert (fields["track"], fields["track_total"]) == (number, total)


def test_texts_are_unchanged_but_empty_ones_are_dropped_and_sixteen_are_enough() -> None:
    fields = tags_of(title=["", " Spaced ", ""], artist=[f"a{index}" for index in range(40)])
    assert fields["title"] == (" Spaced ",)
    assert fields["artist"] == tuple(f"a{index}" for index in range(MOST_VALUES))


@pytest.mark.parametrize(
    ("text", "truth"), [("1", True), ("yes", True), ("0", False), ("No", False), ("false", False), (" ", None)]
)
def test_a_compilation_is_true_false_or_unknown(text: str, truth: bool | None) -> None:
    assert tags_of(compilation=[text])["compilation"] is truth
    assert tags_of()["compilation"] is None
