"""`config`: what one does with the file from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.main import run


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_CONFIG", str(path))
    return path


def test_init_set_get_show_validate(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "init"]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert run(["config", "init"]) == 2, "a file that is there is not replaced"
    assert run(["config", "set", "cloud.provider", "s3"]) == 0
    assert run(["config", "set", "cloud.options.secret_access_key", "hush-hush"]) == 0
    assert run(["config", "set", "jobs.nightly", "[{scan: {location: 'gdrive:x'}}]"]) == 0
    capsys.readouterr()
    assert run(["config", "get", "cloud.provider"]) == 0
    assert capsys.readouterr().out == "s3\n"
    assert run(["config", "get", "transfers"]) == 0
    template = "{{ artist }}/{% if track %}{{ track }} {% endif %}{{ title }}"
    assert run(["config", "set", "layout", template]) == 0, "a template needs no quotes of YAML's"
    assert run(["config", "validate"]) == 0
    capsys.readouterr()
    assert run(["config", "get", "layout"]) == 0
    assert capsys.readouterr().out == f"{template}\n"
    assert run(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert "hush-hush" not in shown
    assert "provider: s3" in shown
    assert run(["config", "show", "--json"]) == 0
    config, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert config["config"]["cloud"]["provider"] == "s3"
    assert "hush-hush" not in json.dumps(config)
    assert summary["command"] == "config show"


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$ref"] == "#/$defs/Config"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("layouts: [{template: '{{ nonsense }}'}]\n", "nonsense"),
        ("layout: no-such-preset\n", "no-such-preset"),
        ("max_delete: lots\n", "--max-delete"),
        ("bandwidth: fast\n", "--bandwidth"),
        ("jobs: {n: {scan: {location: a, settle: soon}}}\n", "soon"),
        ("locatoins: {}\n", "did you mean `locations`"),
        ("locations:\n  a: 's3,secret_access_key=ab/SECRET:bucket'\n", ":2: locations.a: options inside a location"),
        ("locations: {a: 's3://KEY:SEC/SECRET@bucket'}\n", ":1: locations.a: s3://: no user name or password"),
    ],
)
def test_validate_finds_what_types_cannot(file: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(text)
    assert run(["config", "validate"]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert str(file) in error
    assert "SECRET" not in error


def test_validate_needs_no_rclone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("locations: {a: 'absent:x'}\n")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_RCLONE", "/nowhere/rclone")
    assert run(["config", "validate"]) == 0
    assert run(["config", "validate", str(file)]) == 0
    assert run(["config", "validate", "/no/such/file"]) == 2


def test_the_command_line_beats_the_environment_beats_the_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from_file, from_environment, from_option = (tmp_path / name for name in ("one", "two", "three"))
    file.write_text(f"state_dir: {from_file}\n")
    assert run(["runs"]) == 0
    assert from_file.is_dir()
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_STATE_DIR", str(from_environment))
    assert run(["runs"]) == 0
    assert from_environment.is_dir()
    assert run(["runs", "--state-dir", str(from_option)]) == 0
    assert from_option.is_dir()
    monkeypatch.delenv("MUSIC_ORCHESTRATOR_STATE_DIR")
    file.write_text("")
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'systemd'}:/other")
    assert run(["runs"]) == 0
    assert (tmp_path / "systemd").is_dir()


def test_a_broken_file_stops_other_commands_with_its_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("\nnonsense: 1\n")
    assert run(["scan", "./x"]) == 2
    assert f"{file}:2: unknown key `nonsense`" in capsys.readouterr().err
    assert run(["config", "set", "transfers", "2"]) == 2
    assert file.read_text() == "\nnonsense: 1\n"
