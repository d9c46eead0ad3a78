"""The places where programs write the tags of an MP4: iTunes, QuickTime, GStreamer, mobile phones."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from orchestrator.track import Reading, Status
from tests.audio import picture, track_bytes
from tests.audio_tags import atom, full_atom
from tests.tags.ranges import POLICIES, WHOLE_FILE, read

FOUND = {"title": ("T",), "artist": ("A",), "album": ("Al",), "track": 3, "date": "2013-11-25"}
ITUNES = {b"\xa9nam": "T", b"\xa9ART": "A", b"\xa9alb": "Al", b"\xa9day": "2013-11-25"}
HANDLER = full_atom(b"hdlr", bytes(4), b"mdirappl", bytes(9))


def data(value: bytes, kind: int = 1) -> bytes:
    return atom(b"data", struct.pack(">II", kind, 0), value)


def items(texts: dict[bytes, str] = ITUNES, number: bytes = b"\0\0\0\3\0\0\0\0", *more: bytes) -> bytes:
    numbered = atom(b"trkn", data(number, 0))
    return atom(b"ilst", *(atom(name, data(text.encode())) for name, text in texts.items()), numbered, *more)


def keyed(names: list[str]) -> bytes:
    """QuickTime's list: the names, and items that state the index of their name."""
    keys = atom(b"keys", bytes(4), struct.pack(">I", len(names)), *(atom(b"mdta", name.encode()) for name in names))
    values = [*ITUNES.values(), "3"]
    listed = [atom(struct.pack(">I", index), data(value.encode())) for index, value in enumerate(values, start=1)]
    return keys + atom(b"ilst", *listed)


def text(name: bytes, value: bytes, language: int = 0x55C4) -> bytes:
    """A text of QuickTime."""
    return atom(name, struct.pack(">HH", len(value), language), value)


def mobile(name: bytes, value: bytes) -> bytes:
    """A text of 3GPP."""
    return atom(name, bytes(4), b"\x15\xc7", value)


def m4a(*parts: bytes, track_parts: bytes = b"") -> bytes:
    """A small file with more atoms in `moov`, and in its track."""
    content = track_bytes("m4a", None)
    start = content.index(b"moov") - 4
    end = start + int.from_bytes(content[start : start + 4], "big")
    moov = content[start + 8 : end]
    track = moov.index(b"trak") - 4
    track_end = track + int.from_bytes(moov[track : track + 4], "big")
    inside = moov[:track] + atom(b"trak", moov[track + 8 : track_end], track_parts) + moov[track_end:]
    return content[:start] + atom(b"moov", inside, *parts) + content[end:]


def same_by_every_policy(content: bytes) -> Reading:
    local = read("x.m4a", content, WHOLE_FILE)
    for policy in POLICIES.values():
        found = read("x.m4a", content, policy)
        assert (found.status, found.track, found.covers) == (local.status, local.track, local.covers), found.reason
    return local


def fields(content: bytes) -> dict[str, Any]:
    track = same_by_every_policy(content).track
    assert track is not None
    return {name: getattr(track, name) for name in FOUND}


QUICKTIME = ["com.apple.quicktime." + name for name in ("title", "artist", "album", "year", "track")]
ITEMS = [atom(name, data(value.encode())) for name, value in ITUNES.items()]
TEXTS = [text(name, value.encode()) for name, value in ITUNES.items()]
PLACES = {
    "iTunes": m4a(atom(b"udta", full_atom(b"meta", HANDLER, items()))),
    "iTunes, without a version": m4a(atom(b"udta", atom(b"meta", HANDLER, items()))),
    "in the movie, without a version": m4a(atom(b"meta", HANDLER, items())),
    "QuickTime's names": m4a(atom(b"meta", HANDLER, keyed(QUICKTIME))),
    "ffmpeg's names": m4a(full_atom(b"meta", HANDLER, keyed(["title", "artist", "album", "date", "track"]))),
    "names in iTunes' place": m4a(atom(b"udta", full_atom(b"meta", HANDLER, keyed(QUICKTIME)))),
    "texts": m4a(atom(b"udta", *TEXTS, text(b"\xa9trk", b"3"))),
    "texts as items": m4a(atom(b"udta", *ITEMS, text(b"\xa9trk", b"3"))),
    "GStreamer's, in the track": m4a(track_parts=atom(b"udta", full_atom(b"meta", HANDLER, items()))),
    "the number as a text": m4a(atom(b"udta", full_atom(b"meta", HANDLER, items(), items({}, b"3/9")))),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_tags_are_found_wherever_programs_write_them(place: str) -> None:
    assert fields(PLACES[place]) == FOUND


def test_the_texts_of_mobile_phones_are_found() -> None:
    udta = [mobile(b"titl", b"T\0"), mobile(b"perf", "\ufeffA\0".encode("utf-16-be")), mobile(b"albm", b"Al\0\3")]
    found = fields(m4a(atom(b"udta", *udta, atom(b"yrrc", bytes(4), struct.pack(">H", 2013)))))
    assert found == FOUND | {"date": "2013"}


def test_itunes_place_comes_first_and_the_others_fill_gaps() -> None:
    content = m4a(
        atom(b"meta", HANDLER, keyed(["title", "artist", "album", "date", "track"])),
        atom(b"udta", full_atom(b"meta", HANDLER, atom(b"ilst", atom(b"\xa9nam", data(b"mine")))), text(b"\xa9ART", b"other")),
    )
    assert fields(content) == FOUND | {"title": ("mine",)}


def test_a_second_list_in_one_place_fills_gaps_and_a_value_of_several_items_has_several_texts() -> None:
    several = atom(b"ilst", atom(b"\xa9nam", data(b"T")), atom(b"\xa9ART", data(b"A"), data(b"B")), atom(b"\xa9ART", data(b"C")))
    second = items({**ITUNES, b"\xa9nam": "other"})
    content = m4a(atom(b"udta", full_atom(b"meta", HANDLER, several)), atom(b"udta", full_atom(b"meta", HANDLER, second)))
    assert fields(content) == FOUND | {"artist": ("A", "B", "C")}


@pytest.mark.parametrize(
    ("name", "value", "language", "expected"),
    [
        (b"\xa9nam", "Größe".encode(), 0, "Größe"),
        (b"\xa9nam", "Größe".encode("mac_roman"), 0, "Größe"),
        (b"\xa9nam", "Größe".encode("latin-1"), 0x55C4, "Größe"),
    ],
)
def test_texts_of_quicktime_are_decoded(name: bytes, value: bytes, language: int, expected: str) -> None:
    assert fields(m4a(atom(b"udta", text(name, value, language))))["title"] == (expected,)


def test_one_text_that_is_no_utf8_and_one_that_is_utf16_cost_no_other_tag() -> None:
    more = [atom(b"\xa9cmt", data("Grüße".encode("latin-1"))), atom(b"\xa9gen", data("Pop".encode("utf-16-be"), 2))]
    content = m4a(atom(b"udta", full_atom(b"meta", HANDLER, items(ITUNES, b"\0\0\0\3", *more))))
    track = same_by_every_policy(content).track
    assert track is not None
    assert (track.comment, track.genre, track.track) == ("Grüße", ("Pop",), 3)


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_large_values_are_skipped_by_their_lengths(size: int) -> None:
    blob = atom(b"----", full_atom(b"mean", b"com.apple.iTunes"), full_atom(b"name", b"BLOB"), data(picture(size), 0))
    lyrics = atom(b"\xa9lyr", data(b"la " * (size // 3)))
    udta = atom(b"udta", full_atom(b"meta", HANDLER, atom(b"free", bytes(size)), atom(b"ilst", blob, lyrics), items()))
    content = m4a(udta)
    for policy in POLICIES.values():
        reading = read("x.m4a", content, policy)
        assert reading.track is not None, reading.reason
        assert {name: getattr(reading.track, name) for name in FOUND} == FOUND
        assert reading.bytes_read <= 1024 * 1024
        assert reading.requests <= 6


def test_damaged_tags_are_no_reason_to_refuse_the_sound() -> None:
    for broken in (atom(b"ilst", atom(b"trkn", data(b"\0", 0)), b"\0\0\0\7data"), b"\0\0\xff\xffilst", atom(b"keys", b"\0" * 9)):
        reading = same_by_every_policy(m4a(atom(b"udta", full_atom(b"meta", HANDLER, broken)), atom(b"meta", broken)))
        assert (reading.status, reading.track and reading.track.codec) == (Status.UNTAGGED, "aac")
