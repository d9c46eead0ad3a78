"""Tags that are easily missed or taken for damage: several of a kind, odd encodings and flags, pictures and texts of any size."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from mutagen import id3

from orchestrator.track import Reading, Status, Track
from tests.audio import FORMATS, picture, track_bytes
from tests.audio_realistic import KINDS, Kind
from tests.audio_tags import Cover
from tests.tags.ranges import POLICIES, WHOLE_FILE, read
from tests.virtual_file import VirtualFile

KIB = 1024
MP3 = track_bytes("mp3", None, seconds=60)
TITLE, ARTIST, ALBUM = (getattr(id3, name)(encoding=3, text=[name]) for name in ("TIT2", "TPE1", "TALB"))
NUMBER, DATE = id3.TRCK(encoding=3, text=["7/9"]), id3.TDRC(encoding=3, text=["2010"])
ALL = (TITLE, ARTIST, ALBUM, NUMBER, DATE)
JPEG = id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(100_000))


def same_by_every_policy(name: str, content: bytes) -> tuple[Reading, list[Reading]]:
    local = read(name, content, WHOLE_FILE)
    readings = [read(name, content, policy) for policy in POLICIES.values()]
    for reading in readings:
        assert (reading.status, reading.track) == (local.status, local.track), reading.reason
    return local, readings


def tag(*frames: id3.Frame | bytes, version: int = 4) -> bytes:
    """An ID3v2 tag with the frames in this order."""
    body = b""
    for frame in frames:
        if isinstance(frame, bytes):
            body += frame
            continue
        tags, file = id3.ID3(), BytesIO()
        tags.add(frame)
        tags.save(file, v1=0, v2_version=version, padding=lambda _: 0)
        body += file.getvalue()[10:]
    return b"ID3" + bytes((version, 0, 0)) + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0)) + body


def chapters(count: int, size: int) -> list[id3.Frame]:
    """Chapters with a title and a picture each."""
    inside = [
        id3.TIT2(encoding=3, text=["Chapter"]),
        id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(size)),
    ]
    return [
        id3.CHAP(
            element_id=f"c{n}", start_time=n * 1000, end_time=n * 1000 + 999, start_offset=0, end_offset=0, sub_frames=inside
        )
        for n in range(count)
    ]


# ------------------------------------------------------------ several tags


def test_a_second_id3v2_tag_fills_the_gaps_of_the_first() -> None:
    first, second = (
        tag(TITLE, JPEG),
        tag(id3.TIT2(encoding=3, text=["old"]), ARTIST, ALBUM, id3.TPE2(encoding=3, text=["AA"]), version=3),
    )
    empty = tag(id3.TIT2(encoding=3, text=[""]), id3.TALB(encoding=3, text=[""]))
    for front, title in ((first, ("TIT2",)), (empty, ("old",))):
        local, _ = same_by_every_policy("x.mp3", front + second + tag(NUMBER) + MP3)
        assert local.track is not None
        track = local.track
        assert (track.title, track.artist, track.album, track.album_artist) == (title, ("TPE1",), ("TALB",), ("AA",))
        assert (track.track, track.track_total) == (7, 9)
        assert track.duration_s == pytest.approx(60, abs=1)


def test_a_damaged_second_tag_does_no_harm() -> None:
    local, _ = same_by_every_policy("x.mp3", tag(*ALL) + b"ID3\x04\0\0\0\0\0\x14" + b"TIT2\x7f\x7f\x7f\x7f" * 2 + bytes(4) + MP3)
    assert local.track is not None
    assert (local.track.title, local.status) == (("TIT2",), Status.TAGGED)


@pytest.mark.parametrize("audio_format", ["wav", "aiff", "m4a", "ogg", "opus", "dsf", "wma"])
def test_an_id3_tag_before_a_format_without_a_place_for_it_fills_the_gaps_of_its_own(audio_format: str) -> None:
    """Some taggers put ID3v2 before every file."""
    name, front = f"x.{FORMATS[audio_format].extension}", tag(*ALL, JPEG)
    stream = track_bytes(audio_format, None, seconds=20)
    local, _ = same_by_every_policy(name, front + stream)
    alone = read(name, stream, WHOLE_FILE)
    assert local.track is not None, local.reason
    assert alone.track is not None
    assert (local.track.title, local.track.track) == (("TIT2",), 7)
    assert (local.track.codec, local.track.duration_s) == (alone.track.codec, alone.track.duration_s)
    assert (local.identity, local.suspect) == (alone.identity, None)
    own, _ = same_by_every_policy(name, front + track_bytes(audio_format, Track(title=("own",)), seconds=20))
    assert own.track is not None
    assert (own.track.title, own.track.album) == (("own",), ("TALB",))


def test_an_id3v2_tag_behind_the_sound_is_found_by_its_footer() -> None:
    front = tag(*ALL)
    end = front[:5] + b"\x10" + front[6:] + b"3DI" + front[3:5] + b"\x10" + front[6:10]
    for behind in (end, end + b"TAG" + bytes(125)):
        local, _ = same_by_every_policy("x.mp3", MP3 + behind)
        assert local.track is not None
        assert (local.track.title, local.track.album, local.track.track) == (("TIT2",), ("TALB",), 7)


# ------------------------------------------------------------ flags and encodings


def test_a_text_that_says_it_is_utf8_and_is_not_is_taken_for_latin1() -> None:
    wrong = [b"TIT2" + struct.pack(">I", 6) + b"\0\0\3Gr\xf6\xdfe", b"TXXX" + struct.pack(">I", 8) + b"\0\0\3YEAR\0\xb4\xb4"]
    local, _ = same_by_every_policy("x.mp3", tag(*wrong, ARTIST, version=3) + MP3)
    assert local.track is not None
    assert (local.track.title, local.track.artist) == (("Größe",), ("TPE1",))


def v22(flags: int, *frames: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + len(text).to_bytes(3, "big") + text for name, text in frames) + bytes(32)
    return b"ID3\2\0" + bytes([flags]) + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0)) + body


@pytest.mark.parametrize("flags", [0x40, 0xC0])
def test_the_flag_for_compression_in_id3v22_means_nothing(flags: int) -> None:
    frames = ((b"TT2", b"\0T"), (b"TP1", b"\0A"), (b"TAL", b"\0Al"), (b"TYE", b"\x002004"), (b"TRK", b"\x003"))
    local, _ = same_by_every_policy("x.mp3", v22(flags, *frames) + MP3)
    assert local.track is not None, local.reason
    assert (local.track.title, local.track.album, local.track.date, local.track.track) == (("T",), ("Al",), "2004", 3)


def test_an_id3v22_tag_that_really_is_compressed_is_named_as_such() -> None:
    local, _ = same_by_every_policy("x.mp3", v22(0x40, (b"\x78\x9c\x01", b"whatever")) + MP3)
    assert (local.status, local.reason) == (
        Status.UNREADABLE,
        "its ID3 tag says that it is compressed, and its frames cannot be read",
    )


def ape(*items: tuple[bytes, bytes, int], count: int | None = None) -> bytes:
    """An APEv2 tag without a header."""
    body = b"".join(struct.pack("<II", len(value), kind << 1) + key + b"\0" + value for key, value, kind in items)
    return body + b"APETAGEX" + struct.pack("<IIII", 2000, len(body) + 32, len(items) if count is None else count, 0) + bytes(8)


TEXTS = (
    (b"Title", b"T", 0),
    (b"Artist", "Größe\0B".encode(), 0),
    (b"Album", b"Al", 0),
    (b"Track", b"3/9", 0),
    (b"Year", b"1999", 0),
)


@pytest.mark.parametrize("name", ["x.wv", "x.mp3", "x.ape", "x.mpc", "x.tta"])
@pytest.mark.parametrize(
    "odd",
    [
        (b"Comment", "Grüße".encode("latin-1"), 0),
        (b"\xe9", b"x", 0),
        (b"X", b"x", 0),
        (b"Some", b"\xff\xfe\0", 3),
        (b"ID3", b"x", 0),
    ],
)
def test_one_odd_item_of_an_apev2_tag_costs_no_other(name: str, odd: tuple[bytes, bytes, int]) -> None:
    stream = track_bytes(name[2:], None, seconds=20)
    for content in (stream + ape(odd, *TEXTS), stream + ape(odd, *TEXTS, count=99)):
        local, _ = same_by_every_policy(name, content)
        assert local.track is not None, local.reason
        track = local.track
        assert (track.title, track.artist, track.album, track.track, track.date) == (("T",), ("Größe", "B"), ("Al",), 3, "1999")
        assert track.comment == ("Grüße" if odd[0] == b"Comment" else None)


def test_an_apev2_tag_whose_items_do_not_end_with_it_is_damaged() -> None:
    broken = ape((b"Title", b"T", 0))
    broken = broken.replace(struct.pack("<II", 1, 0), struct.pack("<II", 900, 0), 1)
    reading = read("x.wv", track_bytes("wv", None) + broken)
    assert (reading.status, reading.reason) == (Status.UNREADABLE, "its APEv2 tag is damaged: an item has no end")


# ------------------------------------------------------------ size


@pytest.mark.parametrize(
    ("count", "size", "most_requests"), [(3, 300_000, 4), (10, 100_000, 10), (30, 100_000, 10), (200, 20_000, 10)]
)
def test_chapters_with_pictures_are_skipped_by_their_lengths(count: int, size: int, most_requests: int) -> None:
    contents = id3.CTOC(element_id="toc", flags=3, child_element_ids=[f"c{n}" for n in range(count)], sub_frames=[])
    for frames in ([*ALL, contents, *chapters(count, size)], [contents, *chapters(min(count, 10), size), *ALL]):
        local, readings = same_by_every_policy("x.mp3", tag(*frames) + MP3)
        assert local.track is not None, local.reason
        track = local.track
        assert (track.title, track.artist, track.album, track.track, track.date) == (("TIT2",), ("TPE1",), ("TALB",), 7, "2010")
        assert track.duration_s == pytest.approx(60, abs=1)
        for reading in readings:
            assert reading.requests <= most_requests + 2 * (frames[0] is contents)
            assert reading.bytes_read <= 1280 * KIB


@pytest.mark.parametrize(
    ("count", "size", "reason"), [(15, 200_000, None), (60, 30_000, None), (60, 90_000, "more than 24 places")]
)
def test_many_pictures_are_skipped_as_long_as_a_few_ranges_suffice(count: int, size: int, reason: str | None) -> None:
    pictures = [id3.APIC(encoding=0, mime="image/jpeg", type=0, desc=str(n), data=picture(size)) for n in range(count)]
    for policy in POLICIES.values():
        reading = read("x.mp3", tag(*pictures, *ALL) + MP3, policy)
        if reason is not None:
            assert reason in (reading.reason or "")
            continue
        assert reading.track is not None, reading.reason
        assert (reading.track.title, reading.track.track, len(reading.covers or ())) == (("TIT2",), 7, min(count, 16))


def test_a_title_that_is_too_long_is_named() -> None:
    """It counts as none, so the file may stay where it is: somebody must be told why."""
    words = "x" * 400_000
    long_title = id3.TIT2(encoding=3, text=[words])
    samples = {
        "x.mp3": ("TIT2", tag(long_title, ARTIST, ALBUM) + MP3),
        "x.flac": ("title", track_bytes("flac", Track(title=(words,), artist=("a",), album=("b",)))),
        "x.ogg": ("title", track_bytes("ogg", Track(title=(words,), artist=("a",), album=("b",)))),
        "x.m4a": ("©nam", track_bytes("m4a", Track(title=(words,), artist=("a",), album=("b",)))),
        "x.wv": ("title", track_bytes("wv", Track(title=(words,), artist=("a",), album=("b",)))),
    }
    for name, (key, content) in samples.items():
        local, _ = same_by_every_policy(name, content)
        assert local.track is not None
        assert local.track.title == ()
        assert local.too_long is not None
        assert local.too_long.startswith(f"its text {key} of 400,0"), local.too_long
        assert local.too_long.endswith("bytes is too long, and was skipped")
    complete, _ = same_by_every_policy("x.mp3", tag(id3.TXXX(encoding=3, desc="LONG", text=[words]), *ALL) + MP3)
    assert complete.too_long is None


def test_long_texts_and_attachments_of_any_name_are_skipped() -> None:
    long = id3.TXXX(encoding=3, desc="WAVEFORM", text=["x" * 400_000])
    zeros = id3.TXXX(encoding=3, desc="ZEROS", text=[""] * 50_000)
    lyrics = id3.USLT(encoding=1, lang="fra", desc="", text="la " * 100_000)
    comment = id3.COMM(encoding=3, lang="eng", desc="", text=["y" * 300_000])
    attachment = id3.PRIV(owner="x", data=picture(1_000_000))
    local, readings = same_by_every_policy("x.mp3", tag(long, zeros, lyrics, comment, attachment, *ALL) + MP3)
    assert local.track is not None, local.reason
    assert (local.track.title, local.track.album, local.track.comment) == (("TIT2",), ("TALB",), None)
    assert local.track.facts is not None
    assert local.track.facts.lyrics_language == ("fra",)
    assert readings[0].bytes_read <= 192 * KIB
    ape_tag = ape(
        (b"Blob", picture(700_000), 1),
        (b"Lyrics", b"la " * 300_000, 0),
        *TEXTS,
        (b"Cover Art (Front)", b"c.jpg\0" + picture(400_000), 1),
    )
    for name in ("x.wv", "x.mp3"):
        local, readings = same_by_every_policy(name, track_bytes(name[2:], None, seconds=20) + ape_tag)
        assert local.track is not None, local.reason
        assert (local.track.title, local.track.track) == (("T",), 3)
        assert [cover.size for cover in local.covers or ()] == [400_000]
        assert readings[0].bytes_read <= 192 * KIB


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.variant == "full pages"], ids=lambda kind: kind.format)
def test_covers_in_ogg_pages_of_the_longest_size_cost_one_more_request(kind: Kind) -> None:
    for size in (30_000, 50_000, 70_000, 100_000, 130_000, 150_000, 200_000):
        for first in (True, False):
            file = VirtualFile(kind.make(200.0, 1, Cover(picture(size), first=first)))
            local, readings = same_by_every_policy(f"x.{kind.extension}", file[0 : len(file)])
            assert local.track is not None
            assert [cover.size for cover in readings[0].covers or ()] == [size]
            assert readings[0].identity == local.identity
            assert max(reading.requests for reading in readings) <= 3, (size, first)
            assert readings[0].bytes_read <= 128 * KIB
