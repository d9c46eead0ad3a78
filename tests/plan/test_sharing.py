"""Files with one name: moved by their ids where possible, otherwise left alone, and never mistaken for each other."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.plan.model import Plan, Verb, is_temporary
from orchestrator.plan.planners.undo import plan_undo
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Capabilities, Entry, Item, Ref
from tests.plan.test_properties import libraries
from tests.plan.worlds import Done, plain, plan, skips, song

DRIVE = Capabilities(move=True, copy=True, duplicate_names=True, by_id=True, hashes=("md5",), remote_type="drive")
MEGA = msgspec.structs.replace(DRIVE, by_id=False, remote_type="mega")


def with_id(item: Item, object_id: str | None) -> Item:
    return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, id=object_id))


def album_track(path: str, number: int, object_id: str | None, title: str = "") -> Item:
    tags = {"artist": "Band", "album": "Album", "date": "2001", "track": number, "title": title or f"Song {number}"}
    return with_id(song(path, f"content {number}", **tags), object_id)


class Drive:
    """Objects by their ids. Without an id a name must be unique; nothing moves to a name that is taken."""

    def __init__(self, items: list[Item]) -> None:
        self.items = {item.entry.id: item for item in items}

    def at(self, path: str) -> list[Item]:
        return [item for item in self.items.values() if item.entry.path == path]

    def carry_out(self, made: Plan, seed: int) -> list[Done]:
        check_plan(made)
        random = Random(seed)
        waiting = {operation.id: set(operation.depends) for operation in made.operations}
        by_id = {operation.id: operation for operation in made.operations}
        done = []
        while waiting:
            name = random.choice(sorted(name for name, needs in waiting.items() if not needs.intersection(waiting)))
            del waiting[name]
            operation = by_id[name]
            there = self.at(operation.src.path)
            object_id = operation.src.object_id or operation.dst.object_id
            (item,) = [one for one in there if object_id in {None, one.entry.id}]
            now = operation.dst
            if operation.verb is Verb.QUARANTINE:
                now = Ref(now.fs, f".music-orchestrator/quarantine/run/{now.path}")
            assert operation.dst.object_id or not self.at(now.path), f"two files are called {now.path}"
            entry = msgspec.structs.replace(item.entry, path=now.path)
            self.items[item.entry.id] = msgspec.structs.replace(item, entry=entry)
            done.append(Done(operation, now, entry))
        return done

    def list(self) -> list[Item]:
        return [item for item in self.items.values() if not item.entry.path.startswith(".music-orchestrator/")]

    def tree(self) -> dict[str | None, str]:
        return {object_id: item.entry.path for object_id, item in self.items.items()}


def test_each_gets_its_own_destination_and_operations_use_its_id() -> None:
    items = [album_track("rip/a.mp3", number, f"id{number}") for number in (1, 2, 3)]
    made = plan([*items, album_track("rip/b.mp3", 4, "id4")], capabilities=DRIVE)
    assert {(o.src.path, o.src.object_id, o.dst.path, o.dst.object_id) for o in made.operations} == {
        ("rip/a.mp3", f"id{number}", f"Band/Album (2001)/0{number} Song {number}.mp3", None) for number in (1, 2, 3)
    } | {("rip/b.mp3", None, "Band/Album (2001)/04 Song 4.mp3", None)}
    assert skips(made) == {}


def test_one_of_them_can_be_in_place() -> None:
    right = "Band/Album (2001)/01 Song 1.mp3"
    made = plan([album_track(right, 1, "a"), album_track(right, 1, "b"), album_track(right, 2, "c")], capabilities=DRIVE)
    assert {(o.src.object_id, o.dst.path) for o in made.operations} == {
        ("b", "Band/Album (2001)/01 Song 1 (2).mp3"),
        ("c", "Band/Album (2001)/02 Song 2.mp3"),
    }


@pytest.mark.parametrize(
    ("ids", "options", "reason"),
    [
        (("a", "b"), {"capabilities": MEGA}, "rename them first"),
        (("a", None), {"capabilities": DRIVE}, "rename them first"),
        (("a", "target shortcut"), {"capabilities": DRIVE}, "rename them first"),
        (("a", "a"), {"capabilities": DRIVE}, "rename them first"),
        (("a", "b"), {"capabilities": DRIVE, "copy": True, "target": "other:x"}, "organize /music in place first"),
        (("a", "b"), {"capabilities": DRIVE, "target": "other:x"}, "organize /music in place first"),
    ],
)
def test_files_without_distinct_ids_stay_and_are_reported(
    ids: tuple[str | None, ...], options: dict[str, object], reason: str
) -> None:
    made = plan([album_track("a.mp3", 1, ids[0]), album_track("a.mp3", 2, ids[1])], **options)  # type: ignore[arg-type]
    by_id = {operation.src.object_id for operation in made.operations}
    assert by_id <= {"a"}
    assert len(made.operations) == (ids[0] == "a" and ids[1] not in {"a", "b"})
    assert skips(made) == {"a.mp3": "unsupported-name"}
    assert reason in made.skipped[0].reason


def test_a_file_that_stays_keeps_its_name_from_the_others() -> None:
    right = "Band/Album (2001)/01 Song 1.mp3"
    shortcut = album_track(right, 7, "target shortcut")
    made = plan([album_track(right, 1, "a"), shortcut], capabilities=DRIVE)
    assert [(o.src.object_id, o.dst.path) for o in made.operations] == [("a", "Band/Album (2001)/01 Song 1 (2).mp3")]


def test_clutter_with_one_name_gets_distinct_names_in_the_quarantine() -> None:
    items = [album_track("rip/a.mp3", 1, "a"), *(with_id(plain("rip/Thumbs.db"), one) for one in ("x", "y"))]
    made = plan(items, capabilities=DRIVE)
    check_plan(made)
    assert {(o.src.object_id, o.dst.path) for o in made.operations if o.verb is Verb.QUARANTINE} == {
        ("x", "rip/Thumbs [x].db"),
        ("y", "rip/Thumbs [y].db"),
    }


@st.composite
def drives(draw: st.DrawFn) -> list[Item]:
    """A library in which some files have the same name."""
    items = draw(libraries())
    copies = draw(st.lists(st.tuples(st.sampled_from(items), st.sampled_from(items), st.booleans()), max_size=5)) if items else []
    for number, (named, other, equal) in enumerate(copies):
        if (named.reading is None) != (other.reading is None):
            continue
        content = other.entry.hashes["md5"] if equal else f"copy {number}"
        items.append(msgspec.structs.replace(other, entry=Entry(named.entry.path, len(content), 0, {"md5": content})))
    ids = draw(st.permutations(range(len(items))))
    return [with_id(item, f"id{number}") for number, item in zip(ids, items, strict=True)]


@settings(deadline=None)
@given(drives(), st.integers(0, 999))
def test_no_file_is_lost_or_mistaken_for_another(items: list[Item], seed: int) -> None:
    drive = Drive(items)
    before = drive.tree()
    made = plan(items, capabilities=DRIVE)
    done = drive.carry_out(made, seed)
    after = drive.tree()
    assert after.keys() == before.keys()
    assert not any(is_temporary(path) for path in after.values())
    doubled = {path for path, number in Counter(after.values()).items() if number > 1}
    music = {after[item.entry.id] for item in items if item.reading is not None}
    assert doubled & music <= {one.path for one in made.skipped}, "only music files that stay may still share their names"
    assert plan(drive.list(), capabilities=DRIVE).operations == ()
    back = plan_undo(done, made.header, run_id="run", tool_version="1.0", created="2026-01-01T00:00:00Z")
    drive.carry_out(back, seed)
    assert drive.tree() == before
