"""`dedup`, and `dedup` as a step of a job."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from orchestrator.config.options.common import CHANGES
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import (
    Checksum,
    Exclude,
    Include,
    Keep,
    MaxDelete,
    PlanFile,
    Reading,
    Reference,
    SameFormatOnly,
    Settle,
)

_WHAT_TO_DO = option("What to do with duplicates: report (default) or quarantine them.")


class DedupChoices(Options, frozen=True):
    """What the command and a step of a job have in common."""

    locations: Annotated[tuple[str, ...], argument("The locations to search.", metavar="LOCATION", completes="location")]
    dedup: Annotated[Literal["report", "quarantine"] | None, _WHAT_TO_DO] = None
    """None if not given: `delete` is refused only together with a `report` that was given."""
    delete: Annotated[
        bool,
        option(
            "Quarantine duplicates, then permanently delete those with the same bytes or audio, "
            "each after its kept copy has been verified."
        ),
    ] = False
    keep: Keep = None
    reference: Reference = ()
    same_format_only: SameFormatOnly = False
    checksum: Checksum = False
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None
    reading: Reading = None
    verify: Annotated[Literal["full"] | None, option("Verify kept copies that have no hash by reading them in full.")] = None


class DedupOptions(DedupChoices, frozen=True):
    """`dedup`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete", "strict")

    review: Annotated[
        bool, option("Look through the duplicates in the terminal and decide which copies to keep, before they are quarantined.")
    ] = False
    plan_file: PlanFile = None


class DedupStep(DedupChoices, frozen=True):
    """`dedup` as a step of a job."""

    max_delete: MaxDelete = None
