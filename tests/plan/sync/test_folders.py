"""Folders without files: one goes when it is gone on the other side, and not before."""

from __future__ import annotations

import unicodedata

import msgspec

from orchestrator.plan.planners.sync.records import Direction, SyncPlan
from tests.plan.sync.worlds import BUCKET, DISK, DRIVE, World

BUCKET_WITHOUT_FOLDERS = msgspec.structs.replace(BUCKET, empty_directories=False)
FILES = [*(f"music/{number}" for number in range(8)), "d/1", "e/1"]


def folders(made: SyncPlan) -> tuple[object, object]:
    """What is kept, and what is removed although it loses no file."""
    return made.plan.header.options.get("kept_folders"), made.plan.header.options.get("gone_folders")


def test_a_folder_that_the_other_side_keeps_stays_until_it_is_gone_there() -> None:
    world = World.alike(FILES, kinds=(DISK, DRIVE))
    del world.a.files["d/1"], world.a.files["e/1"]
    world.a.empty = frozenset({"d"})  # and e is gone as well
    made = world.sync()
    assert folders(made) == ({"r:b": ["d"]}, None)
    world.b.empty = frozenset({"d"})
    assert folders(world.sync()) == (None, None)
    assert world.empty_folders == (("d", "d"),)

    world.a.empty = frozenset()
    assert folders(world.plan(direction=Direction.B_TO_A)) == (None, None)
    assert folders(world.plan(direction=Direction.A_TO_B)) == (None, None)
    assert folders(world.plan(direction=Direction.A_TO_B, delete=True)) == (None, {"r:b": ["d"]})
    world.b.unlisted = ("d",)
    assert folders(world.plan()) == (None, None)
    world.b.unlisted = ()
    for _ in range(2):  # until it is seen to be gone
        assert folders(world.sync()) == (None, {"r:b": ["d"]})
    world.b.put("d/new", "it is in use again")
    assert folders(world.plan()) == (None, None)
    del world.b.files["d/new"]
    world.b.empty = frozenset()
    world.sync()
    assert world.empty_folders == ()


def test_a_new_empty_folder_is_neither_made_nor_removed() -> None:
    world = World.alike(FILES, kinds=(DISK, DRIVE))
    world.b.empty = frozenset({"new"})
    for _ in range(2):
        assert folders(world.sync()) == (None, None)
    # Both have made it, and then one side removes it.
    world.a.empty = frozenset({"new"})
    world.sync()
    world.a.empty = frozenset()
    assert folders(world.sync()) == (None, {"r:b": ["new"]})


def test_a_folder_whose_files_both_sides_have_deleted_goes_with_the_folder_of_one() -> None:
    world = World.alike(FILES, kinds=(DISK, DRIVE))
    del world.a.files["d/1"], world.b.files["d/1"]
    world.a.empty = frozenset({"d"})
    assert folders(world.sync()) == (None, {"/a": ["d"]})


def test_a_renamed_folder_is_not_kept_under_its_old_name_and_a_side_without_folders_keeps_none() -> None:
    world = World.alike(FILES, kinds=(DISK, DRIVE))
    world.a.rename_folder("d", "renamed")
    assert folders(world.plan()) == (None, None)
    world = World.alike(FILES, kinds=(DISK, DRIVE))
    world.a.rename("d/1", "elsewhere/1")
    world.a.empty = frozenset({"d"})
    assert folders(world.plan()) == ({"r:b": ["d"]}, None)
    bucket = World.alike(FILES, kinds=(DISK, BUCKET_WITHOUT_FOLDERS))
    del bucket.b.files["d/1"]
    assert folders(bucket.plan()) == (None, None)


def test_a_folder_is_the_same_in_other_case_and_form_if_it_was_so_at_the_first_sync() -> None:
    decomposed = unicodedata.normalize("NFD", "Beyonc\u00e9")
    world = World({"Live/1": "live", "Beyonc\u00e9/1": "one"}, {"live/1": "live", f"{decomposed}/1": "one"}, kinds=(DISK, DRIVE))
    for number in range(8):
        for place in world.places:
            place.put(f"music/{number}", f"content {number}")
    world.sync()
    del world.a.files["Live/1"], world.b.files[f"{decomposed}/1"]
    world.a.empty, world.b.empty = frozenset({"Live"}), frozenset({decomposed})
    assert folders(world.plan()) == ({"/a": ["Beyonc\u00e9"], "r:b": ["live"]}, None)
