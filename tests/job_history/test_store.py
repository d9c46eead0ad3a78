"""The history of jobs: what it keeps, what was killed, a clock that jumps, damage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.job_history.store import KEPT, JobHistory, JobRun

NOON = 1_800_000_000.0


@pytest.fixture
def history(tmp_path: Path) -> Iterator[JobHistory]:
    with JobHistory(tmp_path / "jobs.sqlite3") as opened:
        yield opened


def ended(run: JobRun, code: int) -> JobRun:
    return replace(run, ended=run.began + 5, exit_code=code)


def test_the_last_runs_of_each_job_are_kept_in_order_whatever_the_clock_said(history: JobHistory) -> None:
    history.known_since("a", [], NOON)
    for number in range(KEPT + 5):
        run = history.begin("a", NOON - 1000 * number)  # the clock goes back each time
        history.end(replace(ended(run, 0), changed=number))
    history.end(JobRun(job="b", began=NOON, ended=NOON, exit_code=8, why="locked"))
    assert [run.changed for run in history.last("a")] == [*range(KEPT + 4, 4, -1)]
    assert [run.changed for run in history.last("a", 2)] == [KEPT + 4, KEPT + 3]
    assert history.last_success("a") == NOON - 1000 * (KEPT + 4) + 5
    (locked,) = history.last("b")
    assert (locked.exit_code, locked.why, locked.succeeded) == (8, "locked", False)
    assert history.last_success("b") is None
    assert history.last("c") == []


def test_what_was_killed_is_found_once(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite3"
    with JobHistory(file) as dies:
        begun = dies.begin("a", NOON)
    with JobHistory(file) as history:
        assert history.last("a")[0].exit_code is None
        history.mark_killed()
        assert history.take_killed("other") == []
        (found,) = history.take_killed("a")
        assert (found.number, found.began, found.killed) == (begun.number, NOON, True)
        history.mark_killed()
        assert history.take_killed("a") == []
        assert [(run.began, run.killed) for run in history.last("a")] == [(NOON, True)]
        assert file.stat().st_mode & 0o077 == 0


def test_a_run_that_found_the_lock_taken_is_not_the_last_one_when_the_other_has_ended(history: JobHistory) -> None:
    begun = history.begin("a", NOON)
    history.end(JobRun(job="a", began=NOON + 5, ended=NOON + 5, exit_code=8))
    assert [run.exit_code for run in history.last("a")] == [None, 8], "one is under way"
    history.end(ended(begun, 0))
    assert [run.exit_code for run in history.last("a")] == [0, 8]


def test_since_when_the_times_of_a_job_are_known(history: JobHistory) -> None:
    assert history.known_since("a", ["02:30"], NOON) == NOON
    assert history.known_since("a", ["02:30"], NOON + 9) == NOON
    assert history.known_since("a", ["daily"], NOON + 20) == NOON + 20, "other times count from now on"
    assert history.known_since("a", ["daily"], NOON - 99) == NOON - 99, "the clock was wrong when it was recorded"


def test_nothing_can_have_happened_later_than_now(history: JobHistory) -> None:
    history.known_since("a", [], NOON)
    for number in (1, 9):
        history.end(ended(history.begin("a", NOON + number), 0))
    history.correct_times(NOON + 5)
    assert [(run.began - NOON, (run.ended or 0) - NOON) for run in history.last("a")] == [(5, 5), (1, 5)]
    assert history.last_success("a") == NOON + 5


def test_a_damaged_history_begins_again(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite3"
    with JobHistory(file) as history:
        history.begin("a", NOON)
    file.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    with JobHistory(file) as history:
        assert history.moved_aside == tmp_path / "jobs.sqlite3.damaged"
        assert history.last("a") == []
