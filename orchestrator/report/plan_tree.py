"""A plan as a tree for a terminal: each folder with the files that come to it, and what they were. Names are escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from orchestrator.plan.model import Plan, Verb
from orchestrator.plan.planners.dedup.keep_order import KEPT_BECAUSE
from orchestrator.report.plan_view import PlanStep, groups, inside_group, remark
from orchestrator.report.reporter import printable, shortened, width_of
from orchestrator.wording import counted

Paint = Callable[[str, str], str]
"""Style and text -> the text as a terminal shows it in that style."""

_AT_MOST = (11, 4, 2)
"""So many lines each folder has below its own, the first number with which the tree has room."""


def whole_tree(plan: Plan, paint: Paint, *, remarks: bool = False) -> Iterator[str]:
    """All changes, a line each; with `remarks`, what their reasons add."""
    for root, branches in _by_location(plan):
        yield paint("bold", printable(root))
        for _, members in branches:
            yield from _branch(members, paint, root, None, None, remarks=remarks)


def short_tree(plan: Plan, paint: Paint, width: int, height: int) -> Iterator[str]:
    """As many changes as there is room for, of as many folders as possible, and how many more these and all others have."""
    locations = _by_location(plan)
    everything = [members for _, branches in locations for _, members in branches]
    folders, changes = len(everything), sum(map(len, everything))
    room = height - 1 - len(locations)
    each = next((most for most in (changes, *_AT_MOST) if _lines(everything, most) <= room), _AT_MOST[-1])
    for root, branches in locations:
        if folders < len(everything) and room < _lines([branches[0][1]], _AT_MOST[-1]):
            break
        yield paint("bold", shortened(printable(root), width))
        for _, members in branches:
            if room < _lines([members], _AT_MOST[-1]):
                break
            lines = min(each, len(members), room - 1)
            room, folders, changes = room - 1 - lines, folders - 1, changes - len(members)
            yield from _branch(members, paint, root, width, lines)
    if folders:
        yield f"... {changes:,} more changes in {counted(folders, 'more folder')}"


def _by_location(plan: Plan) -> list[tuple[str, Sequence[tuple[str, list[PlanStep]]]]]:
    """Each location with its changes. A sync has two, and so may its undo; other plans stand below their target."""
    found = sorted({operation.dst.fs for operation in plan.operations}, key=lambda fs: (fs != plan.header.source, fs))
    if len(found) < 2:
        return [(found[0] if found else plan.header.target, groups(plan))]
    if plan.header.options.keys().isdisjoint({"sync", "undo"}):
        return [(plan.header.target, groups(plan))]
    of_all = groups(plan)
    return [
        (fs, [(name, here) for name, members in of_all if (here := [step for step in members if step.dst.fs == fs])])
        for fs in found
    ]


def _lines(branches: Iterable[Sequence[PlanStep]], most: int) -> int:
    """How many lines these folders take, each with so many below its own at most."""
    return sum(1 + min(most, len(members)) for members in branches)


def _branch(
    members: Sequence[PlanStep], paint: Paint, root: str, width: int | None, lines: int | None, *, remarks: bool = False
) -> Iterator[str]:
    """A folder and so many lines below it (None: all changes); the last one says how many changes there are besides."""
    number = len(members) if lines is None or lines >= len(members) else lines - 1
    heading, count = printable(members[0].group) or "(top)", f"  {len(members):,}"
    shown = heading if width is None else shortened(heading, width - len(count))
    yield f"{paint('bold cyan', shown)}{paint('dim', count)}"
    last, between = "└── ", "├── "
    for index, step in enumerate(members[:number]):
        guide = last if index == len(members) - 1 else between
        verb = "" if step.verb in (Verb.MOVE, Verb.COPY) else f"{step.verb} "
        becomes, was = printable(_becomes(step, root)), f"  ← {printable(step.was)}"
        more = printable(remark(step))
        if step.src == step.dst:  # a file that leaves
            room = None if width is None else width - len(guide) - len(verb) - width_of(becomes)
            more = _below_heading(more, heading, None if room is None else room - len("  ()"))
            was, more = f"  ({more})" if more else "", ""
        elif not remarks:
            more = ""
        if width is not None:
            room = width - len(guide) - len(verb)
            becomes = shortened(becomes, max(room // 2, room - width_of(was)))
            was = shortened(was, room - width_of(becomes))
        yield f"{paint('dim', guide)}{paint('yellow', verb)}{becomes}{paint('dim', was + (f'  ({more})' if more else ''))}"
    if number < len(members):
        yield paint("dim", f"{last}... {len(members) - number:,} more")


def _below_heading(reason: str, heading: str, room: int | None) -> str:
    """The reason of a duplicate without its kept copy, which stands above, so that it has room in most windows."""
    what, kept, why = reason.partition(f" {heading}, {KEPT_BECAUSE} ")
    if not kept:
        return reason
    what = what.removesuffix(" as").removesuffix(" of the lossless")
    told = f"{what}; kept above because {why}"
    return told if room is None or width_of(told) <= room else f"{what}; {why}"


def _becomes(step: PlanStep, root: str) -> str:
    """The destination below its folder; with its location if that is not the root."""
    prefix = f"{step.group.rstrip('/')}/"
    return step.dst.path.removeprefix(prefix) if step.dst.fs == root else inside_group(step)
