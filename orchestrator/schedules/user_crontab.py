"""Our lines among those of a user's crontab. The other lines stay as they are, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.errors import UsageError
from orchestrator.schedules.crontab import END, USER_HEADING
from orchestrator.schedules.marks import Mark, mark_of


class Block(NamedTuple):
    """The lines of one job."""

    first: int
    """The number of the first line, from 0."""
    after: int
    """The number of the line after the last."""
    text: str
    mark: Mark


def blocks(crontab: str) -> Iterator[Block]:
    """Our blocks, also edited ones, as long as their first two lines and the last are there."""
    lines = crontab.splitlines(keepends=True)
    first: int | None = None
    for number, line in enumerate(lines):
        if line.rstrip("\n") == USER_HEADING:
            first = number
        elif line.rstrip("\n") == END and first is not None:
            text = "".join(lines[first : number + 1])
            mark = mark_of(text)
            if mark is not None:
                yield Block(first, number + 1, text, mark)
            first = None


def with_job(crontab: str, job: str, wanted: str, *, force: bool = False) -> str:
    """The crontab with the lines `wanted` for a job, in place of those that it has, otherwise at its end.

    `wanted` is empty to remove them. Raises UsageError if somebody has edited them, unless `force` is set.
    """
    lines = crontab.splitlines(keepends=True)
    there = [block for block in blocks(crontab) if block.mark.job == job]
    if not force and any(not block.mark.intact for block in there):
        raise UsageError(f"the lines of {job} in your crontab were edited: they stay as they are; --force replaces them")
    if not there:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return "".join([*lines, wanted])
    for block in reversed(there):
        lines[block.first : block.after] = [wanted] if block is there[0] else []
    return "".join(lines)
