"""A second machine sees that a run is in progress, and stops."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.guard.lock import ProcessInfo, start_ticks, this_process
from orchestrator.apply.guard.marker import FRESH_S, Mark, Markers
from orchestrator.apply.guard.surroundings import MARKER, Spot, Surroundings, alone
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.settings import Settings
from orchestrator.errors import ExitCode, IntegrityError, LockedError, PermanentError, TransientError, UsageError
from orchestrator.plan.model import Verb
from orchestrator.storage.fake.faults import When
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import folders, move, operation, plan


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage.like("webdav")
    storage.put("a.mp3", b"content")
    return storage


def test_the_marker_is_there_during_a_run_and_removed_afterwards(tmp_path: Path, storage: MemoryStorage) -> None:
    seen: list[Mark] = []

    def look(_: object) -> None:
        seen.append(msgspec.json.decode(storage.content(MARKER), type=Mark))

    with Journal(tmp_path / "journal") as journal:
        made = plan(move(storage, "a.mp3", "b.mp3"))
        result = apply_plan(made, {storage.fs: storage}, journal, settings=Settings(marker=True), on_changes=look)
    assert result.exit_code == ExitCode.DONE
    assert [mark.run for mark in seen] == [result.run]
    assert storage.snapshot() == {"b.mp3": b"content"}
    assert folders(storage) == set()


def test_a_fresh_marker_of_another_machine_stops_a_run_before_it_begins(tmp_path: Path, storage: MemoryStorage) -> None:
    other = Markers([alone(storage)], host="another")
    other.begin("its-run")
    made = plan(move(storage, "a.mp3", "b.mp3"))
    changes = storage.changes_made
    with Journal(tmp_path / "journal") as journal:
        with pytest.raises(LockedError) as refused:
            apply_plan(made, {storage.fs: storage}, journal, settings=Settings(marker=True))
        assert refused.value.exit_code == ExitCode.LOCKED
        assert "another" in refused.value.message
        assert (storage.changes_made, journal.runs()) == (changes, [])
        settings = Settings(marker=True, ignore_marker=True)
        assert apply_plan(made, {storage.fs: storage}, journal, settings=settings).exit_code == ExitCode.DONE


def test_old_broken_and_own_markers_are_ignored(storage: MemoryStorage) -> None:
    now = [1_000_000.0]
    Markers([alone(storage)], host="another", clock=lambda: now[0]).begin("its-run")
    now[0] += FRESH_S + 1
    mine = Markers([alone(storage)], host="mine", clock=lambda: now[0])
    mine.check()
    mine.begin("my-run")
    again = Markers([alone(storage)], is_ours={"my-run"}.__contains__, host="mine", clock=lambda: now[0])
    again.check()  # killed and started again: the marker is still there
    again.begin("my-run")
    changes = storage.changes_made
    again.beat()
    assert storage.changes_made == changes
    now[0] += 61
    again.beat()
    assert msgspec.json.decode(storage.content(MARKER), type=Mark).heartbeat == now[0]
    now[0] += FRESH_S
    late = Markers([alone(storage)], host="mine", clock=lambda: now[0])
    late.check()
    late.begin("my-run")  # an old one no longer counts for others: it is written again
    assert msgspec.json.decode(storage.content(MARKER), type=Mark).heartbeat == now[0]
    storage.put(MARKER, b"not json")
    again.check()


def test_a_marker_of_this_machine_counts_while_its_process_lives(storage: MemoryStorage) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        its = msgspec.structs.replace(this_process("organize"), pid=process.pid, started=start_ticks(process.pid))

        def left(by: ProcessInfo | None) -> None:
            storage.put(MARKER, msgspec.json.encode(Mark("mine", "its-run", time.time(), time.time(), by)))

        left(its)
        with pytest.raises(LockedError, match=rf"process {process.pid} .*\(organize\)"):
            Markers([alone(storage)], host="mine").check()
        left(None)
        with pytest.raises(LockedError):
            Markers([alone(storage)], host="mine").check()
        Markers([alone(storage)], is_ours={"its-run"}.__contains__, host="mine").check()
        left(its)
        process.kill()
    Markers([alone(storage)], host="mine").check()
    for unknown in (msgspec.structs.replace(its, namespace="pid:[1]"), msgspec.structs.replace(its, boot_id="")):
        left(unknown)  # in another container, or on a system that does not say
        with pytest.raises(LockedError):
            Markers([alone(storage)], host="mine").check()
    left(msgspec.structs.replace(its, boot_id="an earlier one"))
    Markers([alone(storage)], host="mine").check()
    left(msgspec.structs.replace(its, pid=os.getpid()))  # its process id is ours by now
    Markers([alone(storage)], host="mine").check()


def test_remotes_that_are_only_read_get_no_marker_and_a_failed_write_is_ignored(tmp_path: Path, storage: MemoryStorage) -> None:
    target = MemoryStorage.like("s3")
    made = plan(operation(Verb.COPY, storage, "a.mp3", target, "a.mp3"))
    target.fail(1, PermanentError("no listing here"))
    target.fail(1, PermanentError("no such name here"), counting="changes")
    both = {storage.fs: storage, target.fs: target}
    with Journal(tmp_path / "journal") as journal:
        assert apply_plan(made, both, journal, settings=Settings(marker=True)).exit_code == ExitCode.DONE
    assert storage.changes_made == 0
    assert target.snapshot() == {"a.mp3": b"content"}


def test_a_run_that_fails_removes_its_marker(storage: MemoryStorage) -> None:
    markers = Markers([alone(storage)])

    def work() -> None:
        with markers.at_work("run"):
            assert storage.exists(MARKER)
            raise IntegrityError("no room for the journal")

    with pytest.raises(IntegrityError):
        work()
    assert not storage.exists(MARKER)
    markers.beat()
    assert not storage.exists(MARKER)


def test_a_local_disk_gets_a_marker_too(tmp_path: Path) -> None:
    """For runs that reach it in another way: over a server of this machine, or by a mount on another one."""
    disk = MemoryStorage.like("local", str(tmp_path))
    disk.put("a.mp3", b"content")
    made = plan(move(disk, "a.mp3", "b.mp3"))
    Markers([alone(disk)], host="another").begin("its-run")
    with Journal(tmp_path / "journal") as journal:
        with pytest.raises(LockedError):
            apply_plan(made, {disk.fs: disk}, journal, settings=Settings(marker=True))
        disk.remove(MARKER)
        assert apply_plan(made, {disk.fs: disk}, journal, settings=Settings(marker=True)).exit_code == ExitCode.DONE
    assert disk.snapshot() == {"b.mp3": b"content"}


def surroundings(storage: MemoryStorage, identity: str, *others: Spot) -> Surroundings:
    return Surroundings((identity,), (), (Spot(storage),), others)


def test_a_run_around_or_inside_a_location_stops_one_there(storage: MemoryStorage) -> None:
    for inner in ("music/Inbox/.music-orchestrator/run.json", MARKER):
        storage.put(inner, msgspec.json.encode(Mark("another", "its-run", time.time(), time.time())))
        with pytest.raises(LockedError, match="another has a run in progress"):
            Markers([surroundings(MemoryStorage(), "one", Spot(storage, inner))], host="mine").check()
        storage.remove(inner)
        Markers([surroundings(MemoryStorage(), "one", Spot(storage, inner))], host="mine").check()
    storage.fail(1, PermanentError("closed"))
    Markers([surroundings(MemoryStorage(), "one", Spot(storage, "closed/run.json"))], host="mine").check()


@pytest.mark.parametrize("inside", [False, True])
def test_two_names_of_one_folder_are_noticed_by_their_markers(storage: MemoryStorage, inside: bool) -> None:
    """Nothing but the marker itself shows that a server serves this disk."""
    other = MemoryStorage.like("sftp") if inside else storage
    both = {
        "/srv/music": surroundings(storage, "/srv/music"),
        "nas:music": surroundings(other, "sftp nas:music", *([Spot(storage)] if inside else ())),
    }
    for changed in ([*both], ["/srv/music"]):
        markers = Markers([both[name] for name in changed])
        with pytest.raises(UsageError, match="are one folder"):
            markers.prove_apart(both)
        markers.end()
        assert storage.snapshot() == {"a.mp3": b"content"}
    apart = {"/srv/music": surroundings(storage, "/srv/music"), "nas:music": surroundings(MemoryStorage(), "sftp nas:music")}
    Markers([*apart.values()]).prove_apart(apart)


def test_names_that_were_compared_before_cost_nothing(storage: MemoryStorage) -> None:
    """A folder in another one is known to be there, and two keys of one object store are two places."""
    nested = {"nas:music": surroundings(storage, "sftp nas:music"), "nas:music/in": surroundings(storage, "sftp nas:music/in")}
    keys = {name: Surroundings((f"s3 one:{name}",), (), (Spot(storage),), keys_only=True) for name in ("a", "b")}
    for both in (nested, keys):
        Markers([*both.values()]).prove_apart(both)
    assert not storage.call_counts


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", [1, 2])
def test_a_marker_is_removed_in_spite_of_a_fault(storage: MemoryStorage, change: int, when: When) -> None:
    mine = Markers([alone(storage)], host="mine")
    mine.begin("my-run")
    storage.fail(storage.changes_made + change, TransientError("connection reset"), when=when, counting="changes")
    mine.end()
    assert storage.snapshot() == {"a.mp3": b"content"}
    assert folders(storage) == set()
