"""--max-cost and --max-transfer during a run: it stops between two windows, and `resume` obeys as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.apply.journal.records import RunState
from orchestrator.apply.spending import Limits
from orchestrator.deadline import Deadline
from orchestrator.errors import AccessDeniedError, ExitCode
from orchestrator.plan.estimate import estimate
from orchestrator.plan.model import Plan, Verb
from orchestrator.profiles import price_lists
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import operation, plan, run, run_again

FILES, SIZE, WINDOW = 40, 1000, 10


@pytest.fixture
def uploads() -> tuple[Plan, MemoryStorage, MemoryStorage]:
    """A plan that sends 40 files of 1,000 bytes to a bucket with the prices of S3."""
    here, bucket = MemoryStorage.like("local"), MemoryStorage.like("s3", prices=price_lists()["s3"])
    for number in range(FILES):
        here.put(f"{number:02}.mp3", bytes([number]) * SIZE)
    names = [f"{number:02}.mp3" for number in range(FILES)]
    return plan(*(operation(Verb.COPY, here, name, bucket, name) for name in names)), here, bucket


def test_a_run_stops_before_it_transfers_more_and_so_does_resume(
    uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path
) -> None:
    made, here, bucket = uploads
    limits = Limits(transfer=25 * SIZE)
    result = run(made, tmp_path / "journal", here, bucket, window=WINDOW, limits=limits)
    assert (result.exit_code, result.state, result.done) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED, 25)
    assert len(bucket.snapshot()) == 25, "nothing is half-way"
    (problem,) = result.problems
    assert "--max-transfer 24.4 KiB: the next file has 1000 B, and 24.4 KiB were sent and received" in problem.message
    again = run_again(tmp_path / "journal", here, bucket, window=WINDOW, limits=Limits(transfer=10 * SIZE))
    assert (again.exit_code, again.state, again.done) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED, 35)
    last = run_again(tmp_path / "journal", here, bucket, window=WINDOW, limits=Limits(transfer=5 * SIZE))
    assert (last.exit_code, last.state, last.done) == (ExitCode.DONE, RunState.FINISHED, FILES)


class Passing(Deadline):
    """A deadline that passes when it has been looked at so often."""

    looks = 0

    @property
    def passed(self) -> bool:
        Passing.looks += 1
        return Passing.looks > self.until


def test_a_run_begins_nothing_after_its_deadline_and_resume_continues(
    uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path
) -> None:
    made, here, bucket = uploads
    result = run(made, tmp_path / "journal", here, bucket, window=WINDOW, limits=Limits(deadline=Passing(2, "4h")))
    assert (result.exit_code, result.state, result.done) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED, 2 * WINDOW)
    assert len(bucket.snapshot()) == 2 * WINDOW, "the window under way has ended"
    (problem,) = result.problems
    assert "--max-duration 4h: the time is up; `music-orchestrator resume` continues" in problem.message
    last = run_again(tmp_path / "journal", here, bucket, window=WINDOW)
    assert (last.exit_code, last.state, last.done) == (ExitCode.DONE, RunState.FINISHED, FILES)


def test_files_that_are_skipped_do_not_count(uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path) -> None:
    made, here, bucket = uploads
    bucket.fail_always(
        lambda call: call.path.endswith(".mp3") and call.verb != "stat", AccessDeniedError("AccessDenied: Access Denied")
    )
    result = run(made, tmp_path / "journal", here, bucket, window=WINDOW, limits=Limits(transfer=(FILES - 5) * SIZE))
    assert result.state is RunState.FAILED, result.problems
    assert result.failed + result.skipped == FILES


@pytest.mark.parametrize("factor", [1, 3])
def test_a_run_stops_before_it_costs_more_and_requests_beyond_the_estimate_count(
    uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path, factor: int
) -> None:
    """Three times as many requests as estimated, from the beginning, do not exceed the limit; and it is made use of."""
    made, here, bucket = uploads
    capabilities = {one.fs: one.capabilities for one in (here, bucket)}

    def expected(files: int) -> tuple[int, float]:
        found = estimate(made.operations[:files], capabilities)
        return int(found["requests"] or 0), float(found["cost"] or 0)

    limits = Limits(
        cost=0.9 * factor * expected(FILES)[1],
        requests_sent=lambda: factor * expected(done)[0] if (done := len(bucket.snapshot())) else 0,
    )
    result = run(made, tmp_path / "journal", here, bucket, window=WINDOW, limits=limits)
    assert (result.exit_code, result.state) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED)
    assert "--max-cost" in result.problems[0].message
    assert limits.cost is not None
    assert 0.8 * limits.cost < factor * expected(result.done)[1] <= limits.cost
    assert limits.spent.cost == pytest.approx(factor * expected(result.done)[1], rel=0.1)
    assert run_again(tmp_path / "journal", here, bucket).state is RunState.FINISHED


def test_with_unknown_prices_a_limit_of_money_stops_at_once(tmp_path: Path) -> None:
    here, bucket = MemoryStorage.like("local"), MemoryStorage.like("s3")
    here.put("a.mp3", b"a")
    made = plan(operation(Verb.COPY, here, "a.mp3", bucket, "a.mp3"))
    result = run(made, tmp_path / "journal", here, bucket, limits=Limits(cost=1.0))
    assert (result.exit_code, result.state, result.done) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED, 0)
    assert "the prices of every remote must be known" in result.problems[0].message


def test_all_runs_of_a_command_have_one_limit(uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path) -> None:
    made, here, bucket = uploads
    first, second = (plan(*half) for half in (made.operations[: FILES // 2], made.operations[FILES // 2 :]))
    limits = Limits(transfer=30 * SIZE)
    assert run(first, tmp_path / "journal", here, bucket, window=WINDOW, limits=limits).exit_code is ExitCode.DONE
    result = run(second, tmp_path / "journal", here, bucket, window=WINDOW, limits=limits)
    assert (result.exit_code, result.done, len(bucket.snapshot())) == (ExitCode.SAFETY_LIMIT, 10, 30)
    assert run_again(tmp_path / "journal", here, bucket).state is RunState.FINISHED

    cost = estimate(first.operations, {one.fs: one.capabilities for one in (here, bucket)})["cost"]
    assert isinstance(cost, float)
    limits = Limits(cost=1.7 * cost)
    names = [f"again/{one.src.path}" for one in made.operations]
    again = [operation(Verb.COPY, here, name.removeprefix("again/"), bucket, name) for name in names]
    done = [
        run(plan(*half), tmp_path / "journal", here, bucket, window=WINDOW, limits=limits).done
        for half in (again[:20], again[20:])
    ]
    assert done[0] == FILES // 2
    assert 0 < done[1] < FILES // 2
    assert cost < limits.spent.cost <= 1.7 * cost
