"""`run`: jobs of two steps on a server and on disks, killed, locked out, limited, away; what cron sees of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.apply.guard.lock import RunLock
from orchestrator.track import Track
from tests.audio import make_track, track_bytes
from tests.faulty import Library, of_music
from tests.pages import read_page
from tests.places import digest
from tests.program import Ended, Program
from tests.servers.http import Drop, HttpProxy, Seen, Then

TRACKS = 4


class Machine:
    """A machine with an inbox and a library on its disk, and another library on a server behind a proxy."""

    def __init__(self, library: Library, proxy: HttpProxy | None, home: Path) -> None:
        self.library = library
        self.proxy = proxy
        self.home = home
        self.inbox, self.music = home / "inbox", home / "library"
        for folder in (self.inbox, self.music):
            folder.mkdir()
        self.config = home / "config.yaml"
        library.environment["MUSIC_ORCHESTRATOR_CONFIG"] = str(self.config)

    def write(self, jobs: str, more: str = "") -> None:
        cloud = self.library.place.location
        self.config.write_text(
            f'locations: {{inbox: {self.inbox}, music: {self.music}, cloud: "{cloud}"}}\n{more}\njobs:\n{jobs}'
        )

    def add(self, *numbers: int) -> None:
        for number in numbers:
            tags = Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number, date="2001")
            (self.inbox / f"{number}.mp3").write_bytes(track_bytes("mp3", tags, seconds=0.2, serial=number))

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,), options: tuple[str, ...] = ("--json",)) -> Ended:
        return self.library("run", *arguments, codes=codes, options=options)

    def prints(self, *arguments: str) -> tuple[int, str]:
        """What cron would send by mail."""
        started = self.library.start("run", *arguments, options=())
        code, out, err = started.printed()
        return code, out + err

    def organized(self) -> dict[str, str]:
        return {f"Band/Album (2001)/{number:02} Song {number}.mp3": self.content(number) for number in range(1, TRACKS + 1)}

    def content(self, number: int) -> str:
        tags = Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number, date="2001")
        return digest(track_bytes("mp3", tags, seconds=0.2, serial=number))

    def on_disk(self) -> dict[str, str]:
        files = [path for path in self.music.rglob("*") if path.is_file() and ".music-orchestrator" not in path.parts]
        return {path.relative_to(self.music).as_posix(): digest(path.read_bytes()) for path in files}


def steps_of(ended: Ended) -> list[tuple[str, str, int | None]]:
    return [(one["job"], one["command"], one["exit_code"]) for one in ended.events if one["type"] == "step"]


def every(_: Seen) -> bool:
    return True


@pytest.fixture
def disk(library: Callable[..., Library], tmp_path: Path) -> Machine:
    return Machine(library("local"), None, tmp_path)


@pytest.fixture
def machine(proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path) -> Machine:
    return Machine(*proxied("webdav"), tmp_path)


NIGHTLY = """\
  nightly:
    - organize: {source: inbox, target: music, move: true}
    - sync: {a: music, b: cloud, mode: to-cloud}
"""


def test_the_steps_are_done_in_order_and_then_there_is_silence(machine: Machine) -> None:
    machine.write(f"{NIGHTLY}  other: {{scan: {{location: music}}}}\n")
    machine.add(*range(1, TRACKS + 1))
    ended = machine.run()
    assert steps_of(ended) == [("nightly", "organize", 0), ("nightly", "sync", 0), ("other", "scan", 0)]
    assert machine.on_disk() == machine.library.tree() == machine.organized()
    assert (ended.summary["command"], ended.summary["ops_done"]) == ("run", 2 * TRACKS)
    assert [one["type"] for one in ended.events].count("summary") == 1
    runs = [one for one in ended.events if one["type"] == "step" and one["run"]]
    assert len({one["run"] for one in runs}) == 2
    assert ended.summary["run"] == runs[-1]["run"]
    assert machine.prints("-q") == (0, "")
    code, said = machine.prints()
    assert (code, said.count("took ")) == (0, 1)
    assert "nightly, step 2 of 2 (sync music cloud)" in said


@pytest.mark.parametrize("victim", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)])
def test_what_was_stopped_in_the_second_step_is_finished_by_the_next_run(machine: Machine, victim: int) -> None:
    assert machine.proxy is not None
    machine.write(NIGHTLY)
    machine.add(*range(1, TRACKS + 1))
    pid: list[int] = []
    begun = threading.Event()

    def stop() -> None:
        assert begun.wait(30)
        os.kill(pid[0], victim)

    machine.proxy.when(of_music, Then(stop, reply=True), times=1)
    started = machine.library.start("run", options=("--json",))
    pid.append(started.pid)
    begun.set()
    ended = started.end()
    assert ended.code == (-signal.SIGKILL if victim == signal.SIGKILL else 130)
    machine.proxy.wait_until_idle()
    machine.proxy.end_faults()
    assert machine.on_disk() == machine.organized(), "the first step was done"
    (job, _) = machine.library("status", options=("--json",)).events
    assert (job["result"], job["exit_code"]) == (("killed", None) if victim == signal.SIGKILL else ("failed", 130))
    code, said = machine.prints("-q")
    assert code == 0, said
    assert machine.on_disk() == machine.library.tree() == machine.organized()
    assert machine.prints("-q") == (0, "")


def test_a_step_that_fails_ends_its_job_but_no_other_unless_it_is_to_keep_going(machine: Machine) -> None:
    assert machine.proxy is not None
    steps = "[{sync: {a: music, b: cloud}}, {organize: {source: inbox, target: music}}]"
    machine.write(f"  first: {steps}\n  second: {{scan: {{location: inbox}}}}\n")
    machine.add(1)
    machine.proxy.when(every, Drop())
    ended = machine.run(codes=(5,))
    assert steps_of(ended) == [("first", "sync", 5), ("first", "organize", None), ("second", "scan", 0)]
    assert ended.summary["queued"] == 1
    warning = next(one["message"] for one in ended.events if one["type"] == "warning")
    assert warning == "first, step 1 of 2 (sync music cloud) ended with 5, so the job ends before its next step"
    assert machine.on_disk() == {}
    machine.write(f"  first: {{keep_going: true, steps: {steps}}}\n")
    ended = machine.run("first", codes=(5,))
    assert steps_of(ended) == [("first", "sync", 5), ("first", "organize", 0)]
    assert len(machine.on_disk()) == 1
    machine.proxy.end_faults()
    machine.write("  other: {scan: {location: inbox}}\n")
    program = Program(machine.library.home / "state", machine.library.environment, clock_s=7200)
    assert machine.library.tree() == {}
    program("run", "-q")
    assert len(machine.library.tree()) == 1, "what waits in the queue is synced first, whatever the jobs are"


def test_files_that_are_skipped_are_no_failure_of_a_step(disk: Machine) -> None:
    report = disk.home / "report.html"
    steps = "{organize: {source: inbox, target: music}}, {scan: {location: music}}"
    disk.write(f"  n: {{html: {report}, steps: [{steps}]}}\n")
    disk.add(1)
    (disk.inbox / "untagged.mp3").write_bytes(track_bytes("mp3", Track(), seconds=0.2, serial=9))
    ended = disk.run(codes=(3,))
    assert steps_of(ended) == [("n", "organize", 3), ("n", "scan", 0)]
    page = read_page(report)
    assert "The change is done." in page.text
    assert [row[1:4:2] for row in page.facts["tables"][0]["rows"]] == [["organize", ended.run], ["scan", ""]]
    assert [page.path(folder, name)[-1] for _, _, folder, name, _ in page.rows["s"]] == ["untagged.mp3"]
    report.unlink()
    report.mkdir()
    told = [[one["type"] for one in disk.run().events if "jobs.n.html: cannot write" in one.get("message", "")] for _ in range(2)]
    assert told == [["warning"], ["note"]], "it is news once, and keeps no job from being done"


def test_while_another_run_holds_the_lock(disk: Machine) -> None:
    """8 at once, with the job that holds it; with --wait, or `wait` in the config, the work is done when it is free."""
    disk.write("  n: {organize: {source: inbox, target: music}}\n")
    disk.add(1)
    lock = RunLock(disk.library.home / "state", command="run weekly")
    with lock:
        ended = disk.run(codes=(8,))
        assert "(run weekly)" in ended.errors[0]["message"]
        assert disk.run("--dry-run", "--exit-code", codes=(10,)).summary["ops_planned"] == 1, "it changes nothing"
        disk.run("--wait", "0.1s", codes=(8,))
    disk.write("  n: {wait: 60s, steps: {organize: {source: inbox, target: music}}}\n")
    lock.acquire()
    process = Program(disk.library.home / "state", disk.library.environment).start("run")
    assert process.stdout is not None
    waiting = process.stdout.readline()
    assert "waiting: another run is in progress" in waiting
    assert "try again" not in waiting
    assert disk.on_disk() == {}
    lock.release()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(disk.on_disk()) == 1


def test_limits_of_a_job_and_of_the_whole_run(machine: Machine) -> None:
    """A job ends at its limit (7), and the next one begins; an option is a limit for all jobs together."""
    machine.write(
        "  a: {max_transfer: 1B, steps: [{sync: {a: inbox, b: cloud, mode: to-cloud}}, {scan: {location: music}}]}\n"
        "  b: {organize: {source: inbox, target: music}}\n"
    )
    machine.add(1, 2)
    ended = machine.run(codes=(7,))
    assert steps_of(ended) == [("a", "sync", 7), ("a", "scan", None), ("b", "organize", 0)]
    assert "--max-transfer" in ended.errors[0]["message"]
    assert steps_of(machine.run("a", "--max-transfer", "1M")) == [("a", "sync", 0), ("a", "scan", 0)]
    ended = machine.run("--max-duration", "0.001s", codes=(7,))
    assert steps_of(ended) == [("a", "sync", None), ("a", "scan", None), ("b", "organize", None)]
    assert "was not started: --max-duration 0.001s: the time is up" in ended.errors[0]["message"]


@pytest.mark.parametrize(
    ("jobs", "arguments", "says"),
    [
        ("  nightly: {scan: {location: music}}\n", ["nigthly"], "there is no job nigthly; did you mean nightly?"),
        ("  nightly: {scan: {location: music}}\n", ["x"], "config.yaml has nightly"),
        ("  {}\n", [], "has no `jobs:` yet"),
        ("  n: [{scan: {location: musik}}]\n", [], "config.yaml:4: jobs.n.0.scan.location: no location musik"),
        ("  n: [{scan: {location: music}}, {scan: {location: 'nosuch:x'}}]\n", [], "jobs.n.1: nosuch: no such remote"),
        ("  n: [{scan: {location: music}}, {sync: {a: music, b: inbox, mode: to-local}}]\n", [], "jobs.n.1: --to-local needs"),
        ("  n: {scan: {location: music}}\n", ["--wait", "5"], "--wait 5: write a time"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(disk: Machine, jobs: str, arguments: list[str], says: str) -> None:
    disk.write(jobs)
    ended = disk.run(*arguments, codes=(2,))
    assert says in ended.errors[0]["message"]
    assert steps_of(ended) == []


def test_a_mistake_in_one_job_keeps_no_other_from_being_done(disk: Machine) -> None:
    disk.write("  wrong: [{scan: {location: musik}}]\n  right: [{scan: {location: music}}]\n")
    assert steps_of(disk.run("right")) == [("right", "scan", 0)]
    disk.run(codes=(2,))


def test_every_kind_of_step(disk: Machine) -> None:
    """Duplicates are quarantined, and the quarantine is emptied of what is old enough: nobody is asked."""
    disk.write(
        "  n:\n    - dedup: {locations: [inbox], dedup: quarantine, max_delete: 1}\n"
        "    - quarantine_empty: {location: inbox, older_than: 30d}\n"
    )
    disk.add(1)
    for number in (2, 3):
        (disk.inbox / f"copy{number}.mp3").write_bytes((disk.inbox / "1.mp3").read_bytes())
    ended = disk.run(codes=(7,))
    assert steps_of(ended) == [("n", "dedup", 7), ("n", "quarantine_empty", None)]
    assert steps_of(disk.run("--max-delete", "2")) == [("n", "dedup", 0), ("n", "quarantine_empty", 0)]
    assert len([*disk.inbox.glob("*.mp3")]) == 1
    kept: list[Any] = [path for path in disk.inbox.rglob("quarantine/**/*.mp3") if path.is_file()]
    assert len(kept) == 2
    later = Program(disk.library.home / "state", disk.library.environment, clock_s=31 * 86400)
    assert later("run").summary["ops_done"] == 2
    assert not any(path.exists() for path in kept)


@pytest.mark.parametrize(
    ("organizes", "searches", "steps"),
    [
        ("source: music", "locations: [music], dedup: quarantine", ["organize", "dedup", "organize"]),
        ("source: music", "locations: [inbox, music], delete: true", ["organize", "dedup", "organize"]),
        ("source: inbox, target: music", "locations: [music], dedup: quarantine", ["organize", "dedup"]),
        ("source: inbox, target: music", "locations: [music], keep: oldest, delete: true", ["organize", "dedup"]),
        ("source: inbox, target: music, move: true", "locations: [music], dedup: quarantine", ["organize", "dedup"]),
        ("source: music, dedup: quarantine", "locations: [music], dedup: quarantine", ["organize", "dedup"]),
    ],
)
def test_duplicates_that_a_later_step_quarantines_leave_nothing_to_do_for_the_next_run(
    disk: Machine, organizes: str, searches: str, steps: list[str]
) -> None:
    """An album in two folders, which have to be told apart as long as both are there."""
    disk.write(f"  n:\n    - organize: {{{organizes}}}\n    - dedup: {{{searches}}}\n")
    disk.add(1, 2)
    lies = disk.inbox if "inbox" in organizes else disk.music
    for folder in ("old", "new"):
        (lies / folder).mkdir()
        for number in (1, 2):
            (lies / folder / f"{number}.mp3").write_bytes((disk.inbox / f"{number}.mp3").read_bytes())
    for number in (1, 2):
        (disk.inbox / f"{number}.mp3").unlink()

    make_track(lies / "untagged.mp3", "mp3", None, serial=9)

    ended = disk.run(codes=(3,))
    assert [command for _, command, _ in steps_of(ended)] == steps
    assert ended.summary["ops_skipped"] == 1, "a step that is done once more skips the same file"
    if lies is disk.music:
        (lies / "untagged.mp3").unlink()
    once = disk.on_disk()
    assert sorted(once.values()) == sorted(disk.content(number) for number in (1, 2))
    if "move" not in organizes:
        assert set(once) == {f"Band/Album (2001)/0{number} Song {number}.mp3" for number in (1, 2)}
    again = disk.run()
    assert (again.summary["ops_planned"], len(steps_of(again)), disk.on_disk()) == (0, 2, once)


def test_a_step_that_says_what_it_does_with_duplicates_is_done_as_written(disk: Machine) -> None:
    disk.write(
        "  n:\n    - organize: {source: inbox, target: music, dedup: off}\n    - dedup: {locations: [music], dedup: quarantine}\n"
    )
    disk.add(1)
    (disk.inbox / "copy of 1.mp3").write_bytes((disk.inbox / "1.mp3").read_bytes())
    assert [disk.run().summary["ops_done"] for _ in range(2)] == [3, 2]
