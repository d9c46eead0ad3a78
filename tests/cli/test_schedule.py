"""`schedule` prints, installs, lists and removes what starts a job, knows what the job needs, and spares what is not its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.cli.main import run
from orchestrator.rclone.binary import Binary
from orchestrator.schedules import crontab, systemd
from orchestrator.state import chosen_directory

USER, ROOT = 1000, 0


class Machine:
    """A home, a config, and a systemctl that only notes how it was called."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.config = home / "my config.yaml"
        self.called = home / "called"
        self._capsys = capsys
        self.write("nightly: {at: 02:30, steps: {scan: {location: library}}}")

    def write(self, jobs: str, more: str = "") -> None:
        self.config.write_text(f"locations: {{library: {self.home}/library}}\n{more}\njobs:\n  {jobs}\n")

    def says(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """What people read: stdout and stderr."""
        assert run(["schedule", *arguments]) == code
        read = self._capsys.readouterr()
        return read.out, read.err

    def files(self, *arguments: str) -> dict[str, str]:
        """The name of each file, or its form -> its text."""
        out, _ = self.says(*arguments, "--json")
        events = [json.loads(line) for line in out.splitlines()]
        return {Path(one["path"] or one["form"]).name: one["text"] for one in events if one["type"] == "schedule-file"}

    def states(self) -> dict[str, str]:
        out, _ = self.says("--list", "--json")
        events = [json.loads(line) for line in out.splitlines()]
        return {Path(one["path"] or "your crontab").name: one["state"] for one in events if one["type"] == "schedule"}

    def doctor(self, code: int = 0) -> dict[str, list[str]]:
        """What is wrong: what was checked -> the messages with their remedies."""
        assert run(["doctor", "--json"]) == code
        found: dict[str, list[str]] = {}
        for one in map(json.loads, self._capsys.readouterr().out.splitlines()):
            if one["type"] == "check" and not one["ok"]:
                found.setdefault(one["check"], []).append(f"{one['message']}: {one['remedy']}")
        return found

    @property
    def systemctl(self) -> list[str]:
        """The calls so far."""
        return self.called.read_text().splitlines() if self.called.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found_rclone: Binary) -> Machine:
    for name in [*os.environ]:
        if name not in ("LANG", "TMPDIR"):
            monkeypatch.delenv(name)
    bin_folder, library = tmp_path / "bin", tmp_path / "library"
    bin_folder.mkdir()
    library.mkdir()
    made = Machine(tmp_path, capsys)
    systemctl = bin_folder / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>"{made.called}"\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(bin_folder), str(Path(sys.executable).parent), "/usr/bin", "/bin"]))
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_CONFIG", str(made.config))
    monkeypatch.setattr("orchestrator.rclone.binary.find_rclone", lambda *_: found_rclone)  # its version is asked for once
    monkeypatch.setattr(systemd, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setattr(crontab, "SYSTEM_FOLDER", tmp_path / "cron.d")
    (tmp_path / "cron.d").mkdir()
    monkeypatch.setattr("orchestrator.state.SYSTEM_DIRECTORY", tmp_path / "var" / "music-orchestrator")
    monkeypatch.setattr("orchestrator.actions.schedule_needs.SYSTEM_DIRECTORY", tmp_path / "var" / "music-orchestrator")
    return made


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda uid: monkeypatch.setattr(os, "geteuid", lambda: uid)


SERVICE, TIMER = "music-orchestrator-nightly.service", "music-orchestrator-nightly.timer"


def test_all_forms_of_a_job_are_printed_and_nothing_else(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(USER)
    out, err = machine.says("nightly", "-q")
    assert out.count("Written by") == 3
    assert f"# {machine.home}/.config/systemd/user/{SERVICE}\n" in out
    assert f"# {machine.home}/.config/systemd/user/{TIMER}\n" in out
    assert "# crontab -e\n" in out
    assert f"run --quiet --wait 1h --config '{machine.config}' nightly\n" in out
    assert err == ""
    assert machine.says("nightly", "--systemd", "--cron", "-q")[0] == out
    only, _ = machine.says("nightly", "--cron")
    assert only.startswith("# crontab -e\n")
    assert only.count("\n") == 4


def test_install_writes_once_and_switches_on_and_remove_takes_away(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(USER)
    folder = machine.home / ".config" / "systemd" / "user"
    out, err = machine.says("nightly", "--install", "--dry-run")
    assert f"would write {folder / TIMER}" in out
    assert not folder.exists()
    out, err = machine.says("nightly", "--install")
    assert f"written: {folder / SERVICE}\n" in out
    assert "loginctl enable-linger" in err
    assert machine.systemctl == ["--user daemon-reload", f"--user enable --now {TIMER}"]
    before = {path.name: (path.read_text(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert {*before} == {SERVICE, TIMER}
    assert machine.files("nightly", "--systemd") == {name: text for name, (text, _) in before.items()}
    out, _ = machine.says("nightly", "--install")
    assert f"unchanged: {folder / SERVICE}\n" in out
    assert {path.name: (path.read_text(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert machine.states() == {SERVICE: "ok", TIMER: "ok"}
    machine.says("nightly", "--remove", "--dry-run")
    assert {path.name for path in folder.iterdir()} == {SERVICE, TIMER}
    machine.says("nightly", "--remove")
    assert machine.systemctl[-1] == f"--user disable --now {TIMER}"
    assert [*folder.iterdir()] == []
    assert machine.states() == {}
    out, _ = machine.says("nightly", "--remove")
    assert out == "nothing is installed for nightly\n"


def test_what_is_not_ours_or_was_edited_is_not_replaced(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    folder = machine.home / "system"
    folder.mkdir()
    theirs = "[Service]\nExecStart=/bin/true\n"
    (folder / TIMER).write_text(theirs)
    _, err = machine.says("nightly", "--install", code=2)
    assert f"{folder / TIMER} was not written by `schedule`" in err
    assert {path.name: path.read_text() for path in folder.iterdir()} == {TIMER: theirs}, "nothing was written"
    assert machine.systemctl == []
    machine.says("nightly", "--install", "--force")
    assert machine.systemctl == ["daemon-reload", f"enable --now {TIMER}"]
    with (folder / SERVICE).open("a") as stream:
        stream.write("Nice=19\n")
    edited = (folder / SERVICE).read_text()
    assert machine.states() == {SERVICE: "edited", TIMER: "ok"}
    for option in ("--install", "--remove"):
        _, err = machine.says("nightly", option, code=2)
        assert f"{folder / SERVICE} was edited" in err
    assert (folder / SERVICE).read_text() == edited
    assert (folder / TIMER).exists()
    machine.says("nightly", "--remove", "--force")
    assert [*folder.iterdir()] == []


def test_the_list_says_what_no_longer_fits_the_config(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    machine.says("nightly", "--install", "--cron", "--systemd", "--at", "hourly")
    assert machine.states() == {SERVICE: "ok", TIMER: "ok", "music-orchestrator-nightly": "ok"}
    cron = (machine.home / "cron.d" / "music-orchestrator-nightly").read_text()
    assert "\n0 * * * * root PATH=" in cron
    machine.write("nightly: {at: 03:00, steps: [{scan: {location: library}}, {scan: {location: ./other}}]}")
    assert machine.states() == {
        SERVICE: "outdated: --install writes it again",
        TIMER: "ok",
        "music-orchestrator-nightly": "ok",
    }
    machine.write("other: {scan: {location: library}}")
    assert machine.states()[SERVICE].startswith("useless: there is no job nightly")
    machine.says("nightly", "--remove")
    assert machine.states() == {}


CRONTAB = """\
#!/bin/sh
if [ "$1" = -l ]; then
    [ -e {file} ] || { echo "no crontab for me" >&2; exit 1; }
    exec cat {file}
fi
exec cp "$1" {file}
"""


@pytest.fixture
def cron(machine: Machine) -> Path:
    """The crontab of the user, behind a program that keeps it as cron's does."""
    kept = machine.home / "crontab"
    program = machine.home / "bin" / "crontab"
    program.write_text(CRONTAB.replace("{file}", f"'{kept}'"))
    program.chmod(0o755)
    return kept


@pytest.mark.parametrize("theirs", ["", "MAILTO=me\n# mine\n5 4 * * * echo 100\\% \xff\n", "5 4 * * * x"])
def test_in_the_crontab_of_a_user_only_our_lines_change(
    theirs: str, machine: Machine, cron: Path, as_user: Callable[[int], None]
) -> None:
    as_user(USER)
    if theirs:
        cron.write_text(theirs, encoding="latin-1")
    before = cron.read_bytes() if theirs else b""
    machine.says("nightly", "--install", "--cron", "--dry-run")
    assert cron.exists() == bool(theirs)
    out, _ = machine.says("nightly", "--install", "--cron")
    assert out == "written: your crontab\n"
    with_ours = cron.read_bytes()
    ours = machine.files("nightly", "--cron")["cron"]
    assert with_ours == (before.removesuffix(b"\n") + b"\n" if before else b"") + str(ours).encode()
    cron.write_bytes(with_ours + b"# after\n")
    assert machine.says("nightly", "--install", "--cron")[0] == "unchanged: your crontab\n"
    assert machine.states() == {"your crontab": "ok"}
    machine.says("nightly", "--install", "--cron", "--at", "hourly")
    assert cron.read_bytes().endswith(b"# after\n")
    assert cron.read_bytes().count(b" run --quiet ") == cron.read_bytes().count(b"\n0 * * * * PATH=") == 1
    cron.write_bytes(cron.read_bytes().replace(b"0 * * * *", b"1 * * * *"))
    assert machine.states() == {"your crontab": "edited"}
    edited = cron.read_bytes()
    for option in ("--install", "--remove"):
        _, err = machine.says("nightly", option, "--cron", code=2)
        assert "the lines of nightly in your crontab were edited" in err
    assert cron.read_bytes() == edited
    out, _ = machine.says("nightly", "--remove", "--force")
    assert out == "removed: nightly from your crontab\n"
    assert cron.read_bytes() == (before.removesuffix(b"\n") + b"\n" if before else b"") + b"# after\n"


def test_a_crontab_that_cannot_be_read_is_not_taken_for_an_empty_one(
    machine: Machine, cron: Path, as_user: Callable[[int], None]
) -> None:
    as_user(USER)
    cron.write_text("5 4 * * * theirs\n")
    program = machine.home / "bin" / "crontab"
    program.write_text(program.read_text().replace("exec cat", "echo 'You are not allowed' >&2; exit 1; exec cat"))
    _, err = machine.says("nightly", "--install", "--cron", code=2)
    assert "your crontab cannot be read: You are not allowed" in err
    assert cron.read_text() == "5 4 * * * theirs\n"


def test_root_has_a_crontab_where_cron_reads_no_folder(machine: Machine, cron: Path, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    (machine.home / "cron.d").rmdir()
    program = machine.home / "bin" / "crontab"
    program.write_text(program.read_text().replace("no crontab for me", "crontab: can't open 'root': No such file or directory"))
    assert machine.says("nightly", "--install", "--cron")[0] == "written: your crontab\n"
    assert "\n30 2 * * * PATH=" in cron.read_text()


def test_a_second_way_to_start_the_same_job_is_named(machine: Machine, cron: Path, as_user: Callable[[int], None]) -> None:
    as_user(USER)
    machine.says("nightly", "--install", "--cron")
    _, err = machine.says("nightly", "--install", "--systemd")
    assert "nightly is started by cron, too (your crontab)" in err
    machine.says("nightly", "--remove")
    assert machine.states() == {}


def test_what_systemctl_says_is_reported_with_what_to_do(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    (machine.home / "bin" / "systemctl").write_text("#!/bin/sh\necho 'no bus here' >&2\nexit 1\n")
    _, err = machine.says("nightly", "--install", code=3)
    assert f"could not be switched on: no bus here; run: systemctl daemon-reload && systemctl enable --now {TIMER}" in err
    assert (machine.home / "system" / TIMER).exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nightli",), "there is no job nightli; did you mean nightly?"),
        (("nightli", "--remove"), "there is no job nightli; did you mean nightly?"),
        (("sometimes",), "when does sometimes start? Give the job `at: 02:30` in the config, or add --at 02:30"),
        (("nightly", "--at", "soon"), "--at soon: write a time such as"),
        (("nightly", "--at", "Fri *-*-13 02:00", "--cron"), "so it cannot express this time"),
        (("nightly", "--install", "--cron"), "your crontab cannot be read: there is no program crontab"),
        (("nightly", "--install", "--list"), "give one of --install, --remove and --list"),
        ((), "name a job, or add --list"),
        (("wrong",), "no location nowhere under `locations:`"),
    ],
    ids=" ".join,
)
def test_mistakes_are_named(arguments: tuple[str, ...], says: str, machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(USER)
    machine.write(
        "nightly: {at: 02:30, steps: {scan: {location: library}}}\n"
        "  sometimes: {scan: {location: library}}\n"
        "  wrong: {at: daily, steps: {scan: {location: nowhere}}}"
    )
    _, err = machine.says(*arguments, code=2)
    assert says in err


def test_what_only_cron_cannot_express_is_left_out_with_a_word(machine: Machine) -> None:
    out, err = machine.says("nightly", "--at", "Fri *-*-13 02:00")
    assert "OnCalendar=Fri *-*-13 02:00:00\n" in out
    assert "nothing for cron: cron starts where either" in err


def settings(text: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


def test_the_service_may_write_where_the_job_does_also_behind_other_remotes(
    machine: Machine, as_user: Callable[[int], None]
) -> None:
    as_user(ROOT)
    home = machine.home
    link = home / "link"
    link.symlink_to(home / "library")
    conf = home / ".config" / "rclone" / "rclone.conf"
    conf.parent.mkdir(parents=True)
    (home / "logs").mkdir()
    conf.write_text(
        f"[one]\ntype = alias\nremote = {home}/one\n"
        f"[many]\ntype = union\nupstreams = one:in {home}/two {home}/read:ro\n"
        f"[box]\ntype = crypt\nremote = {home}/box\npassword = 2cLZ80dJ0ZDQ\n"
        "[far]\ntype = sftp\nhost = nas.example.org\n"
    )
    machine.write(
        "nightly: {at: 02:30, html: ~/reports/last.html, steps: ["
        '{organize: {source: "many:x", target: ~/link, mirror: ["box:a/b"]}}, '
        '{sync: {a: library, b: "far:Music", mode: to-cloud}}, '
        '{dedup: {locations: [library, "one:"]}}, '
        '{verify: {source: library, target: "box:a/b", manifest: ~/proofs/last.json}}]}',
        f"log_file: {home}/logs/log\nprometheus: {home}/metrics/jobs.prom",
    )
    text = machine.files("nightly", "--systemd")[SERVICE]
    assert {path.removeprefix(f"-{home}/") for path in settings(text, "ReadWritePaths") if path.startswith("-")} == {
        *("one/in/x", "two/x", "library", "link", "box", "one"),
        *("logs", "metrics", "reports", "proofs", ".config/rclone"),
    }
    assert {*settings(text, "RequiresMountsFor")} == {
        f"{home}/{name}" for name in ("one/in/x", "two/x", "library", "link", "box", "one")
    }
    _, err = machine.says("nightly", "--systemd")
    assert f"{home}/two/x does not exist" in err
    assert f"{home}/library does not" not in err


def test_an_rclone_config_in_the_home_itself_opens_no_door(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    (machine.home / ".rclone.conf").write_text("[far]\ntype = sftp\nhost = nas.example.org\n")
    out, err = machine.says("nightly", "--systemd")
    assert f"ReadWritePaths=-{machine.home}\n" not in out
    assert "move the file to a folder of its own" in err
    assert f"--rclone-config {machine.home}/.rclone.conf " in out


def test_secrets_come_as_credentials_and_from_a_file_of_variables(
    machine: Machine, as_user: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(ROOT)
    monkeypatch.setenv("RCLONE_CONFIG_OTHER_PASS", "hidden")
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_TRANSFERS", "3")
    remotes = (
        "remotes:\n  nas: {type: sftp, options: {host: nas.example.org}, secrets: {pass: {credential: nas}}}\n"
        "  shop: {type: sftp, options: {host: shop.example.org}, secrets: {pass: {credential: unused}}}\n"
        "  web: {type: webdav, options: {url: 'https://x'}, secrets: {pass: {env: WEB_PASSWORD}}}\n"
        "  cellar: {type: alias, options: {remote: 'nas:cellar'}}\n"
        "notify: {urls: [{env: MAIL_URL}], healthcheck: {credential: ping}}"
    )
    machine.write('nightly: {at: 02:30, steps: {sync: {a: "cellar:x", b: "web:", mode: to-cloud}}}', remotes)
    out, err = machine.says("nightly")
    assert settings(out, "LoadCredential") == ["nas:/etc/credstore/nas", "ping:/etc/credstore/ping"]
    assert settings(out, "EnvironmentFile") == [f"-{machine.home}/environment"]
    assert "write MAIL_URL, MUSIC_ORCHESTRATOR_TRANSFERS, RCLONE_CONFIG_OTHER_PASS, WEB_PASSWORD into" in err
    assert "hidden" not in out + err
    assert "nothing for cron: cron has no credentials (nas, ping)" in err


def test_the_password_of_an_encrypted_rclone_config_is_asked_for(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    conf = machine.home / "conf" / "rclone.conf"
    conf.parent.mkdir()
    conf.write_text("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n")
    out, err = machine.says("nightly", "--systemd", "--rclone-config", str(conf))
    assert "give the config `rclone_config_password`" in err
    machine.write(
        'nightly: {at: 02:30, steps: {sync: {a: library, b: "box:", mode: to-cloud}}}',
        "rclone_config_password: {credential: rclone}",
    )
    out, err = machine.says("nightly", "--systemd", "--rclone-config", str(conf))
    assert settings(out, "LoadCredential") == ["rclone:/etc/credstore/rclone"]
    assert f"-{machine.home}/library" in settings(out, "ReadWritePaths")
    assert "so the folders of this machine that box: leads to are unknown" in err


def test_by_hand_and_as_a_service_root_has_one_state_directory(machine: Machine, as_user: Callable[[int], None]) -> None:
    as_user(ROOT)
    of_the_system = machine.home / "var" / "music-orchestrator"
    own = machine.home / ".local" / "state" / "music-orchestrator"
    text = machine.files("nightly", "--systemd")[SERVICE]
    assert settings(text, "StateDirectory") == ["music-orchestrator"]
    of_the_system.mkdir(parents=True)  # systemd has made it
    assert chosen_directory(None, {}) == of_the_system
    assert machine.files("nightly", "--systemd")[SERVICE] == text
    own.mkdir(parents=True)  # but here is what was done by hand so far
    assert chosen_directory(None, {}) == own
    text = machine.files("nightly", "--systemd")[SERVICE]
    assert settings(text, "StateDirectory") == []
    assert f"-{own}" in settings(text, "ReadWritePaths")
    text = machine.files("nightly", "--systemd", "--state-dir", str(machine.home / "s"))[SERVICE]
    assert f"-{machine.home}/s" in settings(text, "ReadWritePaths")
    assert f" --state-dir {machine.home}/s " in settings(text, "ExecStart")[0]


def test_a_home_that_sudo_has_kept_is_named(
    machine: Machine, as_user: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(ROOT)
    monkeypatch.setenv("SUDO_USER", "me")
    monkeypatch.setattr("pwd.getpwnam", lambda _: SimpleNamespace(pw_dir=str(machine.home)))
    assert "nightly would run as root with the config and home of me: use `sudo -H`" in machine.says("nightly")[1]
    monkeypatch.setattr("pwd.getpwnam", lambda _: SimpleNamespace(pw_dir="/home/me"))
    assert "sudo" not in machine.says("nightly")[1]


def test_a_job_that_says_how_long_it_waits_is_believed(machine: Machine) -> None:
    machine.write("-x: {at: [02:30, Mon 6:00], wait: 5m, steps: {scan: {location: library}}}")
    out, _ = machine.says("--cron", "--", "-x")
    assert "--wait" not in out
    assert out.count(" -- -x\n") == 2


def test_notes_do_not_get_into_a_crontab(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "music")
    out, err = machine.says("nightly", "--cron")
    assert [line for line in out.splitlines() if not line.startswith(("#", "30 2 * * * "))] == []
    assert "AWS_PROFILE" in err


def test_doctor_names_what_starts_nothing_or_something_else(machine: Machine, as_user: Callable[[int], None]) -> None:
    """A timer that is switched off, a file that is missing or outdated, and a job that is gone."""
    as_user(USER)
    machine.says("nightly", "--install", "--systemd")
    systemctl = machine.home / "bin" / "systemctl"
    assert machine.doctor() == {}
    systemctl.write_text("#!/bin/sh\necho disabled >&2\nexit 1\n")
    (off,) = machine.doctor(3)["schedule nightly"]
    assert off.startswith(f"{TIMER} is not switched on: `systemctl --user enable --now {TIMER}`")
    systemctl.write_text("#!/bin/sh\n")
    folder = machine.home / ".config" / "systemd" / "user"
    (folder / TIMER).unlink()
    (missing,) = machine.doctor(3)["schedule nightly"]
    assert missing == (
        f"{folder / TIMER} is missing beside {folder / SERVICE}: "
        "`music-orchestrator schedule nightly --systemd --install` writes it again"
    )
    machine.says("nightly", "--install", "--systemd")
    machine.write("nightly: {at: 04:30, steps: {scan: {location: library}}}")
    (outdated,) = machine.doctor(3)["schedule nightly"]
    assert f"{folder / TIMER} does not fit the config any more: `music-orchestrator schedule nightly" in outdated
    machine.write("other: [{scan: {location: library}}]")
    gone = machine.doctor(2)["schedule nightly"]
    assert len(gone) == 1
    assert "which is not in the config: `music-orchestrator schedule nightly --remove`" in gone[0]
