"""Lines that fit a window. What people copy - a command between backquotes, a path, an id - is never broken."""

from __future__ import annotations

import re
import textwrap

from orchestrator.report.reporter import width_of

_COMMAND = re.compile(r"`[^`]*`")
_KEPT_SPACE = "\0"
"""Stands for a space inside a command while lines are wrapped."""


def wrapped(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """A printable text as lines of at most `width` columns, unless one word is longer; `first` and `rest` stand before them."""
    if width_of(first) + width_of(text) <= width:
        return [first + text]
    # Wide characters take two columns each: such a text is wrapped early.
    narrow = max(20, width * len(text) // max(1, width_of(text)))
    lines = textwrap.wrap(
        _COMMAND.sub(lambda command: command[0].replace(" ", _KEPT_SPACE), text),
        narrow,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT_SPACE, " ") for line in lines] or [first]
