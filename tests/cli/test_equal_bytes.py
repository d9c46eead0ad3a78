"""On a disk, files with the same bytes are duplicates whatever their format and tags."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import FORMATS, track_bytes
from tests.program import Ended, Program

TAGS = Track(title=("Song",), artist=("Band",))
ODD = {"unreadable.mp3": b"no sound" * 40, "matroska.mka": b"\x1a\x45\xdf\xa3" + b"x" * 400}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Every format twice, with and without tags; of some only the size is equal."""
    root = tmp_path / "music"
    for at, (name, kind) in enumerate(FORMATS.items()):
        for tags in (None, TAGS):
            content = track_bytes(name, tags, seconds=0.5, serial=2 * at + (tags is None))
            for folder in ("A", "copies"):
                put(root / folder / f"{name} {tags is None}.{kind.extension}", content)
    for name, content in ODD.items():
        put(root / "A" / name, content)
        put(root / "copies" / name, content)
        put(root / "other" / name, content[::-1])
    put(root / "A/empty.mp3", b"")
    put(root / "copies/empty.mp3", b"")
    return root


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def gone(ended: Ended) -> dict[str, str]:
    return {one["path"]: one["kept_path"] for one in ended.events if one["type"] == "duplicate"}


def tiers(ended: Ended) -> set[str]:
    return {one["tier"] for one in ended.events if one["type"] == "duplicate"}


def test_every_pair_of_equal_files_on_a_disk_is_found_and_one_of_it_deleted(program: Program, music: Path) -> None:
    compared = {path.name for path in (music / "A").iterdir() if path.stat().st_size} - ODD.keys()
    pairs = {f"copies/{name}": f"A/{name}" for name in compared}
    result = program("dedup", str(music), codes=(3,))  # those that cannot be read are reported
    assert gone(result) == pairs
    assert tiers(result) == {"T0"}
    program("dedup", str(music), "--delete", "--yes", codes=(3,))
    left = {str(path.relative_to(music)) for path in music.rglob("*") if path.is_file()}
    odd = {f"{folder}/{name}" for folder in ("A", "copies", "other") for name in ODD}
    assert left == {*pairs.values(), "A/empty.mp3", "copies/empty.mp3", *odd}


def test_hard_links_and_a_folder_under_two_names_are_not_duplicates(program: Program, tmp_path: Path) -> None:
    root = tmp_path / "linked"
    for name in ("flac", "mp3"):
        put(root / f"A/1.{name}", track_bytes(name, TAGS, seconds=0.5))
        (root / f"copies/1.{name}").parent.mkdir(exist_ok=True)
        (root / f"copies/1.{name}").hardlink_to(root / f"A/1.{name}")
    assert gone(program("dedup", str(root), "--delete", "--yes")) == {}
    assert sum(path.is_file() for path in root.rglob("*.*")) == 4
    put(root / "copies/2.mp3", (root / "A/1.mp3").read_bytes())
    assert gone(program("dedup", str(root))) == {"copies/2.mp3": "A/1.mp3"}


@pytest.mark.nightly  # tests/catalogue/test_content_hashes.py has the same without the program
def test_a_file_of_equal_size_and_time_that_changed_since_is_compared_again(program: Program, tmp_path: Path) -> None:
    root = tmp_path / "music"
    content = track_bytes("wav", None, seconds=0.5)
    for name in ("1.wav", "2.wav"):
        put(root / name, content)
        os.utime(root / name, (1, 1))
    assert len(gone(program("dedup", str(root)))) == 0  # different numbers in one folder, without tags
    (root / "other").mkdir()
    (root / "2.wav").rename(root / "other/2.wav")
    assert gone(program("dedup", str(root))) == {"other/2.wav": "1.wav"}
    (root / "other/2.wav").write_bytes(content[:-1] + b"Z")
    os.utime(root / "other/2.wav", (1, 1))
    assert gone(program("dedup", str(root))) == {}


def test_organize_compares_bytes_as_well(program: Program, tmp_path: Path) -> None:
    tags = Track(title=("Song",), artist=("Band",), album=("Album",), track=1)
    for folder in ("inbox", "inbox/again"):
        put(tmp_path / folder / "x.wav", track_bytes("wav", tags, seconds=0.5))
    program("organize", str(tmp_path / "inbox"), str(tmp_path / "library"), "--move", "--dedup", "quarantine", "--yes")
    assert [path.name for path in (tmp_path / "library").rglob("*.wav")] == ["01 Song.wav"]
