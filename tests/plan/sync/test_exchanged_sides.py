"""Random histories of two sides that stand in the other order: the outcome is mirrored."""

from __future__ import annotations

from hypothesis import given

from orchestrator.errors import SafetyLimitError
from orchestrator.plan.planners.sync.records import Policy
from tests.plan.sync.edits import Edit
from tests.plan.sync.test_histories import both_ways, edits, user, worlds
from tests.plan.sync.worlds import World, everything


@given(worlds, edits, both_ways)
def test_the_order_of_the_sides_makes_no_difference(world: World, history: list[Edit], settings: dict[str, object]) -> None:
    user(world, history)
    mirror = world.mirrored()
    exchanged = {Policy.A: Policy.B, Policy.B: Policy.A, "a": "b", "b": "a"}
    mirrored = {name: exchanged.get(value, value) for name, value in settings.items()}  # type: ignore[call-overload]
    made = []
    for one, chosen in ((world, settings), (mirror, mirrored)):
        try:
            made.append(one.sync(**everything(**chosen)).plan)
        except SafetyLimitError:
            made.append(None)
    assert (made[0] is None) == (made[1] is None)
    trees, theirs = world.trees, mirror.trees[::-1]
    counts = made[0].header.counts if made[0] else {}
    if counts.get("renamed_on_both") or counts.get("conflicts") or any("(conflict" in path for tree in trees for path in tree):
        # Where nothing else decides, A does.
        assert [set(tree.values()) for tree in trees] == [set(tree.values()) for tree in theirs]
    else:
        assert trees == theirs
        assert all(len(plan.operations) == len(made[0].operations) for plan in made if made[0] and plan)
