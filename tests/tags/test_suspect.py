"""Sound that was cut short is recognized if the container reveals it, and whole sound is never taken for cut."""

from __future__ import annotations

import io
from typing import Any

import pytest
from msgspec.structs import replace
from mutagen.ogg import OggPage

from orchestrator.tags.policy import FEW_BYTES, Policy
from orchestrator.track import Status, Track
from tests import audio_streams
from tests.audio_frames import SAMPLES, flac, tagged
from tests.audio_realistic import KINDS, Kind
from tests.audio_tags import Cover
from tests.tags.ranges import POLICIES, corpus, corpus_files, read
from tests.virtual_file import VirtualFile

NEVER = {"CBR ID3v2.3 and v1", "VBR no header ID3v2.4", "ID3v1", "version 7"}
"""Streams whose header does not state their length in bytes."""
NEARLY = {"with md5", "without md5"}
"""WavPack: only if its last block was read, which depends on how much of the end is read."""
ENDS = [replace(policy, end_check=64 * 1024) for policy in POLICIES.values()]
WRONG_BLOCK_SIZE = {"01 - wrong max blocksize", "08 - blocksize 65536"}
"""Their heads state a wrong length of frames, so the position of the last one in the sound is unknown."""
CUTS = (0.3, 0.6, 0.9, 0.99)
WHOLE_BUT_SHORTENED = {
    "MusicBrainz-Picard-tags.flac", "issue_70.ogg", "ogg-multipagemetadata-bug.ogg", "flac_application.flac", "test.opus",
    "variable-block.flac", "vbri.mp3",
}  # fmt: skip
"""Files of the corpus that are cut short although the index does not say so: each was examined."""


def made(extension: str, variant: str, seconds: float = 30.0) -> bytes:
    kind = next(kind for kind in KINDS if (kind.extension, kind.variant) == (extension, variant))
    content = VirtualFile(kind.make(seconds, 5, Cover(b"", first=True)))
    return content[0 : len(content)]


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.format != "FLAC"], ids=lambda kind: f"{kind.format}, {kind.variant}"
)
def test_a_cut_file_is_suspect_or_unreadable_and_never_has_the_identity_of_the_whole(kind: Kind) -> None:
    whole = made(kind.extension, kind.variant)
    for policy in POLICIES.values():
        before = read(f"x.{kind.extension}", whole, policy)
        assert (before.suspect, before.reason) == (None, None)
        for part in CUTS:
            reading = read(f"x.{kind.extension}", whole[: int(len(whole) * part)], policy)
            recognised = reading.status is Status.UNREADABLE or reading.suspect is not None
            if kind.variant not in NEARLY:
                assert recognised == (kind.variant not in NEVER), part
            assert reading.identity is None or (not recognised and reading.identity != before.identity), part


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_flac_is_checked_by_its_last_seek_point_and_its_smallest_frame(policy: Any) -> None:
    whole = made("flac", "16/44")
    assert read("x.flac", whole, policy).suspect is None
    for part in (0.2, 0.5, 0.8):
        reading = read("x.flac", whole[: int(len(whole) * part)], policy)
        assert reading.suspect is not None
        assert reading.identity is None


@pytest.mark.parametrize("seek_table", [False, True])
@pytest.mark.parametrize("policy", ENDS, ids=POLICIES)
def test_a_flac_whose_end_is_read_reveals_every_lost_byte(policy: Policy, seek_table: bool) -> None:
    whole = flac(60, 3, seek_table=seek_table)
    for content in (whole, whole + b"TAG" + b"A title".ljust(125, b"\0"), tagged(whole, Track(title=("T",)))):
        reading = read("x.flac", content, policy)
        assert (reading.suspect, reading.whole) == (None, True)
        assert reading.requests <= 2
        assert not read("x.flac", content, FEW_BYTES).whole  # its end was not read
    for lost in (3, 500, 8_300, len(whole) // 20):
        assert read("x.flac", whole[:-lost], FEW_BYTES).identity is not None or (seek_table and lost > 8_300)
        cut = read("x.flac", whole[:-lost], policy)
        assert cut.suspect is not None
        assert (cut.identity, cut.whole) == (None, False)
    filled_up = read("x.flac", whole[:-20_000] + bytes(20_000), policy)  # as in an unfinished download
    assert filled_up.suspect is not None


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_flac_in_ogg_is_whole_if_its_last_page_holds_the_last_sample(policy: Policy) -> None:
    plain = flac(60, 3)
    packets = [plain[42 + 1000 * index :][:1000] for index in range(60)]  # their contents are never looked at
    first = b"\x7fFLAC\1\0\0\1fLaC" + bytes((0, 0, 0, 34)) + plain[8:42]
    comments = b"\x84" + (8).to_bytes(3, "big") + bytes(8)
    whole = audio_streams._ogg(1, [first, comments], packets, SAMPLES, 0)
    seen = read("x.oga", whole, policy)
    assert (seen.suspect, seen.whole) == (None, True)
    assert seen.identity == read("x.flac", plain, policy).identity
    for part in (0.2, 0.5, 0.8):
        cut = read("x.oga", whole[: whole.rindex(b"OggS", 0, int(len(whole) * part))], policy)
        assert cut.suspect is not None
        assert (cut.identity, cut.whole) == (None, False)


def test_a_whole_flac_of_the_corpus_is_known_to_be_whole_once_its_end_is_read() -> None:
    folder = corpus()
    if folder is None:
        return  # test_corpus reports it; the same is checked with generated files
    for line, content in corpus_files(folder):
        if line["format"] == "flac":
            plain = read(line["path"], content)
            seen = read(line["path"], content, ENDS[0])
            assert (seen.status, seen.track) == (plain.status, plain.track)
            if not any(odd in line["path"] for odd in WRONG_BLOCK_SIZE):
                assert seen.suspect == plain.suspect, line["path"]


def test_no_whole_file_of_the_corpus_is_suspect() -> None:
    folder = corpus()
    if folder is None:
        return  # test_corpus reports it
    suspects = set()
    for line, content in corpus_files(folder):
        if read(line["path"], content).suspect is not None and not {"truncated", "no-audio"} & set(line["traits"]):
            suspects.add(line["path"].rpartition("/")[2])
    assert suspects == WHOLE_BUT_SHORTENED


def test_tags_after_cut_sound_do_not_hide_the_cut() -> None:
    whole = made("mp3", "CBR LAME ID3v2.4")
    id3v1 = b"TAG" + b"A title".ljust(125, b"\0")
    assert read("x.mp3", whole + id3v1).suspect is None
    assert read("x.mp3", whole[:-200] + id3v1).suspect is not None
    whole = made("mp3", "APEv2")
    tag = whole.index(b"APETAGEX")
    assert read("x.mp3", whole).suspect is None
    assert read("x.mp3", whole[: tag - 20] + whole[tag:]).suspect is not None


def test_a_wav_from_a_pipe_is_not_suspect() -> None:
    whole = made("wav", "16/44", 1.0)
    at = whole.index(b"data")
    for size in (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000):
        assert read("x.wav", whole[: at + 4] + size.to_bytes(4, "little") + whole[at + 8 :]).suspect is None


def pages(content: bytes) -> list[Any]:
    file, found = io.BytesIO(content), []
    while file.tell() < len(content):
        found.append(OggPage(file))
    return found


def test_an_ogg_stream_without_its_end_flag_is_whole_and_one_that_ends_within_a_packet_is_not() -> None:
    all_pages = pages(made("ogg", "short pages"))
    all_pages[-1].last = False
    assert read("x.ogg", b"".join(page.write() for page in all_pages)).suspect is None
    all_pages[-1].complete = False  # its last packet continues
    all_pages[-1].packets[-1] = bytes(510)
    assert read("x.ogg", b"".join(page.write() for page in all_pages)).suspect is not None
