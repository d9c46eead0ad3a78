"""Any sequence of plans, faults, kills, resumes, undos and changes by others: no content is lost, and every file is whole.

pytest tests/apply/test_state_machine.py --hypothesis-profile=nightly --timeout=0
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TypeAlias

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.apply.results import RunResult
from orchestrator.apply.settings import Settings
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import AuthError, ExitCode, PermanentError, QuotaError, RateLimitError, RemoteError, TransientError
from orchestrator.plan.model import Expect, KeptCopy, Plan, Verb
from orchestrator.plan.ordering import Move, order
from orchestrator.records import Ref
from orchestrator.storage.fake.faults import Killed, RecordedCall, Trouble, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Naming
from tests.apply.plans import NOW, WITHOUT_WAITS, contents, emptying, library, plan, quick, restoring, run_again
from tests.nightly import NIGHTLY

ALBUM = ["1", "2", "3", "cd/4"]
"""What a directory holds when it moves with all of its files."""
NAMES = [f"{directory}{name}" for directory in ("", "a/", "a/b/") for name in ("x", "y")]
TROUBLES = {
    "killed": lambda: Killed("killed"),
    "transient": lambda: TransientError("connection reset"),
    "rate": lambda: RateLimitError("slow down"),
    "auth": lambda: AuthError("revoked"),
    "quota": lambda: QuotaError("full"),
    "permanent": lambda: PermanentError("no"),
}
names = st.sampled_from(NAMES)
verbs = st.sampled_from([Verb.MOVE, Verb.MOVE, Verb.COPY, Verb.QUARANTINE, Verb.REWRITE])
"""A rewrite is of a list that moves or stays; a quarantine in the plan has a kept copy if there is one."""

View: TypeAlias = tuple[dict[str, bytes], dict[str, bytes]]
"""What a user sees of both storages."""

Faults: TypeAlias = list[tuple[bool, int, str, When]]
"""Side, number of the call, trouble or "created" (another program creates a file at that moment), and when in the call."""
faults = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 25),
        st.sampled_from([*TROUBLES, "killed", "killed", "created", "created"]),
        st.sampled_from(["before", "between", "after"]),
    ),
    max_size=2,
)


class Libraries(RuleBasedStateMachine):
    """Two storages, a journal, and everything that changes them."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.journal = Path(self.directory.name) / "journal"
        self.numbers = count(1)
        self.known: set[str] = set()
        """Every content that ever was."""
        self.must: Counter[str] = Counter()
        """What must be there: everything that no other program has removed."""
        self.runs: dict[str, tuple[View, View]] = {}
        """Finished run -> what a user sees before and after it."""
        self.expected: tuple[View, View] | None = None
        """What a user must see when the last run has ended: the state before if it never began, otherwise its result."""

    @initialize(
        kind=st.sampled_from(["local", "s3", "dropbox", "webdav", "drive", "plain"]),
        other=st.sampled_from(["local", "s3", "sftp"]),
        caught=st.booleans(),
        seed=st.integers(0, 9),
        files=st.lists(names, min_size=3, max_size=8, unique=True),
    )
    def begin(self, kind: str, other: str, caught: bool, seed: int, files: list[str]) -> None:
        naming = Naming.CAUGHT if caught else None
        self.storage = MemoryStorage.like(kind, "one:library", shuffle=seed, naming=None if kind == "plain" else naming)
        self.other = MemoryStorage.like(other, "two:library", naming=naming)
        self.both = {storage.fs: storage for storage in (self.storage, self.other)}
        for name in files:
            self.put(self.storage, name)

    # What is checked.

    @invariant()
    def nothing_is_gone_and_nothing_is_cut(self) -> None:
        if not hasattr(self, "storage"):
            return
        there = contents(*self.both.values())
        assert self.must <= there, self.must - there
        assert there.keys() <= self.known, "half a file has a name"

    def view(self) -> View:
        return library(self.storage), library(self.other)

    # What others do.

    def new_content(self) -> bytes:
        number = next(self.numbers)
        content = f"content {number}".encode() + b"." * number  # no two of one size
        self.known.add(sha256(content).hexdigest())
        return content

    def put(self, storage: MemoryStorage, name: str, content: bytes | None = None) -> None:
        self.expected = None
        content = content or self.new_content()
        self.must[sha256(content).hexdigest()] += 1
        storage.put(name, content)

    def lose(self, storage: MemoryStorage, name: str) -> None:
        """Another program removes a file: of its content there may be one less now."""
        self.expected = None
        content = sha256(storage.content(name)).hexdigest()
        there = contents(*self.both.values())[content]
        storage.remove(name)
        self.must[content] = min(self.must[content], there - 1)

    @rule(first=st.booleans(), name=names)
    def somebody_writes(self, first: bool, name: str) -> None:
        storage = self.side(first)
        if name in library(storage):
            self.lose(storage, name)
        self.put(storage, name)

    @rule(first=st.booleans(), name=names)
    def somebody_deletes(self, first: bool, name: str) -> None:
        storage = self.side(first)
        if name in library(storage):
            self.lose(storage, name)

    @rule(first=st.booleans(), number=st.integers(0, 11), second=st.booleans(), name=names)
    def somebody_copies(self, first: bool, number: int, second: bool, name: str) -> None:
        """Another program copies a file: from now on there are duplicates."""
        there = sorted(library(self.side(first)))
        if there and name not in library(self.side(second)):
            self.put(self.side(second), name, self.side(first).content(there[number % len(there)]))

    # What the program does.

    @rule(
        wishes=st.lists(st.tuples(st.integers(0, 11), verbs), min_size=1, max_size=6),
        ways=st.permutations([(first, name) for first in (True, False) for name in NAMES]),
        meddling=st.sampled_from([None, "write before", "delete before", "write after", "delete after"]),
        chosen=st.builds(Settings, window=st.sampled_from([1, 2, 100]), fresh=st.booleans()),
        faults=faults,
    )
    def organize(
        self,
        wishes: list[tuple[int, Verb]],
        ways: list[tuple[bool, str]],
        meddling: str | None,
        chosen: Settings,
        faults: Faults,
    ) -> None:
        """A plan as a planner makes it; others may change files between plan and run, or between a kill and `resume`."""
        self.finish()
        there = [(first, name) for first in (True, False) for name in sorted(library(self.side(first)))]
        wanted = {there[number % len(there)]: verb for number, verb in wishes if there}
        leaving = {source for source, verb in wanted.items() if verb is not Verb.COPY}
        unused = [one for one in ways if one[1] not in library(self.side(one[0]))]
        free = [one for one in ways if one in leaving or one in unused]
        if len(free) < len(wanted):
            free = unused  # some files stay, and keep their names
        moves = []
        before = self.view()
        after = [dict(side) for side in before]
        for first, name in leaving:
            del after[not first][name]
        for source, verb in wanted.items():
            entry = self.side(source[0]).stat(source[1])
            target = source if verb is Verb.QUARANTINE or not free else free.pop()
            if target == source and verb not in {Verb.QUARANTINE, Verb.REWRITE}:
                after[not source[0]][source[1]] = before[not source[0]][source[1]]
            elif entry is not None:
                content = self.new_content() if verb is Verb.REWRITE else None
                if verb is not Verb.QUARANTINE:
                    after[not target[0]][target[1]] = content or before[not source[0]][source[1]]
                ends = [Ref(self.side(first).fs, name) for first, name in (source, target)]
                expect = Expect(entry.hashes, entry.mtime_ns)
                if verb is Verb.QUARANTINE and (kept := self.kept_copy(source, leaving)):
                    expect = msgspec.structs.replace(expect, kept=kept)
                moves.append(Move(Verb.MOVE if content else verb, *ends, entry.size, expect, "", "", content=content))
        made = plan(*order(moves), source=self.storage.fs, target=self.other.fs, storages=self.both.values())
        self.expected = before, (after[0], after[1])
        act, _, when = (meddling or "").partition(" ")
        meddle = self.somebody_writes if act == "write" else self.somebody_deletes
        alone = when != "before" or not wanted or chosen.fresh
        if not alone:
            meddle(*min(wanted))
        result = self.carry_out(made, before if alone else None, faults, chosen)
        if when == "after" and result is None:
            for one in moves:
                meddle(one.dst.fs == self.storage.fs, one.dst.path)

    @rule(
        ends=st.permutations(["a", "a/b", "c/d", "e"]),
        meddling=st.none() | st.tuples(st.sampled_from(["before", "after"]), st.integers(0, 1), st.sampled_from(["1", "new"])),
        chosen=st.builds(Settings, window=st.sampled_from([2, 100]), fresh=st.booleans()),
        faults=faults,
    )
    def move_an_album(self, ends: list[str], meddling: tuple[str, int, str] | None, chosen: Settings, faults: Faults) -> None:
        """Everything in one directory moves to another; others may add files to either, before or after."""
        self.finish()
        source, destination, *_ = ends
        for one in ALBUM:
            if f"{source}/{one}" not in library(self.storage):
                self.put(self.storage, f"{source}/{one}")
        inside = sorted(path for path in library(self.storage) if path.startswith(f"{source}/"))
        ways = {path: destination + path.removeprefix(source) for path in inside}
        self.expected = None
        if any(way in library(self.storage) and way not in ways for way in ways.values()):
            return
        before = self.view()
        moves = []
        for path, way in ways.items():
            entry = self.storage.stat(path)
            assert entry is not None
            expect = Expect(entry.hashes, entry.mtime_ns)
            refs = Ref(self.storage.fs, path), Ref(self.storage.fs, way)
            moves.append(Move(Verb.MOVE, *refs, entry.size, expect, "", ""))
        made = plan(*order(moves), source=self.storage.fs, target=self.storage.fs, storages=self.both.values())
        kept = {path: content for path, content in before[0].items() if path not in ways}
        self.expected = before, ({**kept, **{way: before[0][path] for path, way in ways.items()}}, before[1])
        when, end, name = meddling or ("", 0, "")
        alone = when != "before" or chosen.fresh
        if not alone:
            self.somebody_writes(True, f"{ends[end]}/{name}")
        result = self.carry_out(made, before if alone else None, faults, chosen)
        if when == "after" and result is None:
            self.somebody_writes(True, f"{ends[end]}/{name}")

    @rule(faults=faults)
    def resume(self, faults: Faults) -> None:
        with self.trouble(faults):
            run_again(self.journal, *self.both.values())

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 3), faults=faults)
    def undo(self, number: int, faults: Faults) -> None:
        """If no other program changes anything and nothing fails, everything is as it was before the run."""
        self.finish()
        run_id = [*self.runs][-1 - number % len(self.runs)]
        before, after = self.runs.pop(run_id)
        now = self.view()
        with quick(Journal, self.journal) as journal:
            made = undo_plan(journal, run_id, **NOW)
        self.expected = None
        result = self.carry_out(made, now, faults, Settings(), undoes=run_id)
        if now == after and not faults:
            assert result is not None
            assert result.exit_code is ExitCode.DONE, result.problems
            assert self.view() == before

    @rule(first=st.booleans(), empty=st.booleans(), faults=faults)
    def quarantine(self, first: bool, empty: bool, faults: Faults) -> None:
        """Everything in the quarantine is restored, where the path is free, or deleted for good."""
        self.finish()
        storage = self.side(first)
        with quick(Journal, self.journal) as journal:
            items = quarantined_files(storage, journal)
        self.expected = None
        self.runs.clear()  # what an undo would restore may be deleted, or already restored
        if not empty:
            self.carry_out(restoring(storage, items), None, faults, Settings())
            return
        made = emptying(storage, items)
        for operation in made.operations:
            self.must[sha256(storage.content(operation.src.path)).hexdigest()] -= 1
        self.carry_out(made, None, faults, Settings())

    def teardown(self) -> None:
        try:
            if hasattr(self, "storage"):
                self.finish()
                self.nothing_is_gone_and_nothing_is_cut()
                changes = [storage.changes_made for storage in self.both.values()]
                run_again(self.journal, *self.both.values())
                assert changes == [storage.changes_made for storage in self.both.values()], "a second `resume` changes nothing"
        finally:
            self.directory.cleanup()

    # How it is done.

    def kept_copy(self, source: tuple[bool, str], leaving: Collection[tuple[bool, str]]) -> KeptCopy | None:
        """A file of the same content that is not moved."""
        content = self.side(source[0]).content(source[1])
        for first in (True, False):
            storage = self.side(first)
            for name in sorted(library(storage)):
                entry = storage.stat(name)
                if entry and (first, name) not in leaving and (first, name) != source and storage.content(name) == content:
                    return KeptCopy(storage.fs, name, entry.size, entry.hashes, entry.mtime_ns, "T0")
        return None

    def side(self, first: bool) -> MemoryStorage:
        return self.storage if first else self.other

    @contextmanager
    def trouble(self, faults: Faults) -> Iterator[None]:
        """Let calls fail during the block, and catch what they raise."""
        for first, number, trouble, when in faults:
            storage = self.side(first)
            what = self.creation(storage, number) if trouble == "created" else TROUBLES[trouble]()
            storage.fail(storage.calls_made + number, what, when=when)
            if trouble in {"permanent", "created"}:
                self.expected = None  # it leaves existing files as they are
        with suppress(Killed, RemoteError):  # RemoteError: before the run began
            yield
        for storage in self.both.values():
            storage.revive()

    def creation(self, storage: MemoryStorage, number: int) -> Trouble:
        """Another program creates a file at a free name: at a destination, for example, just before or after the look at it."""

        def create(_: RecordedCall) -> None:
            free = [name for name in NAMES if name not in library(storage)]
            if free:
                self.put(storage, free[number % len(free)])

        return create

    def carry_out(
        self, made: Plan, before: View | None, faults: Faults, chosen: Settings, undoes: str | None = None
    ) -> RunResult | None:
        result: RunResult | None = None
        if any(trouble == "created" for _, _, trouble, _ in faults):
            before = None  # what others create stays
        with self.trouble(faults), quick(Journal, self.journal) as journal:
            result = apply_plan(made, self.both, journal, undoes=undoes, settings=chosen, backoff=WITHOUT_WAITS)
        if result is not None and result.run is not None and result.exit_code is ExitCode.DONE and before is not None:
            self.runs[result.run] = (before, self.view())
        return result

    def finish(self) -> None:
        """Finish interrupted runs first, as the commands do. Without faults this always succeeds."""
        for _ in range(2):
            run_again(self.journal, *self.both.values())
        with quick(Journal, self.journal) as journal:
            assert journal.unfinished() == []
        if self.expected is not None:
            assert self.view() in self.expected
            self.expected = None


TestLibraries = Libraries.TestCase
TestLibraries.settings = settings(
    max_examples=2500 if NIGHTLY else 60,
    stateful_step_count=12,
    deadline=None,
    derandomize=not NIGHTLY,
    database=None,
    suppress_health_check=[*HealthCheck],
)
