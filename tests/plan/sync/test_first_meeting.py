"""The first sync of two libraries with other names: what is renamed, and that no album loses what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.paths import parent_of, parents_of
from orchestrator.plan.planners.sync.records import SIDES
from orchestrator.records import Capabilities
from orchestrator.tags.formats import is_audio
from tests.plan.sync.worlds import BUCKET, DISK, DRIVE, World, direction_from, everything

Tree = Mapping[str, str]


def album(folder: str, name: str, tracks: str = "123", **others: str) -> dict[str, str]:
    """An album: its tracks by number, and other files by name, where `__` stands for the dot."""
    songs = {f"{folder}/{number}.flac": f"{name} {number}" for number in tracks}
    return songs | {f"{folder}/{other.replace('__', '.')}": content for other, content in others.items()}


CASES: dict[str, tuple[Tree, Tree, Tree]] = {
    # name -> the source, the target before, and the target afterwards
    "equal covers of two albums": (
        album("x", "X", cover__jpg="cover"),
        album("y", "Y", cover__jpg="cover"),
        album("x", "X", cover__jpg="cover") | album("y", "Y", cover__jpg="cover"),
    ),
    "an equal log and an empty text": (
        album("x", "X", rip__log="log", info__txt=""),
        album("y", "Y", rip__log="log", info__txt=""),
        album("x", "X", rip__log="log", info__txt="") | album("y", "Y", rip__log="log", info__txt=""),
    ),
    "an album that was renamed takes its cover along, also an empty file": (
        album("x", "X", cover__jpg="cover", info__txt=""),
        album("y", "X", cover__jpg="cover", info__txt=""),
        album("x", "X", cover__jpg="cover", info__txt=""),
    ),
    "two songs that have exchanged their names": (
        {"x/1.flac": "P", "x/2.flac": "Q!", "x/3.flac": "R"},
        {"x/1.flac": "Q!", "x/2.flac": "P", "x/3.flac": "R"},
        {"x/1.flac": "P", "x/2.flac": "Q!", "x/3.flac": "R"},
    ),
    "an album that was numbered again": (
        {"x/1.flac": "P", "x/2.flac": "Q", "x/3.flac": "R"},
        {"x/1.flac": "R", "x/2.flac": "P", "x/3.flac": "Q"},
        {"x/1.flac": "P", "x/2.flac": "Q", "x/3.flac": "R"},
    ),
    "two renamed albums with one cover": (
        album("x1", "X", cover__jpg="cover") | album("x2", "Y", cover__jpg="cover"),
        album("y1", "Y", cover__jpg="cover") | album("y2", "X", cover__jpg="cover"),
        album("x1", "X", cover__jpg="cover") | album("x2", "Y", cover__jpg="cover"),
    ),
    "a renamed album beside one that only the target has": (
        album("x", "X", cover__jpg="cover"),
        album("a", "Z", cover__jpg="cover") | album("y", "X", cover__jpg="cover"),
        album("a", "Z", cover__jpg="cover") | album("x", "X", cover__jpg="cover"),
    ),
    "a renamed album of which the target has one song more": (
        album("x", "X", "12", cover__jpg="cover"),
        album("y", "X", "123", cover__jpg="cover"),
        album("x", "X", "12", cover__jpg="cover") | album("y", "X", "3", cover__jpg="cover"),
    ),
    "three covers here, one there, whose album was split": (
        album("x1", "X", "12", cover__jpg="c") | album("x2", "X", "3", cover__jpg="c") | album("x3", "Z", cover__jpg="c"),
        album("y", "X", cover__jpg="c"),
        album("x1", "X", "12", cover__jpg="c") | album("x2", "X", "3", cover__jpg="c") | album("x3", "Z", cover__jpg="c"),
    ),
    "one cover here, three there": (
        album("x", "X", cover__jpg="c"),
        album("y1", "Y", cover__jpg="c") | album("y2", "Z", cover__jpg="c") | album("y3", "X", cover__jpg="c"),
        album("y1", "Y", cover__jpg="c") | album("y2", "Z", cover__jpg="c") | album("x", "X", cover__jpg="c"),
    ),
    "a whole album twice on both sides": (
        album("x1", "X", cover__jpg="c") | album("x2", "X", cover__jpg="c"),
        album("y1", "X", cover__jpg="c") | album("y2", "X", cover__jpg="c"),
        album("x1", "X", cover__jpg="c") | album("x2", "X", cover__jpg="c"),
    ),
    "a whole album twice at the target, once without its first song: the complete one is renamed": (
        album("x", "X", cover__jpg="c"),
        album("backup", "X", "23", cover__jpg="c") | album("y", "X", cover__jpg="c"),
        album("backup", "X", "23", cover__jpg="c") | album("x", "X", cover__jpg="c"),
    ),
    "a song that is also in a compilation": (
        album("x", "X"),
        album("hits", "Hits", "456") | {"hits/7.flac": "X 1"} | album("y", "X"),
        album("hits", "Hits", "456") | {"hits/7.flac": "X 1"} | album("x", "X"),
    ),
    "a song of two compilations is copied": (
        album("x", "X"),
        album("hits", "Hits", "456") | {"hits/7.flac": "X 1"} | album("more", "More", "456") | {"more/7.flac": "X 1"},
        album("hits", "Hits", "456")
        | {"hits/7.flac": "X 1"}
        | album("more", "More", "456")
        | {"more/7.flac": "X 1"}
        | album("x", "X"),
    ),
    "the only file of its content was renamed": ({"new/1.flac": "1"}, {"old/0.flac": "1"}, {"new/1.flac": "1"}),
    "discs and scans": (
        album("x/CD1", "1") | album("x/CD2", "2") | {"x/cover.jpg": "c", "x/Scans/1.png": "scan", "x/CD1/cover.jpg": "c"},
        album("y/CD1", "1") | album("y/CD2", "2") | {"y/cover.jpg": "c", "y/Scans/1.png": "scan", "y/CD1/cover.jpg": "c"},
        album("x/CD1", "1") | album("x/CD2", "2") | {"x/cover.jpg": "c", "x/Scans/1.png": "scan", "x/CD1/cover.jpg": "c"},
    ),
    "a cover that lies in a folder of its album": (
        album("x", "X") | {"x/Scans/cover.jpg": "c"},
        album("x", "X", cover__jpg="c"),
        album("x", "X") | {"x/Scans/cover.jpg": "c"},
    ),
    "a cover that lies in a folder beside songs without one": (
        {"1.flac": "1", "x/cover.jpg": "c"},
        {"1.flac": "1", "cover.jpg": "c"},
        {"1.flac": "1", "x/cover.jpg": "c"},
    ),
    "a cover of songs without a folder, and of an album": (
        {"1.flac": "1", "x/2.flac": "2", "x/cover.jpg": "c"},
        {"1.flac": "1", "x/2.flac": "2", "cover.jpg": "c"},
        {"1.flac": "1", "x/2.flac": "2", "x/cover.jpg": "c", "cover.jpg": "c"},
    ),
    "one big folder becomes albums, and lyrics go with their songs": (
        album("a", "X", "12", **{"1__lrc": "la"}) | album("b", "Y", "34", **{"4__lrc": "lu"}) | {"9.flac": "stays"},
        {"1.flac": "X 1", "2.flac": "X 2", "1.lrc": "la", "3.flac": "Y 3", "4.flac": "Y 4", "4.lrc": "lu", "9.flac": "stays"},
        album("a", "X", "12", **{"1__lrc": "la"}) | album("b", "Y", "34", **{"4__lrc": "lu"}) | {"9.flac": "stays"},
    ),
    "another name in the same folder": (
        album("x", "X", folder__jpg="c"),
        album("x", "X", cover__jpg="c"),
        album("x", "X", folder__jpg="c"),
    ),
    "a cover that one album has and another one lacks": (
        album("x", "X", cover__jpg="c") | album("z", "Z"),
        album("x", "X") | album("z", "Z", cover__jpg="c"),
        album("x", "X", cover__jpg="c") | album("z", "Z", cover__jpg="c"),
    ),
    "the picture of an artist": (
        album("Beck/Odelay", "X") | {"Beck/artist.jpg": "nobody"},
        album("Air/Talkie", "Y") | {"Air/artist.jpg": "nobody"},
        album("Beck/Odelay", "X") | {"Beck/artist.jpg": "nobody"} | album("Air/Talkie", "Y") | {"Air/artist.jpg": "nobody"},
    ),
    "no music at all": (
        {"letters/a.txt": "a", "letters/b.txt": "b", "letters/c.txt": "b"},
        {"old/1.txt": "a", "old/2.txt": "b", "old/3.txt": "b"},
        {"letters/a.txt": "a", "letters/b.txt": "b", "letters/c.txt": "b"},
    ),
}
KINDS = [(DISK, BUCKET), (BUCKET, DRIVE), (DISK, DISK)]


@pytest.mark.parametrize("name", CASES)
def test_no_album_loses_what_belongs_to_it(name: str) -> None:
    source, target, afterwards = CASES[name]
    for kinds in KINDS:
        for side in SIDES:
            trees = (source, target) if side == 0 else (target, source)
            world = World(*trees, kinds=kinds)
            world.sync(direction=direction_from(side), max_delete=None)
            assert (world.places[side].tree, world.places[1 - side].tree) == (
                dict(sorted(source.items())),
                dict(sorted(afterwards.items())),
            )
            assert not world.places[1 - side].trash
            assert not {content for content in world.sent if content in target.values() and content}
            again = world.plan(direction=direction_from(side))
            assert not again.plan.operations
            assert not again.links

            # Both ways, the side that keeps its names keeps all of them, and both have what either has.
            world = World(*trees, kinds=kinds)
            world.sync(keep_names="ab"[side])
            assert world.a.tree == world.b.tree == dict(sorted(afterwards.items()))


folders = st.sampled_from(["", "x", "y", "z", "x/CD1", "y/CD1"])
names = st.sampled_from(["1.flac", "2.flac", "3.mp3", "cover.jpg", "1.lrc", "b.log"])
trees = st.dictionaries(
    st.builds(lambda folder, name: f"{folder}/{name}" if folder else name, folders, names),
    st.sampled_from(["", "one", "two", "three", "same"]),
    max_size=10,
)


def nearest_music(path: str, tree: Tree) -> str | None:
    """The folder whose music a file is with: its own, with music in or below it, or the nearest above with music in itself."""
    music = [one for one in tree if is_audio(one)]
    if any(parent_of(path) in parents_of(one, root=True) for one in music):
        return parent_of(path)
    return next((folder for folder in parents_of(path, root=True) if folder in map(parent_of, music)), None)


@given(trees, trees, st.sampled_from(KINDS), st.sampled_from(SIDES))
def test_a_first_sync_gives_the_target_every_path_of_the_source_and_takes_nothing_from_folders_with_music(
    a: Tree, b: Tree, kinds: tuple[Capabilities, Capabilities], side: int
) -> None:
    world = World(a, b, kinds=kinds)
    source, before = world.places[side].tree, world.places[1 - side].tree
    made = world.sync(**everything(direction=direction_from(SIDES[side])))
    after = world.places[1 - side].tree
    assert world.places[side].tree == source
    assert source.keys() <= after.keys()
    renamed = {one.src.path: one.dst.path for one in made.plan.operations if one.verb == "move"}
    for old, new in renamed.items():
        if not is_audio(old) and parent_of(old) != parent_of(new) and parent_of(old) != nearest_music(new, source):
            # What is not music leaves no folder in which music stays, but for a folder in it without music (scans).
            music = [path for path in before if parent_of(path) == parent_of(old) and is_audio(path)]
            mine = [path for path in music if path.rpartition(".")[0] == old.rpartition(".")[0]] or music
            assert all(parent_of(renamed.get(path, path)) != parent_of(path) for path in mine)
    tried = world.sync(**everything(direction=direction_from(SIDES[side])))
    assert not tried.plan.operations


@given(trees, trees, st.sampled_from(KINDS))
def test_the_sync_after_a_first_one_both_ways_plans_nothing_new(
    a: Tree, b: Tree, kinds: tuple[Capabilities, Capabilities]
) -> None:
    """What has met under other names stays so, although what the first one has copied changes the folders around it."""
    world = World(a, b, kinds=kinds)
    first = world.sync()
    again = world.plan()
    assert not again.plan.operations
    assert not again.links
    assert again.plan.skipped == tuple(one for one in first.plan.skipped if one.code != "unreadable")
    # The names can be chosen later as well, and sending nothing.
    world.sent.clear()
    world.sync(keep_names="a")
    assert not world.sent
    assert world.a.tree == world.b.tree
