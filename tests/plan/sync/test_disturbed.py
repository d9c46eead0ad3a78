"""Random histories of the planner in which something is not as it should be, and of two sides that stand in the other order."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SafetyLimitError
from orchestrator.plan.planners.sync.records import Policy, Row
from tests.plan.sync.edits import FOLDERS, Edit
from tests.plan.sync.test_histories import both_ways, edits, spelled, synced, user, worlds
from tests.plan.sync.worlds import World, everything

DISTURBANCES = ("hidden", "unlisted", "lost", "damaged", "old", "wrong", "none")
"""A filter hides a folder, or one side cannot list it; the record of what was in sync is lost, lacks a row, is an older one, or
takes two files for alike that are not."""
Disturbance = tuple[str, str, int, int]
"""What, in which folder, on which side, and which row of the state."""
disturbances = st.tuples(st.sampled_from(DISTURBANCES), st.sampled_from(FOLDERS[1:]), st.integers(0, 1), st.integers(0, 9))
disturbed = st.lists(st.tuples(edits, disturbances), max_size=3)


def disturb(world: World, disturbance: Disturbance, old: dict[int, Row]) -> None:
    """Let something be wrong during the next sync."""
    kind, folder, side, number = disturbance
    rows = sorted(world.rows)
    if kind == "hidden":
        for place in world.places:
            place.hidden = lambda path: path.startswith(f"{folder}/")
    elif kind == "unlisted":
        world.places[side].unlisted = (folder,)
    elif kind == "lost":
        world.rows = {}
    elif kind == "old":
        world.rows = dict(old)
    elif kind == "damaged" and rows:
        del world.rows[rows[number % len(rows)]]
    elif kind == "wrong" and rows:
        one, two = (world.rows[rows[(number + step) % len(rows)]] for step in (0, 1))
        if world.a.tree.get(one.files[0].path) != world.b.tree.get(two.files[1].path):
            world.rows[one.number] = Row(one.number, (one.files[0], two.files[1]))
            del world.rows[two.number]


def below(world: World, folder: str) -> list[dict[str, str]]:
    """What lies in a folder, on both sides."""
    return [{path: content for path, content in place.tree.items() if path.startswith(f"{folder}/")} for place in world.places]


@given(worlds, disturbed, both_ways)
def test_what_is_disturbed_loses_nothing_and_heals(
    world: World, rounds: Sequence[tuple[list[Edit], Disturbance]], settings: dict[str, object]
) -> None:
    old = dict(world.rows)
    for history, disturbance in rounds:
        kind, folder = disturbance[:2]
        user(world, history)
        disturb(world, disturbance, old)
        before = below(world, folder)
        try:
            world.sync(**everything(**settings))
        except SafetyLimitError:
            world.rows = {}
        if kind in {"hidden", "unlisted"}:
            assert below(world, folder) == before
        for place in world.places:
            place.hidden, place.unlisted = lambda _: False, ()
    synced(world, **settings)
    synced(world, **settings)
    assert spelled(world.a.tree) == spelled(world.b.tree)
    assert not world.sync(**everything(**settings)).plan.operations


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
