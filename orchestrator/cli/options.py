"""The options that every command takes, and how their texts are read. Imports nothing heavy: `--help` passes through here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from orchestrator.errors import UsageError

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

COMMON_HEADING = "Common options"


reading_option = click.option(
    "--reading",
    type=click.Choice(["few-requests", "few-bytes"]),
    help="What reading tags should save; each kind of remote has its own default.",
)
"""Of the commands that scan."""


def keep_options(function: FunctionT) -> FunctionT:
    """Add the options that say which copy stays."""
    for decorate in reversed(
        (
            click.option("--keep", metavar="CRITERIA", help="What decides which copy stays, first to last, with commas between."),
            click.option(
                "--reference", metavar="LOCATION", multiple=True, help="Files there never go. May be given several times."
            ),
            click.option("--same-format-only", is_flag=True, help="Keep lossy companions of lossless files."),
        )
    ):
        function = decorate(function)
    return function


class CommonOptions(NamedTuple):
    """What was said on the command line; None where nothing was."""

    dry_run: bool | None = None
    exit_code: bool | None = None
    yes: bool | None = None
    json: bool | None = None
    config: str | None = None
    state_dir: str | None = None
    rclone: str | None = None
    rclone_config: str | None = None
    bandwidth: str | None = None
    transfers: int | None = None
    max_delete: str | None = None
    ignore_marker: bool | None = None
    verbose: int = 0
    quiet: bool | None = None
    log_file: str | None = None

    def over(self, outer: CommonOptions | None) -> CommonOptions:
        """These options, with those given before the command's name where these say nothing."""
        if outer is None:
            return self
        merged = {name: getattr(self, name) if getattr(self, name) is not None else getattr(outer, name) for name in self._fields}
        merged["verbose"] = self.verbose + outer.verbose
        return CommonOptions(**merged)


class CommonOption(click.Option):
    """Listed under its own heading by `--help`."""


_COMMON: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--dry-run",), {"is_flag": True, "help": "Show what would be done; change nothing, take no lock."}),
    (("--exit-code",), {"is_flag": True, "help": "With --dry-run: end with 10 when changes are pending."}),
    (("--yes", "-y"), {"is_flag": True, "help": "Do not ask. Needed for changes without a terminal."}),
    (("--json",), {"is_flag": True, "help": "JSON lines on stdout, and nothing else there."}),
    (("--config",), {"metavar": "FILE", "help": "The config file."}),
    (("--state-dir",), {"metavar": "DIR", "help": "Where catalogue, journal and locks lie."}),
    (("--rclone",), {"metavar": "PATH", "help": "The rclone binary."}),
    (("--rclone-config",), {"metavar": "FILE", "help": "The rclone config file, used in place."}),
    (("--bandwidth",), {"metavar": "RATE", "help": "Limit in rclone's syntax, such as 10M or a timetable."}),
    (("--transfers",), {"type": click.IntRange(1, 1000), "metavar": "N", "help": "Transfers at the same time (8)."}),
    (("--max-delete",), {"metavar": "N|N%", "help": "Stop (7) when more files than this would be removed."}),
    (("--ignore-marker",), {"is_flag": True, "help": "Go on although another run seems to be at work there."}),
    (("--verbose", "-v"), {"count": True, "help": "Say more; twice: also what went wrong inside."}),
    (("--quiet", "-q"), {"is_flag": True, "help": "Say nothing when there was nothing to do."}),
    (("--log-file",), {"metavar": "FILE", "help": "Where the log goes."}),
)


def common_options(function: FunctionT) -> FunctionT:
    """Add the common options; the function gets them as keywords of the names of `CommonOptions`."""
    for names, settings in reversed(_COMMON):
        default: Any = 0 if settings.get("count") else None
        function = click.option(*names, cls=CommonOption, default=default, **settings)(function)
    return function


def take_common(values: dict[str, Any]) -> CommonOptions:
    """Take the common options out of a command's keywords."""
    return CommonOptions(**{name: values.pop(name) for name in CommonOptions._fields})


class Limit(NamedTuple):
    """`--max-delete`: so many files, or so many of a hundred."""

    number: float
    percent: bool

    def allows(self, removed: int, of: int) -> bool:
        """Whether `removed` of `of` files may go."""
        return removed <= (of * self.number / 100 if self.percent else self.number)

    def __str__(self) -> str:
        return f"{self.number:g}{'%' if self.percent else ''}"


def parse_limit(text: str | int | None, name: str = "--max-delete") -> Limit | None:
    """Read `N` or `N%`. Raises UsageError, which says `name`."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", str(text).strip())
    if found is None or (not found[2] and "." in found[1]) or (found[2] and float(found[1]) > 100):
        raise UsageError(f"{name} {text}: write a number of files (20) or a share of them (10%)")
    return Limit(float(found[1]), bool(found[2]))


_LONGEST_S = 100 * 365 * 86400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str | None, name: str = "--settle") -> float:
    """Seconds of `90`, `5m`, `1h30m`. Raises UsageError, which says `name`."""
    if not text:
        return 0.0
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhdw]|\Z)", text)
    seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if not re.fullmatch(r"\d+(\.\d+)?|(\d+(\.\d+)?[smhdw])+", text) or seconds > _LONGEST_S:
        raise UsageError(f"{name} {text}: write a time such as 90s, 5m, 2h or 1d")
    return seconds


_RATE = r"(?:off|\d+(?:\.\d+)?[BKMGTP]?i?)"
_BANDWIDTH = re.compile(rf"(?:(?:[A-Za-z]{{3}}-)?\d{{1,2}}:\d{{2}},)?{_RATE}(?::{_RATE})?", re.IGNORECASE)


def parse_bandwidth(text: str | None, name: str = "--bandwidth") -> str | None:
    """Check rclone's syntax, timetables included. Raises UsageError, which says `name`."""
    if text is None:
        return None
    if not text.split() or not all(_BANDWIDTH.fullmatch(part) for part in text.split()):
        raise UsageError(f'{name} {text}: write a rate such as 10M, or a timetable such as "08:00,512k 19:00,10M"')
    return text
