"""Fault case 37: on Google Drive another client renames or trashes a folder while a command is at work.

rclone remembers the ids of folders, so the old path would lead into the renamed folder, and a delete by that path would delete
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import digest
from tests.program import Ended
from tests.servers import remotes
from tests.servers.drive_files import DriveTree
from tests.servers.http import HttpProxy, Seen, Then, http_proxy
from tests.servers.remotes import DriveRemote

OWN = ".music-orchestrator/"


def song(number: int, artist: str = "Band") -> bytes:
    tags = Track(title=(f"Song {number}",), artist=(artist,), album=(f"Album of {artist}",), track=number, date="2001")
    return track_bytes("mp3", tags, seconds=0.2, serial=number)


@dataclass
class Shared:
    """A Drive that somebody else uses as well."""

    server: DriveRemote
    proxy: HttpProxy
    forks: Forks
    home: Path

    @property
    def tree(self) -> DriveTree:
        return self.server.tree

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Ended:
        environment = {"RCLONE_CONFIG": str(self.home / "rclone.conf")}
        return self.forks.run(*arguments, codes=codes, state=self.home / "state", environment=environment)

    def when(self, seen: Callable[[Seen], bool], act: Callable[[], object]) -> None:
        """The other client acts once, just before a request of ours arrives."""
        waiting = [act]

        def acts(request: Seen) -> bool:
            if waiting and seen(request):
                waiting.pop()()
            return False

        self.proxy.when(acts, Then(lambda: None))

    def contents(self) -> set[str]:
        """All contents, in the trash as well."""
        return {item.content.sha256 for item in self.tree.items.values() if item.content}

    def below(self, folder_id: str) -> dict[str, bool]:
        """Id -> whether it is in the trash, of every file in a folder, whatever the folder is called now."""
        return {item.id: self.tree.in_trash(item) for item in self.tree.items.values() if item.parent == folder_id}


@pytest.fixture
def shared(forks: Forks, tmp_path: Path) -> Iterator[Shared]:
    with remotes.drive() as server, http_proxy(server.port) as proxy:
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("shared", port=proxy.port))
        config.chmod(0o600)
        yield Shared(server, proxy, forks, tmp_path)


def a_marker_is_written(request: Seen) -> bool:
    """Everything is listed, read and planned, and nothing has changed yet."""
    return request.method == "POST" and request.path.startswith("/upload")


ACTS: dict[str, Callable[[DriveTree, str], object]] = {
    "renamed": lambda tree, path: tree.rename(path, "theirs"),
    "trashed": lambda tree, path: tree.trash(path),
    "moved away": lambda tree, path: tree.move(path, "elsewhere"),
}


SOME = [*ACTS] if NIGHTLY else ["renamed"]


@pytest.mark.parametrize("act", [*ACTS] if NIGHTLY else ["renamed", "trashed"])
def test_a_source_folder(shared: Shared, act: str) -> None:
    """Fault case 37: organize in place; the files in that folder stay in it, named, and the others are moved."""
    for number in range(1, 4):
        shared.tree.put(f"music/in/{number}.mp3", song(number))
        shared.tree.put(f"music/other/{number}.mp3", song(number + 3))
    folder = shared.tree.at("music/in")
    before, inside = shared.contents(), shared.below(folder.id)
    shared.when(a_marker_is_written, lambda: ACTS[act](shared.tree, "music/in"))

    ended = shared.run("organize", "shared:music", codes=(3,))

    assert {error["path"] for error in ended.errors} == {f"in/{number}.mp3" for number in range(1, 4)}
    assert ended.summary["ops_done"] == 3
    assert shared.below(folder.id) == dict.fromkeys(inside, act == "trashed")
    assert before <= shared.contents()


@pytest.mark.parametrize("act", SOME)
@pytest.mark.parametrize("how", ["quarantine", "delete"])
def test_a_folder_with_duplicates(shared: Shared, act: str, how: str) -> None:
    """Fault case 37: dedup; nothing leaves that folder."""
    for number in range(1, 3):
        shared.tree.put(f"music/a/{number}.mp3", song(number))
        shared.tree.put(f"music/b/copy of {number}.mp3", song(number))
        shared.tree.put(f"music/c/copy of {number + 2}.mp3", song(number + 2))
        shared.tree.put(f"music/d/{number + 2}.mp3", song(number + 2))
    folder = shared.tree.at("music/b")
    inside = shared.below(folder.id)
    shared.when(a_marker_is_written, lambda: ACTS[act](shared.tree, "music/b"))
    command = ("--delete",) if how == "delete" else ("--dedup", "quarantine")

    ended = shared.run("dedup", "shared:music", *command, codes=(3,))

    assert {error["path"] for error in ended.errors} == {"b/copy of 1.mp3", "b/copy of 2.mp3"}
    assert shared.below(folder.id) == dict.fromkeys(inside, act == "trashed")
    assert {f"music/a/{number}.mp3" for number in (1, 2)} <= {*shared.tree.tree()}


@pytest.mark.parametrize("act", SOME)
def test_a_folder_that_undo_empties(shared: Shared, act: str) -> None:
    """Fault case 37: undo brings back only what lies where it was put."""
    for number in range(1, 4):
        shared.tree.put(f"music/in/{number}.mp3", song(number))
        shared.tree.put(f"music/in/{number + 3}.mp3", song(number + 3, "Other"))
    run = shared.run("organize", "shared:music").run
    folder = shared.tree.at("music/Band/Album of Band (2001)")
    inside = shared.below(folder.id)
    assert len(inside) == 3
    shared.when(a_marker_is_written, lambda: ACTS[act](shared.tree, "music/Band/Album of Band (2001)"))

    ended = shared.run("undo", run, codes=(3,))

    assert ended.summary["ops_done"] == 3
    assert shared.below(folder.id) == dict.fromkeys(inside, act == "trashed")


@pytest.mark.parametrize("act", SOME)
def test_a_folder_that_is_synced(shared: Shared, act: str) -> None:
    """Fault case 37: an edit, a deletion and a new file are not carried into that folder; the next syncs carry all of it."""
    disk = shared.home / "disk"
    for folder, number in product(("in", "other"), range(1, 5)):
        (disk / folder).mkdir(parents=True, exist_ok=True)
        (disk / folder / f"{number}.mp3").write_bytes(song(number, f"Band {folder}"))
    shared.tree.folder("music")
    syncing = ("sync", str(disk), "shared:music")
    shared.run(*syncing)
    folder_id = shared.tree.at("music/in").id
    before, inside = shared.contents(), shared.below(folder_id)
    edits = {"in/1.mp3": song(11), "in/new.mp3": song(12), "other/1.mp3": song(13)}
    for path, content in edits.items():
        (disk / path).write_bytes(content)
    (disk / "in/2.mp3").unlink()
    shared.when(a_marker_is_written, lambda: ACTS[act](shared.tree, "music/in"))

    ended = shared.run(*syncing, codes=(3,))

    assert {"in/1.mp3", "in/2.mp3"} <= {error["path"] for error in ended.errors} <= {"in/1.mp3", "in/2.mp3", "in/new.mp3"}
    assert shared.below(folder_id) == dict.fromkeys(inside, act == "trashed")
    assert before < shared.contents()
    for _ in range(2):
        shared.run(*syncing)
    assert shared.run(*syncing).summary["ops_planned"] == 0
    there = {content for contents in shared.tree.tree("music").values() for content in contents}
    assert {digest(content) for content in edits.values()} <= there


@pytest.mark.parametrize("act", SOME)
def test_a_folder_whose_files_were_copied(shared: Shared, act: str) -> None:
    """Fault case 37: moved to a disk; the folder changes after the first download. The copies stay on both sides."""
    for number in range(1, 4):
        shared.tree.put(f"music/in/{number}.mp3", song(number))
    folder = shared.tree.at("music/in")
    inside = shared.below(folder.id)
    shared.run("scan", "shared:music")
    shared.when(lambda request: "alt=media" in request.path, lambda: ACTS[act](shared.tree, "music/in"))

    ended = shared.run("organize", "shared:music", str(shared.home / "disk"), "--move", codes=(3, 4))

    assert {error["path"] for error in ended.errors} == {f"in/{number}.mp3" for number in range(1, 4)}
    assert shared.below(folder.id) == dict.fromkeys(inside, act == "trashed")
