"""Buckets: a listing stands for many looks at sources and copies, and that of the plan for the first look of a fresh run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.protocol.delete_sources import delete_sources
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, make_task
from orchestrator.apply.results import RunResult
from orchestrator.errors import AccessDeniedError, ExitCode, RemoteError, TransientError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.plan.model import Plan
from orchestrator.records import Entry
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import contents, duplicate, library, move, plan, run, run_again

FILES = 20
OLD, NEW = b"content of 7", b"CONTENT OF 7"
SEVEN, ITS_COPY = "in/7.mp3", "out/7.mp3"


class Watched(ForwardingStorage):
    """Acts before the first copies, before the first listing, and before the first deletes of a run."""

    def __init__(self, inner: Storage, **acts: Callable[[], object]) -> None:
        super().__init__(inner)
        self.acts = acts

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        self._act("list")
        return super().list(prefix, hidden, on_folder=on_folder, at_most=at_most)

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        for call in calls:
            if isinstance(call, CopyCall | DeleteCall):
                self._act("copy" if isinstance(call, CopyCall) else "delete")
        return super().batch(calls, concurrency=concurrency)

    def _act(self, what: str) -> None:
        self.acts.pop(what, lambda: None)()


class Shown(ForwardingStorage):
    """Its listings leave paths out without a word, and show others without a hash, as looks do."""

    def __init__(self, inner: Storage, *, left_out: Collection[str] = (), unhashed: Collection[str] = ()) -> None:
        super().__init__(inner)
        self._left_out, self._unhashed = left_out, unhashed

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        entries = super().list(prefix, hidden, on_folder=on_folder, at_most=at_most)
        return (self._seen(entry) for entry in entries if entry.path not in self._left_out)

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        results = super().batch(calls, concurrency=concurrency)
        return [self._seen(result) if isinstance(result, Entry) else result for result in results]

    def stat(self, path: str) -> Entry | None:
        entry = super().stat(path)
        return None if entry is None else self._seen(entry)

    def _seen(self, entry: Entry) -> Entry:
        return msgspec.structs.replace(entry, hashes={}) if entry.path in self._unhashed else entry


def bucket(kind: str = "s3", files: int = FILES) -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    for number in range(files):
        storage.put(f"in/{number}.mp3", f"content of {number}".encode())
    return storage


def moves(storage: Storage, files: int = FILES, *, listed: int | None = None) -> Plan:
    """Everything from in/ to out/; `listed` files were listed for the plan."""
    made = plan(*(move(storage, f"in/{number}.mp3", f"out/{number}.mp3") for number in range(files)))
    counts = {"files": files if listed is None else listed}
    return msgspec.structs.replace(made, header=msgspec.structs.replace(made.header, counts=counts))


def counted(storage: MemoryStorage, work: Callable[[], RunResult]) -> tuple[RunResult, int, int]:
    """The result of a run, and its looks and listings."""
    before = storage.call_counts.copy()
    result = work()
    return result, storage.call_counts["stat"] - before["stat"], storage.call_counts["list"] - before["list"]


def moved(files: int = FILES) -> dict[str, bytes]:
    return {f"out/{number}.mp3": f"content of {number}".encode() for number in range(files)}


LISTED_AT_THE_END = 4
"""The final check, the trash of the run, and what checks of locations may have left."""


@pytest.mark.parametrize("fresh", [True, False])
def test_listings_stand_for_all_looks(tmp_path: Path, fresh: bool) -> None:
    storage = bucket(files=150)
    made = moves(storage, 150)
    result, looks, listings = counted(storage, lambda: run(made, tmp_path / "journal", storage, fresh=fresh))
    assert (result.exit_code, result.done) == (ExitCode.DONE, 150), result.problems
    assert library(storage) == moved(150)
    assert looks == 0
    assert 2 <= listings <= (1 if fresh else 2) * 2 + LISTED_AT_THE_END, "two windows"


def test_where_pages_cost_more_than_looks_each_file_is_looked_at(tmp_path: Path) -> None:
    """5,000 other files are in the folder: six pages cost as much as 72 looks."""
    storage = bucket()
    made = moves(storage, listed=FILES + 5000)
    result, looks, listings = counted(storage, lambda: run(made, tmp_path / "journal", storage, fresh=True))
    assert result.exit_code == ExitCode.DONE, result.problems
    assert looks == 2 * FILES + 2 * FILES, "copies and sources, and both ends in the final check"
    assert listings < LISTED_AT_THE_END


def test_a_listing_that_is_longer_than_expected_is_broken_off_and_the_folder_not_tried_again(tmp_path: Path) -> None:
    storage = bucket(files=60)
    for number in range(5000):
        storage.put(f"{'in' if number % 2 else 'out'}/other/{number}.txt", b"unknown to the plan")
    made = moves(storage, 60, listed=60)
    limits: list[int | None] = []

    class Limited(Watched):
        def list(self, *args: object, at_most: int | None = None, **named: object) -> Iterator[Entry]:  # type: ignore[override]
            limits.append(at_most)
            return super().list(*args, at_most=at_most, **named)  # type: ignore[arg-type]

    result, looks, _ = counted(storage, lambda: run(made, tmp_path / "journal", Limited(storage), fresh=True, window=20))
    assert result.exit_code == ExitCode.DONE, result.problems
    assert looks == 3 * 2 * 20
    expected = [3000, 1000, 1000, 9000]  # as cost less than 40 looks, 20 of each folder, and the 120 looks of the final check
    assert [limit for limit in limits if limit is not None] == expected


@pytest.mark.parametrize("error", [TransientError("503"), AccessDeniedError("403")], ids=["503", "403"])
def test_if_listings_fail_files_are_looked_at_and_few_are_tried(tmp_path: Path, error: RemoteError) -> None:
    storage = bucket(files=60)
    made = moves(storage, 60)
    storage.fail_always(lambda call: call.verb == "list" and call.path == "", error)
    result, looks, listings = counted(storage, lambda: run(made, tmp_path / "journal", storage, fresh=True, window=20))
    assert result.done == 60, result.problems
    assert library(storage) == moved(60)
    assert looks >= 3 * 2 * 20
    assert listings <= 2 + 2 * LISTED_AT_THE_END, "two for the windows, the others at the end"


def test_a_full_quarantine_is_not_listed_to_save_a_few_looks(tmp_path: Path) -> None:
    storage = bucket()
    for number in range(5000):
        storage.put(f".music-orchestrator/quarantine/run/{number}.mp3", b"a duplicate")
    made = moves(storage)
    result, looks, _ = counted(storage, lambda: run(made, tmp_path / "journal", storage, fresh=True))
    assert result.exit_code == ExitCode.DONE, result.problems
    assert looks == 2 * FILES + 2 * FILES, "after the copies, and at the end"


@pytest.mark.parametrize("hidden", [SEVEN, ITS_COPY])
def test_what_a_listing_leaves_out_is_looked_at(tmp_path: Path, hidden: str) -> None:
    storage = bucket()
    made = moves(storage)
    result, looks, _ = counted(storage, lambda: run(made, tmp_path / "journal", Shown(storage, left_out={hidden}), fresh=True))
    assert (result.exit_code, result.done) == (ExitCode.DONE, FILES), result.problems
    assert library(storage) == moved()
    assert looks <= 2


def test_files_without_a_hash_are_looked_at_before_they_are_copied_and_before_they_are_deleted(tmp_path: Path) -> None:
    """Uploads in parts, whose ETag is no MD5."""
    storage = bucket()
    parts = {f"{folder}/{number}.mp3" for folder in ("in", "out") for number in range(5)}
    made = moves(Shown(storage, unhashed=parts))
    result, looks, _ = counted(storage, lambda: run(made, tmp_path / "journal", Shown(storage, unhashed=parts), fresh=True))
    assert result.exit_code == ExitCode.DONE, result.problems
    assert looks == 5 * 3
    assert library(storage) == moved()


@pytest.mark.parametrize("files", [1, FILES], ids=["by looks", "by listings"])
def test_a_source_that_changed_since_it_was_listed_stays_and_its_copy_is_moved_away(tmp_path: Path, files: int) -> None:
    """Fault case 15, in a fresh run: the copy is made before the change is seen."""
    storage = bucket(files=8)
    made = plan(*moves(storage, 8).operations[8 - files :])
    assert made.operations[-1].src.path == SEVEN or files == FILES
    storage.put(SEVEN, NEW)
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert result.exit_code == (ExitCode.STALE if files == 1 else ExitCode.SOME_FAILED)
    assert (result.skipped, result.failed) == (1, 0)
    assert "in/7.mp3: the source has changed since the plan was made; a copy of it was moved to" in result.problems[0].message
    assert library(storage)[SEVEN] == NEW
    assert ITS_COPY not in library(storage)
    assert [*storage.snapshot().values()].count(NEW) == 2, "the copy is in the quarantine"


@pytest.mark.parametrize("trouble", [Killed("killed"), TransientError("the answer was lost")], ids=["killed", "lost"])
def test_so_is_the_copy_of_a_changed_source_that_nobody_has_looked_at(tmp_path: Path, trouble: BaseException) -> None:
    """Otherwise the library would hold it twice, and no message would say so."""
    storage = bucket(files=8)
    made = moves(storage, 8)
    storage.put(SEVEN, NEW)
    before = storage.calls_made
    # The copies come first, in this order.
    storage.fail(before + 8, trouble, when="after")
    with suppress(Killed):
        result = run(made, tmp_path / "journal", storage, fresh=True)
    if isinstance(trouble, Killed):
        storage.revive()
        result = run_again(tmp_path / "journal", storage)
    assert (result.exit_code, result.skipped, result.done) == (ExitCode.SOME_FAILED, 1, 7)
    assert "in/7.mp3: the source has changed since the plan was made; a copy of it was moved to" in result.problems[0].message
    assert library(storage) == moved(7) | {SEVEN: NEW}
    assert [*storage.snapshot().values()].count(NEW) == 2, "the copy is in the quarantine"


def test_a_source_that_changed_and_vanished_since_it_was_listed_leaves_its_copy(tmp_path: Path) -> None:
    storage = bucket()
    made = moves(storage)
    storage.put(SEVEN, NEW)
    result = run(made, tmp_path / "journal", Watched(storage, list=lambda: storage.remove(SEVEN)), fresh=True)
    assert (result.exit_code, result.failed) == (ExitCode.SOME_FAILED, 1)
    assert "changed and vanished" in result.problems[0].message
    assert library(storage) == moved() | {ITS_COPY: NEW}


def test_a_source_that_is_gone_since_it_was_listed_is_skipped(tmp_path: Path) -> None:
    storage = bucket()
    made = moves(storage)
    storage.remove(SEVEN)
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.skipped, result.failed) == (ExitCode.SOME_FAILED, 1, 0)
    assert "vanished before it could be moved" in result.problems[0].message


@pytest.mark.parametrize("fresh", [True, False])
def test_a_source_that_changes_after_it_was_copied_stays(tmp_path: Path, fresh: bool) -> None:
    storage = bucket()
    made = moves(storage)
    # The first listing of a run that is not fresh comes before its copies.
    edit: dict[str, Callable[[], object]] = {"list": lambda: storage.put(SEVEN, NEW)}
    watched = Watched(storage, **edit) if fresh else Watched(storage)
    if not fresh:
        watched.acts["copy"] = lambda: watched.acts.update(edit)
    result = run(made, tmp_path / "journal", watched, fresh=fresh)
    assert (result.exit_code, result.failed, result.done) == (ExitCode.SOME_FAILED, 1, FILES - 1)
    assert "changed while it was copied, so it stays" in result.problems[0].message
    assert library(storage) == moved() | {SEVEN: NEW, ITS_COPY: OLD}


def test_a_source_that_is_written_again_with_its_content_is_moved(tmp_path: Path) -> None:
    storage = bucket()
    made = moves(storage)
    result = run(made, tmp_path / "journal", Watched(storage, list=lambda: storage.put(SEVEN, OLD)), fresh=True)
    assert result.exit_code == ExitCode.DONE, result.problems
    assert library(storage) == moved()


def test_a_copy_that_is_not_what_was_listed_keeps_its_source(tmp_path: Path) -> None:
    """Damaged, or replaced by another program: its source is as it was."""
    storage = bucket()
    made = moves(storage)
    result = run(made, tmp_path / "journal", Watched(storage, list=lambda: storage.put(ITS_COPY, NEW)), fresh=True)
    assert (result.exit_code, result.failed, result.done) == (ExitCode.SOME_FAILED, 1, FILES - 1)
    assert "a different file is there now; both stay" in result.problems[0].message
    assert library(storage) == moved() | {SEVEN: OLD, ITS_COPY: NEW}


def test_a_file_that_appeared_at_a_destination_since_the_listing_is_kept_and_reported(tmp_path: Path) -> None:
    storage = bucket()
    made = moves(storage)
    result = run(made, tmp_path / "journal", Watched(storage, copy=lambda: storage.put(ITS_COPY, NEW)), fresh=True)
    assert (result.exit_code, result.done) == (ExitCode.SOME_FAILED, FILES)
    assert "out/7.mp3: an unexpected file was at this destination; it is kept as" in result.problems[0].message
    assert library(storage) == moved()
    assert NEW in storage.snapshot().values()


def test_in_a_run_that_is_not_fresh_a_taken_destination_is_seen_in_the_listing(tmp_path: Path) -> None:
    storage = bucket()
    made = moves(storage)
    storage.put(ITS_COPY, NEW)
    result, looks, _ = counted(storage, lambda: run(made, tmp_path / "journal", storage))
    assert (result.exit_code, result.skipped) == (ExitCode.SOME_FAILED, 1)
    assert looks == 0
    assert library(storage) == moved() | {SEVEN: OLD, ITS_COPY: NEW}


def test_where_case_is_ignored_only_a_look_shows_that_a_destination_is_free(tmp_path: Path) -> None:
    storage = MemoryStorage.like("s3", case_insensitive=True)
    for number in range(FILES):
        storage.put(f"in/{number}.mp3", b"%d" % number)
    before = storage.snapshot()
    made = plan(*(move(storage, f"in/{number}.mp3", f"in/{number}.MP3") for number in range(FILES)))
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, FILES)
    assert storage.snapshot() == before


def test_a_listing_that_is_no_longer_current_does_not_stand_for_a_look_before_a_delete() -> None:
    storage = bucket()
    now = [0.0]
    made = moves(storage)
    shared = SharedLooks("run", made.operations, FILES, clock=lambda: now[0])

    def task(number: int) -> Task:
        made_of = made.operations[number]
        return make_task(made_of, storage, storage, "run", None, name=made_of.src.path, trust_listing=True, trust_source=True)

    for passed_s in (0, 60):
        tasks = [task(number) for number in range(FILES)]
        for one in tasks:
            one.at_source = storage.stat(one.src)
            storage.put(one.dst, b"".join(storage.read(one.src)))
        shared.look(tasks, lambda one: [(one.source, one.src), (one.target, one.dst)])
        assert all(one.listed_source and one.listed_target for one in tasks)
        now[0] += passed_s
        before = storage.call_counts["stat"]
        delete_sources(tasks, shared, concurrency=8)
        assert storage.call_counts["stat"] - before == (FILES if passed_s else 0)
        assert set(library(storage)) == set(moved())
        for number in range(FILES):
            storage.put(f"in/{number}.mp3", f"content of {number}".encode())


def test_only_the_folders_concerned_are_listed(tmp_path: Path) -> None:
    """The source is one folder of a large library: it has its own page."""
    storage = bucket()
    for number in range(3000):
        storage.put(f"others/{number}.mp3", b"%d" % number)
    operations = [move(storage, f"others/{number}.mp3", f"sorted/{number}.mp3") for number in range(3000)]
    listed: list[tuple[str, int | None]] = []

    class Noted(Watched):
        def list(self, prefix: str = "", *args: object, at_most: int | None = None, **named: object) -> Iterator[Entry]:  # type: ignore[override]
            listed.append((prefix, at_most))
            return super().list(prefix, *args, at_most=at_most, **named)  # type: ignore[arg-type]

    shared = SharedLooks("run", (*moves(storage).operations, *operations), 3000 + FILES)
    noted = Noted(storage)
    tasks = [make_task(one, noted, noted, "run", None, name="", trust_listing=True) for one in moves(storage).operations]
    shared.look(tasks, lambda one: [(one.source, one.src)])
    assert listed == [("in", 1000)]
    assert all(one.listed_source for one in tasks)


def doubled(files: int = FILES) -> tuple[MemoryStorage, Plan]:
    """Each file twice, and a plan that quarantines one of the two."""
    storage = MemoryStorage.like("s3")
    for number in range(files):
        for folder in ("again", "in"):
            storage.put(f"{folder}/{number}.mp3", f"content of {number}".encode())
    made = plan(*(duplicate(storage, f"again/{number}.mp3", storage, f"in/{number}.mp3") for number in range(files)))
    return storage, msgspec.structs.replace(made, header=msgspec.structs.replace(made.header, counts={"files": 2 * files}))


def test_listings_stand_for_all_looks_at_duplicates_and_the_sources_come_last(tmp_path: Path) -> None:
    storage, made = doubled()
    asked: list[tuple[str, str]] = []
    storage.fail_always(lambda call: bool(asked.append((call.verb, call.path.rpartition("/")[0]))), TransientError("never"))
    result, looks, listings = counted(storage, lambda: run(made, tmp_path / "journal", storage, fresh=True))
    assert (result.exit_code, result.done) == (ExitCode.DONE, FILES), result.problems
    assert set(library(storage)) == {f"in/{number}.mp3" for number in range(FILES)}
    copied = len(asked) - 1 - asked[::-1].index(("copy", "again"))
    quarantine = f".music-orchestrator/quarantine/{result.run}"
    assert asked[copied + 1 : asked.index(("delete", "again"))] == [("list", quarantine), ("list", "")]
    assert looks == 0
    assert listings <= 5 + LISTED_AT_THE_END, "the duplicates; the kept copies, twice; the copies; the duplicates again"


@pytest.mark.parametrize("files", [5, FILES], ids=["by looks", "by listings"])
@pytest.mark.parametrize("folder", ["again", "in"])
def test_what_another_program_writes_at_a_duplicate_or_its_kept_copy_at_any_call_is_kept(
    tmp_path: Path, files: int, folder: str
) -> None:
    """Except at the duplicate, between the last look at it and its delete."""
    storage, made = doubled(files)
    asked: list[str] = []
    first = storage.calls_made
    storage.fail_always(lambda call: bool(asked.append(call.verb)), TransientError("never"))
    run(made, tmp_path / "undisturbed", storage, fresh=True)
    delete = first + asked.index("delete") + 1
    window = range(delete - (files - 3 if files == 5 else 0), delete + 4)
    path = f"{folder}/3.mp3"
    for number in range(first + 1, first + len(asked) + 1):
        storage, made = doubled(files)
        storage.fail(number, lambda _, at=storage: at.put(path, NEW))  # type: ignore[misc]
        run(made, tmp_path / f"{number}", storage, fresh=True)
        contents = [*storage.snapshot().values()]
        assert b"content of 3" in contents, number
        assert NEW in contents or (folder == "again" and number in window), number


def test_a_quarantined_copy_that_is_replaced_before_it_is_listed_keeps_its_source(tmp_path: Path) -> None:
    storage, made = doubled()
    replaced: list[str] = []

    def replace(call: RecordedCall) -> None:
        replaced.append(f"{call.path}/3.mp3")
        storage.put(replaced[0], NEW)

    storage.fail_always(lambda call: call.verb == "list" and "/quarantine/" in call.path and not replaced, replace)
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.failed, result.done) == (ExitCode.SOME_FAILED, 1, FILES - 1)
    assert storage.content("again/3.mp3") == b"content of 3"
    assert NEW in storage.snapshot().values()


def test_a_duplicate_whose_kept_copy_vanishes_meanwhile_is_moved_back_although_listings_stand_for_looks(tmp_path: Path) -> None:
    storage, made = doubled()
    watched = Watched(storage, delete=lambda: storage.remove("in/3.mp3"))
    result = run(made, tmp_path / "journal", watched, fresh=True)
    assert (result.exit_code, result.failed, result.done) == (ExitCode.INTEGRITY, 1, FILES - 1)
    assert storage.content("again/3.mp3") == b"content of 3"


@pytest.mark.parametrize(("what", "fresh"), [("moves", True), ("moves", False), ("duplicates", True)])
def test_a_kill_at_any_call_loses_nothing_and_resume_finishes(tmp_path: Path, what: str, fresh: bool) -> None:
    files = 8 if what == "moves" else 13
    for number in range(1, 200):
        storage, made = doubled(files) if what == "duplicates" else (bucket(files=files), None)
        made = made or moves(storage, files)
        wanted = moved(files) if what == "moves" else {f"in/{one}.mp3": f"content of {one}".encode() for one in range(files)}
        before, first = contents(storage), storage.calls_made
        storage.fail(first + number, Killed("killed"), when="after" if number % 2 else "before")
        ended = None
        with suppress(Killed):
            ended = run(made, tmp_path / f"{number}", storage, fresh=fresh)
        storage.revive()
        assert not before - contents(storage)
        if ended is not None:
            assert number > 2 * files, "at every copy and every delete"
            return
        assert run_again(tmp_path / f"{number}", storage).exit_code == ExitCode.DONE
        assert library(storage) == wanted, number
    raise AssertionError("it never came to its end")
