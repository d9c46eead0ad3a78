"""A virtual file behaves like the file that it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.virtual_file import Repeat, VirtualFile

PIECES = (b"head", Repeat(b"abc", 10), b"", Repeat(bytes(2), 5000), b"tail", Repeat(b"xyz", 2))
WHOLE = b"head" + b"abcabcabca" + bytes(5000) + b"tail" + b"xy"


def test_any_part_can_be_read() -> None:
    file = VirtualFile(PIECES)
    assert len(file) == len(WHOLE)
    for start in (*range(20), 5013, 5014, 5016, 5019, 5020, 6000):
        for length in (0, 1, 5, 12, 5010, 9000):
            assert file[start : start + length] == WHOLE[start : start + length]


def test_it_opens_like_a_file() -> None:
    with VirtualFile(PIECES).open() as file:
        assert file.read() == WHOLE
        file.seek(-6, 2)
        assert file.read(4) == b"tail"
        with pytest.raises(OSError, match="Invalid"):
            file.seek(-1)


def test_it_can_be_written_to_a_disk(tmp_path: Path) -> None:
    VirtualFile(PIECES).write(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == WHOLE
