"""The cases that two-way sync must get right: the edits on each side, and the trees that both then have, written by hand."""

from __future__ import annotations

import pytest

from tests.plan.sync.worlds import BARE, BUCKET, DISK, DRIVE, World, everything

KINDS = ((DISK, BUCKET), (DISK, DRIVE), (DRIVE, BUCKET), (DISK, DISK))


@pytest.mark.parametrize("kinds", KINDS)
def test_a_first_sync_of_one_full_side_fills_the_other(kinds) -> None:
    for a, b in (({"d/f1": "one", "f2": "two"}, {}), ({}, {"d/f1": "one", "f2": "two"})):
        world = World(a, b, kinds=kinds)
        world.sync()
        assert world.trees == ({**a, **b},) * 2
        assert not world.sync().plan.operations
