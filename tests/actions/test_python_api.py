"""docs/python-api.md: its code runs as it stands, and every name in it exists."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.actions.change import ChangeResult
from orchestrator.actions.organize import organize
from orchestrator.actions.runs import list_runs
from orchestrator.actions.scan import scan
from orchestrator.actions.session import open_session
from orchestrator.cli.main import PROGRAM
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.organize import OrganizeOptions
from orchestrator.config.options.scan import ScanOptions
from orchestrator.errors import ExitCode, UsageError
from orchestrator.track import Status, Track
from scripts import update_docs
from tests.audio import make_track

PAGE = (Path(__file__).parents[2] / "docs" / "python-api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OLD, NEW = "old name.flac", "The Lanterns/First Light (2001)/01 Come In.flac"


def song(file: Path) -> None:
    track = Track(title=("Come In",), artist=("The Lanterns",), album=("First Light",), track=1, date="2001")
    make_track(file, "flac", track, serial=1)


def execute(block: int, names: dict[str, Any]) -> None:
    exec(BLOCKS[block], names)  # noqa: S102 - the page is ours


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a music folder, with a remote called as on the page, and the present folder."""
    song(tmp_path / "Music" / OLD)
    song(tmp_path / "gdrive" / "Music" / "The Lanterns" / "First Light" / "01 Come In.flac")
    song(tmp_path / "gdrive" / "Music" / OLD)
    (tmp_path / "rclone.conf").write_text(f"[gdrive]\ntype = alias\nremote = {tmp_path / 'gdrive'}\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(tmp_path / "rclone.conf"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_of_the_page_runs_as_it_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    assert len(BLOCKS) == 4
    assert BLOCKS[0].count("\n") <= 10

    execute(0, names)
    result = names["result"]
    assert isinstance(result, ChangeResult)
    assert (result.exit_code, (home / "Music" / NEW).is_file()) == (ExitCode.DONE, True)
    assert capsys.readouterr().out == f"DONE {result.run}\n"

    execute(1, names)
    assert capsys.readouterr().out.startswith(f"move {NEW} -> ")
    assert (home / "music.plan").is_file()
    assert [path.name for path in (home / "Music").iterdir() if path.is_file()] == [OLD]

    execute(2, names)
    assert (home / "gdrive" / "Music" / "new name.flac").is_file()
    assert names["head"].startswith(b"fLaC")

    execute(3, names)
    assert names["reading"].status is Status.TAGGED
    assert names["reading"].track.title == ("Come In",)


def test_every_name_on_the_page_exists() -> None:
    found = set(re.findall(r"`(orchestrator(?:\.\w+)+)`", PAGE))
    assert len(found) > 10
    for dotted in found - {"orchestrator"}:
        module, _, name = dotted.rpartition(".")
        try:
            importlib.import_module(dotted)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), name), dotted


def test_every_command_has_its_action_on_the_page() -> None:
    paths = {path.removeprefix(f"{PROGRAM} ") for path, _ in update_docs.commands()} - {PROGRAM}
    commands = paths - {path.rpartition(" ")[0] for path in paths}  # groups have no action of their own
    assert len(commands) > 20
    assert set(re.findall(r"^\| `([a-z ]+)` \|", PAGE, re.MULTILINE)) >= commands


def test_nobody_is_asked_and_a_dry_run_gives_the_plan(home: Path) -> None:
    options = OrganizeOptions(source="./Music")
    with open_session() as session, pytest.raises(UsageError, match="--yes"):
        organize(options, session)
    with open_session(CommonOptions(dry_run=True, exit_code=True)) as session:
        result = organize(options, session)
        assert list_runs(session) == []
    assert (result.exit_code, result.run) == (ExitCode.PENDING, None)
    assert result.plan is not None
    assert [operation.dst.path for operation in result.plan.operations] == [NEW]
    assert (home / "Music" / OLD).is_file()


def test_what_an_action_reports_is_logged_and_not_printed(
    home: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "Music" / "bad.flac").write_bytes(b"fLaC")
    with caplog.at_level(logging.INFO, "orchestrator"), open_session() as session:
        report = scan(ScanOptions(location="./Music"), session)
    assert (report.exit_code, report.scan.audio_seen) == (ExitCode.SOME_FAILED, 2)
    assert any("bad.flac" in record.message for record in caplog.records if record.levelno == logging.ERROR)
    assert capsys.readouterr() == ("", "")
