"""--delete-after: what the target has leaves the source, and is no deletion in any later sync, whatever its direction."""

from __future__ import annotations

import pytest

from orchestrator.config.setting_syntax import Limit
from orchestrator.errors import SafetyLimitError
from orchestrator.plan.model import Verb
from orchestrator.plan.planners.sync.records import Direction
from tests.plan.sync.worlds import BARE, DISK, DRIVE, World, everything

MOVING = {"direction": Direction.A_TO_B, "delete_after": True}
LATER: list[dict[str, object]] = [
    {},
    everything(),
    everything(direction=Direction.A_TO_B),
    everything(direction=Direction.A_TO_B, delete=True),
    everything(direction=Direction.B_TO_A),
    everything(direction=Direction.B_TO_A, delete=True),
    MOVING,
]
"""Every mode in which the pair may be synced afterwards."""


def verbs(world: World, **settings: object) -> list[Verb]:
    return [operation.verb for operation in world.sync(**settings).plan.operations]


@pytest.mark.parametrize("kind", [DRIVE, BARE])
def test_everything_that_the_target_has_leaves_the_source_and_stays_there_in_every_later_sync(kind: object) -> None:
    files = {f"d/{number}.mp3": f"content {number}" for number in range(8)}
    world = World(files, kinds=(DISK, kind))  # type: ignore[arg-type]
    world.sync()
    world.a.put("new.mp3", "new")
    world.a.put("new twin.mp3", "new")
    world.a.edit("d/1.mp3", "edited")
    made = world.sync(**MOVING)
    wanted = {**files, "new.mp3": "new", "new twin.mp3": "new", "d/1.mp3": "edited"}
    assert world.trees == ({}, wanted)
    counts = made.plan.header.counts
    assert (counts["moved_away"], counts["a_deleted"], counts["b_deleted"], world.a.trash) == (10, 0, 0, [])
    assert world.b.trash == ["content 1"]
    for settings in LATER:
        assert verbs(world, **settings) == [], settings
        assert world.trees == ({}, wanted)


@pytest.mark.parametrize("synced", [True, False])
def test_what_was_alike_before_is_moved_also_if_nothing_else_is_to_be_done(synced: bool) -> None:
    files = {f"d/{number}.mp3": f"content {number}" for number in range(8)}
    world = World.alike(files) if synced else World(files, dict(files))
    assert world.sync(**MOVING).plan.header.counts["moved_away"] == 8
    assert world.trees == ({}, files)
    assert verbs(world, **MOVING) == []


def test_a_new_file_of_the_same_name_is_another_file_and_the_same_file_again_is_moved_again() -> None:
    world = World({"1.mp3": "first", "2.mp3": "second"})
    world.sync(**MOVING)
    assert world.trees == ({}, {"1.mp3": "first", "2.mp3": "second"})
    # As in an inbox: the recorder begins with the same name again.
    world.a.put("1.mp3", "another one")
    world.a.put("2.mp3", "second")
    world.sync(**MOVING)
    assert world.a.tree == {}
    assert sorted(world.b.tree.values()) == ["another one", "first", "second"]
    assert world.b.tree["1.mp3"] == "another one"
    assert world.b.trash == []
    for settings in LATER:
        world.sync(**settings)
        assert sorted(world.b.tree.values()) == ["another one", "first", "second"]


def test_what_the_user_does_with_it_at_the_target_stays_there_too() -> None:
    world = World({f"{number}.mp3": f"content {number}" for number in range(6)})
    world.sync(**MOVING)
    world.b.rename("1.mp3", "folder/1.mp3")
    world.b.edit("2.mp3", "edited there")
    del world.b.files["3.mp3"]
    for _ in range(2):
        assert verbs(world) == []
    world.b.edit("folder/1.mp3", "edited after the rename")
    assert verbs(world) == []
    assert world.a.tree == {}
    # What was deleted there as well is forgotten: the same name is new again, and goes both ways.
    world.a.put("3.mp3", "content 3")
    assert verbs(world) == [Verb.COPY]
    assert world.b.tree["3.mp3"] == world.a.tree["3.mp3"] == "content 3"


def test_filters_do_not_make_it_forgotten() -> None:
    world = World({"d/1.mp3": "one", "2.mp3": "two"})
    world.sync(**MOVING)
    world.b.hidden = lambda path: path.startswith("d/")
    assert verbs(world) == []
    world.b.hidden = lambda _: False
    assert verbs(world) == []
    assert world.a.tree == {}


def test_what_is_not_alike_or_fails_stays_at_the_source() -> None:
    world = World.alike({"edited there.mp3": "old", "both.mp3": "old both", "stays.mp3": "stays"})
    world.b.edit("edited there.mp3", "edited there")
    world.a.edit("both.mp3", "here")
    world.b.edit("both.mp3", "there")
    world.sync(**MOVING, fails=lambda operation: operation.src.path == "stays.mp3")
    assert world.a.tree == {"edited there.mp3": "old", "stays.mp3": "stays"}
    assert sorted(world.b.tree.values()) == ["edited there", "here", "stays", "there"]
    assert verbs(world, **MOVING) == [Verb.MOVE]
    assert world.a.tree == {"edited there.mp3": "old"}


def test_what_has_another_name_at_the_target_stays_and_is_named() -> None:
    world = World.alike({f"d/{number}.mp3": f"content {number}" for number in range(4)})
    world.b.rename("d/1.mp3", "d/one.mp3")
    made = world.sync(**MOVING)
    assert list(world.a.tree) == ["d/1.mp3"]
    assert made.plan.header.counts["renamed_at_target"] == 1
    assert [(one.path, one.code) for one in made.plan.skipped] == [("d/1.mp3", "left-alone")]
    assert "d/one.mp3" in made.plan.skipped[0].reason


def test_an_emptied_source_is_no_accident_but_what_else_the_user_loses_there_is() -> None:
    world = World.alike([f"{number}.mp3" for number in range(9)])
    del world.a.files["1.mp3"]
    world.sync(**MOVING)
    assert (world.a.tree, len(world.b.tree)) == ({}, 9)
    assert verbs(world, **MOVING) == []
    before = world.trees
    with pytest.raises(SafetyLimitError, match=r"lost 1 of 1 files that --delete-after .* --max-delete 1 .* copy back"):
        world.sync()
    assert world.trees == before
    world.sync(max_delete=Limit(1, percent=False))
    assert (world.a.tree, len(world.b.tree), world.b.trash) == ({}, 8, ["content of 1.mp3"])
