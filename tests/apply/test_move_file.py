"""One file moves on a storage that cannot rename, and another program writes to either name between any two requests."""

from __future__ import annotations

from contextlib import suppress

import pytest

from orchestrator.apply.protocol.move_file import move_file
from orchestrator.errors import DestinationExistsError, PermanentError, TransientError
from orchestrator.storage.fake.memory import MemoryStorage

SRC, DST, TRASH = "in/a.mp3", "out/a.mp3", ".music-orchestrator/trash/run/1"
OLD, NEW = b"content of a", b"another program's"


def bucket(kind: str = "s3") -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    storage.put(SRC, OLD)
    return storage


def move(storage: MemoryStorage) -> None:
    was = storage.stat(SRC)
    assert was is not None
    move_file(storage, SRC, DST, TRASH, was=was)


@pytest.mark.parametrize("kind", ["s3", "plain", "local", "webdav"])
def test_the_file_has_its_new_name_only(kind: str) -> None:
    storage = bucket(kind)
    move(storage)
    assert storage.snapshot() == {DST: OLD}
    assert storage.call_counts["move"] == storage.capabilities.move, "rclone's own move by copy and delete checks too little"


@pytest.mark.parametrize("kind", ["s3", "webdav"])
def test_a_taken_name_is_refused(kind: str) -> None:
    storage = bucket(kind)
    storage.put(DST, NEW)
    with pytest.raises(DestinationExistsError):
        move(storage)
    assert storage.snapshot() == {SRC: OLD, DST: NEW}


REQUESTS = ("the first look", "look at the new name", "copy", "look at the copy", "look at the source", "delete")


@pytest.mark.parametrize("before", REQUESTS[:-1])
def test_what_replaces_the_source_before_the_last_look_at_it_is_kept(before: str) -> None:
    storage = bucket()
    storage.fail(REQUESTS.index(before) + 1, lambda _: storage.put(SRC, NEW))
    with suppress(PermanentError):
        move(storage)
    assert NEW in storage.snapshot().values()


@pytest.mark.parametrize("before", REQUESTS)
def test_what_is_put_at_the_new_name_is_kept(before: str) -> None:
    """So is the file, unless its verified copy was replaced."""
    storage = bucket()
    storage.fail(REQUESTS.index(before) + 1, lambda _: storage.put(DST, NEW))
    with suppress(PermanentError, DestinationExistsError):
        move(storage)
    kept = {NEW} if before in REQUESTS[-2:] else {OLD, NEW}
    assert kept == {*storage.snapshot().values()}


def test_a_copy_that_is_not_what_was_seen_keeps_the_file() -> None:
    storage = bucket()
    storage.fail_always(lambda call: call.verb == "copy", lambda _: storage.put(DST, NEW), when="after")
    with pytest.raises(PermanentError, match="what is there stays"):
        move(storage)
    assert storage.snapshot() == {SRC: OLD, DST: NEW}


def test_after_a_delete_that_failed_the_file_has_both_names() -> None:
    storage = bucket()
    storage.fail_always(lambda call: call.verb == "delete", TransientError("503"))
    with pytest.raises(TransientError):
        move(storage)
    assert storage.snapshot() == {SRC: OLD, DST: OLD}
