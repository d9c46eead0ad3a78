"""Folders without files: what a sync removes and keeps, on storages that behave as rclone's remotes do."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from orchestrator.errors import ExitCode
from tests.actions.fake_sync import Engine, prepare

FILES = [*(f"d/{number}.mp3" for number in range(6)), "other/1.mp3"]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A disk and a Drive that are in sync."""
    engine = Engine(tmp_path, ("local", "drive"), Random(0))
    prepare(monkeypatch, engine.random)
    for path in FILES:
        engine.places[0].put(path, f"content of {path}")
    assert engine.sync().code is ExitCode.DONE
    return engine


def folders(engine: Engine) -> list[list[str]]:
    """Those of both sides, but for ours."""
    every = (place.storage._objects.directories.values() for place in engine.places)
    return [sorted(one for one in names if not one.startswith(".music")) for names in every]


def test_an_empty_folder_goes_in_the_sync_that_sees_that_it_is_gone_on_the_other_side(engine: Engine) -> None:
    ours = engine.places[0]
    ours.delete("other/1.mp3")
    engine.sync()
    assert folders(engine) == [["d", "other"]] * 2, "its user may still want it"
    ours.storage.remove_directory("other")
    for planned in (engine.sync, engine.sync):
        ended = planned()
        assert ended.plan is not None
        assert ended.plan.operations == ()
        assert folders(engine) == [["d"]] * 2


def test_a_folder_whose_files_all_move_stays_on_both_sides_if_one_keeps_it(engine: Engine) -> None:
    for number in range(6):
        engine.places[0].rename(f"d/{number}.mp3", f"e/{number}.mp3")
    for _ in range(3):
        assert engine.sync().code is ExitCode.DONE
        assert folders(engine) == [["d", "e", "other"]] * 2
