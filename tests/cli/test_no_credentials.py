"""Where no credentials are set, errors say that and where they can come from, and not that a server refused any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from tests.program import Program
from tests.servers.http import Refuse, http_proxy
from tests.servers.remotes import RemoteServer


@pytest.fixture
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without credentials, variables or roles."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "B2_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RCLONE_CONFIG", str(tmp_path / "rclone.conf"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    (tmp_path / "rclone.conf").touch()


@pytest.mark.usefixtures("nothing_set")
@pytest.mark.parametrize(
    ("provider", "says"),
    [
        (
            "s3",
            "`cloud.credentials_env` or `cloud.credentials_path` or `cloud.secrets` in the config, or set AWS_ACC",
        ),
        ("azure", "in the config, or set AZURE_STORAGE_CONNECTION_STRING"),
        ("dropbox", "name them with `cloud.credentials_env` or `cloud.secrets` in the config"),
        ("gdrive", "name them with `cloud.credentials_env` or `cloud.credentials_path` or `cloud.secrets` in the config"),
        ("b2", "name them with `cloud.credentials_env` or `cloud.secrets` in the config"),
    ],
)
def test_a_cloud_without_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str], provider: str, says: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"cloud: {{provider: {provider}, bucket: b}}\n")
    assert run(["scan", "cloud:", "--config", str(config), "--state-dir", str(tmp_path / "state")]) == 6
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: cloud: needs credentials, and none are set: name them with")
    assert says in error
    assert "refuses" not in error


@pytest.mark.usefixtures("nothing_set")
def test_a_url_without_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", "s3://b/x", "--state-dir", str(tmp_path / "state")]) == 6
    (error,) = capsys.readouterr().err.splitlines()
    assert error == (
        "error: s3://b/x needs credentials, and none are set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or name a remote of the rclone config under `schemes:`"
    )


def test_a_remote_of_rclone_that_asks_without_credentials(tmp_path: Path, s3_serve: RemoteServer) -> None:
    denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"  # as AWS answers
    with http_proxy(s3_serve.port) as proxy:
        proxy.when(lambda _: True, Refuse(403, {"Content-Type": "application/xml"}, denied.encode()))
        lines = [one for one in s3_serve.section("anonymous", port=proxy.port).splitlines() if "key" not in one]
        (tmp_path / "rclone.conf").write_text("\n".join([*lines, ""]))
        program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(tmp_path / "rclone.conf")})
        (error,) = program("scan", s3_serve.fs("x", name="anonymous"), codes=(6,)).errors
    assert "refuses access without credentials, and none are set: use `rclone config update anonymous`" in error["message"]


@pytest.mark.usefixtures("nothing_set")
def test_a_folder_that_is_given_like_a_remote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["remotes", "check", "Music", "--state-dir", str(tmp_path / "state")]) == 2
    assert "Music: no such remote in the rclone config /" in (error := capsys.readouterr().err), "which file that is"
    assert "for a folder of this machine, write ./Music" in error


@pytest.mark.usefixtures("nothing_set")
def test_an_error_names_a_location_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rclone.conf").write_text("[away]\ntype = webdav\nurl = http://127.0.0.1:1\n")
    for command, named in ((["scan", "away:x"], "away:x"), (["remotes", "check", "away"], "away:")):
        assert run([*command, "--state-dir", str(tmp_path / "state")]) == 5
        (error,) = capsys.readouterr().err.splitlines()
        assert error.startswith(f"error: {named} cannot be reached: ")
        assert error.count("away") == 1
