"""Tags of WAV, AIFF and DSDIFF: lists and chunks of texts, and ID3v2 tags where programs put them."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from mutagen import id3

from orchestrator.track import Reading, Status, Track
from tests.audio import picture, track_bytes
from tests.audio_realistic import KINDS
from tests.audio_tags import Cover
from tests.tags.ranges import POLICIES, WHOLE_FILE, read
from tests.virtual_file import VirtualFile

SECONDS = 30
TEXTS = {"INAM": "T", "IART": "A", "IPRD": "Al", "ITRK": "3", "ICRD": "2013-11-25", "IGNR": "Pop", "ICMT": "c", "ISRC": "a shop"}
FOUND = {"title": ("T",), "artist": ("A",), "album": ("Al",), "track": 3, "date": "2013-11-25", "genre": ("Pop",), "comment": "c"}


def id3_tag(*frames: id3.Frame) -> bytes:
    tags, file = id3.ID3(), BytesIO()
    for frame in frames:
        tags.add(frame)
    tags.save(file, v1=0, padding=lambda _: 0)
    return file.getvalue()


TAG = id3_tag(
    *(getattr(id3, name)(encoding=3, text=[text]) for name, text in (("TIT2", "T"), ("TPE1", "A"), ("TALB", "Al"), ("TRCK", "3")))
)
COVER = id3_tag(
    id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(90_001)),
    id3.TIT2(encoding=3, text=["T"]),
    id3.TALB(encoding=3, text=["Al"]),
)


def chunk(name: bytes, content: bytes, *, order: str = "<", pad: bool = True) -> bytes:
    return name + struct.pack(order + "I", len(content)) + content + b"\0" * (len(content) % 2 and pad)


def info(texts: dict[str, str], *, encoding: str = "utf-8", form: str = "usual") -> bytes:
    """An INFO list as programs write it: `form` says how they count zeros and fill up odd lengths."""
    body = b"INFO"
    for name, text in texts.items():
        value = text.encode(encoding)
        if form == "usual":
            body += chunk(name.encode(), value + b"\0")
        elif form == "not filled up":
            body += chunk(name.encode(), value + b"\0", pad=False)
        else:  # the zero is not counted
            body += chunk(name.encode(), value, pad=False) + b"\0"
    return chunk(b"LIST", body)


def wav(*inside: bytes, before: bytes = b"", behind: bytes = b"", odd: bool = False) -> bytes:
    """A WAV with more chunks after the sound, before it, and behind the stated end."""
    plain = track_bytes("wav", None, seconds=SECONDS)
    at = plain.index(b"data")
    data = plain[at : at + 8] + plain[at + 8 :]
    if odd:  # the sound has an odd length, and no byte fills it up
        data = b"data" + struct.pack("<I", len(plain) - at - 9) + plain[at + 9 :]
    body = b"WAVE" + plain[12:at] + before + data + b"".join(inside)
    return b"RIFF" + struct.pack("<I", len(body)) + body + behind


def aiff(*inside: bytes, behind: bytes = b"") -> bytes:
    plain = track_bytes("aiff", None, seconds=SECONDS)
    body = plain[8:] + b"".join(inside)
    return b"FORM" + struct.pack(">I", len(body)) + body + behind


def same_by_every_policy(name: str, content: bytes) -> tuple[Track, list[Reading]]:
    local = read(name, content, WHOLE_FILE)
    assert local.track is not None, local.reason
    readings = [read(name, content, policy) for policy in POLICIES.values()]
    for reading in readings:
        assert (reading.status, reading.track, reading.suspect) == (local.status, local.track, None), reading.reason
        assert reading.requests <= 4
        assert reading.bytes_read <= 640 * 1024
    return local.track, readings


def fields(name: str, content: bytes) -> dict[str, Any]:
    track, _ = same_by_every_policy(name, content)
    return {field: getattr(track, field) for field in FOUND}


INFO_LISTS = {
    "before the sound": wav(before=info(TEXTS)),
    "after it": wav(info(TEXTS)),
    "behind the stated end": wav(behind=info(TEXTS)),
    "after an odd sound": wav(info(TEXTS), odd=True),
    "not filled up": wav(info(TEXTS, form="not filled up")),
    "without the zero": wav(info(TEXTS, form="the zero is not counted")),
    "small letters": wav(info({key.lower(): text for key, text in TEXTS.items()})),
    "IPRT": wav(info(TEXTS | {"IPRT": "3", "ITRK": ""})),
    "after another list": wav(chunk(b"LIST", b"adtl" + chunk(b"labl", b"\1\0\0\0x\0")), info(TEXTS)),
    "two lists": wav(info(dict(list(TEXTS.items())[:3])), info(dict(list(TEXTS.items())[2:]) | {"INAM": "another"})),
}


@pytest.mark.parametrize("form", INFO_LISTS)
def test_an_info_list_is_read_wherever_and_however_it_was_written(form: str) -> None:
    assert fields("x.wav", INFO_LISTS[form]) == FOUND


def test_info_lists_in_other_encodings_and_with_huge_texts() -> None:
    track, _ = same_by_every_policy("x.wav", wav(info({"INAM": "Größe", "IART": "Bjørk"}, encoding="latin-1")))
    assert (track.title, track.artist, track.isrc) == (("Größe",), ("Bjørk",), ())
    track, _ = same_by_every_policy("x.wav", wav(info({"INAM": "Title", "IART": "A"}, encoding="utf-16-le")))
    assert (track.title, track.artist) == (("Title",), ("A",))
    track, _ = same_by_every_policy("x.wav", wav(info({"ICMT": "x" * 200_000, "INAM": "T"})))
    assert (track.title, track.comment) == (("T",), None)


def test_of_very_many_long_texts_the_first_are_read_and_the_others_named() -> None:
    many = [(b"ICMT", b"x" * 60_000)] * 100
    for texts, title in (([(b"INAM", b"T"), *many], ("T",)), ([*many, (b"INAM", b"T")], ())):
        body = b"INFO" + b"".join(name + struct.pack("<I", len(text)) + text for name, text in texts)
        body += bytes(len(body) % 2)
        content = track_bytes("wav", None, seconds=0.5) + b"LIST" + struct.pack("<I", len(body)) + body
        content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
        for policy in POLICIES.values():
            found = read("x.wav", content, policy)
            assert found.track is not None, found.reason
            assert found.track.title == title
            assert found.too_long is not None
            assert found.too_long.startswith("its text INFO of ")


def test_id3_comes_before_the_info_list_which_fills_gaps() -> None:
    """dBpoweramp and Mp3tag write both; the list has no place for most fields, and 8-bit editors write to it."""
    other = info({"INAM": "list", "IART": "list", "ICRD": "2001"})
    for content in (wav(before=other, behind=b"") + b"", wav(other, chunk(b"id3 ", TAG)), wav(chunk(b"ID3 ", TAG), other)):
        track, _ = same_by_every_policy("x.wav", content)
        both = b"TIT2" in content
        assert (track.title, track.artist, track.date) == (("T",) if both else ("list",), ("A",) if both else ("list",), "2001")


PLACES = {
    "WAV, chunk": ("x.wav", wav(chunk(b"id3 ", TAG))),
    "WAV, chunk behind the stated end": ("x.wav", wav(behind=chunk(b"id3 ", TAG))),
    "WAV, chunk after an odd one": ("x.wav", wav(chunk(b"junk", b"odd", pad=False), chunk(b"id3 ", TAG))),
    "WAV, bare behind the chunks": ("x.wav", wav(behind=TAG)),
    "WAV, bare and counted": ("x.wav", wav(TAG)),
    "WAV, bare after an odd sound": ("x.wav", wav(behind=TAG, odd=True)),
    "AIFF, chunk": ("x.aiff", aiff(chunk(b"ID3 ", TAG, order=">"))),
    "AIFF, chunk behind the stated end": ("x.aiff", aiff(behind=chunk(b"ID3 ", TAG, order=">"))),
    "AIFF, chunk after an odd one": (
        "x.aiff",
        aiff(chunk(b"ANNO", b"odd", order=">", pad=False), chunk(b"ID3 ", TAG, order=">")),
    ),
    "AIFF, bare": ("x.aiff", aiff(behind=TAG)),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_id3_tag_is_found_in_every_place(place: str) -> None:
    name, content = PLACES[place]
    assert fields(name, content) | {"comment": None} == FOUND | {"date": None, "genre": (), "comment": None}


def test_several_id3_tags_fill_each_others_gaps_and_covers_are_skipped() -> None:
    track, readings = same_by_every_policy("x.wav", wav(chunk(b"id3 ", COVER), behind=chunk(b"id3 ", TAG)))
    assert (track.title, track.artist, track.track) == (("T",), ("A",), 3)
    assert [cover.size for cover in readings[0].covers or ()] == [90_001]


def test_the_text_chunks_of_aiff_are_read() -> None:
    chunks = [
        chunk(name, text, order=">") for name, text in ((b"NAME", b"T"), (b"AUTH", b"A"), (b"ANNO", b"c"), (b"(c) ", b"2001 X"))
    ]
    assert fields("x.aiff", aiff(*chunks)) == FOUND | {"album": (), "track": None, "date": None, "genre": ()}
    track, _ = same_by_every_policy("x.aiff", aiff(*chunks, chunk(b"ID3 ", TAG, order=">")))
    assert (track.title, track.album, track.comment) == (("T",), ("Al",), "c")


def test_the_edited_master_information_of_dsdiff_is_read() -> None:
    kind = next(kind for kind in KINDS if kind.extension == "dff")
    file = VirtualFile(kind.make(5.0, 1, Cover(b"", first=True)))
    plain = file[0 : len(file)].replace(b"ID3 ", b"XXX ")  # its own tag
    texts = [(b"DIAR", b"A"), (b"DITI", "Größe".encode("latin-1"))]
    inside = [name + struct.pack(">QI", 4 + len(text), len(text)) + text + b"\0" * (len(text) % 2) for name, text in texts]
    diin = b"".join(inside)
    content = plain[:4] + struct.pack(">Q", len(plain) + len(diin)) + plain[12:] + b"DIIN" + struct.pack(">Q", len(diin)) + diin
    track, _ = same_by_every_policy("x.dff", content)
    assert (track.title, track.artist) == (("Größe",), ("A",))


def test_a_broadcast_wav_without_tags_has_none() -> None:
    """The originator of its `bext` chunk is a program or a device, its description whatever the recordist typed."""
    bext = b"take 3".ljust(256, b"\0") + b"Pro Tools".ljust(32, b"\0") + bytes(314)
    reading = read("x.wav", wav(before=chunk(b"bext", bext)))
    assert reading.status is Status.UNTAGGED


def test_normal_files_cost_no_more_requests() -> None:
    for audio_format in ("wav", "aiff"):
        content = track_bytes(audio_format, Track(title=("T",)), seconds=200)
        assert [read(f"x.{audio_format}", content, policy).requests for policy in POLICIES.values()] == [2, 2]
        assert read(f"x.{audio_format}", track_bytes(audio_format, None, seconds=200)).requests <= 2
