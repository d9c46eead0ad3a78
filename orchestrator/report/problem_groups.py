"""Problems that are alike, for a terminal: said once, with the folders of their files. Names are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orchestrator.paths import join_location
from orchestrator.report.outline_view import where_lines
from orchestrator.report.plan_outline import FEW, by_folder
from orchestrator.report.reporter import printable, with_location

_FOLDERS = 5
"""So many folders of each group are named."""


class Problem(NamedTuple):
    """What was reported of one file."""

    level: str
    """"error", or the kind of a finding."""
    code: str
    message: str
    path: str
    location: str | None = None


def problem_lines(problems: Iterable[Problem], width: int) -> Iterator[str]:
    """The problems, those with one message together."""
    found: dict[tuple[str, str, str | None], list[Problem]] = {}
    for one in problems:
        found.setdefault((one.level, one.message, one.location), []).append(one)
    for (level, message, location), alike in found.items():
        if len(alike) <= FEW:
            yield from (f"{level}: {printable(with_location(message, one.path, location))}" for one in alike)
            continue
        yield f"{level}: {len(alike):,} files: {printable(message)}"
        paths = (one.path if location is None else join_location(location, one.path) for one in alike)
        yield from (
            line.text + line.aside for line in where_lines(by_folder((path, "") for path in paths), "  ", width, _FOLDERS)
        )
