"""SIGKILL of the program, of its rclone and of both, after every changing request and around every write of the journal.

Each request and each answer is also lost without a kill, as on a bad line. Whatever is killed, and whenever: at the moment of
each request, after the kill and at the end the server has every content that was there before (I1); `resume` ends with the same
tree as a run without a kill (I3); another run changes nothing (I4). Contents are checked on the server's disk, without the
program and without rclone.

Usually a few of the kills are tried, spread over all of them; the nightly run tries all:

    pytest tests/end_to_end/test_every_kill.py --hypothesis-profile=nightly -n 2 --dist worksteal --timeout=0
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.forked import VICTIMS, Death, Forks, kill
from tests.library import LibraryFacts, target
from tests.nightly import NIGHTLY, some_at_night
from tests.places import Place, places, visible
from tests.processes import rclones_below
from tests.program import Ended
from tests.servers.http import HttpProxy, Seen, Then, http_proxy

REQUESTS, WRITES = 1, 1
"""How many kills of each kind are tried, unless all are."""

ORGANIZE = ("organize", "--transfers", "1")
"""One request at a time: so the kills meet every state that exists between two requests."""

RESUME = ("resume", "--transfers", "1")
EVERY = 13
"""The request at which each run is killed, in the test with several kills."""

_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


class Kill(NamedTuple):
    """When to kill."""

    at: str
    """"request" or "write"."""
    number: int
    done: bool
    """After the server has carried out the request, or after the commit; otherwise before."""


def make_music(root: Path) -> LibraryFacts:
    """Twenty files: albums to move, a swap, a ring of three, names that change only in case or Unicode form, clutter."""
    facts = LibraryFacts(root)

    def put(path: str, track: Track) -> None:
        make_track(root / path, ("mp3", "flac")[path.endswith("flac")], track, seconds=0.2, serial=len(facts.tracks) + 1)
        facts.tracks[path] = track

    def track(artist: str, number: int, title: str) -> Track:
        return Track(title=(title,), artist=(artist,), album_artist=(artist,), album=("One",), track=number, date="2001")

    for number in range(1, 9):
        put(f"Inbox/CD {number % 2}/{number}.{('mp3', 'flac')[number % 2]}", track("Crowd", number, f"Song {number}"))
    (root / "Inbox/CD 0/cover.jpg").write_bytes(b"picture 0")
    (root / "Inbox/CD 1/.DS_Store").write_bytes(b"clutter")
    for size in (2, 3):
        ring = [track(f"Ring of {size}", number, f"Turn {number}") for number in range(1, size + 1)]
        for index, one in enumerate(ring):
            put(target(ring[(index + 1) % size], "mp3"), one)
    for index, change in enumerate((str.upper, lambda text: unicodedata.normalize("NFD", text))):
        one = track("Été", index + 1, "À la plage")
        folder, _, name = target(one, "mp3").rpartition("/")
        put(f"{folder}/{change(name[:-4])}.mp3", one)
    put(target(track("Right", 1, "Where it belongs"), "mp3"), track("Right", 1, "Where it belongs"))
    put("Inbox/loose.mp3", track("Lone", 1, "Some"))
    put("Inbox/late.mp3", track("Late", 1, "Other"))
    facts.files = Place("", root).tree()
    assert len(facts.files) == 20
    return facts


@dataclass
class Stage:
    """One location behind a proxy, where the same run is killed again and again."""

    place: Place
    proxy: HttpProxy
    forks: Forks
    library: LibraryFacts
    home: Path
    runs: int = 0
    requests: int = 0
    """Changing requests of a run without a kill."""
    copies: int = 0
    writes: int = 0
    """Writes of the journal in a run without a kill."""
    expected: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """Contents that were missing at the moment of a request."""

    def fresh(self) -> Path:
        """Restore the library as it was at first; returns a state directory whose catalogue has its tags."""
        directory = self.place.directory
        assert directory is not None
        for entry in directory.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        self.place.fill(self.library)
        self.lost.clear()
        self.runs += 1
        state = self.home / f"state{self.runs}"
        if (self.home / "scanned").exists():
            shutil.copytree(self.home / "scanned", state)
        return state

    def tree(self) -> dict[str, str]:
        """The paths on the server, without the ids of runs; directories end with "/" (S3 has none), except those in the trash."""
        directory = self.place.directory
        assert directory is not None
        found = {_RUN_ID.sub("RUN", path): content for path, content in self.place.tree().items()}
        if not self.buckets:
            below = (Path(folder).relative_to(directory).as_posix() for folder, _, _ in os.walk(directory))
            found |= {_RUN_ID.sub("RUN", f"{path}/"): "" for path in below if not path.startswith(".music-orchestrator/trash")}
        return found

    @property
    def buckets(self) -> bool:
        """Whether it is an object store."""
        assert self.place.server is not None
        return self.place.server.type == "s3"

    def missing(self) -> Counter[str]:
        """The contents that are missing."""
        return self.library.contents() - Counter(self.place.tree().values())

    def watch(self, seen: Seen) -> bool:
        """Check every content when a changing request arrives; nothing else is in flight then."""
        if seen.change and self.missing():
            self.lost.append(f"{seen.change}: {seen.method} {seen.path}")
        return False

    def watched(self) -> None:
        """Reset the proxy; check contents at every request from now on."""
        self.proxy.reset()
        self.proxy.when(self.watch, Then(lambda: None))

    def copied(self) -> int:
        """How often the server copied or received a whole file since the last reset."""
        return sum(seen.method in {"PUT", "MOVE", "COPY"} and "run.json" not in seen.path for seen in self.proxy.requests)


SERVERS = ("s3_serve", "webdav")
KILLED = [("s3_serve", "nobody"), ("s3_serve", "both"), ("webdav", "program"), ("webdav", "rclone")]
if NIGHTLY:
    KILLED = [*product(SERVERS, VICTIMS)]


@pytest.fixture(scope="module", params=SERVERS)
def stage(
    request: pytest.FixtureRequest,
    forks: Forks,
    rclone_binary: Path,
    rclone_config: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """The location after a run without a kill."""
    home = tmp_path_factory.mktemp(f"kills-{request.param}")
    library = make_music(home / "music")
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(places(request.param, home / "server", rclone_binary, rclone_config, {"music": library}))
        place = made["music"]
        assert place.server is not None
        proxy = stack.enter_context(http_proxy(place.server.port))
        remote = f"{request.param}-killed"
        with rclone_config.open("a") as file:
            file.write(place.server.section(remote, port=proxy.port))
        place.location = place.server.fs("music", name=remote)
        stage = Stage(place, proxy, forks, library, home)
        stage.forks.run("scan", place.location, state=home / "scanned")
        state = stage.fresh()
        stage.watched()
        unkilled = stage.forks.start(*ORGANIZE, place.location, state=state)
        ended = unkilled.end()
        assert (ended.code, stage.lost) == (0, []), ended.errors
        stage.requests, stage.copies, stage.writes, stage.expected = proxy.changing, stage.copied(), unkilled.writes, stage.tree()
        assert Counter(place.tree().values()) == library.contents()
        assert len(visible(stage.expected).keys() - library.files.keys()) > 12
        yield stage


def chosen(stage: Stage, victims: str) -> list[Kill]:
    """All kills, or a few of them, which differ for each server and each victim."""
    requests = [Kill("request", number, done) for number in range(1, stage.requests + 1) for done in (False, True)]
    writes = [Kill("write", number, done) for number in range(1, stage.writes + 1) for done in (False, True)]
    if victims == "nobody":
        writes = []
    if NIGHTLY:
        return requests + writes
    random = Random(f"{stage.buckets} {victims}")
    return random.sample(requests, REQUESTS) + random.sample(writes, min(WRITES, len(writes)))


def killed(stage: Stage, when: Kill, victims: str, state: Path, *arguments: str) -> Ended:
    """Run the program and kill it. Afterwards nothing is running."""
    orphans: list[int] = []
    started: list[int] = []

    def strike() -> None:
        if victims != "nobody":
            orphans.extend(os.pidfd_open(pid) for pid in rclones_below(started[0]))
        kill(started[0], victims)

    death = None
    if when.at == "request":
        stage.proxy.at(when.number, Then(strike, reply=when.done))
    else:
        death = Death(when.number, when.done, victims)
    program = stage.forks.start(*arguments, state=state, death=death)
    started.append(program.pid)
    ended = program.end()
    for orphan in orphans:
        assert select.select([orphan], [], [], 10)[0], "rclone outlives the program"
        os.close(orphan)
    stage.proxy.wait_until_idle()
    return ended


def wrong_after(stage: Stage, when: Kill, victims: str) -> Iterator[str]:
    """Kill, check, resume, check; returns what is wrong."""
    state = stage.fresh()
    stage.watched()
    ended = killed(stage, when, victims, state, *ORGANIZE, stage.place.location)
    if ended.code != (-signal.SIGKILL if victims in {"program", "both"} else 0):
        yield f"ended with {ended.code}: {ended.errors}"
    if missing := stage.missing():
        yield f"{missing.total()} contents are gone after the kill"
    first = stage.copied()
    stage.watched()
    resumed = stage.forks.run(*RESUME, state=state, codes=(*range(10),))
    if resumed.summary["run"] is None:  # killed before the run was recorded
        if stage.place.tree() != stage.library.files:
            yield "something was changed before it was noted"
        resumed = stage.forks.run(*ORGANIZE, stage.place.location, state=state, codes=(*range(10),))
    if resumed.code:
        yield f"resume ended with {resumed.code}: {resumed.errors}"
    if stage.lost:
        yield f"contents were gone at {stage.lost}"
    tree = stage.tree()
    if tree != stage.expected:
        yield f"another tree: {sorted(tree.items() ^ stage.expected.items())}"
    # A request whose reply is lost is repeated by the rclone that waited for it, and by `resume`.
    if first + stage.copied() > stage.copies + 2:
        yield f"{first} + {stage.copied()} copies for {stage.copies}"


@pytest.mark.timeout(0 if NIGHTLY else 180)
@pytest.mark.parametrize(("stage", "victims"), KILLED, indirect=["stage"])
def test_nothing_is_lost_duplicated_or_left_behind(stage: Stage, victims: str) -> None:
    """Fault case 1: killed at any changing request. Fault case 11: with a swap and a ring of three among the renames."""
    kills = chosen(stage, victims)
    wrong = {when: found for when in kills if (found := [*wrong_after(stage, when, victims)])}
    print(f"{stage.place.location}, {victims}: {len(kills)} kills, {len(wrong)} wrong")  # noqa: T201 - the figures of a nightly run
    assert not wrong
    stage.proxy.reset()
    again = stage.forks.run(*ORGANIZE, stage.place.location, state=stage.home / f"state{stage.runs}")
    assert (again.summary["ops_planned"], stage.proxy.changing) == (0, 0)


@pytest.mark.parametrize("stage", some_at_night(SERVERS, night={"webdav"}), indirect=True)
def test_killed_again_and_again(stage: Stage) -> None:
    """Fault case 1: however often the run is killed, it copies each file once, and at most one more for each kill."""
    state = stage.fresh()
    copies = kills = 0
    command: tuple[str, ...] = (*ORGANIZE, stage.place.location)
    while True:
        stage.watched()
        ended = killed(stage, Kill("request", EVERY, bool(kills % 2)), "both", state, *command)
        copies += stage.copied()
        assert (stage.missing(), stage.lost) == (Counter(), [])
        if ended.code >= 0:
            break
        kills += 1
        command = RESUME
    assert ended.code == 0, ended.errors
    assert kills >= 3
    assert copies <= stage.copies + kills
    assert stage.tree() == stage.expected
