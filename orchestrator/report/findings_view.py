"""What `doctor` has checked, for people: grouped, a line each, on a terminal at most 80 characters wide."""

from __future__ import annotations

import re

from orchestrator.report.finding import Finding
from orchestrator.report.reporter import printable
from orchestrator.report.wrapping import wrapped

_WIDTH = 80
_LEVEL = 7
"""The width of the longest level."""
_KINDS = frozenset({"location", "locations", "remote", "job", "jobs", "schedule"})
"""Kinds of what was checked that are plain from the group and the name after it."""


def finding_lines(finding: Finding, *, wrap: bool) -> list[str]:
    """The lines for people below the heading of its group."""
    texts = [_named(finding)]
    if finding.remedy:
        texts.append(f"{'remedy' if not finding.ok else 'hint'}: {finding.remedy}")
    lines: list[str] = []
    for number, text in enumerate(texts):
        margin = f"  {finding.level:<{_LEVEL}}  " if number == 0 else " " * (_LEVEL + 4)
        lines += wrapped(printable(text), _WIDTH, first=margin, rest=" " * len(margin)) if wrap else [margin + printable(text)]
    return lines


def _named(finding: Finding) -> str:
    """The message after the name of what was checked, unless it says that itself."""
    kind, _, rest = finding.check.partition(" ")
    name = rest if kind in _KINDS else finding.check
    if name.lower() == finding.group.lower() or re.match(rf"{re.escape(name)}(?!\w)", finding.message):
        return finding.message
    return f"{name}: {finding.message}"
