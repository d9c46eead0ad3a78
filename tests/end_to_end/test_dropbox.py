"""A messy library on Dropbox, through rclone's own backend: in few calls, there and back, and killed during changes of case."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Forks, kill
from tests.library import LibraryFacts, make_library
from tests.nightly import NIGHTLY
from tests.places import OWN, Place, places, visible
from tests.program import Ended, Program
from tests.servers import remotes
from tests.servers.dropbox_server import refusal
from tests.servers.http import HttpProxy, Then, http_proxy
from tests.servers.remotes import DropboxRemote

COUNT = 60
EVERY = 1 if NIGHTLY else 5
"""Unless all are tried, a kill only at every fifth changing call."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """All formats; no names that Dropbox refuses (.DS_Store), and no two that it treats as one."""
    facts = make_library(tmp_path_factory.mktemp("messy") / "library", count=COUNT, oddities=False)
    for path in facts.clutter:
        del facts.files[path]
    return facts


@pytest.fixture
def place(library: LibraryFacts, rclone_binary: Path, rclone_config: Path, tmp_path: Path) -> Iterator[Place]:
    """The library on a Dropbox of its own."""
    with places("dropbox", tmp_path / "served", rclone_binary, rclone_config, {"music": library}) as made:
        yield made["music"]


@pytest.fixture
def server(place: Place) -> DropboxRemote:
    """The location."""
    assert isinstance(place.server, DropboxRemote)
    return place.server


@pytest.fixture
def expected(library: LibraryFacts, rclone_binary: Path, rclone_config: Path, tmp_path: Path) -> dict[str, str]:
    """The organized tree on a local disk, path -> sha256."""
    with places("local", tmp_path / "disk", rclone_binary, rclone_config, {"music": library}) as made:
        Program(tmp_path / "reference")("organize", made["music"].location, "--yes")
        return visible(made["music"].tree())


@pytest.mark.shows("organize in place", "undo", provider="dropbox")
def test_in_place(library: LibraryFacts, expected: dict[str, str], place: Place, server: DropboxRemote, tmp_path: Path) -> None:
    """The same tree as on a disk, with the number of calls that the profile states; restored by `undo`."""
    program = Program(tmp_path / "state")
    before = place.tree()
    ids = {item.id: path for path, item in server.tree.walk("music") if item.content}
    folders = sum(item.is_folder for _, item in server.tree.walk("music")) + 1
    assert Counter(before.values()) == library.contents()

    server.dropbox.reset()
    read = program("scan", place.location).summary["files_read"]
    calls = server.dropbox.calls
    assert read == len(library.tracks)
    assert calls["files/list_folder"] <= 2 * folders, "each folder once for the listing, and once more to read in it"
    assert calls["files/download"] <= 1.5 * read
    assert calls.total() <= 2 * folders + 1.5 * read + 8
    assert server.dropbox.changes == 0

    server.dropbox.reset()
    first = program("organize", place.location, "--yes")
    moves = first.summary["ops_done"]
    assert first.summary["ops_failed"] == 0
    assert moves > 0.8 * COUNT
    assert visible(place.tree()) == expected
    songs = {one for one, path in ids.items() if path in library.tracks}
    fetched = {asked for kind, asked in server.dropbox.requests if kind == "files/download"}
    assert fetched.isdisjoint(songs), "no music is read or carried: only playlists whose entries moved"
    assert moves - len(fetched) <= server.dropbox.calls["files/move_v2"] <= moves + folders, "and folders that it emptied"
    assert server.dropbox.calls["files/get_metadata"] <= 6 * moves + 4 * folders + 20

    after = place.tree()
    server.dropbox.reset()
    second = program("organize", place.location, "--yes")
    assert (second.summary["ops_planned"], second.summary["files_read"], server.dropbox.changes) == (0, 0, 0)
    assert place.tree() == after

    program("undo", first.run, "--yes")
    assert visible(place.tree()) == before
    back = {item.id: path for path, item in server.tree.walk("music") if item.content and not path.startswith(OWN)}
    assert back == ids, "the same files, not copies"


def test_the_only_dropbox_is_recognized_by_its_url(library: LibraryFacts, tmp_path: Path) -> None:
    with remotes.dropbox() as server:
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("box"))
        config.chmod(0o600)
        path = min(library.tracks)
        server.tree.preload(library.root, "music", files=[path])
        scanned = Program(tmp_path / "state", {"RCLONE_CONFIG": str(config)})("scan", "dropbox://music")
        assert scanned.summary["files_read"] == 1


@pytest.mark.parametrize("options", [("--copy",), ("--move", "--verify", "full")])
def test_music_from_google_drive(forks: Forks, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Two clouds without a common hash: a copy is verified by its size, or by reading it."""
    with remotes.drive() as drive, remotes.dropbox() as box:
        config = tmp_path / "rclone.conf"
        config.write_text(drive.section("drive") + box.section("box"))
        config.chmod(0o600)
        for path, number in NAMES.items():
            drive.tree.put(f"music/{path}", song(number))
        environment = {"RCLONE_CONFIG": str(config)}
        state = tmp_path / "state"
        before = {content for (content,) in drive.tree.tree("music").values()}
        first = forks.run("organize", "drive:music", "box:sorted", *options, state=state, environment=environment)
        assert first.summary["ops_done"] == len(NAMES)
        assert {*visible(box.tree.tree("sorted")).values()} == before
        assert visible(box.tree.tree("sorted")).keys() == RIGHT.keys()
        left = [path for path in drive.tree.tree("music") if not path.startswith(OWN)]
        assert left == ([*NAMES] if "--copy" in options else [])
        forks.run("undo", first.run, state=state, environment=environment)
        assert visible(box.tree.tree("sorted")) == {}
        assert {content for (content,) in drive.tree.tree("music").values()} == before


# Changes of case.

NAMES = {f"beck/odelay (1996)/0{number} song {number}.mp3": number for number in (1, 2)}
RIGHT = {f"Beck/Odelay (1996)/0{number} Song {number}.mp3": number for number in (1, 2)}


def spelled_in_lower_case(server: DropboxRemote, folder: str) -> str:
    """An album whose folders and files have the wrong case; its location."""
    for path, number in NAMES.items():
        server.tree.put(f"{folder}/{path}", song(number))
    return server.fs(folder, name="box")


def song(number: int) -> bytes:
    tags = Track(title=(f"Song {number}",), artist=("Beck",), album=("Odelay",), track=number, date="1996")
    return track_bytes("mp3", tags, seconds=0.2, serial=number)


def contents(server: DropboxRemote, folder: str, names: dict[str, int]) -> dict[int, str]:
    tree = visible(server.tree.tree(folder))
    assert tree.keys() == names.keys()
    return {number: tree[path] for path, number in names.items()}


def test_a_busy_dropbox_is_waited_for(tmp_path: Path, forks: Forks) -> None:
    """Fault case 19: 429 with Retry-After: the change is repeated after that time, once both ends were checked."""
    with remotes.dropbox() as server, http_proxy(server.port) as proxy:
        place = spelled_in_lower_case(server, "music")
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("box", port=proxy.port))
        config.chmod(0o600)
        proxy.when(lambda seen: seen.path.endswith("move_v2"), refusal("too_many_write_operations", retry_after=1), times=1)
        environment = {"RCLONE_CONFIG": str(config)}
        forks.run("organize", place, "--transfers", "1", state=tmp_path / "state", environment=environment)
        assert visible(server.tree.tree("music")).keys() == RIGHT.keys()
        (refused,) = [seen for seen in proxy.requests if seen.status == 429]
        later = next(
            seen for seen in proxy.requests if seen.path.endswith("move_v2") and seen.at > refused.at and seen.status == 200
        )
        assert later.at - refused.at >= 1


CHANGES = ("move_v2", "delete_v2", "create_folder_v2", "finish_batch_v2", "files/upload")


def test_killed_between_the_steps_of_a_change_of_case(tmp_path: Path, forks: Forks) -> None:
    """Fault case 10: SIGKILL before or after each changing call; a file at a temporary name gets its final name."""
    with remotes.dropbox() as server, http_proxy(server.port) as proxy:
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("box", port=proxy.port))
        config.chmod(0o600)
        environment = {"RCLONE_CONFIG": str(config)}
        changes = between = 0
        while True:
            changes += EVERY
            folder, state = f"music{changes}", tmp_path / f"state{changes}"
            place = spelled_in_lower_case(server, folder)
            before = contents(server, folder, NAMES)
            ids = {item.id for _, item in server.tree.walk(folder) if item.content}
            ended = killed_at(changes, proxy, forks, "organize", place, "--transfers", "1", state=state, environment=environment)
            if ended.code >= 0:
                break
            assert ended.code == -signal.SIGKILL
            held = server.tree.tree(folder)
            assert Counter(held.values()) >= Counter(before.values())
            between += any(path.startswith(".music-orchestrator/tmp/") for path in held)
            if forks.run("resume", state=state, environment=environment).run == "None":  # killed before the run was recorded
                forks.run("organize", place, state=state, environment=environment)
            assert contents(server, folder, RIGHT) == before
            assert ids == {item.id for path, item in server.tree.walk(folder) if item.content and path in RIGHT}
            assert {path for path, item in server.tree.walk(folder) if item.is_folder} >= {"Beck", "Beck/Odelay (1996)"}
        assert contents(server, folder, RIGHT) == before
        assert changes > 8
        assert between, "some kills left a file under its temporary name"
        forks.run("undo", ended.run, state=state, environment=environment)
        assert contents(server, folder, NAMES) == before


def killed_at(number: int, proxy: HttpProxy, forks: Forks, *arguments: str, **settings: Any) -> Ended:
    """Run the program; it and its rclone are killed at the `number`-th changing call, before or after it is carried out."""
    proxy.reset()
    counted = iter(range(1, 10_000))
    started: list[int] = []
    dying = Then(lambda: kill(started[0], "both"), reply=bool(number % 2))
    proxy.when(lambda seen: seen.path.endswith(CHANGES) and next(counted) == number, dying)
    program = forks.start(*arguments, **settings)
    started.append(program.pid)
    ended = program.end()
    proxy.wait_until_idle()
    proxy.reset()
    return ended
