"""Random histories of the planner in which something is not as it should be: nothing is lost, and two syncs heal it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SafetyLimitError
from orchestrator.plan.planners.sync.records import Row
from tests.plan.sync.edits import FOLDERS, Edit
from tests.plan.sync.test_histories import both_ways, edits, spelled, synced, user, worlds
from tests.plan.sync.worlds import World, everything

DISTURBANCES = ("hidden", "unlisted", "lost", "damaged", "old", "none")
"""A filter hides a folder, or one side cannot list it; the record of what was in sync is lost, lacks a row, or is an old one."""
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
    plan = world.sync(**everything(**settings)).plan
    assert not plan.operations
    # A name may be free on one side, and on the other one taken by another spelling: then the files keep their own.
    assert plan.skipped or spelled(world.a.tree) == spelled(world.b.tree)
