"""A second machine sees that somebody is at work, and stops."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import Settings, apply_plan
from orchestrator.apply.journal import Journal
from orchestrator.apply.marker import FRESH_S, MARKER, Mark, Markers
from orchestrator.errors import ExitCode, LockedError
from orchestrator.storage.memory import MemoryStorage
from tests.apply.plans import move, plan


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage.like("webdav")
    storage.put("a.mp3", b"content")
    return storage


def test_the_marker_is_there_while_a_run_is_at_work_and_gone_afterwards(tmp_path: Path, storage: MemoryStorage) -> None:
    seen: list[Mark] = []

    def look(_: object) -> None:
        seen.append(msgspec.json.decode(storage.content(MARKER), type=Mark))

    with Journal(tmp_path / "journal") as journal:
        made = plan(move(storage, "a.mp3", "b.mp3"))
        result = apply_plan(made, {storage.fs: storage}, journal, settings=Settings(marker=True), on_changes=look)
    assert result.exit_code == ExitCode.DONE
    assert [mark.run for mark in seen] == [result.run]
    assert storage.snapshot() == {"b.mp3": b"content"}
    assert storage.directories() == frozenset()


def test_a_fresh_marker_of_another_machine_stops_a_run_before_it_begins(tmp_path: Path, storage: MemoryStorage) -> None:
    other = Markers([storage], host="another")
    other.begin("its-run")
    made = plan(move(storage, "a.mp3", "b.mp3"))
    changes = storage.changes_made
    with Journal(tmp_path / "journal") as journal:
        with pytest.raises(LockedError) as refused:
            apply_plan(made, {storage.fs: storage}, journal, settings=Settings(marker=True))
        assert refused.value.exit_code == ExitCode.LOCKED
        assert "another" in refused.value.message
        assert (storage.changes_made, journal.runs()) == (changes, [])
        settings = Settings(marker=True, ignore_marker=True)
        assert apply_plan(made, {storage.fs: storage}, journal, settings=settings).exit_code == ExitCode.DONE


def test_old_broken_and_own_markers_are_no_obstacle(storage: MemoryStorage) -> None:
    now = [1_000_000.0]
    Markers([storage], host="another", clock=lambda: now[0]).begin("its-run")
    now[0] += FRESH_S + 1
    mine = Markers([storage], host="mine", clock=lambda: now[0])
    mine.check()
    mine.begin("my-run")
    changes = storage.changes_made
    again = Markers([storage], host="mine", clock=lambda: now[0])
    again.check()
    again.begin("my-run")  # killed and started again: the marker is still there
    again.beat()
    assert storage.changes_made == changes
    now[0] += 61
    again.beat()
    assert msgspec.json.decode(storage.content(MARKER), type=Mark).heartbeat == now[0]
    storage.put(MARKER, b"not json")
    again.check()
