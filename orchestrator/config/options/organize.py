"""`organize`, `plan`, and `organize` as a step of a job."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES, SCANS
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import (
    Checksum,
    DedupAction,
    Exclude,
    Include,
    Keep,
    MaxDelete,
    PlanFile,
    Reading,
    Reference,
    SameFormatOnly,
    Settle,
    VerifyCopies,
)


class OrganizeChoices(Options, frozen=True):
    """What `organize`, `plan` and a step of a job have in common."""

    source: Annotated[str, argument("The location to organize.", completes="location")]
    target: Annotated[str | None, argument("The location for the organized files (default: in place).", completes="location")] = (
        None
    )
    layout: Annotated[
        str | None,
        option(
            "The layout: a preset, such as by-class or plex, or a template, such as '{{ albumartist }}/{{ album }}/{{ title }}'.",
            metavar="NAME|TEMPLATE",
            completes="layout",
        ),
    ] = None
    copy: Annotated[bool, option("Copy files (default when TARGET is another location).", switch="transfer")] = False
    move: Annotated[bool, option("Move files (default in place).", switch="transfer")] = False
    mirror: Annotated[
        str | tuple[str, ...],
        option("Also copy the organized files to LOCATION.", metavar="LOCATION", completes="location"),
    ] = ()
    cloud_only: Annotated[bool, option("Refuse operations that would bring file contents through this machine.")] = False
    untagged: Annotated[str | None, option("Move untagged files to DIR (default: leave them in place).", metavar="DIR")] = None
    names_as_tags: Annotated[
        str | tuple[str, ...],
        option(
            "Where tags are missing, take them from names: auto, or a pattern like '{artist} - {title}'; off ignores the config.",
            metavar="auto|PATTERN",
            examples=["auto"],
        ),
    ] = ()
    leftovers: Annotated[
        str | None,
        option("Move files left behind in emptied music folders to DIR (default: leave them in place).", metavar="DIR"),
    ] = None
    playlists: Annotated[
        tuple[str, ...],
        option(
            "Also check the playlists in LOCATION, and report those with entries for files that move.",
            metavar="LOCATION",
            completes="location",
        ),
    ] = ()
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None
    reading: Reading = None
    dedup: Annotated[
        DedupAction | None, option("What to do with duplicates: ignore (off, the default), report, or quarantine them.")
    ] = None
    keep: Keep = None
    reference: Reference = ()
    same_format_only: SameFormatOnly = False
    checksum: Checksum = False

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The mirrors as they were typed."""
        return (self.mirror,) if isinstance(self.mirror, str) else self.mirror

    def copies(self, *, in_place: bool) -> bool:
        """Whether files are copied instead of moved."""
        return self.copy if self.copy or self.move else not in_place


class OrganizeOptions(OrganizeChoices, frozen=True):
    """`organize`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete", "strict")

    review: Annotated[
        bool, option("Look through the albums in the terminal and decide which files stay where they are, before they are moved.")
    ] = False
    plan_file: PlanFile = None
    verify: VerifyCopies = None


class PlanOptions(OrganizeChoices, frozen=True):
    """`plan`."""

    common: ClassVar[tuple[str, ...]] = (*SCANS, "dry_run", "exit_code", "strict")

    output: Annotated[
        str | None, option("Write the plan to this file (default: only show it).", short="-o", metavar="FILE", completes="file")
    ] = None
    no_scan: Annotated[bool, option("Plan from the catalogue alone: do not list files or contact the remote.")] = False


class OrganizeStep(OrganizeChoices, frozen=True):
    """`organize` as a step of a job."""

    verify: VerifyCopies = None
    max_delete: MaxDelete = None
