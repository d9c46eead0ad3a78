"""Syncs while a server is away: what is queued, what a later try does, and that each file is sent once."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.actions.session import open_session
from orchestrator.actions.waiting import intention_to_mirror, intention_to_sync, put
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.plan.planners.sync.records import Direction
from tests.faulty import Library
from tests.places import digest
from tests.program import Ended, Program
from tests.servers.http import Drop, Hold, HttpProxy, Refuse, Seen, Then
from tests.servers.remotes import SECRET_KEY

NIGHTLY = [pytest.param(kind, marks=pytest.mark.nightly) for kind in ("s3_moto", "drive", "dropbox")]
KINDS = ["webdav", *NIGHTLY]
FILES = {f"d/f{number}.mp3": bytes([number]) * (20_000 + number) for number in range(1, 7)}
LARGE = 10_000
"""Bytes; what we write for ourselves is smaller."""
Proxied = Callable[[str], tuple[Library, HttpProxy]]


class Pair:
    """A folder of this machine with six files, and an empty location on a server behind a proxy."""

    def __init__(self, library: Library, proxy: HttpProxy, home: Path) -> None:
        self.library = library
        self.proxy = proxy
        self.here = home / "A"
        (self.here / "d").mkdir(parents=True)
        for path, content in FILES.items():
            (self.here / path).write_bytes(content)

    @property
    def arguments(self) -> tuple[str, ...]:
        return "sync", str(self.here), self.library.place.location, "--yes"

    def sync(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self(*self.arguments, *options, codes=codes)

    def flush(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self("queue", "flush", "--yes", *options, codes=codes)

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.library(*arguments, codes=codes)

    def queued(self) -> list[dict[str, Any]]:
        return [one for one in self("queue").events if one["type"] == "queued"]

    @property
    def slow_to_give_up(self) -> bool:
        """Whether a try takes long: rclone has retries of its own for S3."""
        assert self.library.place.server is not None
        return self.library.place.server.type == "s3"

    def ends_alike(self, *, sent_at_most: int = 1) -> None:
        """All is there, was sent once, and nothing waits."""
        assert self.library.tree() == {path: digest(content) for path, content in FILES.items()}
        sent = Counter(seen.body_bytes for seen in self.proxy.requests if _is_upload(seen))
        assert len(sent) == len(FILES)
        assert max(sent.values()) <= sent_at_most
        assert self.queued() == []
        assert self.sync().summary["ops_planned"] == 0


def _is_upload(seen: Seen) -> bool:
    """Whether it brought a file to the server."""
    return seen.method in {"PUT", "POST", "PATCH"} and seen.body_bytes > LARGE and seen.status in {200, 201, 204}


def _is_large(seen: Seen) -> bool:
    """Whether it is about to bring one."""
    return int(seen.headers.get("content-length", 0)) > LARGE or (seen.method == "POST" and "/upload" in seen.path)


def _any(_: Seen) -> bool:
    return True


@pytest.fixture
def pair(proxied: Proxied, tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(*proxied(request.param), tmp_path)


@pytest.mark.parametrize("pair", KINDS, indirect=True)
def test_a_server_that_is_away_for_the_whole_run(pair: Pair) -> None:
    late = pair.here / "d/f6.mp3"
    late.unlink()
    pair.proxy.when(_any, Drop())
    if not pair.slow_to_give_up:
        pair.sync("--dry-run", codes=(5,))
        assert pair.queued() == []
    ended = pair.sync("--max-delete", "3", "--conflict", "newer", codes=(5,))
    assert (ended.summary["run"], ended.summary["queued"]) == (None, 1)
    (row,) = pair.queued()
    assert (row["a"], row["b"], row["direction"], row["kind"]) == (str(pair.here), pair.library.place.location, "both", "sync")
    assert row["options"] == {"conflict": "newer", "max_delete": "3"}
    assert (row["attempts"], row["due"], row["run"]) == (1, False, None)
    assert ended.errors[0]["message"] == row["reason"]
    file = pair.library.home / "state/queue.sqlite3"
    assert file.stat().st_mode & 0o077 == 0
    assert SECRET_KEY.encode() not in file.read_bytes()
    if not pair.slow_to_give_up:  # the other way round it is the same pair, and the last intention counts
        pair("sync", pair.library.place.location, str(pair.here), "--to-cloud", "--yes", codes=(5,))
        (again,) = pair.queued()
        assert (again["number"], again["since"], again["attempts"]) == (row["number"], row["since"], 2)
        assert (again["direction"], again["options"]) == ("b-to-a", {"to_cloud": True})
    pair.proxy.reset()

    assert pair.flush("--due").summary["ops_planned"] == 0
    assert pair.flush("--dry-run", "--exit-code", codes=(10,)).summary["ops_planned"] == len(FILES) - 1
    assert pair.library.tree() == {}
    assert len(pair.queued()) == 1
    late.write_bytes(FILES["d/f6.mp3"])  # the flush plans from what is there then
    pair.flush()
    pair.ends_alike()


@pytest.mark.parametrize("remedy", ["flush", pytest.param("resume", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(
    "pair", ["webdav", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("s3_moto", "drive"))], indirect=True
)
def test_a_server_that_goes_away_half_way(pair: Pair, remedy: str) -> None:
    uploads = itertools.count()
    cut = threading.Event()

    def after_two_files(seen: Seen) -> bool:
        if _is_large(seen) and next(uploads) == 2:
            cut.set()
        return cut.is_set()

    pair.proxy.when(after_two_files, Drop())
    run = pair.sync("--transfers", "1", codes=(5,)).run
    (row,) = pair.queued()
    assert (row["run"], row["number"]) == (run, None), "it stands in the journal, and nowhere twice"
    if not pair.slow_to_give_up:
        pair.sync("--to-local", codes=(5,))
        assert [one["run"] for one in pair.queued()] == [run]
        pair.flush(codes=(5,))
    cut.clear()
    (pair.flush if remedy == "flush" else lambda: pair("resume", "--yes"))()
    if remedy == "resume" and not pair.slow_to_give_up:
        (row,) = pair.queued()
        assert row["options"]["to_local"], "it was wanted after the run was begun"
        pair.flush()
    pair.ends_alike()


@pytest.mark.parametrize("unfinished", ["organize", pytest.param("sync", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("pair", ["webdav"], indirect=True)
def test_a_sync_that_an_unfinished_run_of_others_holds_up_is_queued(pair: Pair, tmp_path: Path, unfinished: str) -> None:
    there = pair.library.place.location
    other = tmp_path / "other"
    other.mkdir()
    for number in range(3):
        (other / f"o{number}.mp3").write_bytes(bytes([100 + number]) * LARGE * 2)
    changes = itertools.count()
    cut = threading.Event()

    def after_one_file(seen: Seen) -> bool:
        if (_is_large(seen) or seen.method == "MOVE") and ".mp3" in seen.path and next(changes) == 1:
            cut.set()
        return cut.is_set()

    if unfinished == "organize":
        for number in range(3):
            pair.library.track(f"{number}.mp3", number)
    pair.proxy.when(after_one_file, Drop())
    first = ("organize", there) if unfinished == "organize" else ("sync", str(other), there)
    run = pair(*first, "--yes", "--transfers", "1", codes=(5,)).run
    assert run is not None
    ended = pair.sync(codes=(5,))
    assert ended.summary["run"] is None
    assert run in ended.errors[0]["message"]
    assert [one["a"] for one in pair.queued() if one["run"] is None] == [str(pair.here)]
    assert [one["run"] for one in pair.queued() if one["run"]] == [run] * (unfinished == "sync")
    pair.proxy.reset()
    pair.flush()
    assert pair.queued() == []
    assert {*map(digest, FILES.values())} <= {*pair.library.tree().values()}
    assert {one["state"] for one in pair("runs").events if one["type"] == "run"} == {"finished"}


FLAPPING = [("s3_moto", "drops")]  # after a burst the program waits for half a minute
ON_BOTH = [(kind, how) for kind in ("s3_moto", "webdav", "drive", "dropbox") for how in ("drops", "bursts")]


@pytest.mark.parametrize(
    ("pair", "how"),
    [*FLAPPING, *(pytest.param(*one, marks=pytest.mark.nightly) for one in ON_BOTH if one not in FLAPPING)],
    indirect=["pair"],
)
def test_a_server_that_flaps(pair: Pair, how: str) -> None:
    if how == "bursts":
        pair.proxy.when(lambda seen: seen.number % 20 < 5, Refuse(503, body=b"unavailable"), times=30)
    else:
        chance = random.Random(1)
        pair.proxy.when(lambda _: chance.random() < 0.3, Drop(), times=30)
    ended = pair.sync(codes=(0, 3, 5))
    for _ in range(30):  # one for each fault, at worst
        if ended.code == 0:
            break
        assert len(pair.queued()) == (ended.code == 5)
        ended = pair.flush(codes=(0, 3, 5)) if ended.code == 5 else pair.sync(codes=(0, 3, 5))
    assert ended.code == 0
    requests = pair.proxy.requests
    pair.proxy.reset()
    pair.proxy.requests = requests
    # Where rclone's own look after an upload fails, it deletes what has arrived, and that is sent again.
    pair.ends_alike(sent_at_most=3)


@pytest.mark.parametrize("pair", ["webdav"], indirect=True)
def test_a_flush_that_was_killed_stands_in_the_journal_only(pair: Pair) -> None:
    pair.proxy.when(_any, Drop())
    pair.sync(codes=(5,))
    pair.proxy.reset()
    started = []
    uploads = itertools.count()
    pair.proxy.when(
        lambda seen: _is_large(seen) and next(uploads) == 2, Then(lambda: os.kill(started[0].pid, signal.SIGKILL)), times=1
    )
    started.append(pair.library.start("queue", "flush", "--yes", "--transfers", "1"))
    started[0].printed()
    pair.proxy.reset()
    (row,) = pair.queued()
    assert row["run"] is not None
    pair.flush()
    assert pair.queued() == []
    assert pair.library.tree() == {path: digest(content) for path, content in FILES.items()}


@pytest.mark.parametrize("pair", ["webdav"], indirect=True)
def test_two_processes_at_once(pair: Pair, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    program = Program(tmp_path / "state", pair.library.environment)
    with session_at(pair.library) as session:
        a, b = session.locations(str(other), pair.library.place.location + "/other")
        put(session, intention_to_sync(session, (a, b), Direction.BOTH, SyncOptions(a=a.typed, b=b.typed)), "away")
    hold = Hold()
    pair.proxy.when(_is_large, hold, times=1)
    process = program.start(*pair.arguments)
    assert hold.held.wait(60)
    before = pair.queued()
    assert [one["run"] is None for one in before] == [False, True]
    assert pair.flush(codes=(8,)).errors
    assert pair.queued() == before, "it was not tried"
    hold.release.set()
    assert program.end(process).code == 0
    assert [one["a"] for one in pair.queued()] == [str(other)]


def test_one_that_fails_does_not_stop_the_next(library: Callable[..., Library], tmp_path: Path) -> None:
    """A location that is gone from the config, a drive under another name, a remote that leads elsewhere, old options."""
    here = library("local")
    folders = {name: tmp_path / name for name in ("home", "here", "stick", "elsewhere", "there", "good a", "good b")}
    for folder in folders.values():
        folder.mkdir()
    (folders["good a"] / "song.mp3").write_text("song")
    config = tmp_path / "config.yaml"
    config.write_text(f"locations: {{named: {folders['home']}}}\n")
    remotes = tmp_path / "rclone.conf"
    remotes.write_text(f"[away]\ntype = alias\nremote = {folders['there']}\n")
    program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(remotes), "MUSIC_ORCHESTRATOR_CONFIG": str(config)})
    with session_at(here, config=str(config), rclone_config=str(remotes)) as session:
        b = str(folders["there"])
        pairs = [("named", b), (str(folders["stick"]), b), (str(folders["here"]), "away:"), (b, str(folders["elsewhere"]))]
        for one, other in (*pairs, (str(folders["good a"]), str(folders["good b"]))):
            locations = session.locations(one, other)
            options = SyncOptions(a=one, b=other, conflict="newer")
            wanted = intention_to_sync(session, (locations[0], locations[1]), Direction.BOTH, options)
            if wanted.b == str(folders["elsewhere"]):
                wanted = msgspec.structs.replace(wanted, options={"conflict": "best"})
            put(session, wanted, "away")
        mirror = intention_to_mirror(session, *session.locations(str(folders["good b"]), str(folders["elsewhere"])))
        put(session, mirror, "the mirror is away")
    config.write_text("locations: {}\n")
    folders["stick"].rename(tmp_path / "stick 2")
    remotes.write_text(f"[away]\ntype = alias\nremote = {folders['elsewhere']}\n")

    assert program("queue", "flush", codes=(2,)).summary["ops_done"] == 0, "it asks, and nobody can answer"
    ended = program("queue", "flush", "--yes", codes=(2,))
    reasons = {one["number"]: one["reason"] for one in program("queue", "list").events if one["type"] == "queued"}
    assert sorted(reasons) == [1, 2, 3, 4]
    for number, words in {1: "no such name", 2: "no such folder", 3: "another folder", 4: "no longer valid"}.items():
        assert words in reasons[number]
        assert any(words in error["message"] for error in ended.errors)
    assert (folders["elsewhere"] / "song.mp3").read_text() == "song", "the pair and its mirror were not held up"

    program("queue", "drop", "1", codes=(2,))  # it asks
    for wrong in (["9"], [str(folders["here"]), str(folders["stick"])], ["named"]):
        program("queue", "drop", *wrong, "--yes", codes=(2,))
    program("queue", "drop", str(folders["there"]), "named", "--yes")
    program("queue", "drop", "2", "3", "--dry-run")
    assert [one["number"] for one in program("queue").events if one["type"] == "queued"] == [2, 3, 4]
    program("queue", "drop", "²", "--yes", codes=(2,))
    program("queue", "drop", "all", "--yes")
    assert program("queue", "drop", "all", "--yes").events[0]["message"] == "the queue is empty"
    assert [one["type"] for one in program("queue").events] == ["summary"]

    (tmp_path / "state/queue.sqlite3").write_bytes(b"no database at all" * 100)
    (warning,) = (one for one in program("queue").events if one["type"] == "warning")
    assert "queue.sqlite3.damaged" in warning["message"]


def test_a_queued_mirror_is_a_copy_whatever_the_config_says_of_syncs(library: Callable[..., Library], tmp_path: Path) -> None:
    here = library("local")
    here.place.put("song.mp3", b"song")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(f"cloud: {{provider: alias, options: {{remote: {mirror}}}, delete_after_sync: true}}\n")
    (tmp_path / "rclone.conf").touch()
    with session_at(here, config=str(config), rclone_config=str(tmp_path / "rclone.conf")) as session:
        put(session, intention_to_mirror(session, *session.locations(here.place.location, "cloud:")), "away")
    assert here("queue", "flush", "--yes").summary["ops_done"] == 1
    assert here.tree() == {"song.mp3": digest(b"song")}
    assert (mirror / "song.mp3").read_bytes() == b"song"


def session_at(library: Library, **options: Any) -> Any:
    given = {"state_dir": str(library.home / "state"), "rclone_config": library.environment.get("RCLONE_CONFIG"), **options}
    return open_session(CommonOptions(**given))
