"""Before a duplicate is deleted for good, the copy that stays is read in full: its own checksums prove it, or nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from orchestrator.tags.proof import ProofResult, prove
from orchestrator.tags.proofs.stream import Stream
from orchestrator.track import Track
from tests import audio_streams as streams
from tests.audio import track_bytes
from tests.audio_frames import flac, tagged
from tests.tags.ranges import corpus, corpus_files

TAGS = Track(title=("Song",), artist=("Band",), album=("Album",), track=7)
ID3V1 = b"TAG" + b"A title".ljust(125, b"\0")


def ogg_flac() -> bytes:
    plain = flac(60, 3)
    first = b"\x7fFLAC\1\0\0\1fLaC" + bytes((0, 0, 0, 34)) + plain[8:42]
    comments = b"\x84" + (8).to_bytes(3, "big") + bytes(8)
    return streams._ogg(1, [first, comments], [plain[42 + 1000 * at :][:1000] for at in range(60)], 4096, 0)


PROVABLE = {
    "flac": flac(40, 1),
    "flac, seek table": flac(12, 1, seek_table=True),
    "flac, tags": tagged(flac(12, 2), TAGS),
    "flac, id3v1": flac(12, 2) + ID3V1,
    "ogg flac": ogg_flac(),
    "vorbis": streams.vorbis(5, 1),
    "opus": track_bytes("opus", TAGS, seconds=5),
    "ape": streams.ape(5, 1),
    "ape, tags": track_bytes("ape", TAGS, seconds=5),
    "wavpack 5": streams.wavpack(5, 1, checksums=True),
    "mp3, lame": streams.mp3_lame(5, 1),
    "mp3, lame, tags": track_bytes("mp3-lame", TAGS, seconds=5, cover_bytes=90_000) + ID3V1,
}
UNPROVABLE = {
    "wav": streams.wav(1, 1),
    "aiff": streams.aiff(1, 1),
    "alac": streams.alac(1, 1),
    "aac": streams.m4a(1, 1),
    "dsf": streams.dsf(1, 1),
    "wma": streams.wma(1, 1),
    "musepack": streams.musepack(1, 1),
    "wavpack 4": streams.wavpack(1, 1),
    "mp3 without a checksum": streams.mp3(1, 1),
    "text": b"not a sound" * 100,
    "nothing": b"",
}


def result(content: bytes, size: int = 4096) -> ProofResult:
    return prove(pieces(content, size)).result


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


@pytest.mark.parametrize("name", PROVABLE)
def test_whole_sound_is_proved_in_pieces_of_any_size(name: str) -> None:
    content = PROVABLE[name]
    for size in (7, 4096, len(content)):
        proof = prove(pieces(content, size))
        assert (proof.result, proof.why) == (ProofResult.PROVED, "")


def sound_of(name: str) -> tuple[int, int]:
    """Where the sound begins and ends."""
    content = PROVABLE[name]
    marks = {
        "flac": b"\xff\xf8\xc9",
        "ogg": b"OggS",
        "vor": b"OggS",
        "opu": b"OggS",
        "wav": b"wvpk",
        "ape": b"MAC ",
    }
    start = content.index(marks.get(name[:4], marks.get(name[:3], b"\xff\xfb\x10\xc4")))
    end = content.find(b"APETAGEX") if b"APETAGEX" in content else len(content)
    return start, end - (128 if content.endswith(ID3V1) else 0)


@pytest.mark.parametrize("name", PROVABLE)
def test_damage_anywhere_in_the_sound_is_no_proof(name: str) -> None:
    content = PROVABLE[name]
    start, end = sound_of(name)
    random = Random(1)
    for _ in range(25):
        changed = bytearray(content)
        at = random.randrange(start, end)
        changed[at] ^= 1 << random.randrange(8)
        assert result(bytes(changed)) is not ProofResult.PROVED, at
    for lost in (1, 3, 100, (end - start) // 3):
        assert result(content[: end - lost]) is not ProofResult.PROVED, lost
        assert result(content[: end - lost] + content[end:]) is not ProofResult.PROVED, lost
        zeroed = content[: end - lost] + bytes(lost) + content[end:]
        assert zeroed == content or result(zeroed) is not ProofResult.PROVED, lost
    middle = (start + end) // 2
    replaced = content[:middle] + b"Z" * 40 + content[middle + 40 :]
    assert result(replaced) is not ProofResult.PROVED
    assert result(content[:middle] + content[middle + 40 :]) is not ProofResult.PROVED


@pytest.mark.parametrize("name", UNPROVABLE)
def test_a_file_without_checksums_over_its_sound_is_never_proved(name: str) -> None:
    proof = prove([UNPROVABLE[name]])
    assert proof.result is ProofResult.UNPROVABLE
    assert proof.why


def test_joined_sound_is_not_proved_by_the_first_part() -> None:
    assert result(streams.mp3_lame(5, 1) + streams.mp3(20, 2)) is ProofResult.UNPROVABLE
    assert result(flac(12, 1) + flac(12, 2)) is not ProofResult.PROVED


def test_an_ogg_stream_whose_last_page_is_not_marked_may_have_been_cut() -> None:
    whole = streams.vorbis(5, 1)
    assert result(whole[: whole.rindex(b"OggS")]) is ProofResult.UNPROVABLE


def test_memory_stays_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    fill = Stream.fill

    def noting(self: Stream, length: int) -> bool:
        nonlocal most
        found = fill(self, length)
        most = max(most, len(self.data))
        return found

    monkeypatch.setattr(Stream, "fill", noting)
    content = flac(1000, 1)
    assert len(content) > 4_000_000
    assert result(content, 64 * 1024) is ProofResult.PROVED
    assert most < 500_000


def test_whole_files_of_the_corpus_are_never_called_damaged() -> None:
    folder = corpus()
    if folder is None:
        return  # test_corpus reports it
    shortened = {"truncated", "no-audio"}
    for line, content in corpus_files(folder):
        if line["deliberately_corrupt"] or shortened & set(line["traits"]) or len(content) > 400_000:
            continue
        if line["format"] in ("flac", "ape", "wv", "ogg-vorbis", "ogg-opus", "ogg-flac", "ogg-speex"):
            name = line["path"].rpartition("/")[2]
            assert (result(content) is ProofResult.DAMAGED) == (name in SHORTENED), line["path"]


SHORTENED = {
    "MusicBrainz-Picard-tags.flac",
    "issue_70.ogg",
    "ogg-multipagemetadata-bug.ogg",
    "flac_application.flac",
    "test.opus",
    "variable-block.flac",
}
"""Cut although the index does not say so: see test_suspect."""
