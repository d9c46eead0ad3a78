"""`schedule`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import REMOTES, STATE
from orchestrator.config.options.declare import Options, argument, option


class ScheduleOptions(Options, frozen=True):
    """`schedule`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, *REMOTES, "dry_run")

    job: Annotated[str | None, argument("A job of the config.")] = None
    at: Annotated[
        tuple[str, ...],
        option(
            'When to start it: 02:30, "Mon..Fri 6,18:00", "*-*-1 04:00", hourly, daily, weekly, monthly '
            "(default: `at` of the job).",
            metavar="TIME",
        ),
    ] = ()
    systemd: Annotated[bool, option("Print only the service and the timer for systemd.")] = False
    cron: Annotated[bool, option("Print only the line for cron.")] = False
    launchd: Annotated[bool, option("Print only the property list for launchd (macOS).")] = False
    install: Annotated[
        bool, option("Write the files where they belong and switch them on: as root for the machine, otherwise for you.")
    ] = False
    remove: Annotated[bool, option("Switch off and remove what --install wrote for the job.")] = False
    list: Annotated[bool, option("List what is installed, and whether it still fits the config.")] = False
    force: Annotated[bool, option("Replace or remove files that are not ours or were edited, too.")] = False
