"""A run removes the directories that it emptied and its own, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, Stage
from orchestrator.errors import ExitCode, TransientError
from orchestrator.plan.model import Expect, Verb
from orchestrator.plan.ordering import Move, order
from orchestrator.records import OWN_DIRECTORY, Ref
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Storage
from tests.apply.plans import folders, library, move, operation, plan, run, run_again


def test_emptied_directories_are_removed_and_others_stay(tmp_path: Path) -> None:
    storage = MemoryStorage.like("local")
    for path in ("a/b/c/1.mp3", "a/b/2.mp3", "kept/3.mp3", "kept/cover.jpg"):
        storage.put(path, path.encode())
    for directory in ("empty", "a/empty"):
        storage.make_directory(directory)
    made = plan(*[move(storage, path, f"new/{path[-5:]}") for path in ("a/b/c/1.mp3", "a/b/2.mp3", "kept/3.mp3")])
    assert run(made, tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert folders(storage) == {"a", "a/empty", "empty", "kept", "new"}


def respelled(storage: MemoryStorage, names: dict[str, str]) -> tuple:
    moves = []
    for src, dst in names.items():
        storage.put(src, src.encode())
        entry = storage.stat(src)
        assert entry is not None
        expect = Expect(entry.hashes, entry.mtime_ns)
        moves.append(Move(Verb.MOVE, Ref(storage.fs, src), Ref(storage.fs, dst), entry.size, expect, "", ""))
    return tuple(order(moves, case_insensitive=True))


@pytest.mark.parametrize("killed_at", [None, *range(1, 9)])
def test_a_directory_whose_case_changes_has_its_new_spelling(tmp_path: Path, killed_at: int | None) -> None:
    """Fault case 10, on an in-memory Dropbox: killed at any change, folders and files end with their new case."""
    storage = MemoryStorage.like("dropbox")
    names = {"beck/x/1.mp3": "Beck/X/1.mp3", "beck/x/2.mp3": "Beck/X/2.mp3", "beck/3.mp3": "Beck/3.mp3"}
    made = plan(*respelled(storage, names))
    if killed_at is None:
        assert run(made, tmp_path / "journal", storage, window=2).exit_code == ExitCode.DONE
    else:
        storage.fail(storage.changes_made + killed_at, Killed("killed"), when="after", counting="changes")
        with pytest.raises(Killed):
            run(made, tmp_path / "journal", storage, window=2)
        storage.revive()
        assert run_again(tmp_path / "journal", storage, window=2).exit_code == ExitCode.DONE
    assert library(storage).keys() == set(names.values())
    assert folders(storage) == {"Beck", "Beck/X"}


def test_a_directory_whose_case_changes_is_free_though_one_in_it_gets_another_name(tmp_path: Path) -> None:
    """Fault case 35: what is in it is emptied and removed first; otherwise the old spelling stays, and a second run is needed."""
    storage = MemoryStorage.like("dropbox")
    names = {"beck/odelay/1.mp3": "Beck/Odelay (1996)/1.mp3", "beck/odelay/cd 2/2.mp3": "Beck/Odelay (1996)/2.mp3"}
    assert run(plan(*respelled(storage, names)), tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert folders(storage) == {"Beck", "Beck/Odelay (1996)"}


def test_a_file_whose_case_changes_survives_a_kill_at_its_temporary_name(tmp_path: Path) -> None:
    """Fault case 10: killed between the two moves, the content is at the temporary name; `resume` finishes the rename."""
    storage = MemoryStorage.like("dropbox")
    made = plan(*respelled(storage, {"beck/x": "Beck/x"}))
    storage.fail(storage.changes_made + 1, Killed("killed"), when="after", counting="changes")
    with pytest.raises(Killed):
        run(made, tmp_path / "journal", storage)
    storage.revive()
    with Journal(tmp_path / "journal") as journal:
        first, second = journal.plan(journal.runs()[0].id).operations
    assert storage.snapshot() == {first.dst.path: b"beck/x"}
    assert (second.src.path, second.dst.path) == (first.dst.path, "Beck/x")
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert library(storage) == {"Beck/x": b"beck/x"}
    assert folders(storage) == {"Beck"}


@pytest.mark.parametrize("kind", ["local", "webdav", "sftp"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_file_gets_the_name_of_a_directory_that_the_plan_empties(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str, interrupted: bool
) -> None:
    storage = open_storage(kind)
    for path in ("x.mp3/1.mp3", "x.mp3/deep/er/2.mp3", "in/3.mp3"):
        storage.write(path, path.encode())
    leaving = move(storage, "x.mp3/1.mp3", "1.mp3"), move(storage, "x.mp3/deep/er/2.mp3", "2.mp3")
    made = plan(*leaving, move(storage, "in/3.mp3", "x.mp3", depends=leaving))
    if interrupted:  # after the directory was emptied, before it was removed
        with Journal(tmp_path / "journal") as journal:
            run_id = journal.begin(made, "apply")
            for operation in leaving:
                storage.move(operation.src.path, operation.dst.path)
                journal.append(run_id, [Record(operation.id, Stage.INTENT, 1), Record(operation.id, Stage.DONE, 1)])
    result = run_again(tmp_path / "journal", storage) if interrupted else run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.DONE, result.problems
    found = {entry.path: b"".join(storage.read(entry.path)) for entry in storage.list()}
    assert found == {"1.mp3": b"x.mp3/1.mp3", "2.mp3": b"x.mp3/deep/er/2.mp3", "x.mp3": b"in/3.mp3"}


@pytest.mark.parametrize("kind", ["local", "webdav", "sftp"])
def test_a_directory_that_still_holds_a_file_keeps_its_name(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str
) -> None:
    storage = open_storage(kind)
    for path in ("x.mp3/1.mp3", "x.mp3/new.mp3", "in/3.mp3"):
        storage.write(path, path.encode())
    leaving = move(storage, "x.mp3/1.mp3", "1.mp3")
    made = plan(leaving, move(storage, "in/3.mp3", "x.mp3", depends=[leaving]))
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert result.exit_code == ExitCode.SOME_FAILED
    found = {entry.path: b"".join(storage.read(entry.path)) for entry in storage.list()}
    assert found == {"1.mp3": b"x.mp3/1.mp3", "x.mp3/new.mp3": b"x.mp3/new.mp3", "in/3.mp3": b"in/3.mp3"}


def test_our_partial_copies_are_removed_and_those_of_others_are_not(tmp_path: Path) -> None:
    source, target = MemoryStorage.like("s3", "one:library"), MemoryStorage.like("local", "two:library")
    source.put("a.mp3", b"content of a")
    made = plan(operation(Verb.MOVE, source, "a.mp3", target, "x/a.mp3"))
    ours = ".music-orchestrator/tmp"
    of_others = ["x/other.mp3.0123abcd.partial", "x/a.mp3.89abcdef.partial", f"{ours}/other-run/1.89abcdef.partial"]
    for path in of_others:
        target.put(path, b"of somebody else")

    def cut(asked: RecordedCall) -> TransientError:
        target.put(f"{asked.dst}.89abcdef.partial", b"conte")
        return TransientError("connection reset")

    target.fail(target.changes_made + 1, cut, counting="changes")
    result = run(made, tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.DONE, result.problems
    assert target.snapshot().keys() == {"x/a.mp3", *of_others}
    ours = {directory for directory in target.directories() if directory.startswith(OWN_DIRECTORY)}
    assert ours == {OWN_DIRECTORY, f"{OWN_DIRECTORY}/tmp", f"{OWN_DIRECTORY}/tmp/other-run"}
