"""`sync` from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.actions.session import open_session
from orchestrator.actions.sync import sync
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import ExitCode
from orchestrator.storage.rclone_backed.storage import RcloneStorage


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
