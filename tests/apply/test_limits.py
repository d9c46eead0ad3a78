"""--max-cost and --max-transfer during a run: it stops between two windows, and `resume` obeys as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.apply.journal.records import RunState
from orchestrator.apply.spending import Limits
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
    last = run_again(tmp_path / "journal", here, bucket, window=WINDOW, limits=limits)
    assert (last.exit_code, last.state, last.done) == (ExitCode.DONE, RunState.FINISHED, FILES)


def test_files_that_are_skipped_do_not_count(uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path) -> None:
    made, here, bucket = uploads
    bucket.fail_always(
        lambda call: call.path.endswith(".mp3") and call.verb != "stat", AccessDeniedError("AccessDenied: Access Denied")
    )
    result = run(made, tmp_path / "journal", here, bucket, window=WINDOW, limits=Limits(transfer=(FILES - 5) * SIZE))
    assert result.state is RunState.FAILED, result.problems
    assert result.failed + result.skipped == FILES


@pytest.mark.parametrize(("factor", "done"), [(1, 20), (3, 10)])
def test_a_run_stops_before_it_costs_more_and_requests_beyond_the_estimate_count(
    uploads: tuple[Plan, MemoryStorage, MemoryStorage], tmp_path: Path, factor: int, done: int
) -> None:
    made, here, bucket = uploads
    capabilities = {one.fs: one.capabilities for one in (here, bucket)}
    window = estimate(made.operations[:WINDOW], capabilities)
    requests, cost = window["requests"], window["cost"]
    assert isinstance(requests, int)
    assert isinstance(cost, float)

    def sent() -> int:
        return factor * requests * (len(bucket.snapshot()) // WINDOW)

    result = run(made, tmp_path / "journal", here, bucket, window=WINDOW, limits=Limits(cost=2.5 * cost, requests_sent=sent))
    assert (result.exit_code, result.state, result.done) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED, done)
    assert "--max-cost" in result.problems[0].message


def test_with_unknown_prices_a_limit_of_money_stops_at_once(tmp_path: Path) -> None:
    here, bucket = MemoryStorage.like("local"), MemoryStorage.like("s3")
    here.put("a.mp3", b"a")
    made = plan(operation(Verb.COPY, here, "a.mp3", bucket, "a.mp3"))
    result = run(made, tmp_path / "journal", here, bucket, limits=Limits(cost=1.0))
    assert (result.exit_code, result.state, result.done) == (ExitCode.SAFETY_LIMIT, RunState.INTERRUPTED, 0)
    assert "the prices of every remote must be known" in result.problems[0].message
