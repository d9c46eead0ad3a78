"""`organize --mirror` on real servers: the organized files go there as well, once each, and nothing there is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faulty import Library
from tests.places import Place, visible
from tests.program import Ended
from tests.servers.http import HttpProxy

HOME = "Band/Album (2001)"


class Run:
    """A source, a target and a mirror: folders of this machine, or folders of one location on a server."""

    def __init__(self, server: Library, home: Path, kinds: str) -> None:
        self.server = server
        self.source, self.target, self.mirror = (
            self._place(kind, name, home) for kind, name in zip(kinds.split(), ("source", "target", "mirror"), strict=True)
        )
        files = Library(self.source, server.forks, server.home, server.environment)
        self.tracks = {f"{HOME}/0{number} Song {number}.mp3": files.track(f"in/{number}.mp3", number) for number in (1, 2, 3)}
        self.source.put("in/cover.jpg", b"front")
        self.source.put("in/list.m3u", b"1.mp3\n2.mp3\n")

    def _place(self, kind: str, name: str, home: Path) -> Place:
        if kind == "local":
            (home / name).mkdir()
            return Place(str(home / name), home / name)
        place = self.server.place
        directory = None if place.directory is None else place.directory / name
        return Place(f"{place.location}/{name}", directory, place.server, f"{place.prefix}/{name}")

    @property
    def arguments(self) -> tuple[str, ...]:
        return "organize", self.source.location, self.target.location, "--mirror", self.mirror.location

    def __call__(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.server(*self.arguments, *options, "--yes", codes=codes)


def tree(place: Place) -> dict[str, str]:
    return visible(place.tree())


@pytest.mark.parametrize(
    ("kinds", "verb"),
    [
        ("local local s3", "--move"),
        ("local s3 local", "--move"),
        ("s3 s3 s3", "--copy"),
        *(
            pytest.param(*case, marks=pytest.mark.nightly)
            for case in (
                ("local s3 local", "--copy"),
                ("s3 s3 s3", "--move"),
                ("s3 local s3", "--move"),
                ("s3 local local", "--move"),
            )
        ),
    ],
)
def test_what_is_organized_goes_to_the_mirror_too(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kinds: str, verb: str
) -> None:
    server, proxy = proxied("s3_moto")
    run = Run(server, tmp_path, kinds)
    before = tree(run.source)
    dry = run(verb, "--dry-run")
    (planned,) = (event for event in dry.events if event["type"] == "plan")
    on_server = kinds == "s3 s3 s3"
    assert planned["counts"]["to_mirrors"] == 5
    assert (planned["counts"].get("bytes_to_mirrors", 0) == 0) == on_server
    assert tree(run.mirror) == {}
    proxy.reset()
    done = run(verb)
    organized = tree(run.target)
    assert run.tracks.items() <= organized.items()
    assert len(organized) == 5
    assert tree(run.mirror) == organized
    assert tree(run.source) == (before if verb == "--copy" else {})
    if run.mirror.location.startswith("remote"):  # each file once, without any content if the server has it
        sent = [
            seen for seen in proxy.requests if seen.method == "PUT" and "/mirror/" in seen.path and "/.music-" not in seen.path
        ]
        assert len(sent) == 5
        assert (sum(seen.body_bytes for seen in sent) == 0) == on_server
    if kinds == "local s3 local":  # nothing is downloaded again that this disk had
        assert not [seen for seen in proxy.requests if seen.method == "GET" and seen.path.partition("?")[0].endswith(".mp3")]
    assert (run(verb).summary["ops_planned"], tree(run.mirror)) == (0, organized)
    # Undo takes back what it put there, as it does with every copy.
    server("undo", done.run, "--yes")
    assert (tree(run.source), tree(run.target), tree(run.mirror)) == (before, {}, {})
