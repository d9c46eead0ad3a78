"""What was announced of jobs: each event is news once, whatever the clock does; messages wait until they have arrived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.job_history.announced import KEPT_S, MOST_UNSENT, REMIND_S, Announced
from orchestrator.job_history.store import JobHistory

NOON = 1_800_000_000.0
DAY = 86400.0


@pytest.fixture
def announced(tmp_path: Path) -> Iterator[Announced]:
    with JobHistory(tmp_path / "jobs.sqlite3") as history:
        yield history.announced


def test_each_reason_of_a_failure_is_news_once_until_the_job_is_done(announced: Announced) -> None:
    assert not announced.done("a")
    assert announced.failed("a", {"away"}, NOON)
    assert not announced.failed("a", {"away"}, NOON + DAY)
    assert not announced.failed("a", set(), NOON + DAY), "nothing new to other reports"
    assert announced.failed("b", {"away"}, NOON + DAY), "another job"
    assert announced.failed("a", {"away", "full"}, NOON + 2 * DAY)
    assert not announced.failed("a", {"away"}, NOON + 3 * DAY), "reasons that take turns"
    assert not announced.failed("a", {"full"}, NOON + 4 * DAY)
    assert announced.failed("a", set(), NOON + 2 * DAY + REMIND_S)
    assert announced.done("a")
    assert not announced.done("a")
    assert announced.failed("a", {"away"}, NOON + 3 * DAY + REMIND_S)


def test_a_clock_that_was_wrong_silences_no_failure_for_long(announced: Announced) -> None:
    assert announced.failed("a", {"away"}, NOON + 365 * DAY), "a year ahead"
    assert announced.failed("a", {"away"}, NOON), "that cannot have been"
    assert not announced.failed("a", {"away"}, NOON + DAY)
    assert announced.tried({"prometheus": "no folder"}, NOON + 365 * DAY) == {"prometheus"}
    assert announced.tried({"prometheus": "no folder"}, NOON) == {"prometheus"}
    (broken,) = announced.broken()
    assert broken.since == NOON


def test_messages_wait_in_order_and_not_for_ever(announced: Announced) -> None:
    numbers = [announced.put("notify.urls.0", str(number), NOON + number) for number in range(MOST_UNSENT + 2)]
    assert [one.message for one in announced.unsent("notify.urls.0")] == [str(number) for number in range(2, MOST_UNSENT + 2)]
    announced.sent([number for number in numbers[:-1] if number is not None])
    assert [one.message for one in announced.unsent("notify.urls.0")] == [str(MOST_UNSENT + 1)]
    assert announced.unsent("notify.urls.1") == []
    announced.put("notify.urls.1", "later", NOON + 2 * MOST_UNSENT + KEPT_S)
    assert announced.unsent("notify.urls.0") == [], "the failure, if it stands, was announced again by then"


def test_what_does_not_work_is_news_when_it_begins_and_when_it_changes(announced: Announced) -> None:
    assert announced.tried({"a": "403", "b": None}, NOON) == {"a"}
    assert announced.tried({"a": "403"}, NOON + DAY) == set()
    assert announced.tried({"a": "500"}, NOON + 2 * DAY) == {"a"}
    assert [(one.label, one.reason, one.since) for one in announced.broken()] == [("a", "500", NOON)]
    assert announced.tried({"a": "500"}, NOON + 2 * DAY + REMIND_S) == {"a"}
    assert announced.tried({"a": None}, NOON + 20 * DAY) == set()
    assert announced.broken() == []
    assert announced.tried({"a": "403"}, NOON + 21 * DAY) == {"a"}
