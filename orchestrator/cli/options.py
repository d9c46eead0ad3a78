"""The options that every command takes. Imports nothing heavy: `--help` passes through here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.config.options.common import CommonOptions

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
    return CommonOptions(**{name: values.pop(name) for name in CommonOptions.__struct_fields__})
