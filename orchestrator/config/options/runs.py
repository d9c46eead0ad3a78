"""`runs`, `resume` and `undo`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES, STATE
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import Page

_RUN = argument("The id of the run, as shown by `runs`, a unique beginning of it, or `last` for the newest run.", completes="run")


class RunsListOptions(Options, frozen=True):
    """`runs list`."""

    common: ClassVar[tuple[str, ...]] = STATE


class RunsShowOptions(Options, frozen=True):
    """`runs show`."""

    common: ClassVar[tuple[str, ...]] = STATE

    run: Annotated[str, _RUN]
    left: Annotated[bool, option("Show only what was not done, and the files that stay as they are, with the reasons.")] = False
    html: Page = None


class RunsAbandonOptions(Options, frozen=True):
    """`runs abandon`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, "rclone", "rclone_config", "dry_run", "exit_code", "yes")

    run: Annotated[str, _RUN]


class ResumeOptions(Options, frozen=True):
    """`resume`."""

    common: ClassVar[tuple[str, ...]] = CHANGES

    run: Annotated[str | None, _RUN] = None


class UndoOptions(Options, frozen=True):
    """`undo`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_cost", "max_transfer")

    run: Annotated[str, _RUN]
