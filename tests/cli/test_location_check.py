"""`remotes check` and `doctor` try each location with a file of ours, which goes again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from orchestrator.actions.location_check import inspect_all
from orchestrator.actions.session import open_session
from orchestrator.apply.trial import CONTENT
from orchestrator.config.options.common import CommonOptions
from orchestrator.errors import TransientError
from orchestrator.report.location_view import facts_text
from tests.audio import make_many
from tests.nightly import some_at_night
from tests.places import bucket
from tests.program import Program
from tests.servers.http import Hold, Refuse, http_proxy
from tests.servers.process import free_port
from tests.servers.remotes import BUCKET, DriveRemote, DropboxRemote, RemoteServer, obscured, with_remotes

KINDS = some_at_night(
    ("local", "crypt", "s3_moto", "webdav", "drive", "dropbox", "s3_serve", "wsgidav", "sftp", "openssh", "ftp", "gcs", "azure"),
    night={"dropbox", "s3_serve", "wsgidav", "sftp", "openssh", "ftp", "gcs", "azure"},
)

NAMING = {"local": "exclusive", "s3_moto": "upload", "drive": "twins", "crypt": "caught"}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_location_can_do(
    tmp_path: Path, program: Program, request: pytest.FixtureRequest, rclone_binary: Path, kind: str
) -> None:
    folder = tmp_path / "music"
    server: RemoteServer | None = None
    if kind in {"local", "crypt"}:
        folder.mkdir()
        vault = f"[vault]\ntype = crypt\nremote = {folder}\npassword = {obscured(rclone_binary, 'secret')}\n"
        program.environment = with_remotes(tmp_path, vault)
        location = str(folder) if kind == "local" else "vault:"
    else:
        server = request.getfixturevalue(kind)
        location = server.fs(tmp_path.name)
        if isinstance(server, DriveRemote | DropboxRemote):
            server.tree.folder(tmp_path.name)
        elif server.directory is not None:
            folder = server.directory / tmp_path.name
            folder.mkdir()
    facts = program("remotes", "check", location).events[0]
    assert {facts[name] for name in ("reachable", "empty", "readable", "writable")} == {True}
    assert facts["not_deletable"] is None
    assert facts["clock_s"] == 0.0
    assert facts["naming"] == NAMING.get(kind, facts["naming"])
    assert facts["encryption"] == ({"by": "crypt", "names": "standard"} if kind == "crypt" else None)
    text = facts_text(facts)
    assert max(map(len, text.splitlines())) <= 80
    assert "encryption        by rclone (crypt)" in text or kind != "crypt"
    assert ("1020 once encrypted" in facts_text({**facts, "max_path_bytes": 1020})) is (kind == "crypt")
    if isinstance(server, DriveRemote | DropboxRemote):
        assert server.tree.tree(tmp_path.name) == {}
    elif folder.is_dir():
        left = [path for path in folder.rglob("*") if kind == "local" or path.is_file()]
        assert left == []


def test_a_location_that_may_only_be_read_or_has_another_time(tmp_path: Path, program: Program, webdav: RemoteServer) -> None:
    assert webdav.directory is not None
    folder = webdav.directory / tmp_path.name
    folder.mkdir()
    (folder / "a.mp3").write_bytes(b"a")
    with http_proxy(webdav.port) as proxy:
        program.environment = with_remotes(tmp_path, webdav.section("here", port=proxy.port))
        location = webdav.fs(tmp_path.name, name="here")
        program.clock_s = 300
        assert program("remotes", "check", location).events[0]["clock_s"] == pytest.approx(-300, abs=3)
        program.clock_s = 0
        hold = Hold()
        proxy.when(lambda seen: seen.method == "GET" and "probe" in seen.path, hold, times=1)
        process = program.start("remotes", "check", location)
        assert hold.held.wait(60)
        assert [*folder.rglob("probe")]
        process.send_signal(signal.SIGTERM)
        hold.release.set()
        assert program.end(process).code == 130
        assert not [*folder.rglob("probe")], "an interrupted check deletes its file"
        proxy.when(lambda seen: seen.method in {"PUT", "MKCOL"}, Refuse(403))
        facts = program("remotes", "check", location).events[0]
        assert (facts["readable"], facts["writable"]) == (True, False)
        assert "writing           no: " in facts_text(facts)
        proxy.when(lambda seen: seen.method == "GET", Refuse(403))
        facts = program("remotes", "check", location, codes=(3,)).events[0]
        assert (facts["readable"], facts["writable"]) == (False, False)


def test_one_file_that_cannot_be_read_is_no_location_out_of_reach(
    tmp_path: Path, program: Program, s3_moto: RemoteServer, webdav: RemoteServer
) -> None:
    for number in range(2):
        bucket(s3_moto).put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/{number}.mp3", Body=b"x")
    with http_proxy(s3_moto.port) as proxy:
        program.environment = with_remotes(tmp_path, s3_moto.section("here", port=proxy.port))
        location = s3_moto.fs(tmp_path.name, name="here")
        proxy.when(lambda seen: "0.mp3" in seen.path, Refuse(403))
        facts = program("remotes", "check", location, codes=(3,)).events[0]
        assert (facts["reachable"], facts["readable"], facts["writable"]) == (True, True, True)
        assert facts["not_readable"].startswith("0.mp3: ")
        assert "reading           yes, but not every file: 0.mp3" in facts_text(facts)
        proxy.reset()
        proxy.when(lambda seen: seen.method == "DELETE", Refuse(403))
        facts = program("remotes", "check", location, codes=(3,)).events[0]
        assert "probe stays there" in facts["not_deletable"]
    assert webdav.directory is not None
    (webdav.directory / tmp_path.name).mkdir()
    with http_proxy(webdav.port) as proxy:
        program.environment = with_remotes(tmp_path, webdav.section("here", port=proxy.port))
        proxy.when(lambda seen: seen.method == "PUT", Refuse(500))
        facts = program("remotes", "check", webdav.fs(tmp_path.name, name="here")).events[0]
        assert (facts["reachable"], facts["writable"]) == (True, False)
        assert "500" in facts["not_writable"]


def test_a_folder_that_is_missing_on_a_remote_is_named_with_the_command_that_creates_it(
    tmp_path: Path, program: Program, webdav: RemoteServer
) -> None:
    (error,) = program("remotes", "check", webdav.fs(f"{tmp_path.name}/a b"), codes=(2,)).errors
    assert f"create it with `rclone mkdir '{webdav.fs(tmp_path.name)}/a b'`" in error["message"]


def test_the_file_of_a_check_that_was_killed_goes_with_the_next_one_or_the_next_run(tmp_path: Path, program: Program) -> None:
    own = tmp_path / "music" / ".music-orchestrator"
    old = {f"check-20200101-00000{number}-0badcafe": content for number, content in enumerate((CONTENT, CONTENT[:9], b"", None))}
    kept = {
        f"check-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-0badcafe": CONTENT,
        "check-mate": CONTENT,
        "check-20261399-999999-abcdef12": CONTENT,
        "check-20200101-000009-0badcafe": CONTENT + b"and a song",
        "check-20200101-000010-0badcafe": b"a song",
    }
    make_many(tmp_path / "music", 1)
    no_file = own / "check-20200101-000011-0badcafe" / "probe"
    no_file.mkdir(parents=True)
    for command in (("remotes", "check"), ("organize", "--yes")):
        for folder, content in (old | kept).items():
            (own / folder).mkdir(parents=True, exist_ok=True)
            if content is not None:
                (own / folder / "probe").write_bytes(content)
        program(*command, str(tmp_path / "music"))
        assert no_file.is_dir()
        assert {probe.parent.name: probe.read_bytes() for probe in own.glob("*/probe") if probe.is_file()} == kept, command
        assert len([*own.iterdir()]) == len(kept) + 1, "the folders are gone as well"


def test_how_the_server_encrypts_is_what_it_says_of_a_file(tmp_path: Path, program: Program, s3_moto: RemoteServer) -> None:
    options = {"sse": "server_side_encryption = AES256", "kms": "server_side_encryption = aws:kms\nsse_kms_key_id = mine"}
    sections = [f"{s3_moto.section(name).rstrip()}\n{lines}\n" for name, lines in options.items()]
    program.environment = with_remotes(tmp_path, s3_moto.section("plain"), *sections)
    found = {name: program("remotes", "check", s3_moto.fs(tmp_path.name, name=name)).events[0] for name in ("plain", *options)}
    assert {name: facts["server_encryption"] for name, facts in found.items()} == {
        "plain": None,
        "sse": {"by": "SSE-S3", "key": None},
        "kms": {"by": "SSE-KMS", "key": "mine"},
    }
    assert "none by rclone; the server states none" in facts_text(found["plain"])
    assert "none by rclone; on the server SSE-KMS, key mine" in facts_text(found["kms"])


def test_doctor_tries_every_location_and_one_that_is_away_does_not_hold_up_the_others(
    tmp_path: Path, program: Program, webdav: RemoteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    config = tmp_path / "config.yaml"
    with http_proxy(webdav.port) as proxy:
        away = f"[away]\ntype = webdav\nurl = http://127.0.0.1:{free_port()}\n"
        program.environment = with_remotes(tmp_path, away + webdav.section("silent", port=proxy.port)) | {
            "MUSIC_ORCHESTRATOR_CONFIG": str(config)
        }
        config.write_text(f"locations: {{here: {tmp_path}/here}}\nremotes: {{away: {{}}}}\n")
        rows = {event["check"]: event for event in program("doctor", codes=(5,)).events if event["type"] == "check"}
        assert rows["location here"]["message"].startswith(f"{tmp_path}/here answers in ")
        assert "writing: yes, and deleting" in rows["location here"]["message"]
        assert "cannot be reached" in rows["remote away"]["message"]
        assert rows["other remotes"]["message"].endswith("does not name them: silent:")
        assert proxy.requests == []
        hold = Hold()
        proxy.when(lambda _: True, hold)
        for name, value in program.environment.items():
            monkeypatch.setenv(name, value)
        with open_session(CommonOptions(state_dir=str(tmp_path / "state"))) as session:
            here, silent = session.locations("here", "silent:")
            found = inspect_all(session, {"here": here, "silent": silent}, within_s=3)
        hold.release.set()
    assert isinstance(found["here"], dict)
    assert isinstance(found["silent"], TransientError)
