"""The same pairs on servers: with hashes in the listing, and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.damaged_pairs import DAMAGES, KINDS, Outcome, outcomes, pairs
from tests.faulty import Library


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["s3_serve", "webdav"])
def test_the_good_copy_never_goes_where_damage_can_be_seen(library: Callable[..., Library], kind: str) -> None:
    """Fault case 34, on servers."""
    music = library(kind)
    places = [f"{music.place.location}/{name}" for name in ("library", "inbox")]
    made = [*pairs(more_tags=False)]
    assert len(made) == len(KINDS) * len(DAMAGES)
    found = outcomes(lambda: music("dedup", *places, codes=(0, 3)), music.root / "library", music.root / "inbox", made)
    # Without a hash, nothing but a full read shows what is damaged in the middle of a file of full length.
    unseen = {(name, "middle zeroed") for name in KINDS} if kind == "webdav" else set()
    assert {pair for pair, outcome in found.items() if outcome is Outcome.GOOD_GOES} <= unseen
    assert Outcome.NOT_NAMED not in found.values()
