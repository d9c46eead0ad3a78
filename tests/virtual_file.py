"""Files as large as real ones that take no space: real bytes where a reader looks, a repeated unit for the rest of the sound."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple


class Repeat(NamedTuple):
    """`unit` repeated to `size` bytes."""

    unit: bytes
    size: int


Piece = bytes | Repeat


def _part(piece: Piece, start: int, end: int) -> bytes:
    if isinstance(piece, bytes):
        return piece[start:end]
    end = min(end, piece.size)
    if end <= start:
        return b""
    first = start // len(piece.unit) * len(piece.unit)
    count = -(-(end - first) // len(piece.unit))
    return (piece.unit * count)[start - first : end - first] if count > 1 else piece.unit[start - first : end - first]


class VirtualFile:
    """Bytes that are generated when they are read. Like `bytes` it has a length and can be sliced; `open` gives a file."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = [piece for piece in pieces if (len(piece) if isinstance(piece, bytes) else piece.size)]
        self._ends = list(accumulate(len(piece) if isinstance(piece, bytes) else piece.size for piece in self._pieces))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, wanted: slice) -> bytes:
        start, end, _ = wanted.indices(len(self))
        out, index = [], bisect_right(self._ends, start)
        while start < end:
            begin = self._ends[index - 1] if index else 0
            stop = min(end, self._ends[index])
            out.append(_part(self._pieces[index], start - begin, stop - begin))
            start, index = stop, index + 1
        return out[0] if len(out) == 1 else b"".join(out)

    def open(self) -> io.BufferedReader:
        """The file as a program would see it on a disk."""
        return io.BufferedReader(_Opened(self), 8192)

    def write(self, path: Path) -> None:
        """Write it to a disk; zeros become holes."""
        with path.open("wb") as file:
            for piece in self._pieces:
                if isinstance(piece, Repeat) and not any(piece.unit):
                    file.seek(piece.size, io.SEEK_CUR)
                elif isinstance(piece, Repeat):
                    for start in range(0, piece.size, 1 << 20):
                        file.write(_part(piece, start, start + (1 << 20)))
                else:
                    file.write(piece)
            file.truncate(len(self))


class _Opened(io.RawIOBase):
    def __init__(self, content: VirtualFile) -> None:
        self._content, self._position = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._position, len(self._content))[whence]
        if base + offset < 0:
            raise OSError(22, "Invalid argument")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader gives nothing else
        data = self._content[self._position : self._position + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
