"""The queue: one row a pair under every name, later tries, a clock that jumps, and damage that is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.sync_queue.store import DELAYS_S, Intention, Queue, pair_names

NOON = 1_800_000_000.0


def intention(*names: tuple[str, str], **options: object) -> Intention:
    return Intention("/music", "r:b", "both", pair_names(*names), dict(options))


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "queue.sqlite3") as opened:
        yield opened


def test_a_pair_has_one_row_under_every_name_and_the_last_intention_counts(queue: Queue, tmp_path: Path) -> None:
    first = queue.put(intention(("/music", "r:b"), ("id 1", "id 2")), "away", NOON)
    assert (first.attempts, first.since, first.next_try) == (1, NOON, NOON + 60)
    other = queue.put(intention(("/music", "r:other")), "away too", NOON + 1)
    # The other way round and under another name: the ids of the places are the same.
    again = queue.put(intention(("alias:", "/mnt/music"), ("id 2", "id 1"), delete=True), "still away", NOON + 70)
    assert (again.number, again.since, again.attempts, again.next_try) == (first.number, NOON, 2, NOON + 370)
    assert queue.rows() == [again, other]
    assert again.intention.options == {"delete": True}
    with Queue(tmp_path / "queue.sqlite3") as other_process:
        assert other_process.rows() == [again, other]
        assert other_process.drop_pair(pair_names(("r:b", "/music"))) == 0, "that is no name of the last intention"
        assert other_process.drop_pair(pair_names(("id 2", "id 1"))) == 1
    assert queue.rows() == [other]
    queue.drop(other.number or 0)
    assert queue.put(intention(("x", "y")), "away", NOON).number not in {first.number, other.number}
    assert (tmp_path / "queue.sqlite3").stat().st_mode & 0o077 == 0


def test_an_intention_that_joins_two_rows_leaves_one(queue: Queue) -> None:
    first = queue.put(intention(("id 1", "id 2")), "away", NOON)
    queue.put(intention(("/music", "r:b")), "away", NOON + 5)
    joined = queue.put(intention(("/music", "r:b"), ("id 1", "id 2")), "away", NOON + 9)
    assert (queue.rows(), joined.number, joined.since) == ([joined], first.number, NOON)


def test_it_is_tried_again_after_1_5_and_15_minutes_and_then_every_hour(queue: Queue) -> None:
    now = NOON
    row = queue.put(intention(("a", "b")), "away", now)
    for delay in (*DELAYS_S[:-1], 3600, 3600, 3600):
        assert [row.due(now), row.due(now + delay - 1), row.due(now + delay), row.due(now + 10**9)] == [False, False, True, True]
        assert row.due(now - 7200), "the clock went back: it was wrong when the row was written"
        now += delay
        queue.failed(row.number or 0, f"away at {now}", now)
        (row,) = queue.rows()
        assert row.reason == f"away at {now}"
    queue.drop(row.number or 0)
    queue.failed(row.number or 0, "away", now)
    assert queue.rows() == [], "dropped meanwhile"


@pytest.mark.parametrize("damage", ["bytes", "row"])
def test_a_damaged_queue_is_moved_aside(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "queue.sqlite3"
    with Queue(file) as queue:
        queue.put(intention(("a", "b")), "away", NOON)
    if damage == "bytes":
        file.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE waiting SET body = replace(body, '/music', '/musik')")
        connection.close()
    with Queue(file) as queue:
        assert queue.moved_aside == tmp_path / "queue.sqlite3.damaged"
        assert queue.rows() == []
        kept = queue.put(intention(("a", "b")), "away", NOON)
    with Queue(file) as queue:
        assert (queue.moved_aside, queue.rows()) == (None, [kept])
    assert (tmp_path / "queue.sqlite3.damaged").stat().st_size > 0
