"""Which directories a plan moves whole: no other operation may touch them, and they may hold no other files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.apply.directories.movable import as_listed
from orchestrator.paths import case_key, parents_of
from orchestrator.plan.folder_moves import FEWEST_FILES, MovableDirectory, movable_directories
from orchestrator.plan.model import Expect, KeptCopy, Operation, Verb, operation_id
from orchestrator.records import Capabilities, Entry, Ref
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Storage

STORAGE = MemoryStorage.like("drive", "one:library")
STORAGES: dict[str, Storage] = {"one:library": STORAGE}


def capabilities_of(storages: dict[str, Storage]) -> dict[str, Capabilities]:
    return {fs: storage.capabilities for fs, storage in storages.items()}


def moving(src: str, dst: str, verb: Verb = Verb.MOVE, fs: str = "one:library", **fields: object) -> Operation:
    ends = Ref(fs, src), Ref(fs, dst)
    made = Operation(operation_id(verb, *ends), verb, *ends, 1, Expect(), "test", "")
    return msgspec.structs.replace(made, **fields)


def album(source: str, target: str, names: Sequence[str] = ("1", "2", "3", "cd/4")) -> list[Operation]:
    return [moving(f"{source}/{name}", f"{target}/{name}") for name in names]


def found(operations: Sequence[Operation], storages: dict[str, Storage] | None = None) -> dict[str, str]:
    return {one.source: one.target for one in movable_directories(operations, capabilities_of(storages or STORAGES))}


def test_an_album_is_one_directory() -> None:
    assert found(album("in/al", "Band/Album")) == {"in/al": "Band/Album"}
    assert found(album("in/al", "Band/Album", "123")) == {}, "three files are as cheap by themselves"


def test_the_highest_directory_moves() -> None:
    one, two = album("bands/Band/One", "Band/One"), album("bands/Band/Two", "Band/Two")
    assert found(one + two) == {"bands/Band": "Band"}
    assert found([*one, *two, moving("bands/Band/x", "elsewhere/x")]) == {
        "bands/Band/One": "Band/One",
        "bands/Band/Two": "Band/Two",
    }
    assert found(album("al", "Band/al")) == {"al": "Band/al"}, "the root does not"


def test_other_operations_in_it_prevent_the_move() -> None:
    files = album("in/al", "Band/Album")
    others = [
        moving("in/al/5", "Band/Album/6"),
        moving("in/al/5", "away"),
        moving("other", "Band/album/x"),
        moving("other", "in/AL/1"),
        moving("in/al/list", "copy", Verb.COPY),
        moving("in/al/dup", "in/al/dup", Verb.QUARANTINE),
        moving("other", "Band"),
        moving("IN", "other"),
        moving("x/dup", "x/dup", Verb.QUARANTINE, expect=Expect(kept=KeptCopy("one:library", "in/al/1", 1))),
        moving("other", "band/Other/x"),
    ]
    for other in others:
        assert found([*files, other]) == {}, other
    assert found([*files, moving("other", "Band/Other/x")]) == {"in/al": "Band/Album"}


def test_dependencies_prevent_the_move() -> None:
    files = album("in/al", "Band/Album")
    for members in ((files[0], moving("x", "y")), (moving("x", "y"), files[0])):
        first, waiting = members
        late = msgspec.structs.replace(waiting, depends=(first.id,))
        assert found([first, late, *files[1:]]) == {}


def test_a_file_known_by_its_id_moves_alone() -> None:
    one, *rest = album("in/al", "Band/Album")
    assert found([msgspec.structs.replace(one, src=Ref("one:library", one.src.path, "id")), *rest]) == {}


def test_directories_inside_each_other_or_that_differ_only_in_case_do_not_move() -> None:
    for source, target in (("a", "a/b"), ("a/b", "a"), ("beck/x", "Beck/x"), ("beck", "BECK")):
        assert found(album(source, target)) == {}, (source, target)


def test_only_where_the_remote_counts_requests_and_the_location_is_alone() -> None:
    files = album("in/al", "Band/Album")
    for lacking in ("move", "directory_move", "by_directory"):
        assert found(files, {"one:library": MemoryStorage.like("drive", "one:library", **{lacking: False})}) == {}
    inside = MemoryStorage.like("drive", "one:library/in/al")
    elsewhere = moving("a", "b", fs="one:library/in/al")
    assert found([*files, elsewhere], {**STORAGES, inside.fs: inside}) == {}
    disk = MemoryStorage.like("local", "/srv/music")
    assert found([*files, moving("a", "b", fs=disk.fs)], {**STORAGES, disk.fs: disk}) == {"in/al": "Band/Album"}


DIRECTORIES = ["a", "a/b", "a/b/c", "A/b", "d", "d/b", "d/b/c", "e"]
directories = st.sampled_from(DIRECTORIES)


@st.composite
def plans(draw: st.DrawFn) -> list[Operation]:
    """Directories that move with their files, and files that move on their own; no two files get one path."""
    wishes = draw(st.lists(st.tuples(directories, directories, st.integers(1, 6)), max_size=4))
    files = [(f"{s}/{n}", f"{d}/{n}") for s, d, count in wishes for n in ("1", "2", "c/3", "4", "b/5", "x/6")[:count]]
    ends = st.tuples(directories, st.sampled_from("123"))
    files += [(f"{s}/{m}", f"{d}/{n}") for (s, m), (d, n) in draw(st.lists(st.tuples(ends, ends), max_size=3))]
    arriving = {dst: src for src, dst in dict(files).items() if src != dst}
    return [moving(src, dst) for dst, src in arriving.items()]


def below(directory: str, path: str) -> bool:
    return case_key(path) == case_key(directory) or case_key(path).startswith(case_key(directory) + "/")


def whole(operations: Sequence[Operation], source: str, target: str) -> bool:
    """By definition: every operation that begins or ends in either one keeps the name below them."""
    touching = [one for one in operations if any(below(at, end.path) for at in (source, target) for end in (one.src, one.dst))]
    names = {(one.src.path.removeprefix(source + "/"), one.dst.path.removeprefix(target + "/")) for one in touching}
    inside = all(one.src.path.startswith(source + "/") and one.dst.path.startswith(target + "/") for one in touching)
    crossing = any(below(source, one.dst.path) or below(target, one.src.path) for one in touching)
    return len(touching) >= FEWEST_FILES and inside and not crossing and all(src == dst for src, dst in names)


@settings(max_examples=settings.default.max_examples * 2)
@given(operations=plans())
def test_each_directory_found_is_whole_and_none_above_it_is(operations: list[Operation]) -> None:
    groups = movable_directories(operations, capabilities_of(STORAGES))
    members = [one.id for group in groups for one in group.operations]
    assert len(members) == len({*members})
    ends = {end.path for one in operations for end in (one.src, one.dst)}
    spelled: defaultdict[str, set[str]] = defaultdict(set)
    for path in {path for end in ends for path in parents_of(end)}:
        spelled[case_key(path)].add(path)
    for group in groups:
        assert group.source
        assert group.target
        assert whole(operations, group.source, group.target)
        assert {one.id for one in group.operations} == {one.id for one in operations if below(group.source, one.src.path)}
        above, _, name = group.source.rpartition("/")
        above_target, _, other = group.target.rpartition("/")
        one_spelling = all(len(spelled[case_key(path)]) == 1 for end in (above, above_target) for path in parents_of(end))
        if above and above_target and name == other and one_spelling:
            assert not whole(operations, above, above_target)


names = st.sampled_from(["1", "2", "3", "4", "x/5", "x/6", "x/7", "x/8", "x/y/9"])


@settings(max_examples=settings.default.max_examples * 2)
@given(
    moved=st.sets(names, min_size=4),
    there=st.sets(names),
    twice=st.sets(names, max_size=1),
    changed=st.sets(names, max_size=1),
    taken=st.none() | st.sets(names, max_size=2),
)
def test_only_directories_without_other_files_and_with_a_free_target_move(
    moved: set[str], there: set[str], twice: set[str], changed: set[str], taken: set[str] | None
) -> None:
    directory = MovableDirectory("one:library", "in", "out", tuple(album("in", "out", sorted(moved))))
    listed = [Entry(f"in/{name}", size=2 if name in changed else 1) for name in [*sorted(moved | there), *(twice & moved)]]
    at_target = None if taken is None else [Entry(f"out/{name}") for name in taken]

    ready = [*as_listed(directory, listed, at_target, lambda one, entry: one.size == entry.size)]

    for one in ready:
        inside = [entry for entry in listed if below(one.source, entry.path)]
        assert sorted(entry.path for entry in inside) == sorted(operation.src.path for operation in one.operations)
        assert all(entry.size == 1 for entry in inside)
        assert len(inside) >= FEWEST_FILES
        assert not any(below(one.target, entry.path) for entry in at_target or ())
    assert len({one.source for one in ready}) == len(ready)
    if not there - moved and not twice & moved and not changed & moved and at_target is None:
        assert ready == [directory]
