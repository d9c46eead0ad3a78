"""What a run did as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from orchestrator.paths import join_location
from orchestrator.plan.model import Plan, Verb
from orchestrator.report.html.changes import Result, Tally, result_of, write_changes
from orchestrator.report.html.document import Code, Column, Document, Left, Remark, Section, Table
from orchestrator.report.html.plan_page import (
    changes_intro,
    codes_of,
    duplicates_section,
    sentence,
    stays_section,
    title_of,
    write_left,
)
from orchestrator.report.html.rows import Rows
from orchestrator.report.plan_outline import outline
from orchestrator.report.plan_view import PlanStep, iterate_steps
from orchestrator.wording import counted

_COST_COLUMNS = (Column("What"), Column("Estimated", number=True), Column("Counted", number=True))
_STAYS = "The numbers are those of the plan. The files are those that its command would leave as they are now."
_PROBLEMS = ("failed", "skipped", "half-way")


class RunFacts(NamedTuple):
    """What the journal says of a run."""

    id: str
    command: str
    plan: Plan
    results: Mapping[str, Result]
    """By the id of an operation."""
    facts: Sequence[tuple[str, str]]
    """What else there is to know, such as when it was."""
    ended: bool
    undone_by: str | None = None
    costs: Sequence[Sequence[str]] = ()
    """Rows of three: what, estimated, counted."""


class Outcome:
    """What became of all changes of some runs."""

    def __init__(self, runs: Sequence[RunFacts]) -> None:
        self.done = Tally()
        self._runs = runs
        self._states: Counter[str] = Counter()
        self._duplicates = False
        self._problems: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], str] = {}
        for run in runs:
            for step in iterate_steps(run.plan):
                self._add(step, result_of(step, run.results))

    def _add(self, step: PlanStep, result: Result) -> None:
        self._states[result.state] += 1
        self._duplicates |= step.kept is not None and step.verb is Verb.QUARANTINE
        if result.state == "done":
            self.done.add(step)
        elif result.state in _PROBLEMS:
            key = result.state, _without_paths(result.message or "", step)
            self._problems[key] += 1
            self._first.setdefault(key, join_location(step.src.fs, step.src.path))

    @property
    def lead(self) -> str:
        """How much is done."""
        number = self._states.total()
        if self._states["done"] == number:
            return "The change is done." if number == 1 else f"All {number:,} changes are done."
        parts = [f"{self._states[state]:,} {state}" for state in (*_PROBLEMS, "not done") if self._states[state]]
        return f"{self._states['done']:,} of {number:,} changes are done, {', '.join(parts)}."

    def problems(self) -> Iterator[Section]:
        """What went wrong, those with one reason together, the most frequent first; nothing if all is well."""
        if self._problems:
            columns = (Column("Files", number=True), Column("Result"), Column("Why"), Column("The first of them"))
            found = self._problems.most_common()
            rows = [((f"{number:,}", number), state, why, self._first[state, why]) for (state, why), number in found]
            intro = "What is alike stands together; the boxes above the changes show each file."
            yield Section(name="problems", heading="Problems", intro=intro, table=Table("Problems", columns, rows, "reasons"))

    def duplicates(self) -> Iterator[Section]:
        """The duplicates, if there are any."""
        if self._duplicates:
            yield duplicates_section("went")

    def undo_section(self) -> Section:
        """What `undo` would do."""
        if undone := [run for run in self._runs if run.undone_by is not None]:
            intro = " ".join(f"Run {run.id} was undone by run {run.undone_by}." for run in undone)
            return Section(name="undo", heading="What undo would do", intro=intro)
        commands = ", then ".join(f"`undo {run.id}`" for run in reversed(self._runs))
        intro = f"{commands} would take this back, after showing it and asking, as long as quarantine and trash are not emptied."
        return Section(name="undo", heading="What undo would do", intro=intro, sentences=[*self.done.undo()])


def run_document(run: RunFacts, left: Sequence[Left] = (), remedies: Mapping[str, str] | None = None) -> Document:
    """The page of one run. `left`: the problems that are known in its locations now."""
    plan, said, outcome = run.plan, outline(run.plan), Outcome([run])
    charts = outcome.done.charts()
    sections = [*outcome.problems()]
    if charts:
        sections.append(Section(name="pictures", heading="In pictures", intro="Of what was done.", view="charts"))
    sections.append(
        Section(name="changes", heading="Changes", intro=changes_intro(plan.header, done=True), view="changes"),
    )
    sections += [*outcome.duplicates(), *stays_section(said, left, _STAYS)]
    costs = Table("What it cost", _COST_COLUMNS, run.costs, "rows") if run.costs else None
    sections.append(Section(name="cost", heading="The run, and what it cost", facts=run.facts, table=costs))
    sections.append(outcome.undo_section())
    planned = [Remark(sentence(f"The plan was: {said.headline}"))] if said.changes else []

    def rows(to: Rows) -> None:
        write_changes(to, plan, run.results)
        write_left(to, left)

    return Document(
        kind=f"Run {run.id}",
        title=f"{run.command}: {title_of(plan.header)}",
        lead=outcome.lead,
        remarks=[*_remarks(run, outcome), *planned],
        sections=sections,
        charts=charts,
        codes=codes_of(left, said, remedies or {}),
        results=True,
        several=len(plan.header.locations) > 1,
        rows=rows,
        footer=f"Run {run.id} of plan {plan.header.plan_id}, by music-orchestrator {plan.header.tool_version}.",
    )


def _remarks(run: RunFacts, outcome: Outcome) -> Iterator[Remark]:
    if not run.ended:
        yield Remark("The run is not finished: `resume` continues it.", careful=True)
    if run.undone_by is not None:
        yield Remark(f"Run {run.undone_by} has undone it.")
    if number := outcome.done.deleted_for_good:
        yield Remark(f"{counted(number, 'file')} deleted for good.", careful=True)


def _without_paths(message: str, step: PlanStep) -> str:
    """A message without the names of its file, so that it is the same for all."""
    for path in sorted({step.src.path, step.dst.path}, key=len, reverse=True):
        message = message.replace(join_location(step.src.fs, path), "…").replace(path, "…")
    return message.removeprefix("…: ")


def codes_of_problems(left: Sequence[Left], remedies: Mapping[str, str]) -> dict[str, Code]:
    """The kinds of these problems, by their words alone."""
    codes = dict.fromkeys(one.code for one in left)
    return {code: Code(code.replace("-", " ").capitalize(), remedies.get(code, "")) for code in codes}
