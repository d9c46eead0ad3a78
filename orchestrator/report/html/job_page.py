"""The last run of a job as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrator.report.html.changes import write_changes
from orchestrator.report.html.document import Column, Document, Left, Remark, Section, Table
from orchestrator.report.html.plan_page import AFTER_AND_BEFORE, write_left
from orchestrator.report.html.rows import Rows
from orchestrator.report.html.run_page import Outcome, RunFacts, codes_of_problems
from orchestrator.report.reporter import printable, with_location
from orchestrator.wording import counted

_STEPS = (
    Column("Step", number=True),
    Column("Command"),
    Column("Exit code", number=True),
    Column("Run"),
    Column("Time", number=True),
)


class JobFacts(NamedTuple):
    """How a job ended."""

    name: str
    facts: Sequence[tuple[str, str]]
    exit_code: int
    steps: Sequence[Sequence[str]]
    """Rows for the columns number, command, exit code, run, time."""
    runs: Sequence[RunFacts]
    errors: Sequence[str]
    """What was reported, the first ones only."""
    error_count: int
    made_by: str


def job_document(job: JobFacts, left: Sequence[Left] = (), remedies: Mapping[str, str] | None = None) -> Document:
    """The page of the last run of a job. `left`: the problems that are known in its locations."""
    outcome = Outcome(job.runs)
    sections = [Section(name="steps", heading="Steps", facts=job.facts, table=Table("Steps", _STEPS, job.steps, "steps"))]
    standing = {printable(with_location(one.reason, one.path, one.location)) for one in left}
    errors = [one for one in job.errors if one not in standing]
    if rest := job.error_count - len(job.errors):
        errors.append(f"{counted(rest, 'more error')}; the log has them")
    if errors:
        sections.append(Section(name="errors", heading="Reported", sentences=errors))
    if job.runs:
        sections += outcome.problems()
        intro = f"Each folder {AFTER_AND_BEFORE}; choose a file to see all about it."
        sections.append(Section(name="changes", heading="Changes", intro=intro, view="changes"))
        sections += outcome.duplicates()
    if left:
        intro = "Problems that stand in the locations of this job."
        sections.append(Section(name="stays", heading="What stays", intro=intro, view="stays"))
    if job.runs:
        sections.append(outcome.undo_section())

    def rows(to: Rows) -> None:
        for run in job.runs:
            write_changes(to, run.plan, run.results)
        write_left(to, left)

    remarks = [Remark(f"It ended with exit code {job.exit_code}.", careful=True)] if job.exit_code else []
    if left:
        remarks.append(Remark(f"{counted(len(left), 'problem')} known in its locations.", careful=True))
    return Document(
        kind="Job",
        title=job.name,
        lead=outcome.lead if job.runs else ("There was nothing to do." if not job.exit_code else "Nothing was changed."),
        remarks=remarks,
        sections=sections,
        codes=codes_of_problems(left, remedies or {}),
        results=bool(job.runs),
        several=len({location for run in job.runs for location in run.plan.header.locations} | {one.location for one in left})
        > 1,
        rows=rows,
        footer=job.made_by,
    )
