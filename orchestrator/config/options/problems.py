"""`problems list` and `ignore`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import STATE
from orchestrator.config.options.declare import Options, argument, option


class ProblemsListOptions(Options, frozen=True):
    """`problems list`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, "rclone", "rclone_config")

    location: Annotated[str | None, argument("The location (default: all).", completes="location")] = None
    ignored: Annotated[bool, option("Only list the problems that are ignored, and the patterns that ignore them.")] = False


class ProblemsIgnoreOptions(Options, frozen=True):
    """`problems ignore`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, "dry_run")

    files: Annotated[
        tuple[str, ...],
        argument("A file or folder as `problems` names it, or a pattern as for --exclude.", metavar="PATH|GLOB"),
    ]
    undo: Annotated[bool, option("Ignore them no longer: `problems` lists them again.")] = False
