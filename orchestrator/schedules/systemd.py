"""A service and a timer for systemd.

The service may write only where the job needs it. Each path begins with `-`, because the program says better than systemd that
one is missing. The timer does not require the service, which would then start at each boot. A user's service has no namespaces
of its own, because whether it may make them differs from kernel to kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.config.calendar import WEEKDAYS, Calendar
from orchestrator.errors import UsageError
from orchestrator.schedules.marks import marked
from orchestrator.schedules.records import NAME, Schedule, ScheduleFile, escaped
from orchestrator.wording import repeated

SYSTEM_FOLDER = Path("/etc/systemd/system")
LONGEST_NAME = 255
"""Characters of the name of a unit."""
STOP_S = 30
"""Seconds: files in flight may take 10 to finish (`FINISH_S` in cli/signals.py), and a busy disk as long again to record them."""
DELAY_S = 300
"""Seconds: not all machines of the world should call a provider at 02:00:00. Not for what starts more often than once an hour."""
CREDENTIALS = "/etc/credstore"
ENCRYPTED_CREDENTIALS = "/etc/credstore.encrypted"
_HEXADECIMAL = b"\\x%02x"
_PLAIN = re.compile(r'[^\s"\'\\;]+')
_SHARED_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - compared, not used

_FOR_ALL = """\
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM"""

_FOR_SYSTEM = """\
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes"""

_CAPABILITIES = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID"
"""A copy keeps the owner of its source."""


def units(schedule: Schedule, folder: Path) -> tuple[ScheduleFile, ScheduleFile]:
    """The service and the timer. Raises UsageError for what a unit cannot hold."""
    name = unit_name(schedule.job)
    service, timer = folder / f"{name}.service", folder / f"{name}.timer"
    return (
        ScheduleFile(form="systemd", path=service, text=_text(schedule, service, _service(schedule))),
        ScheduleFile(form="systemd", path=timer, text=_text(schedule, timer, _timer(schedule)), unit=timer.name),
    )


def unit_name(job: str) -> str:
    """The name of the units of a job, without their ending: what a name cannot hold is written as systemd-escape does.

    Raises UsageError for one that is too long.
    """
    name = f"{NAME}-{escaped(job, b'A-Za-z0-9:_.-', _HEXADECIMAL)}"
    if len(f"{name}.service") > LONGEST_NAME:
        raise UsageError(f"the name of the job {repeated(job)} is too long for a unit of systemd")
    return name


def calendar_text(calendar: Calendar) -> str:
    """A calendar for OnCalendar=."""
    weekdays = ",".join(WEEKDAYS[day] for day in calendar.weekdays)
    date = f"*-{_numbers(calendar.months)}-{_numbers(calendar.days)}"
    hours = _numbers(calendar.hours) if len(calendar.hours) < 24 else "*"
    minutes = _numbers(calendar.minutes) if len(calendar.minutes) < 60 else "*"
    return f"{f'{weekdays} ' if weekdays else ''}{date} {hours}:{minutes}:00"


def _text(schedule: Schedule, path: Path, lines: Iterator[str]) -> str:
    return marked([f"# {_line(str(path))}", *lines], 1, schedule.job, schedule.given)


def _timer(schedule: Schedule) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description={_description(schedule.job)}"
    yield ""
    yield "[Timer]"
    yield from (f"OnCalendar={calendar_text(calendar)}" for calendar in schedule.calendars)
    yield "# A start that was missed, because the machine was off, is made up for."
    yield "Persistent=yes"
    if all(len(calendar.minutes) == 1 for calendar in schedule.calendars):
        yield f"RandomizedDelaySec={DELAY_S}"
    yield ""
    yield "[Install]"
    yield "WantedBy=timers.target"


def _service(schedule: Schedule) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description={_description(schedule.job)}"
    if schedule.system:
        yield "Wants=network-online.target"
        yield "After=network-online.target"
        yield from (f"RequiresMountsFor={_word(path)}" for path in schedule.locations)
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    yield f"ExecStart={_command(schedule.command)}"
    yield f"Environment={_word('PATH=' + ':'.join(schedule.path))}"
    yield f"Environment={_word('HOME=' + schedule.home)}"
    if schedule.system:
        yield f"CacheDirectory={NAME}"
        yield f"Environment=XDG_CACHE_HOME=/var/cache/{NAME}"
    if schedule.variables is not None:
        yield f"EnvironmentFile=-{_line(schedule.variables).replace('%', '%%')}"
    yield from (f"{_credential(name, schedule)}" for name in schedule.credentials)
    yield "Nice=10"
    yield "# Every code but 0 is a failure, 3 included: it is news that somebody should read. A stop is none: the files in flight"
    yield "# arrive, and the next start continues. For this, only the program gets the signal, and not its rclone."
    yield "KillMode=mixed"
    yield f"TimeoutStopSec={STOP_S}"
    yield "SuccessExitStatus=130"
    yield ""
    yield "# UMask= is left as it is: others may have to read the music."
    yield from _FOR_ALL.splitlines()
    if schedule.system:
        yield from _system_hardening(schedule)


def _system_hardening(schedule: Schedule) -> Iterator[str]:
    yield from _FOR_SYSTEM.splitlines()
    hidden = any(_is_below(path, above) for path in (*schedule.writable, *schedule.command) for above in _SHARED_TEMPORARY)
    yield f"PrivateTmp={'no' if hidden else 'yes'}"
    yield f"CapabilityBoundingSet={_CAPABILITIES}"
    if schedule.state_directory is not None:
        yield f"StateDirectory={_word(schedule.state_directory)}"
        yield "StateDirectoryMode=0700"
    yield "# The folders of the job, and that of rclone.conf, which rclone replaces when a token is refreshed."
    yield from (f"ReadWritePaths={_word('-' + path)}" for path in schedule.writable)
    if hidden:
        yield from (f"ReadWritePaths={above}" for above in _SHARED_TEMPORARY)


def _credential(name: str, schedule: Schedule) -> str:
    """One line that loads a credential. Raises UsageError for a name that systemd refuses."""
    if not (name.isascii() and name.isprintable()) or ":" in name or len(name) > LONGEST_NAME:
        raise UsageError(f"credential {repeated(name)}: systemd has no credential of this name")
    encrypted = f"{ENCRYPTED_CREDENTIALS}/{name}"
    if schedule.system and Path(encrypted).exists():
        return f"LoadCredentialEncrypted={name}:{encrypted}".replace("%", "%%")
    folder = CREDENTIALS if schedule.system else f"{schedule.home}/.config/credstore"
    return f"LoadCredential={name}:{folder}/{name}".replace("%", "%%")


def _description(job: str) -> str:
    return f"music-orchestrator: run the job {_line(job).replace('%', '%%')} of the config"


def _command(words: Sequence[str]) -> str:
    """A command line. A `$` is kept by the prefix `:`, because doubling it does not help in the path of the program.

    systemd refuses programs with quotes, backslashes and control characters in their paths, but `env` takes any.
    """
    odd = any(character in "\"'\\" or not character.isprintable() for character in words[0])
    text = " ".join(_word(word) for word in (("/usr/bin/env", *words) if odd else words))
    return f":{text}" if "$" in text else text


def _word(text: str) -> str:
    """A word of a unit, quoted if needed, with `%` kept from being a specifier. Raises UsageError for a line break."""
    text = _line(text).replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(text: str) -> str:
    if any(character in text for character in "\n\r\0"):
        raise UsageError(f"{repeated(text)!r}: a unit of systemd cannot hold a line break")
    return text


def _numbers(numbers: Sequence[int]) -> str:
    return ",".join(f"{number:02}" for number in numbers) or "*"


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}/")
