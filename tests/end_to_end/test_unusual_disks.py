"""Disks that ignore case, and disks that cannot be written to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import make_many, make_track
from tests.places import Place, visible
from tests.program import Program
from tests.servers import remotes
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
    options.append("--attr-timeout=0s")  # otherwise the kernel remembers names in the other case
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


def messy(root: Path) -> None:
    """Two albums in folders of the wrong case. One of the folders cannot be emptied: it holds an empty folder as well."""
    for number in range(1, 4):
        track(root / "beck" / "odelay" / f"{number}.mp3", number)
    track(root / "other" / "4.mp3", 4, "BECK")
    track(root / "ann" / "odelay (1996)" / "1.mp3", 1, "Ann")
    (root / "ann" / "scans").mkdir()


def check_organized(program: Program, location: str, root: Path) -> None:
    """Organize twice and undo: folders get their new spelling where they can, and the second run plans nothing."""
    before = visible(Place("", root).tree())
    first = program("organize", location, "--yes")
    assert first.summary["ops_done"] > 0
    organized = visible(Place("", root).tree())
    assert sorted(organized.values()) == sorted(before.values())
    assert {str(Path(path).parent) for path in organized} == {"Beck/Odelay (1996)", "ann/Odelay (1996)"}
    assert program("organize", location, "--yes").summary["ops_planned"] == 0
    program("undo", first.run, "--yes")
    assert visible(Place("", root).tree()) == before


def test_a_second_run_on_a_disk_that_ignores_case_plans_nothing(rclone_binary: Path, program: Program, tmp_path: Path) -> None:
    """Fault case 35."""
    messy(tmp_path / "below")
    with case_ignored(rclone_binary, tmp_path / "below", tmp_path / "disk"):
        check_organized(program, str(tmp_path / "disk"), tmp_path / "below")


@pytest.mark.parametrize("serve", [pytest.param(remotes.webdav, marks=pytest.mark.nightly), remotes.sftp])
def test_a_second_run_on_a_server_that_ignores_case_plans_nothing(
    rclone_binary: Path, tmp_path: Path, serve: Callable[..., AbstractContextManager[remotes.RemoteServer]]
) -> None:
    """Fault case 35: as on Windows. rclone takes such a server for one that distinguishes case."""
    with serve(rclone_binary, tmp_path, "--vfs-case-insensitive") as server:
        assert server.directory is not None
        messy(server.directory / "music")
        config = tmp_path / "rclone.conf"
        config.write_text(server.section())
        program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(config)})
        check_organized(program, server.fs("music"), server.directory / "music")


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
