"""`sync` from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.actions.session import open_session
from orchestrator.actions.sync import sync
from orchestrator.apply.guard.sync_count import write_count
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import ExitCode, PermanentError
from orchestrator.storage.rclone_backed.storage import RcloneStorage


def test_both_sides_are_called_alike_only_if_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "both.txt").write_text("both")

    def says(*, dry_run: bool = False, **options: Any) -> list[str]:
        caplog.clear()
        with open_session(CommonOptions(yes=True, dry_run=dry_run, state_dir=str(tmp_path / "state"))) as session:
            sync(SyncOptions(a=str(tmp_path / "a"), b=str(tmp_path / "b"), **options), session)
        return [text for text in caplog.messages if text.startswith("nothing to do") or "other names" in text]

    assert says() == says(dry_run=True) == ["nothing to do: both sides are alike"]
    (tmp_path / "a/new.txt").write_text("new")
    assert says(settle="1h") == says(exclude=("new.*",)) == ["nothing to do"]
    (tmp_path / "a/new.txt").unlink()
    for number in range(3):
        (tmp_path / f"a/new {number}.txt").write_text(f"content {number}")
        (tmp_path / f"b/old {number}.txt").write_text(f"content {number}")
    names, nothing = says()
    assert f"3 files have other names on B ({tmp_path / 'b'}): --keep-names a or b" in names
    assert nothing == "nothing to do"


def test_what_was_read_to_compare_it_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of equal content under different names are reported by each sync, and read by the first alone."""
    for number in range(4):
        for path in (f"a/new/{number}.mp3", f"b/old/song {number}.mp3"):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"content {number}")
    read: list[str] = []
    whole = RcloneStorage.hash

    def counted(storage: RcloneStorage, path: str, *arguments: Any, **settings: Any) -> str | None:
        read.append(path)
        return whole(storage, path, *arguments, **settings)

    monkeypatch.setattr(RcloneStorage, "hash", counted)

    def again() -> int:
        read.clear()
        with open_session(CommonOptions(yes=True, state_dir=str(tmp_path / "state"))) as session:
            assert sync(SyncOptions(a=str(tmp_path / "a"), b=str(tmp_path / "b")), session).exit_code is ExitCode.SOME_FAILED
        return len(read)

    assert again() == 8
    assert again() == 0
    os.utime(tmp_path / "a/new/1.mp3")
    assert again() == 1


def test_a_disk_without_its_new_number_is_not_taken_for_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is only read, and the other side follows all the same: what it deletes is deleted."""
    for number in range(8):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / f"a/{number}.txt").write_text(f"content {number}")
    (tmp_path / "b").mkdir()

    def synced() -> list[str]:
        with open_session(CommonOptions(yes=True, state_dir=str(tmp_path / "state"))) as session:
            sync(SyncOptions(a=str(tmp_path / "a"), b=str(tmp_path / "b")), session)
        return sorted(file.name for file in (tmp_path / "b").iterdir() if file.suffix)

    assert len(synced()) == 8

    def refused(storage: RcloneStorage, name: str, number: int) -> None:
        if storage.fs == str(tmp_path / "a"):
            raise PermanentError("read-only file system")
        write_count(storage, name, number)

    monkeypatch.setattr("orchestrator.actions.sync_counts.write_count", refused)
    for number in range(3):
        (tmp_path / f"a/{number}.txt").unlink()
        assert synced() == [f"{left}.txt" for left in range(number + 1, 8)]
    assert not [text for text in caplog.messages if "restored" in text]
