"""What is special about Dropbox: names that ignore case, its own hash, and a code for each refusal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.errors import AuthError, OrchestratorError, QuotaError, RateLimitError
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.fake.objects import digest
from orchestrator.storage.protocol import MoveCall, StatCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.servers import remotes
from tests.servers.dropbox_server import refusal
from tests.servers.http import HttpProxy, http_proxy
from tests.servers.remotes import DropboxRemote

TRASH = f"{OWN_DIRECTORY}/trash/run1-1"


@pytest.fixture
def storage(open_storage: Callable[[str], Storage]) -> Storage:
    return open_storage("dropbox")


@pytest.fixture
def place(storage: Storage) -> str:
    """The storage's root as a path on the server."""
    return storage.fs.partition(":")[2]


def test_a_listing_is_one_call_a_folder_and_complete(storage: Storage, place: str, dropbox: DropboxRemote) -> None:
    for number in range(60):
        dropbox.tree.put(f"{place}/album {number % 6}/{number}.mp3", b"%d" % number)
    dropbox.dropbox.reset()
    entries = list(storage.list())
    assert len(entries) == 60
    assert all(entry.hashes.keys() == {"dropbox"} and entry.mtime_ns and entry.id for entry in entries)
    assert dropbox.dropbox.calls == {"files/list_folder": 7}


def test_a_look_is_one_call_and_a_move_one_change(storage: Storage, place: str, dropbox: DropboxRemote) -> None:
    for number in range(10):
        dropbox.tree.put(f"{place}/in/{number}.mp3", b"%d" % number)
    storage.stat("in/0.mp3")
    dropbox.dropbox.reset()
    storage.batch([StatCall(f"in/{number}.mp3") for number in range(3)])
    assert dropbox.dropbox.calls == {"files/get_metadata": 3}
    dropbox.dropbox.reset()
    assert all(storage.batch([StatCall(f"in/{number}.mp3") for number in range(10)]))
    assert dropbox.dropbox.calls == {"files/list_folder": 1}, "many in one folder"
    dropbox.dropbox.reset()
    assert storage.batch([MoveCall(f"in/{number}.mp3", f"out/{number}.mp3", TRASH) for number in range(10)]) == [None] * 10
    assert (dropbox.dropbox.changes, dropbox.dropbox.calls["files/move_v2"]) == (10, 10), (
        "folders come with what is put into them"
    )
    assert dropbox.dropbox.calls["files/get_metadata"] <= 3 * 10


def test_a_large_file_has_the_hash_of_its_blocks(storage: Storage) -> None:
    content = bytes(range(256)) * (20 * 1024)
    storage.write("large.flac", content)
    (entry,) = storage.list()
    assert entry.hashes == {"dropbox": digest("dropbox", content)}
    assert storage.read_range("LARGE.flac", 4 * 1024 * 1024 - 2, 4) == content[4 * 1024 * 1024 - 2 :][:4]


def test_a_file_is_found_whatever_its_case_and_listed_in_its_own(storage: Storage, place: str, dropbox: DropboxRemote) -> None:
    dropbox.tree.put(f"{place}/Beck/Song.mp3", b"abc")
    assert storage.exists("beck/SONG.mp3")
    looks = storage.batch([StatCall(f"beck/{name}.mp3") for name in ("SONG", "absent", "other", "more")])
    assert [look and look.size for look in looks if not isinstance(look, OrchestratorError)] == [3, None, None, None]
    assert [entry.path for entry in storage.list()] == ["Beck/Song.mp3"]
    assert storage.batch([MoveCall("Beck/Song.mp3", "beck/other.mp3", TRASH)]) == [None]
    assert dropbox.tree.tree(place).keys() == {"Beck/other.mp3"}, "a folder that is there keeps its spelling"


@pytest.fixture
def refusing(rclone_config: Path, rclone: Rclone, own: DropboxRemote) -> Iterator[tuple[RcloneStorage, HttpProxy]]:
    """The Dropbox `own` behind a proxy that makes calls fail."""
    with http_proxy(own.port) as proxy:
        name = f"refusing{own.port}"
        with rclone_config.open("a") as file:
            file.write(own.section(name, port=proxy.port))
        storage = RcloneStorage(rclone, own.fs("music", name=name))
        assert storage.exists("a.mp3")
        yield storage, proxy


@pytest.fixture
def own() -> Iterator[DropboxRemote]:
    """A separate Dropbox with one file."""
    with remotes.dropbox() as server:
        server.tree.put("music/a.mp3", b"abc")
        yield server


@pytest.mark.parametrize("reason", ["too_many_requests", "too_many_write_operations"])
def test_a_rate_limit_says_how_long_to_wait(refusing: tuple[RcloneStorage, HttpProxy], own: DropboxRemote, reason: str) -> None:
    """A change is sent once: before a retry both ends must be checked."""
    storage, proxy = refusing
    proxy.when(lambda seen: "move_v2" in seen.path, refusal(reason, retry_after=7))
    (outcome,) = storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    assert isinstance(outcome, RateLimitError)
    assert outcome.retry_after == 7
    assert sum("move_v2" in seen.path for seen in proxy.requests) == 1
    assert own.tree.tree("music").keys() == {"a.mp3"}


def test_a_look_that_is_refused_temporarily_is_repeated(refusing: tuple[RcloneStorage, HttpProxy]) -> None:
    storage, proxy = refusing
    proxy.when(lambda seen: "get_metadata" in seen.path, refusal("too_many_requests", retry_after=1), times=1)
    began = time.monotonic()
    assert RetryingStorage(storage).exists("a.mp3")
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("insufficient_space", QuotaError), ("expired_access_token", AuthError), ("invalid_access_token", AuthError)],
)
def test_refusals_of_dropbox_are_classified(
    refusing: tuple[RcloneStorage, HttpProxy], reason: str, expected: type[OrchestratorError]
) -> None:
    storage, proxy = refusing
    proxy.when(lambda seen: "move_v2" in seen.path, refusal(reason))
    (outcome,) = storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    assert isinstance(outcome, expected)
    assert storage.exists("a.mp3")


def test_a_full_dropbox_accepts_no_more(refusing: tuple[RcloneStorage, HttpProxy], own: DropboxRemote) -> None:
    storage, _ = refusing
    own.tree.limit = 5
    with pytest.raises(QuotaError):
        storage.write("b.mp3", b"too much")
    assert {entry.path for entry in storage.list()} == {"a.mp3"}
    quota = storage.quota()
    assert quota is not None
    assert (quota.total, quota.used, quota.free) == (5, 3, 2)
