"""`jobs:` in the config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, NamedTuple

from msgspec import Meta, Struct

from orchestrator.config.notify import Notify
from orchestrator.config.options.declare import Options
from orchestrator.config.options.dedup import DedupStep
from orchestrator.config.options.organize import OrganizeStep
from orchestrator.config.options.quarantine import QuarantineEmptyOptions
from orchestrator.config.options.scan import ScanStep
from orchestrator.config.options.sync import SyncStep
from orchestrator.config.options.verify import VerifyOptions


class JobStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a job: one command, its options spelled as on the command line."""

    organize: Annotated[OrganizeStep | None, Meta(description="Organize a location.")] = None
    sync: Annotated[SyncStep | None, Meta(description="Make two locations alike.")] = None
    dedup: Annotated[DedupStep | None, Meta(description="Find duplicates.")] = None
    scan: Annotated[ScanStep | None, Meta(description="Bring the catalogue up to date.")] = None
    verify: Annotated[VerifyOptions | None, Meta(description="Prove that a location holds all files of another one.")] = None
    quarantine_empty: Annotated[
        QuarantineEmptyOptions | None, Meta(description="Permanently delete what is in the quarantine of a location.")
    ] = None

    @property
    def commands(self) -> dict[str, Options]:
        """The name of each command that is given -> its options. A valid step has exactly one."""
        return {name: options for name in self.__struct_fields__ if (options := getattr(self, name)) is not None}


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job with settings of its own. One without is only the list of its steps, or its only step."""

    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        JobStep.__struct_fields__, "beside the settings of a job, its steps are written under `steps:`"
    )

    steps: Annotated[list[JobStep], Meta(description="What to do, in this order.")]
    keep_going: Annotated[bool, Meta(description="Go on with the next step after one that failed (default: the job ends).")] = (
        False
    )
    at: Annotated[
        str | list[str],
        Meta(
            description="When `schedule` lets the job start: 02:30, Mon..Fri 6,18:00, *-*-1 04:00 (the first of each month), or "
            "hourly, daily, weekly, monthly. `status` says if it has not.",
            examples=["02:30"],
        ),
    ] = []
    wait: Annotated[
        str | None,
        Meta(description="As --wait: how long to wait for another run to end (default: end with 8 at once).", examples=["10m"]),
    ] = None
    max_duration: Annotated[
        str | None, Meta(description="As --max-duration, for this job: end it (7) after this time.", examples=["4h"])
    ] = None
    max_transfer: Annotated[
        str | None, Meta(description="As --max-transfer, for this job: end it (7) before more is transferred.", examples=["10G"])
    ] = None
    max_cost: Annotated[
        str | None, Meta(description="As --max-cost, for this job: end it (7) before it costs more.", examples=["0.50"])
    ] = None
    html: Annotated[
        str | None,
        Meta(description="The file for a web page about the last run of this job.", examples=["~/music-reports/nightly.html"]),
    ] = None
    notify: Annotated[
        Notify | None, Meta(description="Where to report the end of this job, instead of as the config's `notify` says.")
    ] = None


JobText = Job | list[JobStep]
"""A job as it is written."""


def as_job(written: JobText) -> Job:
    """A job with its settings, also where only its steps are written."""
    return written if isinstance(written, Job) else Job(steps=written)


class PlacedStep(NamedTuple):
    """A step, and where it is written."""

    job: str
    key: tuple[str, ...]
    """Part by part: "jobs", the job ..., the number of the step."""
    step: JobStep


def placed_steps(jobs: Mapping[str, JobText], names: Sequence[str] | None = None) -> Iterator[PlacedStep]:
    """The steps of these jobs (None: of all) in order."""
    for job in jobs if names is None else names:
        written = jobs[job]
        above = ("jobs", job, "steps") if isinstance(written, Job) else ("jobs", job)
        for number, step in enumerate(as_job(written).steps):
            yield PlacedStep(job, (*above, str(number)), step)
