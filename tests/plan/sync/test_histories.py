"""Random histories: one tree, edits on both sides, syncs that fail in part. The sides must become alike, and nothing may be lost."""

from __future__ import annotations

import unicodedata

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import SafetyLimitError
from orchestrator.paths import case_key
from orchestrator.plan.model import Operation
from orchestrator.plan.planners.sync.records import Policy
from tests.plan.sync.worlds import BUCKET, DAY, DISK, DRIVE, START, Place, World, everything

FOLDERS = ("", "d", "d/in", "e", "D", "live", "live-1")
NAMES = ("f1", "f2", "F1", "é", unicodedata.normalize("NFD", "é"), "d", "x.flac", "cover.jpg")
CONTENTS = ("", "one", "two", "same", "s|t1", "s|t2", "s|t1#1", "s2|t1")
paths = st.builds(lambda folder, name: f"{folder}/{name}" if folder else name, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
trees = st.dictionaries(paths, st.sampled_from(CONTENTS), max_size=8)
EDITS = (
    *("new", "delete", "edit", "keep-time", "touch", "rename", "rename-over", "swap", "ring", "folder", "into-folder"),
    *("to-folder", "copy", "case", "form", "again"),
)
edits = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(EDITS), st.integers(0, 50), paths, st.sampled_from((*CONTENTS, "new", "newer"))),
    max_size=8,
)
kinds = st.sampled_from([(DISK, BUCKET), (DISK, DRIVE), (DRIVE, BUCKET), (DISK, DISK), (BUCKET, DISK)])


def made(place: Place, kind: str, number: int, path: str, content: str, time: int) -> None:
    """One edit by the user of a place; nothing where it is impossible."""
    known = sorted(place.files)
    if kind == "new" or not known:
        place.put(path, content, time)
        return
    one = known[number % len(known)]
    two, three = known[(number + 1) % len(known)], known[(number + 2) % len(known)]
    if kind == "delete":
        del place.files[one]
    elif kind == "edit":
        place.edit(one, content, time)
    elif kind == "keep-time":
        place.edit(one, place.files[one].content[::-1])
    elif kind == "touch":
        place.edit(one, place.files[one].content, time)
    elif kind == "rename":
        place.rename(one, path)
    elif kind == "rename-over":
        place.rename(one, two, over=True)
    elif kind == "copy":
        place.put(path, place.files[one].content, time)
    elif kind == "again":
        content = place.files.pop(one).content
        place.put(one, content, time)
    elif kind == "case":
        place.rename(one, one.swapcase())
    elif kind == "form":
        place.rename(one, unicodedata.normalize("NFD" if unicodedata.is_normalized("NFC", one) else "NFC", one))
    elif kind == "to-folder":
        place.rename(one, "tmp")
        place.rename("tmp", f"{one}/x")
    elif kind in {"swap", "ring"} and len({one, two, three}) == 3:
        ring = (one, two) if kind == "swap" else (one, two, three)
        files = [place.files.pop(name) for name in ring]
        for name, stored in zip((*ring[1:], ring[0]), files, strict=True):
            place.put(name, stored.content, stored.mtime, stored.number)
    elif "/" in one:
        folder = one.rpartition("/")[0]
        new = path if kind == "folder" else f"{path}/{folder}"
        for name in [name for name in known if name.startswith(f"{folder}/")]:
            place.rename(name, new + name[len(folder) :])


def user(world: World, history: list[tuple[int, str, int, str, str]]) -> None:
    for step, (side, kind, number, path, content) in enumerate(history):
        place = world.places[side]
        before = dict(place.files)
        try:
            made(place, kind, number, path, content, START + step * DAY)
        except AssertionError:
            place.files = before


def tried(world: World, **settings: object) -> bool:
    """Sync; after a brake the user starts anew. Whether anything was done."""
    try:
        return bool(world.sync(**everything(**settings)).plan.operations)
    except SafetyLimitError:
        world.rows = {}
        return bool(world.sync(**everything(**settings)).plan.operations)


def spelled(tree: dict[str, str]) -> list[tuple[str, str]]:
    return sorted((case_key(path), content) for path, content in tree.items())


policies = st.sampled_from([None, *Policy])
names = st.sampled_from(["a", "b"])


@given(trees, kinds, st.booleans(), st.lists(st.tuples(edits, st.sets(st.integers(0, 12)), st.integers(0, 9)), max_size=3), policies, names)
def test_both_sides_become_alike_and_nothing_is_lost(tree, kinds, sounds, rounds, policy, keep_names) -> None:  # noqa: ANN001
    world = World(kinds=kinds, sounds=sounds)
    for path, content in tree.items():
        for place in world.places:
            try:
                place.put(path, content)
            except AssertionError:
                break
    settings = {"conflict": policy, "keep_names": keep_names}
    tried(world, **settings)
    for history, failing, seed in rounds:
        user(world, history)
        before = world.contents()
        calls = iter(range(10_000))

        def fails(_: Operation, calls=calls, failing=failing) -> bool:  # noqa: ANN001
            return next(calls) in failing

        try:
            world.sync(fails=fails, seed=seed, **everything(**settings))
        except SafetyLimitError:
            world.rows = {}
        assert world.contents() >= before
    tried(world, **settings)
    tried(world, **settings)
    assert spelled(world.a.tree) == spelled(world.b.tree)
    assert not world.sync(**everything(**settings)).plan.operations
