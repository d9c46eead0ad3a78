"""`doctor` names each mistake in a set-up once, with a remedy that helps, and ends with the code of the worst."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from orchestrator.actions.checks import machine, mounts
from orchestrator.apply.guard.marker import Mark
from orchestrator.apply.journal.journal import Journal
from orchestrator.errors import ExitCode
from orchestrator.plan.plan_file import read_plan
from orchestrator.report.finding import Finding
from orchestrator.report.findings_view import finding_lines
from orchestrator.sync_queue.store import Intention, Queue
from tests.audio import make_many
from tests.program import Program
from tests.servers.http import Refuse, http_proxy
from tests.servers.process import free_port
from tests.servers.remotes import RemoteServer, obscured, with_remotes


class SetUp:
    """A set-up that works, into which a test puts mistakes."""

    def __init__(self, home: Path, rclone: Path) -> None:
        self.home = home
        self.rclone = rclone
        self.program = Program(home / "state")
        self.config = home / "config.yaml"
        self.music = home / "music"
        self.music.mkdir()
        self.remotes("")
        self.write("")

    def remotes(self, *sections: str) -> None:
        """What rclone.conf holds."""
        self.program.environment = with_remotes(self.home, *sections) | {"MUSIC_ORCHESTRATOR_CONFIG": str(self.config)}

    def write(self, config: str) -> None:
        """The config; HOME is the folder of the test."""
        self.config.write_text(config.replace("HOME", str(self.home)))


class Mistake(NamedTuple):
    """What is wrong in a set-up, and what doctor has to say of it."""

    put: Callable[[SetUp], None]
    code: int
    says: tuple[str, ...]
    """Each in the message or the remedy; HOME as in the config."""


def config(text: str, *sections: str) -> Callable[[SetUp], None]:
    """A config and remotes of rclone."""

    def put(there: SetUp) -> None:
        there.write(text)
        if sections:
            there.remotes(*(section.replace("HOME", str(there.home)) for section in sections))

    return put


def script(text: str, mode: int = 0o755) -> Callable[[SetUp], None]:
    """A program that is no rclone, named as such."""

    def put(there: SetUp) -> None:
        (there.home / "rclone").write_text(text)
        (there.home / "rclone").chmod(mode)
        there.write("rclone: HOME/rclone\n")

    return put


def closed_to_others_not(there: SetUp) -> None:
    there.program("scan", str(there.music))
    (there.program.state / "catalogue.sqlite3").chmod(0o644)


def database(name: str, content: bytes | None) -> Callable[[SetUp], None]:
    """A database that is damaged, or (None) was made by a newer version."""

    def put(there: SetUp) -> None:
        there.program("scan", str(there.music))
        file = there.program.state / name
        file.touch(mode=0o600)
        if content is not None:
            file.write_bytes(content)
            return
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA user_version = 999")
        connection.close()

    return put


def emptied(there: SetUp) -> None:
    make_many(there.music, 1)
    there.write("locations: {lib: HOME/music}\n")
    there.program("scan", "lib")
    for file in there.music.rglob("*.*"):
        file.unlink()


def queued(there: SetUp) -> None:
    there.program("scan", str(there.music))
    with Queue(there.program.state / "queue.sqlite3") as queue:
        queue.put(Intention("/srv/a", "nas:b", "both", frozenset({"x"})), "nas: is away", time.time() - 9 * 86400)


def interrupted(there: SetUp) -> None:
    make_many(there.music, 1)
    there.program("plan", str(there.music), "-o", str(there.home / "plan"))
    with Journal(there.program.state / "journal.sqlite3") as journal:
        journal.begin(read_plan(there.home / "plan"), "organize")


def left_by_another_machine(there: SetUp) -> None:
    there.write("locations: {lib: HOME/music}\n")
    (there.music / ".music-orchestrator").mkdir()
    mark = Mark("attic", "20260101-020304-abcdef", time.time() - 3 * 86400, time.time() - 2 * 86400)
    (there.music / ".music-orchestrator" / "run.json").write_bytes(msgspec.json.encode(mark))


def encrypted(there: SetUp) -> None:
    there.remotes("[m]\ntype = memory\n")
    file = there.program.environment["RCLONE_CONFIG"]
    command = [str(there.rclone), "config", "encryption", "set", "--password-command", "echo right", "--config", file]
    subprocess.run(command, check=True, capture_output=True)
    (there.home / "password").write_text("wrong\n")
    there.write("rclone_config_password: {file: HOME/password}\n")


def crypt_with_another_password(there: SetUp) -> None:
    (there.music / "0123456789abcdefghijklmnopqrstuv").write_text("of nobody")
    password = obscured(there.rclone, "wrong")
    there.remotes(f"[c]\ntype = crypt\nremote = {there.music}\npassword = {password}\n")
    there.write("locations: {lib: 'c:'}\n")


def crypt_over_nothing(there: SetUp) -> None:
    there.remotes(f"[c]\ntype = crypt\nremote = gone:x\npassword = {obscured(there.rclone, 'x')}\n")
    there.write("locations: {lib: 'c:'}\n")


AWAY = f"[nas]\ntype = webdav\nurl = http://127.0.0.1:{free_port()}\n"
TOKEN = 'token = {"access_token":"a","refresh_token":"b","expiry":"2020-01-01T00:00:00Z"}\n'
IN_PLACE = "{at: '02:30', steps: [{organize: {source: lib}}]}"

MISTAKES: dict[str, Mistake] = {
    # rclone and its config
    "no rclone": Mistake(config("rclone: /no/rclone\n"), 2, ("/no/rclone", "no such file is there")),
    "not executable": Mistake(script("", 0o644), 2, ("`chmod +x HOME/rclone`",)),
    "a folder": Mistake(config("rclone: HOME/music\n"), 2, ("name the program in it",)),
    "no interpreter": Mistake(script("#!/no/sh\n"), 2, ("a script for /no/sh", "correct its first line")),
    "old rclone": Mistake(script("#!/bin/sh\necho 'rclone v1.60.0'\n"), 2, ("rclone 1.60.0", "`rclone selfupdate`")),
    "no rclone.conf": Mistake(config("rclone_config: HOME/none\n"), 2, ("HOME/none", "correct it, or leave it out")),
    "rclone.conf a folder": Mistake(config("rclone_config: HOME/music\n"), 2, ("name the file in it",)),
    "wrong password": Mistake(encrypted, 6, ("does not open", "rclone_config_password")),
    "unknown type": Mistake(config("", "[gd]\ntype = gooogle\n"), 2, ("gooogle", "did you mean", "correct its `type`")),
    "no type": Mistake(config("", "[gd]\nuser = x\n"), 2, ("no `type`", "rclone config")),
    "no token": Mistake(config("locations: {lib: 'gd:x'}\n", "[gd]\ntype = drive\n"), 6, ("rclone config reconnect gd:",)),
    "no drive": Mistake(config("locations: {lib: 'od:x'}\n", "[od]\ntype = onedrive\n"), 6, ("rclone config reconnect od:",)),
    "plain password": Mistake(
        config("locations: {lib: 'nas:x'}\n", "[nas]\ntype = sftp\nhost = 127.0.0.1\npass = plain\n"),
        2,
        ("not obscured", "`rclone config password nas pass PASSWORD`"),
    ),
    "plain password in the config": Mistake(
        config("remotes: {nas: {type: sftp, options: {host: 127.0.0.1, pass: plain}}}\nlocations: {lib: 'nas:x'}\n"),
        2,
        ("not obscured", "`remotes.nas.secrets`"),
    ),
    "variable without its rclone.conf": Mistake(
        lambda there: Path(there.program.environment["RCLONE_CONFIG"]).unlink(), 2, ("RCLONE_CONFIG names HOME", "correct the")
    ),
    "wrong crypt password": Mistake(crypt_with_another_password, 7, ("can decrypt none", "`rclone config`")),
    "crypt over nothing": Mistake(crypt_over_nothing, 2, ('"gone"', "remotes`")),
    # Locations
    "no hosts known": Mistake(
        config("locations: {lib: 'nas:x'}\n", "[nas]\ntype = sftp\nhost = 127.0.0.1\nuser = x\nknown_hosts_file = /no/file\n"),
        6,
        ("/no/file", "rclone config update nas"),
    ),
    "away": Mistake(config("locations: {lib: 'nas:x'}\n", AWAY), 5, ("lib cannot be reached", "start the server", "show nas")),
    "no bucket": Mistake(config("locations: {lib: 'm:x'}\n", "[m]\ntype = memory\n"), 2, ("no bucket x", "rclone mkdir m:x")),
    "unknown remote": Mistake(config("locations: {lib: 'gdriv:x'}\n", "[gdrive]\ntype = memory\n"), 2, ("gdriv", "gdrive")),
    "no folder": Mistake(config("locations: {lib: HOME/none}\n"), 2, ("no such folder", "`mkdir -p HOME/none`")),
    "a file": Mistake(config("locations: {lib: HOME/config.yaml}\n"), 2, ("not a folder", "the folder that it is in")),
    "emptied": Mistake(emptied, 7, ("is empty, but the last scan saw 1 file", "mount its disk")),
    "run of another machine": Mistake(
        left_by_another_machine, 3, ("attic began the run 20260101-020304-abcdef there 2 d ago", "on attic", "/run.json")
    ),
    # The config and its jobs
    "unknown key": Mistake(config("locatons: {}\n"), 2, ("config.yaml:1", "did you mean `locations`?")),
    "no YAML": Mistake(config("a:\n  b: c\n d: e\n"), 2, ("config.yaml:3", "check the indentation")),
    "wrong variable": Mistake(
        lambda there: there.program.environment.update(MUSIC_ORCHESTRATOR_TRANSFERS="many"), 2, ("expected a number",)
    ),
    "job with an unknown name": Mistake(
        config("locations: {lib: HOME/music}\njobs: {n: [{scan: {location: libb}}]}\n"), 2, ("libb", "did you mean lib?")
    ),
    "job with an unknown remote": Mistake(
        config("jobs: {n: [{scan: {location: 'gdriv:x'}}]}\n", "[gdrive]\ntype = memory\n"), 2, ("gdriv", "gdrive")
    ),
    "job without its folder": Mistake(config("jobs: {n: [{scan: {location: HOME/none}}]}\n"), 2, ("`mkdir -p HOME/none`",)),
    "target inside the source": Mistake(
        config("locations: {lib: HOME/music}\njobs: {n: [{organize: {source: lib, target: HOME/music/x}}]}\n"),
        2,
        ("lies inside the source", "choose a folder outside"),
    ),
    "sync with itself": Mistake(
        config("jobs: {n: [{sync: {a: HOME/music, b: 'same:'}}]}\n", "[same]\ntype = alias\nremote = HOME/music\n"),
        2,
        ("are one location",),
    ),
    "log": Mistake(config("log_file: HOME/none/log\n"), 2, ("no folder HOME/none", "`mkdir -p HOME/none`", "log_file")),
    "prometheus": Mistake(config("prometheus: HOME/none/m.prom\n"), 3, ("no folder HOME/none", "`mkdir -p HOME/none`")),
    "address": Mistake(config("notify: {urls: ['maltos://a:b@example.org']}\n"), 2, ("notify.urls.0", "apprise")),
    "secret of an address": Mistake(config("notify: {healthcheck: {env: NO_SUCH}}\n"), 6, ("NO_SUCH is not set", "put")),
    "health check": Mistake(config("notify: {healthcheck: 'hc.example.org/x'}\n"), 2, ("notify.healthcheck", "https://")),
    # The state directory
    "state is a file": Mistake(lambda there: (there.home / "state").touch(), 2, ("is a file", "--state-dir")),
    "open to others": Mistake(closed_to_others_not, 3, ("others can read", "`chmod 600 HOME/state/catalogue.sqlite3`")),
    "damaged catalogue": Mistake(database("catalogue.sqlite3", b"?" * 9999), 9, ("is damaged", "delete it")),
    "damaged journal": Mistake(database("journal.sqlite3", b"?" * 9999), 9, ("is damaged", "restore a copy")),
    "damaged queue": Mistake(database("queue.sqlite3", b"?" * 9999), 9, ("is damaged", "delete it")),
    "newer catalogue": Mistake(database("catalogue.sqlite3", None), 2, ("a newer version", "use that one")),
    "waiting": Mistake(queued, 3, ("/srv/a <-> nas:b", "queue flush", "queue drop 1")),
    "unfinished": Mistake(interrupted, 3, ("was interrupted", "resume ", "runs abandon ")),
}

WARNINGS: dict[str, Mistake] = {
    "secret in the config": Mistake(
        config("remotes: {nas: {type: sftp, options: {host: 127.0.0.1, pass: x}}}\n"), -1, ("nas.options.pass", "`secrets:`")
    ),
    "relative": Mistake(config("locations: {lib: ./music}\n"), -1, ("locations.lib", "write its whole path")),
    "all buckets": Mistake(config("cloud: {provider: gcs, options: {anonymous: 'true'}}\n"), -1, ("set cloud.bucket",)),
    "at once": Mistake(
        config(f"locations: {{lib: HOME/music}}\njobs: {{a: {IN_PLACE}, b: {IN_PLACE}}}\n"),
        0,
        ("a and b start at the same time",),
    ),
    "inside": Mistake(config("locations: {lib: HOME, inner: HOME/music}\n"), 0, ("inner lies inside lib", "never sync")),
    "one place": Mistake(
        config("locations: {a: HOME/music, b: 'one:'}\n", "[one]\ntype = alias\nremote = HOME/music\n"), 0, ("the same folder",)
    ),
    "rclone.conf open": Mistake(
        lambda there: Path(there.program.environment["RCLONE_CONFIG"]).chmod(0o644), 0, ("others can read", "`chmod 600 HOME/r")
    ),
    "no temporary folder": Mistake(
        lambda there: there.program.environment.update(TMPDIR=str(there.home / "none")), 0, ("HOME/none", "correct TMPDIR")
    ),
}


@pytest.fixture
def there(tmp_path: Path, rclone_binary: Path) -> SetUp:
    return SetUp(tmp_path, rclone_binary)


def said(there: SetUp, level: str, *codes: int) -> list[str]:
    """What doctor says of this level."""
    checks = [event for event in there.program("doctor", codes=codes).events if event["type"] == "check"]
    return [f"{one['message']} {one['remedy'] or ''}".replace(str(there.home), "HOME") for one in checks if one["level"] == level]


_SOME = (
    "run of another machine",
    "not executable",
    "plain password",
    "emptied",
    "job without its folder",
    "log",
    "damaged queue",
    "unfinished",
)


@pytest.mark.parametrize("name", [pytest.param(one, marks=() if one in _SOME else pytest.mark.nightly) for one in MISTAKES])
def test_a_mistake_is_named_once_with_its_remedy(there: SetUp, name: str) -> None:
    mistake = MISTAKES[name]
    mistake.put(there)
    (message,) = said(there, "problem", mistake.code)
    for part in mistake.says:
        assert part in message


@pytest.mark.parametrize("name", [pytest.param(one, marks=() if one == "inside" else pytest.mark.nightly) for one in WARNINGS])
def test_what_works_but_is_doubtful_is_a_warning(there: SetUp, name: str) -> None:
    mistake = WARNINGS[name]
    mistake.put(there)
    (message,) = said(there, "warning", *((0, 2, 5, 6) if mistake.code < 0 else (mistake.code,)))
    for part in mistake.says:
        assert part in message


def _s3_error(code: str, status: int = 403) -> Refuse:
    body = f"<Error><Code>{code}</Code><Message>refused</Message></Error>".encode()
    return Refuse(status, {"Content-Type": "application/xml", "x-amz-bucket-region": "eu-west-1"}, body)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("method", "refusal", "wanted"),
    [
        ("GET", _s3_error("AccessDenied"), (6, ("lib refuses access", "grant these credentials the right to list and read"))),
        ("PUT", _s3_error("AccessDenied"), (3, ("writing: no: ", "AccessDenied", "grant the right to write there"))),
        ("DELETE", _s3_error("AccessDenied"), (3, ("files cannot be deleted: ", "AccessDenied", "grant these rights"))),
        ("GET", _s3_error("InvalidAccessKeyId"), (6, ("lib refuses the credentials", "rclone config update nas"))),
        ("GET", _s3_error("RequestTimeTooSkewed"), (6, ("lib refuses requests", "clocks is wrong", "timedatectl"))),
        ("GET", _s3_error("PermanentRedirect", 301), (2, ("is in the region us-east-1", "rclone config update nas region"))),
    ],
)
def test_what_a_server_refuses(
    there: SetUp, s3_moto: RemoteServer, method: str, refusal: Refuse, wanted: tuple[int, tuple[str, ...]]
) -> None:
    with http_proxy(s3_moto.port) as proxy:
        proxy.when(lambda seen: seen.method == method, refusal)
        there.remotes(s3_moto.section("nas", port=proxy.port))
        there.write(f"locations: {{lib: 'nas:music/{there.home.name}'}}\n")
        (message,) = said(there, "problem", wanted[0])
    for part in wanted[1]:
        assert part in message


@pytest.mark.nightly
def test_a_clock_that_is_wrong(there: SetUp, s3_moto: RemoteServer) -> None:
    there.remotes(s3_moto.section("nas"))
    there.write(f"locations: {{lib: 'nas:music/{there.home.name}'}}\n")
    there.program.clock_s = 1200
    (message,) = said(there, "problem", 3)
    assert "behind" in message
    assert "timedatectl" in message


def test_without_a_config_all_remotes_are_listed_and_nothing_is_written(there: SetUp) -> None:
    there.remotes(AWAY, f"[disk]\ntype = alias\nremote = {there.music}\n")
    (message,) = said(there, "problem", 5)
    assert message.startswith("nas: cannot be reached")
    assert [*there.music.iterdir()] == []
    there.write(f"locations: {{lib: {there.music}}}\n")
    assert said(there, "problem", 0) == [], "now it names what is of interest"


def test_many_mistakes_are_all_named_and_the_worst_gives_the_code(there: SetUp) -> None:
    """Those of the config itself end most checks, so this one is right."""
    (there.home / "none").write_text("")
    there.remotes(AWAY, "[gd]\ntype = drive\n", "[odd]\ntype = gooogle\n", "[same]\ntype = alias\nremote = HOME/music\n")
    there.write(
        "locations: {lib: HOME/music, away: 'nas:x', drive: 'gd:x', gone: HOME/gone, file: HOME/none}\n"
        "jobs:\n  n: [{organize: {source: lib, target: HOME/music/sub}}, {scan: {location: 'nosuch:x'}}]\n"
        f"  o: {IN_PLACE}\n  p: {IN_PLACE}\n"
        "log_file: HOME/gone/log\nprometheus: HOME/gone/m.prom\nnotify: {urls: [{env: NO_SUCH}]}\n"
        "remotes: {mine: {type: memory, options: {pass: secret}}}\n"
    )
    there.program.state.mkdir(mode=0o700)
    (there.program.state / "catalogue.sqlite3").write_bytes(b"?" * 9999)
    (there.program.state / "catalogue.sqlite3").chmod(0o600)
    ended = there.program("doctor", codes=(9,))
    text = str([one for one in ended.events if one["type"] == "check" and not one["ok"]])
    for part in (
        *("away cannot be reached", "reconnect gd:", "did you mean", "gone: there is no such folder", "file is not a folder"),
        *(
            "lies inside the source",
            "nosuch: no such remote",
            "start at the same time",
            "log cannot be written",
            "m.prom cannot be written",
        ),
        *("NO_SUCH is not set", "catalogue.sqlite3 is damaged"),
    ):
        assert text.count(part) == 1, (part, text)


def test_the_report_is_grouped_and_quiet_shows_only_what_is_wrong(there: SetUp) -> None:
    from tests.forked import shared  # noqa: PLC0415 - it imports tests.program

    there.write("locations: {lib: HOME/music, gone: HOME/none}\n")
    run = {"state": there.program.state, "environment": there.program.environment}
    code, out, err = shared().start("doctor", options=(), **run).printed()  # type: ignore[arg-type]
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "Machine",
        "Config",
        "State",
        "rclone",
        "Locations",
        "1 problem",
    ]
    assert f"  problem  gone: there is no such folder: check the name, or create it with `mkdir -p {there.home}/none`" in lines
    code, out, err = shared().start("doctor", "-q", options=(), **run).printed()  # type: ignore[arg-type]
    assert (code, err, len(out.splitlines())) == (2, "", 2)


def test_a_line_on_a_terminal_has_80_characters_and_no_command_is_broken() -> None:
    command = "`music-orchestrator runs abandon 20260101-000000-abcdef`"
    finding = Finding("location lib", ok=False, message=f"{'many words ' * 15}", remedy=f"try this, or else {command}", group="X")
    lines = finding_lines(finding, wrap=True)
    assert max(map(len, lines)) <= 80
    assert any(command in line for line in lines)
    assert lines[0].startswith("  warning  lib: many words")
    assert finding_lines(Finding("location lib", ok=True, message="lib answers"), wrap=True) == ["  ok       lib answers"]


def test_the_disk_of_a_location_must_be_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "fstab"
    disk = tmp_path / "a disk"
    disk.mkdir()
    table.write_text(f"# x\nproc /proc proc defaults 0 0\nUUID=1 {str(disk).replace(' ', chr(92) + '040')} ext4 defaults 0 2\n")
    monkeypatch.setattr(mounts, "_FSTAB", table)
    missing = mounts.why_not_mounted(str(disk / "music"), empty=False)
    assert missing is not None
    assert missing.certain
    assert missing.remedy == f"`mount {disk}`"
    assert mounts.why_not_mounted(str(tmp_path), empty=True) is None
    monkeypatch.setattr(mounts, "_FOR_DISKS", (f"{tmp_path}/",))
    monkeypatch.setattr(mounts, "_FSTAB", tmp_path / "none")
    assert mounts.why_not_mounted(str(disk), empty=False) is None
    doubtful = mounts.why_not_mounted(str(disk), empty=True)
    assert doubtful is None or not doubtful.certain, "None where all of the folder of the test is such a disk"


def test_a_state_directory_on_another_machine_is_recognized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"root / ext4 rw 0 0\nnas:/x {tmp_path} nfs4 rw 0 0\nnone {tmp_path}/here tmpfs rw 0 0\n")
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    assert mounts.network_file_system(tmp_path / "state") == "nfs4"
    assert mounts.network_file_system(tmp_path / "here" / "state") is None


def test_the_machine_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def problems() -> dict[str, tuple[ExitCode, str]]:
        found = machine.check_machine(None)  # type: ignore[arg-type]
        return {one.check: (one.code, one.remedy) for one in found if not one.ok}

    assert problems() == {}
    monkeypatch.setattr(machine, "FEW_OPEN_FILES", 1 << 40)
    monkeypatch.setattr(machine, "LITTLE_SPACE", 1 << 60)
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "iso8859-1")
    monkeypatch.setenv("TMPDIR", os.devnull)
    found = problems()
    assert found["file names"][0] == ExitCode.USAGE
    assert "LC_ALL=C.UTF-8" in found["file names"][1]
    assert found["open files"][0] == ExitCode.SOME_FAILED
    assert "ulimit -n 1024" in found["open files"][1]
    assert found["temporary files"][0] == ExitCode.SAFETY_LIMIT
    monkeypatch.setattr(tempfile, "gettempdir", _no_folder)
    with pytest.raises(machine.UsageError, match="set TMPDIR"):
        list(machine.check_machine(None))  # type: ignore[arg-type]


def _no_folder() -> str:
    raise FileNotFoundError
