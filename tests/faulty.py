"""A library on a real server and the program that works on it, for tests in which something goes wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Forks, Started
from tests.places import Place, digest, visible
from tests.program import Ended
from tests.servers.http import HttpProxy, Seen


@dataclass
class Library:
    """A folder on a server and the program that works on it."""

    place: Place
    forks: Forks
    home: Path
    environment: dict[str, str]

    @property
    def root(self) -> Path:
        """The directory where the server keeps it."""
        assert self.place.directory is not None
        return self.place.directory

    def start(self, *arguments: str, **settings: Any) -> Started:
        """Start the program."""
        return self.forks.start(*arguments, state=self.home / "state", environment=self.environment, **settings)

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,), **settings: Any) -> Ended:
        """Run the program to its end; its exit code must be one of `codes`."""
        return self.forks.run(*arguments, codes=codes, state=self.home / "state", environment=self.environment, **settings)

    def tree(self) -> dict[str, str]:
        """Path -> sha256 of every file, except our own."""
        return visible(self.place.tree())

    def track(self, path: str, number: int, title: str = "Song") -> str:
        """Write a file there; returns its sha256."""
        tags = Track(title=(f"{title} {number}",), artist=("Band",), album=("Album",), track=number, date="2001")
        content = track_bytes("mp3", tags, seconds=0.2, serial=number)
        self.place.put(path, content)
        return digest(content)


def of_music(seen: Seen) -> bool:
    """Whether this is a changing request for a music file."""
    return bool(seen.change) and seen.path.partition("?")[0].endswith(".mp3")


def sent(proxy: HttpProxy) -> Counter[str]:
    """Method -> number of changing requests for music files."""
    return Counter(seen.method for seen in proxy.requests if of_music(seen))
