"""Files that are whole and legal but unusual: tags at the other end, several tags, tags before other formats, endless streams."""

from __future__ import annotations

import base64
import struct
from io import BytesIO
from typing import Any

import mutagen.apev2
import mutagen.flac
import pytest
from msgspec.structs import replace
from mutagen import id3

from orchestrator.tags.policy import FEW_BYTES
from orchestrator.track import Reading, Status, Track
from tests.audio import picture, track_bytes
from tests.audio_realistic import KINDS, Kind
from tests.audio_tags import Cover
from tests.tags.ranges import POLICIES, WHOLE_FILE, read
from tests.virtual_file import VirtualFile

KIB = 1024
TRACK = Track(title=("One",), artist=("Two",), album=("Three",), track=4, date="2005")
MP3 = track_bytes("mp3", None, seconds=200)
ID3V1 = b"TAG" + b"Old title".ljust(30, b"\0") + b"Old artist".ljust(30, b"\0") + b"Old album".ljust(30, b"\0") + b"1987"
ID3V1 += b"a comment".ljust(28, b"\0") + b"\0\x09\x11"


@pytest.fixture(params=POLICIES.values(), ids=POLICIES)
def policy(request: pytest.FixtureRequest) -> Any:
    return request.param


def same_as_local(name: str, content: bytes, policy: Any) -> Reading:
    reading = read(name, content, policy)
    local = read(name, content, WHOLE_FILE)
    assert (reading.status, reading.track, reading.suspect) == (local.status, local.track, local.suspect), reading.reason
    return reading


def id3_tag(*frames: id3.Frame, version: int = 4, padding: int = 0) -> bytes:
    tags = id3.ID3()
    for frame in frames:
        tags.add(frame)
    if version == 3:
        tags.update_to_v23()
    file = BytesIO()
    tags.save(file, v1=0, v2_version=version, padding=lambda _: padding)
    return file.getvalue()


def ape_tag(cover: int = 0, **items: str) -> bytes:
    tags = mutagen.apev2.APEv2()
    for key, value in items.items():
        tags[key.replace("_", " ")] = value
    if cover:
        tags["Cover Art (Front)"] = mutagen.apev2.APEValue(b"cover.jpg\0" + picture(cover), mutagen.apev2.BINARY)
    file = BytesIO()
    tags.save(file)
    return file.getvalue()


TITLE, ARTIST, ALBUM = (getattr(id3, name)(encoding=3, text=[name]) for name in ("TIT2", "TPE1", "TALB"))
NUMBER, DATE = id3.TRCK(encoding=3, text=["7"]), id3.TDRC(encoding=3, text=["2010"])
LONG = "A title that goes on well beyond thirty characters"
V1 = b"TAG" + LONG[:30].encode() + b"Artist".ljust(30, b"\0") + b"Album".ljust(30, b"\0") + b"1987" + bytes(28) + b"\0\x09\x11"


def test_an_mp3_with_id3v1_only_is_tagged(policy: Any) -> None:
    reading = same_as_local("x.mp3", MP3 + ID3V1, policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.track, reading.track.date) == (("Old title",), 9, "1987")


@pytest.mark.parametrize("cover", [0, 300_000])
def test_apev2_comes_before_the_short_texts_of_id3v1(policy: Any, cover: int) -> None:
    """Some taggers write just these two."""
    ape = ape_tag(cover, Title=LONG, Artist="Artist", Album_Artist="AA", Disc="2/2")
    reading = same_as_local("x.mp3", MP3 + ape + V1, policy)
    track = reading.track
    assert track is not None
    assert (track.title, track.album_artist, track.disc, track.disc_total) == ((LONG,), ("AA",), 2, 2)
    assert (track.album, track.track, track.date) == (("Album",), 9, "1987")  # fields that only ID3v1 has count, too
    assert len(reading.covers or ()) == bool(cover)


def test_an_id3v2_that_lacks_the_album_is_filled_from_apev2_first(policy: Any) -> None:
    ape = ape_tag(Title="Ape", Artist="A", Album=LONG, Track="3/9")
    reading = same_as_local("x.mp3", id3_tag(TITLE, NUMBER) + MP3 + ape + V1, policy)
    track = reading.track
    assert track is not None
    assert (track.title, track.artist, track.album, track.track) == (("TIT2",), ("A",), (LONG,), 7)
    assert track.track_total == 9
    whole = same_as_local("x.mp3", id3_tag(TITLE, ARTIST, ALBUM) + MP3 + ape + V1, policy).track
    assert whole is not None
    assert (whole.album, whole.track) == (("TALB",), 9)  # one that names all three needs ID3v1 at most
    without_id3v1 = same_as_local("x.mp3", id3_tag(TITLE, ARTIST, ALBUM) + MP3 + ape, policy).track
    assert without_id3v1 is not None
    assert (without_id3v1.album, without_id3v1.track) == (("TALB",), 3)


@pytest.mark.parametrize("cover", [0, 300_000])
@pytest.mark.parametrize("trailer", [b"", ID3V1[:3] + bytes(125)], ids=["last", "before ID3v1"])
def test_an_mp3_with_apev2_only_is_tagged(policy: Any, cover: int, trailer: bytes) -> None:
    content = MP3 + ape_tag(cover, Title="Ape", Artist="A", Album_Artist="AA", Track="3/9") + trailer
    reading = same_as_local("x.mp3", content, policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.album_artist, reading.track.track_total) == (("Ape",), ("AA",), 9)
    if policy is FEW_BYTES:
        assert reading.bytes_read <= 128 * KIB


def test_id3v1_fills_only_what_id3v2_lacks(policy: Any) -> None:
    reading = same_as_local("x.mp3", id3_tag(TITLE, ARTIST, NUMBER) + MP3 + ID3V1, policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.album, reading.track.date) == (("TIT2",), ("Old album",), "1987")


def test_a_complete_id3v2_tag_costs_one_range_and_id3v1_adds_nothing(policy: Any) -> None:
    reading = same_as_local("x.mp3", id3_tag(TITLE, ARTIST, ALBUM, NUMBER, DATE) + MP3 + ID3V1, policy)
    assert reading.track is not None
    assert (reading.requests, reading.track.comment) == (1, None)


def test_of_several_id3v2_tags_the_first_counts_and_all_are_skipped_for_the_sound(policy: Any) -> None:
    cover = id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(200_000))
    second = id3_tag(id3.TIT2(encoding=3, text=["second"]), cover)
    reading = same_as_local("x.mp3", id3_tag(TITLE, ARTIST, ALBUM, NUMBER, DATE) + second + MP3, policy)
    assert reading.track is not None
    assert reading.track.title == ("TIT2",)
    assert reading.track.duration_s == pytest.approx(199.06, abs=0.1)


def test_much_padding_is_not_read(policy: Any) -> None:
    reading = same_as_local("x.mp3", id3_tag(TITLE, ARTIST, ALBUM, NUMBER, DATE, padding=3_000_000) + MP3, policy)
    assert reading.status is Status.TAGGED
    assert reading.bytes_read <= 600 * KIB


def test_plain_frame_sizes_in_id3v24_as_itunes_wrote_them(policy: Any) -> None:
    frames = [("TPE1", b"\x03" + b"a" * 300), ("APIC", b"\0image/jpeg\0\3\0" + picture(150_000)), ("TIT2", b"\x03behind")]
    body = b"".join(name.encode() + struct.pack(">I", len(data)) + b"\0\0" + data for name, data in frames)
    size = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    reading = same_as_local("x.mp3", b"ID3\x04\0\0" + size + body + MP3, policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.artist) == (("behind",), ("a" * 300,))


@pytest.mark.parametrize("flags", [0x80, 0x40], ids=["unsynchronised", "extended header"])
def test_tags_whose_offsets_cannot_be_computed_are_read_whole(policy: Any, flags: int) -> None:
    body = b"" if flags == 0x80 else struct.pack(">IHI", 6, 0, 0)
    cover = b"\0image/jpeg\0\3\0" + picture(150_000).replace(b"\xff", b"\xfe")
    for name, data in (("TIT2", b"\0title"), ("APIC", cover), ("TALB", b"\0behind")):
        body += name.encode() + struct.pack(">I", len(data)) + b"\0\0" + data
    size = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    reading = same_as_local("x.mp3", b"ID3\x03\0" + bytes([flags]) + size + body + MP3, policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.album) == (("title",), ("behind",))


def lame_mp3(music_length: int, *, crc: bytes = b"\x12\x34") -> bytes:
    """An MP3 of silent frames whose first frame has a LAME tag that states this number of bytes of sound."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    lame = b"LAME3.100".ljust(28, b"\0") + music_length.to_bytes(4, "big") + crc + b"\x56\x78"
    info = b"Info" + struct.pack(">III", 7, 1999, music_length) + bytes(100) + lame
    return frame[:36] + info + frame[36 + len(info) :] + frame * 1999


def test_the_lame_tag_is_the_identity_and_reveals_a_cut_file() -> None:
    length = len(lame_mp3(0))
    whole = lame_mp3(length)
    readings = [read("x.mp3", tag + whole) for tag in (b"", id3_tag(TITLE, ARTIST, ALBUM, NUMBER, DATE))]
    assert readings[0].identity is not None
    assert readings[0].identity.kind == "lame"
    assert readings[0].identity == readings[1].identity
    assert [reading.suspect for reading in readings] == [None, None]
    assert read("x.mp3", lame_mp3(length, crc=b"\0\1")).identity != readings[0].identity
    cut = read("x.mp3", whole[: length // 2])
    assert cut.suspect is not None
    assert cut.suspect.startswith("cut short")


def flac_with(blocks: list[tuple[int, bytes]]) -> bytes:
    """A FLAC with these metadata blocks after STREAMINFO."""
    plain = track_bytes("flac", None, seconds=200)
    out = plain[:4] + b"\0" + plain[5:42]
    for index, (kind, data) in enumerate(blocks):
        out += bytes([kind | (0x80 if index == len(blocks) - 1 else 0)]) + len(data).to_bytes(3, "big") + data
    position = 4
    while not plain[position] & 0x80:
        position += 4 + int.from_bytes(plain[position + 1 : position + 4], "big")
    return out + plain[position + 4 + int.from_bytes(plain[position + 1 : position + 4], "big") :]


def flac_picture(size: int) -> bytes:
    block = mutagen.flac.Picture()
    block.type, block.mime, block.data = 3, "image/jpeg", picture(size)
    return bytes(block.write())


def flac_comments(**texts: str) -> bytes:
    tags = mutagen.flac.VCFLACDict()
    for key, text in texts.items():
        tags[key] = text
    return bytes(tags.write(framing=False))


@pytest.mark.parametrize("size", [40_000, 300_000, 8_000_000])
def test_a_flac_picture_before_the_comments_is_skipped(policy: Any, size: int) -> None:
    content = flac_with([(6, flac_picture(size)), (1, bytes(100_000)), (4, flac_comments(title="Behind", artist="A", album="B"))])
    reading = same_as_local("x.flac", content, policy)
    assert reading.track is not None
    assert reading.track.title == ("Behind",)
    assert reading.bytes_read <= (112 * KIB if policy is FEW_BYTES else 640 * KIB)


def test_large_comments_and_pictures_among_the_comments_are_not_read(policy: Any) -> None:
    encoded = base64.b64encode(flac_picture(3_000_000)).decode()
    comments = flac_comments(title="T", artist="A", lyrics="la " * 150_000, metadata_block_picture=encoded, album="behind")
    reading = same_as_local("x.flac", flac_with([(4, comments), (1, bytes(9000))]), policy)
    assert reading.track is not None, reading.reason
    assert (reading.track.title, reading.track.album, reading.track.comment) == (("T",), ("behind",), None)
    assert [(cover.mime, round(cover.size, -4)) for cover in reading.covers or ()] == [("image/jpeg", 3_000_000)]
    assert reading.requests <= 3
    assert reading.bytes_read <= 384 * KIB


def test_id3_before_a_flac_counts_only_if_the_flac_has_no_tags(policy: Any) -> None:
    tag = id3_tag(TITLE, ARTIST, id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(200_000)))
    with_own = same_as_local("x.flac", tag + flac_with([(4, flac_comments(title="Own"))]), policy)
    without = same_as_local("x.flac", tag + flac_with([(1, bytes(100))]), policy)
    assert with_own.track is not None
    assert without.track is not None
    assert (with_own.track.title, without.track.title) == (("Own",), ("TIT2",))


@pytest.mark.parametrize("audio_format", ["ogg", "opus"])
def test_an_ogg_file_cut_in_its_last_page_still_has_a_length(policy: Any, audio_format: str) -> None:
    content = track_bytes(audio_format, TRACK, seconds=200)
    cut = content[: len(content) * 3 // 4 - 11]
    reading = same_as_local(f"x.{audio_format}", cut, policy)
    assert reading.track is not None
    assert reading.track.duration_s is not None
    assert 50 < reading.track.duration_s < 190
    assert reading.requests <= 2


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.extension in ("ogg", "opus", "spx")],
    ids=lambda kind: f"{kind.format}, {kind.variant}",
)
def test_two_ogg_streams_in_a_row_have_the_tags_of_the_first_and_no_duration_if_the_end_is_far(policy: Any, kind: Kind) -> None:
    first, long, short = (whole_of(kind, seconds, serial) for serial, seconds in enumerate((40.0, 60.0, 0.3)))
    alone, local = read(f"x.{kind.extension}", first, policy), read(f"x.{kind.extension}", first + long, WHOLE_FILE)
    chained = read(f"x.{kind.extension}", first + long, policy)
    assert chained.track is not None, chained.reason
    assert local.track is not None
    assert chained.track.has_tags
    assert replace(chained.track, duration_s=None, bitrate=None) == replace(local.track, duration_s=None, bitrate=None)
    assert chained.track.duration_s in {None, local.track.duration_s}
    assert (chained.identity, chained.suspect) == (None, None)
    near = read(f"x.{kind.extension}", first + short, policy)
    assert near.track is not None
    assert alone.track is not None
    assert (near.track.duration_s, near.identity) == (alone.track.duration_s, alone.identity)


def whole_of(kind: Kind, seconds: float, serial: int) -> bytes:
    content = VirtualFile(kind.make(seconds, serial, Cover(b"", first=True)))
    return content[0 : len(content)]


@pytest.mark.parametrize("audio_format", ["ogg", "opus"])
def test_a_damaged_ogg_file_is_read_equally_by_every_policy(audio_format: str) -> None:
    """A broken page in the middle, and no end: with the whole file at hand, the parser alone would stop in the middle."""
    content = bytearray(track_bytes(audio_format, TRACK, seconds=30))
    middle = content.index(b"OggS", len(content) // 3)
    content[middle : middle + 4] = b"oops"
    cut = content[: content.rindex(b"OggS") + 40]
    found = [read(f"x.{audio_format}", bytes(cut), policy) for policy in (*POLICIES.values(), WHOLE_FILE)]
    assert {one.suspect is None for one in found} == {False}
    assert len({one.track.duration_s for one in found if one.track is not None}) == 1


def test_an_ogg_file_whose_end_is_another_stream_is_unreadable_rather_than_wrong() -> None:
    content = track_bytes("ogg", TRACK, seconds=200)
    reading = read("x.ogg", content + bytes(200_000))
    assert reading.status is Status.UNREADABLE
    assert reading.bytes_read < 256 * KIB


def test_atoms_after_moov_are_not_requested(policy: Any) -> None:
    content = track_bytes("m4a", TRACK, seconds=200)
    inner = struct.pack(">I4s", 199_992, b"free") + bytes(199_984)
    fragments = b"".join(struct.pack(">I4s", 200_000, name) + inner for name in (b"moof", b"mdat") * 5)
    reading = same_as_local("x.m4a", content + fragments, policy)
    assert reading.status is Status.TAGGED
    assert reading.requests <= 4


def test_an_atom_after_moov_that_claims_more_than_there_is_makes_no_difference_to_a_policy() -> None:
    content = track_bytes("m4a", TRACK, seconds=200)
    broken = content + struct.pack(">I4s", 0x7FFFFFFF, b"junk") + bytes(100_000)
    found = [read("x.m4a", broken, policy) for policy in (*POLICIES.values(), WHOLE_FILE)]
    assert {(one.suspect, one.identity) for one in found} == {(None, read("x.m4a", content).identity)}


def test_an_apev2_tag_with_a_cover_before_the_texts(policy: Any) -> None:
    sound = track_bytes("ape", None, seconds=200)
    reading = same_as_local("x.ape", sound + ape_tag(500_000, Title="T", Artist="A", Album="B", Year="1999"), policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.date) == (("T",), "1999")


def test_musepack_after_an_id3_tag_is_not_taken_for_mp3(policy: Any) -> None:
    content = id3_tag(TITLE, ARTIST) + track_bytes("mpc", None, seconds=200)
    reading = same_as_local("x.mp3", content, policy)
    assert reading.track is not None
    assert (reading.track.codec, reading.track.title) == ("musepack", ("TIT2",))


@pytest.mark.parametrize("audio_format", ["ape", "wv", "mpc"])
def test_an_id3_tag_before_other_formats_is_skipped_and_used_only_without_an_apev2_tag(policy: Any, audio_format: str) -> None:
    tag = id3_tag(TITLE, ARTIST, id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(200_000)))
    without = same_as_local(f"x.{audio_format}", tag + track_bytes(audio_format, None, seconds=200), policy)
    with_own = same_as_local(f"x.{audio_format}", tag + track_bytes(audio_format, TRACK, seconds=200), policy)
    assert without.track is not None
    assert with_own.track is not None
    assert (without.track.title, with_own.track.title) == (("TIT2",), TRACK.title)
    assert without.identity == read(f"x.{audio_format}", track_bytes(audio_format, None, seconds=200)).identity
