"""The suffix " (2)", " (3)" ... before the extension, for files that want the same name."""

from __future__ import annotations

import re

_AT_END = re.compile(r"\(([0-9]{1,8})\)*\Z")


def number_suffix(number: int) -> str:
    """The suffix for the second file on; "" for the first, which has the name itself."""
    return f" ({number})" if number != 1 else ""


def possible_number(stem: str) -> int:
    """The number that a stem seems to end with, 0 for none. Compare the whole name: a title may end so too, as in "Live(2)"."""
    found = _AT_END.search(stem)
    return int(found[1]) if found else 0
