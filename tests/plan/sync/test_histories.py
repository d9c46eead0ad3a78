"""Random histories: one tree, edits on both sides, syncs that fail in part. The sides become alike, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SafetyLimitError
from orchestrator.paths import case_key, join_path, split_path
from orchestrator.plan.model import Plan, Verb
from orchestrator.plan.planners.sync.records import SIDES, Direction, Policy, SideNumber
from orchestrator.records import Capabilities
from tests.plan.sync.edits import CONTENTS, EDITS, MOVES, NEW_CONTENTS, PATHS, Edit, tried
from tests.plan.sync.worlds import BUCKET, DAY, DISK, DRIVE, START, ImpossibleError, World, everything

paths = st.sampled_from(PATHS)
trees = st.dictionaries(paths, st.sampled_from(CONTENTS), max_size=8)
edits = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(EDITS), st.integers(0, 50), paths, st.sampled_from(NEW_CONTENTS)),
    max_size=8,
)
kinds = st.sampled_from([(DISK, BUCKET), (DISK, DRIVE), (DRIVE, BUCKET), (DISK, DISK), (BUCKET, DISK)])


def user(world: World, history: list[Edit]) -> None:
    for step, edit in enumerate(history):
        tried(world.places[edit[0]], edit, START + step * DAY)


def synced(world: World, **settings: object) -> bool:
    """Sync; after a brake the user starts over. Whether anything was done."""
    try:
        return bool(world.sync(**everything(**settings)).plan.operations)
    except SafetyLimitError:
        world.rows = {}
        return bool(world.sync(**everything(**settings)).plan.operations)


def has_taken_names(plan: Plan) -> bool:
    """Whether a name that is free on one side is taken on the other, by another spelling: then the files keep their own."""
    return any(one.code == "unsupported-name" for one in plan.skipped)


def spelled(tree: dict[str, str]) -> list[tuple[str, str]]:
    return sorted((case_key(path), content) for path, content in tree.items())


policies = st.sampled_from([None, *Policy])


def begun(
    tree: Mapping[str, str],
    kinds: tuple[Capabilities, Capabilities],
    *,
    sounds: bool = False,
    respelled: SideNumber | None = None,
) -> World:
    """Two places with the same files, as far as they can have them, after a first sync.

    `respelled`: the side whose folders differ in case from those of the other one.
    """
    world = World(kinds=kinds, sounds=sounds)
    for path, content in tree.items():
        folder, name = split_path(path)
        before = [dict(place.files) for place in world.places]
        try:
            for side, place in zip(SIDES, world.places, strict=True):
                place.put(join_path(folder.swapcase() if side == respelled else folder, name), content)
        except ImpossibleError:
            for place, files in zip(world.places, before, strict=True):
                place.files = files
    synced(world, keep_names="a")
    return world


failures = st.sets(st.integers(0, 12))
rounds = st.lists(st.tuples(edits, failures, st.integers(0, 9)), max_size=3)


respelled = st.sampled_from([None, *SIDES])
worlds = st.builds(
    lambda tree, kinds, sounds, respelled: begun(tree, kinds, sounds=sounds, respelled=respelled),
    trees,
    kinds,
    st.booleans(),
    respelled,
)
both_ways = st.fixed_dictionaries({"conflict": policies, "keep_names": st.sampled_from(["a", "b"])})


@given(worlds, rounds, both_ways)
def test_both_sides_become_alike_and_nothing_is_lost(
    world: World, rounds: list[tuple[list[Edit], set[int], int]], settings: dict[str, object]
) -> None:
    for history, failing, seed in rounds:
        user(world, history)
        calls = count()
        try:
            world.sync(fails=lambda _, calls=calls, failing=failing: next(calls) in failing, seed=seed, **everything(**settings))
        except SafetyLimitError:
            world.rows = {}
    synced(world, **settings)
    synced(world, **settings)
    plan = world.sync(**everything(**settings)).plan
    assert not plan.operations
    assert spelled(world.a.tree) == spelled(world.b.tree) or has_taken_names(plan)


@given(trees, kinds, edits, policies, respelled)
def test_what_one_side_does_happens_on_the_other_exactly_so(
    tree: dict[str, str],
    kinds: tuple[Capabilities, Capabilities],
    history: list[Edit],
    policy: Policy | None,
    respelled: SideNumber | None,
) -> None:
    for side in SIDES:
        world = begun(tree, kinds if side == 0 else (kinds[1], kinds[0]), respelled=respelled)
        user(world, [(side, *edit[1:]) for edit in history])
        wanted = world.places[side].tree
        try:
            made = world.sync(**everything(conflict=policy))
        except SafetyLimitError:
            continue
        if any(one.code == "unreadable" for one in made.plan.skipped):
            continue  # an empty song never wins
        assert world.places[side].tree == wanted
        assert spelled(world.places[1 - side].tree) == spelled(wanted) or has_taken_names(made.plan)
        assert made.plan.header.counts["conflicts"] == 0
        assert not [operation for operation in made.plan.operations if operation.dst.fs == world.places[side].fs]


only_moves = st.sampled_from(sorted({*MOVES, "touch"} - {"rename-over", "form"}))


@given(
    trees,
    kinds,
    st.lists(st.tuples(st.integers(0, 1), only_moves, st.integers(0, 50), paths, st.just("")), max_size=6),
    st.booleans(),
)
def test_renames_send_nothing(
    tree: dict[str, str], kinds: tuple[Capabilities, Capabilities], history: list[Edit], both: bool
) -> None:
    world = begun({path: content or "full" for path, content in tree.items()}, kinds)
    world.sent.clear()
    user(world, history if both else [(0, *edit[1:]) for edit in history])
    made = world.sync(**everything())
    assert not world.sent
    assert made.plan.header.counts["bytes_to_a"] == made.plan.header.counts["bytes_to_b"] == 0
    assert {operation.verb for operation in made.plan.operations} <= {Verb.MOVE}
    assert spelled(world.a.tree) == spelled(world.b.tree)


one_way = st.fixed_dictionaries(
    {"conflict": policies, "direction": st.sampled_from([Direction.A_TO_B, Direction.B_TO_A]), "delete": st.booleans()}
)


@given(worlds, rounds, one_way)
def test_one_way_changes_the_target_alone_and_gives_it_what_the_source_has(
    world: World, rounds: list[tuple[list[Edit], set[int], int]], settings: dict[str, object]
) -> None:
    source = world.places[settings["direction"] is Direction.B_TO_A]
    for history, failing, seed in rounds:
        user(world, history)
        before, calls = source.tree, count()
        try:
            world.sync(fails=lambda _, calls=calls, failing=failing: next(calls) in failing, seed=seed, **everything(**settings))
        except SafetyLimitError:
            world.rows = {}
        assert source.tree == before
    synced(world, **settings)
    synced(world, **settings)
    plan = world.sync(**everything(**settings)).plan
    assert not plan.operations
    if not any(side != world.places.index(source) for history, _, _ in rounds for side, *_ in history):
        target = world.places[1 - world.places.index(source)]
        assert set(spelled(source.tree)) <= set(spelled(target.tree)) or has_taken_names(plan)
