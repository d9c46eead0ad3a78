"""Uploads and downloads over a slow line, and what a kill, another program or the user does meanwhile."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audio import make_many
from tests.forked import Forks, Started, kill
from tests.nightly import NIGHTLY
from tests.places import Place, visible
from tests.servers.disk import small_disk
from tests.servers.remotes import RemoteServer
from tests.servers.tcp import TcpProxy, tcp_proxy

FILES = 4
SIZE = 300_000
RATE = "400k"
DEBRIS = "Other/x.mp3.0123abcd.partial"
"""What another program may leave behind, or still be writing."""


class SlowCopy:
    """A copy of FILES files to or from a server, all at the same time, over a slow line."""

    def __init__(self, request: pytest.FixtureRequest, kind: str, forks: Forks, home: Path, *, download: bool = False) -> None:
        server: RemoteServer = request.getfixturevalue(kind)
        assert server.directory is not None
        self.server, self.kind, self.forks, self.home = server, kind, forks, home
        here, there = home / "here", server.directory / home.name
        here.mkdir()
        there.mkdir()
        self.source, self.target = (there, here) if download else (here, there)
        names = (str(here), server.fs(home.name, name="remote"))
        self.arguments = ("organize", *(reversed(names) if download else names))
        make_many(self.source, FILES, size=SIZE)
        self.music = Place("", self.source).tree()
        self.config = home / "rclone.conf"
        self.settings: dict[str, Any] = {"state": home / "state", "environment": {"RCLONE_CONFIG": str(self.config)}}
        self.use(server.port)

    def use(self, port: int) -> None:
        """Reach the server through a port."""
        self.config.write_text(self.server.section("remote", port=port))
        self.config.chmod(0o600)

    def destinations(self) -> list[Path]:
        """Where the files will be."""
        events = self.forks.run(*self.arguments, "--dry-run", **self.settings).events
        return [self.target / event["dst"]["path"] for event in events if event["type"] == "operation"]

    def begin(self, *options: str) -> Started:
        """Start it; returns when its bytes are on their way."""
        begun = threading.Event()
        line = self._line = tcp_proxy(self.server.port)
        proxy: TcpProxy = line.__enter__()
        self.use(proxy.port)
        proxy.call_after(SIZE // 2, begun.set)
        started = self.forks.start(*self.arguments, *options, "--bandwidth", RATE, "--transfers", str(FILES), **self.settings)
        if self.kind == "ftp":  # its bytes take connections of their own
            until(lambda: sum(file.stat().st_size for file in files(self.target)) > SIZE // 2)
        else:
            assert begun.wait(60)
        return started

    def over(self) -> None:
        """The line is fast again."""
        self._line.__exit__(None, None, None)
        self.use(self.server.port)

    def there(self) -> dict[str, str]:
        """What a user sees at the target."""
        return visible(Place("", self.target).tree())


def files(directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if file.is_file()]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # nothing reports what another process has done on a disk


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", ["webdav", "wsgidav", "ftp", "sftp", "openssh", "s3_serve"] if NIGHTLY else ["webdav", "ftp"])
def test_a_kill_during_uploads_leaves_nothing_cut_under_a_final_name(
    kind: str, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 29: `resume` sends the rest, and deletes nothing of another program."""
    copy = SlowCopy(request, kind, forks, tmp_path)
    debris = copy.target / DEBRIS
    debris.parent.mkdir()
    debris.write_bytes(b"of another program")
    started = copy.begin("--move")
    kill(started.pid, "both")
    assert started.end().code < 0
    copy.over()
    there = copy.there()
    assert there.pop(DEBRIS) == sha256(b"of another program")
    assert set(there.values()) <= set(copy.music.values()), "a file is cut"
    assert {*there.values(), *Place("", copy.source).tree().values()} >= {*copy.music.values()}
    forks.run("resume", **copy.settings)
    assert debris.read_bytes() == b"of another program"
    debris.unlink()
    assert sorted(Place("", copy.target).tree().values()) == sorted(copy.music.values()), "and nothing else is left"
    assert files(copy.source) == []


UPLOADS = [("sftp", False)]
DOWNLOADS = [("webdav", True)]
if NIGHTLY:
    UPLOADS = [(kind, False) for kind in ("webdav", "wsgidav", "sftp", "openssh", "ftp", "s3_serve")]
    DOWNLOADS = [(kind, True) for kind in ("webdav", "sftp", "s3_serve")]


@pytest.mark.parametrize(("kind", "download"), [*UPLOADS, *DOWNLOADS])
def test_a_file_that_another_program_creates_during_a_copy_keeps_its_name(
    kind: str, download: bool, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 26."""
    copy = SlowCopy(request, kind, forks, tmp_path, download=download)
    destinations = copy.destinations()
    started = copy.begin("--move")
    theirs = {}
    for number, destination in enumerate(destinations):
        if not destination.exists():
            destination.parent.mkdir(parents=True, exist_ok=True)
            theirs[destination] = b"of another program: %d" % number
            destination.write_bytes(theirs[destination])
    ended = started.end()
    copy.over()
    assert theirs
    assert ended.code == (3 if ended.summary["ops_done"] else 4), ended.stderr
    assert {destination: destination.read_bytes() for destination in theirs} == theirs
    named = {error["path"] for error in ended.errors}
    assert len(named) == len(theirs)
    everything = {*Place("", copy.source).tree().values(), *Place("", copy.target).tree().values()}
    assert everything >= {*copy.music.values(), *map(sha256, theirs.values())}
    assert not (copy.target / ".music-orchestrator/tmp").exists() or not files(copy.target / ".music-orchestrator/tmp")


@pytest.mark.parametrize("kind", ["webdav", "wsgidav", "sftp", "s3_serve"] if NIGHTLY else ["webdav"])
@pytest.mark.parametrize("how", ["--copy", "--move"] if NIGHTLY else ["--move"])
def test_sources_that_change_while_they_are_sent_stay_and_are_sent_again(
    kind: str, how: str, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 38: one grows, one is cut, one gets another end with its times kept."""
    copy = SlowCopy(request, kind, forks, tmp_path)
    growing, shrinking, rewritten, untouched = sorted(files(copy.source))
    started = copy.begin(how)
    with growing.open("ab") as stream:
        stream.write(bytes(5000))
    os.truncate(shrinking, SIZE - 50_000)
    before = rewritten.stat()
    with rewritten.open("r+b") as stream:
        stream.seek(-1000, os.SEEK_END)
        stream.write(b"\1" * 1000)
    os.utime(rewritten, ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = {file: sha256(file.read_bytes()) for file in (growing, shrinking, rewritten)}
    whole = copy.music[untouched.relative_to(copy.source).as_posix()]
    ended = started.end()
    copy.over()
    assert ended.code == 3, ended.stderr
    assert {file: sha256(file.read_bytes()) for file in changed} == changed
    assert list(copy.there().values()) == [whole]
    forks.run(*copy.arguments, how, codes=(0, 3), **copy.settings)
    assert sorted(copy.there().values()) == sorted([whole, *changed.values()])


@pytest.mark.parametrize("possible", [True, False])
def test_a_copy_is_staged_on_the_file_system_of_its_destination(forks: Forks, tmp_path: Path, possible: bool) -> None:
    """Fault case 40: a disk is mounted below the target."""
    make_many(tmp_path / "source", FILES)
    (tmp_path / "target").mkdir()
    syncs, settings = tmp_path / "syncs", {"state": tmp_path / "state"}
    command = ("organize", str(tmp_path / "source"))
    events = forks.run(*command, str(tmp_path / "target"), "--dry-run", **settings).events
    operations = [event for event in events if event["type"] == "operation"]
    folder = operations[0]["dst"]["path"].partition("/")[0]
    below = [one for one in operations if one["dst"]["path"].startswith(f"{folder}/")]
    with small_disk(tmp_path / "target" / folder, 4_000_000) as disk:
        target = disk.root.parent
        if not possible:
            (disk.root / ".music-orchestrator").mkdir()
            (disk.root / ".music-orchestrator/tmp").write_text("a file, so nothing can be staged on this disk")
        ended = forks.run(*command, str(target), syncs=syncs, codes=(0,) if possible else (3,), **settings)
        staged = [line.partition(" ")[2] for line in syncs.read_text().splitlines() if "/.music-orchestrator/tmp/" in line]
        if possible:
            there = sum(path.startswith(f"{disk.root}/.music-orchestrator/") for path in staged)
            assert there == len(below)
            assert sorted(visible(Place("", target).tree())) == sorted(one["dst"]["path"] for one in operations)
            assert not (disk.root / ".music-orchestrator").exists()
        else:
            assert {error["path"] for error in ended.errors} >= {one["src"]["path"] for one in below}
            assert all(".music-orchestrator" in error["message"] for error in ended.errors)
