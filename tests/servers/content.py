"""The bytes of a file in an emulated cloud, and the hashes that clouds report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DROPBOX_BLOCK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Content:
    """The bytes of a file: in memory, or in a file on disk that must not change."""

    data: bytes | Path

    @cached_property
    def size(self) -> int:
        return self.data.stat().st_size if isinstance(self.data, Path) else len(self.data)

    def whole(self) -> bytes:
        return self.data.read_bytes() if isinstance(self.data, Path) else self.data

    def part(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`, exclusive."""
        if not isinstance(self.data, Path):
            return self.data[start:end]
        with self.data.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The hashes, by their names in Google's API."""
        data = self.whole()
        return {f"{name}Checksum": hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}

    @property
    def sha256(self) -> str:
        return self.hashes["sha256Checksum"]

    @cached_property
    def dropbox_hash(self) -> str:
        """The sha256 of the sha256 of each block of 4 MiB."""
        data = self.whole()
        blocks = (data[start : start + DROPBOX_BLOCK] for start in range(0, len(data), DROPBOX_BLOCK))
        return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()
