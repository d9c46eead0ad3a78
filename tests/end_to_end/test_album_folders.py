"""An album that is only in the wrong folder, on Google Drive and Dropbox: the folder moves in one change, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Death, Forks, kill
from tests.nightly import NIGHTLY, some_at_night
from tests.program import Ended
from tests.servers import remotes
from tests.servers.http import HttpProxy, Lose, Seen, Then, http_proxy
from tests.servers.remotes import DriveRemote, DropboxRemote

WRONG, RIGHT = "Inbox/band - album", "Band/Album (2001)"
SONGS = {
    f"{n:02} Song {n}.mp3": track_bytes(
        "mp3",
        Track(title=(f"Song {n}",), artist=("Band",), album=("Album",), track=n, date="2001"),
        seconds=0.2,
        serial=n,
    )
    for n in range(1, 13)
}
ALBUM = {"cover.jpg": b"picture", "01 Song 1.lrc": b"[00:00.00]la", **SONGS}


@dataclass
class Cloud:
    """A server behind a proxy; each test has a folder of its own on it."""

    kind: str
    server: DriveRemote | DropboxRemote
    proxy: HttpProxy
    forks: Forks
    home: Path
    numbers: Iterator[int]
    folder: str = ""

    def fresh(self, files: int = len(ALBUM)) -> None:
        """The album, or some of its files, in a folder of its own with the wrong name."""
        self.folder = f"music{next(self.numbers)}"
        for name, content in [*ALBUM.items()][:files]:
            self.server.tree.put(f"{self.folder}/{WRONG}/{name}", content)
        self.proxy.reset()

    @property
    def location(self) -> str:
        return self.server.fs(self.folder, name="cloud")

    @property
    def settings(self) -> dict[str, Any]:
        return {"state": self.home / self.folder, "environment": {"RCLONE_CONFIG": str(self.home / "rclone.conf")}}

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.forks.run(*arguments, codes=codes, **self.settings)

    def there(self) -> dict[str, str]:
        """Id -> path of every file, except our own."""
        walked = self.server.tree.walk(self.folder)
        return {item.id: path for path, item in walked if item.content and not path.startswith(".music-orchestrator/")}

    def folders(self) -> list[str]:
        walked = self.server.tree.walk(self.folder)
        return sorted(path for path, item in walked if item.is_folder and not f"{path}/".startswith(".music-orchestrator/"))

    def calls(self) -> int:
        """The number of requests since the last call."""
        emulated = self.server.drive if isinstance(self.server, DriveRemote) else self.server.dropbox
        total = emulated.calls.total()
        emulated.reset()
        return total

    def is_change(self, seen: Seen) -> bool:
        if self.kind == "drive":
            return bool(seen.change)
        return seen.path.endswith(("move_v2", "delete_v2", "create_folder_v2", "finish_batch_v2", "files/upload"))

    def is_move(self, seen: Seen) -> bool:
        return seen.path.endswith("move_v2") or (seen.method == "PATCH" and "addParents=" in seen.path)

    def moves(self) -> int:
        """The moves since the proxy was reset."""
        return sum(self.is_move(seen) for seen in self.proxy.requests)


@pytest.fixture(scope="module", params=["drive", "dropbox"])
def cloud(request: pytest.FixtureRequest, forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    kind: str = request.param
    home = tmp_path_factory.mktemp(kind)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(remotes.drive() if kind == "drive" else remotes.dropbox())
        proxy = stack.enter_context(http_proxy(server.port))
        config = home / "rclone.conf"
        config.write_text(server.section("cloud", port=proxy.port))
        config.chmod(0o600)
        yield Cloud(kind, server, proxy, forks, home, count(1))


@pytest.fixture(autouse=True)
def fresh(cloud: Cloud) -> None:
    cloud.fresh()


def placed(cloud: Cloud, ids: dict[str, str], directory: str) -> dict[str, str]:
    """The paths that the same files would have if the album were that directory."""
    return {one: f"{directory}/{path.rpartition('/')[2]}" for one, path in ids.items()}


def with_the_first_move(cloud: Cloud, name: str, content: bytes) -> list[str]:
    """Another program puts a file into the right folder just before it; its id is in the list then."""
    put: list[str] = []

    def turns_up(seen: Seen) -> bool:
        if cloud.is_move(seen) and not put:
            put.append(cloud.server.tree.put(f"{cloud.folder}/{RIGHT}/{name}", content).id)
        return False

    cloud.proxy.when(turns_up, Lose())
    return put


# The cost of a run as the profiles state it.
AT_ONCE = {"drive": 22, "dropbox": 12}
"""Of a run that has just listed everything, which takes a call for each of these folders: the location, Inbox, the album."""
LISTING = {"drive": 4, "dropbox": 3}
CALLS = {"drive": 22 + 4, "dropbox": 12 + 2}
"""Of `apply` and `undo`, which list nothing: does the remote answer, is the location a folder? On a slow machine, a few more."""
MOVES = {"drive": 1, "dropbox": 2}
"""Cost of one album; on Dropbox the folder above it is moved to our trash when it is empty."""
CALLS_AN_ALBUM = {"drive": 6, "dropbox": 5}


def test_it_moves_in_one_change_and_back(cloud: Cloud) -> None:
    ids = cloud.there()
    plan = cloud.home / f"{cloud.folder}.plan"
    cloud.run("plan", cloud.location, "-o", str(plan))
    cloud.calls()
    first = cloud.run("apply", str(plan))
    assert first.summary["ops_done"] == len(ALBUM) == 14
    assert cloud.calls() <= CALLS[cloud.kind]
    assert cloud.moves() == MOVES[cloud.kind]
    assert cloud.there() == placed(cloud, ids, RIGHT), "the same files, not copies"
    assert cloud.folders() == ["Band", RIGHT]

    cloud.proxy.reset()
    second = cloud.run("organize", cloud.location)
    assert (second.summary["ops_planned"], second.summary["files_read"]) == (0, 0)
    listing = "/drive/v3/files" if cloud.kind == "drive" else "/2/files/list_folder"
    assert {seen.path.partition("?")[0] for seen in cloud.proxy.requests} == {listing}, "nothing to do: the listing alone"

    cloud.calls()
    cloud.run("undo", first.run)
    assert cloud.calls() <= CALLS[cloud.kind]
    assert cloud.moves() == MOVES[cloud.kind]
    assert cloud.there() == ids
    assert cloud.folders() == ["Inbox", WRONG]


def test_a_run_takes_as_many_calls_as_its_profile_says(cloud: Cloud) -> None:
    cloud.run("scan", cloud.location)
    cloud.calls()
    cloud.run("organize", cloud.location, "--dry-run")
    assert cloud.calls() == LISTING[cloud.kind]
    assert cloud.run("organize", cloud.location).summary["ops_done"] == 14
    slow = 5 if cloud.kind == "drive" else 0  # if the run takes longer than what it has seen of folders holds
    assert cloud.calls() - LISTING[cloud.kind] in range(AT_ONCE[cloud.kind], AT_ONCE[cloud.kind] + slow + 1)
    ours = [(path, item) for path, item in cloud.server.tree.walk(cloud.folder) if path.startswith(".music")]
    assert all(cloud.kind == "dropbox" and item.is_folder and "trash".startswith(path[20:25]) for path, item in ours), (
        "nothing is left, but on Dropbox the folder that the album was in"
    )


def first(cloud: Cloud, wanted: Callable[[Seen], bool], act: Callable[[], object]) -> None:
    """Another program acts just before the first such request reaches the server."""
    acts = [act]

    def meets(seen: Seen) -> bool:
        if acts and wanted(seen):
            acts.pop()()
        return False

    cloud.proxy.when(meets, Lose())


def test_a_marker_that_came_after_the_listing_stops_the_run(cloud: Cloud) -> None:
    """What the listing has shown of our folder is not believed: another machine may have begun meanwhile."""
    ids = cloud.there()
    cloud.run("scan", cloud.location)
    mark = {"host": "another", "run": "its-run", "start": time.time(), "heartbeat": time.time()}
    marker = f"{cloud.folder}/.music-orchestrator/run.json"
    listed = count(1)
    first(
        cloud,
        lambda _: next(listed) > LISTING[cloud.kind],
        lambda: cloud.server.tree.put(marker, json.dumps(mark).encode()),
    )
    refused = cloud.run("organize", cloud.location, codes=(8,))
    assert "another" in refused.errors[0]["message"]
    assert (cloud.there(), cloud.moves()) == (ids, 0)


def test_what_others_put_into_our_folder_meanwhile_stays(cloud: Cloud) -> None:
    """Our folder goes with the marker where nothing else is in it."""
    theirs = f"{cloud.folder}/.music-orchestrator/quarantine/theirs/a.mp3"
    put: list[str] = []
    first(cloud, cloud.is_move, lambda: put.append(cloud.server.tree.put(theirs, b"theirs").id))
    cloud.run("organize", cloud.location)
    there = {item.id: path for path, item in cloud.server.tree.walk(cloud.folder) if item.content}
    assert there.pop(put[0]) == theirs.removeprefix(f"{cloud.folder}/")
    assert not any("run.json" in path for path in there.values())


def test_a_folder_of_ours_from_before_the_run_is_only_emptied_of_the_marker(cloud: Cloud) -> None:
    """What it holds may be something that no listing shows."""
    before = cloud.server.tree.put(f"{cloud.folder}/.music-orchestrator/kept/x", b"x").id
    cloud.run("organize", cloud.location)
    ours = {path: item.id for path, item in cloud.server.tree.walk(cloud.folder) if path.startswith(".music") and item.content}
    assert ours == {".music-orchestrator/kept/x": before}


def test_a_file_that_comes_into_the_folder_around_the_album_stays_there(cloud: Cloud) -> None:
    """Between the request that moves the album and the one that removes what it was in."""
    ids = cloud.there()
    put: list[str] = []

    def after_the_move(seen: Seen) -> bool:
        return any(map(cloud.is_move, cloud.proxy.requests)) and not cloud.is_move(seen)

    first(cloud, after_the_move, lambda: put.append(cloud.server.tree.put(f"{cloud.folder}/Inbox/new.mp3", b"new").id))
    cloud.run("organize", cloud.location)
    assert cloud.there() == {**placed(cloud, ids, RIGHT), put[0]: "Inbox/new.mp3"}


def test_a_folder_with_something_that_rclone_does_not_list_stays(cloud: Cloud) -> None:
    if isinstance(cloud.server, DropboxRemote):
        pytest.skip("rclone lists everything there")
    ids = cloud.there()
    folder = cloud.server.tree.folder(f"{cloud.folder}/Inbox")
    form = cloud.server.tree.create({"name": "form", "mimeType": "application/vnd.google-apps.form", "parents": [folder.id]})
    cloud.run("organize", cloud.location)
    assert cloud.there() == placed(cloud, ids, RIGHT)
    assert not cloud.server.tree.in_trash(form)


def test_into_an_album_that_is_there_the_discs_move_whole(cloud: Cloud) -> None:
    """The server refuses the album, because its folder exists; those in it whose names are free still move in one change."""
    for number in range(1, 5):
        cloud.server.tree.put(f"{cloud.folder}/{WRONG}/Scans/{number}.jpg", b"scan %d" % number)
    ids = cloud.there()
    plan = cloud.home / f"{cloud.folder}.plan"
    cloud.run("plan", cloud.location, "-o", str(plan))
    theirs = cloud.server.tree.put(f"{cloud.folder}/{RIGHT}/notes.pdf", b"theirs").id
    assert cloud.run("apply", str(plan)).summary["ops_done"] == 18
    assert cloud.moves() == 14 + MOVES[cloud.kind]
    there = cloud.there()
    assert there.pop(theirs) == f"{RIGHT}/notes.pdf"
    assert there == {one: path.replace(WRONG, RIGHT) for one, path in ids.items()}


def test_each_further_album_takes_as_many_calls(cloud: Cloud) -> None:
    for number in range(2, 5):
        for n, title in enumerate("abcdefghijkl", 1):
            tags = Track(title=(title,), artist=("Band",), album=(f"Album {number}",), track=n, date="2001")
            content = track_bytes("mp3", tags, seconds=0.2, serial=100 * number + n)
            cloud.server.tree.put(f"{cloud.folder}/Inbox/{number}/{n:02} {title}.mp3", content)
    ids = cloud.there()
    plan = cloud.home / f"{cloud.folder}.plan"
    cloud.run("plan", cloud.location, "-o", str(plan))
    cloud.calls()
    assert cloud.run("apply", str(plan)).summary["ops_done"] == len(ids) == 14 + 3 * 12
    assert cloud.calls() <= CALLS[cloud.kind] + 3 * CALLS_AN_ALBUM[cloud.kind]
    assert cloud.moves() == MOVES[cloud.kind] + 3
    assert cloud.there().keys() == ids.keys()


def test_after_a_lost_answer_a_look_shows_what_was_done(cloud: Cloud) -> None:
    ids = cloud.there()
    cloud.proxy.when(cloud.is_move, Lose(), times=1)
    assert cloud.run("organize", cloud.location).summary["ops_done"] == 14
    assert (cloud.moves(), cloud.there()) == (MOVES[cloud.kind], placed(cloud, ids, RIGHT))


def test_an_added_file_stays_and_the_others_move_one_by_one(cloud: Cloud) -> None:
    ids = cloud.there()
    plan = cloud.home / f"{cloud.folder}.plan"
    cloud.run("plan", cloud.location, "-o", str(plan))
    added = cloud.server.tree.put(f"{cloud.folder}/{WRONG}/.new", b"new").id
    assert cloud.run("apply", str(plan)).summary["ops_done"] == 14
    assert cloud.moves() == 14
    assert cloud.there() == {**placed(cloud, ids, RIGHT), added: f"{WRONG}/.new"}


def test_a_target_that_has_appeared_is_not_merged_into(cloud: Cloud) -> None:
    """Fault case 16: the file in the way is skipped; files whose names are free move one by one."""
    ids = cloud.there()
    plan = cloud.home / f"{cloud.folder}.plan"
    cloud.run("plan", cloud.location, "-o", str(plan))
    theirs = cloud.server.tree.put(f"{cloud.folder}/{RIGHT}/cover.jpg", b"their picture").id
    ended = cloud.run("apply", str(plan), codes=(3,))
    assert (ended.summary["ops_done"], [error["path"] for error in ended.errors]) == (13, [f"{WRONG}/cover.jpg"])
    ours = next(one for one, path in ids.items() if path.endswith("cover.jpg"))
    assert cloud.there() == {**placed(cloud, ids, RIGHT), ours: f"{WRONG}/cover.jpg", theirs: f"{RIGHT}/cover.jpg"}


def test_a_target_that_appears_at_the_last_moment_loses_nothing(cloud: Cloud) -> None:
    """Between rclone's look and its request: Dropbox refuses; Drive gets two folders of that name; rclone reaches one."""
    cloud.fresh(4)
    ids = cloud.there()
    put = with_the_first_move(cloud, "cover.jpg", b"their picture")
    ended = cloud.run("organize", cloud.location, codes=(3, 9))
    there = cloud.there()
    assert there.keys() == {*ids, *put}
    assert there.pop(put[0]) == f"{RIGHT}/cover.jpg"
    if cloud.kind == "dropbox":
        assert (ended.code, ended.summary["ops_done"]) == (3, 3)
    else:
        assert (ended.code, there) == (9, placed(cloud, ids, RIGHT))
        cloud.run("organize", cloud.location, codes=(0, 3, 4))  # depends on which of the two folders rclone reaches
        assert cloud.there().keys() == {*ids, *put}


def test_a_file_that_turns_up_between_the_looks_keeps_its_name(cloud: Cloud) -> None:
    """Files that move one by one: Dropbox refuses; on Drive both have the name until ours, known by its id, goes back."""
    cloud.fresh(3)
    ids = cloud.there()
    put = with_the_first_move(cloud, "cover.jpg", b"their picture")
    ended = cloud.run("organize", cloud.location, "--transfers", "1", codes=(3,))
    assert (ended.summary["ops_done"], [error["path"] for error in ended.errors]) == (2, [f"{WRONG}/cover.jpg"])
    assert "already exists" in ended.errors[0]["message"]
    ours = next(one for one, path in ids.items() if path.endswith("cover.jpg"))
    assert cloud.there() == {**placed(cloud, ids, RIGHT), ours: f"{WRONG}/cover.jpg", put[0]: f"{RIGHT}/cover.jpg"}


def kills(cloud: Cloud, victims: str) -> list[tuple[str, int, bool]]:
    """("request" or "write", its number, done or not): all of them, or those around the request that moves the folder."""
    cloud.run("scan", cloud.location)
    cloud.proxy.reset()
    unkilled = cloud.forks.start("organize", cloud.location, **cloud.settings)
    assert unkilled.end().code == 0
    requests = sum(map(cloud.is_change, cloud.proxy.requests))
    every = [("request", number, done) for number in range(1, requests + 1) for done in (False, True)]
    every += [("write", number, done) for number in range(1, unkilled.writes + 1) for done in (False, True)]
    if NIGHTLY:
        return every
    moved = next(n for n, seen in enumerate(filter(cloud.is_change, cloud.proxy.requests), 1) if cloud.is_move(seen))
    return [("request", moved, False), ("request", moved, True)]


@pytest.mark.timeout(0 if NIGHTLY else 180)
@pytest.mark.parametrize("victims", some_at_night(("program", "rclone", "both"), night={"program", "rclone"}))
def test_after_a_kill_at_any_moment_resume_finishes_it(cloud: Cloud, victims: str) -> None:
    """Fault case 1, where an album is one request: SIGKILL before and after each change and each write of the journal."""
    for at, number, done in kills(cloud, victims):
        cloud.fresh()
        ids = cloud.there()
        cloud.run("scan", cloud.location)
        cloud.proxy.reset()
        changes, started = count(1), list[int]()
        death = Death(number, done, victims) if at == "write" else None
        if at == "request":
            strike = Then(lambda: kill(started[0], victims), reply=done)  # noqa: B023 - called in this iteration
            cloud.proxy.when(lambda seen: cloud.is_change(seen) and next(changes) == number, strike)  # noqa: B023 - as above
        program = cloud.forks.start("organize", cloud.location, death=death, **cloud.settings)
        started.append(program.pid)
        ended = program.end()
        cloud.proxy.wait_until_idle()
        cloud.proxy.reset()
        assert ended.code == (0 if victims == "rclone" else -signal.SIGKILL), (at, number, done, ended.errors)
        assert cloud.there().keys() == ids.keys()
        if cloud.run("resume").run == "None":  # killed before the run was recorded, or finished normally
            cloud.run("organize", cloud.location)
        assert cloud.there() == placed(cloud, ids, RIGHT), (at, number, done)
        assert cloud.folders() == ["Band", RIGHT], (at, number, done)
        cloud.proxy.reset()
        assert cloud.run("organize", cloud.location).summary["ops_planned"] == 0
        assert not any(map(cloud.is_change, cloud.proxy.requests))
