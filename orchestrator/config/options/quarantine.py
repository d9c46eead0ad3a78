"""`quarantine list`, `restore` and `empty`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES, REMOTES, STATE
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import LocationArgument

OlderThan = Annotated[
    str | None,
    option("Only files that a run put there longer ago than this, such as 30d.", metavar="TIME", examples=["30d"]),
]


class QuarantineListOptions(Options, frozen=True):
    """`quarantine list`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, *REMOTES)

    location: LocationArgument
    older_than: OlderThan = None


class QuarantineRestoreOptions(Options, frozen=True):
    """`quarantine restore`."""

    common: ClassVar[tuple[str, ...]] = CHANGES

    items: Annotated[
        tuple[str, ...],
        argument(
            "An item or a run from `quarantine list`, `last` for the newest run, or the original path of a file.", metavar="ITEM"
        ),
    ]
    location: LocationArgument


class QuarantineEmptyOptions(Options, frozen=True):
    """`quarantine empty`."""

    common: ClassVar[tuple[str, ...]] = CHANGES

    location: LocationArgument
    older_than: OlderThan = None
