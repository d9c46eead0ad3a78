"""What a sync puts into the queue, between in-memory storages."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.errors import ExitCode, TransientError
from orchestrator.sync_queue.store import Queue
from tests.actions.fake_sync import Engine, prepare


def test_a_sync_with_other_options_waits_for_the_run_that_stopped_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(tmp_path, ("local", "webdav"), Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    for number in range(3):
        ours.put(f"{number}.mp3", f"content {number}")
    arrived = 0

    def away(call: object) -> bool:
        nonlocal arrived
        arrived += bool(theirs.tree)
        return arrived > 0

    theirs.storage.fail_always(away, lambda _: TransientError("connection reset"))

    def queued() -> tuple[list[str], int]:
        with Queue(engine.state / "queue.sqlite3") as queue, Journal(engine.state / "journal.sqlite3") as journal:
            return [row.intention.direction for row in queue.rows()], len(journal.unfinished())

    assert engine.sync(to_cloud=True).code is ExitCode.UNREACHABLE
    assert queued() == ([], 1), "it stands in the journal, and nowhere twice"
    for _ in range(2):
        assert engine.sync(bidirectional=True).code is ExitCode.UNREACHABLE
        assert queued() == (["both"], 1)
    engine.revive()
    theirs.put("new there.mp3", "new there")
    assert engine.sync(bidirectional=True).code is ExitCode.DONE
    assert queued() == ([], 0)
    assert ours.tree == theirs.tree
    assert len(ours.tree) == 4
