"""Which rclone is used, and which is refused."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.rclone.binary import VARIABLE, find_rclone, parse_version
from orchestrator.rclone.known_version import VERSION_FILE


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def no_choice_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_option_comes_before_environment_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    option, variable, path = (
        script(tmp_path / name / "rclone", f"echo rclone v1.{minor}.0")
        for name, minor in (("option", 90), ("variable", 91), ("path", 92))
    )
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    assert find_rclone().version == "1.92.0"
    monkeypatch.setenv(VARIABLE, str(variable))
    assert find_rclone().path == variable
    assert find_rclone(str(option)).version == "1.90.0"


def test_the_binary_of_the_extra_is_tried_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rclone_binary: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rclone").symlink_to(rclone_binary)
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(scripts))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert find_rclone().path == scripts / "rclone"


def test_the_extra_replaces_an_old_binary_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = script(tmp_path / "old" / "rclone", "echo rclone v1.60.1-DEV")
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path / "scripts"))
    with pytest.raises(UsageError, match=r"is rclone 1\.60\.1"):
        find_rclone()
    extra = script(tmp_path / "scripts" / "rclone", "echo rclone v1.80.0")
    assert find_rclone().path == extra
    with pytest.raises(UsageError):  # a binary named by the user is never replaced
        find_rclone(str(old))


def test_inherited_settings_of_rclone_do_not_disturb(monkeypatch: pytest.MonkeyPatch, rclone_binary: Path) -> None:
    monkeypatch.setenv("RCLONE_BWLIMIT", "nonsense")
    assert find_rclone(str(rclone_binary)).path == rclone_binary
    assert os.environ["RCLONE_BWLIMIT"] == "nonsense"


@pytest.mark.parametrize("version", ["1.75.0", "v1.68.2", "1.9"])
def test_an_old_binary_is_refused_with_a_remedy(tmp_path: Path, version: str) -> None:
    old = script(tmp_path / "rclone", f"echo rclone {version}")
    with pytest.raises(UsageError, match=r"at least 1\.75\.1 is needed.*selfupdate"):
        find_rclone(str(old))


def test_something_else_called_rclone_is_refused(tmp_path: Path) -> None:
    for text in ("exit 1", "true", "echo hello"):
        other = script(tmp_path / "rclone", text)
        with pytest.raises(UsageError, match="does not answer like rclone"):
            find_rclone(str(other))


def test_a_missing_rclone_is_reported_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    with pytest.raises(UsageError, match=r"music-orchestrator\[rclone\]"):
        find_rclone()
    with pytest.raises(UsageError, match="--rclone"):
        find_rclone(str(tmp_path / "nope"))


def test_the_path_never_reaches_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.environ["PATH"]
    hostile = script(tmp_path / "$(touch PWNED); touch PWNED #" / "rclone", "echo rclone v1.80.0")
    assert find_rclone(str(hostile)).version == "1.80.0"
    assert not (tmp_path / "PWNED").exists()
    assert os.environ["PATH"] == before


def test_slow_imports_are_deferred() -> None:
    late = ("rclone_python", "rich", "yaml")
    code = f"import sys, orchestrator.storage.rclone_backed.storage; print(*(n for n in {late} if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_version_is_asked_once_until_the_binary_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rclone_binary: Path
) -> None:
    binary, state, asked = tmp_path / "bin/rclone", tmp_path / "state", []
    monkeypatch.setattr("orchestrator.rclone.binary._version", lambda path: asked.append(path) or "1.90.0")  # type: ignore[func-returns-value]
    shutil.copy2(rclone_binary, script(binary, ""))
    file = state / VERSION_FILE
    find_rclone(str(binary), remembered=file)
    assert not state.exists(), "looking for rclone makes no folder"
    state.mkdir()
    find_rclone(str(binary), remembered=file)
    assert not file.exists(), "nothing is put into a folder that others can read, which may not be ours"
    asked.clear()
    state.chmod(0o700)
    for _ in range(2):
        assert find_rclone(str(binary), remembered=file).version == "1.90.0"
    assert len(asked) == 1
    os.utime(binary, ns=(1, 1))
    find_rclone(str(binary), remembered=file)
    assert len(asked) == 2
    other = script(tmp_path / "other/rclone", "exec something")
    for _ in range(2):
        find_rclone(str(other), remembered=file)
    assert len(asked) == 4, "a script may start another one each time"
    file.write_bytes(b"{")
    assert find_rclone(str(binary), remembered=file).version == "1.90.0"


def test_versions_are_parsed_as_rclone_writes_them() -> None:
    assert parse_version("v1.76.0-beta.8123.abc") == (1, 76, 0)
    assert parse_version("1.75.2") == (1, 75, 2)
    assert parse_version("unknown") is None
