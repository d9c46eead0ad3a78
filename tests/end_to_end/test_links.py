"""Fault case 30: a library with links or shortcuts - to a file, to a folder, to the outside, to nothing - which are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Death, Forks
from tests.nightly import some_at_night
from tests.places import Place
from tests.servers import remotes
from tests.servers.remotes import RemoteServer

LINKS = {
    "link to a file.flac": "music/in/1.flac",
    "link to a folder": "music/in",
    "in/link to the outside": "outside",
    "only a link/outside.flac": "outside/o.flac",
    "dangling.flac": "music/nothing.flac",
}


def song(number: int) -> bytes:
    tags = Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number, date="2001")
    return track_bytes("flac", tags, seconds=0.2, serial=number)


FILES = {
    "music/in/1.flac": song(1),
    "music/in/2.flac": song(2),
    "music/again/1.flac": song(1),
    "music/only a link/3.flac": song(3),
    "outside/o.flac": song(1),
}


@dataclass
class Linked:
    """A server with FILES, and LINKS in music/."""

    server: RemoteServer
    whole_store: Callable[[], dict[str, str]]
    """Path -> content or target of everything on the server but folders, and what is in our own folder only as contents."""


@contextmanager
def openssh(home: Path) -> Iterator[Linked]:
    with remotes.openssh(home) as server:
        assert server.directory is not None
        root = server.directory
        for path, content in FILES.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        for link, target in LINKS.items():
            (root / "music" / link).symlink_to(root / target)

        def whole_store() -> dict[str, str]:
            there = [path for path in root.rglob("*") if path.is_symlink() or path.is_file()]
            return {
                path.relative_to(root).as_posix(): f"-> {path.readlink()}"
                if path.is_symlink()
                else sha256(path.read_bytes()).hexdigest()
                for path in there
            }

        yield Linked(server, whole_store)


@contextmanager
def drive(home: Path) -> Iterator[Linked]:
    with remotes.drive() as server:
        for path, content in FILES.items():
            server.tree.put(path, content)
        for link, target in LINKS.items():
            server.tree.shortcut(f"music/{link}", target)

        def whole_store() -> dict[str, str]:
            there = {path: item for path, item in server.tree.walk() if not item.is_folder}
            return {path: item.content.sha256 if item.content else f"-> {item.more}" for path, item in there.items()}

        yield Linked(server, whole_store)


KINDS = {"openssh": openssh, "drive": drive}


@pytest.mark.parametrize("kind", KINDS)
def test_links_stay_and_nothing_beyond_them_changes(forks: Forks, tmp_path: Path, kind: str) -> None:
    """Fault case 30: organize, dedup, undo and delete for good."""
    with KINDS[kind](tmp_path / "server") as linked:
        (tmp_path / "rclone.conf").write_text(linked.server.section("remote"))
        settings = {"state": tmp_path / "state", "environment": {"RCLONE_CONFIG": str(tmp_path / "rclone.conf")}}
        location = linked.server.fs("music", name="remote")
        before = linked.whole_store()
        fixed = {path: what for path, what in before.items() if what.startswith("->") or path.startswith("outside/")}
        assert len(fixed) == len(LINKS) + 1

        organized = forks.run("organize", location, **settings)
        assert organized.summary["files_seen"] == len(FILES) - 1
        assert fixed.items() <= linked.whole_store().items(), "links and what is outside stay, and so do folders that hold links"
        assert {*before.values()} == {*linked.whole_store().values()}
        forks.run("undo", organized.run, **settings)
        assert linked.whole_store() == before

        for options in (("--dedup", "quarantine"), ("--delete",)):
            done = forks.run("dedup", location, *options, **settings)
            assert fixed.items() <= linked.whole_store().items()
            assert {*before.values()} == {*linked.whole_store().values()}, "one copy of each content stays"
            assert done.summary["ops_done"] == (2 if options == ("--delete",) else 1)
            if options[0] == "--dedup":
                forks.run("undo", done.run, **settings)
                assert linked.whole_store() == before


@pytest.mark.parametrize("kind", some_at_night(("webdav", "sftp"), night={"sftp"}))
def test_a_server_that_shows_links_as_files_loses_nothing(rclone_binary: Path, forks: Forks, tmp_path: Path, kind: str) -> None:
    """Fault case 30: organize of a library that is shown twice, and its undo."""
    serve = {"webdav": remotes.webdav, "sftp": remotes.sftp}[kind]
    with serve(rclone_binary, tmp_path / "server", "--copy-links") as server:
        assert server.directory is not None
        root = server.directory / "music"
        (root / "real").mkdir(parents=True)
        for number in (1, 2):
            (root / "real" / f"{number}.flac").write_bytes(song(number))
        (root / "link").symlink_to(root / "real")

        def contents() -> dict[str, str]:
            there = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
            return {path.relative_to(root).as_posix(): sha256(path.read_bytes()).hexdigest() for path in there}

        before = contents()
        (tmp_path / "rclone.conf").write_text(server.section("remote"))
        settings = {"state": tmp_path / "state", "environment": {"RCLONE_CONFIG": str(tmp_path / "rclone.conf")}}
        location = server.fs("music", name="remote")
        done = forks.run("organize", location, codes=(3, 9), **settings)
        assert sorted(contents().values()) == sorted(before.values())
        forks.run("undo", done.run, codes=(0, 3), **settings)
        assert sorted(contents().values()) == sorted(before.values())


@pytest.mark.parametrize(("kind", "killed"), [("openssh", False), ("openssh", True), ("wsgidav", True)])
def test_a_file_whose_destination_is_the_file_itself_stays(
    kind: str, killed: bool, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """A link that is left out of listings leads from the destination to the source, and no listing shows that it is taken."""
    server: RemoteServer = request.getfixturevalue(kind)
    assert server.directory is not None
    root = server.directory / tmp_path.name
    for number in (1, 2):
        path = root / f"archive/Band/Album (2001)/{number:02} Song {number}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(song(number))
    (root / "Band").symlink_to("archive/Band")
    (tmp_path / "rclone.conf").write_text(server.section("remote"))
    (tmp_path / "rclone.conf").chmod(0o600)
    before = {sha256(song(number)).hexdigest() for number in (1, 2)}
    settings = {"state": tmp_path / "state", "environment": {"RCLONE_CONFIG": str(tmp_path / "rclone.conf")}}
    location = server.fs(tmp_path.name, name="remote")
    if killed:
        forks.start("organize", location, death=Death(2, committed=True, victims="both"), **settings).end()
        forks.run("resume", codes=(3, 4, 9), **settings)
    else:
        ended = forks.run("organize", location, codes=(9,), **settings)
        assert all("the same file under another name" in error["message"] for error in ended.errors)
    assert before <= set(Place("", root).tree().values())
    assert len(list((root / "archive/Band/Album (2001)").iterdir())) == 2
