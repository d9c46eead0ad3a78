"""Renames on a disk that replace nothing, whatever the file system can do."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from orchestrator.errors import (
    DestinationExistsError,
    NotFoundError,
    NotStartedError,
    OrchestratorError,
    PermanentError,
    QuotaError,
)
from orchestrator.storage.protocol import Call, CallResult, GiveCall, MoveCall
from orchestrator.storage.rclone_backed import disk_names
from orchestrator.storage.rclone_backed.disk_names import DiskNames

LINK = os.link


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture(params=["kernel", "link", "look"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the file system gives a name; errors as NFS and FUSE give them."""
    if request.param != "kernel":
        monkeypatch.setattr(disk_names, "_exclusive", failing(errno.EINVAL))
    if request.param == "look":
        monkeypatch.setattr(os, "link", failing(errno.EPERM))
    return str(request.param)


def rename(src: Path, dst: Path) -> OrchestratorError | None:
    return disk_names.rename(str(src), str(dst), "a.mp3", "b.mp3")


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("way")
def test_a_file_is_renamed_and_its_parents_are_made(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    inode = (tmp_path / "a").stat().st_ino
    assert rename(tmp_path / "a", tmp_path / "new/deep/b") is None
    assert tree(tmp_path) == {"new/deep/b": b"mine"}
    assert (tmp_path / "new/deep/b").stat().st_ino == inode
    assert (tmp_path / "new/deep/b").stat().st_nlink == 1


def test_a_folder_that_another_thread_makes_meanwhile_is_no_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp3").write_bytes(b"sound")
    exclusive = disk_names._exclusive

    def beside_another(src: str, dst: str) -> None:
        try:
            exclusive(src, dst)
        except FileNotFoundError:
            (tmp_path / "new").mkdir()
            raise

    monkeypatch.setattr(disk_names, "_exclusive", beside_another)
    assert rename(tmp_path / "a.mp3", tmp_path / "new/a.mp3") is None
    assert (tmp_path / "new/a.mp3").read_bytes() == b"sound"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("there", ["file", "directory", "dangling link", "another link to it"])
def test_a_taken_name_is_refused(tmp_path: Path, there: str) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    taken = tmp_path / "b"
    match there:
        case "file":
            taken.write_bytes(b"theirs")
        case "directory":
            taken.mkdir()
        case "dangling link":
            taken.symlink_to("nowhere")
        case _:
            LINK(tmp_path / "a", taken)
    before = tree(tmp_path)
    assert isinstance(rename(tmp_path / "a", taken), DestinationExistsError)
    assert tree(tmp_path) == before
    assert (taken.is_symlink(), taken.is_dir()) == (there == "dangling link", there == "directory")


@pytest.mark.usefixtures("way")
def test_what_is_no_file_or_not_there_is_not_renamed(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "link").symlink_to("dir")
    (tmp_path / "file").write_bytes(b"file")
    assert isinstance(rename(tmp_path / "none", tmp_path / "new/b"), NotFoundError)
    assert isinstance(rename(tmp_path / "none", tmp_path / "b"), NotFoundError)
    assert isinstance(rename(tmp_path / "link", tmp_path / "b"), NotFoundError)
    assert isinstance(rename(tmp_path / "dir", tmp_path / "b"), PermanentError)
    below = rename(tmp_path / "file", tmp_path / "file2/b") or rename(tmp_path / "file2/b", tmp_path / "file2/b/c")
    assert isinstance(below, PermanentError)
    assert not isinstance(below, DestinationExistsError)
    assert tree(tmp_path) == {"file2/b": b"file"}


def test_a_file_system_that_ignores_case_may_change_the_case_of_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """There both names are one file with one link; here a rename stands for it."""
    (tmp_path / "song").write_bytes(b"mine")
    real = os.lstat

    def folded(path: str) -> os.stat_result:
        return real(path.replace("Song", "song") if (tmp_path / "song").exists() else path)

    monkeypatch.setattr(os, "lstat", folded)
    monkeypatch.setattr(os, "link", failing(errno.EEXIST))
    if way == "kernel":
        monkeypatch.setattr(disk_names, "_exclusive", failing(errno.EEXIST))
    assert rename(tmp_path / "song", tmp_path / "Song") is None
    assert tree(tmp_path) == {"Song": b"mine"}


def test_two_names_that_differ_in_case_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(b"mine")
    (tmp_path / "Song").write_bytes(b"theirs")
    assert isinstance(rename(tmp_path / "song", tmp_path / "Song"), DestinationExistsError)
    assert tree(tmp_path) == {"song": b"mine", "Song": b"theirs"}


def test_a_file_that_turns_up_after_the_look_is_kept_by_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    real = os.link

    def late(src: str, dst: str, **options: bool) -> None:
        Path(dst).write_bytes(b"theirs")
        real(src, dst, **options)

    monkeypatch.setattr(disk_names, "_exclusive", failing(errno.ENOSYS))
    monkeypatch.setattr(os, "link", late)
    assert isinstance(rename(tmp_path / "a", tmp_path / "b"), DestinationExistsError)
    assert tree(tmp_path) == {"a": b"mine", "b": b"theirs"}


def test_many_renames_on_a_slow_file_system_go_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = disk_names._exclusive
    threads = set()

    def slow(src: str, dst: str) -> None:
        threads.add(threading.current_thread().name)
        time.sleep(0.003)  # a slow file system
        real(src, dst)

    monkeypatch.setattr(disk_names, "_exclusive", slow)
    names = DiskNames(str(tmp_path), threading.Event(), lambda *_: [])
    for number in range(40):
        (tmp_path / str(number)).write_bytes(b"%d" % number)
    calls = [MoveCall(str(number), f"new/{number % 3}/{number}", "trash") for number in range(40)]
    assert names.batch([*calls, MoveCall("none", "new/none", "trash")], 4)[:-1] == [None] * 40
    assert tree(tmp_path) == {f"new/{number % 3}/{number}": b"%d" % number for number in range(40)}
    assert len(threads) > 1


def test_no_rename_begins_after_a_stop(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    stop = threading.Event()
    stop.set()
    (refused,) = DiskNames(str(tmp_path), stop, lambda *_: []).batch([MoveCall("a", "b", "trash")], 4)
    assert isinstance(refused, NotStartedError)
    assert tree(tmp_path) == {"a": b"mine"}


def test_a_name_is_not_given_across_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That would be a copy; a move is one, made by rclone."""
    (tmp_path / "a").write_bytes(b"mine")
    monkeypatch.setattr(disk_names, "_exclusive", failing(errno.EXDEV))
    sent: list[Call] = []

    def through_rclone(calls: Sequence[Call], _: int) -> Sequence[CallResult]:
        sent.extend(calls)
        return [None for _ in calls]

    move, give = MoveCall("a", "b", "trash"), GiveCall("a", "b", "trash")
    moved, given = DiskNames(str(tmp_path), threading.Event(), through_rclone).batch([move, give], 4)
    assert (moved, sent) == (None, [move])
    assert isinstance(given, PermanentError)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, QuotaError), (errno.EROFS, PermanentError), (errno.EACCES, PermanentError)]
)
def test_errors_of_the_system_are_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[OrchestratorError]
) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    monkeypatch.setattr(disk_names, "_exclusive", failing(number))
    error = rename(tmp_path / "a", tmp_path / "b")
    assert isinstance(error, kind)
    assert error.path == "a.mp3"
