"""A file gets another content: the old one is in the trash, the name never holds a cut file, and whatever fails is taken back."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import CorruptTransferError, ExitCode, InUseError, PermanentError, TransientError
from orchestrator.plan.model import Plan, Verb
from orchestrator.records import Entry
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import StatCall
from tests.apply.plans import NOW, contents, depending, library, move, operation, plan, quick, replacing, run, run_again
from tests.nightly import NIGHTLY

IN_PLACE = ["s3", "dropbox", "drive"]
STAGED = ["local", "webdav", "sftp", "azure"]
KINDS = [*IN_PLACE, *STAGED]
CHANGED = b"the new content of a"


def scene(kind: str, source: str = "local") -> tuple[MemoryStorage, MemoryStorage, Plan]:
    """A replaced file, one that was renamed and then replaced, one replaced on the server, and two deletions."""
    ours, theirs = MemoryStorage.like(source, "one:library"), MemoryStorage.like(kind, "two:library")
    for name in "abcde":
        theirs.put(f"in/{name}.mp3", f"content of {name}".encode())
    theirs.put("in/copy.mp3", b"what c is to be")
    ours.put("in/a.mp3", CHANGED)
    ours.put("new/b.mp3", b"the new content of b")
    renamed = move(theirs, "in/b.mp3", "new/b.mp3")
    replaced = depending(replacing(ours, "new/b.mp3", theirs, "new/b.mp3", seen="in/b.mp3"), renamed)
    made = plan(
        renamed,
        replacing(ours, "in/a.mp3", theirs, "in/a.mp3"),
        replaced,
        replacing(theirs, "in/copy.mp3", theirs, "in/c.mp3"),
        operation(Verb.DELETE, theirs, "in/d.mp3", theirs, "in/d.mp3"),
        source=ours.fs,
        storages=(ours, theirs),
    )
    return ours, theirs, made


AFTER = {
    "in/a.mp3": CHANGED,
    "new/b.mp3": b"the new content of b",
    "in/c.mp3": b"what c is to be",
    "in/copy.mp3": b"what c is to be",
    "in/e.mp3": b"content of e",
}


def trash(storage: MemoryStorage, run_id: str | None) -> dict[str, bytes]:
    directory = f".music-orchestrator/trash/{run_id}/"
    return {path.removeprefix(directory): content for path, content in storage.snapshot().items() if path.startswith(directory)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fresh", [False, True])
def test_the_old_content_is_in_the_trash_and_comes_back_with_undo(tmp_path: Path, kind: str, fresh: bool) -> None:
    ours, theirs, made = scene(kind)
    before = library(theirs)
    result = run(made, tmp_path / "journal", ours, theirs, fresh=fresh)
    assert (result.exit_code, result.problems, result.notes) == (ExitCode.DONE, (), ())
    assert library(theirs) == AFTER
    assert trash(theirs, result.run) == {
        "replaced-flat/in=a.mp3": b"content of a",
        "replaced-flat/new=b.mp3": b"content of b",
        "replaced-flat/in=c.mp3": b"content of c",
        "deleted/in/d.mp3": b"content of d",
    }
    assert [call.path for call in theirs.log if not call.path.startswith(".music")][-1] == "in/d.mp3", "deletions come last"
    assert {file.path for file in quarantined_files(theirs)} == {"in/a.mp3", "new/b.mp3", "in/c.mp3", "in/d.mp3"}
    assert result.run is not None
    undone: list[str] = [result.run]
    for wanted in (before, AFTER, before):
        with quick(Journal, tmp_path / "journal") as journal:
            undoing = undo_plan(journal, undone[-1], **NOW)
            again = apply_plan(undoing, {ours.fs: ours, theirs.fs: theirs}, journal, command="undo", undoes=undone[-1])
        assert again.exit_code == ExitCode.DONE, again.problems
        assert library(theirs) == wanted
        assert again.run is not None
        undone.append(again.run)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_request_leaves_a_whole_file_and_resume_finishes(tmp_path: Path, kind: str) -> None:
    ours, theirs, made = scene(kind)
    first = theirs.calls_made
    run(made, tmp_path / "unkilled", ours, theirs)
    step = 1 if NIGHTLY else 5
    for number in range(first + 1, theirs.calls_made + 1, step):
        for when in ("before", "between", "after"):
            ours, theirs, made = scene(kind)
            everything, before = contents(ours, theirs), library(theirs)
            theirs.fail(number, Killed("killed"), when=when)  # type: ignore[arg-type]
            journal = tmp_path / f"{number}-{when}"
            try:
                run(made, journal, ours, theirs)
            except Killed:
                theirs.revive()
                assert everything <= contents(ours, theirs), f"lost at {number} ({when})"
                whole = {*before.values(), *AFTER.values()}
                assert whole >= set(library(theirs).values()), f"cut at {number} ({when})"
                result = run_again(journal, ours, theirs)
                if result.run is None:
                    result = run(made, journal, ours, theirs)
                assert result.exit_code == ExitCode.DONE, (number, when, result.problems)
            assert library(theirs) == AFTER, (number, when)
            assert everything <= contents(ours, theirs)
            assert not [path for path in theirs.snapshot() if "/tmp/" in path or path.endswith(".partial")]
            changes = theirs.changes_made
            assert run_again(journal, ours, theirs).exit_code == ExitCode.DONE
            assert theirs.changes_made == changes


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_changed_at_the_destination_stays(tmp_path: Path, kind: str) -> None:
    ours, theirs, made = scene(kind)
    theirs.put("in/a.mp3", b"edited by the user meanwhile")
    theirs.remove("in/c.mp3")
    result = run(made, tmp_path / "journal", ours, theirs)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert {problem.path for problem in result.problems} == {"in/a.mp3", "in/copy.mp3"}
    assert library(theirs)["in/a.mp3"] == b"edited by the user meanwhile"
    assert "in/c.mp3" not in library(theirs)
    assert "tmp" not in str(sorted(theirs.snapshot()))


@pytest.mark.parametrize("refused", [("copy",), ("move",), ("give",), ("copy", "move"), ("copy", "give"), ("move", "give")])
def test_folders_that_are_locked_while_others_create_them_keep_no_file_from_its_new_content(
    tmp_path: Path, refused: tuple[str, ...]
) -> None:
    """423 of WebDAV, once for each of these requests."""
    ours, theirs = MemoryStorage.like("local", "one:library"), MemoryStorage.like("webdav", "two:library")
    theirs.put("in/a.mp3", b"the old content")
    ours.put("in/a.mp3", CHANGED)
    locked = [*refused]

    def once(call: RecordedCall) -> InUseError:
        locked.remove(call.verb)
        return InUseError("423 Locked")

    theirs.fail_always(lambda call: call.verb in locked, once)
    result = run(plan(replacing(ours, "in/a.mp3", theirs, "in/a.mp3"), source=ours.fs), tmp_path / "journal", ours, theirs)
    assert (result.exit_code, locked) == (ExitCode.DONE, []), result.problems
    assert library(theirs) == {"in/a.mp3": CHANGED}


@pytest.mark.parametrize("kind", STAGED)
def test_the_old_content_gets_its_name_back_when_the_new_one_cannot_have_it(tmp_path: Path, kind: str) -> None:
    ours, theirs = MemoryStorage.like("local", "one:library"), MemoryStorage.like(kind, "two:library")
    theirs.put("a.mp3", b"the old content")
    ours.put("a.mp3", CHANGED)
    made = plan(replacing(ours, "a.mp3", theirs, "a.mp3"), source=ours.fs)
    refused: list[str] = []

    def once(call: RecordedCall) -> PermanentError | None:
        refused.append(call.path)
        return PermanentError("no right to do this") if len(refused) == 1 else None

    theirs.fail_always(lambda call: call.verb == "give", once)
    result = run(made, tmp_path / "journal", ours, theirs)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert library(theirs) == {"a.mp3": b"the old content"}
    assert trash(theirs, result.run) == {}
    theirs.revive()
    theirs.fail_always(lambda call: call.verb == "give", PermanentError("no right to do this"))
    again = run(made, tmp_path / "again", ours, theirs)
    assert f"is kept as .music-orchestrator/trash/{again.run}/replaced/a.mp3" in again.problems[0].message
    assert trash(theirs, again.run) == {"replaced/a.mp3": b"the old content"}


def one_edit(kind: str) -> tuple[MemoryStorage, MemoryStorage, Plan]:
    ours, theirs = MemoryStorage.like("local", "one:library"), MemoryStorage.like(kind, "two:library")
    theirs.put("a.mp3", OLD)
    ours.put("a.mp3", CHANGED)
    return ours, theirs, plan(replacing(ours, "a.mp3", theirs, "a.mp3"), source=ours.fs)


OLD = b"the old content"
EDITED = b"what the user wrote at the destination"


@pytest.mark.parametrize("kind", IN_PLACE)
def test_an_upload_that_fails_leaves_the_old_content_under_its_name_or_puts_it_back(tmp_path: Path, kind: str) -> None:
    """rclone deletes what does not pass its check ("between"); a refused upload changes nothing ("before")."""
    for number, (error, when, times, code) in enumerate(
        [
            (PermanentError("no right to do this"), "before", 1, ExitCode.SOME_FAILED),
            (TransientError("connection reset"), "before", 1, ExitCode.DONE),
            (TransientError("connection reset"), "before", 9, ExitCode.UNREACHABLE),
            (CorruptTransferError("hashes differ"), "between", 1, ExitCode.DONE),
            (CorruptTransferError("hashes differ"), "between", 9, ExitCode.INTEGRITY),
        ]
    ):
        ours, theirs, made = one_edit(kind)
        uploads = count()
        theirs.fail_always(
            lambda call: call.verb == "copy" and call.dst == "a.mp3",
            lambda _, uploads=uploads, error=error, times=times: error if next(uploads) < times else None,  # type: ignore[misc]
            when=when,  # type: ignore[arg-type]
        )
        result = run(made, tmp_path / f"{number}", ours, theirs)
        assert result.exit_code == code, (error, result.problems)
        assert library(theirs) == {"a.mp3": CHANGED if code is ExitCode.DONE else OLD}, error
        if code is not ExitCode.DONE and not result.state.unfinished:
            assert trash(theirs, result.run) == {}, "what was only copied there is no longer needed"
        assert next(uploads) <= 3


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("kind", IN_PLACE)
def test_what_was_sent_of_a_changing_source_is_not_left_under_the_name(tmp_path: Path, kind: str, opened: bool) -> None:
    """Whether it changes before rclone opens it or after: the upload has the time that the source had then."""
    ours, theirs, made = one_edit(kind)
    theirs.fail_always(
        lambda call: call.dst is not None and call.dst.endswith("a.mp3") and opened == (call.dst == "a.mp3"),
        lambda _: ours.put("a.mp3", CHANGED.swapcase()),  # of the same size, which rclone does not see
        when="between" if opened else "after",
    )
    result = run(made, tmp_path / "journal", ours, theirs)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert library(theirs) == {"a.mp3": OLD}
    assert f"was moved to .music-orchestrator/quarantine/{result.run}.damaged" in result.problems[0].message


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_user_writes_at_any_moment_of_a_replacement_is_not_lost(tmp_path: Path, kind: str) -> None:
    ours, theirs, made = one_edit(kind)
    first = theirs.calls_made
    looks: list[int] = []
    theirs.fail_always(lambda call: call.verb == "stat", lambda call: looks.append(call.number))
    run(made, tmp_path / "undisturbed", ours, theirs)
    # Between the last look and the delete, where the server cannot rename: see docs/reliability.md.
    window = {call.number for call in theirs.log if (call.verb, call.path) == ("delete", "a.mp3")}
    assert len(window) == (kind == "azure")
    refused = 0
    for number in range(first + 1, looks[-1] + 1):
        for edit in (EDITED, None) if number not in window else (None,):
            ours, theirs, made = one_edit(kind)

            def act(_: RecordedCall, at: MemoryStorage = theirs, edit: bytes | None = edit) -> None:
                if edit is not None:
                    at.put("a.mp3", edit)
                elif "a.mp3" in library(at):
                    at.remove("a.mp3")

            theirs.fail(number, act)
            result = run(made, tmp_path / f"{number}-{edit is None}", ours, theirs)
            there = library(theirs).get("a.mp3")
            refused += result.exit_code == ExitCode.STALE
            if edit is not None:
                assert there == EDITED, f"replaced at {number}"
                assert result.exit_code != ExitCode.DONE, result.problems
            else:
                assert there in {None, CHANGED, OLD}
                assert result.exit_code != ExitCode.DONE or there == CHANGED
            uploaded = any(call.verb == "copy" and call.dst == "a.mp3" for call in theirs.log)
            assert OLD in theirs.snapshot().values() or not uploaded
    assert refused >= 4


@pytest.mark.parametrize("kind", IN_PLACE)
def test_a_replacement_in_place_keeps_the_id_and_copies_no_more_than_once_to_the_trash(tmp_path: Path, kind: str) -> None:
    ours, theirs, made = one_edit(kind)
    before = theirs.batch([StatCall("a.mp3")])
    result = run(made, tmp_path / "journal", ours, theirs)
    after = theirs.batch([StatCall("a.mp3")])
    assert [entry.id for entry in after if isinstance(entry, Entry)] == [entry.id for entry in before if isinstance(entry, Entry)]
    assert [(call.verb, call.dst) for call in theirs.log] == [
        ("copy", f".music-orchestrator/trash/{result.run}/replaced/a.mp3"),
        ("copy", "a.mp3"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_without_hashes_may_hold_what_is_there_already(tmp_path: Path, kind: str) -> None:
    ours, theirs = MemoryStorage.like("webdav", "one:library"), MemoryStorage.like(kind, "two:library")
    for storage in (ours, theirs):
        storage.put("a.mp3", b"the same content")
    result = run(plan(replacing(ours, "a.mp3", theirs, "a.mp3"), source=ours.fs), tmp_path / "journal", ours, theirs)
    assert (result.exit_code, result.problems) == (ExitCode.DONE, ())
    assert library(theirs) == {"a.mp3": b"the same content"}
