"""The in-memory storage beyond the contract: how providers differ, what it loses as rclone does, and its faults."""

from __future__ import annotations

import pytest

from orchestrator.errors import (
    DestinationExistsError,
    NotFoundError,
    PermanentError,
    QuotaError,
    TransientError,
)
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import CopyCall, DeleteCall, MoveCall, StatCall

TRASH = ".music-orchestrator/trash/1"


# How providers differ.


def test_a_case_folding_storage_finds_any_spelling_and_keeps_the_first() -> None:
    storage = MemoryStorage.like("dropbox")
    storage.write("Beck/Song.mp3", b"1")
    assert storage.exists("BECK/song.MP3")
    with pytest.raises(DestinationExistsError):
        storage.move("Beck/Song.mp3", "beck/song.mp3")
    assert storage.batch([MoveCall("Beck/Song.mp3", "beck/song.mp3", TRASH)]) == [None]
    assert [*storage.snapshot()] == ["beck/song.mp3"]


def test_a_storage_may_keep_several_files_of_one_name() -> None:
    storage = MemoryStorage.like("drive")
    storage.put("a.mp3", b"1")
    storage.put("a.mp3", b"2", duplicate=True)
    entries = [*storage.list()]
    assert [entry.path for entry in entries] == ["a.mp3"] * 2
    assert len({entry.id for entry in entries}) == 2
    storage.delete("a.mp3")
    assert storage.snapshot() == {"a.mp3": b"2"}


def test_an_id_survives_a_rename_but_not_a_copy() -> None:
    storage = MemoryStorage.like("drive")
    storage.write("a.mp3", b"1")
    before = storage.stat("a.mp3")
    storage.copy("a.mp3", "b.mp3")
    storage.move("a.mp3", "c.mp3")
    copied, moved = storage.stat("b.mp3"), storage.stat("c.mp3")
    assert before is not None
    assert copied is not None
    assert moved is not None
    assert moved.id == before.id != copied.id


def test_an_encoding_makes_two_names_one() -> None:
    storage = MemoryStorage(encoding={":": "\uff1a"})
    storage.write("a:b.mp3", b"1")
    assert storage.exists("a\uff1ab.mp3")
    storage.write("a\uff1ab.mp3", b"2")
    assert storage.snapshot() == {"a:b.mp3": b"2"}


def test_a_normalizing_storage_treats_both_forms_as_one() -> None:
    storage = MemoryStorage(normalization_insensitive=True)
    storage.write("caf\u00e9.mp3", b"1")
    assert storage.exists("cafe\u0301.mp3")


def test_names_that_the_server_refuses() -> None:
    storage = MemoryStorage(refuse=lambda path: "*" in path)
    for path in ("a*.mp3", "x" * 256, "a//b", "../a", "a/./b", "nul\0"):
        with pytest.raises(PermanentError):
            storage.write(path, b"")
    assert storage.snapshot() == {}
    assert storage.directories() == frozenset()


def test_a_refused_destination_does_not_change_the_source() -> None:
    storage = MemoryStorage(refuse=lambda path: "*" in path)
    storage.put("a.mp3", b"1")
    (outcome,) = storage.batch([MoveCall("a.mp3", "dir/b*.mp3", TRASH)])
    assert isinstance(outcome, PermanentError)
    assert storage.snapshot() == {"a.mp3": b"1"}


def test_a_full_disk_accepts_no_more() -> None:
    storage = MemoryStorage(quota_bytes=10)
    storage.write("a.mp3", b"123456")
    with pytest.raises(QuotaError):
        storage.write("b.mp3", b"12345")
    storage.write("a.mp3", b"1234567890")
    storage.delete("a.mp3")
    quota = storage.quota()
    assert quota is not None
    assert (quota.total, quota.used, quota.free) == (10, 0, 10)


def test_a_root_is_missing_until_something_is_written() -> None:
    storage = MemoryStorage(missing=True)
    with pytest.raises(NotFoundError):
        list(storage.list())
    storage.write("a.mp3", b"1")
    assert [entry.path for entry in storage.list()] == ["a.mp3"]


def test_bytes_copied_through_this_machine_are_counted() -> None:
    for kind, through in (("s3", 0), ("sftp", 3)):
        storage = MemoryStorage.like(kind)
        storage.write("a.mp3", b"123")
        storage.copy("a.mp3", "b.mp3")
        assert storage.bytes_through == through, kind


# It loses what rclone loses.


def test_a_normalization_only_rename_overwrites_past_the_trash() -> None:
    storage = MemoryStorage()
    storage.put("caf\u00e9.mp3", b"composed")
    storage.put("cafe\u0301.mp3", b"decomposed")
    assert storage.batch([MoveCall("cafe\u0301.mp3", "caf\u00e9.mp3", TRASH)]) == [None]
    assert storage.snapshot() == {"caf\u00e9.mp3": b"decomposed"}


def test_a_second_file_of_one_name_in_the_trash_replaces_the_first() -> None:
    storage = MemoryStorage()
    for content in (b"1", b"2", b"3"):
        storage.put("new.mp3", content)
        storage.batch([MoveCall("new.mp3", "a.mp3", TRASH)])
    assert storage.snapshot() == {"a.mp3": b"3", f"{TRASH}/a.mp3": b"2"}


# Faults.


def test_a_fault_before_a_call_changes_nothing() -> None:
    storage = MemoryStorage()
    storage.put("a.mp3", b"1")
    storage.fail(1, TransientError("reset"))
    with pytest.raises(TransientError):
        storage.move("a.mp3", "b.mp3")
    assert storage.snapshot() == {"a.mp3": b"1"}
    storage.move("a.mp3", "b.mp3")
    assert storage.snapshot() == {"b.mp3": b"1"}


def test_a_reply_is_lost_after_the_change() -> None:
    storage = MemoryStorage()
    storage.put("a.mp3", b"1")
    storage.fail(1, TransientError("reset"), when="after", counting="changes")
    assert storage.stat("a.mp3") is not None
    with pytest.raises(TransientError):
        storage.move("a.mp3", "b.mp3")
    assert storage.snapshot() == {"b.mp3": b"1"}


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("s3", {"a.mp3": b"new", "b.mp3": b"new", f"{TRASH}/b.mp3": b"old"}),
        ("local", {"b.mp3": b"new", f"{TRASH}/b.mp3": b"old"}),
    ],
)
def test_a_killed_storage_fails_until_it_is_revived(kind: str, left: dict[str, bytes]) -> None:
    storage = MemoryStorage.like(kind)
    storage.put("a.mp3", b"new")
    storage.put("b.mp3", b"old")
    storage.fail(1, Killed(), when="between")
    with pytest.raises(Killed):
        storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    assert storage.snapshot() == {"a.mp3": b"new", f"{TRASH}/b.mp3": b"old"}
    with pytest.raises(Killed):
        storage.stat("a.mp3")

    storage.revive()
    storage.fail(storage.calls_made + 1, Killed(), when="between")
    if kind == "s3":
        with pytest.raises(Killed):
            storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    else:
        storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    assert storage.snapshot() == left


def test_a_kill_ends_a_batch_and_an_error_does_not() -> None:
    calls = [DeleteCall(f"{index}.mp3") for index in range(5)]
    for trouble, left in ((TransientError("reset"), 1), (Killed(), 3)):
        storage = MemoryStorage()
        for index in range(5):
            storage.put(f"{index}.mp3", b"")
        storage.fail(3, trouble)
        if isinstance(trouble, Killed):
            with pytest.raises(Killed):
                storage.batch(calls)
        else:
            assert [*storage.batch(calls)] == [None, None, trouble, None, None]
        assert len(storage.snapshot()) == left


def test_a_fault_can_do_anything() -> None:
    storage = MemoryStorage()
    seen: list[RecordedCall] = []

    def meddle(asked: RecordedCall) -> None:
        seen.append(asked)
        storage.put("b.mp3", b"came in between")

    storage.put("a.mp3", b"1")
    storage.fail(2, meddle)
    assert storage.batch([StatCall("b.mp3"), MoveCall("a.mp3", "b.mp3", TRASH)], concurrency=1) == [None, None]
    assert seen == [RecordedCall(2, "move", "a.mp3", "b.mp3")]
    assert storage.snapshot() == {"b.mp3": b"1", f"{TRASH}/b.mp3": b"came in between"}


def test_the_log_holds_the_changes_that_took_effect() -> None:
    storage = MemoryStorage()
    storage.write("a.mp3", b"1")
    storage.stat("a.mp3")
    storage.fail(3, TransientError("reset"))
    storage.batch([CopyCall("a.mp3", "b.mp3", TRASH), DeleteCall("a.mp3")], concurrency=1)
    assert [(asked.verb, asked.path) for asked in storage.log] == [("write", "a.mp3"), ("delete", "a.mp3")]
    assert storage.changes_made == 3
    assert storage.call_counts == {"write": 1, "stat": 1, "copy": 1, "delete": 1}


def test_a_broken_listing_raises_instead_of_ending_early() -> None:
    storage = MemoryStorage()
    for index in range(10):
        storage.put(f"{index}.mp3", b"")
    storage.fail(1, TransientError("reset"), when="between")
    listing = storage.list()
    assert len([next(listing) for _ in range(5)]) == 5
    with pytest.raises(TransientError):
        next(listing)
