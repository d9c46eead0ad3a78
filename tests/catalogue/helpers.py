"""What the tests of the catalogue share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.update import ScanResult, scan
from orchestrator.errors import RemoteError
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.track import Track
from tests.audio import track_bytes

NOW_NS = 1_700_000_000_000_000_000


@cache
def song(title: str, audio_format: str = "mp3", *, artist: str = "Artist") -> bytes:
    return track_bytes(audio_format, Track(title=(title,), artist=(artist,), album=("Album",)), seconds=0.2, serial=len(title))


def run_scan(storage: MemoryStorage, catalogue: Catalogue, **options: Any) -> ScanResult:
    """A scan with few threads. `options`: also fields of Selection."""
    chosen = {name: options.pop(name) for name in Selection.__struct_fields__ if name in options}
    return scan(storage, catalogue, Selection(**{"now_ns": NOW_NS, **chosen}), **{"readers": 3, **options})


def titles(catalogue: Catalogue, fs: str) -> dict[str, str | None]:
    """Path -> title, None for files that were not read."""
    return {
        item.entry.path: item.reading.track.title[0] if item.reading and item.reading.track else None
        for item in catalogue.entries(fs)
    }


class Stubborn(MemoryStorage):
    """A storage that calls `refuse` before each read, and raises the error that it returns for a path."""

    refuse_read: Callable[[str], RemoteError | None] = staticmethod(lambda _path: None)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        if (error := self.refuse_read(path)) is not None:
            raise error
        return super().read_range(path, offset, length)
