"""SIGKILL of the program and of its rclone at random changing requests of apply; `resume` ends like a run without a kill."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.library import LibraryFacts, make_library
from tests.places import OWN, Place, places, visible
from tests.processes import rclones_below
from tests.program import Ended, Program
from tests.servers.http import HttpProxy, Then, http_proxy

KILLS = 10


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """A few albums with their companions."""
    return make_library(tmp_path_factory.mktemp("kill") / "library", count=40, oddities=False, seed=3)


@pytest.fixture(scope="module", params=["s3_serve", "webdav"])
def served(
    request: pytest.FixtureRequest,
    library: LibraryFacts,
    rclone_binary: Path,
    rclone_config: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, Place], HttpProxy]]:
    """A location for a run without a kill and one for each kill, all behind one proxy."""
    home = tmp_path_factory.mktemp("killed")
    names = ["unkilled", *map(str, range(KILLS))]
    with places(str(request.param), home, rclone_binary, rclone_config, dict.fromkeys(names, library)) as made:
        server = made["unkilled"].server
        assert server is not None
        with http_proxy(server.port) as proxy:
            remote = f"{request.param}-proxied"
            with rclone_config.open("a") as file:
                file.write(server.section(remote, port=proxy.port))
            for name, place in made.items():
                place.location = server.fs(name, name=remote)
            yield made, proxy


def quarantined(tree: dict[str, str]) -> Counter[str]:
    return Counter(content for path, content in tree.items() if path.startswith(f"{OWN}quarantine/"))


def the_program(pid: int) -> list[int]:
    return [pid]


def killed_at(number: int, proxy: HttpProxy, program: Program, victims: Callable[[int], list[int]], *arguments: str) -> Ended:
    """Run the program; at its `number`-th changing request the victims are killed, before or after the server sees it."""
    started: list[int] = []
    orphans: list[int] = []

    def kill() -> None:
        for pid in rclones_below(started[0]):
            with contextlib.suppress(ProcessLookupError):
                orphans.append(os.pidfd_open(pid))
        for pid in victims(started[0]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    proxy.reset()
    proxy.at(number, Then(kill, reply=bool(number % 2)))
    process = program.start(*arguments, "--yes")
    started.append(process.pid)
    ended = program.end(process)
    for orphan in orphans:  # the server may still finish what was sent before the kill: wait until the tree no longer changes
        assert select.select([orphan], [], [], 10)[0], "rclone outlives the program"
        os.close(orphan)
    proxy.wait_until_idle()
    proxy.reset()
    return ended


@pytest.mark.nightly  # test_every_kill.py and test_histories.py kill a few files in every run
@pytest.mark.timeout(400)
def test_nothing_is_lost_or_duplicated(library: LibraryFacts, served: tuple[dict[str, Place], HttpProxy], tmp_path: Path) -> None:
    made, proxy = served
    proxy.reset()
    Program(tmp_path / "unkilled")("organize", made["unkilled"].location, "--yes")
    changes = proxy.changing
    expected = made["unkilled"].tree()
    written = Counter(expected.values()) - library.contents()
    assert library.contents() <= Counter(expected.values())
    assert {path.rpartition(".")[2] for path, content in expected.items() if content in written} <= {"cue", "m3u8"}
    assert changes > len(library.tracks) / 2

    random = Random(11)
    for number in range(KILLS):
        point = random.randint(1, changes * 3 // 4)  # their number varies a little: directories are created in parallel
        place = made[str(number)]
        program = Program(tmp_path / f"state{number}")
        ended = killed_at(point, proxy, program, the_program, "organize", place.location)
        assert ended.code == -signal.SIGKILL, (point, changes, ended.stderr, ended.events[-1:])
        assert library.contents() <= Counter(place.tree().values()), f"lost, the program killed at {point}"

        ended = killed_at(random.randint(1, changes - point), proxy, program, rclones_below, "resume")
        assert ended.code in {0, 3, 5}, ended.stderr
        assert library.contents() <= Counter(place.tree().values()), f"lost, rclone killed after {point}"

        program("resume", "--yes")
        tree = place.tree()
        assert visible(tree) == visible(expected), f"killed at {point}, then {ended.code}: {ended.errors}"
        assert quarantined(tree) == quarantined(expected)
        assert Counter(tree.values()) == library.contents() + written, f"doubled, killed at {point}"
        assert program("organize", place.location, "--yes").summary["ops_planned"] == 0
