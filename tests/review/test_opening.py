"""When a review can be opened."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from orchestrator.actions.dedup import dedup
from orchestrator.actions.organize import organize
from orchestrator.actions.session import open_session
from orchestrator.actions.sync import sync
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.dedup import DedupOptions
from orchestrator.config.options.organize import OrganizeOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import UsageError
from orchestrator.report.log_reporter import LogReporter


class AtTerminal(LogReporter):
    can_ask = True
    can_show_screen = True


@pytest.mark.parametrize("command", ["dedup", "organize", "sync"])
def test_without_the_extra_the_error_says_how_to_install_it(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    sides = [tmp_path / "a", tmp_path / "b"]
    for side in sides:
        side.mkdir()
    for reporter, says in ((AtTerminal(), r"pip install 'music-orchestrator\[review\]'"), (LogReporter(), "needs a terminal")):
        with pytest.raises(UsageError, match=says):
            _open(command, tmp_path, reporter, sides)


def _open(command: str, state: Path, reporter: LogReporter, sides: list[Path]) -> None:
    with open_session(CommonOptions(yes=True, state_dir=str(state / "state")), reporter) as session:
        if command == "dedup":
            dedup(DedupOptions(locations=(str(sides[0]),), review=True), session)
        elif command == "organize":
            organize(OrganizeOptions(source=str(sides[0]), review=True), session)
        else:
            sync(SyncOptions(a=str(sides[0]), b=str(sides[1]), conflict="ask"), session)
