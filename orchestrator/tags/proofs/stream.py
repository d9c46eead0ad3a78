"""A file that is read once, from its beginning to its end, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from orchestrator.tags.policy import FEW_BYTES
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_MOST_TAIL = 64 * 1024 * 1024
"""The most that is kept to find tags at the end: pictures of that size are unknown."""


class DamagedError(Exception):
    """The sound is not as its encoder wrote it; the message says how that shows."""


class NotProvableError(Exception):
    """The file holds nothing that would prove its sound; the message says what is missing."""


class Stream:
    """The bytes that `blocks` deliver, in order. `data` holds those that were read but not yet passed."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.data = bytearray()
        self.position = 0
        """Offset in the file of the first byte of `data`."""
        self.ended = False
        """Whether the file ends where `data` does."""

    def fill(self, length: int) -> bool:
        """Have at least `length` bytes in `data`; False if the file ends earlier."""
        while len(self.data) < length and not self.ended:
            block = next(self._blocks, None)
            if block is None:
                self.ended = True
            else:
                self.data += block
        return len(self.data) >= length

    def peek(self, length: int) -> bytes:
        """The next bytes; fewer only where the file ends."""
        self.fill(length)
        return bytes(self.data[:length])

    def take(self, length: int) -> bytes:
        """Pass the next bytes and return them. Raises DamagedError where the file ends before."""
        if not self.fill(length):
            raise DamagedError(f"it ends after {self.position + len(self.data):,} bytes, in the middle of its sound")
        taken = bytes(self.data[:length])
        self.skip(length)
        return taken

    def pieces(self, length: int) -> Iterable[bytes]:
        """Pass the next `length` bytes, in pieces of any size. Raises DamagedError where the file ends before."""
        while length:
            self.fill(1)
            piece = self.take(min(length, max(1, len(self.data))))
            length -= len(piece)
            yield piece

    def skip(self, length: int) -> None:
        """Pass bytes that are in `data`."""
        del self.data[:length]
        self.position += length

    def sound_left(self) -> int:
        """How many bytes follow until the tags at the end of the file; reads all the rest. Raises NotProvableError."""
        if self.fill(_MOST_TAIL):
            raise NotProvableError("too much follows its sound")
        rest = self.data
        policy = replace(FEW_BYTES, budget=2 * _MOST_TAIL)
        return sound_end(SparseFile(len(rest), lambda at, length: bytes(rest[at : at + length]), policy)) if rest else 0
