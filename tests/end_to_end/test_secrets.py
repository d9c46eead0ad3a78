"""No password of rclone's config shows anywhere: not in a process list, a log, a plan, the journal, the catalogue or an error."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio import make_many
from tests.program import Program
from tests.servers import remotes
from tests.servers.http import HttpProxy, Refuse, http_proxy
from tests.watched import Watched, everything

S3_KEY, S3_SECRET = "AKIATHEKEYOFTHETEST1", "TheS3SecretOfTheTest+with/signs=="
DAV_PASSWORD = "TheDavPasswordOfTheTest"
SFTP_PASSWORD = "TheSftpPasswordOfTheTest"


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
