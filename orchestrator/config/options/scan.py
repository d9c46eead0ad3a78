"""`scan`, `scan` as a step of a job, and `stats`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import SCANS
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import Exclude, Include, Page, Reading, Settle


class ScanStep(Options, frozen=True):
    """`scan` as a step of a job."""

    location: Annotated[str, argument("The location to scan.", completes="location")]
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None
    reading: Reading = None


class ScanOptions(Options, frozen=True):
    """`scan`."""

    common: ClassVar[tuple[str, ...]] = (*SCANS, "max_cost", "max_transfer", "strict")

    location: Annotated[str | None, argument("The location to scan.", completes="location")] = None
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None
    reading: Reading = None
    allow_empty: Annotated[bool, option("Accept that all, or at least half, of the known music is gone.")] = False
    explain: Annotated[
        tuple[str, ...],
        option(
            "Do not scan: read this file of LOCATION and show each request with its reason.",
            metavar="PATH",
        ),
    ] = ()


class StatsOptions(Options, frozen=True):
    """`stats`."""

    common: ClassVar[tuple[str, ...]] = SCANS

    location: Annotated[str, argument("The location to examine.", completes="location")]
    include: Include = ()
    exclude: Exclude = ()
    reading: Reading = None
    no_scan: Annotated[bool, option("Use only the catalogue: do not list files or contact the remote.")] = False
    cost: Annotated[bool, option("Also show what the library costs: storage, a full download, a reorganization.")] = False
    no_duplicates: Annotated[bool, option("Do not search for duplicates (saves memory on large libraries).")] = False
    html: Page = None
