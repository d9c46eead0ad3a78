"""Locations and names at the limits of storages: odd roots, missing roots, names that no server accepts."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import DestinationExistsError, NotFoundError, OrchestratorError, PermanentError
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import CopyCall, MoveCall, StatCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.hostile import UNPORTABLE_NAMES

# rclone shows control characters as their symbols, and accepts either as the name.
UNSHOWN = {0x2400 + code: code for code in range(0x20)} | {0x2421: 0x7F}
TRASH = f"{OWN_DIRECTORY}/trash/1"
ROOTS = (
    "closing]bracket",
    "[brackets]",
    "hash#question?percent%41",
    "-rf",
    'it\'s a "root"',
    "emoji 🎵",
    "a:b",
    "$(touch PWNED)",
    "a,b=c",
)


def below(rclone: Rclone, storage: Storage, name: str) -> Storage:
    return RcloneStorage(rclone, f"{storage.fs}/{name}")


@pytest.fixture
def local(rclone: Rclone, tmp_path: Path) -> RcloneStorage:
    return RcloneStorage(rclone, str(tmp_path))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=[] if (row - column) % 3 == 0 else pytest.mark.nightly)
        for row, name in enumerate(ROOTS)
        for column, kind in enumerate(("local", "s3_serve", "webdav"))
    ],
)
def test_a_root_may_have_any_name(rclone: Rclone, open_storage: Callable[[str], Storage], kind: str, name: str) -> None:
    storage = below(rclone, open_storage(kind), name)
    storage.write("dir/a]b.mp3", b"abc")
    storage.write("dir/c.mp3", b"abc")
    assert {entry.path for entry in storage.list()} == {"dir/a]b.mp3", "dir/c.mp3"}
    assert storage.read_range("dir/a]b.mp3", 1, 1) == b"b"
    assert b"".join(storage.read("dir/a]b.mp3")) == b"abc"
    (moved,) = storage.batch([MoveCall("dir/a]b.mp3", "dir/c.mp3", TRASH)])
    if kind == "local":  # a disk refuses to replace
        assert isinstance(moved, DestinationExistsError)
        storage.delete("dir/a]b.mp3")
    else:
        assert moved is None
        assert {entry.path for entry in storage.list(TRASH)} == {f"{TRASH}/dir/c.mp3"}
    storage.delete("dir/c.mp3")
    assert list(storage.list()) == []


@pytest.mark.parametrize("kind", ["local", "s3_serve", "s3_moto", "webdav", "sftp"])
def test_a_root_that_is_not_there(rclone: Rclone, open_storage: Callable[[str], Storage], kind: str) -> None:
    storage = below(rclone, open_storage(kind), "never made")
    assert storage.stat("a.mp3") is None
    if storage.capabilities.empty_directories:
        with pytest.raises(NotFoundError):
            list(storage.list())
    else:
        assert list(storage.list()) == []
    storage.write("a.mp3", b"a")
    assert [entry.path for entry in storage.list()] == ["a.mp3"]


@pytest.mark.parametrize("name", UNPORTABLE_NAMES)
def test_a_disk_keeps_names_that_some_servers_refuse(local: Storage, tmp_path: Path, name: str) -> None:
    local.write(f"{name}.mp3", b"abc")
    assert (tmp_path / f"{name}.mp3").read_bytes() == b"abc"
    (entry,) = local.list()
    assert entry.path.translate(UNSHOWN) == f"{name}.mp3"
    assert local.stat(entry.path) == entry
    assert local.read_range(entry.path, 1, 1) == b"b"
    assert local.batch([MoveCall(entry.path, f"dir/{entry.path}", TRASH)]) == [None]
    assert (tmp_path / "dir" / f"{name}.mp3").read_bytes() == b"abc"


@pytest.mark.parametrize("kind", ["memory", "local", "webdav", "sftp"])
def test_names_that_are_too_long_are_refused_one_by_one(open_storage: Callable[[str], Storage], kind: str) -> None:
    storage = open_storage(kind)
    long = "x" * 256
    storage.write("a.mp3", b"a")
    storage.write("b.mp3", b"b")
    with pytest.raises(OrchestratorError):
        storage.write(f"{long}.mp3", b"x")
    refused, done = storage.batch([MoveCall("a.mp3", f"{long}.mp3", TRASH), MoveCall("b.mp3", "c.mp3", TRASH)])
    assert isinstance(refused, OrchestratorError)
    assert done is None
    assert {entry.path for entry in storage.list()} == {"a.mp3", "c.mp3"}


def test_a_name_that_is_too_long_for_the_disk_is_permanent(local: Storage) -> None:
    local.write("a.mp3", b"a")
    outcomes = local.batch([MoveCall("a.mp3", "x" * 256, TRASH), CopyCall("a.mp3", "x" * 256, TRASH)])
    for outcome in outcomes:
        assert isinstance(outcome, PermanentError), outcome


def test_a_file_cannot_be_a_directory(local: Storage) -> None:
    local.write("a.mp3", b"a")
    local.write("b.mp3", b"b")
    (outcome,) = local.batch([MoveCall("b.mp3", "a.mp3/b.mp3", TRASH)])
    assert isinstance(outcome, OrchestratorError)
    local.make_directory("dir.mp3")
    (outcome,) = local.batch([MoveCall("b.mp3", "dir.mp3", TRASH)])
    assert isinstance(outcome, OrchestratorError)
    (outcome,) = local.batch([MoveCall("dir.mp3", "c.mp3", TRASH)])
    assert isinstance(outcome, OrchestratorError)
    assert {entry.path for entry in local.list()} == {"a.mp3", "b.mp3"}


def test_what_looks_like_ours_but_is_not_is_listed(storage: Storage) -> None:
    names = {f"{OWN_DIRECTORY}-old/a.mp3", f"{OWN_DIRECTORY}.mp3", f"x{OWN_DIRECTORY}/b.mp3"}
    for name in names:
        storage.write(name, b"a")
    assert {entry.path for entry in storage.list()} == names


def test_a_listing_passes_by_what_is_no_file(local: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local.write("a.mp3", b"a")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dangling.mp3").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.mp3")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(
            str(tmp_path / "s.mp3")[-100:] if len(str(tmp_path)) < 90 else f"/proc/self/cwd/{os.path.relpath(tmp_path)}/s.mp3"
        )
        assert [entry.path for entry in local.list()] == ["a.mp3"]


def test_a_name_that_is_not_unicode_is_listed_and_refused_in_words(local: Storage, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp3")).write_bytes(b"abc")
    local.write("good.mp3", b"abc")
    other, good = sorted(local.list(), key=lambda entry: entry.path)
    assert good.path == "good.mp3"
    with pytest.raises(PermanentError, match="UTF-8"):
        local.read_range(other.path, 0, 3)


def test_many_threads_at_once(storage: Storage) -> None:
    for index in range(8):
        storage.write(f"{index}.mp3", b"%d" % index * 100)
    errors: list[BaseException] = []

    def work(index: int) -> None:
        try:
            for _ in range(5):
                assert storage.read_range(f"{index}.mp3", 50, 10) == b"%d" % index * 10
                assert storage.size(f"{index}.mp3") == 100
        except BaseException as error:  # handed to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_large_batch(local: Storage) -> None:
    local.write("a.mp3", b"a")
    outcomes = local.batch([StatCall("a.mp3" if index % 100 == 0 else f"{index}.mp3") for index in range(3000)])
    assert sum(isinstance(outcome, Entry) for outcome in outcomes) == 30
    assert sum(outcome is None for outcome in outcomes) == 2970


@pytest.mark.parametrize(("kind", "settings"), [("chunker", "chunk_size = 64Ki\n"), ("compress", "")])
def test_what_makes_names_longer_says_how_long_they_may_be(
    rclone: Rclone, rclone_config: Path, tmp_path: Path, kind: str, settings: str
) -> None:
    with rclone_config.open("a") as file:
        file.write(f"[longer-{kind}]\ntype = {kind}\nremote = {tmp_path}\n{settings}\n")
    storage = RcloneStorage(rclone, f"longer-{kind}:")
    longest = "x" * storage.capabilities.max_component_bytes
    storage.write(longest, bytes(200_000))
    assert [(entry.path, entry.size) for entry in storage.list()] == [(longest, 200_000)]
    assert 224 < len(longest) < 255
