"""A file that is written as a whole: who reads sees the old or the new content, and a failure leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.atomic_file import check_replaceable, write_atomically
from tests.audio import track_bytes
from tests.servers.disk import small_disk


def test_the_file_is_replaced_as_a_whole_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    write_atomically(file, [b"old"])
    assert file.stat().st_mode & 0o777 == 0o600

    def content() -> Iterator[bytes]:
        yield b"ne"
        assert file.read_bytes() == b"old"
        assert not [path for path in tmp_path.iterdir() if path.suffix == ".prom" and path != file], "a collector reads *.prom"
        yield b"w"

    write_atomically(file, content(), 0o644)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o644)
    assert [*tmp_path.iterdir()] == [file]


def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_atomically(file, [b"old"])

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(file, broken())
    assert ([*tmp_path.iterdir()], file.read_bytes()) == ([file], b"old")
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no/such/folder", [b"new"])


@pytest.mark.parametrize("kind", ["plan", "web page", "manifest", "text file of metrics"])
def test_only_a_file_of_its_kind_is_replaced(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "a"
    check_replaceable(file, kind)
    file.touch()
    check_replaceable(file, kind)
    file.write_bytes(track_bytes("mp3", None))
    with pytest.raises(FileExistsError, match=f"no {kind}"):
        check_replaceable(file, kind)


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_replaceable(pipe, "plan")
    write_atomically(pipe, [b"new"])
    assert (os.read(reader, 10), pipe.is_fifo()) == (b"new", True)
    os.close(reader)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1_000_000) as disk:
        file = disk.root / "a"
        write_atomically(file, [b"old"])
        with pytest.raises(OSError, match="No space left"):
            write_atomically(file, [b"x" * 2_000_000])
        assert ([*disk.root.iterdir()], file.read_bytes()) == ([file], b"old")
