"""Units, lines for cron and lists for launchd say to those who read them what a schedule says, whatever its names are."""

from __future__ import annotations

import json
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.calendar import parse_calendar
from orchestrator.errors import UsageError
from orchestrator.schedules import crontab, launchd, systemd
from orchestrator.schedules.marks import mark_of
from orchestrator.schedules.records import Schedule, ScheduleFile
from tests.schedules.units import analyze, command_of, cron_command, dump, planned, verified

SYSTEM = Path("/etc/systemd/system")
HOSTILE = (
    "two words",
    "50%",
    "%h%n",
    "$HOME ${HOME}",
    "back\\slash\\",
    "\\%",
    "quo\"te'",
    "ü☃",
    "; rm -rf x",
    "#no comment",
    "-f",
    ".hidden",
    "a/b",
    "*?[x]",
    "tab\there",
    "`date`",
    "@daily",
)

SERVICE = """\
[Unit]
Description=music-orchestrator: run the job nightly of the config
Wants=network-online.target
After=network-online.target
RequiresMountsFor=/srv/music

[Service]
Type=oneshot
ExecStart=/usr/bin/music-orchestrator run --quiet nightly
Environment=PATH=/usr/bin:/bin
Environment=HOME=/root
CacheDirectory=music-orchestrator
Environment=XDG_CACHE_HOME=/var/cache/music-orchestrator
EnvironmentFile=-/etc/music-orchestrator/environment
LoadCredential=nas:/etc/credstore/nas
Nice=10
# Every code but 0 is a failure, 3 included: it is news that somebody should read. A stop is none: the files in flight
# arrive, and the next start continues. For this, only the program gets the signal, and not its rclone.
KillMode=mixed
TimeoutStopSec=30
SuccessExitStatus=130

# UMask= is left as it is: others may have to read the music.
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateTmp=yes
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID
StateDirectory=music-orchestrator
StateDirectoryMode=0700
# The folders of the job, and that of rclone.conf, which rclone replaces when a token is refreshed.
ReadWritePaths=-/srv/music
ReadWritePaths=-/root/.config/rclone
"""

TIMER = """\
[Unit]
Description=music-orchestrator: run the job nightly of the config

[Timer]
OnCalendar=*-*-* 02:30:00
# A start that was missed, because the machine was off, is made up for.
Persistent=yes
RandomizedDelaySec=300

[Install]
WantedBy=timers.target
"""

WHOLE = planned(
    command=("/usr/bin/music-orchestrator", "run", "--quiet", "nightly"),
    writable=("/srv/music", "/root/.config/rclone"),
    locations=("/srv/music",),
    credentials=("nas",),
    state_directory="music-orchestrator",
    variables="/etc/music-orchestrator/environment",
)


def below_mark(file: ScheduleFile) -> str:
    first, mark, *lines = file.text.split("\n")
    assert first == f"# {file.path}"
    assert mark.startswith("# Written by `music-orchestrator schedule`: ")
    return "\n".join(lines)


def units(schedule: Schedule) -> tuple[ScheduleFile, ScheduleFile]:
    return systemd.units(schedule, SYSTEM)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that prints its arguments and its environment."""
    path = tmp_path_factory.mktemp("bin") / "music-orchestrator"
    code = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), sys.stdin.read()]))"
    path.write_text(f"#!{sys.executable} -S\n{code}\n")
    path.chmod(0o755)
    return path


def test_the_units_of_a_job_of_the_system() -> None:
    service, timer = units(WHOLE)
    assert str(service.path) == "/etc/systemd/system/music-orchestrator-nightly.service"
    assert str(timer.path) == "/etc/systemd/system/music-orchestrator-nightly.timer"
    assert below_mark(service) == SERVICE
    assert below_mark(timer) == TIMER


def test_systemd_takes_the_units_and_finds_them_well_confined(tmp_path: Path, program: Path) -> None:
    service, timer = units(planned(command=(str(program), "run"), writable=("/srv/music",), credentials=("nas",)))
    verified((service, timer), tmp_path)
    judged = analyze("security", "--offline=true", "--threshold=30", str(tmp_path / Path(str(service.path)).name))
    assert judged.returncode == 0, judged.stdout[-300:]


def test_a_user_has_units_that_need_no_privilege(tmp_path: Path) -> None:
    service, timer = units(planned(system=False, writable=("/srv/music",), home="/home/me", credentials=("nas",)))
    verified((service, timer), tmp_path)
    settings = dict(line.split("=", 1) for line in service.text.splitlines() if "=" in line and line[0] != "#")
    privileged = ("Protect", "Private", "ReadWrite", "Capability", "StateDir", "CacheDir", "RequiresMountsFor", "After")
    assert not [name for name in settings if name.startswith(privileged)]
    assert settings["NoNewPrivileges"] == settings["MemoryDenyWriteExecute"] == "yes"
    assert settings["LoadCredential"] == "nas:/home/me/.config/credstore/nas"


@pytest.mark.parametrize("name", HOSTILE)
def test_systemd_reads_any_name_as_it_is(name: str, tmp_path: Path, program: Path) -> None:
    folder = tmp_path / "x" / name
    folder.mkdir(parents=True)
    copy = shutil.copy(program, folder / "music-orchestrator")
    where = str(folder)
    schedule = planned(
        name,
        command=(str(copy), "run", "--config", where, "--", name),
        writable=(where,),
        locations=(where,),
        path=(where, "/bin"),
        home=where,
        variables=f"{where}/environment",
    )
    files = units(schedule)
    verified(files, tmp_path)
    read = dump(files, tmp_path)
    if "\t" not in name:  # shown as an escape that sh does not know
        (line,) = [one for one in read.splitlines() if "Command Line: " in one]
        shown = f"printf '%s\\0' {line.partition('Command Line: ')[2]}"
        words = subprocess.run(["/bin/sh", "-c", shown], capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
        assert (words[1:] if words[0] == "/usr/bin/env" else words) == [*schedule.command]
    assert f"ReadWritePaths: -{where}" in read
    assert f"PATH={where}:/bin\n" in read
    assert f"HOME={where}\n" in read
    assert f"EnvironmentFile: -{where}/environment\n" in read
    assert f"Description: music-orchestrator: run the job {name} of the config\n" in read
    assert "OnCalendar" in files[1].text


def test_the_name_of_a_unit_holds_what_it_can(tmp_path: Path) -> None:
    assert systemd.unit_name("my-job_2.x:y") == "music-orchestrator-my-job_2.x:y"
    escape = [shutil.which("systemd-escape") or pytest.fail("part of systemd"), "--unescape"]
    names = [systemd.unit_name(name).removeprefix("music-orchestrator-") for name in HOSTILE if "-" not in name]
    read = subprocess.run([*escape, *names], capture_output=True, text=True, check=True).stdout
    assert read == " ".join(name for name in HOSTILE if "-" not in name) + "\n"
    made = [systemd.unit_name(name) for name in HOSTILE]
    assert len({*made}) == len(HOSTILE)
    with pytest.raises(UsageError, match="too long"):
        systemd.unit_name("ü" * 60)


@pytest.mark.parametrize("name", HOSTILE)
def test_cron_and_sh_read_any_name_as_it_is(name: str, tmp_path: Path, program: Path) -> None:
    folder = tmp_path / "x" / name
    folder.mkdir(parents=True)
    copy = shutil.copy(program, folder / "music-orchestrator")
    (folder / "environment").write_text("SECRET='a b'\n")
    command = (str(copy), "run", "--config", f"{folder}/c.yaml", "--", name)
    schedule = planned(name, command=command, home=str(folder), path=(str(folder), "/bin"), variables=f"{folder}/environment")
    text, given = cron_command(command_of(crontab.crontab(schedule, None).text))
    ran = subprocess.run(["/bin/sh", "-c", text], input=given, capture_output=True, text=True, env={}, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    arguments, environment, typed = json.loads(ran.stdout)
    assert (arguments, typed) == ([*command[1:]], "")
    assert environment["HOME"] == str(folder)
    assert environment["PATH"] == f"{folder}:/bin"
    assert environment["SECRET"] == "a b"
    file = crontab.crontab(schedule, Path("/etc/cron.d"))
    assert command_of(file.text, user=True) == command_of(crontab.crontab(schedule, None).text)
    assert file.path is not None
    assert set(file.path.name) <= {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"}


@pytest.mark.parametrize("name", HOSTILE)
def test_launchd_reads_any_name_as_it_is(name: str) -> None:
    if "\t" in name or name == "-f":
        name += "--"
    file = launchd.property_list(planned(name, command=("/bin/x", "run", name)), Path("/Library/LaunchDaemons"))
    read = plistlib.loads(file.text.encode())
    assert read["ProgramArguments"] == ["/bin/x", "run", name]
    assert read["StartCalendarInterval"] == [{"Hour": 2, "Minute": 30}]
    assert file.path is not None
    assert file.path.stem == read["Label"] == file.unit
    mark = mark_of(file.text)
    assert mark is not None
    assert (mark.job, mark.intact) == (name, True)


@pytest.mark.parametrize("make", [units, lambda one: crontab.crontab(one, None)], ids=["systemd", "cron"])
@pytest.mark.parametrize("field", ["command", "writable"])
def test_a_line_break_is_refused(make: Any, field: str) -> None:
    settings: dict[str, Any] = {"command": ("/bin/x", "a\nExecStart=b")} if field == "command" else {"home": "/a\n* * * * * b"}
    with pytest.raises(UsageError, match="line break"):
        make(planned(**settings))


@pytest.mark.parametrize(
    ("at", "calendar", "cron", "starts"),
    [
        ("03:00", "*-*-* 03:00:00", "0 3 * * *", [{"Hour": 3, "Minute": 0}]),
        ("hourly", "*-*-* *:00:00", "0 * * * *", [{"Minute": 0}]),
        ("*:*", "*-*-* *:*:00", "* * * * *", [{}]),
        ("weekly", "Mon *-*-* 00:00:00", "0 0 * * 1", [{"Weekday": 1, "Hour": 0, "Minute": 0}]),
        ("Sat,Sun 9:00", "Sat,Sun *-*-* 09:00:00", "0 9 * * 0,6", [{"Weekday": day, "Hour": 9, "Minute": 0} for day in (6, 0)]),
        ("Mon..Fri 6,18:00", "Mon,Tue,Wed,Thu,Fri *-*-* 06,18:00:00", "0 6,18 * * 1-5", None),
        ("*-*-1,15 04:00", "*-*-01,15 04:00:00", "0 4 1,15 * *", [{"Day": day, "Hour": 4, "Minute": 0} for day in (1, 15)]),
        ("yearly", "*-01-01 00:00:00", "0 0 1 1 *", [{"Month": 1, "Day": 1, "Hour": 0, "Minute": 0}]),
        ("9..17/4:30:00", "*-*-* 09,13,17:30:00", "30 9,13,17 * * *", None),
        ("*:0/15", "*-*-* *:00,15,30,45:00", "*/15 * * * *", [{"Minute": minute} for minute in (0, 15, 30, 45)]),
        ("Fri *-*-13 02:00", "Fri *-*-13 02:00:00", None, None),
    ],
)
def test_when_a_job_starts_is_the_same_in_each_form(
    at: str, calendar: str, cron: str | None, starts: list[dict[str, int]] | None
) -> None:
    read = parse_calendar(at)
    assert systemd.calendar_text(read) == calendar
    assert analyze("calendar", calendar).returncode == 0
    assert parse_calendar(calendar) == read, "systemd's own text can be written as `at`, too"
    if cron is None:
        for make in (lambda: crontab.fields(read), lambda: launchd.property_list(planned(at=(at,)), Path("/x"))):
            with pytest.raises(UsageError, match="cannot express this time"):
                make()
        return
    assert crontab.fields(read) == cron
    plist = plistlib.loads(launchd.property_list(planned(at=(at,)), Path("/x")).text.encode())
    assert starts is None or plist["StartCalendarInterval"] == starts


def test_the_times_in_the_docs_are_understood() -> None:
    table = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text(encoding="utf-8").partition("## When")[2]
    texts = [text for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for text in re.findall(r"`([^`]+)`", row)]
    assert len(texts) > 15
    for text in texts:
        assert analyze("calendar", systemd.calendar_text(parse_calendar(text))).returncode == 0, text


def test_what_cron_and_launchd_have_no_credentials_for_is_refused() -> None:
    for make in (lambda: crontab.crontab(WHOLE, None), lambda: launchd.property_list(WHOLE, Path("/x"))):
        with pytest.raises(UsageError, match="no credentials"):
            make()
    with pytest.raises(UsageError, match="no credential of this name"):
        units(planned(credentials=("a:b",)))


def test_a_line_that_some_crons_would_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than"):
        crontab.crontab(planned(home="/" + "x" * 1000), None)


def test_a_location_below_tmp_is_not_hidden_from_the_service() -> None:
    service, _ = units(planned(writable=("/tmp/music",)))
    assert "PrivateTmp=no\n" in service.text
    assert "ReadWritePaths=/tmp\n" in service.text
