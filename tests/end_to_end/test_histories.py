"""Random histories: kills, a second program, and a user who works in the same library at the same time.

Whatever happens, no content that ever lay under a name is lost, unless the user destroyed it himself or it happened inside the
window of one request that docs/reliability.md describes; and nothing cut ever lies under a name of the library. Contents are
compared on the server's disk, without the program and without rclone. Each history follows from its number:

    pytest tests/end_to_end/test_histories.py -k '[local-copy-17]'
    pytest tests/end_to_end/test_histories.py --hypothesis-profile=nightly -n 2 --timeout=0
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.forked import Death, Forks, Started, kill
from tests.library import target
from tests.nightly import NIGHTLY
from tests.processes import processes_below
from tests.program import Ended
from tests.servers.http import HttpProxy, Seen, Then, http_proxy
from tests.servers.remotes import RemoteServer
from tests.user import User, digest, files_below, visible_files

HISTORIES = 2000 if NIGHTLY else 100
COMMANDS = ("in_place", "move", "copy", "dedup")
SERVERS = ("local", "devices", "openssh", "s3_serve", "wsgidav")
"""Where the library is: "devices" is a target on another file system than the source."""

_WATCHED = frozenset({"s3_serve", "wsgidav"})
"""The user acts between two requests of the program, so that it is known which requests came after him."""
_STARTS = 12
_LONGEST_S = 0.6
_LOOKS = frozenset({"HEAD", "GET", "PROPFIND"})


class Case(NamedTuple):
    """One history."""

    server: str
    command: str
    number: int


def cases() -> Iterator[Case]:
    """Spread over all servers and commands."""
    for number in range(HISTORIES):
        yield Case(SERVERS[number % len(SERVERS)], COMMANDS[number // len(SERVERS) % len(COMMANDS)], number)


class World:
    """A source and a target, the user, and the programs."""

    def __init__(
        self, case: Case, home: Path, forks: tuple[Forks, Forks], server: RemoteServer | None, proxy: HttpProxy | None
    ) -> None:
        self.random = Random(case.number)
        self.case = case
        self.forks = forks
        self.proxy = proxy
        self.home = home
        other_disk = Path(tempfile.mkdtemp(dir="/dev/shm")) if case.server == "devices" else None
        here = home if server is None or server.directory is None else server.directory / home.name
        self.source = here / "source"
        self.target = (other_disk or here) / "target"
        self.desks = {root: root.parent / "desk" for root in (self.source, self.target)}
        for folder in (self.source, self.target, *self.desks.values()):
            folder.mkdir(parents=True, exist_ok=True)
        self.environment: dict[str, str] = {}
        if server is None:
            self.locations = [str(self.source), str(self.target)]
            sections = ""
        else:
            self.locations = [server.fs(f"{home.name}/{name}", name="remote") for name in ("source", "target")]
            sections = server.section("remote", port=proxy.port if proxy else None)
        for name, location in zip(("source", "target"), self.locations, strict=True):
            sections += f"[other-{name}]\ntype = alias\nremote = {location}\n\n"
        config = home / "rclone.conf"
        config.write_text(sections)
        config.chmod(0o600)
        self.environment["RCLONE_CONFIG"] = str(config)
        self.tracks = self._make_music()
        roots = [self.source] if case.command in {"in_place", "dedup"} else [self.source, self.target]
        names_of_files = [target(track, "mp3") for track in self.tracks]
        self.users = [
            User(Random(case.number * 7 + index), [root], self.desks[root], names_of_files, keeps_times=server is None)
            for index, root in enumerate(roots)
        ]
        for user in self.users:
            user.notice(digest(content) for _, content in files_below(self.source))
        self.acted: list[tuple[int, str]] = []
        """The number of the request before which the user acted, and the path."""
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
            path = f"in/{number % 2}/{number}.mp3"
            content = make_track(self.source / path, "mp3", track, seconds=0.2, serial=number, cover_bytes=cover)
            if self.case.command == "dedup" and number % 2:
                twin = self.source / f"twins/{number}.mp3"
                twin.parent.mkdir(exist_ok=True)
                twin.write_bytes(content)
            tracks.append(track)
        return tracks

    # The programs.

    def arguments(self, *, other_name: bool = False) -> list[str]:
        source, target = ("other-source:", "other-target:") if other_name else self.locations
        common = ["--settle", "0", "--transfers", str(self.random.choice([1, 4]))]
        if self.case.server in {"openssh", "devices"} and self.random.random() < 0.5:
            common += ["--bandwidth", "4M"]
        match self.case.command:
            case "in_place":
                return ["organize", source, *common]
            case "dedup":
                return ["dedup", source, "--dedup", "quarantine", *common[2:]]
            case verb:
                return ["organize", source, target, f"--{verb}", *common]

    def start(self, *arguments: str, which: int = 0, death: Death | None = None) -> Started:
        return self.forks[which].start(
            *arguments, state=self.home / f"state{which}", environment=self.environment, death=death, hasty=True
        )

    @contextlib.contextmanager
    def user_at_work(self) -> Iterator[None]:
        """The user acts a few times during the block."""
        acts = [self.random.choice(self.users) for _ in range(self.random.randint(1, 5))]
        if self.proxy is not None:
            moments = {self.random.randint(1, 50) for _ in acts}
            self.proxy.reset()
            self.acted.clear()
            self.proxy.when(lambda seen: self._between_requests(seen, moments), Then(lambda: None))
            yield
            return
        over = threading.Event()

        def work() -> None:
            for user in acts:
                if over.wait(self.random.uniform(0, _LONGEST_S / len(acts))):
                    return
                user.act()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _between_requests(self, seen: Seen, moments: set[int]) -> bool:
        assert self.proxy is not None
        if seen.number in moments:
            touched = [_path(one) for one in self.proxy.requests if one.status is None and one.method not in _LOOKS]
            user = self.random.choice(self.users)
            path = user.act([path for one in touched for path in one])
            if path is not None:
                self.acted.append((seen.number, path))
        return False

    # What must hold.

    def contents(self) -> set[str]:
        return {digest(content) for root in {self.source, self.target} for _, content in files_below(root)}

    def check(self) -> None:
        known = set().union(*(user.known for user in self.users))
        destroyed = set().union(*(user.destroyed for user in self.users))
        lost = known - destroyed - self.contents() - self.forgiven
        if lost and len(lost) <= self.inside_the_window():
            self.forgiven |= lost
            lost = set()
        story = [line for user in self.users for line in user.log]
        assert not lost, f"{self.case}: {len(lost)} contents are lost; the user: {story}"
        for root in (self.source, self.target):
            for path in visible_files(root):
                if path.endswith(".mp3"):
                    assert digest((root / path).read_bytes()) in known, f"{self.case}: {path} is not whole; the user: {story}"

    def inside_the_window(self) -> int:
        """How often the user acted between the program's last look at a path and its request for that path."""
        if self.proxy is None:
            return 0
        return sum(self._not_seen_before_a_change(number, path) for number, path in self.acted)

    def _not_seen_before_a_change(self, number: int, path: str) -> bool:
        assert self.proxy is not None
        for later in self.proxy.requests[number - 1 :]:
            if any(one.endswith(path) or path.startswith(one.strip("/") + "/") for one in _path(later)):
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


def _path(seen: Seen) -> list[str]:
    """The paths that a request names, without the server's address."""
    found = [
        seen.path.partition("?")[0],
        seen.headers.get("x-amz-copy-source", ""),
        seen.headers.get("destination", "").partition("://")[2],
    ]
    return [unquote(one).partition("/")[2] for one in found if one]


def fate(world: World) -> Callable[[Started], None] | Death | None:
    """What happens to the program: nothing, a death at a write of its journal, or at some moment."""
    random = world.random
    victims = random.choice(["program", "rclone", "both", "supervisor", "nobody", "nobody"])
    if victims == "nobody":
        return None
    if victims != "supervisor" and random.random() < 0.5:
        return Death(random.randint(2, 8), random.random() < 0.5, victims)
    moment = random.uniform(0.05, _LONGEST_S)

    def strike(started: Started) -> None:
        threading.Event().wait(moment)
        if victims == "supervisor":
            for pid, name in processes_below(started.pid):
                if name.startswith("python"):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        else:
            kill(started.pid, victims)

    return strike


def run(world: World, arguments: list[str]) -> Ended:
    """Run the program, with the user at work and whatever fate brings."""
    end = fate(world)
    other = world.random.random() < 0.25
    with world.user_at_work():
        started = world.start(*arguments, death=end if isinstance(end, Death) else None)
        second = world.start(*world.arguments(other_name=True), which=1) if other else None
        if end is not None and not isinstance(end, Death):
            end(started)
        ended = started.end()
        if second is not None:
            second.end()
    wait_for_orphans(world.environment["RCLONE_CONFIG"])
    return ended


@pytest.fixture(scope="module")
def two_forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forks, Forks]]:
    """Two programs can run at a time."""
    with Forks(tmp_path_factory.mktemp("first")) as first, Forks(tmp_path_factory.mktemp("second")) as second:
        yield first, second


@pytest.fixture
def world(request: pytest.FixtureRequest, two_forks: tuple[Forks, Forks], tmp_path: Path) -> Iterator[World]:
    """The world of one case."""
    case: Case = request.param
    server: RemoteServer | None = None if case.server in {"local", "devices"} else request.getfixturevalue(case.server)
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(http_proxy(server.port)) if server and case.server in _WATCHED else None
        world = World(case, tmp_path, two_forks, server, proxy)
        yield world
        for desk in world.desks.values():
            shutil.rmtree(desk.parent, ignore_errors=True)


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
