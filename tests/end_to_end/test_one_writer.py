"""One run at a time changes a library: two that start together, a run after a killed one, and runs on two machines."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.guard.lock import LOCK_FILE, ProcessInfo, RunLock, locked_directories, start_ticks
from orchestrator.apply.guard.marker import Mark
from orchestrator.apply.guard.surroundings import MARKER
from tests.audio import make_many
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import Place, places, visible
from tests.program import Program
from tests.servers.http import Hold, HttpProxy, http_proxy

PAIRS = 50 if NIGHTLY else 6
TOGETHER_S = 0.05
"""A run takes many times as long."""
FILES = 2
KINDS = ("s3_serve", "webdav") if NIGHTLY else ("s3_serve",)


@pytest.fixture(scope="module", params=KINDS)
def served(
    request: pytest.FixtureRequest, rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, Place], HttpProxy]]:
    """Several locations on one server, behind a proxy."""
    home = tmp_path_factory.mktemp("writers")
    names = ["pairs", "killed", "machines", "states"]
    with places(str(request.param), home, rclone_binary, rclone_config, dict.fromkeys(names)) as made:
        server = made["pairs"].server
        assert server is not None
        with http_proxy(server.port) as proxy:
            remote = f"{request.param}-one-writer"
            with rclone_config.open("a") as file:
                file.write(server.section(remote, port=proxy.port))
            for name, place in made.items():
                place.location = server.fs(name, name=remote)
            yield made, proxy


def behind(tmp_path: Path, place: Place, proxy: HttpProxy, name: str) -> dict[str, str]:
    """An environment in which the location's remote is reached through this proxy."""
    assert place.server is not None
    config = tmp_path / f"{name}.conf"
    config.write_text(place.server.section(place.location.partition(":")[0], port=proxy.port))
    config.chmod(0o600)
    return {"RCLONE_CONFIG": str(config)}


@pytest.mark.timeout(800)
def test_of_two_runs_that_start_together_one_works(
    served: tuple[dict[str, Place], HttpProxy], forks: Forks, tmp_path: Path
) -> None:
    """Fault case 12: pairs within 10 ms each; one changes the library (0), the other ends with 8 and has sent nothing."""
    place = served[0]["pairs"]
    assert place.server is not None
    assert place.directory is not None
    make_many(place.directory, FILES)
    state = tmp_path / "state"
    apart = []
    with http_proxy(place.server.port) as one, http_proxy(place.server.port) as other, Forks(tmp_path) as second:
        environments = [behind(tmp_path, place, one, "one"), behind(tmp_path, place, other, "other")]
        for number in range(20 * PAIRS):
            if len(apart) == PAIRS:
                break
            one.reset()
            other.reset()
            layout = ("{{ title }}", "{{ artist }}/{{ title }}")[number % 2]
            words = ("organize", place.location, "--layout", layout)
            began = time.monotonic()
            started = [
                program.start(*words, state=state, environment=environment)
                for program, environment in zip((forks, second), environments, strict=True)
            ]
            between = time.monotonic() - began
            ended = [run.end() for run in started]
            if between >= TOGETHER_S:
                continue  # this machine was busy: try again
            apart.append(between)
            assert sorted(run.code for run in ended) == [0, 8], [run.errors for run in ended]
            for run, proxy in zip(ended, (one, other), strict=True):
                if run.code == 0:
                    assert run.summary["ops_done"] == FILES
                else:
                    assert [error["code"] for error in run.errors] == ["locked"]
                    assert proxy.requests == [], "it does not even list"
    assert len(apart) == PAIRS, "this machine is too busy to start two runs together"
    assert len(place.tree()) == FILES


def killed_at_work(program: Program, place: Place, proxy: HttpProxy) -> int:
    """Start a run, and kill it when the server sees its first MOVE or copy; returns its process id."""
    hold = Hold()
    proxy.reset()
    proxy.when(lambda seen: seen.method == "MOVE" or "x-amz-copy-source" in seen.headers, hold, times=1)
    process = program.start("organize", place.location, "--yes")
    assert hold.held.wait(60)
    process.kill()
    process.communicate()
    hold.release.set()
    proxy.wait_until_idle()
    return process.pid


def test_the_lock_of_a_killed_run_is_recovered_even_if_its_process_id_is_in_use(
    served: tuple[dict[str, Place], HttpProxy], tmp_path: Path
) -> None:
    """Fault case 13: SIGKILL leaves the lock file and the marker; the next run reports it and works, even if another process has
    the same process id by now. If the holder is alive: 8.
    """
    made, proxy = served
    place = made["killed"]
    assert place.directory is not None
    make_many(place.directory, 3)
    before = sorted(place.tree().values())
    program = Program(tmp_path / "state")
    dead = killed_at_work(program, place, proxy)
    lock = program.state / LOCK_FILE
    holder = msgspec.json.decode(lock.read_bytes(), type=ProcessInfo)
    assert holder.pid == dead
    assert MARKER in place.tree(), "it dies with its marker in place"
    # Its id is now ours: alive, but started at another time than the process that took the lock.
    lock.write_bytes(msgspec.json.encode(msgspec.structs.replace(holder, pid=os.getpid())))
    assert holder.started != start_ticks(os.getpid())

    again = program("resume", "--yes")
    warnings = [event["message"] for event in again.events if event["type"] == "warning"]
    assert any(f"process {os.getpid()}" in message and "killed" in message for message in warnings)
    assert again.summary["ops_done"] == 3
    assert sorted(place.tree().values()) == before, "the marker and our directory are removed"
    assert not [event for event in program("organize", place.location, "--yes").events if event["type"] == "warning"]

    with RunLock(program.state, command="organize"):
        refused = program("organize", place.location, "--yes", codes=(8,))
    assert [error["code"] for error in refused.errors] == ["locked"]
    assert f"process {os.getpid()}" in refused.errors[0]["message"]


def test_another_machine_at_work_stops_a_run_before_its_first_change(
    served: tuple[dict[str, Place], HttpProxy], tmp_path: Path
) -> None:
    """Fault case 12, two machines: a fresh marker of another host is 8 with nothing sent; an old one does not count."""
    made, proxy = served
    place = made["machines"]
    assert place.directory is not None
    make_many(place.directory, 3)
    library = place.tree()
    program = Program(tmp_path / "state")
    marker = place.directory / MARKER
    marker.parent.mkdir()

    def mark(age_s: float) -> None:
        now = time.time() - age_s
        marker.write_bytes(msgspec.json.encode(Mark("another-machine", "20260101-000000-abcdef", now, now)))

    mark(0)
    proxy.reset()
    for dry in ((), ("--dry-run",)):
        ended = program("organize", place.location, "--yes", *dry, codes=(0,) if dry else (8,))
        assert proxy.changing == 0
        if not dry:
            assert [error["code"] for error in ended.errors] == ["locked"]
            assert "another-machine" in ended.errors[0]["message"]
            assert "--ignore-marker" in ended.errors[0]["message"]
    assert [event for event in program("runs").events if event["type"] == "run"] == [], "nothing waits for `resume`"

    first = program("organize", place.location, "--yes", "--ignore-marker")
    assert first.summary["ops_done"] == 3
    assert sorted(place.tree().values()) == sorted(library.values()), "and the marker is removed"

    proxy.reset()
    assert program("organize", place.location, "--yes").summary["ops_planned"] == 0
    assert proxy.changing == 0, "no marker where there is nothing to do"

    marker.parent.mkdir()
    mark(3600)
    program("undo", first.run, "--yes")
    assert place.tree() == library


def test_another_state_directory_of_this_machine_stops_a_run(served: tuple[dict[str, Place], HttpProxy], tmp_path: Path) -> None:
    """Fault case 12, a shell beside a service: of two runs with different state directories the second ends with 8; once the
    first was killed, its marker does not count.
    """
    made, proxy = served
    place = made["states"]
    assert place.directory is not None
    make_many(place.directory, 3)
    before = {*place.tree().values()}
    assert place.server is not None
    one = Program(tmp_path / "one")
    hold = Hold()
    proxy.reset()
    proxy.when(lambda seen: seen.method == "MOVE" or "x-amz-copy-source" in seen.headers, hold, times=1)
    process = one.start("organize", place.location, "--yes")
    assert hold.held.wait(60)
    with http_proxy(place.server.port) as second:
        other = Program(tmp_path / "other", behind(tmp_path, place, second, "other"))
        refused = other("organize", place.location, "--yes", codes=(8,))
        assert [error["code"] for error in refused.errors] == ["locked"]
        assert f"process {process.pid}" in refused.errors[0]["message"]
        assert second.changing == 0
    other = Program(tmp_path / "other")
    process.kill()
    process.communicate()
    hold.release.set()
    proxy.wait_until_idle()
    other("organize", place.location, "--yes")
    assert {*visible(place.tree()).values()} == before, "files that the killed run had copied exist twice; nothing is lost"
    one("resume", "--yes")  # what the killed run had put in its place was left there by the other run
    assert {*visible(place.tree()).values()} == before


def test_another_state_directory_stops_a_run_on_a_disk(tmp_path: Path) -> None:
    """Fault case 12, a shell beside a service, on a disk: 8 for a run in the same directory, in it or around it."""
    music = tmp_path / "music"
    make_many(music / "in", 2)
    program = Program(tmp_path / "state")
    before = Place("", music).tree()
    with locked_directories([str(music / "in")]):
        for words in ((str(music),), (str(music / "in"),), (str(music / "in"), str(music))):
            refused = program("organize", *words, "--yes", codes=(8,))
            assert [error["code"] for error in refused.errors] == ["locked"]
            program("organize", *words, "--dry-run")
    assert Place("", music).tree() == before
    assert [event for event in program("runs").events if event["type"] == "run"] == []
    program("organize", str(music), "--yes")
