"""Before a duplicate of a FLAC is removed, the end of that FLAC is read: the heads of a cut file and of a whole one are equal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.audio_frames import flac, tagged
from tests.program import Ended, Program

TAGS = Track(title=("Song",), artist=("Band",), album=("Album",), album_artist=("Band",), track=7, disc=1)
FRAMES = 40
WHOLE, CUT, PACKED = "new/Album/07 whole.flac", "A/Album/07 cut.flac", "B/07 packed.flac"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    return tmp_path / "music"


def put(music: Path, path: str, content: bytes, *, age: int) -> None:
    file = music / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (1_600_000_000 - age,) * 2)


def gone(ended: Ended) -> dict[str, str]:
    return {one["path"]: one["kept_path"] for one in ended.events if one["type"] == "duplicate"}


def suspects(ended: Ended) -> set[str]:
    return {one["path"] for one in ended.events if one["type"] == "suspect"}


@pytest.mark.parametrize("seek_table", [False, True])
@pytest.mark.parametrize("tags", [None, TAGS], ids=["untagged", "tagged"])
def test_an_older_flac_that_was_cut_a_little_is_neither_the_kept_copy_nor_removed(
    program: Program, music: Path, seek_table: bool, tags: Track | None
) -> None:
    plain = flac(FRAMES, 1, seek_table=seek_table)
    whole = tagged(plain, tags) if tags is not None else plain
    put(music, WHOLE, whole, age=0)
    put(music, CUT, whole[: len(whole) * 96 // 100], age=9)
    result = program("dedup", str(music))
    assert gone(result) == {}
    assert suspects(result) == {CUT}
    deleted = program("dedup", str(music), "--delete", "--yes")
    assert (music / WHOLE).read_bytes() == whole
    assert suspects(deleted) == {CUT}
    assert deleted.summary["files_read"] == 0  # the catalogue has it


def test_an_older_and_better_compressed_flac_is_kept_once_both_ends_were_read(program: Program, music: Path) -> None:
    put(music, WHOLE, flac(FRAMES, 1, packed=False), age=0)
    put(music, PACKED, flac(FRAMES, 1), age=9)
    assert gone(program("dedup", str(music))) == {WHOLE: PACKED}
    again = program("dedup", str(music))
    assert (gone(again), again.summary["files_read"]) == ({WHOLE: PACKED}, 0)


def test_a_lossy_copy_is_not_removed_for_a_lossless_file_that_was_cut(program: Program, music: Path) -> None:
    whole = tagged(flac(FRAMES, 1), TAGS)
    put(music, "07.flac", whole[:-9_000], age=0)
    put(music, "lossy/07.m4a", track_bytes("m4a", TAGS, seconds=FRAMES * 4096 / 44100), age=0)
    result = program("dedup", str(music))
    assert (gone(result), suspects(result)) == ({}, {"07.flac"})
    put(music, "07.flac", whole, age=0)
    assert gone(program("dedup", str(music))) == {"lossy/07.m4a": "07.flac"}


def test_of_copies_that_differ_only_in_tags_the_kept_one_is_read_again_once(program: Program, music: Path) -> None:
    whole = flac(FRAMES, 1)
    put(music, WHOLE, whole, age=0)
    put(music, CUT, tagged(whole, TAGS), age=9)
    result = program("dedup", str(music))
    assert len(gone(result)) == 1
    assert result.summary["files_read"] == 3
    assert program("dedup", str(music)).summary["files_read"] == 0


@pytest.mark.parametrize("target", [False, True], ids=["in place", "to another place"])
def test_organize_reads_the_ends_as_well(program: Program, music: Path, tmp_path: Path, target: bool) -> None:
    whole = tagged(flac(FRAMES, 1), TAGS)
    put(music, WHOLE, whole, age=0)
    put(tmp_path / "library" if target else music, CUT, whole[: len(whole) * 96 // 100], age=9)
    places = [str(music), str(tmp_path / "library")] if target else [str(music)]
    done = program("organize", *places, "--dedup", "quarantine", "--move", "--yes")
    assert suspects(done) == {CUT}
    kept = [file.read_bytes() for place in places for file in Path(place).rglob("*.flac")]
    assert whole in kept
    assert len(kept) == 2
    assert not [path for place in places for path in Path(place).rglob("quarantine/*/*")]
