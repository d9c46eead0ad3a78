"""Of a good file and a damaged copy the good one stays, though everything else speaks for the damaged one: docs/duplicates.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.damaged_pairs import DAMAGES, KINDS, Outcome, outcomes, pairs
from tests.nightly import NIGHTLY
from tests.program import Program


@pytest.mark.parametrize("more_tags", [False, *([True] if NIGHTLY else [])])
def test_the_good_copy_never_goes_where_damage_can_be_seen(tmp_path: Path, more_tags: bool) -> None:
    """Fault case 34: 160 pairs, 16 formats: end zeroed, middle zeroed, cut by 1 to 5,000 bytes, junk behind."""
    program, library, inbox = Program(tmp_path / "state"), tmp_path / "library", tmp_path / "inbox"
    made = [*pairs(more_tags=more_tags)]
    assert len(made) == len(KINDS) * len(DAMAGES) == 160
    found = outcomes(lambda: program("dedup", str(library), str(inbox), codes=(0, 3)), library, inbox, made)
    # Other tags are another size, so only a full read would show what is damaged in the middle.
    unseen = {(kind, "middle zeroed") for kind in KINDS} if more_tags else set()
    assert {pair for pair, outcome in found.items() if outcome is Outcome.GOOD_GOES} <= unseen
    assert Outcome.NOT_NAMED not in found.values()
    assert sum(outcome is Outcome.DAMAGED_GOES for outcome in found.values()) > 30
