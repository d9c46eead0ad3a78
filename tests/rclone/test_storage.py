"""What RcloneStorage adds to the contract of every storage: names, replaced files in the trash, costs."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import msgspec
import pytest

from orchestrator.errors import (
    DestinationExistsError,
    NotFoundError,
    PermanentError,
    TransientError,
    UnsupportedError,
    UsageError,
)
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Capabilities, Entry
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import CopyCall, DeleteCall, MoveCall, StatCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.servers.http import HttpProxy, Refuse, http_proxy
from tests.servers.remotes import RemoteServer

TRASH = f"{OWN_DIRECTORY}/trash/run"

NAMES = [
    "-rf.mp3",
    "a b/c d.mp3",
    "AC]DC [Live]/01 [x].mp3",
    "100% ?#&+;=@.mp3",
    "\"quotes\" 'and' `more`.mp3",
    "$(touch PWNED).mp3",
    "Ünïcödé/日本語 ~ ñ.mp3",
    "e\u0301.mp3",
    "🎵.mp3",
    "back\\slash.mp3",
    "{{curly}} {a,b}.mp3",
    " lead and trail .mp3",
    "..hidden",
    "n" * 200 + ".mp3",
]


@pytest.fixture(params=["local", "s3_serve"])
def place(request: pytest.FixtureRequest, rclone: Rclone, tmp_path: Path) -> RcloneStorage:
    """An empty location on disk, and one on S3."""
    if request.param == "local":
        return RcloneStorage(rclone, str(tmp_path))
    server: RemoteServer = request.getfixturevalue("s3_serve")
    return RcloneStorage(rclone, server.fs(f"place/{tmp_path.parent.name}{tmp_path.name}"))


def content(storage: RcloneStorage, path: str) -> bytes:
    return b"".join(storage.read(path))


def undated(entry: object) -> object:
    assert isinstance(entry, Entry)
    return entry.path, entry.size, entry.hashes


def test_any_name_is_carried_exactly(place: RcloneStorage) -> None:
    for name in NAMES:
        place.write(name, b"hello " + name.encode())
        assert place.read_range(name, 2, 3) == b"llo"
        assert content(place, name) == b"hello " + name.encode()
    entries = list(place.list())
    assert sorted(entry.path for entry in entries) == sorted(NAMES)
    # rclone's S3 server dates a look by the end of the upload, and a listing by the file that was uploaded.
    assert [undated(look) for look in place.batch([StatCall(entry.path) for entry in entries])] == [*map(undated, entries)]
    assert set(place.batch([MoveCall(name, f"moved/{name}", TRASH) for name in NAMES])) == {None}
    assert sorted(entry.path for entry in place.list()) == sorted(f"moved/{name}" for name in NAMES)
    assert [content(place, f"moved/{name}") for name in NAMES] == [b"hello " + name.encode() for name in NAMES]
    assert set(place.batch([DeleteCall(f"moved/{name}") for name in NAMES])) == {None}
    assert list(place.list()) == []


def test_ranges_end_where_the_file_ends(place: RcloneStorage) -> None:
    place.write("x", b"0123456789")
    place.write("empty", b"")
    assert place.read_range("x", 0, 4) == b"0123"
    assert place.read_range("x", 8, 100) == b"89"
    assert place.read_range("x", 10, 5) == b""
    assert place.read_range("x", 1000, 5) == b""
    assert place.read_range("x", 3, 0) == b""
    assert place.read_range("empty", 0, 5) == b""
    assert content(place, "empty") == b""
    with pytest.raises(NotFoundError):
        place.read_range("none", 0, 1)
    with pytest.raises(NotFoundError):
        content(place, "none")


def test_write_replaces_even_with_the_same_size(place: RcloneStorage) -> None:
    place.write("x", b"old")
    place.write("x", io.BytesIO(b"new"))
    assert content(place, "x") == b"new"


def test_batch_gives_each_item_its_outcome(place: RcloneStorage) -> None:
    for name in ("a", "b", "c"):
        place.write(name, name.encode())
    outcomes = place.batch(
        [
            StatCall("a"),
            StatCall("none"),
            MoveCall("a", "dir/a", TRASH),
            MoveCall("none", "dir/none", TRASH),
            CopyCall("b", "dir/b", TRASH),
            DeleteCall("c"),
            DeleteCall("none"),
        ],
        concurrency=1,
    )
    assert isinstance(outcomes[0], Entry)
    assert outcomes[0].path == "a"
    assert outcomes[1] is None
    assert isinstance(outcomes[3], NotFoundError)
    assert outcomes[3].path == "none"
    assert isinstance(outcomes[6], NotFoundError)
    assert [outcomes[number] for number in (2, 4, 5)] == [None, None, None]
    assert sorted(entry.path for entry in place.list()) == ["b", "dir/a", "dir/b"]
    (alone,) = place.batch([MoveCall("none", "x", TRASH)])
    assert isinstance(alone, NotFoundError)
    assert place.batch([]) == []


@pytest.mark.parametrize("together", [False, True])
def test_a_replaced_file_goes_to_the_trash(place: RcloneStorage, together: bool) -> None:
    for name in ("a", "b", "d/a", "d/b"):
        place.write(name, b"new" if "/" not in name else b"old")  # the same size, and nearly the same time
    how = CopyCall if place.capabilities.local else MoveCall  # a disk refuses to replace a file by a move
    calls = [how("a", "d/a", f"{TRASH}/1"), CopyCall("b", "d/b", f"{TRASH}/2")]
    outcomes = list(place.batch(calls)) if together else [place.batch([call])[0] for call in calls]
    assert outcomes == [None, None]
    assert {path: content(place, path) for path in ("d/a", "d/b", f"{TRASH}/1/d/a", f"{TRASH}/2/d/b")} == {
        "d/a": b"new",
        "d/b": b"new",
        f"{TRASH}/1/d/a": b"old",
        f"{TRASH}/2/d/b": b"old",
    }


def test_move_and_copy_refuse_an_existing_file(place: RcloneStorage) -> None:
    place.write("a", b"1")
    place.write("b", b"2")
    for change in (place.move, place.copy):
        with pytest.raises(DestinationExistsError):
            change("a", "b")
        with pytest.raises(NotFoundError):
            change("none", "c")
    assert (content(place, "a"), content(place, "b")) == (b"1", b"2")


def test_copies_go_across_storages_and_through_wrappers(
    place: RcloneStorage, rclone: Rclone, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = RcloneStorage(rclone, str(tmp_path_factory.mktemp("other")))
    place.write("a]b", b"far")
    assert other.batch([CopyCall("a]b", "near", TRASH, source=RetryingStorage(place))]) == [None]
    assert content(other, "near") == b"far"
    (outcome,) = other.batch([CopyCall("x", "y", TRASH, source=MemoryStorage("memory:"))])
    assert isinstance(outcome, UnsupportedError)


def test_hashes_and_times_on_request(place: RcloneStorage) -> None:
    place.write("x", b"abc")
    assert place.hash("x", "sha1", download=True) == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert place.hash("x", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert place.mtime("x")
    assert place.size("x") == 3
    for ask in (place.size, place.mtime, lambda path: place.hash(path, "md5")):
        with pytest.raises(NotFoundError):
            ask("none")
    if not place.capabilities.local:
        with pytest.raises(UnsupportedError):
            place.hash("x", "sha1")


def test_only_empty_directories_are_removed(rclone: Rclone, tmp_path: Path) -> None:
    place = RcloneStorage(rclone, str(tmp_path))
    place.make_directory("d/e")
    place.write("d/e/x", b"1")
    assert not place.remove_directory("d")
    assert not place.remove_directory("d/e")
    place.delete("d/e/x")
    assert place.remove_directory("d/e")
    assert place.remove_directory("d")
    assert not place.remove_directory("d")


def test_a_bucket_is_never_removed(rclone: Rclone, s3_serve: RemoteServer) -> None:
    place = RcloneStorage(rclone, f"{s3_serve.name}:{s3_serve.base}")
    assert not place.remove_directory("")
    place.make_directory("nothing")
    place.write("still-there", b"1")
    place.delete("still-there")


def test_a_missing_bucket_is_not_created(rclone: Rclone, s3_serve: RemoteServer) -> None:
    with pytest.raises(NotFoundError):
        RcloneStorage(rclone, f"{s3_serve.name}:misspelled").write("x", b"1")
    assert s3_serve.directory is not None
    assert not (s3_serve.directory.parent / "misspelled").exists()


def test_free_space_is_reported_where_it_is_known(rclone: Rclone, s3_serve: RemoteServer, tmp_path: Path) -> None:
    quota = RcloneStorage(rclone, str(tmp_path)).quota()
    assert quota is not None
    assert quota.free
    assert RcloneStorage(rclone, s3_serve.fs()).quota() is None


def test_what_remotes_can_do(
    rclone: Rclone, s3_serve: RemoteServer, webdav: RemoteServer, sftp: RemoteServer, tmp_path: Path
) -> None:
    local, s3, dav, ssh = (
        RcloneStorage(rclone, fs).capabilities for fs in (str(tmp_path), s3_serve.fs("x"), webdav.fs(), sftp.fs())
    )
    assert (local.move, local.local, local.hashes, local.mtime, local.quota, local.remote_type) == (
        True,
        True,
        (),
        True,
        True,
        "local",
    )
    assert (s3.move, s3.copy, s3.hashes, s3.mtime, s3.empty_directories, s3.max_path_bytes) == (
        False,
        True,
        ("md5",),
        True,
        False,
        500,
    )
    assert (dav.move, dav.remote_type, ssh.move, ssh.remote_type, ssh.hashes) == (True, "webdav", True, "sftp", ())


def test_local_reads_do_not_block_or_follow_links(rclone: Rclone, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "dir").mkdir()
    place = RcloneStorage(rclone, str(tmp_path))
    with pytest.raises(PermanentError, match="regular"):
        place.read_range("pipe", 0, 1)
    with pytest.raises(PermanentError):
        place.read_range("dir", 0, 1)
    with pytest.raises(NotFoundError):
        place.read_range("link", 0, 1)
    with pytest.raises(NotFoundError):
        place.read_range("none", 0, 1)


def test_names_that_rclone_shows_differently_can_be_read(rclone: Rclone, tmp_path: Path) -> None:
    (tmp_path / "line\nbreak").write_bytes(b"1")
    place = RcloneStorage(rclone, str(tmp_path))
    (entry,) = place.list()
    assert place.read_range(entry.path, 0, 9) == b"1"
    place.move(entry.path, "good")
    assert (tmp_path / "good").exists()


def test_a_name_that_is_not_utf8_is_reported(rclone: Rclone, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xfe.mp3")).write_bytes(b"1")
    place = RcloneStorage(rclone, str(tmp_path))
    (entry,) = place.list()
    with pytest.raises(PermanentError, match="UTF-8"):
        place.read_range(entry.path, 0, 1)
    with pytest.raises(UsageError, match="UTF-8"):
        RcloneStorage(rclone, os.fsdecode(b"/srv/\xfe"))


@pytest.fixture
def counted(found_rclone: Binary, s3_serve: RemoteServer) -> Iterator[tuple[RcloneStorage, HttpProxy]]:
    """A location on S3 with ten files, whose requests are counted."""
    with http_proxy(s3_serve.port) as proxy, Rclone(found_rclone) as rclone:
        rclone.define_remote("counted2", "s3", s3_serve.options_at(proxy.port))
        storage = RcloneStorage(rclone, s3_serve.fs("costs", name="counted2"))
        for number in range(10):
            storage.write(f"{number}", b"0123456789")
        assert storage.capabilities.copy  # the remote is opened
        proxy.reset()
        yield storage, proxy


def test_requests_on_s3(counted: tuple[RcloneStorage, HttpProxy]) -> None:
    storage, proxy = counted
    storage.batch([StatCall(str(number)) for number in range(10)])
    assert proxy.counts == {"HEAD": 10}
    proxy.reset()
    storage.read_range("0", 2, 5)
    assert proxy.counts == {"HEAD": 1, "GET": 1}
    proxy.reset()
    storage.batch([CopyCall(str(number), f"to/{number}", TRASH) for number in range(10)])
    # An rclone that has forgotten the remote in the meantime makes sure of the bucket again.
    assert sum(seen.method == "PUT" and "/to/" in seen.path for seen in proxy.requests) == 10
    assert proxy.counts["DELETE"] == 0
    proxy.reset()
    storage.batch([DeleteCall(str(number)) for number in range(10)])
    assert proxy.counts["DELETE"] == 10
    assert proxy.counts["PUT"] == 0


def test_s3_deletes_a_file_we_have_just_seen_with_one_request(counted: tuple[RcloneStorage, HttpProxy]) -> None:
    storage, proxy = counted
    assert storage.batch([DeleteCall("0", seen=True), DeleteCall("1", seen=True)]) == [None, None]
    assert proxy.counts == {"DELETE": 2}
    assert not {"0", "1"} & {entry.path for entry in storage.list()}


def test_a_folder_that_rclone_opens_once_more_is_no_file_because_the_server_is_busy(
    counted: tuple[RcloneStorage, HttpProxy],
) -> None:
    storage, proxy = counted

    def busy() -> None:
        storage._rclone.forget_pauses()
        proxy.when(lambda _: True, Refuse(503))

    busy()
    with pytest.raises(TransientError):
        storage.stat("0")
    with pytest.raises(TransientError):
        storage.hash("0", "md5")
    copies = [CopyCall("0", "2", TRASH), CopyCall("0", "3", TRASH)]
    for calls in ([StatCall("0"), StatCall("1")], [DeleteCall("0"), DeleteCall("1")], copies):
        busy()
        answers = storage.batch(calls)
        assert all(isinstance(answer, TransientError) for answer in answers), answers
    proxy.reset()
    assert {entry.path for entry in storage.list()} >= {"0", "1"}
    assert storage.stat("0") is not None


class WithoutNet(RcloneStorage):
    """A remote that can neither move nor copy, so rclone allows no BackupDir on it."""

    @cached_property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(super().capabilities, move=False, copy=False)


@pytest.mark.parametrize("how", [MoveCall, CopyCall])
@pytest.mark.parametrize("several", [False, True])
def test_without_a_trash_no_file_is_overwritten(
    rclone: Rclone, tmp_path: Path, how: type[MoveCall | CopyCall], several: bool
) -> None:
    storage = WithoutNet(rclone, str(tmp_path))
    for name in ("a", "b", "c"):
        storage.write(name, name.encode())
    calls = [how("a", "b", TRASH), *([how("c", "new", TRASH), StatCall("a")] if several else [])]
    refused, *others = storage.batch(calls)
    assert isinstance(refused, UnsupportedError)
    assert [content(storage, "a"), content(storage, "b")] == [b"a", b"b"]
    if several:
        assert others == [None, storage.stat("a")]
        assert content(storage, "new") == b"c"


@pytest.mark.parametrize("kind", ["local", "webdav", "sftp"])
def test_remove_directory_removes_only_directories(open_storage: Callable[[str], Storage], tmp_path: Path, kind: str) -> None:
    storage = open_storage(kind)
    storage.write("dir/x.mp3", b"content")
    assert not storage.remove_directory("dir/x.mp3")
    assert not storage.remove_directory("dir")
    assert b"".join(storage.read("dir/x.mp3")) == b"content"
    if kind == "local":
        root = Path(storage.fs)
        (root / "empty").mkdir()
        (root / "link").symlink_to(root / "empty")
        assert not storage.remove_directory("link")
        assert (root / "link").is_symlink()


def test_nothing_exists_below_a_file(rclone: Rclone, tmp_path: Path) -> None:
    storage = RcloneStorage(rclone, str(tmp_path))
    storage.write("x.mp3", b"content")
    assert storage.stat("x.mp3/y.mp3") is None
    assert [*storage.batch([StatCall("x.mp3/y.mp3"), StatCall("x.mp3/z")])] == [None, None]
