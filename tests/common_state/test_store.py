"""The last common state: one pair under every name, entry by entry, only what was done, and damage that costs no file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.common_state.store import CommonState, Pair
from orchestrator.errors import IntegrityError
from orchestrator.plan.model import CompletedOperation, Expect, Operation, Verb, operation_id
from orchestrator.plan.planners.sync.evidence import unchanged
from orchestrator.plan.planners.sync.records import File, Inode, Link
from orchestrator.records import Entry, Ref

PAIR = Pair(("id-a", "id-b"), ("/a", "r:b"))


def file(path: str, content: str = "x", inode: int | None = None, **hashes: str) -> File:
    return File(Entry(path, len(content), 5, hashes), None if inode is None else Inode(inode, 1))


def copied(path: str, *, done: bool = True) -> tuple[Link, list[CompletedOperation]]:
    """A new file of A that was copied to B, and what the journal says of it."""
    src, dst = Ref("/a", path), Ref("r:b", path)
    operation = Operation(operation_id("copy", src, dst), Verb.COPY, src, dst, 1, Expect(), "", "")
    link = Link(None, (path, path), (file(path, inode=1), None), ((Verb.COPY, dst),))
    return link, [CompletedOperation(operation, dst, Entry(path, 1, 6, {"md5": "m"}, "remote-id"))] if done else []


@pytest.fixture
def state(tmp_path: Path) -> Iterator[CommonState]:
    with CommonState(tmp_path / "sync.sqlite3") as opened:
        yield opened


def paths(state: CommonState, pair: Pair = PAIR) -> list[tuple[str, str]]:
    return [(row.files[0].path, row.files[1].path) for row in state.rows(pair).rows]


def test_a_pair_is_the_same_in_either_order_and_wherever_its_places_are(state: CommonState) -> None:
    state.record(PAIR, [Link(None, ("spelled A", "spelled b"), (file("spelled A"), file("spelled b")))])
    assert paths(state) == [("spelled A", "spelled b")]
    assert paths(state, Pair(("id-b", "id-a"), ("alias:", "/other/disk"))) == [("spelled b", "spelled A")]
    assert paths(state, Pair(("id-a", "id-c"), ("/a", "r:b"))) == []
    state.remember_places(PAIR)
    assert (state.id_at("r:b"), state.id_at("/c")) == ("id-b", None)
    state.forget(PAIR)
    assert paths(state) == []


def test_only_what_was_done_is_recorded_and_a_resumed_run_records_the_rest(tmp_path: Path) -> None:
    done, facts = copied("done")
    failed, nothing = copied("failed", done=False)
    with CommonState(tmp_path / "state") as state:
        state.expect("run", PAIR, [done, failed, Link(None, ("seen", "seen"), (file("seen"), file("seen")))])
        assert paths(state) == [], "nothing is recorded before it was done"
    with CommonState(tmp_path / "state") as state:  # after a kill
        assert state.settle("run", [*facts, *nothing], lambda ref: Inode(7, 8) if ref.fs == "/a" else None) == 2
        assert sorted(paths(state)) == [("done", "done"), ("seen", "seen")]
        assert state.settle("run", facts, lambda _: None) == 0, "a run is settled once"
        here, there = next(row.files for row in state.rows(PAIR).rows if row.files[0].path == "done")
        assert here == File(file("done").entry, Inode(1, 1), {"md5": "m"}), (
            "as it was seen before the copy; its hash is now known"
        )
        assert there.entry == Entry("done", 1, 6, {"md5": "m"}, "remote-id")


def test_an_edit_just_before_a_server_copied_what_it_had_no_hash_of_is_not_taken_for_in_sync(state: CommonState) -> None:
    """On S3, a file that was uploaded in parts has no hash, and its renamed copy has one."""
    known = msgspec.structs.replace(file("new"), read_hashes={"md5": "before"})
    for now in ("before", "edited"):
        src, dst = Ref("r:b", "old"), Ref("r:b", "new")
        moved = Operation(operation_id("move", src, dst), Verb.MOVE, src, dst, 1, Expect(), "", "")
        state.expect("run", PAIR, [Link(None, ("new", "new"), (known, file("old")), ((Verb.MOVE, dst),))])
        done = CompletedOperation(moved, dst, Entry("new", 1, 6, {"md5": now}))
        assert state.settle("run", [done], lambda _: None, keeps_times=lambda _: False) == 1
        (row,) = state.rows(PAIR).rows
        assert [one.hashes for one in row.files] == [{"md5": "before"}] * 2
        assert unchanged(File(Entry("new", 1, 6, {"md5": now})), row.files[1]) is (now == "before")


def test_a_link_replaces_its_row_and_those_with_its_paths(state: CommonState) -> None:
    state.record(PAIR, [Link(None, (path, path), (file(path), file(path))) for path in ("x", "y", "z")])
    numbers = {row.files[0].path: row.number for row in state.rows(PAIR).rows}
    moved = Link(numbers["x"], ("y", "y"), (file("y", "of x"), file("y", "of x")))
    state.record(PAIR, [moved, Link(numbers["z"], None)])
    assert paths(state) == [("y", "y")]
    assert state.rows(PAIR).rows[0].files[0].size == 4
    assert state.rows(PAIR).rows[0].number not in numbers.values()


def test_what_an_undo_took_back_is_forgotten_on_that_side_only(state: CommonState) -> None:
    state.remember_places(PAIR)
    state.record(PAIR, [Link(None, (here, there), (file(here), file(there))) for here, there in (("x", "y"), ("y", "x"))])
    assert state.forget_files([Ref("r:b", "x"), Ref("elsewhere:", "y")]) == 1
    assert paths(state) == [("x", "y")]


def test_a_damaged_entry_is_left_out_and_counted(tmp_path: Path, state: CommonState) -> None:
    state.record(PAIR, [Link(None, (path, path), (file(path), file(path))) for path in ("x", "y")])
    with sqlite3.connect(tmp_path / "sync.sqlite3") as connection:
        connection.execute("UPDATE entry SET body = ? WHERE first_path = ?", (b"\x00", b"x"))
    connection.close()
    known = state.rows(PAIR)
    assert ([row.files[0].path for row in known.rows], known.damaged) == (["y"], 1)
    with sqlite3.connect(tmp_path / "sync.sqlite3") as connection:
        connection.execute("UPDATE entry SET after_run = 'another' WHERE first_path = ?", (b"y",))
    connection.close()
    assert state.rows(PAIR).damaged == 2


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_damaged_database_is_moved_aside(tmp_path: Path, content: bytes | None) -> None:
    database = tmp_path / "state"
    with CommonState(database) as state:
        state.record(PAIR, [Link(None, (f"{n}", f"{n}"), (file(f"{n}"), file(f"{n}"))) for n in range(400)])
    whole = database.read_bytes()
    database.write_bytes(content or whole[:8192] + b"\xff" * 8192 + whole[16384:])
    with CommonState(database) as state:
        assert state.moved_aside == tmp_path / "state.damaged"
        assert state.rows(PAIR).rows == ()
    with CommonState(database) as state:
        assert state.moved_aside is None


def flip_a_bit_of_the_first_entry(database: Path) -> None:
    """In the table only: its indexes now name another pair than the entry itself."""
    with sqlite3.connect(database) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entry'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    raw = bytearray(database.read_bytes())
    at = raw.index(PAIR.name.encode(), (page - 1) * size, page * size)
    raw[at] ^= 1
    database.write_bytes(raw)


def rename_a_column(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("ALTER TABLE entry RENAME COLUMN body TO bodx")
    connection.close()


def change_the_version(database: Path) -> None:
    raw = bytearray(database.read_bytes())
    raw[63] ^= 16  # the last byte of `user_version` in the header
    database.write_bytes(raw)


def change_the_name_of_a_place(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE place SET fs = 'r:c' WHERE fs = 'r:b'")
    connection.close()


@pytest.mark.parametrize("damage", [change_the_version, change_the_name_of_a_place])
def test_damage_to_what_names_the_places_is_found(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    database = tmp_path / "state"
    with CommonState(database) as state:
        state.remember_places(PAIR)
    damage(database)
    with CommonState(database) as state:
        assert state.id_at("/a") is None
        assert state.moved_aside == tmp_path / "state.damaged"


def test_what_a_run_expects_takes_no_space_once_it_is_over(tmp_path: Path) -> None:
    with CommonState(tmp_path / "state") as state:
        state.expect("run", PAIR, [copied(f"{number}")[0] for number in range(1000)])
        full = state._connection.execute("PRAGMA page_count").fetchone()[0]
        state.settle("run", [], lambda _: None)
        assert state._connection.execute("PRAGMA page_count").fetchone()[0] < full / 4


@pytest.mark.parametrize("damage", [flip_a_bit_of_the_first_entry, rename_a_column])
def test_damage_that_shows_only_in_use_makes_the_sync_a_first_one(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    database = tmp_path / "state"
    links = [Link(None, (path, path), (file(path), file(path))) for path in ("x", "y")]
    with CommonState(database) as state:
        state.record(PAIR, links)
        before = {row.number for row in state.rows(PAIR).rows}
        link, facts = copied("new")
        state.expect("run", PAIR, [link, *(Link(number, None) for number in before), *links])
    damage(database)
    with CommonState(database) as state:
        assert state.moved_aside is None
        state.settle("run", facts, lambda _: None)
        assert (state.moved_aside, state.rows(PAIR).rows) == (tmp_path / "state.damaged", ())
    with CommonState(database) as state:
        assert state.record(PAIR, links) == 2
        assert before.isdisjoint(row.number for row in state.rows(PAIR).rows), "a link of a plan made before fits no new entry"
        assert state.moved_aside is None


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    with CommonState(tmp_path / "state") as state:
        state.record(PAIR, [Link(None, ("x", "x"), (file("x"), file("x")))])
        state._connection.execute("PRAGMA max_page_count = 1")  # SQLite reports a full disk from now on
        many = [Link(None, (f"{n}", f"{n}"), (file(f"{n}"), file(f"{n}"))) for n in range(400)]
        with pytest.raises(IntegrityError, match="no space left"):
            state.record(PAIR, many)
        assert (state.moved_aside, paths(state)) == (None, [("x", "x")])


def test_damaged_names_are_left_out_one_by_one(tmp_path: Path, state: CommonState) -> None:
    state.remember_places(PAIR)
    state.remember_refused([Ref("/a", "one"), Ref("/a", "two")])
    state.remember_empty_folders(PAIR, [("one", "one"), ("two", "two")])
    with sqlite3.connect(tmp_path / "sync.sqlite3") as connection:
        connection.execute("UPDATE refused SET path = ? WHERE path = ?", (b"eno", b"one"))
        connection.execute("UPDATE empty_folder SET second_path = ? WHERE first_path = ?", (b"\xff", b"one"))
    connection.close()
    assert (state.refused("id-a"), state.empty_folders(PAIR)) == (("two",), (("two", "two"),))


def test_text_that_is_no_utf_8_damages_its_entry_only(tmp_path: Path, state: CommonState) -> None:
    state.record(PAIR, [Link(None, (path, path), (file(path), file(path))) for path in ("x", "y")])
    with sqlite3.connect(tmp_path / "sync.sqlite3") as connection:
        connection.execute("UPDATE entry SET checksum = CAST(x'ff' AS TEXT) WHERE first_path = ?", (b"x",))
    connection.close()
    assert (paths(state), state.rows(PAIR).damaged, state.moved_aside) == ([("y", "y")], 1, None)


def test_names_are_kept_as_they_are(state: CommonState) -> None:
    names = ["é", "e\u0301", "木", "a\nb", "\u202ex", "%"]
    state.record(PAIR, [Link(None, (name, name), (file(name), file(name))) for name in names])
    assert sorted(here for here, _ in paths(state)) == sorted(names)
