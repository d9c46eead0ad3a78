"""Mirrors during a run: one that is lost, full or refuses holds up nothing, and the run is over all the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.results import RunResult
from orchestrator.apply.resume import pending_in
from orchestrator.errors import AuthError, ExitCode, OrchestratorError, PermanentError, QuotaError, TransientError
from orchestrator.plan.model import MIRRORS, Operation, Plan, Verb
from orchestrator.records import Ref
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import expecting, library, operation, plan, quick, run, run_again

NAMES = "abcd"


class Case:
    """Files that move from one location to another, with a copy from the source, or from the target, at a mirror."""

    def __init__(self, home: Path, *, from_source: bool) -> None:
        self.source, self.target = MemoryStorage.like("s3", "one:in"), MemoryStorage.like("local", str(home / "out"))
        self.mirror = MemoryStorage.like("webdav", "three:mirror")
        self.storages = (self.source, self.target, self.mirror)
        operations: list[Operation] = []
        for name in NAMES:
            self.source.put(f"{name}.mp3", f"content of {name}".encode())
            move = operation(Verb.MOVE, self.source, f"{name}.mp3", self.target, f"{name}.mp3")
            origin = move.src if from_source else move.dst
            copy = expecting(Verb.COPY, self.source, f"{name}.mp3", origin, Ref(self.mirror.fs, f"{name}.mp3"))
            if from_source:
                move = msgspec.structs.replace(move, depends=(copy.id,))
            else:
                copy = msgspec.structs.replace(copy, depends=(move.id,))
            operations += [move, copy]
        self.wanted = {f"{name}.mp3": f"content of {name}".encode() for name in NAMES}
        made = plan(*operations, source=self.source.fs, target=self.target.fs, storages=self.storages)
        header = msgspec.structs.replace(made.header, options={MIRRORS: [self.mirror.fs]})
        self.plan = Plan(header, made.operations)

    def run(self, journal: Path) -> RunResult:
        return run(self.plan, journal, *self.storages, window=2)


@pytest.mark.parametrize("from_source", [True, False])
@pytest.mark.parametrize(
    ("error", "code", "after"),
    [
        (TransientError("connection refused"), ExitCode.UNREACHABLE, 0),
        (TransientError("connection refused"), ExitCode.UNREACHABLE, 3),
        (AuthError("key revoked"), ExitCode.AUTH, 1),
        (QuotaError("no space left"), ExitCode.SOME_FAILED, 2),
        (PermanentError("name refused"), ExitCode.SOME_FAILED, 0),
    ],
)
def test_what_fails_at_a_mirror_holds_up_nothing(
    tmp_path: Path, from_source: bool, error: OrchestratorError, code: ExitCode, after: int
) -> None:
    case = Case(tmp_path, from_source=from_source)

    def fails(call: RecordedCall) -> bool:
        whole = isinstance(error, TransientError | AuthError)  # then it answers nothing at all
        return case.mirror.changes_made >= after and (whole or call.changing)

    case.mirror.fail_always(fails, error)
    result = case.run(tmp_path / "journal")
    assert library(case.target) == case.wanted
    assert library(case.source) == {}
    assert (result.exit_code, result.state, result.pending) == (code, RunState.FAILED, 0)
    assert any(case.mirror.fs in problem.message for problem in result.problems)
    # There is nothing to resume, and nothing of the mirror's own was lost.
    case.mirror.revive()
    assert run_again(tmp_path / "journal", *case.storages).done_now == 0
    assert library(case.mirror).items() <= case.wanted.items()


@pytest.mark.parametrize("from_source", [True, False])
def test_a_killed_run_copies_the_rest_later(tmp_path: Path, from_source: bool) -> None:
    whole = Case(tmp_path, from_source=from_source)
    assert whole.run(tmp_path / "whole").exit_code == ExitCode.DONE
    waited: list[bool] = []
    for number in range(1, whole.mirror.changes_made + 1, 3):
        case = Case(tmp_path, from_source=from_source)
        case.mirror.fail(number, Killed(), counting="changes")
        journal = tmp_path / f"journal {number}"
        with pytest.raises(Killed):
            case.run(journal)
        for storage in case.storages:
            storage.revive()
        with quick(Journal, journal) as opened:
            (left,) = opened.unfinished()
            waits = pending_in(opened, left.id, [case.target.fs])
        assert waits or library(case.target) == case.wanted
        waited.append(waits)
        assert run_again(journal, *case.storages).exit_code == ExitCode.DONE
        assert (library(case.source), library(case.target), library(case.mirror)) == ({}, case.wanted, case.wanted)
    # Another command on the target waits for what is left to do there, but not for copies to a mirror.
    assert waited[-1] is from_source
