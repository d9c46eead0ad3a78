"""`--help` is fast because it imports only what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.actions.session import JOURNAL_FILE
from orchestrator.apply.journal.journal import Journal
from orchestrator.cli.main import run
from orchestrator.config.options.common import CommonOptions
from orchestrator.plan.build import build_plan

HEAVY = (
    "rich",
    "mutagen",
    "jinja2",
    "rclone_python",
    "ruamel",
    "sqlite3",
    "yaml",
    "platformdirs",
    "tenacity",
    "logging",
)

PROBE = """
import sys
from pathlib import Path
from orchestrator.cli.main import run
before = set(sys.modules)
code = run(sys.argv[1:])
names = {name.partition(".")[0] for name in sys.modules}
print("IMPORTED", code, *sorted(names & {%s}))
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["organize", "--help"], ["config", "--help"], ["runs", "show", "--help"], ["schedule", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    probe = PROBE % ", ".join(map(repr, HEAVY))
    done = subprocess.run([sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "IMPORTED 0"
    assert done.stdout.startswith("Usage: music-orchestrator")


def test_the_help_of_the_program_lists_all_common_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for name in CommonOptions.__struct_fields__:
        assert f"--{name.replace('_', '-')} " in text


@pytest.mark.parametrize("group", ["runs", "queue", "problems", "quarantine", "remotes", "config"])
def test_the_help_of_a_group_has_whole_sentences(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([group, "--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert commands
    assert "..." not in commands


def test_help_and_version_with_json_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, says in (
        (["--json", "--help"], "Usage"),
        (["scan", "--help", "--json"], "scan"),
        (["--json", "--version"], "rclone"),
    ):
        assert run(arguments) == 0
        text, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
        assert says in text["text"]
        assert (summary["type"], summary["exit_code"]) == ("summary", 0)


def test_the_version_names_ours_and_rclones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    ours, rclone = capsys.readouterr().out.splitlines()
    assert ours.startswith("music-orchestrator ")
    assert rclone.startswith("rclone 1.")


def test_a_misspelled_command_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["organise"]) == 2
    assert "organise" in capsys.readouterr().err


def test_the_shell_can_complete_names() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'music-orchestrator'; from orchestrator.cli.main import main; main()"],
        env={
            "_MUSIC_ORCHESTRATOR_COMPLETE": "bash_complete",
            "COMP_WORDS": "music-orchestrator or",
            "COMP_CWORD": "1",
            "PYTHONPATH": ".",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,organize"]


def test_a_bug_ends_with_1_one_line_and_a_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug\nof ours")

    monkeypatch.setattr("orchestrator.actions.config_file.schema", broken)
    assert run(["config", "schema", "--log-file", str(tmp_path / "log")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "unexpected ZeroDivisionError" in captured.err
    assert "Traceback" in (tmp_path / "log").read_text()
    assert run(["config", "schema", "--json"]) == 1
    error, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (error["code"], summary["exit_code"]) == ("unexpected", 1)


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("music-orchestrator organize ./M", "dir,./M"),
        ("music-orchestrator scan lib", "plain,library"),
        ("music-orchestrator scan my", "plain,my-s3:"),
        ("music-orchestrator organize a b --layout ple", "plain,plex"),
        ("music-orchestrator undo la", "plain,last"),
        ("music-orchestrator undo 2026", "plain,20260101-000000-abcdef"),
        ("music-orchestrator apply x", "file,x"),
        ("music-orchestrator quar", "plain,quarantine"),
    ],
)
def test_the_shell_is_offered_locations_files_and_commands(words: str, offers: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("locations: {library: 'gdrive:Music', inbox: ./in}\n")
    (tmp_path / "rclone.conf").write_text("[my-s3]\ntype = s3\n")
    (tmp_path / "state").mkdir(mode=0o700)
    with Journal(tmp_path / "state" / JOURNAL_FILE) as journal:
        nothing = build_plan([], source="/m", target="/m", options={}, capabilities={}, tool_version="0", created="")
        journal.begin(nothing, "organize", run_id="20260101-000000-abcdef")
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_MUSIC_ORCHESTRATOR_COMPLETE": "bash_complete",
        "MUSIC_ORCHESTRATOR_CONFIG": str(config),
        "MUSIC_ORCHESTRATOR_STATE_DIR": str(tmp_path / "state"),
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "PATH": "",  # nothing can be started
    }
    code = "import sys; from orchestrator.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [offers]
