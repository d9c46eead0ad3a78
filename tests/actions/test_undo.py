"""`undo`, as users run it, on in-memory storages."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from orchestrator.errors import ExitCode
from tests.actions.fake_sync import Engine, MemoryPlace, prepare

KINDS = ["local", "s3", "webdav", "drive"]


def delete_by_hand(place: MemoryPlace, folder: str) -> None:
    """Delete what we keep there, or some of it."""
    inside = [path for path in place.storage.snapshot() if path.startswith(f".music-orchestrator/{folder}/")]
    assert inside
    for path in inside:
        place.delete(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_whose_old_content_was_deleted_by_hand_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    engine = Engine(tmp_path, ("local", kind), Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    for name in ("edited", "renamed", "gone"):
        ours.put(f"d/{name}.mp3", f"old {name}")
    assert engine.sync().code == ExitCode.DONE

    def all_changed() -> None:
        ours.edit("d/edited.mp3", "new content")
        ours.rename("d/renamed.mp3", "d/other.mp3")
        ours.delete("d/gone.mp3")
        assert engine.sync().code == ExitCode.DONE

    all_changed()
    changed = dict(theirs.tree)
    assert changed == {"d/edited.mp3": "new content", "d/other.mp3": "old renamed"}
    delete_by_hand(theirs, "trash")
    # A file that only went to the trash is reported; what stands in for another one stays; the rest is undone.
    ended = engine.undo()
    assert ended.code == ExitCode.SOME_FAILED
    assert ended.plan is not None
    assert [(one.path, one.code) for one in ended.plan.skipped] == [("d/edited.mp3", "deleted")]
    assert "no longer holds" in ended.plan.skipped[0].reason
    assert theirs.tree == {"d/edited.mp3": "new content", "d/renamed.mp3": "old renamed"}
    # The same for an undo of an undo, and what a person has put into the trash instead of it.
    ours.edit("d/edited.mp3", "newest content")
    assert engine.sync(conflict="a", keep_names="a").code == ExitCode.DONE
    assert engine.undo().code == ExitCode.DONE
    assert theirs.tree["d/edited.mp3"] == "new content"
    delete_by_hand(theirs, "quarantine")
    assert engine.undo().code == ExitCode.SOME_FAILED
    assert theirs.tree["d/edited.mp3"] == "new content"
