"""Copies get their final names only when they are complete, and replace nothing there, whatever other programs do meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, RunState, Stage
from orchestrator.apply.own_paths import staged_copy_of
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.apply.results import RunResult
from orchestrator.errors import AccessDeniedError, ExitCode, PermanentError, TransientError
from orchestrator.plan.model import Plan, Verb
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import PROBE, Call, CallResult, CopyCall, Naming, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import library, operation, plan, quick, restoring, run, run_again, through_temporary_name
from tests.conftest import SOME_STORAGES
from tests.servers.disk import small_disk

OURS, THEIRS = b"content of ours", b"content of theirs, which is another one"
STAGING = (Naming.EXCLUSIVE, Naming.CAUGHT, Naming.TWINS)
KINDS = {Naming.UPLOAD: "s3", Naming.TWINS: "drive", Naming.EXCLUSIVE: "webdav", Naming.CAUGHT: "webdav"}


def stores(naming: Naming) -> tuple[MemoryStorage, MemoryStorage]:
    source = MemoryStorage.like("sftp", "one:library")
    source.put("in/a.mp3", OURS)
    return source, MemoryStorage.like(KINDS[naming], "two:library", naming=naming)


def one(verb: Verb, source: Storage, target: Storage) -> Plan:
    return plan(operation(verb, source, "in/a.mp3", target, "out/a.mp3"))


def messages(result: RunResult) -> str:
    return "\n".join(problem.message for problem in result.problems)


def during(
    storage: MemoryStorage, verb: str, work: Callable[[RecordedCall], BaseException | None], *, when: str = "after"
) -> None:
    """Do something at the next call of a kind."""
    left = [1]

    def react(asked: RecordedCall) -> BaseException | None:
        if asked.verb != verb or not left:
            return None
        left.pop()
        return work(asked)

    for number in range(storage.calls_made + 1, storage.calls_made + 80):
        storage.fail(number, react, when=when)  # type: ignore[arg-type]


class Meddled(ForwardingStorage):
    """Somebody does something before or after the next copy."""

    before: Callable[[], None] | None = None
    afterwards: Callable[[], None] | None = None

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        copying = any(isinstance(call, CopyCall) for call in calls)
        if copying and self.before is not None:
            self.before()
        outcomes = super().batch(calls, concurrency=concurrency)
        if copying and self.afterwards is not None:
            self.afterwards()
            self.afterwards = None
        return outcomes


# Another program takes the name (fault case 26).


@pytest.mark.parametrize("kind", SOME_STORAGES[1:])
def test_on_each_server_a_file_that_turns_up_after_the_look_keeps_its_name(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str
) -> None:
    """Fault case 26."""
    source, target = open_storage("webdav" if kind == "local" else "local"), Meddled(open_storage(kind))
    source.write("in/a.mp3", OURS)
    made = one(Verb.MOVE, source, target)
    target.before = lambda: target.inner.write("out/a.mp3", THEIRS)
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1), result.problems
    assert [(entry.path, b"".join(source.read(entry.path))) for entry in source.list()] == [("in/a.mp3", OURS)]
    assert [(entry.path, b"".join(target.read(entry.path))) for entry in target.list()] == [("out/a.mp3", THEIRS)]


@pytest.mark.parametrize("verb", [Verb.COPY, Verb.MOVE])
@pytest.mark.parametrize("naming", KINDS)
def test_a_file_that_turns_up_during_the_copy_keeps_its_name(tmp_path: Path, naming: Naming, verb: Verb) -> None:
    """Fault case 26."""
    source, target = stores(naming)
    when = "before" if naming is Naming.UPLOAD else "after"
    during(target, "copy", lambda _: target.put("out/a.mp3", THEIRS), when=when)
    result = run(one(verb, source, target), tmp_path / "journal", source, target, fresh=True)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1), result.problems
    assert "the destination out/a.mp3 already exists" in messages(result)
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": OURS}, {"out/a.mp3": THEIRS})


@pytest.mark.parametrize("naming", STAGING)
def test_a_taken_name_is_drift_of_one_file_and_the_others_arrive(tmp_path: Path, naming: Naming) -> None:
    source, target = stores(naming)
    source.put("in/b.mp3", b"content of b")
    made = plan(*(operation(Verb.MOVE, source, f"in/{name}.mp3", target, f"out/{name}.mp3") for name in "ab"))
    during(target, "copy", lambda _: target.put("out/a.mp3", THEIRS))
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.done, result.skipped) == (ExitCode.SOME_FAILED, 1, 1)
    assert source.snapshot() == {"in/a.mp3": OURS}
    assert target.snapshot() == {"out/a.mp3": THEIRS, "out/b.mp3": b"content of b"}


@pytest.mark.parametrize("verb", [Verb.COPY, Verb.MOVE])
def test_a_file_that_turns_up_in_the_last_request_gets_its_name_back(tmp_path: Path, verb: Verb) -> None:
    source, target = stores(Naming.CAUGHT)
    during(target, "give", lambda _: target.put("out/a.mp3", THEIRS), when="between")
    result = run(one(verb, source, target), tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert "another file appeared at out/a.mp3 while its copy got that name; it has its name back" in messages(result)
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": OURS}, {"out/a.mp3": THEIRS})


def test_a_caught_file_that_cannot_get_its_name_back_is_named(tmp_path: Path) -> None:
    source, target = stores(Naming.CAUGHT)

    def intrude(_: RecordedCall) -> None:
        target.put("out/a.mp3", THEIRS)
        during(target, "give", lambda _: TransientError("connection reset"), when="before")

    during(target, "give", intrude, when="between")
    result = run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.INTEGRITY
    assert ".music-orchestrator/trash/" in messages(result)
    assert source.snapshot() == {"in/a.mp3": OURS}
    assert sorted(target.snapshot().values()) == sorted([OURS, THEIRS])


def test_of_two_files_of_one_name_ours_is_known_by_its_id(tmp_path: Path) -> None:
    """A source without hashes, and two files of its size."""
    source, target = stores(Naming.TWINS)
    equal_size = OURS.upper()
    during(target, "give", lambda _: target.put("out/a.mp3", equal_size, duplicate=True), when="between")
    result = run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1), result.problems
    assert "the destination out/a.mp3 already exists" in messages(result)
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": OURS}, {"out/a.mp3": equal_size})


def test_two_files_of_one_name_that_cannot_be_told_apart_both_stay(tmp_path: Path) -> None:
    """As an older version of this program may have left them: uploaded to the final name, by a source without hashes."""
    source, target = stores(Naming.TWINS)
    made = one(Verb.MOVE, source, target)
    equal_size = OURS.upper()
    target.put("out/a.mp3", OURS)
    target.put("out/a.mp3", equal_size, duplicate=True)
    begun(tmp_path, made, Stage.INTENT, target=target)
    result = run_again(tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert "2 files are now called out/a.mp3" in messages(result)
    assert source.snapshot() == {"in/a.mp3": OURS}
    assert sorted(target.snapshot().values()) == sorted([OURS, equal_size])


def test_after_a_kill_a_name_that_two_files_share_goes_to_the_other_file(tmp_path: Path) -> None:
    source, target = stores(Naming.TWINS)

    def share_and_die(_: RecordedCall) -> BaseException:
        target.put("out/a.mp3", THEIRS, duplicate=True)
        return Killed("killed")

    during(target, "copy", share_and_die)
    with suppress(Killed):
        run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    target.revive()
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.STALE
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": OURS}, {"out/a.mp3": THEIRS})


def test_an_upload_whose_answer_was_lost_is_known_again_when_its_repetition_is_refused(tmp_path: Path) -> None:
    """S3 repeats a request whose answer is lost: the second one finds the name taken, by the first."""
    source, target = stores(Naming.UPLOAD)
    during(target, "copy", lambda _: target.put("out/a.mp3", OURS), when="before")
    assert run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert (source.snapshot(), target.snapshot()) == ({}, {"out/a.mp3": OURS})


@pytest.mark.parametrize(
    ("kind", "verb"), [("local", Verb.COPY), *((kind, Verb.MOVE) for kind in ("sftp", "openssh", "webdav", "wsgidav", "ftp"))]
)
def test_a_folder_at_the_destination_is_drift(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str, verb: Verb
) -> None:
    """Fault case 40."""
    source, target = open_storage("s3_moto"), open_storage(kind)
    source.write("in/a.mp3", OURS)
    target.write("out/a.mp3/other.mp3", THEIRS)
    result = run(one(verb, source, target), tmp_path / "journal", source, target)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1), result.problems
    assert "out/a.mp3" in messages(result)
    assert [entry.path for entry in source.list()] == ["in/a.mp3"]
    assert [entry.path for entry in target.list()] == ["out/a.mp3/other.mp3"]
    assert not [*quarantined_files(target)]


@pytest.mark.parametrize("within", [False, True])
def test_a_dangling_link_at_the_destination_is_drift(
    open_storage: Callable[[str], Storage], tmp_path: Path, within: bool
) -> None:
    """Fault case 40: a copy to another location, and a rename in place."""
    target = open_storage("local")
    source = target if within else open_storage("s3_moto")
    source.write("in/a.mp3", OURS)
    target.make_directory("out")
    link = Path(target.fs) / "out/a.mp3"
    link.symlink_to("nowhere")
    result = run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1), result.problems
    assert "out/a.mp3" in messages(result)
    assert [entry.path for entry in source.list()] == ["in/a.mp3"]
    assert link.readlink() == Path("nowhere")


# While others are sent.


def three_uploads(verb: Verb) -> tuple[MemoryStorage, MemoryStorage, Plan]:
    """From one bucket to another, which cannot rename; two of the files arrive before the third."""
    source, target = MemoryStorage.like("s3", "one:library"), MemoryStorage.like("s3", "two:library")
    for name in "abc":
        source.put(f"in/{name}.mp3", f"content of {name}".encode())
    made = plan(*(operation(verb, source, f"in/{name}.mp3", target, f"out/{name}.mp3") for name in "abc"))
    return source, target, made


def test_an_upload_is_looked_at_while_others_are_sent(tmp_path: Path) -> None:
    """So that the line never waits for looks. A damaged one is sent again, and named."""
    source, target, made = three_uploads(Verb.COPY)
    asked: list[str] = []
    target.fail_always(lambda call: call.path != PROBE and bool(asked.append(call.path)), TransientError("never"))
    during(target, "copy", lambda _: target.put("out/a.mp3", b"cut"))
    result = run(made, tmp_path / "journal", source, target, fresh=True)
    assert (result.exit_code, result.done) == (ExitCode.SOME_FAILED, 3), result.problems
    moved_away = next(number for number, path in enumerate(asked) if ".damaged/" in path)
    assert moved_away < asked.index("in/c.mp3"), "the damaged one was only put aside after all were sent"
    assert library(target) == {f"out/{name}.mp3": f"content of {name}".encode() for name in "abc"}


def test_a_moved_file_is_looked_at_right_before_its_source_is_deleted(tmp_path: Path) -> None:
    """Another program deletes its copy while others are sent."""
    source, target, made = three_uploads(Verb.MOVE)
    target.fail_always(
        lambda call: call.verb == "copy" and call.path == "in/c.mp3", lambda _: target.remove("out/a.mp3"), when="after"
    )
    result = run(made, tmp_path / "journal", source, target, fresh=True)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 3), result.problems
    assert source.snapshot() == {}
    assert target.snapshot() == {f"out/{name}.mp3": f"content of {name}".encode() for name in "abc"}


# The source is replaced or changed (fault case 38).


@pytest.mark.parametrize("verb", [Verb.COPY, Verb.MOVE])
def test_a_source_on_a_server_that_changes_while_it_is_sent_is_not_filed(verb: Verb, tmp_path: Path) -> None:
    """Fault case 38: with its size kept, so that only its time tells."""
    source, target = stores(Naming.EXCLUSIVE)
    during(target, "copy", lambda _: source.put("in/a.mp3", OURS[::-1], mtime_ns=2_000_000_000 * 10**9))
    result = run(one(verb, source, target), tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.SOME_FAILED, 1)
    assert "in/a.mp3: changed while it was copied; nothing was put at out/a.mp3" in messages(result)
    assert source.snapshot() == {"in/a.mp3": OURS[::-1]}
    assert "out/a.mp3" not in target.snapshot()


def test_a_source_that_is_replaced_in_the_last_moment_is_not_deleted(tmp_path: Path) -> None:
    """After the last look at it, before it is renamed to our trash."""
    source, target = stores(Naming.EXCLUSIVE)
    during(source, "move", lambda _: source.put("in/a.mp3", THEIRS), when="before")
    result = run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.SOME_FAILED, 1)
    assert "in/a.mp3: changed while it was copied" in messages(result)
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": THEIRS}, {"out/a.mp3": OURS})


def test_a_replaced_source_whose_name_is_taken_is_kept_in_the_trash_and_restored_from_there(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    third = b"a third file"

    def replace(_: RecordedCall) -> None:
        source.put("in/a.mp3", THEIRS)
        during(source, "stat", lambda _: source.put("in/a.mp3", third))

    during(source, "move", replace, when="before")
    result = run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.SOME_FAILED
    (kept,) = (path for path in source.snapshot() if path.startswith(".music-orchestrator/trash/"))
    assert kept in messages(result)
    source.remove("in/a.mp3")
    with quick(Journal, tmp_path / "journal") as journal:
        files = quarantined_files(source, journal)
    assert [(file.kind, file.path) for file in files] == [("trash", "in/a.mp3")]
    assert run(restoring(source, files), tmp_path / "journal", source).exit_code == ExitCode.DONE
    assert source.snapshot() == {"in/a.mp3": THEIRS}


def test_a_source_is_not_deleted_if_its_copy_is_gone_when_a_run_is_resumed(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    during(source, "delete", lambda _: Killed("killed"), when="before")
    with suppress(Killed):
        run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    source.revive()
    assert library(source) == {}
    target.remove("out/a.mp3")
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.DONE, "it is copied once more"
    assert (source.snapshot(), target.snapshot()) == ({}, {"out/a.mp3": OURS})


def test_where_renaming_is_refused_a_source_is_deleted_under_its_name(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    source._objects._refuse = lambda path: path.startswith(".music-orchestrator/trash/")
    assert run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert (source.snapshot(), target.snapshot()) == ({}, {"out/a.mp3": OURS})


def test_a_source_that_may_be_renamed_but_not_deleted_keeps_its_name(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    during(source, "delete", lambda _: AccessDeniedError("403"), when="before")
    result = run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    assert (result.failed, result.problems[0].path) == (1, "in/a.mp3"), result.problems
    assert "copied to out/a.mp3; the source could not be deleted" in messages(result)
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": OURS}, {"out/a.mp3": OURS})


def rewrite_keeping_times(file: Path) -> None:
    before = file.stat()
    with file.open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(b"TAIL")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("verb", [Verb.COPY, Verb.MOVE])
@pytest.mark.parametrize("kind", ["local", "webdav", "s3_moto", "drive", "dropbox"])
def test_a_source_that_was_rewritten_with_its_times_kept_while_it_was_sent_stays(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str, verb: Verb
) -> None:
    """Fault case 38: neither size nor time shows it, and no copy of it gets or keeps the final name."""
    if (kind, verb) == ("local", Verb.MOVE):
        pytest.skip("a rename: nothing is sent")
    source, target = open_storage("local"), Meddled(open_storage(kind))
    source.write("in/a.mp3", OURS)
    made = one(verb, source, target)
    target.afterwards = lambda: rewrite_keeping_times(Path(source.fs) / "in/a.mp3")
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.failed) == (ExitCode.SOME_FAILED, 1), result.problems
    assert "in/a.mp3: changed while it was copied" in messages(result)
    assert b"".join(source.read("in/a.mp3")) == OURS[:-4] + b"TAIL"
    assert [*target.list()] == []
    again = run(one(verb, source, target), tmp_path / "journal", source, target)
    assert again.exit_code == ExitCode.DONE, again.problems
    assert b"".join(target.read("out/a.mp3")) == OURS[:-4] + b"TAIL"


@pytest.mark.parametrize("inwards", [True, False])
def test_between_two_file_systems_of_one_location_all_names_of_ours_are_where_they_can_be_renamed(
    rclone: Rclone, tmp_path: Path, inwards: bool
) -> None:
    """Fault case 40: a disk is mounted in the library, and files move between it and the rest."""
    (tmp_path / "library").mkdir()
    with small_disk(tmp_path / "library/mounted", 1_000_000) as disk:
        storage = RcloneStorage(rclone, str(disk.root.parent))
        src, dst = ("in/a.mp3", "mounted/out/a.mp3") if inwards else ("mounted/in/a.mp3", "out/a.mp3")
        storage.write(src, OURS)
        seen: list[str] = []
        watched = Meddled(storage)
        watched.afterwards = lambda: seen.extend(path.as_posix() for path in Path(storage.fs).rglob("*.mp3"))
        result = run(plan(operation(Verb.MOVE, watched, src, watched, dst)), tmp_path / "journal", watched)
        assert result.exit_code == ExitCode.DONE, result.problems
        staged = [path for path in seen if "/.music-orchestrator/tmp/" in path]
        assert {path.startswith(f"{disk.root}/") for path in staged} == {inwards}
        assert [(entry.path, b"".join(storage.read(entry.path))) for entry in storage.list()] == [(dst, OURS)]
        assert not [*Path(storage.fs).rglob(".music-orchestrator")]


# Killed, resumed, swept.


def test_the_only_copy_of_a_file_whose_source_is_gone_gets_its_name(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    during(target, "give", lambda _: Killed("killed"), when="before")
    with suppress(Killed):
        run(one(Verb.COPY, source, target), tmp_path / "journal", source, target)
    target.revive()
    source.remove("in/a.mp3")
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert target.snapshot() == {"out/a.mp3": OURS}


def test_the_only_copy_of_a_file_is_kept_where_its_name_is_taken(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    during(target, "give", lambda _: Killed("killed"), when="before")
    with suppress(Killed):
        run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    target.revive()
    source.remove("in/a.mp3")
    target.put("out/a.mp3", THEIRS)
    result = run_again(tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.INTEGRITY
    (kept,) = (path for path, content in target.snapshot().items() if content == OURS)
    assert kept in messages(result)
    assert library(target) == {"out/a.mp3": THEIRS}


def test_a_kill_between_two_steps_of_giving_a_name_leaves_one_file_after_resume(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    during(target, "give", lambda _: Killed("killed"), when="between")
    with suppress(Killed):
        run(one(Verb.MOVE, source, target), tmp_path / "journal", source, target)
    target.revive()
    assert len(target.snapshot()) == 2
    assert run_again(tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert (source.snapshot(), target.snapshot()) == ({}, {"out/a.mp3": OURS})


def test_only_copies_of_runs_that_have_ended_are_swept(tmp_path: Path) -> None:
    source, target = stores(Naming.EXCLUSIVE)
    source.put("in/b.mp3", b"content of b")
    made = one(Verb.COPY, source, target)
    (copying,) = made.operations
    with quick(Journal, tmp_path / "journal") as journal:
        ended, unfinished = journal.begin(made, "organize"), journal.begin(made, "organize")
        journal.append(ended, [Record(copying.id, Stage.FAILED, 1, code=3, message="it failed")])
        journal.set_state(ended, RunState.FAILED)
    names = {run_id: staged_copy_of(run_id, copying.id, "out/a.mp3") for run_id in (ended, unfinished, "of-another-machine")}
    for path in (*names.values(), f"{names[ended]}.0123abcd.partial", "out/x.mp3.0123abcd.partial"):
        target.put(path, OURS)
    other = plan(operation(Verb.COPY, source, "in/b.mp3", target, "out/b.mp3"))
    assert run(other, tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    left = {names[unfinished], names["of-another-machine"], "out/x.mp3.0123abcd.partial"}
    assert target.snapshot().keys() == {"out/b.mp3", *left}


@pytest.mark.parametrize("done", [True, False])
def test_no_folder_of_a_run_is_left_once_nothing_in_it_is_needed(tmp_path: Path, done: bool) -> None:
    """Removing a folder on WebDAV also deletes what a listing does not show."""
    source, target = stores(Naming.EXCLUSIVE)
    if not done:
        during(target, "copy", lambda _: target.put("out/a.mp3", THEIRS))
    run(one(Verb.COPY, source, target), tmp_path / "journal", source, target)
    left = [path for path in target.directories() if path.startswith(".music-orchestrator/tmp/")]
    assert len(left) == (0 if done else 1)


@pytest.mark.parametrize("empty", [True, False])
def test_a_folder_of_a_run_that_could_not_be_removed_goes_with_the_next_run_if_it_is_empty(tmp_path: Path, empty: bool) -> None:
    """rclone was killed at the end of the first one, for example."""
    source, target = stores(Naming.EXCLUSIVE)
    source.put("in/b.mp3", b"content of b")
    target.fail_always(lambda call: call.verb == "remove_directory", lambda _: PermanentError("rclone is gone"))
    first = run(one(Verb.COPY, source, target), tmp_path / "journal", source, target)
    assert first.exit_code == ExitCode.SOME_FAILED
    target.revive()
    (left,) = [path for path in target.directories() if path.startswith(".music-orchestrator/tmp/")]
    if not empty:
        target.put(f"{left}/of another program.mp3", THEIRS)
    other = plan(operation(Verb.COPY, source, "in/b.mp3", target, "out/b.mp3"))
    assert run(other, tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    there = [path for path in target.directories() if path.startswith(".music-orchestrator/tmp/")]
    assert there == ([] if empty else [left])
    assert (THEIRS in target.snapshot().values()) is not empty


def test_equal_plans_of_two_machines_use_different_names(tmp_path: Path) -> None:
    """Fault case 40: the operations have the same ids."""
    staged = []
    for machine in ("one", "two"):
        source, target = stores(Naming.EXCLUSIVE)
        during(target, "copy", lambda asked: staged.append(asked.dst))
        assert run(one(Verb.COPY, source, target), tmp_path / machine, source, target).exit_code == ExitCode.DONE
        storage = MemoryStorage.like("dropbox")
        storage.put("beck/x", b"x")
        during(storage, "move", lambda asked: staged.append(asked.dst))
        assert (
            run(plan(*through_temporary_name(storage, "beck/x", "Beck/x")), tmp_path / machine, storage).exit_code
            == ExitCode.DONE
        )
    assert len(set(staged)) == len(staged) == 4
    assert all(path.startswith(".music-orchestrator/tmp/") and path.count("/") == 3 for path in staged)


# What an older version of this program left half-way.


def begun(tmp_path: Path, made: Plan, *stages: Stage, target: MemoryStorage) -> None:
    (moving,) = made.operations
    with quick(Journal, tmp_path / "journal") as journal:
        run_id = journal.begin(made, "organize")
        entry = target.stat("out/a.mp3")
        journal.append(run_id, [Record(moving.id, stage, 1, entry if stage is Stage.VERIFIED else None) for stage in stages])


@pytest.mark.parametrize("stages", [(Stage.INTENT,), (Stage.INTENT, Stage.VERIFIED)])
@pytest.mark.parametrize("naming", KINDS)
def test_a_copy_that_an_older_version_put_under_its_final_name_is_finished(
    tmp_path: Path, naming: Naming, stages: tuple[Stage, ...]
) -> None:
    source, target = stores(naming)
    made = one(Verb.MOVE, source, target)
    target.put("out/a.mp3", OURS)
    begun(tmp_path, made, *stages, target=target)
    result = run_again(tmp_path / "journal", source, target)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 1), result.problems
    assert (source.snapshot(), target.snapshot()) == ({}, {"out/a.mp3": OURS})


@pytest.mark.parametrize("naming", KINDS)
def test_a_cut_copy_that_an_older_version_left_under_a_final_name_is_named(tmp_path: Path, naming: Naming) -> None:
    source, target = stores(naming)
    made = one(Verb.MOVE, source, target)
    target.put("out/a.mp3", OURS[:5])
    begun(tmp_path, made, Stage.INTENT, target=target)
    result = run_again(tmp_path / "journal", source, target)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1)
    assert "out/a.mp3" in messages(result)
    assert (source.snapshot(), target.snapshot()) == ({"in/a.mp3": OURS}, {"out/a.mp3": OURS[:5]})


def test_a_rename_that_an_older_version_left_at_its_temporary_name_is_finished(tmp_path: Path) -> None:
    storage = MemoryStorage.like("dropbox")
    storage.put("beck/x", b"x")
    first, second = through_temporary_name(storage, "beck/x", "Beck/x")
    with quick(Journal, tmp_path / "journal") as journal:
        run_id = journal.begin(plan(first, second), "organize")
        journal.append(run_id, [Record(first.id, Stage.INTENT), Record(first.id, Stage.DONE, entry=storage.stat("beck/x"))])
    storage.put(first.dst.path, b"x", mtime_ns=first.expect.mtime)
    storage.remove("beck/x")
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert storage.snapshot() == {"Beck/x": b"x"}


def test_a_file_that_an_older_version_left_at_its_temporary_name_is_restored(tmp_path: Path) -> None:
    storage = MemoryStorage.like("dropbox")
    storage.put("beck/x", b"x")
    first, second = through_temporary_name(storage, "beck/x", "Beck/x")
    with quick(Journal, tmp_path / "journal") as journal:
        run_id = journal.begin(plan(first, second), "organize")
        journal.append(run_id, [Record(first.id, Stage.DONE, entry=storage.stat("beck/x"))])
        journal.append(run_id, [Record(second.id, Stage.SKIPPED, code=4, message="taken")])
        journal.set_state(run_id, RunState.FAILED)
    storage.put(first.dst.path, b"x")
    storage.remove("beck/x")
    with quick(Journal, tmp_path / "journal") as journal:
        files = quarantined_files(storage, journal)
    assert run(restoring(storage, files), tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert storage.snapshot() == {"beck/x": b"x"}
