"""Faults of one file or one remote, and how apply handles them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.protocol.backoff import Backoff
from orchestrator.apply.results import RunResult
from orchestrator.apply.settings import Settings
from orchestrator.errors import (
    AuthError,
    CorruptTransferError,
    ExitCode,
    IntegrityError,
    InUseError,
    OrchestratorError,
    PermanentError,
    QuotaError,
    RateLimitError,
    SafetyLimitError,
    TransientError,
    UsageError,
)
from orchestrator.plan.model import Verb
from orchestrator.records import Ref
from orchestrator.retry_times import RATE_LIMIT_WAIT_S
from orchestrator.storage.fake.faults import Killed, RecordedCall, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, MoveCall
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.apply.plans import WITHOUT_WAITS, contents, expecting, library, move, operation, plan, quick, run, run_again


@pytest.fixture
def storage() -> MemoryStorage:
    return filled("dropbox")


def filled(kind: str, fs: str = "one:library", **options: object) -> MemoryStorage:
    """A storage on which files move one by one."""
    storage = MemoryStorage.like(kind, fs, by_directory=False, **options)
    for name in "abcd":
        storage.put(f"in/{name}.mp3", f"content of {name}".encode())
    return storage


def rename_all(storage: MemoryStorage) -> list:
    return [move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "abcd"]


def messages(result: RunResult) -> str:
    return "\n".join(problem.message for problem in result.problems)


# Skipped: nothing is sent for files that are no longer as the plan expects.


def test_a_source_that_changed_or_vanished_is_skipped_and_the_rest_is_done(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    storage.put("in/a.mp3", b"content of A", mtime_ns=storage.mtime("in/a.mp3"))  # same size, same time, other bytes
    storage.remove("in/b.mp3")
    result = run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert (result.done, result.skipped) == (2, 2)
    assert library(storage).keys() == {"in/a.mp3", "out/c.mp3", "out/d.mp3"}
    assert [problem.path for problem in result.problems] == ["in/a.mp3", "in/b.mp3"]


def test_if_nothing_can_be_done_the_plan_is_stale(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    for name in "abcd":
        storage.put(f"out/{name}.mp3", b"was here first")
    before, changes = contents(storage), storage.changes_made
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.state) == (ExitCode.STALE, RunState.FAILED)
    assert (contents(storage), storage.changes_made) == (before, changes)
    again = run_again(tmp_path / "journal", storage)
    assert (again.exit_code, storage.changes_made) == (ExitCode.DONE, changes)


@pytest.mark.parametrize("kind", ["local", "webdav", "sftp"])
@pytest.mark.parametrize("killed", [False, True])
def test_a_file_that_appears_after_the_listing_gets_its_name_back(tmp_path: Path, kind: str, killed: bool) -> None:
    """With `fresh` the listing is trusted: the rename moves what appeared since to the trash; after the window, that goes back.

    So it does if the run is killed in between.
    """
    storage = filled(kind)
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"), move(storage, "in/b.mp3", "out/b.mp3"))
    storage.put("out/a.mp3", b"was here first")
    before = contents(storage)
    if killed:
        storage.fail(1, Killed("killed"), when="after", counting="changes")
        with pytest.raises(Killed):
            run(made, tmp_path / "journal", storage, fresh=True)
        storage.revive()
        result = run_again(tmp_path / "journal", storage)
    else:
        result = run(made, tmp_path / "journal", storage, fresh=True)
    assert contents(storage) == before
    assert (result.exit_code, result.failed, result.done) == (ExitCode.INTEGRITY, 1, 1), result.problems
    assert "another file appeared at out/a.mp3" in messages(result)
    assert "it has its name back" in messages(result)
    assert library(storage).keys() == {"out/a.mp3", "in/a.mp3", "out/b.mp3", "in/c.mp3", "in/d.mp3"}
    assert storage.content("out/a.mp3") == b"was here first"


@pytest.mark.parametrize("theirs", [b"was here first", b"content of a"])
@pytest.mark.parametrize("stop", [None, 1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_on_drive_both_files_have_the_name_until_ours_goes_back(
    tmp_path: Path, theirs: bytes, stop: int | None, when: When
) -> None:
    """The rename looks at nothing; the look after it sees both, and knows ours by its id, or after a kill by its content."""
    storage = filled("drive")
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"), move(storage, "in/b.mp3", "out/b.mp3"))
    storage.put("out/a.mp3", theirs)
    before = {entry.id: entry.path for entry in storage.list()}
    if stop is None:
        result = run(made, tmp_path / "journal", storage, fresh=True)
    else:
        storage.fail(stop, Killed("killed"), when=when, counting="changes")
        with pytest.raises(Killed):
            run(made, tmp_path / "journal", storage, fresh=True)
        storage.revive()
        result = run_again(tmp_path / "journal", storage)
    assert (result.exit_code, result.skipped, result.done) == (ExitCode.SOME_FAILED, 1, 1), result.problems
    assert "in/a.mp3" in messages(result)
    after = {entry.id: entry.path for entry in storage.list()}
    assert after.keys() == before.keys()
    assert sorted(after.values()) == ["in/a.mp3", "in/c.mp3", "in/d.mp3", "out/a.mp3", "out/b.mp3"]
    assert (library(storage)["out/a.mp3"], library(storage)["in/a.mp3"]) == (theirs, b"content of a")


def test_on_drive_an_edit_between_look_and_rename_is_no_other_file(tmp_path: Path) -> None:
    storage = filled("drive")
    made = plan(*rename_all(storage))

    def edit(_: RecordedCall) -> None:
        storage.put("in/a.mp3", b"edited content of a")

    storage.fail(1, edit, when="before", counting="changes")
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.done, result.failed) == (ExitCode.SOME_FAILED, 3, 1)
    assert messages(result) == "in/a.mp3: changed just before it was moved; it is at out/a.mp3"
    assert storage.content("out/a.mp3") == b"edited content of a"


def test_on_drive_an_empty_folder_with_the_name_of_a_file_makes_way(tmp_path: Path) -> None:
    storage = filled("drive")
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"), move(storage, "in/b.mp3", "out/b.mp3"))
    storage.make_directory("out/a.mp3/empty")
    storage.put("out/b.mp3/theirs.mp3", b"theirs")
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.skipped, result.done) == (ExitCode.SOME_FAILED, 1, 1), result.problems
    assert "a folder that is not empty is at the destination out/b.mp3" in messages(result)
    assert library(storage).keys() == {"out/a.mp3", "in/b.mp3", "out/b.mp3/theirs.mp3", "in/c.mp3", "in/d.mp3"}


def test_a_file_that_appears_before_a_bucket_copies_is_kept_in_the_trash_and_reported(tmp_path: Path) -> None:
    storage = filled("s3")
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"))
    storage.put("out/a.mp3", b"was here first")
    before = contents(storage)
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert contents(storage) == before
    assert result.exit_code == ExitCode.SOME_FAILED
    assert storage.content(f".music-orchestrator/trash/{result.run}/1/out/a.mp3") == b"was here first"
    assert ".music-orchestrator/trash/" in messages(result)


def test_a_caught_file_is_named_if_the_renamed_one_cannot_go_back(tmp_path: Path) -> None:
    """Somebody has taken its old name meanwhile, and the server refuses every further move."""
    storage = filled("sftp")
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"))
    storage.put("out/a.mp3", b"was here first")
    storage.fail(2, PermanentError("permission denied"), when="before", counting="changes")
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.done) == (ExitCode.INTEGRITY, 1)
    kept = f".music-orchestrator/trash/{result.run}/1/out/a.mp3"
    assert storage.content(kept) == b"was here first"
    assert kept in messages(result)
    assert storage.content("out/a.mp3") == b"content of a"


def test_renames_that_the_server_refuses_cost_no_look_into_the_trash(tmp_path: Path) -> None:
    looks = {}
    for refuses in (True, False):
        storage = MemoryStorage.like("dropbox", refuses_taken_names=refuses, by_directory=False)
        storage.put("in/a.mp3", b"content of a")
        run(plan(move(storage, "in/a.mp3", "out/a.mp3")), tmp_path / f"journal-{refuses}", storage, fresh=True)
        looks[refuses] = storage.calls_made
    assert looks[False] - looks[True] == 1


def test_operations_that_depend_on_a_failed_one_are_skipped_and_reported(tmp_path: Path, storage: MemoryStorage) -> None:
    first = move(storage, "in/b.mp3", "in/z.mp3")
    second = move(storage, "in/a.mp3", "in/b.mp3", depends=[first])
    third = move(storage, "in/c.mp3", "in/a.mp3", depends=[second])
    storage.put("in/z.mp3", b"in the way")
    made = plan(third, second, first, move(storage, "in/d.mp3", "in/y.mp3"))
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.done, result.skipped) == (ExitCode.SOME_FAILED, 1, 3)
    assert {problem.path for problem in result.problems} == {"in/a.mp3", "in/b.mp3", "in/c.mp3"}
    assert "depends on in/b.mp3" in messages(result)


# One remote.


@pytest.mark.parametrize("kind", ["local", "s3", "webdav"])
def test_lost_replies_and_short_outages_are_repaired_in_the_same_run(tmp_path: Path, kind: str) -> None:
    for when in ("before", "between", "after"):
        for change in range(1, 13):
            storage = filled(kind)
            made = plan(*rename_all(storage))
            before = contents(storage)
            storage.fail(change, TransientError("connection reset"), when=when, counting="changes")
            result = run(made, tmp_path / f"journal-{when}-{change}", storage)
            assert result.exit_code == ExitCode.DONE, result.problems
            assert library(storage).keys() == {f"out/{name}.mp3" for name in "abcd"}
            assert contents(storage) == before


def test_a_lost_connection_stops_with_5_and_resume_finishes(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    for number in range(storage.calls_made + 3, storage.calls_made + 200):
        storage.fail(number, TransientError("connection refused"))
    calls = storage.calls_made
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.state, result.pending) == (ExitCode.UNREACHABLE, RunState.INTERRUPTED, 4)
    assert storage.calls_made - calls <= 12 * 4 + 4
    storage.revive()
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert library(storage).keys() == {f"out/{name}.mp3" for name in "abcd"}


def test_after_a_batch_that_failed_as_a_whole_the_run_still_finishes(tmp_path: Path) -> None:
    for number in range(1, 16):
        storage = filled("local")
        made = plan(*rename_all(storage))
        storage.fail(storage.calls_made + number, TransientError("the daemon is gone"), whole_batch=True, when="after")
        result = run(made, tmp_path / f"journal-{number}", storage)
        assert result.exit_code == ExitCode.DONE, result.problems
        assert library(storage).keys() == {f"out/{name}.mp3" for name in "abcd"}


def test_a_remote_that_asks_for_fewer_requests_is_waited_for(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    storage.fail(storage.changes_made + 2, RateLimitError("slow down", retry_after=17.0), counting="changes")
    waited: list[float] = []
    said: list[tuple[str, float]] = []
    backoff = Backoff(sleep=waited.append, on_wait=lambda reason, seconds: said.append((reason, seconds)))
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(made, {storage.fs: storage}, journal, backoff=backoff)
    assert result.exit_code == ExitCode.DONE
    assert said == [("slow down", waited[0])]
    assert len(waited) == 1
    assert waited[0] >= 17.0


def test_a_rate_limit_without_a_delay_is_waited_out_for_some_seconds(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    storage.fail(storage.changes_made + 2, RateLimitError("503 SlowDown"), counting="changes")
    waited: list[float] = []
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(made, {storage.fs: storage}, journal, backoff=Backoff(sleep=waited.append))
    assert result.exit_code == ExitCode.DONE
    (wait,) = waited
    assert RATE_LIMIT_WAIT_S <= wait <= 2 * RATE_LIMIT_WAIT_S


def test_requests_that_are_in_each_others_way_are_sent_one_by_one(
    tmp_path: Path, storage: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """423 Locked of WebDAV: parallel requests create one folder. The budget of an operation allows only two tries."""
    at_once: list[int] = []
    batch = storage.batch

    def recorded(calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        if any(isinstance(call, MoveCall) for call in calls):
            at_once.append(concurrency)
        return batch(calls, concurrency=concurrency)

    monkeypatch.setattr(storage, "batch", recorded)
    storage.fail(storage.changes_made + 2, InUseError("423 Locked"), counting="changes")
    with quick(Journal, tmp_path / "journal") as journal:
        backoff = Backoff(sleep=lambda _: None)
        result = apply_plan(
            plan(*rename_all(storage)), {storage.fs: storage}, journal, settings=Settings(window=2), backoff=backoff
        )
    assert result.exit_code == ExitCode.DONE
    assert at_once[:2] == [8, 1]
    assert set(at_once[2:]) == {8}, "only the next try is slower"


def test_a_remote_that_asks_for_a_day_ends_the_run_at_once(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    storage.fail(storage.changes_made + 1, RateLimitError("429", retry_after=86_400.0), counting="changes")
    waited: list[float] = []
    with quick(Journal, tmp_path / "journal") as journal:
        settings = Settings(window=1)
        result = apply_plan(made, {storage.fs: storage}, journal, settings=settings, backoff=Backoff(sleep=waited.append))
    assert (result.exit_code, result.state, result.pending) == (ExitCode.UNREACHABLE, RunState.INTERRUPTED, 4)
    assert storage.changes_made == 1
    assert waited == []
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE


def test_a_server_that_went_away_is_asked_one_question_at_a_time(tmp_path: Path, storage: MemoryStorage) -> None:
    """A call to a missing server takes rclone seconds; a window of them, repeated, would take an hour."""
    made = plan(*rename_all(storage))
    for number in range(storage.calls_made + 5, storage.calls_made + 400):
        storage.fail(number, TransientError("connection refused"))
    before = storage.calls_made
    patient = RetryingStorage(storage, sleep=lambda _: None)
    result = run(made, tmp_path / "journal", patient)
    assert (result.exit_code, result.pending) == (ExitCode.UNREACHABLE, 4)
    assert storage.calls_made - before <= 4 + 4 + 5, "the looks, one window of the rest, five simple questions"
    storage.revive()
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE


def test_refused_credentials_stop_that_remote_at_once_and_not_the_other(tmp_path: Path, storage: MemoryStorage) -> None:
    other = filled("local", "two:library")
    made = plan(*rename_all(storage), *rename_all(other))
    for number in range(storage.calls_made + 2, storage.calls_made + 100):
        storage.fail(number, AuthError("the token was revoked"))
    with Journal(tmp_path / "journal") as journal:
        storages = {storage.fs: storage, other.fs: other}
        result = apply_plan(made, storages, journal, settings=Settings(window=2), backoff=WITHOUT_WAITS)
    assert (result.exit_code, result.done, result.pending) == (ExitCode.AUTH, 4, 4)
    assert storage.call_counts["move"] == 0
    assert storage.call_counts["stat"] <= 4 + 2 + 2  # the plan's own looks, and no more than one window's
    storage.revive()
    assert run_again(tmp_path / "journal", storage, other).exit_code == ExitCode.DONE
    assert library(storage).keys() == {f"out/{name}.mp3" for name in "abcd"}


def test_refused_credentials_are_no_verdict_on_a_file_even_between_two_disks(tmp_path: Path) -> None:
    source, target = filled("local"), MemoryStorage.like("local", "two:library")
    made = plan(*[operation(Verb.MOVE, source, f"in/{n}.mp3", target, f"{n}.mp3") for n in "abcd"])
    source.fail_always(lambda call: call.changing and call.path.startswith("in/"), AuthError("revoked"))
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed, result.pending) == (ExitCode.AUTH, 0, 4)
    source.revive()
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert (library(source), library(target).keys()) == ({}, {f"{name}.mp3" for name in "abcd"})


def test_a_full_disk_stops_writes_there_and_resume_completes(tmp_path: Path) -> None:
    source = filled("s3")
    target = MemoryStorage.like("plain", "target:library", quota_bytes=2 * len(b"content of a"))
    made = plan(*[operation(Verb.MOVE, source, f"in/{n}.mp3", target, f"{n}.mp3") for n in "abcd"])
    with Journal(tmp_path / "journal") as journal:
        both = {source.fs: source, target.fs: target}
        result = apply_plan(made, both, journal, settings=Settings(window=1), backoff=WITHOUT_WAITS)
    assert (result.exit_code, result.done, result.pending) == (ExitCode.SOME_FAILED, 2, 2)
    assert target.call_counts["copy"] == 3  # two that went, one that did not, none after it
    assert library(source).keys() == {"in/c.mp3", "in/d.mp3"}
    target._objects.quota_bytes = None
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert library(target).keys() == {f"{name}.mp3" for name in "abcd"}


def test_too_little_space_known_beforehand_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    source = filled("s3")
    target = MemoryStorage.like("drive", "target:library", quota_bytes=20)
    made = plan(*[operation(Verb.MOVE, source, f"in/{n}.mp3", target, f"{n}.mp3") for n in "abcd"])
    with pytest.raises(SafetyLimitError):
        run(made, tmp_path / "journal", source, target)
    assert target.changes_made == source.changes_made == 0


def test_a_file_that_is_always_refused_fails_alone(tmp_path: Path) -> None:
    storage = filled("local", refuse=lambda path: path == "out/b.mp3")
    result = run(plan(*rename_all(storage)), tmp_path / "journal", storage)
    assert (result.exit_code, result.done, result.failed) == (ExitCode.SOME_FAILED, 3, 1)
    assert storage.content("in/b.mp3") == b"content of b"


# Copies that arrive damaged.


def damaging(target: MemoryStorage, times: int) -> None:
    """From now on the first `times` uploads are stored incomplete, and reported as successful."""
    left = [times]

    def cut(asked: RecordedCall) -> BaseException | None:
        if asked.verb == "copy" and asked.dst is not None and asked.path.startswith("in/") and left[0]:
            left[0] -= 1
            target.put(asked.dst, target.content(asked.dst)[:5])
        return None

    for number in range(1, 60):
        target.fail(number, cut, when="after")


@pytest.mark.parametrize("kind", ["s3", "local", "sftp"])
def test_a_copy_that_arrives_damaged_once_is_repeated(tmp_path: Path, kind: str) -> None:
    source, target = filled("s3"), MemoryStorage.like(kind, "target:library")
    damaging(target, 1)
    result = run(plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3")), tmp_path / "journal", source, target)
    # At a final name, the first copy may as well have been replaced by another program, so it is reported.
    assert result.exit_code == (ExitCode.SOME_FAILED if kind == "s3" else ExitCode.DONE), result.problems
    assert [".damaged/" in problem.message for problem in result.problems] == [True] * (kind == "s3")
    assert target.content("a.mp3") == b"content of a"
    assert "in/a.mp3" not in library(source)


@pytest.mark.parametrize("kind", ["s3", "local", "sftp"])
def test_a_copy_that_keeps_arriving_damaged_is_moved_away_and_its_source_kept(tmp_path: Path, kind: str) -> None:
    source, target = filled("s3"), MemoryStorage.like(kind, "target:library")
    damaging(target, 9)
    result = run(plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3")), tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert source.content("in/a.mp3") == b"content of a"
    assert library(target) == {}
    assert b"conte" in target.snapshot().values()
    assert len([call for call in target.log if call.verb == "copy" and call.path == "in/a.mp3"]) == 2


def test_a_copy_that_rclone_itself_finds_damaged_is_repeated(tmp_path: Path) -> None:
    source, target = filled("s3"), MemoryStorage.like("local", "target:library")
    target.fail(1, CorruptTransferError("corrupted on transfer"), counting="changes")
    result = run(plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3")), tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.DONE, result.problems


def test_a_source_that_changes_while_it_is_copied_is_kept(tmp_path: Path) -> None:
    source, target = filled("s3"), MemoryStorage.like("s3", "target:library")

    def change(_: RecordedCall) -> None:
        source.put("in/a.mp3", b"new content of a")

    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))
    target.fail(target.changes_made + 1, change, when="after", counting="changes")
    result = run(made, tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert source.content("in/a.mp3") == b"new content of a"


def test_two_names_of_one_object_are_never_copied_and_deleted(tmp_path: Path) -> None:
    """A rename that only changes case, on a copy-only storage that ignores case, without a temporary name."""
    storage = filled("s3", case_insensitive=True)
    result = run(plan(move(storage, "in/a.mp3", "in/A.mp3")), tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.STALE
    assert b"content of a" in storage.snapshot().values()


def test_a_file_at_neither_end_is_reported_with_where_it_is(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage)[:1])

    def vanish(_: RecordedCall) -> BaseException:
        storage.put(".music-orchestrator/trash/elsewhere/1/a.mp3", storage.content("out/a.mp3"))
        storage.remove("out/a.mp3")
        return TransientError("connection reset")

    storage.fail(storage.changes_made + 1, vanish, when="after", counting="changes")
    result = run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.INTEGRITY
    assert ".music-orchestrator/trash/elsewhere/1/a.mp3" in messages(result)


# The run as a whole.


def test_a_stop_ends_after_the_window_in_flight_and_resume_goes_on(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*rename_all(storage))
    stop = threading.Event()
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(
            made,
            {storage.fs: storage},
            journal,
            settings=Settings(window=2),
            on_changes=lambda _: stop.set(),
            stop=stop,
        )
    assert (result.exit_code, result.done, result.pending) == (ExitCode.INTERRUPTED, 2, 2)
    again = run_again(tmp_path / "journal", storage)
    assert (again.exit_code, again.run, again.done, again.done_now) == (ExitCode.DONE, result.run, 4, 2)


def test_changes_are_passed_on_as_they_are_made(tmp_path: Path) -> None:
    source, target = filled("s3"), MemoryStorage.like("local", "target:library")
    changed = []
    made = plan(move(source, "in/a.mp3", "out/a.mp3"), operation(Verb.COPY, source, "in/b.mp3", target, "b.mp3"))
    with Journal(tmp_path / "journal") as journal:
        apply_plan(made, {source.fs: source, target.fs: target}, journal, on_changes=changed.extend)
    assert [(one.src.path, one.dst, one.copied, one.entry.path) for one in changed] == [
        ("in/a.mp3", Ref(source.fs, "out/a.mp3"), False, "out/a.mp3"),
        ("in/b.mp3", Ref(target.fs, "b.mp3"), True, "b.mp3"),
    ]


@pytest.mark.parametrize("path", ["../x", "a/../../x", "", "/etc/x", "a//b", "./a", "a\0b"])
def test_a_path_that_leaves_its_location_is_refused(tmp_path: Path, storage: MemoryStorage, path: str) -> None:
    made = plan(expecting(Verb.MOVE, storage, "in/a.mp3", Ref(storage.fs, "in/a.mp3"), Ref(storage.fs, path)))
    with pytest.raises(IntegrityError):
        run(made, tmp_path / "journal", storage)
    assert storage.changes_made == 0


def test_a_plan_that_needs_another_location_or_is_not_sound_is_refused(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(expecting(Verb.MOVE, storage, "in/a.mp3", Ref("memory:nowhere", "a"), Ref(storage.fs, "b")))
    with pytest.raises(UsageError):
        run(made, tmp_path / "journal", storage)
    with pytest.raises(IntegrityError):
        run(plan(operation(Verb.REWRITE, storage, "in/a.mp3", storage, "in/a.mp3")), tmp_path / "journal", storage)
    circle = [move(storage, "in/a.mp3", "x"), move(storage, "in/b.mp3", "y")]
    from tests.apply.plans import depending  # noqa: PLC0415

    with pytest.raises(IntegrityError):
        run(plan(depending(circle[0], circle[1]), depending(circle[1], circle[0])), tmp_path / "journal", storage)


def test_an_empty_plan_is_not_recorded_as_a_run(tmp_path: Path, storage: MemoryStorage) -> None:
    result = run(plan(), tmp_path / "journal", storage)
    assert (result.run, result.exit_code) == (None, ExitCode.DONE)
    with Journal(tmp_path / "journal") as journal:
        assert journal.runs() == []


def test_permission_to_delete_the_source_is_missing(tmp_path: Path) -> None:
    source, target = filled("s3"), MemoryStorage.like("s3", "target:library")
    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))
    for number in range(1, 5):
        source.fail(number, PermanentError("AccessDenied"), counting="changes")
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.SOME_FAILED, 1)
    assert (source.content("in/a.mp3"), target.content("a.mp3")) == (b"content of a", b"content of a")


def test_quota_error_is_not_retried(tmp_path: Path) -> None:
    source, target = filled("s3"), MemoryStorage.like("s3", "target:library")
    made = plan(operation(Verb.MOVE, source, "in/a.mp3", target, "a.mp3"))
    target.fail(1, QuotaError("no space"), counting="changes")
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.pending, target.call_counts["copy"]) == (ExitCode.SOME_FAILED, 1, 1)


@pytest.mark.parametrize("passing", [TransientError("connection reset"), CorruptTransferError("hashes differ")])
def test_what_a_full_target_keeps_from_another_try_has_the_code_of_the_full_target(
    tmp_path: Path, passing: OrchestratorError
) -> None:
    source, target = filled("s3"), MemoryStorage.like("webdav", "target:library")
    made = plan(*(operation(Verb.COPY, source, f"in/{name}.mp3", target, f"{name}.mp3") for name in "ab"))
    target.fail(1, passing, counting="changes")
    target.fail(2, QuotaError("no space"), counting="changes")
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.pending, target.call_counts["copy"]) == (ExitCode.SOME_FAILED, 2, 2)


def test_a_copy_that_the_server_still_writes_is_waited_for(tmp_path: Path) -> None:
    """The connection is lost during a copy; the server first shows half of it, then all."""
    storage = filled("s3")
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"))
    whole = storage.content("in/a.mp3")
    looks = []

    def lose(_asked: RecordedCall) -> TransientError:
        storage.put("out/a.mp3", whole[:5])
        return TransientError("connection reset")

    def wait(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            storage.put("out/a.mp3", whole)

    storage.fail(storage.changes_made + 1, lose, counting="changes")
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(made, {storage.fs: storage}, journal, backoff=Backoff(sleep=wait))
    assert (result.exit_code, result.done) == (ExitCode.DONE, 1), result.problems
    assert library(storage)["out/a.mp3"] == whole
    assert "in/a.mp3" not in library(storage)
