"""No secret of a config, or that it refers to, shows: not in a process list, a log, a plan, the journal, the catalogue."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.audio import make_many
from tests.program import Program
from tests.servers import remotes
from tests.servers.http import HttpProxy, Refuse, http_proxy
from tests.watched import Watched, everything

S3_KEY, S3_SECRET = "AKIATHEKEYOFTHETEST1", "TheS3SecretOfTheTest+with/signs=="
DAV_PASSWORD = "TheDavPasswordOfTheTest"
SFTP_PASSWORD = "TheSftpPasswordOfTheTest"
CONFIG_PASSWORD = "ThePasswordOfTheConfigOfTheTest"


class Remotes:
    """An rclone config with three remotes that each have a secret, two of them behind proxies."""

    def __init__(self, config: Path, s3: HttpProxy, dav: HttpProxy, secrets: set[str]) -> None:
        self.config = config
        self.s3 = s3
        self.dav = dav
        self.secrets = secrets


@pytest.fixture
def three(tmp_path: Path, rclone_binary: Path) -> Iterator[Remotes]:
    with contextlib.ExitStack() as stack:
        s3 = stack.enter_context(remotes.s3_serve(rclone_binary, tmp_path / "s3", keys=(S3_KEY, S3_SECRET)))
        dav = stack.enter_context(remotes.webdav(rclone_binary, tmp_path / "dav", password=DAV_PASSWORD))
        sftp = stack.enter_context(remotes.sftp(rclone_binary, tmp_path / "sftp", password=SFTP_PASSWORD))
        s3_proxy = stack.enter_context(http_proxy(s3.port))
        dav_proxy = stack.enter_context(http_proxy(dav.port))
        config = tmp_path / "rclone.conf"
        config.touch(mode=0o600)
        config.write_text(s3.section("s3", port=s3_proxy.port) + dav.section("dav", port=dav_proxy.port) + sftp.section("sftp"))
        assert s3.directory is not None
        make_many(s3.directory / "music", 3)
        secrets = {S3_SECRET, DAV_PASSWORD, SFTP_PASSWORD, dav.options["pass"], sftp.options["pass"]}
        secrets |= {base64.b64encode(f"tester:{DAV_PASSWORD}".encode()).decode()}
        yield Remotes(config, s3_proxy, dav_proxy, secrets)


def test_secrets_stay_in_their_config(tmp_path: Path, three: Remotes) -> None:
    program = Watched(tmp_path / "state", {"RCLONE_CONFIG": str(three.config)}, alone=True)
    program.watch(three.s3, three.dav)
    log = ("-vv", "--log-file", str(tmp_path / "run.log"))
    ended = [
        program("remotes", *log),
        program("remotes", "check", "dav:", *log),
        program("doctor", *log),
        program("config", "show", *log),
        program("plan", "s3:music/music", "sftp:lib", "-o", str(tmp_path / "one.plan"), *log),
        program("show", str(tmp_path / "one.plan"), "--html", str(tmp_path / "one.html"), *log),
        program("apply", str(tmp_path / "one.plan"), "--yes", *log),
        program("organize", "sftp:lib", "dav:lib", "--move", "--yes", *log),
    ]
    ended += [program("undo", ended[-1].run, "--yes", *log), program("runs", "show", ended[-1].run, *log)]
    assert [one.summary["ops_done"] for one in ended[-4:-1]] == [3, 3, 3]
    assert program.processes > 20
    text = everything(tmp_path, program, *ended)
    assert b"music/music" in text
    for secret in three.secrets:
        assert secret.encode() not in text
        assert secret.encode() not in program.arguments + program.environments
    assert S3_KEY.encode() not in text + program.arguments + program.environments


def by_reference(tmp_path: Path, three: Remotes, rclone: Path) -> tuple[Path, dict[str, str]]:
    """Take the secrets out of the rclone config and encrypt it. Returns our config, and the environment that it needs."""
    lines = [line for line in three.config.read_text().splitlines() if not line.startswith(("secret_access_key", "pass "))]
    three.config.write_text("\n".join([*lines, "[wrapped]", "type = alias", "remote = dav:lib", ""]))
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "config").write_text(f"{CONFIG_PASSWORD}\n")
    (sources / "sftp").write_text(SFTP_PASSWORD)
    (sources / "dav").write_text(f"{DAV_PASSWORD}\nuser: tester\n")
    encrypt = ["config", "encryption", "set", "--password-command", f"cat {sources}/config", "--config", str(three.config)]
    subprocess.run([str(rclone), *encrypt], check=True, capture_output=True)
    assert b"RCLONE_ENCRYPT" in three.config.read_bytes()
    config = tmp_path / "config.yaml"
    config.write_text(
        "remotes:\n"
        "  s3: {secrets: {secret_access_key: {env: THE_S3_SECRET}}}\n"
        f"  dav: {{secrets: {{pass: {{command: [cat, {sources}/dav]}}}}}}\n"
        "  sftp: {secrets: {pass: {credential: sftp}}}\n"
        f"rclone_config_password: {{file: {sources}/config}}\n"
    )
    environment = {"THE_S3_SECRET": S3_SECRET, "CREDENTIALS_DIRECTORY": str(sources), "RCLONE_CONFIG": str(three.config)}
    return config, environment


def test_secrets_by_reference_and_an_encrypted_config(tmp_path: Path, three: Remotes, rclone_binary: Path) -> None:
    """Every way to refer to a secret, for remotes of an rclone config that is encrypted, and through a remote that wraps one."""
    config, environment = by_reference(tmp_path, three, rclone_binary)
    program = Watched(tmp_path / "state", environment, alone=True)
    program.watch(three.s3, three.dav)
    log = ("--config", str(config), "-vv", "--log-file", str(tmp_path / "run.log"))
    ended = [
        program("config", "show", *log),
        program("plan", "s3:music/music", "sftp:lib", "-o", str(tmp_path / "one.plan"), *log),
        program("apply", str(tmp_path / "one.plan"), "--yes", *log),
    ]
    assert b"RCLONE_CONFIG_S3_SECRET_ACCESS_KEY" in program.environments
    assert b"RCLONE_CONFIG_DAV_PASS" not in program.environments, "a secret is read when its remote is used"
    ended.append(program("organize", "sftp:lib", "wrapped:", "--move", "--yes", *log))
    assert [one.summary["ops_done"] for one in ended[-2:]] == [3, 3]
    assert b"THE_S3_SECRET=" not in program.environments, "rclone gets what it needs of it, under its own names"
    text = everything(tmp_path, program, *ended)
    for secret in (*three.secrets, CONFIG_PASSWORD):
        assert secret.encode() not in text + program.arguments

    refused = Program(tmp_path / "state", environment)
    scan = ("scan", "wrapped:", "--config", str(config))
    (tmp_path / "sources" / "dav").write_text("AnotherPassword")
    (error,) = refused(*scan, codes=(6,)).errors
    assert error["code"] == "auth"
    (tmp_path / "sources" / "dav").unlink()
    (error,) = refused(*scan, codes=(6,)).errors
    assert "remotes.dav.secrets.pass: cat failed with exit code 1" in error["message"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "is encrypted, and nobody can be asked for its password: set `rclone_config_password"),
        ({"RCLONE_CONFIG_PASS": "AnotherPassword"}, "does not open the encrypted rclone config"),
        (
            {"RCLONE_PASSWORD_COMMAND": "false"},
            "RCLONE_PASSWORD_COMMAND, for the password of the rclone config: false failed with exit code 1",
        ),
        (
            {"RCLONE_CONFIG_PASS": "AnotherPassword", "MUSIC_ORCHESTRATOR_RCLONE_CONFIG_PASSWORD_ENV": "NO_SUCH"},
            "NO_SUCH is not set",
        ),
    ],
)
def test_an_encrypted_config_that_stays_closed_is_6_at_once(
    tmp_path: Path, rclone_binary: Path, variables: dict[str, str], says: str
) -> None:
    """No command asks or waits, not even one that lists without a daemon."""
    config = tmp_path / "rclone.conf"
    config.write_text("[here]\ntype = alias\nremote = /srv\n")
    encrypt = [str(rclone_binary), "config", "encryption", "set", "--password-command", "echo secret", "--config", str(config)]
    subprocess.run(encrypt, check=True, capture_output=True)
    program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(config), **variables})
    for words in (("remotes",), ("scan", "here:"), ("doctor",)):
        ended = program(*words, codes=(6,))
        (error,) = (*ended.errors, *ended.failed_checks)
        assert says in error["message"]
        assert "AnotherPassword" not in error["message"]
    program.environment = {"RCLONE_CONFIG": str(config), "RCLONE_PASSWORD_COMMAND": "echo secret"}
    assert [event["name"] for event in program("remotes").events if event["type"] == "remote"] == ["here"]


@pytest.mark.parametrize("location", ["s3:music/music", "dav:lib", "sftp:lib"])
def test_a_server_that_refuses_reveals_no_secret(tmp_path: Path, three: Remotes, rclone_binary: Path, location: str) -> None:
    """Fault case 20: 6, one line, and no secret in it, whatever the server quotes from the request."""
    echo = base64.b64encode(f"tester:{DAV_PASSWORD}".encode()).decode()
    three.dav.when(lambda _: True, Refuse(401, {}, f"refused: Authorization: Basic {echo}".encode()))
    error = (
        "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature does not match</Message>"
        f"<StringToSign>AWS4-HMAC-SHA256 secret_access_key={S3_SECRET}</StringToSign></Error>"
    )
    three.s3.when(lambda _: True, Refuse(403, {"Content-Type": "application/xml"}, error.encode()))
    if location.startswith("sftp"):
        other = remotes.obscured(rclone_binary, "AnotherPasswordOfTheTest")
        head, _, tail = three.config.read_text().rpartition("pass = ")
        three.config.write_text(f"{head}pass = {other}\n{tail.partition(chr(10))[2]}")
        three.secrets |= {other, "AnotherPasswordOfTheTest"}
    program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(three.config)})
    ended = program("organize", location, "--yes", "-vv", "--log-file", str(tmp_path / "run.log"), codes=(6,))
    assert [error["code"] for error in ended.errors] == ["auth"]
    text = everything(tmp_path, program, ended)
    for secret in three.secrets:
        assert secret.encode() not in text


def test_a_server_that_echoes_a_secret_reveals_it_in_no_form(tmp_path: Path, three: Remotes, rclone_binary: Path) -> None:
    """Nor where no word around it says that it is one: what was read by a reference is known."""
    config, environment = by_reference(tmp_path, three, rclone_binary)
    echoed = {
        S3_SECRET,
        quote(S3_SECRET, safe=""),
        base64.b64encode(f"tester:{S3_SECRET}".encode()).decode(),
        base64.b64encode(S3_SECRET.encode()).decode(),
        json.dumps(S3_SECRET).replace("/", "\\/").strip('"'),
    }
    error = f"<Error><Code>AccessDenied</Code><Message>denied {' '.join(sorted(echoed))} denied</Message></Error>"
    three.s3.when(lambda _: True, Refuse(403, {"Content-Type": "application/xml"}, error.encode()))
    program = Program(tmp_path / "state", environment)
    log = ("-vv", "--log-file", str(tmp_path / "run.log"), "--config", str(config))
    commands = (("organize", "s3:music/music", "--yes"), ("scan", "s3:music/music"), ("remotes", "check", "s3:music"))
    ended = [program(*command, *log, codes=(6,)) for command in commands]
    assert all("denied ***" in one.errors[0]["message"] for one in ended), "the echo got here"
    text = everything(tmp_path, program, *ended)
    for secret in echoed:
        assert secret.encode() not in text
        assert secret[4:20].encode() not in text
