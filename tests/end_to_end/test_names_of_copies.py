"""Uploads and downloads over a slow line, and what a kill, another program or the user does meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from itertools import count, product
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import pytest

from tests.audio import make_many
from tests.forked import Forks, Started, kill
from tests.nightly import NIGHTLY
from tests.places import Place, digest, place_on, visible
from tests.program import Ended
from tests.servers.disk import small_disk
from tests.servers.http import Drop, Seen, Then, http_proxy
from tests.servers.remotes import RemoteServer
from tests.servers.tcp import TcpProxy, tcp_proxy

FILES = 4
SIZE = 300_000
RATE = "400k"
DEBRIS = "Other/x.mp3.0123abcd.partial"
"""What another program may leave behind, or still be writing."""
KILLED_IN_CI = [("drive", False), ("dropbox", True)]
SAMPLED = (20, 40)
"""The requests of a run, between the first upload and the last: the kills of CI are among them."""


class SlowCopy:
    """A copy of FILES files to or from a server, all at the same time, over a slow line."""

    def __init__(
        self,
        request: pytest.FixtureRequest,
        kind: str,
        forks: Forks,
        home: Path,
        *,
        download: bool = False,
        size: int = SIZE,
    ) -> None:
        server: RemoteServer = request.getfixturevalue(kind)
        self.server, self.kind, self.forks, self.home = server, kind, forks, home
        here, there = Place(str(home / "here"), home / "here"), place_on(server, home.name)
        self.at_source, self.at_target = (there, here) if download else (here, there)
        (home / "here").mkdir(parents=True)
        self.arguments = ("organize", self.at_source.location, self.at_target.location)
        make_many(self.source, FILES, size=size)
        self.music = self.at_source.tree()
        self.config = home / "rclone.conf"
        self.settings: dict[str, Any] = {"state": home / "state", "environment": {"RCLONE_CONFIG": str(self.config)}}
        self.use(server.port)

    @property
    def source(self) -> Path:
        """The directory where the files are."""
        assert self.at_source.directory is not None
        return self.at_source.directory

    @property
    def target(self) -> Path:
        """The directory where they are to be."""
        assert self.at_target.directory is not None
        return self.at_target.directory

    def use(self, port: int) -> None:
        """Reach the server through a port."""
        self.config.write_text(self.server.section("remote", port=port))
        self.config.chmod(0o600)

    def destinations(self) -> list[Path]:
        """Where the files will be."""
        events = self.forks.run(*self.arguments, "--dry-run", **self.settings).events
        return [self.target / event["dst"]["path"] for event in events if event["type"] == "operation"]

    def begin(self, *options: str, sent: int = SIZE // 2) -> Started:
        """Start it; returns when that many bytes are on their way."""
        begun = threading.Event()
        line = self._line = tcp_proxy(self.server.port)
        proxy: TcpProxy = line.__enter__()
        self.use(proxy.port)
        proxy.call_after(sent, begun.set)
        started = self.forks.start(*self.arguments, *options, "--bandwidth", RATE, "--transfers", str(FILES), **self.settings)
        if self.kind == "ftp":  # its bytes take connections of their own
            until(lambda: sum(file.stat().st_size for file in files(self.target)) > sent)
        else:
            assert begun.wait(60)
        return started

    def over(self) -> None:
        """The line is fast again."""
        self._line.__exit__(None, None, None)
        self.use(self.server.port)

    def there(self) -> dict[str, str]:
        """What a user sees at the target."""
        return visible(self.at_target.tree())

    def check_after_kill(self) -> None:
        """Nothing is cut, and nothing is lost."""
        there = set(self.there().values())
        assert there <= set(self.music.values()), "a file is cut"
        assert {*self.at_target.tree().values(), *self.at_source.tree().values()} >= {*self.music.values()}

    def check_at_end(self) -> None:
        """Everything has moved, and nothing of ours is left."""
        assert sorted(self.at_target.tree().values()) == sorted(self.music.values())
        assert self.at_source.tree() == {}


def files(directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if file.is_file()]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # nothing reports what another process has done on a disk


IN_CI = ("webdav", "drive")


@pytest.mark.parametrize(
    "kind", (*IN_CI, "ftp", "dropbox", "wsgidav", "sftp", "openssh", "s3_serve", "s3_moto") if NIGHTLY else IN_CI
)
@pytest.mark.parametrize("sent", [SIZE // 2, SIZE * 2, SIZE * 7 // 2] if NIGHTLY else [SIZE // 2])
def test_a_kill_during_uploads_leaves_nothing_cut_under_a_final_name(
    kind: str, sent: int, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 29: `resume` sends the rest, and deletes nothing of another program."""
    copy = SlowCopy(request, kind, forks, tmp_path)
    debris = b"of another program"
    copy.at_target.put(DEBRIS, debris)
    copy.music[DEBRIS] = digest(debris)
    started = copy.begin("--move", sent=sent)
    kill(started.pid, "both")
    assert started.end().code < 0
    copy.over()
    copy.check_after_kill()
    forks.run("resume", **copy.settings)
    assert copy.there()[DEBRIS] == digest(debris)
    copy.check_at_end()


def killed_upload(copy: SlowCopy, number: int, *, done: bool) -> Ended:
    """Kill the program at a request, before or after the server has carried it out; then check, and resume."""
    programs: list[Started] = []
    with http_proxy(copy.server.port) as proxy:
        copy.use(proxy.port)
        proxy.at(number, Then(lambda: kill(programs[0].pid, "both"), reply=done), changing=False)
        programs.append(copy.forks.start(*copy.arguments, "--move", "--transfers", "1", **copy.settings))
        ended = programs[0].end()
    copy.use(copy.server.port)
    copy.check_after_kill()
    if copy.forks.run("resume", **copy.settings).summary["run"] is None:  # killed before the run was recorded
        copy.forks.run(*copy.arguments, "--move", **copy.settings)
    copy.check_at_end()
    return ended


@pytest.mark.timeout(0 if NIGHTLY else 60)
@pytest.mark.parametrize(("kind", "done"), [*product(["drive", "dropbox"], [False, True])] if NIGHTLY else KILLED_IN_CI)
def test_a_kill_at_any_request_of_an_upload(
    kind: str, done: bool, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 29: a sample of the requests; the nightly run tries all."""
    kills = 0
    for number in count(1) if NIGHTLY else [Random(f"{kind} {done}").randint(*SAMPLED)]:
        copy = SlowCopy(request, kind, forks, tmp_path / f"{kind}-{done}-{number}", size=0)
        if killed_upload(copy, number, done=done).code == 0:
            break
        kills += 1
    assert kills >= (SAMPLED[1] if NIGHTLY else 1)


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
    assert everything >= {*copy.music.values(), *map(digest, theirs.values())}
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
    changed = {file: digest(file.read_bytes()) for file in (growing, shrinking, rewritten)}
    whole = copy.music[untouched.relative_to(copy.source).as_posix()]
    ended = started.end()
    copy.over()
    assert ended.code == 3, ended.stderr
    here, there = {*copy.at_source.tree().values()}, {*copy.there().values()}
    # On a busy machine, a file may not have been opened yet when it changed: then it moves as it is now.
    assert there <= {whole, *changed.values()}, "a copy is cut, or old"
    assert here | there >= {whole, *changed.values()}
    forks.run(*copy.arguments, how, codes=(0, 3), **copy.settings)
    assert sorted(copy.there().values()) == sorted([whole, *changed.values()])


@pytest.mark.parametrize(
    "kind", ["webdav", "wsgidav", "sftp", "s3_serve", "s3_moto", "drive", "dropbox"] if NIGHTLY else ["webdav"]
)
def test_sources_that_change_while_they_replace_files(
    kind: str, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 38: as above, and one is replaced by a rename. Nothing torn is put there, and the next sync sends the whole."""
    copy = SlowCopy(request, kind, forks, tmp_path)
    syncing = copy.arguments = ("sync", copy.at_source.location, copy.at_target.location)
    forks.run(*syncing, **copy.settings)
    whole = {path: {content} for path, content in copy.there().items()}
    assert len(whole) == FILES
    sources = [copy.source / path for path in sorted(whole)]

    def note() -> None:
        for path, contents in whole.items():
            contents.add(digest((copy.source / path).read_bytes()))

    for file in sources:
        file.write_bytes(file.read_bytes()[: -SIZE // 2] + b"\2" * (SIZE // 2))
    note()
    growing, shrinking, rewritten, replaced = sources
    started = copy.begin()
    with growing.open("ab") as stream:
        stream.write(bytes(5000))
    os.truncate(shrinking, SIZE - 50_000)
    before = rewritten.stat()
    with rewritten.open("r+b") as stream:
        stream.seek(-1000, os.SEEK_END)
        stream.write(b"\1" * 1000)
    os.utime(rewritten, ns=(before.st_atime_ns, before.st_mtime_ns))
    (copy.home / "new").write_bytes(replaced.read_bytes()[:-1000] + b"\3" * 1000)
    (copy.home / "new").replace(replaced)
    note()
    ended = started.end()
    copy.over()
    assert ended.code in {0, 3}, ended.stderr
    there = copy.there()
    assert there.keys() == whole.keys()
    assert not {path for path, content in there.items() if content not in whole[path]}, "torn"
    forks.run(*syncing, codes=(0, 3), **copy.settings)  # 3: the one that was cut gets its old content back
    assert copy.there() == {path: digest((copy.source / path).read_bytes()) for path in whole}


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


@pytest.mark.parametrize("upload", [False, True])
def test_a_copy_that_another_program_replaces_at_once_is_not_deleted(
    upload: bool, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 26: rclone would delete whatever differs from the source when it compares its copy."""
    copy = SlowCopy(request, "s3_moto", forks, tmp_path, size=0)
    source = copy.at_source if upload else place_on(copy.server, f"{tmp_path.name}-source")
    if not upload:
        for path in copy.music:
            source.put(path, (copy.source / path).read_bytes())
    theirs = b"of another program"
    copied: list[str] = []

    def replace(seen: Seen) -> bool:
        path = unquote(seen.path.partition("?")[0])
        if seen.method == "PUT" and path.endswith(".mp3") and not copied:
            copied.append(path)
        elif copied == [path] and seen.method == "HEAD":
            copied.append(path)
            copy.at_target.put(path.partition(f"{copy.at_target.prefix}/")[2], theirs)
        return False

    with http_proxy(copy.server.port) as proxy:
        copy.use(proxy.port)
        proxy.when(replace, Drop())
        target = copy.at_target.location
        ended = forks.run("organize", source.location, target, "--move", codes=(3,), **copy.settings)
    assert len(copied) == 2
    there = {*copy.at_target.tree().values(), *source.tree().values()}
    assert there >= {digest(theirs), *copy.music.values()}
    if upload:  # it may have been stored damaged, so it is quarantined and sent again
        [error] = ended.errors
        away = error["message"].rpartition("moved to ")[2]
        assert copy.at_target.tree()[away] == digest(theirs)
    else:
        assert digest(theirs) in copy.there().values()
