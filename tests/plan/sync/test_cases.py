"""The cases that two-way sync must get right: the edits on each side, and the trees that both then have, written by hand."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from orchestrator.config.setting_syntax import Limit
from orchestrator.errors import SafetyLimitError
from orchestrator.paths import join_location
from orchestrator.plan.model import Verb
from orchestrator.plan.planners.sync.records import SIDES, Answer, Direction, Policy, SideNumber
from orchestrator.records import Capabilities
from orchestrator.report import plan_view
from tests.plan.sync.worlds import BARE, BUCKET, DAY, DISK, DRIVE, SECOND, START, World, everything

KINDS = [(DISK, BUCKET), (BUCKET, DISK), (DISK, DRIVE), (DRIVE, BUCKET), (DISK, DISK)]
EIGHT = tuple(f"f{number}" for number in range(1, 9))
NEWER, NEWEST = START + DAY, START + 2 * DAY
"""2026-09-22 and 2026-09-23."""


def of(*paths: str) -> dict[str, str]:
    """The first content of these files."""
    return {path: f"content of {path}" for path in paths}


def ends_with(world: World, tree: dict[str, str], other: dict[str, str] | None = None, **settings: object) -> None:
    """The next sync gives both sides this tree (B another one with `other`), and the one after it does nothing."""
    world.sync(**settings)
    assert world.a.tree == dict(sorted(tree.items()))
    assert world.b.tree == dict(sorted((tree if other is None else other).items()))
    again = world.sync(**settings)
    assert not again.plan.operations
    assert not again.links, "the state is written again and again"


def skips(world: World, **settings: object) -> dict[str, str]:
    return {one.path: one.code for one in world.plan(**settings).plan.skipped}


@pytest.fixture(params=KINDS, ids=lambda kinds: "-".join(kind.remote_type for kind in kinds))
def kinds(request: pytest.FixtureRequest) -> tuple[Capabilities, Capabilities]:
    return request.param  # type: ignore[no-any-return]


def test_a_first_sync_of_one_full_side_fills_the_other(kinds: tuple[Capabilities, Capabilities]) -> None:
    for a, b in (({"d/f1": "one", "f2": "two"}, {}), ({}, {"d/f1": "one", "f2": "two"})):
        ends_with(World(a, b, kinds=kinds), {**a, **b})


def test_changes_of_every_kind_on_both_sides(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(EIGHT, kinds=kinds)
    world.b.edit("f1", "new f1", NEWER)
    world.a.edit("f2", "new f2", NEWER)
    del world.b.files["f3"], world.a.files["f4"], world.a.files["f8"], world.b.files["f8"]
    world.a.edit("f5", "f5 of A", NEWER)
    world.b.edit("f5", "f5 of B", NEWEST)
    world.b.edit("f6", "new f6")
    del world.a.files["f6"]
    world.a.edit("f7", "new f7")
    del world.b.files["f7"]
    world.b.put("f10", "ten")
    world.a.put("f11", "eleven")
    tree = {
        "f1": "new f1",
        "f2": "new f2",
        "f5": "f5 of B",
        "f5 (conflict A 2026-09-22)": "f5 of A",
        "f6": "new f6",
        "f7": "new f7",
        "f10": "ten",
        "f11": "eleven",
    }
    counts = world.plan().plan.header.counts
    assert {name: counts[name] for name in counts if name[:2] in {"a_", "b_"}} == {
        "a_added": 3,
        "a_changed": 1,
        "a_deleted": 1,
        "a_renamed": 1,
        "b_added": 3,
        "b_changed": 1,
        "b_deleted": 1,
        "b_renamed": 0,
    }
    assert counts["conflicts"] == 1
    ends_with(world, tree)
    assert sorted(world.a.trash) == ["content of f1", "content of f3"]
    assert sorted(world.b.trash) == ["content of f2", "content of f4"]


def test_equal_content_is_no_conflict_and_other_content_is(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(EIGHT, kinds=kinds)
    for place, content in zip(world.places, ("A's", "B's"), strict=True):
        place.edit("f1.flac" if "f1.flac" in place.files else "f1", content, NEWER)
        place.edit("f2", "the same")
    expected = {**of(*EIGHT), "f2": "the same", "f1": "A's", "f1 (conflict B 2026-09-22)": "B's"}
    ends_with(world, expected)


@pytest.mark.parametrize(
    ("policy", "a", "b", "kept"),
    [
        (Policy.NEWER, ("A's", NEWER), ("B's", NEWEST), "B's"),
        (Policy.NEWER, ("A's", NEWEST), ("B's", NEWER), "A's"),
        (Policy.OLDER, ("A's", NEWEST), ("B's", NEWER), "B's"),
        (Policy.LARGER, ("A's", NEWEST), ("the larger one of B", NEWER), "the larger one of B"),
        (Policy.A, ("A's", NEWER), ("B's", NEWEST), "A's"),
        (Policy.B, ("A's", NEWEST), ("B's", NEWER), "B's"),
        (Policy.NEWER, ("A's", NEWER), ("B's", NEWER), None),
        (Policy.OLDER, ("A's", NEWER), ("B's", NEWER), None),
        (Policy.LARGER, ("A's", NEWER), ("B's", NEWER), None),
        (Policy.NEWER, ("A's", NEWER), ("B's", START + 900 * DAY), None),  # more than a day in the future
    ],
)
def test_a_policy_decides_and_a_tie_keeps_both(policy: Policy, a: tuple[str, int], b: tuple[str, int], kept: str | None) -> None:
    for kinds in KINDS:
        world = World.alike(EIGHT, kinds=kinds)
        world.a.edit("f1", *a)
        world.b.edit("f1", *b)
        copy = "f1 (conflict B 2026-09-22)" if b[1] == NEWER else "f1 (conflict B)"
        ends_with(world, {**of(*EIGHT), **({"f1": a[0], copy: b[0]} if kept is None else {"f1": kept})}, conflict=policy)
        if kept is not None:
            loser, content = (world.b, b[0]) if kept == a[0] else (world.a, a[0])
            assert loser.trash == [content]


def test_the_lines_of_a_plan_say_on_which_side_a_file_arrives() -> None:
    world = World.alike(EIGHT)
    world.a.put("d/new", "new of A", NEWER)
    world.b.put("other", "new of B", NEWER)
    plan = world.plan().plan
    a, b = plan.header.source, plan.header.target
    assert sorted(plan_view.lines(plan)) == sorted(
        [f"copy d/new -> {join_location(b, 'd/new')}", f"copy {join_location(b, 'other')} -> other"]
    )
    assert plan_view.facts(plan)[:2] == [("A", a), ("B", b)]


def test_a_first_sync_of_two_full_sides_with_a_preferred() -> None:
    a = {"f1": "1", "f3": "3 of A", "f5": "5 of A", "f6": "6 of A", "f7": "7"}
    b = {"f2": "2", "f3": "3 of B", "f4": "4", "f5": "5 of B", "f6": "6 of B", "f7": "7"}
    ends_with(World(a, b), {**b, **a}, conflict=Policy.A)


def test_a_first_sync_pairs_files_of_equal_content_and_carries_none_of_them(kinds: tuple[Capabilities, Capabilities]) -> None:
    organized = {f"Beck/{number}.flac": f"track {number}" for number in range(3)} | {"Beck/cover.jpg": "cover"}
    old = {f"in/{number}.flac": f"track {number}" for number in range(3)} | {"in/cover.jpg": "cover", "other.txt": "x"}
    world = World(organized, old, kinds=kinds)
    made = world.sync()
    assert made.plan.header.counts["other_names"] == 4
    assert set(skips(world).values()) == {"other-name"}
    assert world.trees == (organized | {"other.txt": "x"}, old)
    for names in ("a", "b"):
        world = World(organized, old, kinds=kinds)
        ends_with(world, {**(organized if names == "a" else old), "other.txt": "x"}, keep_names=names)
        assert world.sent.total() == 1
    world = World(organized, old, kinds=kinds)
    ends_with(world, organized, {**organized, "other.txt": "x"}, direction=Direction.A_TO_B)
    assert not world.sent


def test_files_that_met_under_other_names_are_in_sync_and_a_name_can_be_chosen_later(
    kinds: tuple[Capabilities, Capabilities],
) -> None:
    names = [f"{number}.flac" for number in range(8)]
    world = World({f"new/{name}": name for name in names}, {f"old/{name}": name for name in names}, kinds=kinds)
    world.sync()
    world.a.edit("new/0.flac", "edited on A")
    world.b.edit("old/1.flac", "edited on B")
    world.a.delete("new/2.flac")
    world.b.delete("old/3.flac")
    world.a.rename("new/4.flac", "new/04.flac")
    world.b.put("new/5.flac", "5.flac")  # a copy under the name that A has
    both = {"new/04.flac": "4.flac", "new/5.flac": "5.flac", "old/5.flac": "5.flac"}
    other_names = {"0.flac": "edited on A", "1.flac": "edited on B", "6.flac": "6.flac", "7.flac": "7.flac"}
    here, there = (
        {**{f"{folder}/{name}": content for name, content in other_names.items()}, **both} for folder in ("new", "old")
    )
    ends_with(world, here, there)
    assert set(skips(world)) == {f"new/{name}" for name in other_names}
    ends_with(world, there, keep_names="b")


def test_names_that_differ_in_case_and_form_stay_as_each_side_spells_them() -> None:
    composed, decomposed = (unicodedata.normalize(form, "d/é.mp3") for form in ("NFC", "NFD"))
    a, b = {composed: "x", "HeLlO": "y", "f": "z"}, {decomposed: "x", "hello": "new y", "f": "z"}
    world = World(a, b)
    world.b.edit("hello", "new y", NEWER)
    ends_with(world, {**a, "HeLlO": "new y"}, b, conflict=Policy.NEWER)
    for path, content in (("f", "A's f"), ("HeLlO", "A's hello"), (composed, "A's é")):
        world.a.edit(path, content)
    ends_with(world, world.a.tree, {"f": "A's f", "hello": "A's hello", decomposed: "A's é"})
    # A change of the form alone is never carried, one of the case is.
    world.a.rename(composed, decomposed)
    world.a.rename("f", "F")
    world.sync()
    assert set(world.b.files) == {decomposed, "hello", "F"}
    # If both forms are in use, they are two names.
    world = World.alike([composed])
    world.b.rename(composed, decomposed)
    world.a.put(decomposed, "another")
    world.sync()
    assert len(world.a.tree) == 2
    assert world.a.tree == world.b.tree


@pytest.mark.parametrize(
    ("here", "there"), [("Beck/Odelay", "beck/odelay"), ("e\u0301", "\u00e9"), ("Beck/Odelay", "Beck/odelay"), ("beck", "Beck")]
)
@pytest.mark.parametrize("folds", [False, True])
def test_what_comes_into_a_folder_goes_to_its_neighbours_however_it_is_spelled(here: str, there: str, *, folds: bool) -> None:
    """Otherwise it lands in a second folder; a storage without case shows it in the first one, as if it were renamed."""
    kinds = (DISK, msgspec.structs.replace(BUCKET, case_insensitive=folds))
    for turned in (False, True):
        names = (there, here) if turned else (here, there)
        world = World(*({f"{name}/{n}": f"song {n}" for n in "12345"} for name in names), kinds=kinds[::-1] if turned else kinds)
        assert not world.sync().plan.operations
        a, b = world.places
        for place, name, other in ((a, names[0], "A"), (b, names[1], "B")):
            place.put(f"{name}/new on {other}", f"new {other}")
            place.put(f"{name}/in/deeper on {other}", f"deeper {other}")
            place.edit(f"{name}/1", f"edited by {other}")
        a.rename(f"{names[0]}/2", f"{names[0]}/renamed")
        b.rename(f"{names[1]}/3", f"{names[1]}/in/moved")
        a.delete(f"{names[0]}/4")
        b.edit(f"{names[1]}/4", "survives")
        leaves = {
            **{f"{what} on {side}": f"{what.split('/')[-1].split()[0]} {side}" for what in ("new", "in/deeper") for side in "AB"},
            "renamed": "song 2",
            "in/moved": "song 3",
            "4": "survives",
            "5": "song 5",
            "1": "edited by A",
            "1 (conflict B 2026-09-21)": "edited by B",
        }
        ends_with(world, *({f"{name}/{leaf}": content for leaf, content in leaves.items()} for name in names))


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.B_TO_A])
def test_a_name_that_is_only_free_in_the_other_spelling_is_reported_and_nothing_gives_way(direction: Direction) -> None:
    names = {"f1": "one", "f2": "two"}
    world = World(*({**{f"{folder}/{name}": content for name, content in names.items()}, "d/3": "3"} for folder in ("e", "E")))
    world.sync()
    world.b.rename_folder("d", "e/f1")
    world.b.put("e/f2", "another")
    assert world.plan(direction=direction).plan.header.counts["conflicts"] == 0
    ends_with(world, world.a.tree, world.b.tree, direction=direction)
    assert skips(world) == {"e/f1/3": "unsupported-name", "e/f2": "unsupported-name"}


def test_folders_that_a_side_has_in_both_spellings_are_two() -> None:
    world = World({"Beck/1": "1", "Beck/X": "X"}, {"beck/1": "1", "beck/x": "X"}, kinds=(DISK, DISK))
    world.sync()
    world.a.put("Beck/x", "another")
    ends_with(world, {**world.a.tree}, {**world.b.tree, "Beck/x": "another"})
    world.a.put("Beck/2", "2")
    ends_with(world, {**world.a.tree}, {**world.b.tree, "Beck/2": "2"})
    # A second spelling beside the first one comes into the only folder of a storage without case.
    world = World.alike({"Beck/1": "1"}, kinds=(DISK, msgspec.structs.replace(BUCKET, case_insensitive=True)))
    world.a.put("beck/2", "2")
    ends_with(world, {"Beck/1": "1", "beck/2": "2"}, {"Beck/1": "1", "Beck/2": "2"})


@pytest.mark.parametrize("name", ["Дерево", "木", "a b", "l\nf", "c\x19", "x - Copy (2)", "f [x]*?", "\u202ex"])
def test_every_name_is_carried_as_it_is(name: str) -> None:
    world = World.alike([f"d/{name}", *EIGHT])
    world.a.edit(f"d/{name}", "edited")
    world.b.put(f"{name}/x", "new")
    ends_with(world, {**of(*EIGHT), f"d/{name}": "edited", f"{name}/x": "new"})


def test_a_name_that_is_not_utf8_is_skipped_and_counts_as_there() -> None:
    world = World.alike(EIGHT)
    world.a.put("bad\udc81", "bytes")
    assert skips(world) == {"bad\udc81": "unsupported-name"}
    world.sync()
    assert world.b.tree == of(*EIGHT)


def lose(world: World, side: int, number: int) -> None:
    for path in sorted(world.places[side].files)[:number]:
        del world.places[side].files[path]


@pytest.mark.parametrize("side", [0, 1])
def test_brakes(side: int) -> None:
    nine = (*EIGHT, "f9")

    def refused(change: Callable[[World], None], remedy: str, **settings: object) -> None:
        world = World.alike(nine)
        change(world)
        before, rows = world.trees, dict(world.rows)
        with pytest.raises(SafetyLimitError) as error:
            world.sync(**settings)
        assert remedy in error.value.message
        assert (world.trees, world.rows) == (before, rows)

    def passes(change: Callable[[World], None], left: int, **settings: object) -> None:
        world = World.alike(nine)
        change(world)
        world.sync(**settings)
        assert len(world.a.files) == len(world.b.files) == left

    def edit_all(world: World, but: int = 0) -> None:
        for path in sorted(world.places[side].files)[but:]:
            world.places[side].edit(path, f"edited {path}")

    def edit_all_and_leave_one_out(world: World) -> None:
        edit_all(world)
        world.places[side].young = lambda path: path == "f9"

    refused(edit_all_and_leave_one_out, "--max-delete 100%")
    refused(lambda world: lose(world, side, 9), "--resync", max_delete=Limit(100, percent=True))
    refused(lambda world: lose(world, side, 5), "--max-delete")
    refused(lambda world: lose(world, side, 1), "--max-delete 1", max_delete=Limit(0, percent=False))
    refused(lambda world: lose(world, side, 5), "--max-delete 5", max_delete=Limit(4, percent=False))
    refused(edit_all, "--max-delete 100%")
    passes(lambda world: lose(world, side, 5), 4, max_delete=Limit(60, percent=True))
    passes(lambda world: lose(world, side, 5), 4, max_delete=Limit(5, percent=False))
    passes(lambda world: lose(world, side, 4), 5)
    passes(lambda world: edit_all(world, 1), 9)
    passes(edit_all, 9, max_delete=Limit(100, percent=True))

    def rename_all(world: World) -> None:
        for path in nine:
            world.places[side].rename(path, f"new/{path}")

    passes(rename_all, 9, max_delete=Limit(0, percent=False))


def test_a_chain_with_a_new_head(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(EIGHT, kinds=kinds)
    world.sent.clear()
    del world.a.files["f3"]
    world.a.rename("f2", "f3")
    world.a.rename("f1", "f2")
    world.a.put("f1", "a new one")
    ends_with(world, {**of(*EIGHT), "f1": "a new one", "f2": "content of f1", "f3": "content of f2"})
    assert world.b.trash == ["content of f3"]
    assert world.sent == {"a new one": 1}


def folder(world: World, side: int, old: str, new: str) -> None:
    place = world.places[side]
    for path in [path for path in place.files if path.startswith(f"{old}/")]:
        place.rename(path, new + path[len(old) :])


def test_folders(kinds: tuple[Capabilities, Capabilities]) -> None:
    """Renamed on one side; a new file, an edit, another name or a deletion on the other."""
    inside = ("d/f1", "d/f2", "d/f3")

    def world() -> World:
        made = World.alike([*inside, "g/f1"], kinds=kinds)
        made.sent.clear()
        return made

    def moved(to: str, **edited: str) -> dict[str, str]:
        return {f"{to}/f{number}": edited.get(f"f{number}", f"content of d/f{number}") for number in (1, 2, 3)} | of("g/f1")

    one = world()
    folder(one, 0, "d", "e")
    one.b.put("d/n", "new")
    ends_with(one, {**moved("e"), "d/n": "new"})
    assert one.sent == {"new": 1}

    one = world()
    folder(one, 0, "d", "e")
    one.b.edit("d/f1", "edited")
    ends_with(one, moved("e", f1="edited"))
    assert one.sent == {"edited": 1}

    one = world()
    folder(one, 0, "d", "e")
    folder(one, 1, "d", "h")
    one.b.edit("h/f1", "by B")
    one.a.edit("e/f2", "by A")
    assert one.plan().plan.header.counts["renamed_on_both"] == 3
    ends_with(one, moved("e", f1="by B", f2="by A"))

    one = world()
    folder(one, 0, "d", "e")
    folder(one, 1, "g", "e")
    ends_with(one, {**{f"e/f{n}": f"content of d/f{n}" for n in (1, 2, 3)}, "e/f1 (conflict B 2026-09-21)": "content of g/f1"})
    assert not one.sent

    one = world()
    for path in inside:
        del one.a.files[path]
    one.b.edit("d/f1", "edited")
    one.b.put("d/n", "new")
    ends_with(one, {"d/f1": "edited", "d/n": "new", **of("g/f1")})

    one = world()
    folder(one, 0, "d", "g/d")
    folder(one, 0, "g", "h")
    ends_with(one, {f"h/d/f{n}": f"content of d/f{n}" for n in (1, 2, 3)} | {"h/f1": "content of g/f1"})
    assert not one.sent


def test_renames_of_single_files(kinds: tuple[Capabilities, Capabilities]) -> None:
    def world() -> World:
        made = World.alike(EIGHT, kinds=kinds)
        made.sent.clear()
        return made

    rest = of(*EIGHT[3:])
    one = world()  # over another one
    one.a.rename("f1", "f2", over=True)
    ends_with(one, {"f2": "content of f1", **of("f3"), **rest})
    assert (one.b.trash, one.sent.total()) == (["content of f2"], 0)

    one = world()  # a ring
    for old, new in (("f1", "x"), ("f3", "f1"), ("f2", "f3"), ("x", "f2")):
        one.b.rename(old, new)
    ends_with(one, {"f1": "content of f3", "f2": "content of f1", "f3": "content of f2", **rest})
    assert not one.sent

    one = world()  # on both sides, to one name and to two
    for place in one.places:
        place.rename("f1", "same")
    one.a.rename("f2", "a's")
    one.b.rename("f2", "b's")
    ends_with(one, {"same": "content of f1", "a's": "content of f2", **of("f3"), **rest})
    assert not one.sent

    one = world()  # renamed here, deleted there: the rename survives
    one.a.rename("f1", "x")
    del one.b.files["f1"]
    ends_with(one, {"x": "content of f1", **of("f2", "f3"), **rest})

    one = world()  # two entries want one name
    one.a.rename("f1", "x")
    one.b.rename("f2", "x")
    ends_with(one, {"x": "content of f1", "x (conflict B 2026-09-21)": "content of f2", **of("f3"), **rest})
    assert not one.sent

    one = world()  # only the case
    one.a.rename("f1", "F1")
    ends_with(one, {"F1": "content of f1", **of("f2", "f3"), **rest})
    assert not one.sent


def test_a_file_becomes_a_folder_and_a_file_again(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(["x", *EIGHT], kinds=kinds)
    world.sent.clear()
    world.a.rename("x", "tmp")
    world.a.rename("tmp", "x/x")
    ends_with(world, {"x/x": "content of x", **of(*EIGHT)})
    world.b.rename("x/x", "tmp")
    world.b.rename("tmp", "x")
    ends_with(world, {"x": "content of x", **of(*EIGHT)})
    assert not world.sent
    world.a.put("y", "a file")
    world.b.put("y/z", "in a folder")
    ends_with(world, {"x": "content of x", "y (conflict A 2026-09-21)": "a file", "y/z": "in a folder", **of(*EIGHT)})


def test_siblings_whose_names_begin_alike_are_not_touched() -> None:
    world = World.alike(["live/1", "live-1/1", "live 2/1", "LIVE2/1"])
    folder(world, 0, "live", "studio")
    ends_with(world, {"studio/1": "content of live/1", **of("live-1/1", "live 2/1", "LIVE2/1")})


def test_a_folder_that_was_made_again_on_drive_with_other_ids_is_the_same() -> None:
    world = World.alike(["d/1", "d/2"], kinds=(DISK, DRIVE))
    for path in ("d/1", "d/2"):
        del world.b.files[path]
        world.b.put(path, f"content of {path}")
    made = world.plan()
    assert not made.plan.operations
    ends_with_nothing = world.sync()
    assert len(ends_with_nothing.links) == 2
    assert not world.sync().links


def test_a_document_in_the_place_of_a_file_is_no_deletion() -> None:
    world = World.alike([*EIGHT, "notes.docx", "moved.docx", "gone.docx"], kinds=(DISK, DRIVE))
    wanted = of(*EIGHT, "notes.docx", "moved.docx")
    # Converted, the original deleted or moved away; a document nobody else has; one with the name of a new file.
    del world.b.files["notes.docx"], world.b.files["gone.docx"], world.a.files["gone.docx"]
    world.b.rename("moved.docx", "original/moved.docx")
    documents = {path: f"made on the way: {path}" for path in ("gone.docx", "moved.docx", "new.docx", "notes.docx", "other.docx")}
    world.b.documents = frozenset(documents)
    for path, content in documents.items():
        world.b.put(path, content)
    world.a.put("new.docx", "a new file")
    wanted["new.docx"] = "a new file"
    there = of(*EIGHT) | documents | {"original/moved.docx": "content of moved.docx"}
    for words in ("", "edited"):
        if words:
            world.a.edit("notes.docx", words)
            wanted["notes.docx"] = words
        assert skips(world) == dict.fromkeys(["moved.docx", "new.docx", "notes.docx"], "conflict")
        ends_with(world, wanted, there)
    # Without the documents, everything goes on as it was.
    for path in documents:
        del world.b.files[path]
    world.b.documents = frozenset()
    wanted["original/moved.docx"] = wanted.pop("moved.docx")
    ends_with(world, wanted)


def test_nothing_is_done_below_a_folder_that_could_not_be_listed(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(["d/1", "d/2", "e/1", "e/2"], kinds=kinds)
    world.b.unlisted = ("d",)
    world.a.edit("d/1", "edited")
    world.a.put("d/new", "new")
    world.a.rename("d/2", "moved out")
    world.a.rename("e/1", "e/moved")
    world.b.rename("e/2", "e/too")
    world.sync()
    assert world.b.tree == of("d/1", "d/2") | {"e/moved": "content of e/1", "e/too": "content of e/2"}
    world.b.unlisted = ()
    ends_with(
        world,
        {"d/1": "edited", "d/new": "new", "moved out": "content of d/2", "e/moved": "content of e/1", "e/too": "content of e/2"},
    )


def test_what_filters_hide_is_no_deletion_and_comes_back_as_new(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(["d/1", "d/2", *EIGHT], kinds=kinds)
    for place in world.places:
        place.hidden = lambda path: path.startswith("d/")
    world.a.rename("f1", "d/f1")
    assert not world.sync().plan.operations
    assert len(world.rows) == len(EIGHT)
    world.b.edit("d/1", "edited meanwhile", NEWER)
    assert not world.sync().plan.operations
    for place in world.places:
        place.hidden = lambda _: False
    world.a.rename("d/f1", "f1")
    ends_with(world, {**of("d/2", *EIGHT), "d/1": "edited meanwhile"}, conflict=Policy.NEWER)


def test_a_file_that_is_too_young_waits_and_its_name_stays_taken(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(EIGHT, kinds=kinds)
    world.a.edit("f1", "edited")
    world.a.put("new", "new")
    world.b.put("new/below", "x")
    world.b.rename("f2", "moved")
    world.a.young = lambda path: path in {"f1", "new"}
    rest = {**of(*EIGHT[2:]), "moved": "content of f2"}
    ends_with(world, {**rest, "f1": "edited", "new": "new"}, {**rest, **of("f1"), "new/below": "x"})
    world.a.young = lambda _: False
    ends_with(world, {**rest, "f1": "edited", "new/below": "x", "new (conflict A 2026-09-21)": "new"})


@pytest.mark.parametrize(
    "name", [".music-orchestrator/x", "f.0123abcd.partial", ".DS_Store", "x.part", "._f1", "a.sync-conflict-1.mp3"]
)
def test_clutter_and_our_own_files_are_never_carried(name: str) -> None:
    world = World.alike(EIGHT)
    world.a.put(f"d/{name}", "x")
    world.b.put(f"e/{name}", "y")
    assert not world.sync().plan.operations


def test_without_hashes_and_times_only_sizes_are_seen() -> None:
    world = World(of(*EIGHT), {}, kinds=(DISK, BARE))
    world.sync()
    world.a.edit("f1", "CONTENT OF f1")  # the same size, the times kept: seen by the time of change
    world.b.edit("f2", "CONTENT OF f2")  # not to be seen
    del world.b.files["f3"]
    world.sync()
    assert world.b.tree["f1"] == "CONTENT OF f1"
    assert world.a.tree["f2"] == "content of f2"
    assert "f3" not in world.a.files


def test_what_our_own_runs_renamed_is_known_where_the_remote_shows_only_sizes() -> None:
    world = World({"f1": "one", "f2": "two", "f3": "three", "f4": "four"}, {}, kinds=(DISK, BARE))
    world.sync()
    world.sent.clear()
    place = world.b
    one, two = place.files.pop("f1"), place.files.pop("f2")
    place.put("f1", two.content)
    place.put("f2", one.content)
    place.rename("f3", "new/f3")
    place.rename("f4", "new/f4")
    place.edit("new/f4", "edited after it was renamed")
    place.renamed = {"f1": "f2", "f2": "f1", "f3": "new/f3", "f4": "new/f4", "f5": "gone"}
    made = world.sync()
    assert world.a.tree == world.b.tree == {"f1": "two", "f2": "one", "new/f3": "three", "new/f4": "edited after it was renamed"}
    assert world.sent == {"edited after it was renamed": 1}
    assert made.plan.header.counts["a_renamed"] == 4
    place.renamed = {}
    assert not world.sync().plan.operations


def test_an_edit_that_keeps_size_and_time_is_seen_on_a_disk() -> None:
    for over in (False, True):
        world = World.alike(EIGHT)
        world.sent.clear()
        if over:
            world.a.put("f1.tmp2", "CONTENT OF f1")
            world.a.rename("f1.tmp2", "f1", over=True)
        else:
            world.a.edit("f1", "CONTENT OF f1")
        ends_with(world, {**of(*EIGHT), "f1": "CONTENT OF f1"})
        assert world.sent == {"CONTENT OF f1": 1}


def test_new_times_alone_are_never_sent(kinds: tuple[Capabilities, Capabilities]) -> None:
    world = World.alike(EIGHT, kinds=kinds)
    for shift in (3600 * SECOND, DAY):
        for path in EIGHT:
            world.a.edit(path, world.a.files[path].content, START + shift)
        ends_with(world, of(*EIGHT))


@pytest.mark.parametrize("policy", [None, Policy.NEWER, Policy.B, Policy.LARGER])
def test_a_cut_file_never_replaces_a_whole_one(policy: Policy | None) -> None:
    tracks = [f"{path}.mp3" for path in EIGHT]
    world = World.alike(tracks)
    world.b.edit("f1.mp3", "cut", NEWEST)
    world.b.damaged["cut"] = "it ends early"
    assert skips(world, conflict=policy) == {"f1.mp3": "unreadable"}
    ends_with(world, of(*tracks), conflict=policy)
    assert world.b.trash == ["cut"]
    world.a.edit("f2.mp3", "edited", NEWER)
    world.b.edit("f2.mp3", "cut", NEWEST)
    ends_with(world, {**of(*tracks), "f2.mp3": "edited"}, conflict=policy)
    # As many programs leave a file when they are killed.
    world.b.edit("f4.mp3", "", NEWEST)
    assert skips(world, conflict=policy) == {"f4.mp3": "unreadable"}
    ends_with(world, {**of(*tracks), "f2.mp3": "edited"}, conflict=policy)
    # Where both are damaged, nothing is known to be better.
    world.a.damaged["content of f3.mp3"] = "no header"
    world.b.edit("f3.mp3", "cut", NEWEST)
    ends_with(world, {**of(*tracks), "f2.mp3": "edited", "f3.mp3": "cut"}, conflict=policy)


def test_files_that_only_differ_in_what_players_write_make_no_copies() -> None:
    tracks = {f"{number}.flac": f"sound {number}|tags" for number in range(10)}
    world = World.alike(tracks, sounds=True)
    for path, content in tracks.items():
        world.a.edit(path, f"{content}#1", NEWER)
        world.b.edit(path, f"{content}#2", NEWEST)
    assert world.plan(max_delete=Limit(100, percent=True), conflict=Policy.KEEP_BOTH).plan.header.counts["a_added"] == 10
    ends_with(world, {path: f"{content}#2" for path, content in tracks.items()}, max_delete=Limit(100, percent=True))
    assert len(world.a.trash) == 10


def test_a_retagged_and_renamed_file_is_one_file_without_hashes() -> None:
    world = World.alike({"1.flac": "sound|t", "2.flac": "other|t"}, sounds=True, kinds=(BARE, DISK))
    world.a.rename("1.flac", "new.flac")
    world.a.edit("new.flac", "sound|new tags")
    made = world.sync()
    assert [str(operation.verb) for operation in made.plan.operations] == ["move", "replace"]
    assert world.b.tree == {"2.flac": "other|t", "new.flac": "sound|new tags"}


def test_a_file_whose_sound_has_no_sure_checksum_is_known_by_all_that_can_be_seen_of_it() -> None:
    crypt = Capabilities(move=True, copy=True, mtime_precision_ns=SECOND, remote_type="crypt", names="remote")
    sent = ["copy", "delete"]
    for edit, time, verbs in (
        (None, START, ["move"]),
        ("?one|new tags", NEWER, sent),
        ("?eno|t", START, sent),
        ("?one|t", NEWER, sent),
    ):
        world = World.alike({"1.mp3": "?one|t", "2.mp3": "?two|t"}, sounds=True, kinds=(crypt, DISK))
        world.a.rename("1.mp3", "new.mp3")
        if edit is not None:
            world.a.edit("new.mp3", edit, time)
        assert sorted(str(operation.verb) for operation in world.sync().plan.operations) == verbs
        assert world.b.tree == {"2.mp3": "?two|t", "new.mp3": edit or "?one|t"}


def test_tags_are_read_only_where_no_hash_tells() -> None:
    tracks = {f"{number}.flac": f"sound {number}|t" for number in range(3)}
    for kinds, expected in ((DISK, BUCKET), set()), ((BARE, DISK), {"sounds"}), ((BARE, BUCKET), {"sounds"}):
        world = World(tracks, {f"d/{path}": content for path, content in tracks.items()}, kinds=kinds, sounds=True)
        made = world.plan(keep_names="a")
        assert [operation.verb for operation in made.plan.operations] == [Verb.MOVE] * 3
        assert world.asked - {"hashes"} == expected
        world = World.alike(tracks, kinds=kinds, sounds=True)
        world.asked.clear()
        assert not world.plan().plan.operations
        assert not world.asked
    # A hint is not enough to pair by, and neither is a sound that two files have.
    for sounds in (["?one", "?two"], ["one", "one"]):
        tracks = {f"{number}.flac": f"{sound}|t" for number, sound in enumerate(sounds)}
        world = World(tracks, {f"d/{path}": content for path, content in tracks.items()}, kinds=(BARE, DISK), sounds=True)
        assert {operation.verb for operation in world.plan(keep_names="a").plan.operations} == {Verb.COPY}


def test_a_conflict_copy_that_is_edited_on_both_sides_gets_the_next_number() -> None:
    world = World.alike(EIGHT)
    world.a.edit("f1", "A's", NEWEST)
    world.b.edit("f1", "B's", NEWER)
    copy = "f1 (conflict B 2026-09-22)"
    ends_with(world, {**of(*EIGHT), "f1": "A's", copy: "B's"})
    world.a.edit(copy, "again A's", NEWEST)
    world.b.edit(copy, "again B's", NEWEST)
    second = "f1 (conflict B 2026-09-22 2)"
    ends_with(world, {**of(*EIGHT), "f1": "A's", copy: "again A's", second: "again B's"})
    # What is there already as a conflict copy is not copied once more.
    world.a.edit("f1", "more A's", NEWEST)
    world.b.edit("f1", "again A's", NEWER)
    ends_with(world, {**of(*EIGHT), "f1": "more A's", copy: "again A's", second: "again B's"})
    assert "again A's" in world.b.trash


def test_a_damaged_row_makes_a_conflict_and_then_the_sides_are_stable() -> None:
    world = World.alike(EIGHT, kinds=(DRIVE, BUCKET))
    world.b.edit("f1", "other", NEWER)
    number, row = next((number, row) for number, row in world.rows.items() if row.files[0].path == "f1")
    world.rows[number] = type(row)(number, (row.files[0], world.b.listed("f1")))
    ends_with(world, {**of(*EIGHT), "f1": "other", "f1 (conflict A 2026-09-21)": "content of f1"})


def test_a_folder_stays_behind_where_the_other_side_has_a_file_in_its_unicode_form() -> None:
    """Both names are possible on A; B keeps the file as it spells it, and could not have the folder beside it."""
    world = World.alike({"d/\u00e9": "file", "live/1": "one", "live/2": "two"}, kinds=(DISK, DISK))
    world.a.rename("d/\u00e9", "d/e\u0301")
    world.a.rename_folder("live", "d/\u00e9/live")
    before = world.trees
    for _ in range(2):
        assert set(skips(world)) == {"d/\u00e9/live/1", "d/\u00e9/live/2"}
        assert not world.sync().plan.operations
        assert world.trees == before


def test_a_row_that_takes_two_other_files_for_alike_is_as_none() -> None:
    world = World.alike({"f1": "one", "f2": "two", "f3": "three"})
    one, two, three = world.rows.values()
    world.rows = {1: type(one)(1, (one.files[0], two.files[1])), 3: three}
    ends_with(world, {"f1": "one", "f2": "two", "f3": "three"})


def test_a_name_that_the_other_side_refuses_stays_there_and_is_reported() -> None:
    world = World.alike(EIGHT)
    long = "x" * 250 + ".flac"
    world.b.capabilities = type(BUCKET)(
        **{**{f: getattr(BUCKET, f) for f in BUCKET.__struct_fields__}, "max_component_bytes": 100}
    )
    world.a.rename("f1", long)
    for _ in range(3):
        assert skips(world) == {long: "unsupported-name"}
        world.sync()
        assert world.b.tree == of(*EIGHT)
    world.a.edit(long, "edited on A")
    world.sync()
    assert world.b.tree["f1"] == "edited on A"
    world.b.edit("f1", "edited on B")
    world.sync()
    assert world.a.tree[long] == "edited on B"
    world.a.rename(long, "short")
    ends_with(world, {**of(*EIGHT[1:]), "short": "edited on B"})


def test_one_way_leaves_the_source_and_what_only_the_target_has() -> None:
    for direction, source, target in ((Direction.A_TO_B, 0, 1), (Direction.B_TO_A, 1, 0)):
        world = World.alike(EIGHT)
        here, there = world.places[source], world.places[target]
        here.put("new", "new")
        here.edit("f1", "edited")
        here.rename("f2", "renamed")
        del here.files["f3"]
        there.put("only here", "target's")
        there.edit("f4", "edited at the target")
        here.edit("f5", "source's", NEWER)
        there.edit("f5", "target's", NEWEST)
        del there.files["f6"]
        before = here.tree
        made = world.sync(direction=direction)
        assert here.tree == before
        letter = "BA"[source]
        after = {
            **of("f3", "f7", "f8"),
            "f1": "edited",
            "renamed": "content of f2",
            "new": "new",
            "only here": "target's",
            "f4": "edited at the target",
            "f5": "source's",
            f"f5 (conflict {letter} 2026-09-23)": "target's",
        }
        assert there.tree == dict(sorted(after.items()))
        assert made.plan.header.counts["only_at_target"] == 2
        assert not world.sync(direction=direction).plan.operations
        deleting = world.sync(direction=direction, delete=True)
        assert [operation.src.path for operation in deleting.plan.operations] == ["f3"]
        assert there.trash[-1] == "content of f3"


def test_new_copies_of_what_is_there_are_made_by_the_server() -> None:
    world = World.alike(EIGHT)
    world.sent.clear()
    world.a.put("copy", "content of f1")
    for name in ("twin 1", "twin 2"):
        world.b.put(name, "twin")
    ends_with(world, {**of(*EIGHT), "copy": "content of f1", "twin 1": "twin", "twin 2": "twin"})
    assert world.sent == {"twin": 1}


def test_names_that_a_side_cannot_tell_apart_are_reported_and_lose_nothing() -> None:
    folding = msgspec.structs.replace(DISK, case_insensitive=True)
    world = World({"x": "small"}, {}, kinds=(BUCKET, folding))
    world.a.put("X", "large")
    assert skips(world) == {"x": "unsupported-name"}
    world.sync()
    assert world.b.tree == {"X": "large"}
    assert world.a.tree == {"X": "large", "x": "small"}
    assert not world.sync().plan.operations


@pytest.mark.timeout(20)
def test_two_unicode_forms_of_one_name_change_places_and_are_copied() -> None:
    """Names that may be one on some systems are given one after the other: the planner once waited in a circle, for ever."""
    composed, decomposed = "d/\u00e9", "d/e\u0301"
    world = World.alike({"in": "in", composed: "goes", decomposed: "stays", "x": "x"})
    world.b.rotate(("in", decomposed))
    world.b.delete(composed)
    world.b.rename("x", composed)
    world.sync(**everything())
    assert world.trees == ({"in": "stays", composed: "x", decomposed: "in"},) * 2

    world = World.alike({composed: "one", decomposed: "one", "other": "other"}, kinds=(DISK, DRIVE))
    world.a.rename_folder("d", "m")
    world.b.delete(decomposed)
    world.sync(**everything())
    assert world.trees == ({"m/\u00e9": "one", "m/e\u0301": "one", "other": "other"},) * 2


def test_times_a_whole_hour_apart_decide_nothing_where_most_files_are_so() -> None:
    world = World.alike(EIGHT, kinds=(DISK, DRIVE))
    for path in EIGHT:
        world.b.edit(path, world.b.files[path].content, START + 3600 * SECOND)
    world.sync()
    world.a.edit("f1", "A's", NEWER)
    world.b.edit("f1", "B's", NEWER + 3600 * SECOND)
    ends_with(world, {**of(*EIGHT), "f1": "A's", "f1 (conflict B 2026-09-22)": "B's"}, conflict=Policy.NEWER)


@pytest.mark.parametrize(("kind", "number"), [(BARE, 2), (BUCKET, 0)])
def test_what_could_not_be_compared_at_a_first_sync_is_counted_and_both_are_kept(kind: Capabilities, number: int) -> None:
    """Only files of equal size may be the same. A file of that name that is larger needs no comparison."""
    files = {"cover.jpg": "front", "song.log": "a log", "empty": "", "list.m3u": "short"}
    world = World(files, {**files, "list.m3u": "longer"}, kinds=(DISK, kind))
    made = world.sync()
    assert (made.plan.header.counts["not_compared"], made.plan.header.counts["conflicts"]) == (number, number + 1)
    assert world.trees[0] == world.trees[1]
    assert len(world.a.tree) == len(files) + number + 1


def test_what_a_side_without_hashes_and_times_cannot_see_is_counted() -> None:
    for kinds, unseen in ((DISK, BARE), 8), ((BARE, BARE), 16), ((DISK, BUCKET), 0), ((DRIVE, BUCKET), 0), ((DISK, DISK), 0):
        world = World({**of(*EIGHT), "empty": ""}, kinds=kinds)
        world.sync()
        assert world.plan().plan.header.counts["edits_unseen"] == unseen
    world = World(of(*EIGHT), kinds=(DISK, BARE))
    world.sync()
    world.a.edit("f1", "CONTENT OF f1")  # seen by its time of change
    world.b.edit("f2", "CONTENT OF f2")  # of the same size
    world.a.files.pop("f3")
    world.sync()
    assert world.b.tree == {**of(*EIGHT[3:]), "f1": "CONTENT OF f1", "f2": "CONTENT OF f2"}
    assert world.a.tree["f2"] == "content of f2"


@pytest.mark.parametrize("kinds", [(DISK, BARE), (BARE, DISK)], ids=["to the server", "to the disk"])
def test_a_copy_is_only_made_from_what_is_sure_to_be_there_still(kinds: tuple[Capabilities, Capabilities]) -> None:
    """What a server holds is remembered by the hash of its twin: it may have been edited there since, without being seen."""
    world = World({"x/f1": "content of f1", **of("f2")}, kinds=kinds)
    world.sync()
    disk, server = (world.a, world.b) if kinds[0] is DISK else (world.b, world.a)
    server.edit("x/f1", "CONTENT OF f1")
    disk.put("y/f1", "content of f1")
    plan = world.sync().plan
    assert server.tree["y/f1"] == disk.tree["y/f1"] == "content of f1"
    assert [one.src.fs for one in plan.operations] == [disk.fs]


def test_a_disk_without_times_of_change_is_believed_by_size_and_time() -> None:
    world = World.alike(EIGHT, kinds=(DISK, BUCKET))
    world.a.tells_changes = False
    world.a.files = {path: replace(stored, number=number + 100) for number, (path, stored) in enumerate(world.a.files.items())}
    world.asked.clear()
    assert not world.plan().plan.operations  # mounted again: other numbers
    assert not world.asked
    world.a.edit("f1", "edited", NEWER)
    world.a.rename("f2", "renamed")
    # A number that is used again, with size and time, is no rename.
    world.a.files["other"] = replace(world.a.files.pop("f3"), content="CONTENT OF f3")
    tree = {"f1": "edited", "renamed": "content of f2", "other": "CONTENT OF f3"}
    ends_with(world, {**of(*EIGHT[3:]), **tree})


@pytest.mark.parametrize("side", SIDES)
def test_a_file_and_a_folder_of_one_name_stay_where_a_bucket_has_both(side: SideNumber) -> None:
    """The other side cannot: what it has not yet is reported, whatever is renamed elsewhere."""
    world = World(kinds=(BUCKET, DISK) if side == 0 else (DISK, BUCKET))
    bucket, disk = world.places[side], world.places[1 - side]
    bucket.holds_both = True
    for path in ("m", "m/1", "m/2", "x", "n", "y"):
        bucket.put(path, f"content of {path}")
    world.sync()
    there = of("m/1", "m/2", "x", "n", "y")
    assert disk.tree == dict(sorted(there.items()))
    bucket.put("n/1", "content of n/1")  # there, the file is in sync
    for place, old, new in ((disk, "m/1", "m/3"), (bucket, "m/2", "m/4"), (disk, "x", "m/x"), (bucket, "y", "z")):
        place.rename(old, new)
        there[new] = there.pop(old)
        world.sync()
        assert skips(world) == {"m": "unsupported-name", "n/1": "unsupported-name"}
        assert not world.plan().plan.operations
        assert disk.tree == dict(sorted(there.items()))
        assert bucket.tree == dict(sorted({**there, **of("m", "n/1")}.items()))
    # Once the folder has another name, the file is copied.
    disk.rename_folder("m", "o")
    bucket.delete("n/1")
    there = {path.replace("m/", "o/"): content for path, content in there.items()}
    ends_with(world, {**there, **of("m")})


def test_both_buckets_have_a_file_and_a_folder_of_one_name() -> None:
    world = World(kinds=(BUCKET, BUCKET))
    for place in world.places:
        place.holds_both = True
        for path in ("m", "m/1", "x"):
            place.put(path, f"content of {path}")
    world.sync()
    world.a.rename("m/1", "m/2")
    world.b.rename("x", "m/x")
    ends_with(world, {**of("m"), "m/2": "content of m/1", "m/x": "content of x"})


@pytest.mark.parametrize("kinds", [(DISK, DISK), (DISK, BUCKET), (DISK, BARE)], ids=["disk", "bucket", "bare"])
def test_what_the_target_renames_and_the_source_edits_keeps_its_name_there_and_no_other_copy_is_replaced(
    kinds: tuple[Capabilities, Capabilities],
) -> None:
    # Of a side without hashes, a sound tells the rename.
    world = World({"x.flac": "song|one", "other.txt": "text"}, kinds=kinds, sounds=True)
    world.sync()
    world.b.rename("x.flac", "y.flac")
    world.sync(direction=Direction.A_TO_B)
    assert "y.flac" in world.b.tree
    world.b.put("copy.flac", "song|one")
    for content in ("song|two", "song|three"):
        world.a.edit("x.flac", content)
        world.sync(direction=Direction.A_TO_B)
        assert world.b.tree == {"copy.flac": "song|one", "other.txt": "text", "y.flac": content}
        assert not world.plan(direction=Direction.A_TO_B).plan.operations
    # Both ways the rename is still carried over, and so is one of the source.
    world.sync()
    assert world.a.tree == world.b.tree == {"copy.flac": "song|one", "other.txt": "text", "y.flac": "song|three"}


def test_what_the_target_has_renamed_survives_a_deletion_in_the_source() -> None:
    world = World.alike({"x.mp3": "x", "other.txt": "text"})
    world.b.rename("x.mp3", "y.mp3")
    world.sync(direction=Direction.A_TO_B)
    world.a.delete("x.mp3")
    world.sync(direction=Direction.A_TO_B, delete=True)
    assert world.b.tree == {"other.txt": "text", "y.mp3": "x"}


@pytest.mark.parametrize(
    ("answer", "trees"),
    [
        (Answer.A, ({"f1": "A's"}, None)),
        (Answer.B, ({"f1": "B's"}, None)),
        (Answer.BOTH, ({"f1": "B's", "f1 (conflict A 2026-09-22)": "A's"}, None)),
        (Answer.LATER, ({"f1": "A's"}, {"f1": "B's"})),
    ],
)
def test_a_person_answers_each_conflict_whatever_the_policy_says(
    answer: Answer, trees: tuple[dict[str, str], dict[str, str] | None], kinds: tuple[Capabilities, Capabilities]
) -> None:
    world = World.alike(("f1", "f2"), kinds=kinds)
    world.a.edit("f1", "A's", NEWER)
    world.b.edit("f1", "B's", NEWEST)
    world.a.edit("f2", "A's f2", NEWEST)
    world.b.edit("f2", "B's f2", NEWER)
    (one, two) = world.plan().conflicts
    assert (one.paths, one.outcome, two.paths) == (("f1", "f1"), Answer.BOTH, ("f2", "f2"))
    made = world.sync(conflicts={("f1", "f1"): answer}, conflict=Policy.NEWER)
    first, second = trees
    assert world.a.tree == {**first, "f2": "A's f2"}
    assert world.b.tree == {**(second or first), "f2": "A's f2"}
    again = world.plan()
    left = [one.paths for one in again.conflicts]
    assert left == ([("f1", "f1")] if answer is Answer.LATER else [])
    assert [one.code for one in made.plan.skipped] == (["conflict"] if answer is Answer.LATER else [])


def test_a_conflict_left_for_later_leaves_names_too() -> None:
    world = World.alike(("f1",), kinds=(DISK, DRIVE))
    world.a.edit("f1", "A's", NEWER)
    world.b.rename("f1", "new")
    world.b.edit("new", "B's", NEWEST)
    (paths,) = (one.paths for one in world.plan().conflicts)
    assert paths == ("f1", "new")
    made = world.sync(conflicts={paths: Answer.LATER})
    assert not made.plan.operations
    assert (world.a.tree, world.b.tree) == ({paths[0]: "A's"}, {paths[1]: "B's"})
    world.sync(conflicts={paths: Answer.A})
    assert world.a.tree == world.b.tree == {"new": "A's"}
