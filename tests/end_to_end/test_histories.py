"""Random histories: kills, a second program, and a user who works in the same library at the same time.

Whatever happens, no content that ever lay under a name is lost, unless the user destroyed it himself or it happened inside the
window of one request that docs/reliability.md describes; and nothing cut ever lies under a name of the library. Contents are
compared on the server's side, without the program and without rclone. Each history follows from its number; the nightly run tries
other numbers each day:

    FIRST_HISTORY=17 pytest tests/end_to_end/test_histories.py -k 17]
    pytest tests/end_to_end/test_histories.py --hypothesis-profile=nightly -n 2 --timeout=0
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Death, Forks, Started, kill
from tests.library import target
from tests.nightly import FIRST_HISTORY, NIGHTLY
from tests.places import Place, digest, place_on, visible
from tests.processes import processes_below
from tests.program import Ended
from tests.servers.disk import on_another_file_system
from tests.servers.http import HttpProxy, Seen, Then, http_proxy
from tests.servers.remotes import RemoteServer
from tests.stores import Disk, store_of
from tests.user import Done, User

HISTORIES = 2000 if NIGHTLY else 100
COMMANDS = ("in_place", "move", "copy", "dedup")
DISKS = ("local", "devices")
"""Where the library is: "devices" is a target on another file system than the source."""
WATCHED = ("s3_serve", "s3_moto", "webdav", "wsgidav", "drive", "dropbox")
"""There, the user acts between two requests of the program, so that it is known which requests came after him."""
UNWATCHED = ("openssh", "sftp", "ftp")
"""There, he acts at any time."""
SERVERS = (*DISKS, *WATCHED, *UNWATCHED)
SYNCED = ("s3_moto", "drive", "webdav", "local")
"""The servers that a folder of this machine is synced with."""
SYNCS = 200 if NIGHTLY else 4
SHOW_EDITS = frozenset({*DISKS, "drive", "dropbox"})
"""They show a change that keeps size and time: by the change time of the file, or a hash that is always right."""

_LONGEST_S = 0.6
_REPLACED_S = 0.2
"""On the unwatched servers, which replace: how soon a file that appears between a look and a rename is gone."""
_LOOKS = frozenset({"HEAD", "GET", "PROPFIND"})
_DRIVE_ID = re.compile(r"[\w-]{19,}")


class Case(NamedTuple):
    """One history."""

    server: str
    command: str
    number: int


def cases() -> Iterator[Case]:
    """Spread over all servers and commands."""
    for number in range(FIRST_HISTORY, FIRST_HISTORY + HISTORIES):
        yield Case(SERVERS[number % len(SERVERS)], COMMANDS[number // len(SERVERS) % len(COMMANDS)], number)


def syncs() -> Iterator[Case]:
    """Histories of `sync`, spread over its servers."""
    for number in range(FIRST_HISTORY, FIRST_HISTORY + SYNCS):
        yield Case(SYNCED[number % len(SYNCED)], "sync", number)


class World:
    """A source and a target, the users, and the programs."""

    def __init__(
        self, case: Case, home: Path, forks: tuple[Forks, Forks], server: RemoteServer | None, proxy: HttpProxy | None
    ) -> None:
        self.random = Random(case.number)
        self.case = case
        self.forks = forks
        self.proxy = proxy
        self.home = home
        other_disk = on_another_file_system(home) if case.server == "devices" else None
        self.stores = []
        for name, above in (("source", home), ("target", other_disk or home)):
            here = server is None or (case.command == "sync" and name == "source")
            place = Place(str(above / name), above / name) if server is None or here else place_on(server, f"{home.name}/{name}")
            self.stores.append(store_of(place))
        self.locations = [store.place.location for store in self.stores]
        sections = server.section("remote", port=proxy.port if proxy else None) if server else ""
        for name, location in zip(("source", "target"), self.locations, strict=True):
            sections += f"[other-{name}]\ntype = alias\nremote = {location}\n\n"
        config = home / "rclone.conf"
        config.write_text(sections)
        config.chmod(0o600)
        self.environment = {"RCLONE_CONFIG": str(config)}
        self.tracks = self._make_music()
        names_of_files = [target(track, "mp3") for track in self.tracks]
        in_use = self.stores[:1] if case.command in {"in_place", "dedup"} else self.stores
        self.users = [
            User(Random(case.number * 7 + index), store, names_of_files, keeps_times=case.server in SHOW_EDITS)
            for index, store in enumerate(in_use)
        ]
        for user in self.users:
            user.known |= self.stores[0].contents()
        self.acted: list[tuple[int, Done]] = []
        """The number of the request before which the user acted, and what he did."""
        self.forgiven: set[str] = set()
        """Contents that were lost inside the documented window."""

    def _make_music(self) -> list[Track]:
        tracks = []
        for number in range(1, 5):
            track = Track(
                title=(f"Song {number}",),
                artist=("Crowd",),
                album_artist=("Crowd",),
                album=(f"Album {number % 2}",),
                track=number,
                date="2001",
            )
            cover = self.random.choice([0, 300_000])
            content = track_bytes("mp3", track, seconds=0.2, serial=number, cover_bytes=cover)
            self.stores[0].place.put(f"in/{number % 2}/{number}.mp3", content)
            if self.case.command == "dedup" and number % 2:
                self.stores[0].place.put(f"twins/{number}.mp3", content)
            tracks.append(track)
        return tracks

    # The programs.

    def arguments(self, *, other_name: bool = False) -> list[str]:
        source, target = ("other-source:", "other-target:") if other_name else self.locations
        common = ["--settle", "0", "--transfers", str(self.random.choice([1, 4]))]
        if self.case.server in {"devices", *UNWATCHED} and self.random.random() < 0.5:
            common += ["--bandwidth", "4M"]
        match self.case.command:
            case "in_place":
                return ["organize", source, *common]
            case "sync":
                return ["sync", source, target, *common, "--max-delete", "100%"]
            case "dedup":
                return ["dedup", source, "--dedup", "quarantine", *common[2:]]
            case verb:
                return ["organize", source, target, f"--{verb}", *common]

    def start(self, *arguments: str, which: int = 0, death: Death | None = None) -> Started:
        return self.forks[which].start(*arguments, state=self.home / f"state{which}", environment=self.environment, death=death)

    @contextlib.contextmanager
    def user_at_work(self) -> Iterator[None]:
        """The user acts a few times during the block."""
        acts = [self.random.choice(self.users) for _ in range(self.random.randint(1, 5))]
        if self.proxy is not None:
            self.proxy.reset()
            self.acted.clear()
            for user in acts:
                moment = self.some_request()
                self.at_request(moment, partial(self._between_requests, user, moment))
            try:
                yield
            finally:
                self.proxy.end_faults()  # what has not happened by then does not happen in a later run
            return
        over = threading.Event()

        def work() -> None:
            for user in acts:
                if over.wait(self.random.uniform(0, _LONGEST_S / len(acts))):
                    return
                done = user.act()
                if done is not None and self.case.server in UNWATCHED:
                    self._forgive_what_is_replaced(user, done)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def some_request(self) -> int:
        """The number of a request: the runs send between 30 and 250."""
        return self.random.randint(1, self.random.choice([25, 50, 100, 200]))

    def at_request(self, number: int, act: Callable[[], None]) -> None:
        """Do something just before a request of the program is passed on."""
        assert self.proxy is not None

        def acts(seen: Seen) -> bool:
            if seen.number == number:
                act()
            return False

        self.proxy.when(acts, Then(lambda: None))

    def _between_requests(self, user: User, number: int) -> None:
        assert self.proxy is not None
        touched = [_named(one) for one in self.proxy.requests if one.status is None and one.method not in _LOOKS]
        done = user.act([path for one in touched for path in one])
        if done is not None:
            self.acted.append((number, done))

    def _forgive_what_is_replaced(self, user: User, done: Done) -> None:
        """If what the user has put at a path is replaced at once, that path was looked at before and renamed to after him."""
        assert isinstance(user.store, Disk)
        deadline = time.monotonic() + _REPLACED_S
        while done.content and time.monotonic() < deadline:
            there = user.store.read(done.path)
            if there is None:
                return
            if digest(there) != done.content:
                self.forgiven.add(done.content)
                return
            time.sleep(0.005)  # nothing reports that a name has another file

    # What must hold.

    def check(self) -> None:
        known = set().union(*(user.known for user in self.users))
        destroyed = set().union(*(user.destroyed for user in self.users))
        there = set().union(*(store.contents() for store in self.stores))
        lost = known - destroyed - there - self.forgiven
        excusable = set().union(*(store.excusable(lost) for store in self.stores))
        if lost <= excusable and len(lost) <= self.inside_the_window():
            self.forgiven |= lost
            lost = set()
        story = [line for user in self.users for line in user.log]
        assert not lost, f"{self.case}: {len(lost)} contents are lost; the user: {story}"
        for store in self.stores:
            for path, content in visible(store.place.tree()).items():
                assert content in known, f"{self.case}: {path} is not whole; the user: {story}"

    def inside_the_window(self) -> int:
        """How often the user acted between the program's last look at a path and its request for that path."""
        if self.proxy is None:
            return 0
        return sum(self._not_seen_before_a_change(number, done) for number, done in self.acted)

    def _not_seen_before_a_change(self, number: int, done: Done) -> bool:
        assert self.proxy is not None
        for later in self.proxy.requests[number - 1 :]:
            named = _named(later)
            if any(one.endswith(handle) or handle.startswith(one.strip("/") + "/") for one in named for handle in done.handles):
                return later.method not in _LOOKS
        return False


def wait_for_orphans(config: str) -> None:
    """Until nothing that a killed program started is running any more: what has this config in its environment."""
    for _ in range(500):
        if not any(config.encode() in one for one in _environments()):
            return
        time.sleep(0.01)  # they are not our children: nothing reports their end
    raise AssertionError("a killed program's rclone is still running")


def _environments() -> Iterator[bytes]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                yield (process / "environ").read_bytes()


def _named(seen: Seen) -> list[str]:
    """The paths that a request names, without the server's address, and the ids that one to Google Drive names."""
    if "/drive/v3/" in seen.path:
        return _DRIVE_ID.findall(seen.path)
    found = [
        seen.path.partition("?")[0],
        seen.headers.get("x-amz-copy-source", ""),
        seen.headers.get("destination", "").partition("://")[2],
    ]
    return [unquote(one).partition("/")[2] for one in found if one]


def fate(world: World) -> str | Death | None:
    """What happens to the program: nothing, a death at a write of its journal, or some victims at some moment."""
    random = world.random
    victims = random.choice(["program", "rclone", "both", "supervisor", "nobody", "nobody"])
    if victims == "nobody":
        return None
    if victims != "supervisor" and random.random() < 0.5:
        return Death(random.randint(2, 8), random.random() < 0.5, victims)
    return victims


def strike(started: Started, victims: str) -> None:
    """SIGKILL."""
    if victims != "supervisor":
        kill(started.pid, victims)
        return
    for pid, name in processes_below(started.pid):
        if name.startswith("python"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def run(world: World, arguments: list[str]) -> Ended:
    """Run the program, with the user at work and whatever fate brings."""
    end = fate(world)
    other = world.random.random() < 0.25
    programs: list[Started] = []
    with world.user_at_work():
        if isinstance(end, str) and world.proxy is not None:
            world.at_request(world.some_request(), lambda: strike(programs[0], end))
        programs.append(world.start(*arguments, death=end if isinstance(end, Death) else None))
        second = world.start(*world.arguments(other_name=True), which=1) if other else None
        if isinstance(end, str) and world.proxy is None:
            threading.Event().wait(world.random.uniform(0.05, _LONGEST_S))
            strike(programs[0], end)
        ended = programs[0].end()
        if second is not None:
            second.end()
    wait_for_orphans(world.environment["RCLONE_CONFIG"])
    return ended


@pytest.fixture(scope="module")
def two_forks(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forks, Forks]]:
    """Two programs can run at a time."""
    with Forks(tmp_path_factory.mktemp("second")) as second:
        yield forks, second


@pytest.fixture
def world(request: pytest.FixtureRequest, two_forks: tuple[Forks, Forks], tmp_path: Path) -> Iterator[World]:
    """The world of one case."""
    case: Case = request.param
    server: RemoteServer | None = None if case.server in DISKS else request.getfixturevalue(case.server)
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(http_proxy(server.port)) if server and case.server in WATCHED else None
        world = World(case, tmp_path, two_forks, server, proxy)
        yield world
        for store in world.stores:
            store.clear()


@pytest.mark.parametrize("world", [*cases()], ids=lambda case: "-".join(map(str, case)), indirect=True)
@pytest.mark.timeout(120)
def test_no_content_is_lost(world: World) -> None:
    ended = run(world, world.arguments())
    world.check()
    for _ in range(world.random.choice([0, 1, 1, 2])):
        ended = run(world, ["resume"])
        world.check()
    for which in (0, 1):
        calm = world.start("resume", which=which).end()
        assert calm.code in {0, 3, 4, 9}, (world.case, calm.code, calm.errors, calm.stderr)
    world.check()
    if world.random.random() < 0.4 and ended.events and ended.summary.get("run"):
        run(world, ["undo", ended.run])
        world.check()
        world.start("resume").end()
        world.check()


@pytest.mark.parametrize("world", [*syncs()], ids=lambda case: "-".join(map(str, case)), indirect=True)
@pytest.mark.timeout(120)
def test_both_sides_of_a_sync_become_alike(world: World) -> None:
    world.stores[1].place.put("there/5.mp3", b"only there")
    world.users[1].known |= world.stores[1].contents()
    for _ in range(world.random.choice([1, 2])):
        run(world, world.arguments())
        world.check()
    for _ in range(3):  # the first one may find that a user has taken away what a killed run was to move
        calm = world.start(*world.arguments()).end()
        assert calm.code in {0, 3, 4, 7, 9}, (world.case, calm.code, calm.errors, calm.stderr)
        world.check()
    trees = [visible(store.place.tree()) for store in world.stores]
    if calm.code == 0:
        # A WebDAV server shows neither hashes nor, within a second, another time.
        assert trees[0].keys() == trees[1].keys()
        assert trees[0] == trees[1] or world.case.server == "webdav"
        assert calm.summary["ops_planned"] == 0
