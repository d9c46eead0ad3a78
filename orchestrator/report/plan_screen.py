"""A plan on a terminal: the tree, then what matters, on one screen. All changes go through the pager. Imports rich."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO, cast

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from orchestrator.pager import page
from orchestrator.plan.model import ENTRIES_WITHOUT_FILE, Plan
from orchestrator.report import plan_view
from orchestrator.report.outline_view import outline_lines
from orchestrator.report.output import Output
from orchestrator.report.plan_outline import outline
from orchestrator.report.plan_tree import Paint, short_tree, whole_tree
from orchestrator.report.reporter import printable

_LEAST_TREE = 6
"""Lines of the tree that are worth showing, however small the window."""
_BELOW = 3
"""Lines that stay free below the outline: for the question, and the prompt of the shell."""


def show_plan(output: Output, plan: Plan, *, everything: bool, paged: bool, remarks: bool) -> None:
    """Show the tree and the outline. `everything`: all changes, `paged` if they are more than the window holds."""
    paint = painter(output)
    width, height = output.window()
    told = [line.text + paint("dim", line.aside) for line in outline_lines(outline(plan), width, height - _BELOW - _LEAST_TREE)]
    if everything:
        lines = [*whole_tree(plan, paint, remarks=remarks), "", *details(plan)]
        if not paged or len(lines) + len(told) < height or not _paged(output, lines):
            _write(output, lines)
    elif plan.operations:
        _write(output, short_tree(plan, paint, width, max(_LEAST_TREE, height - len(told) - _BELOW - 1)))
    if told and plan.operations:
        _write(output, ["", paint("bold", told[0]), *told[1:]])
    else:
        _write(output, told)


def details(plan: Plan) -> Iterator[str]:
    """What belongs to a look at all changes: each skipped file, and all counts."""
    for skipped in plan.skipped:
        word = "" if skipped.code == ENTRIES_WITHOUT_FILE else "skipped "  # such a list may move
        yield f"{word}{printable(skipped.path)}: {printable(skipped.reason)}"
    facts = plan_view.facts(plan)
    width = max(len(name) for name, _ in facts)
    yield from (f"{name:<{width}}  {value}" for name, value in facts)


def painter(output: Output) -> Paint:
    """How styles look on this terminal; as nothing if it has no colours, or NO_COLOR is set."""
    console = Console(file=cast("TextIO", output))
    system = ColorSystem.STANDARD if console.color_system and not console.no_color else None
    return lambda style, text: Style.parse(style).render(text, color_system=system) if text else ""


def _paged(output: Output, lines: list[str]) -> bool:
    output.flush()
    return page(lines)


def _write(output: Output, lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        output.line(line)
