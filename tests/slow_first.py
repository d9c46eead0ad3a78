"""The order of the tests when several processes share them: see `slow_first`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import pytest

_SLOWEST = "end_to_end"
_QUICK = ("plan", "tags", "test_")
"""What the tests that start no program are called, below tests/."""


def slow_first(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests, with those first in each process that take long, and its quick ones last.

    `--dist worksteal` gives each process an equal part of the list, in order; one that is done takes from the end of another's.
    In the order of their names, one process has all slow tests, and in the end it works while the others have nothing to do.
    """
    slow, quick = [], []
    for _, module in groupby(items, lambda item: item.path):
        tests = [*module]
        if _room(tests).startswith(_QUICK):
            quick += tests
        else:
            slow.append(tests)
    slow.sort(key=lambda tests: _room(tests) != _SLOWEST)
    ordered: list[pytest.Item] = []
    for number in range(processes):
        part = [item for tests in slow[number::processes] for item in tests]
        room = max(0, len(items) // processes - len(part))
        ordered += part + quick[:room]
        del quick[:room]
    return ordered + quick


def _room(tests: Sequence[pytest.Item]) -> str:
    return tests[0].nodeid.split("/")[1]
