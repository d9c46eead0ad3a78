"""A plan as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.plan.model import NO_MUSIC, NUMBERED, Header, Plan, Verb
from orchestrator.report.bill_view import bill
from orchestrator.report.html.changes import Tally, checks, write_changes
from orchestrator.report.html.document import Code, Document, Left, Remark, Section
from orchestrator.report.html.rows import Rows
from orchestrator.report.plan_outline import Outline, Point, outline
from orchestrator.report.plan_view import iterate_steps, nothing_to_do

_NOT_CAREFUL = frozenset({"in-place", "at-target", "at-mirrors", "left-alone", "other", "no-music"})
_SEARCHES = {"numbered": NUMBERED, "suspect": "suspect:"}
"""By the kind of a point: what stands in the reasons of its changes."""
_AS_IT_WAS = frozenset({"in-place", "at-target", "alike-at-target", "at-mirrors"})
AFTER_AND_BEFORE = "after the run. “Before” shows the same files where they were"
_PLANNED = "as it will be. “Before” shows the same files where they are now"
_NO_NAMES = "This plan holds the number of these files and not their names: the command that made it names each. "
_KNOWN_NOW = "Below are the problems that are known in these locations now."


def plan_document(plan: Plan, left: Sequence[Left] = (), remedies: Mapping[str, str] | None = None) -> Document:
    """The page of a plan. `left`: files that stay, as far as their names are known; `remedies`: what helps, by their code."""
    header, said = plan.header, outline(plan)
    changes = list(said.changes)
    lead = changes.pop(0) if changes else (nothing_to_do(plan) or ["nothing to do"])[0]
    tally = Tally(iterate_steps(plan))
    charts = tally.charts()
    duplicates = any(one.expect.kept for one in plan.operations if one.verb is Verb.QUARANTINE)
    sections = [Section(name="pictures", heading="In pictures", view="charts")] if charts else []
    if plan.operations:
        sections.append(Section(name="changes", heading="Changes", intro=changes_intro(header), view="changes"))
    if duplicates:
        sections.append(duplicates_section("goes"))
    named = "" if plan.skipped else _NO_NAMES + (_KNOWN_NOW if left else "")
    sections += stays_section(said, left, named)
    if plan.operations:
        cost = Section(
            name="cost",
            heading="Cost and risk",
            facts=[*_bill(header)],
            sentences=[*filter(None, [said.cost]), *checks(plan, tally)],
        )
        undo = Section(
            name="undo",
            heading="What undo would do",
            intro="Once the plan is carried out, `undo last` takes it back, as long as quarantine and trash are not emptied.",
            sentences=[*tally.undo()],
        )
        sections += [cost, undo]

    def rows(to: Rows) -> None:
        write_changes(to, plan)
        write_left(to, left)

    return Document(
        kind="Plan",
        title=title_of(header),
        lead=sentence(lead),
        remarks=[*(Remark(sentence(one)) for one in changes), *remarks(plan, said)],
        sections=sections,
        charts=charts,
        codes=codes_of(left, said, remedies or {}),
        several=len(header.locations) > 1,
        rows=rows,
        footer=f"Plan {header.plan_id}, made {header.created} by music-orchestrator {header.tool_version}.",
    )


def _bill(header: Header) -> Iterator[tuple[str, str]]:
    """What the changes take; disks get no requests."""
    free = not header.estimate.get("requests") and not header.estimate.get("bytes")
    yield from (fact for fact in bill(header) if not free or fact[0] not in ("requests", "through this machine"))


def title_of(header: Header) -> str:
    """The locations of a plan."""
    if names := header.options.get("locations"):
        return ", ".join(names)
    return header.source if header.target == header.source else f"{header.source} → {header.target}"


def sentence(text: str) -> str:
    """A text as a sentence: with a capital, and an end. A text that begins with a path keeps it as it is."""
    first = text.partition(" ")[0]
    begun = text if "/" in first or ":" in first else text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."


def remarks(plan: Plan, said: Outline) -> Iterator[Remark]:
    """What there is to know of a plan. What some of its changes say of themselves can be searched for."""
    searches = {kind: text for kind, text in _SEARCHES.items() if any(text in one.reason for one in plan.operations)}
    for point in said.points:
        remedy = f" ({point.remedy})" if point.remedy else ""
        yield Remark(f"{point.number:,} {point.text}{remedy}.", point.kind not in _NOT_CAREFUL, searches.get(point.kind, ""))
    if end := " ".join(filter(None, (said.cost, said.undo))):
        yield Remark(end)


def changes_intro(header: Header, *, done: bool = False) -> str:
    """How to read the tree of changes, which are planned or `done`."""
    text = f"Each folder {AFTER_AND_BEFORE if done else _PLANNED}; choose a file to see all about it."
    return f"{text} Side A is {header.source}, side B is {header.target}." if "sync" in header.options else text


def duplicates_section(goes: str) -> Section:
    """The duplicates side by side. `goes`: or "went"."""
    return Section(
        name="duplicates",
        heading="Duplicates",
        intro=f"The copy that is kept, and beside it the one that {goes} to the quarantine, with the reason.",
        view="duplicates",
    )


def stays_section(said: Outline, left: Sequence[Left], intro: str) -> Iterator[Section]:
    """What stays and why; nothing if all files move."""
    points = [one for one in said.points if one.kind in _AS_IT_WAS or one.text.startswith("stay")]
    facts = [(f"{one.number:,}", f"{_reason(one)}{f' ({one.remedy})' if one.remedy else ''}") for one in points]
    if facts or left:
        intro = intro if left or any(one.kind not in _AS_IT_WAS for one in points) else ""
        yield Section(name="stays", heading="What stays", intro=intro, facts=facts, view="stays" if left else "")


def codes_of(left: Sequence[Left], said: Outline, remedies: Mapping[str, str]) -> dict[str, Code]:
    """The kinds of reasons of these files."""
    told = {point.kind: point for point in said.points}
    found = {}
    for code in dict.fromkeys(one.code for one in left):
        point = told.get("no-music" if code in NO_MUSIC else code)
        title = _reason(point) if point is not None and code not in NO_MUSIC else code.replace("-", " ")
        found[code] = Code(title[:1].upper() + title[1:], remedies.get(code) or (point.remedy if point is not None else ""))
    return found


def write_left(rows: Rows, left: Sequence[Left]) -> None:
    """Write the files that stay."""
    for one in left:
        rows.left(one.code, one.location, one.path, one.reason)


def _reason(point: Point) -> str:
    return point.text.partition(": ")[2] or point.text
