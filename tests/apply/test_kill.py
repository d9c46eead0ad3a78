"""Killed before or after any request, or around any write of the journal: the next run ends like one without a kill.

After every kill no content is missing, and every file is whole (contents are compared). After `resume` the trees are those of
a run without a kill, and one more run sends no changing request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, RunCounts, RunState
from orchestrator.apply.settings import Settings
from orchestrator.errors import ExitCode
from orchestrator.plan.model import Plan, Verb
from orchestrator.storage.fake.faults import Killed, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Naming
from tests.apply.plans import (
    WITHOUT_WAITS,
    contents,
    depending,
    duplicate,
    folders,
    move,
    operation,
    plan,
    quick,
    rewrite,
    run,
    run_again,
    through_temporary_name,
)
from tests.nightly import NIGHTLY

KINDS = ["local", "s3", "dropbox", "drive", "webdav", "sftp", "plain"]


class KilledJournal(Journal):
    """Kills the process before or after its Nth write."""

    def __init__(self, path: Path, number: int, when: When) -> None:
        super().__init__(path)
        self.left = number
        self.when = when
        self.writes = 0

    def _around(self, write: Callable[[], None]) -> None:
        self.writes += 1
        self.left -= 1
        if self.left == 0 and self.when == "before":
            raise Killed("before a write of the journal")
        write()
        if self.left == 0:
            raise Killed("after a write of the journal")

    def append(self, run_id: str, records: Sequence[Record]) -> None:
        if records:
            self._around(lambda: super(KilledJournal, self).append(run_id, records))

    def set_state(self, run_id: str, state: RunState, summary: RunCounts | None = None) -> None:
        self._around(lambda: super(KilledJournal, self).set_state(run_id, state, summary))


def scene(kind: str) -> tuple[list[MemoryStorage], Plan]:
    """A swap, a chain, a quarantine, a duplicate, a rename, an album, rewritten lists; a move and a copy between storages."""
    caught = kind == "caught"
    storage = MemoryStorage.like(
        "sftp" if caught else kind, fs="one:library", shuffle=7, naming=Naming.CAUGHT if caught else None
    )
    other = MemoryStorage.like("local", fs="two:library", naming=Naming.CAUGHT if caught else None)
    for name in "abcdefghi":
        storage.put(f"deep/in/{name}.mp3", f"content of {name}".encode())
    storage.put("lone/deeper/h.mp3", b"content of the lone one")
    album = ("1.mp3", "2.mp3", "cd/3.mp3", "cover.jpg")
    for name in album:
        storage.put(f"lone/al/{name}", f"content of {name}".encode())
    other.put("new/z.mp3", b"content of z")
    storage.put("lone/copy.mp3", storage.content("deep/in/i.mp3"))
    storage.put("deep/in/here.m3u", b"a.mp3")
    storage.put("deep/in/moved.m3u", b"b.mp3")
    a1, a2 = through_temporary_name(storage, "deep/in/a.mp3", "deep/in/b.mp3")
    b = move(storage, "deep/in/b.mp3", "deep/in/a.mp3", depends=[a1])
    a2 = depending(a2, a1, b)
    d = move(storage, "deep/in/d.mp3", "out/d.mp3")
    c = move(storage, "deep/in/c.mp3", "deep/in/d.mp3", depends=[d])
    made = plan(
        a2,
        c,
        b,
        a1,
        d,
        operation(Verb.QUARANTINE, storage, "deep/in/e.mp3", storage, "deep/in/e.mp3"),
        operation(Verb.MOVE, storage, "deep/in/f.mp3", other, "new/f.mp3"),
        operation(Verb.COPY, storage, "deep/in/g.mp3", other, "new/g.mp3"),
        operation(Verb.MOVE, other, "new/z.mp3", storage, "out/z.mp3"),
        move(storage, "lone/deeper/h.mp3", "out/h.mp3"),
        duplicate(storage, "lone/copy.mp3", storage, "deep/in/i.mp3"),
        *rewrite(storage, "deep/in/here.m3u", "deep/in/here.m3u", b"what is in it now"),
        *rewrite(storage, "deep/in/moved.m3u", "out/moved.m3u", b"what is in this one now"),
        *(move(storage, f"lone/al/{name}", f"out/Band/Album/{name}") for name in album),
        source=storage.fs,
    )
    return [storage, other], made


def start(made: Plan, journal: Journal, storages: Sequence[MemoryStorage], window: int) -> None:
    with journal:
        apply_plan(made, {s.fs: s for s in storages}, journal, settings=Settings(window=window), backoff=WITHOUT_WAITS)


def without_run_ids(storages: Sequence[MemoryStorage]) -> list[dict[str, bytes]]:
    def plain(path: str) -> str:
        parts = path.split("/")
        return "/".join([*parts[:2], "RUN", *parts[3:]]) if parts[:2] == [".music-orchestrator", "quarantine"] else path

    files = [{plain(path): content for path, content in storage.snapshot().items()} for storage in storages]
    return files + [dict.fromkeys(map(plain, folders(storage)), b"") for storage in storages]


def check_after(tmp_path: Path, storages: list[MemoryStorage], made: Plan, expected: list[dict[str, bytes]], window: int) -> None:
    for storage in storages:
        storage.revive()
    result = run_again(tmp_path / "journal", *storages, window=window)
    if result.run is None:  # killed before the run was recorded: nothing was sent
        result = run(made, tmp_path / "journal", *storages, window=window)
    assert result.exit_code == ExitCode.DONE, result.problems
    assert without_run_ids(storages) == expected
    changes = [storage.changes_made for storage in storages]
    assert run_again(tmp_path / "journal", *storages).exit_code == ExitCode.DONE
    assert [storage.changes_made for storage in storages] == changes


def unkilled(tmp_path: Path, kind: str, window: int) -> tuple[list[MemoryStorage], int]:
    storages, made = scene(kind)
    journal = quick(KilledJournal, tmp_path / "unkilled", 0, "before")
    start(made, journal, storages, window)
    return storages, journal.writes


@pytest.mark.parametrize(("kind", "window"), [*((kind, 100) for kind in KINDS), ("caught", 100), ("s3", 2)])
def test_a_kill_at_any_request_loses_nothing_and_resume_finishes(tmp_path: Path, kind: str, window: int) -> None:
    """Fault case 11, on every shape of storage: a swap among other operations, killed before, during and after every request.

    Usually each kind of storage is killed at every twenty-third of its requests, but not each at the same.
    """
    done, _ = unkilled(tmp_path, kind, window)
    expected = without_run_ids(done)
    whens: tuple[When, ...] = ("before", "between", "after")
    untouched, _ = scene(kind)
    step = 1 if NIGHTLY else 23
    for victim in range(len(done)):
        for number in range(untouched[victim].calls_made + 1 + len(kind) % step, done[victim].calls_made + 1, step):
            for when in whens:
                storages, made = scene(kind)
                before = contents(*storages)
                storages[victim].fail(number, Killed("killed"), when=when)
                journal = tmp_path / f"{victim}-{number}-{when}"
                journal.mkdir()
                try:
                    start(made, quick(Journal, journal / "journal"), storages, window)
                except Killed:
                    pass
                else:
                    assert without_run_ids(storages) == expected
                    continue
                assert before <= contents(*storages), f"lost at call {number} ({when})"
                check_after(journal, storages, made, expected, window)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_around_any_write_of_the_journal_loses_nothing_and_resume_finishes(tmp_path: Path, kind: str, when: When) -> None:
    done, writes = unkilled(tmp_path, kind, 3)
    expected = without_run_ids(done)
    for number in range(1, writes + 1) if NIGHTLY else range(1 + len(kind) % 3, writes + 1, 3):
        storages, made = scene(kind)
        before = contents(*storages)
        directory = tmp_path / str(number)
        directory.mkdir()
        with pytest.raises(Killed):
            start(made, quick(KilledJournal, directory / "journal", number, when), storages, 3)
        assert before <= contents(*storages)
        check_after(directory, storages, made, expected, 3)
