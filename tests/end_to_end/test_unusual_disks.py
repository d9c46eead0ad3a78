"""Disks that ignore case, and disks that cannot be written to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.rclone.local_case import ignores_case
from orchestrator.track import Track
from tests.audio import make_many, make_track
from tests.places import Place, visible
from tests.program import Program
from tests.servers.disk import small_disk
from tests.servers.process import check_possible, system_program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


def track(path: Path, number: int, artist: str = "Beck") -> None:
    """A song of one album."""
    tags = Track(title=(f"Song {number}",), artist=(artist,), album=("Odelay",), track=number, date="1996")
    make_track(path, "mp3", tags, seconds=0.2, serial=number)


@contextlib.contextmanager
def case_ignored(rclone: Path, below: Path, at: Path) -> Iterator[None]:
    """Mount a folder so that the case of names is kept, and ignored, as on exFAT: a kernel module for that is rarely there."""
    system_program("fusermount3", package="fuse3")
    check_possible(Path("/dev/fuse").exists(), "/dev/fuse is missing")
    at.mkdir()
    options = ["--vfs-case-insensitive", "--vfs-cache-mode=full", "--dir-cache-time=1ms", "--vfs-write-back=0"]
    options += [f"--config={os.devnull}", f"--cache-dir={below.parent / 'cache'}"]
    command = [str(rclone), "mount", str(below), str(at), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as mount:
        try:
            while not at.is_mount() and mount.poll() is None:
                time.sleep(0.02)  # no event says that it is mounted
            assert mount.poll() is None, "rclone cannot mount here"
            yield
        finally:
            mount.send_signal(signal.SIGINT)
            mount.wait(30)


def test_a_second_run_on_a_disk_that_ignores_case_plans_nothing(rclone_binary: Path, program: Program, tmp_path: Path) -> None:
    """Fault case 35."""
    for number in range(1, 4):
        track(tmp_path / "below" / "beck" / "odelay" / f"{number}.mp3", number)
    track(tmp_path / "below" / "other" / "4.mp3", 4, "BECK")
    before = Place("", tmp_path / "below").tree()
    with case_ignored(rclone_binary, tmp_path / "below", tmp_path / "disk"):
        location = str(tmp_path / "disk")
        assert ignores_case(tmp_path / "disk")
        assert ignores_case(tmp_path / "disk" / "not" / "yet")
        first = program("organize", location, "--yes")
        assert first.summary["ops_done"] > 0
        assert program("organize", location, "--yes").summary["ops_planned"] == 0
    organized = visible(Place("", tmp_path / "below").tree())
    assert {Path(path).parts[0] for path in organized} == {"Beck"}
    assert sorted(organized.values()) == sorted(before.values())


def test_a_disk_that_distinguishes_case_is_no_disk_that_ignores_it(tmp_path: Path) -> None:
    assert not ignores_case(tmp_path)
    for name in ("Beck", "bECK", "1", "2"):
        (tmp_path / "a" / name).mkdir(parents=True)
    assert not ignores_case(tmp_path / "a")
    assert not ignores_case(tmp_path / "a" / "1"), "an empty folder of a file system that distinguishes"
    assert not ignores_case(tmp_path / "not" / "there")


def test_a_read_only_disk_is_refused_before_anything_is_sent(program: Program, tmp_path: Path) -> None:
    check_possible(os.geteuid() == 0, "only root can mount")
    with small_disk(tmp_path / "disk", 8_000_000) as disk:
        make_many(disk.root / "music", 2)
        make_many(tmp_path / "source", 2)
        disk.make_read_only()
        music = str(disk.root / "music")
        for words in (
            ("organize", music),
            ("organize", music, str(tmp_path / "target"), "--move"),
            ("organize", str(tmp_path / "source"), music),
        ):
            (error,) = program(*words, "--yes", codes=(2,)).errors
            assert "read-only" in error["message"] or "not writable" in error["message"]
        assert not [event for event in program("runs").events if event["type"] == "run"]
        assert program("organize", music, str(tmp_path / "target"), "--yes").summary["ops_done"] == 2, "copies may be made"


def test_our_own_folder_must_not_be_a_link(program: Program, tmp_path: Path) -> None:
    make_many(tmp_path / "music", 2)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "music/.music-orchestrator").symlink_to(tmp_path / "elsewhere")
    before = Place("", tmp_path / "music").tree()
    (error,) = program("organize", str(tmp_path / "music"), "--yes", codes=(2,)).errors
    assert ".music-orchestrator is a link there: replace it" in error["message"]
    assert Place("", tmp_path / "music").tree() == before
