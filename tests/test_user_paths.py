"""Paths that users write: home folders, and what is no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode, UsageError
from orchestrator.state import state_directory
from orchestrator.user_paths import read_user_file, user_path
from tests.program import Program

NOBODY = "~no-such-user/x"
TOO_LONG = "x" * 300


def test_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [user_path(text) for text in ("~", "~/a", "a/~", "/a")] == [tmp_path, tmp_path / "a", Path("a/~"), Path("/a")]
    with pytest.raises(UsageError, match="there is no user no-such-user on this machine: write the whole path"):
        user_path(NOBODY)
    with pytest.raises(UsageError, match="no path can hold this character"):
        user_path("a\0b")


@pytest.mark.parametrize("text", [NOBODY, TOO_LONG, "below a file/x"])
def test_the_state_directory_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "below a file").touch()
    with pytest.raises(UsageError, match=r"write the whole path|write a shorter|choose another"):
        state_directory(text)
    assert [*tmp_path.iterdir()] == [tmp_path / "below a file"]


def test_a_log_of_nobody_keeps_no_job_from_being_done(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "config.yaml").write_text(f"log_file: {NOBODY}\njobs:\n  nightly: [{{scan: {{location: {tmp_path}/music}}}}]\n")
    program = Program(tmp_path / "state", {"RCLONE_CONFIG": os.devnull})
    ended = program("run", "nightly", "--config", str(tmp_path / "config.yaml"))
    assert [event["type"] for event in ended.events].count("step") == 1
    (warning,) = [event["message"] for event in ended.events if event["type"] == "warning"]
    assert "there is no user no-such-user on this machine" in warning


def test_a_device_is_no_file() -> None:
    assert read_user_file(Path(os.devnull)) == b""
    with pytest.raises(UsageError, match="/dev/zero is a device, not a file"):
        read_user_file(Path("/dev/zero"))


@pytest.mark.parametrize(
    "words",
    [
        *(["scan", "{music}", option, NOBODY] for option in ("--config", "--log-file", "--rclone", "--rclone-config")),
        *(["organize", "{music}", "--dry-run", option, NOBODY] for option in ("--plan",)),
        ["stats", "{music}", "--html", NOBODY],
        ["show", NOBODY],
        ["verify", "{music}", "{music}2", "--manifest", NOBODY],
        ["config", "validate", NOBODY],
        ["config", "get", "log_file", "--config", "/dev/zero"],
        ["show", "/dev/zero"],
    ],
    ids=" ".join,
)
def test_a_path_that_leads_nowhere_is_one_line_and_2(tmp_path: Path, words: list[str]) -> None:
    for name in ("music", "music2"):
        (tmp_path / name).mkdir()
    program = Program(tmp_path / "state", {"RCLONE_CONFIG": os.devnull})
    ended = program(*(word.format(music=tmp_path / "music") for word in words), codes=(ExitCode.USAGE,))
    (error,) = ended.errors
    assert "\n" not in error["message"]
    assert "Traceback" not in ended.stderr
    assert not (Path.cwd() / "~no-such-user").exists()
