"""`queue list`, `flush` and `drop`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES, STATE
from orchestrator.config.options.declare import Options, argument, option


class QueueListOptions(Options, frozen=True):
    """`queue list`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, "rclone", "rclone_config")


class QueueFlushOptions(Options, frozen=True):
    """`queue flush`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete", "strict")

    due: Annotated[bool, option("Only try those whose next try has come.")] = False


class QueueDropOptions(Options, frozen=True):
    """`queue drop`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, "rclone", "rclone_config", "dry_run", "yes")

    pair: Annotated[
        tuple[str, ...], argument("A number from `queue list`, two locations, or `all`.", metavar="PAIR", completes="location")
    ]
