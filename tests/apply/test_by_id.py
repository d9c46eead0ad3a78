"""Several files of one name, each known by its id: killed at every call, undone, and never mistaken for another."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode, UsageError
from orchestrator.plan.model import Expect, KeptCopy, Operation, Plan, Verb, operation_id
from orchestrator.records import Entry, Ref
from orchestrator.storage.fake.faults import Killed, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import MoveCall
from tests.apply.plans import NOW, WITHOUT_WAITS, move, plan, quick, run, run_again

NAME = "dir/a.mp3"
OTHER, EQUAL = (b"one", b"two!", b"three"), (b"same", b"same", b"same")


def drive(contents: tuple[bytes, ...]) -> MemoryStorage:
    storage = MemoryStorage.like("drive")
    for content in contents:
        storage.put(NAME, content, duplicate=True)
    storage.put("dir/b.mp3", b"another name")
    return storage


def objects(storage: MemoryStorage) -> dict[str, tuple[str, str]]:
    """Id -> where the file is, and its md5."""
    return {entry.id or "": (entry.path, entry.hashes["md5"]) for entry in [*storage.list(), *own(storage)]}


def own(storage: MemoryStorage) -> list[Entry]:
    return [*storage.list(".music-orchestrator")] if ".music-orchestrator" in storage.directories() else []


def by_id(storage: MemoryStorage, entry: Entry, dst: str, verb: Verb = Verb.MOVE) -> Operation:
    source, target = Ref(storage.fs, entry.path, entry.id or ""), Ref(storage.fs, dst)
    expect = Expect(entry.hashes, entry.mtime_ns)
    return Operation(operation_id(verb, source, target), verb, source, target, entry.size, expect, "test", "")


def telling_apart(storage: MemoryStorage) -> Plan:
    """One stays, one is moved, one is quarantined; a file of another name moves as well."""
    _, second, third = (entry for entry in storage.list() if entry.path == NAME)
    operations = (by_id(storage, second, "new/a.mp3"), by_id(storage, third, "dir/a [3].mp3", Verb.QUARANTINE))
    return plan(*operations, move(storage, "dir/b.mp3", "new/b.mp3"), source=storage.fs, storages=[storage])


def take_back(journal: Path, storage: MemoryStorage) -> ExitCode:
    with quick(Journal, journal) as opened:
        last = opened.runs()[0].id
        made = undo_plan(opened, last, **NOW)
        return apply_plan(made, {storage.fs: storage}, opened, undoes=last, backoff=WITHOUT_WAITS).exit_code


def test_each_file_goes_where_the_plan_says_and_undo_brings_it_back(tmp_path: Path) -> None:
    storage = drive(OTHER)
    before = objects(storage)
    assert run(telling_apart(storage), tmp_path / "journal", storage).exit_code == ExitCode.DONE
    first, second, third, _ = before
    after = objects(storage)
    assert (after[first], after[second][0]) == (before[first], "new/a.mp3")
    assert after[third][0].endswith("/dir/a [3].mp3")
    assert take_back(tmp_path / "journal", storage) == ExitCode.DONE
    assert objects(storage) == before
    assert take_back(tmp_path / "journal", storage) == ExitCode.DONE, "nothing is left to take back"
    assert objects(storage) == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("contents", [OTHER, EQUAL])
def test_killed_at_every_call(tmp_path: Path, contents: tuple[bytes, ...], when: When) -> None:
    quiet = drive(contents)
    run(telling_apart(quiet), tmp_path / "quiet", quiet)
    expected = [path for path, _ in objects(quiet).values()]
    for number in range(1, quiet.calls_made + 1):
        storage, journal = drive(contents), tmp_path / f"journal{number}"
        before = objects(storage)
        made = telling_apart(storage)
        for step in ("run", "undo"):
            storage.fail(storage.calls_made + number, Killed("killed"), when=when)
            with suppress(Killed):
                run(made, journal, storage) if step == "run" else take_back(journal, storage)
            storage.revive()
            assert {one: md5 for one, (_, md5) in objects(storage).items()} == {one: md5 for one, (_, md5) in before.items()}
            if run_again(journal, storage).run is None:
                run(made, journal, storage)
            if step == "undo":
                take_back(journal, storage)
                assert objects(storage) == before, f"undo killed {when} call {number}"
            else:
                found = [path for path, _ in objects(storage).values()]
                assert [*map(_without_run, found)] == [*map(_without_run, expected)], f"killed {when} call {number}"


def _without_run(path: str) -> str:
    head, own_directory, tail = path.partition(".music-orchestrator/quarantine/")
    return head + own_directory + (tail.partition("/")[2] if own_directory else "")


def test_another_file_of_the_same_name_is_not_mistaken_for_it(tmp_path: Path) -> None:
    storage = drive(EQUAL)
    made = telling_apart(storage)
    moved = made.operations[0]
    storage.remove(NAME)
    storage.put(NAME, b"same")
    left = objects(storage)
    result = run(made, tmp_path / "journal", storage)
    assert (result.done, result.skipped, result.exit_code) == (1, 2, ExitCode.SOME_FAILED)
    assert any(moved.src.path in problem.message for problem in result.problems)
    assert objects(storage).keys() == left.keys()


def test_a_file_that_appeared_at_the_destination_is_not_touched(tmp_path: Path) -> None:
    storage = drive(OTHER)
    made = telling_apart(storage)
    storage.put("new/a.mp3", b"of somebody else")
    before = objects(storage)
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.done, result.skipped) == (2, 1)
    stayed = made.operations[0].src.object_id
    assert stayed is not None
    assert objects(storage)[stayed] == before[stayed]


def test_a_plan_with_ids_is_refused_where_files_have_none(tmp_path: Path) -> None:
    storage = MemoryStorage.like("local")
    storage.put(NAME, b"one")
    entry = storage.stat(NAME)
    assert entry is not None
    with pytest.raises(UsageError, match="by id"):
        run(plan(by_id(storage, Entry(NAME, 3, entry.mtime_ns, {}, "x"), "b.mp3")), tmp_path / "journal", storage)


def test_a_kept_copy_of_the_same_name_is_found_by_its_id(tmp_path: Path) -> None:
    """Neither the duplicate nor a third file is mistaken for the kept copy."""
    storage = drive(EQUAL)
    first, second, _ = (entry for entry in storage.list() if entry.path == NAME)
    goes = by_id(storage, second, "dir/a [2].mp3", Verb.QUARANTINE)
    kept = KeptCopy(storage.fs, NAME, first.size, first.hashes, first.mtime_ns, "T0", first.id or "")
    made = plan(msgspec.structs.replace(goes, expect=msgspec.structs.replace(goes.expect, kept=kept)), source=storage.fs)
    with_kept_copy = drive(EQUAL)
    assert run(made, tmp_path / "with", with_kept_copy).exit_code == ExitCode.DONE
    storage.batch([MoveCall(NAME, "elsewhere.mp3", "", None, first.id)])
    before = objects(storage)
    result = run(made, tmp_path / "without", storage)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 1)
    assert objects(storage) == before
