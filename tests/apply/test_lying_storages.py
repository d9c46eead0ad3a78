"""Storages that lie: damaged copies of the right size, one object under two names, deletes that delete nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.apply.journal.records import RunState
from orchestrator.apply.protocol.task import is_one_object, make_task
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.apply.results import RunResult
from orchestrator.errors import CorruptTransferError, ExitCode
from orchestrator.plan.model import Expect, Operation, Verb, operation_id
from orchestrator.records import Ref
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, DeleteCall
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import contents, duplicate, emptying, library, move, operation, plan, run, run_again

GOOD, BAD = b"content of a", b"CONTENT OF A"


def messages(result: RunResult) -> str:
    return "\n".join(problem.message for problem in result.problems)


# A damaged copy of the right size, on a remote without hashes.

WITHOUT_HASHES = ("webdav", "sftp", "plain")


def filled(kind: str, fs: str = "one:library") -> MemoryStorage:
    storage = MemoryStorage.like(kind, fs)
    storage.put("in/a.mp3", GOOD)
    return storage


def damaging(target: MemoryStorage, error: Exception | None = None) -> None:
    """From now on every upload is stored with other bytes of the same size; `error` is what the copy reports."""

    def damage(asked: RecordedCall) -> BaseException | None:
        if asked.verb != "copy" or asked.dst is None or not asked.path.startswith("in/"):
            return None
        target.put(asked.dst, BAD, mtime_ns=target.mtime(asked.dst))
        return error

    for number in range(1, 80):
        target.fail(number, damage, when="after")


@pytest.mark.parametrize("kind", WITHOUT_HASHES)
def test_with_verify_full_a_damaged_copy_of_the_right_size_is_found(tmp_path: Path, kind: str) -> None:
    source, target = filled("s3"), MemoryStorage.like(kind, "target:library")
    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))
    damaging(target)
    result = run(made, tmp_path / "journal", source, target, verify="full")
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert library(source) == {"in/a.mp3": GOOD}
    assert library(target) == {}, "it was moved to the quarantine"
    assert BAD in target.snapshot().values()


@pytest.mark.parametrize("kind", WITHOUT_HASHES)
def test_a_copy_of_the_right_size_that_rclone_reports_as_damaged_is_read(tmp_path: Path, kind: str) -> None:
    """Its size is right, but a report of damage counts more."""
    source, target = filled("s3"), MemoryStorage.like(kind, "target:library")
    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))
    damaging(target, CorruptTransferError("corrupted on transfer"))
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert library(source) == {"in/a.mp3": GOOD}
    assert library(target) == {}


@pytest.mark.parametrize("kind", WITHOUT_HASHES)
def test_after_a_kill_no_source_is_deleted_because_of_an_equal_size(tmp_path: Path, kind: str) -> None:
    """Killed before the copy was verified: `resume` finds a file of the right size at the destination, and keeps both."""
    source, target = filled("s3"), MemoryStorage.like(kind, "target:library")
    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))

    def damage_and_die(asked: RecordedCall) -> BaseException:
        target.put("a.mp3", BAD)
        return Killed("killed")

    target.fail(target.changes_made + 1, damage_and_die, when="after", counting="changes")
    with suppress(Killed):
        run(made, tmp_path / "journal", source, target)
    target.revive()
    result = run_again(tmp_path / "journal", source, target)
    assert result.exit_code in {ExitCode.STALE, ExitCode.SOME_FAILED}
    assert (library(source), library(target)) == ({"in/a.mp3": GOOD}, {"a.mp3": BAD})
    reason = "a different file is at the destination" if kind == "plain" else "the destination a.mp3 already exists"
    assert reason in messages(result)


@pytest.mark.parametrize("kind", ["webdav", "sftp", "local"])
def test_after_a_kill_a_staged_copy_of_the_right_size_is_read_before_it_gets_its_name(tmp_path: Path, kind: str) -> None:
    source, target = filled("s3"), MemoryStorage.like(kind, "target:library")
    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))

    def damage_and_die(asked: RecordedCall) -> BaseException:
        assert asked.dst is not None
        assert asked.dst.startswith(".music-orchestrator/tmp/")
        target.put(asked.dst, BAD)
        return Killed("killed")

    target.fail(target.changes_made + 1, damage_and_die, when="after", counting="changes")
    with suppress(Killed):
        run(made, tmp_path / "journal", source, target)
    target.revive()
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert (source.snapshot(), target.snapshot()) == ({}, {"a.mp3": GOOD})


# One object under two names.


def test_a_copy_onto_the_same_object_is_not_followed_by_a_delete(tmp_path: Path) -> None:
    """A change of case only, where the listing is trusted: the copy "succeeds", because it is the file itself."""
    storage = MemoryStorage.like("s3", case_insensitive=True)
    storage.put("in/a.mp3", GOOD)
    result = run(plan(move(storage, "in/a.mp3", "in/A.mp3")), tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert library(storage) == {"in/a.mp3": GOOD}
    assert storage.call_counts["delete"] == 0
    assert "same object: nothing was deleted" in messages(result)


@pytest.mark.parametrize("link", ["hard", "directory"])
def test_links_make_two_paths_of_a_disk_one_object(tmp_path: Path, link: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "a.mp3").write_bytes(GOOD)
    if link == "hard":
        second.mkdir()
        (second / "a.mp3").hardlink_to(first / "a.mp3")
    else:
        second.symlink_to(first)
    (first / "b.mp3").write_bytes(GOOD)
    source, target = MemoryStorage.like("local", str(first)), MemoryStorage.like("local", str(second))

    def one_object(path: str, other: str) -> bool:
        src, dst = Ref(source.fs, path), Ref(target.fs, other)
        moving = Operation(operation_id(Verb.MOVE, src, dst), Verb.MOVE, src, dst, len(GOOD), Expect(), "", "")
        return is_one_object(make_task(moving, source, target, "run", None, name=path, trust_listing=False))

    assert one_object("a.mp3", "a.mp3")
    assert not one_object("b.mp3", "a.mp3")
    assert not one_object("a.mp3", "absent.mp3")


# A delete that reports success while the file is still there.


class DeletesNothing(ForwardingStorage):
    """Reports success for every delete in a batch, and deletes nothing while `lying`."""

    lying = True

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        if not self.lying:
            return super().batch(calls, concurrency=concurrency)
        return [
            None if isinstance(call, DeleteCall) else super(DeletesNothing, self).batch([call], concurrency=concurrency)[0]
            for call in calls
        ]


@pytest.mark.parametrize("kind", ["s3", "plain"])
def test_a_source_that_is_still_there_after_its_delete_is_reported(tmp_path: Path, kind: str) -> None:
    storage, target = filled(kind), MemoryStorage.like("s3", "target:library")
    result = run(
        plan(operation(Verb.MOVE, storage, "in/a.mp3", target, "a.mp3")), tmp_path / "journal", DeletesNothing(storage), target
    )
    assert (result.exit_code, result.state) == (ExitCode.SOME_FAILED, RunState.FAILED)
    assert [problem.path for problem in result.problems] == ["in/a.mp3"]
    assert "finds a file there" in messages(result)
    assert (library(storage), library(target)) == ({"in/a.mp3": GOOD}, {"a.mp3": GOOD})


@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "plain"])
def test_a_file_that_is_still_there_after_it_was_deleted_for_good_is_not_called_deleted(tmp_path: Path, kind: str) -> None:
    storage = filled(kind)
    storage.put("in/b.mp3", GOOD)
    run(plan(duplicate(storage, "in/b.mp3", storage, "in/a.mp3")), tmp_path / "journal", storage)
    made = emptying(storage, quarantined_files(storage))
    everything, lying = contents(storage), DeletesNothing(storage)
    result = run(made, tmp_path / "journal", lying)
    assert (result.exit_code, result.state, result.done) == (ExitCode.UNREACHABLE, RunState.INTERRUPTED, 0)
    assert "still there, although the remote reported success" in messages(result)
    assert contents(storage) == everything
    lying.lying = False
    again = run_again(tmp_path / "journal", lying)
    assert (again.exit_code, again.done) == (ExitCode.DONE, 1)
    assert storage.snapshot() == {"in/a.mp3": GOOD}
