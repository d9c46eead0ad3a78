"""`organize --mirror` on real servers: the organized files go there as well, once each, and nothing there is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faulty import Library
from tests.places import Place, digest, visible

HOME = "Band/Album (2001)"


class Run:
    """A source, a target and a mirror, each a folder of this machine or below a location on a server."""

    def __init__(self, server: Library, home: Path, kinds: str) -> None:
        self.server = server
        self.places = [self._place(kind, name, home) for kind, name in zip(kinds.split(), ("source", "target", "mirror"), strict=True)]
        self.source, self.target, self.mirror = self.places

    def _place(self, kind: str, name: str, home: Path) -> Place:
        if kind == "local":
            (home / name).mkdir()
            return Place(str(home / name), home / name)
        place = self.server.place
        directory = None if place.directory is None else place.directory / name
        return Place(f"{place.location}/{name}", directory, place.server, f"{place.prefix}/{name}")


def tree(place: Place) -> dict[str, str]:
    return visible(place.tree())


@pytest.mark.parametrize("kinds", ["local local s3", "local s3 local", "s3 s3 s3"])
@pytest.mark.parametrize("verb", ["--copy", "--move"])
def test_smoke(library: Callable[..., Library], tmp_path: Path, kinds: str, verb: str) -> None:
    server = library("s3_moto")
    run = Run(server, tmp_path, kinds)
    source = Library(run.source, server.forks, server.home, server.environment)
    for number in (1, 2):
        source.track(f"in/{number}.mp3", number)
    run.source.put("in/cover.jpg", b"front")
    run.source.put("in/list.m3u", b"1.mp3\n2.mp3\n")
    ended = server("organize", run.source.location, run.target.location, verb, "--mirror", run.mirror.location, "--yes")
    print(ended.stdout if hasattr(ended, "stdout") else ended)
    print(tree(run.mirror))
    assert tree(run.mirror) == tree(run.target)
    again = server("organize", run.source.location, run.target.location, verb, "--mirror", run.mirror.location, "--yes")
    assert again.summary["ops_planned"] == 0
