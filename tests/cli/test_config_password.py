"""The program of RCLONE_PASSWORD_COMMAND: it runs once, only for an encrypted config, and not for ever."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.rclone import secret_command


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that prints the password, and notes each time that it runs."""
    (tmp_path / "rclone.conf").write_text(f"[here]\ntype = alias\nremote = {tmp_path}\n")
    program = tmp_path / "the program"
    program.write_text(f"#!/bin/sh\necho run >> '{tmp_path}/runs'\necho \"$1\"\n")
    program.chmod(0o700)
    for name, value in (
        ("RCLONE_CONFIG", str(tmp_path / "rclone.conf")),
        ("RCLONE_PASSWORD_COMMAND", f'"{program}" "the password"'),
        ("MUSIC_ORCHESTRATOR_CONFIG", str(tmp_path / "config.yaml")),
        ("MUSIC_ORCHESTRATOR_STATE_DIR", str(tmp_path / "state")),
    ):
        monkeypatch.setenv(name, value)
    (tmp_path / "config.yaml").touch()
    return program


def encrypt(rclone: Path, config: Path) -> None:
    given = ["config", "encryption", "set", "--password-command", 'echo "the password"', "--config", str(config)]
    subprocess.run([str(rclone), *given], check=True, capture_output=True, env={"PATH": "/usr/bin:/bin"})


def test_it_runs_once_and_only_for_an_encrypted_config(program: Path, rclone_binary: Path) -> None:
    assert run(["scan", "here:"]) == 0
    assert not (program.parent / "runs").exists(), "nothing to decrypt"
    encrypt(rclone_binary, program.parent / "rclone.conf")
    assert run(["scan", "here:"]) == 0
    assert (program.parent / "runs").read_text() == "run\n"


def test_one_that_never_ends_is_6_with_the_remedy(
    program: Path, rclone_binary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    encrypt(rclone_binary, program.parent / "rclone.conf")
    monkeypatch.setattr(secret_command, "LONGEST_S", 1)
    monkeypatch.setenv("RCLONE_PASSWORD_COMMAND", "sleep 600")
    for command in (["scan", "here:"], ["remotes"]):
        assert run(command) == 6
        (error,) = capsys.readouterr().err.splitlines()
        assert "RCLONE_PASSWORD_COMMAND, for the password of the rclone config: sleep did not end within 1 s" in error
        assert "unlock the password manager first" in error
