"""The contract of every storage (the docstrings of `orchestrator.storage.protocol`), tested with the fake, a disk and servers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import pytest

from orchestrator.errors import (
    DestinationExistsError,
    NotFoundError,
    OrchestratorError,
    TooManyFilesError,
    TransientError,
    UnsupportedError,
    UsageError,
)
from orchestrator.foreign_folders import ALL_BUT_LITTER, HiddenFolders
from orchestrator.paths import join_location
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.fake.memory import KINDS, MemoryStorage
from orchestrator.storage.fake.objects import digest
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, MoveCall, StatCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.rate_limit import RateLimitedStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.conftest import SOME_STORAGES
from tests.hostile import HOSTILE_NAMES

TRASH = f"{OWN_DIRECTORY}/trash/run1-1"
NOT_MOVED_BY_WSGIDAV = {"?", ";"}
"""WsgiDAV cuts the destination of a MOVE there, and answers that it is done."""


@pytest.fixture(params=[*SOME_STORAGES, *(f"memory-{kind}" for kind in KINDS), "wrapped"])
def storage(request: pytest.FixtureRequest, open_storage: Callable[[str], Storage]) -> Storage:
    kind = str(request.param)
    if kind.startswith("memory-"):
        return MemoryStorage.like(kind.removeprefix("memory-"), shuffle=1)
    if kind == "wrapped":
        return RetryingStorage(RateLimitedStorage(MemoryStorage(), 1_000_000))
    return open_storage(kind)


def contents(storage: Storage, prefix: str = "") -> dict[str, bytes]:
    return {entry.path: read(storage, entry.path) for entry in storage.list(prefix)}


def read(storage: Storage, path: str) -> bytes:
    return b"".join(storage.read(path))


def carried_out(storage: Storage, calls: Sequence[Call], *, concurrency: int = 8) -> list[CallResult]:
    """The outcomes; calls that may work later are repeated, as the executor does.

    WebDAV servers refuse to make a directory (423 Locked) while another one is created below the same one.
    """
    outcomes = [*storage.batch(calls, concurrency=concurrency)]
    for _ in range(5):
        again = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, TransientError)]
        for index, outcome in zip(again, storage.batch([calls[index] for index in again], concurrency=1), strict=True):
            outcomes[index] = outcome
    return outcomes


def test_a_file_is_no_location(storage: Storage) -> None:
    if not isinstance(storage, RcloneStorage):
        pytest.skip("only rclone takes the path of a file for a location")
    storage.write("folder/a.mp3", b"1")
    fs = join_location(storage.fs, "folder/a.mp3")
    with pytest.raises(UsageError):
        list(RcloneStorage(storage.rclone, fs).list())
    with pytest.raises(UsageError):
        RcloneStorage(storage.rclone, fs).stat("b.mp3")


# Listing.


@pytest.mark.shows("list")
def test_a_listing_gives_every_file_below_the_root_and_below_a_prefix(storage: Storage) -> None:
    files = {"a.mp3": b"1", "dir/b.flac": b"22", "dir/deep/er/c.ogg": b"333", "directory/d.m4a": b""}
    for path, content in files.items():
        storage.write(path, content)

    assert {entry.path: entry.size for entry in storage.list()} == {path: len(content) for path, content in files.items()}
    assert {entry.path for entry in storage.list("dir")} == {"dir/b.flac", "dir/deep/er/c.ogg"}
    assert {entry.path for entry in storage.list("dir/deep")} == {"dir/deep/er/c.ogg"}


def test_our_own_files_are_listed_only_on_request(storage: Storage) -> None:
    """Our directory in another one belongs to a location there: only its name is shown, once."""
    inner = f"sub/{OWN_DIRECTORY}"
    storage.write("a.mp3", b"a")
    storage.write(f"{OWN_DIRECTORY}/trash/1/x.mp3", b"x")
    storage.write(f"{OWN_DIRECTORY}/trash/1/{inner}/x.mp3", b"x")
    for name in ("run.json", "quarantine/1/y.mp3", "quarantine/1/z.mp3", f"quarantine/1/deep/{OWN_DIRECTORY}/z.mp3"):
        storage.write(f"{inner}/{name}", b"y")
    storage.write("sub/b.mp3", b"b")

    assert sorted(entry.path for entry in storage.list()) == sorted(["a.mp3", "sub/b.mp3", inner])
    assert [entry for entry in storage.list() if entry.path == inner] == [Entry(inner)]
    assert sorted(entry.path for entry in storage.list("sub")) == sorted(["sub/b.mp3", inner])
    trash = {f"{OWN_DIRECTORY}/trash/1/x.mp3", f"{OWN_DIRECTORY}/trash/1/{inner}/x.mp3"}
    assert {entry.path for entry in storage.list(OWN_DIRECTORY)} == trash
    assert {entry.path for entry in storage.list(f"{OWN_DIRECTORY}/trash")} == trash
    assert {entry.path for entry in storage.list(f"{inner}/quarantine/1")} == {
        f"{inner}/quarantine/1/{name}" for name in ("y.mp3", "z.mp3", f"deep/{OWN_DIRECTORY}/z.mp3")
    }


def test_folders_of_other_programs_are_shown_and_not_listed(storage: Storage) -> None:
    """By name only, in any case and at any depth below the prefix; `hidden` says which."""
    inside = {
        *(
            "#Recycle/a.mp3",
            "sub/deep/$RECYCLE.BIN/S-1/a.mp3",
            "sub/@eaDir/a.mp3/thumb.jpg",
            "sub/LOST+FOUND/@eaDir/x",
            ".Trash-1/x",
        ),
        *("FOUND.001/x", "System Volume Information/x", ".local/share/Trash/files/x.mp3", ".stfolder.removed-1/x"),
    }
    files = {"a.mp3", "sub/Recycle/a.mp3", "sub/Sync/@eaDir2/x.mp3", ".local/share/x.mp3"}
    for path in (*inside, *files):
        storage.write(path, b"1")
    folders = {"#Recycle/", "sub/deep/$RECYCLE.BIN/", "sub/@eaDir/", "sub/LOST+FOUND/", ".Trash-1/"}
    folders |= {"FOUND.001/", "System Volume Information/", ".local/share/Trash/", ".stfolder.removed-1/"}

    storage.make_directory("empty/too")
    storage.make_directory(f"{OWN_DIRECTORY}/tmp")
    told: list[str] = []
    assert sorted(entry.path for entry in storage.list(on_folder=told.append)) == sorted(files | folders)
    above = {"sub", "sub/deep", "sub/Recycle", "sub/Sync", "sub/Sync/@eaDir2", ".local", ".local/share", "empty", "empty/too"}
    assert sorted(told) == (sorted(above) if storage.capabilities.empty_directories else [])
    told.clear()
    assert [*storage.list("empty", on_folder=told.append)] == []
    assert told == (["empty/too"] if storage.capabilities.empty_directories else [])
    assert [entry for entry in storage.list() if entry.path == "#Recycle/"] == [Entry("#Recycle/")]
    below = {path for path in files | folders if path.startswith("sub/")}
    assert sorted(entry.path for entry in storage.list("sub")) == sorted(below)
    assert {entry.path for entry in storage.list("sub/LOST+FOUND")} == {"sub/LOST+FOUND/@eaDir/"}
    shown = {entry.path for entry in storage.list(hidden=ALL_BUT_LITTER)}
    assert shown == {*files, *folders, "sub/@eaDir/a.mp3/thumb.jpg"} - {"sub/@eaDir/"}
    opened = {entry.path for entry in storage.list(hidden=HiddenFolders(["**/$RECYCLE.BIN/**", "/#recycle", ".Trash-2"]))}
    assert opened == {*files, *folders, "sub/deep/$RECYCLE.BIN/S-1/a.mp3", "#Recycle/a.mp3"} - {
        "#Recycle/",
        "sub/deep/$RECYCLE.BIN/",
    }


def test_a_missing_directory_is_an_error_where_directories_exist(storage: Storage) -> None:
    storage.write("a.mp3", b"a")
    if storage.capabilities.empty_directories:
        with pytest.raises(NotFoundError):
            list(storage.list("not/there"))
    else:
        assert list(storage.list("not/there")) == []


def test_an_empty_root_lists_nothing(storage: Storage) -> None:
    assert list(storage.list()) == []


def test_a_listing_can_be_stopped_before_its_end_and_limited(storage: Storage) -> None:
    for index in range(30):
        storage.write(f"{index}.mp3", b"x")
    assert len(list(islice(storage.list(), 3))) == 3
    assert len(list(storage.list(at_most=30))) == 30
    with pytest.raises(TooManyFilesError):
        list(storage.list(at_most=29))


def test_listings_and_stats_agree(storage: Storage) -> None:
    storage.write("dir/a.mp3", b"abc")
    assert list(storage.list()) == [storage.stat("dir/a.mp3")]


def test_a_listing_has_what_the_capabilities_promise(storage: Storage) -> None:
    storage.write("a.mp3", b"abc")
    (entry,) = storage.list()
    assert entry.size == 3
    assert set(entry.hashes) == set(storage.capabilities.hashes)
    if storage.capabilities.mtime and storage.capabilities.mtime_precision_ns is not None:
        assert entry.mtime_ns is not None
    if not storage.capabilities.mtime:
        assert entry.mtime_ns is None


# Names.


@pytest.mark.shows("hostile names")
def test_odd_names_are_unchanged(storage: Storage) -> None:
    names = [name for name in HOSTILE_NAMES if not (storage.fs.startswith("wsgidav:") and set(name) & NOT_MOVED_BY_WSGIDAV)]
    longest = storage.capabilities.max_component_bytes - len(".mp3")
    assert longest >= 200 or storage.fs.startswith("crypt:")
    files = {f"{name[:100]}/{name[:longest]}.mp3": name.encode() for name in names}
    for path, content in files.items():
        storage.write(path, content)

    assert {entry.path for entry in storage.list()} == set(files)
    assert {path: storage.read_range(path, 1, 3) for path in files} == {path: content[1:4] for path, content in files.items()}
    stats = storage.batch([StatCall(path) for path in files])
    assert [stat.path for stat in stats if isinstance(stat, Entry)] == [*files]
    moves = [MoveCall(path, f"moved/{path}", TRASH) for path in files]
    assert carried_out(storage, moves) == [None] * len(files)
    assert contents(storage) == {f"moved/{path}": content for path, content in files.items()}
    deleted = storage.batch([DeleteCall(f"moved/{path}", seen=True) for path in files])
    assert [*deleted] == [None] * len(files)
    assert list(storage.list()) == []


@pytest.mark.shows("NFC and NFD")
def test_names_of_two_unicode_forms_are_two_files(storage: Storage) -> None:
    storage.write("caf\u00e9.mp3", b"composed")
    storage.write("cafe\u0301.mp3", b"decomposed")
    if storage.fs.startswith("webdav:") and not isinstance(storage, MemoryStorage):
        assert contents(storage) == {"caf\u00e9.mp3": b"decomposed"}  # this server takes both for one name
    else:
        assert contents(storage) == {"caf\u00e9.mp3": b"composed", "cafe\u0301.mp3": b"decomposed"}


def test_names_that_differ_only_in_case_are_two_files_unless_the_storage_folds(storage: Storage) -> None:
    storage.write("Song.mp3", b"1")
    storage.write("song.mp3", b"2")
    if storage.capabilities.case_insensitive:
        assert contents(storage) == {"Song.mp3": b"2"}
    else:
        assert contents(storage) == {"Song.mp3": b"1", "song.mp3": b"2"}


# Single files.


def test_a_missing_file_is_not_found(storage: Storage) -> None:
    storage.write("dir/a.mp3", b"a")
    for path in ("b.mp3", "dir", "dir/b.mp3", "no/such/dir/a.mp3"):
        assert storage.stat(path) is None
        assert not storage.exists(path)
    for ask in (storage.size, storage.mtime, storage.delete, lambda path: list(storage.read(path))):
        with pytest.raises(NotFoundError):
            ask("b.mp3")
    with pytest.raises(NotFoundError):
        storage.read_range("b.mp3", 0, 10)
    with pytest.raises(NotFoundError):
        storage.hash("b.mp3", "md5", download=True)


def test_written_files_are_read_back(storage: Storage) -> None:
    content = bytes(range(256)) * 5000
    storage.write("dir/a.mp3", content)
    storage.write("dir/b.mp3", BytesIO(content[::-1]))

    assert read(storage, "dir/a.mp3") == content
    assert read(storage, "dir/b.mp3") == content[::-1]
    assert storage.size("dir/a.mp3") == len(content)


def test_writing_replaces(storage: Storage) -> None:
    storage.write("a.mp3", b"old, and longer")
    storage.write("a.mp3", b"new")
    assert contents(storage) == {"a.mp3": b"new"}


def test_writing_replaces_a_file_of_the_same_size(storage: Storage) -> None:
    storage.write("a.mp3", b"old")
    storage.write("a.mp3", b"new")
    assert contents(storage) == {"a.mp3": b"new"}


@pytest.mark.shows("ranged tags")
def test_ranges(storage: Storage) -> None:
    content = bytes(range(256)) * 40
    storage.write("a.mp3", content)
    storage.write("empty.mp3", b"")

    for offset, length in ((0, 10), (0, 20_000), (5000, 100), (10_230, 100), (10_239, 1), (100, 0)):
        assert storage.read_range("a.mp3", offset, length) == content[offset : offset + length], (offset, length)
    assert storage.read_range("a.mp3", 10_240, 10) == b""
    assert storage.read_range("a.mp3", 99_999, 10) == b""
    assert storage.read_range("empty.mp3", 0, 10) == b""
    assert read(storage, "empty.mp3") == b""


def test_hashes_are_those_of_the_content(storage: Storage) -> None:
    content = b"some sound" * 999
    storage.write("a.mp3", content)
    (entry,) = storage.list()

    for name in {"md5", "sha1", "sha256"} & set(storage.capabilities.hashes):
        assert entry.hashes[name] == storage.hash("a.mp3", name) == hashlib.new(name, content).hexdigest()
    for name in ("md5", "sha1"):
        assert storage.hash("a.mp3", name, download=True) == hashlib.new(name, content).hexdigest()


def test_a_hash_that_the_remote_never_has_is_unsupported(storage: Storage) -> None:
    storage.write("a.mp3", b"a")
    if storage.capabilities.remote_type in {"webdav", "sftp", "ftp", "s3", "dropbox"}:
        with pytest.raises(UnsupportedError):
            storage.hash("a.mp3", "sha256")


def test_times_are_kept_when_a_file_moves(storage: Storage) -> None:
    storage.write("a.mp3", b"a")
    before = storage.mtime("a.mp3")
    storage.move("a.mp3", "b/c.mp3")
    if storage.capabilities.mtime_precision_ns is not None:
        assert before is not None
        assert not storage.fs.startswith("s3moto:") or before % 1_000_000_000, "its own time, not that of the upload"
        after = storage.mtime("b/c.mp3")
        assert after is not None
        assert abs(after - before) < 1_000_000_000, "rclone's S3 server keeps whole seconds"


# Copy, move, delete.


def test_moving(storage: Storage) -> None:
    storage.write("a.mp3", b"a")
    storage.move("a.mp3", "x/y/b.mp3")
    assert contents(storage) == {"x/y/b.mp3": b"a"}


def test_copying(storage: Storage) -> None:
    storage.write("a.mp3", b"a")
    storage.copy("a.mp3", "x/y/b.mp3")
    assert contents(storage) == {"a.mp3": b"a", "x/y/b.mp3": b"a"}


@pytest.mark.parametrize("content", [b"else", b"mine"])
def test_nothing_is_moved_or_copied_over_another_file(storage: Storage, content: bytes) -> None:
    storage.write("a.mp3", b"mine")
    storage.write("b.mp3", content)
    for change in (storage.move, storage.copy):
        with pytest.raises(DestinationExistsError):
            change("a.mp3", "b.mp3")
    assert contents(storage) == {"a.mp3": b"mine", "b.mp3": content}


def test_a_missing_file_cannot_be_moved_or_copied(storage: Storage) -> None:
    for change in (storage.move, storage.copy):
        with pytest.raises(NotFoundError):
            change("a.mp3", "b.mp3")
    assert not storage.exists("b.mp3")


def test_deleting(storage: Storage) -> None:
    storage.write("a.mp3", b"a")
    storage.write("b.mp3", b"b")
    storage.delete("a.mp3")
    assert contents(storage) == {"b.mp3": b"b"}
    with pytest.raises(NotFoundError):
        storage.delete("a.mp3")


# Directories.


def test_directories_are_removed_only_when_they_are_empty(storage: Storage) -> None:
    storage.write("dir/sub/a.mp3", b"a")
    assert not storage.remove_directory("dir/sub")
    assert not storage.remove_directory("dir")
    assert not storage.remove_directory("never")
    assert contents(storage) == {"dir/sub/a.mp3": b"a"}

    storage.delete("dir/sub/a.mp3")
    if storage.capabilities.empty_directories:
        assert not storage.remove_directory("dir")
        assert storage.remove_directory("dir/sub")
        assert storage.remove_directory("dir")
        assert not storage.remove_directory("dir")


def test_a_directory_goes_with_what_was_seen_in_it_only_where_a_trash_keeps_it(storage: Storage) -> None:
    storage.write("dir/a.mp3", b"a")
    can = storage.capabilities
    goes = can.by_id and not can.rmdir_is_recursive
    assert storage.remove_directory("dir", holding=["a.mp3"]) == goes
    assert contents(storage) == ({} if goes else {"dir/a.mp3": b"a"})


def test_the_contents_of_a_directory(storage: Storage) -> None:
    for path in ("a.mp3", "dir/b.mp3", "dir/sub/c.mp3", "directory/d.mp3"):
        storage.write(path, b"content")
    assert sorted(storage.entries("") or ()) == ["a.mp3", "dir/", "directory/"]
    assert sorted(storage.entries("dir") or ()) == ["b.mp3", "sub/"]
    if storage.capabilities.empty_directories:
        storage.delete("dir/sub/c.mp3")
        assert storage.entries("dir/sub") == []
        assert storage.entries("never") is None
        assert storage.entries("dir/never") is None


@pytest.fixture
def movable(storage: Storage) -> Storage:
    """An album with a disc below it, and files around it."""
    if not storage.capabilities.directory_move:
        with pytest.raises(UnsupportedError):
            storage.move_directory("in", "out")
        pytest.skip("it moves no directories")
    for path in ("in/album/1.mp3", "in/album/2.mp3", "in/album/CD 2/1.mp3", "in/albums.txt", "there/other.mp3"):
        storage.write(path, path.encode())
    return storage


def test_a_directory_moves_with_everything_in_it(movable: Storage) -> None:
    before = {path.removeprefix("in/album/"): content for path, content in contents(movable, "in/album").items()}
    looks = [StatCall(f"in/album/{path}") for path in before]
    assert all(movable.batch(looks)), "they are known at their old place"
    movable.move_directory("in/album", "out/Band/Album")

    assert contents(movable, "out/Band/Album") == {f"out/Band/Album/{path}": content for path, content in before.items()}
    assert {*contents(movable)} == {"in/albums.txt", "there/other.mp3", *(f"out/Band/Album/{path}" for path in before)}
    assert movable.batch(looks) == [None] * 3
    assert all(movable.batch([StatCall(f"out/Band/Album/{path}") for path in before]))
    assert movable.entries("in/album") is None
    movable.write("in/album/new.mp3", b"new")
    movable.move("out/Band/Album/1.mp3", "in/album/1.mp3")
    assert {*contents(movable, "in/album")} == {"in/album/1.mp3", "in/album/new.mp3"}
    assert {*contents(movable, "out")} == {"out/Band/Album/2.mp3", "out/Band/Album/CD 2/1.mp3"}
    assert (sorted(movable.entries("in/album") or ()), movable.entries("out")) == (["1.mp3", "new.mp3"], ["Band/"])


@pytest.mark.parametrize("target", ["there", "there/other.mp3", "empty"])
def test_a_directory_does_not_move_where_anything_exists(movable: Storage, target: str) -> None:
    movable.make_directory("empty")
    before = contents(movable)
    with pytest.raises(DestinationExistsError):
        movable.move_directory("in/album", target)
    assert contents(movable) == before


@pytest.mark.parametrize("source", ["nowhere", "in/albums.txt"])
def test_a_file_is_not_moved_as_a_directory(movable: Storage, source: str) -> None:
    before = contents(movable)
    with pytest.raises(NotFoundError):
        movable.move_directory(source, "new")
    assert contents(movable) == before


def test_making_directories(storage: Storage) -> None:
    storage.make_directory("new/deep")
    storage.make_directory("new/deep")
    assert list(storage.list()) == []
    assert storage.remove_directory("new/deep") == storage.capabilities.empty_directories


def test_quota(storage: Storage) -> None:
    quota = storage.quota()
    if not storage.capabilities.quota:
        assert quota is None
    elif quota is not None:
        for number in (quota.total, quota.used, quota.free):
            assert number is None or number >= 0


# Batches.


def refuses_taken_names(storage: Storage) -> bool:
    """Whether a move is refused, where others keep the file at its destination in the trash."""
    return isinstance(storage, RcloneStorage) and storage.profile.names_by in {"rename", "move"}


def test_a_batch_answers_in_order_and_continues_after_failures(storage: Storage) -> None:
    for index in range(10):
        storage.write(f"{index}.mp3", b"%d" % index)
    calls = [
        StatCall("0.mp3"),
        StatCall("absent.mp3"),
        MoveCall("1.mp3", "moved/1.mp3", TRASH),
        MoveCall("absent.mp3", "moved/absent.mp3", TRASH),
        CopyCall("2.mp3", "copied/2.mp3", TRASH),
        CopyCall("absent.mp3", "copied/absent.mp3", TRASH),
        DeleteCall("3.mp3"),
        DeleteCall("absent.mp3"),
        *(MoveCall(f"{index}.mp3", f"moved/{index}.mp3", TRASH) for index in range(4, 10)),
    ]

    outcomes = carried_out(storage, calls, concurrency=4)

    stat, nothing, moved, not_moved, copied, not_copied, deleted, not_deleted, *rest = outcomes
    assert isinstance(stat, Entry)
    assert (stat.path, stat.size) == ("0.mp3", 1)
    assert (nothing, moved, copied, deleted) == (None,) * 4
    for refused in (not_moved, not_copied, not_deleted):
        assert isinstance(refused, NotFoundError), refused
    assert rest == [None] * 6
    assert contents(storage) == {
        "0.mp3": b"0", "moved/1.mp3": b"1", "2.mp3": b"2", "copied/2.mp3": b"2",
        **{f"moved/{index}.mp3": b"%d" % index for index in range(4, 10)},
    }  # fmt: skip


def test_files_of_one_name_are_identified_by_their_ids(storage: Storage, tmp_path: Path) -> None:
    storage.write("a.mp3", b"one")
    storage.write("b.mp3", b"two")
    if not storage.capabilities.by_id:
        with pytest.raises(UnsupportedError):
            storage.fetch("a.mp3", "some id", tmp_path / "fetched")
        return
    ids = {entry.path: entry.id or "" for entry in storage.list()}
    one, two = ids["a.mp3"], ids["b.mp3"]

    calls = [MoveCall("b.mp3", "dir/c.mp3", TRASH, None, two), MoveCall("a.mp3", "dir/c.mp3", TRASH, None, one)]
    assert carried_out(storage, calls) == [None, None]
    assert sorted((entry.path, entry.id) for entry in storage.list()) == sorted([("dir/c.mp3", one), ("dir/c.mp3", two)])
    looks = storage.batch([StatCall(path, each) for path in ("dir/c.mp3", "no/dir/c.mp3") for each in (one, two, "gone")])
    assert [look.id if isinstance(look, Entry) else look for look in looks] == [one, two, None, None, None, None]
    for each, content in ((one, b"one"), (two, b"two")):
        storage.fetch("dir/c.mp3", each, tmp_path / "fetched")
        assert (tmp_path / "fetched").read_bytes() == content
    (refused,) = storage.batch([MoveCall("dir/c.mp3", "d.mp3", TRASH, None, "gone")])
    assert isinstance(refused, NotFoundError)
    with pytest.raises(NotFoundError):
        storage.fetch("dir/c.mp3", "gone", tmp_path / "fetched")


def test_an_empty_batch(storage: Storage) -> None:
    assert list(storage.batch([])) == []


@pytest.mark.parametrize("how", [MoveCall, CopyCall])
@pytest.mark.parametrize("there", [b"theirs", b"mine"])
def test_a_file_at_the_destination_is_not_lost(storage: Storage, how: type[MoveCall | CopyCall], there: bytes) -> None:
    storage.write("a.mp3", b"mine")
    storage.write("dir/b.mp3", there)
    if not (storage.capabilities.move or storage.capabilities.copy):  # without a trash nothing is done
        (refused,) = storage.batch([how("a.mp3", "dir/b.mp3", TRASH)])
        assert isinstance(refused, UnsupportedError)
        assert contents(storage) == {"a.mp3": b"mine", "dir/b.mp3": there}
        return

    outcomes = [*storage.batch([how("a.mp3", "dir/b.mp3", TRASH), StatCall("a.mp3")], concurrency=1)]
    if how is MoveCall and refuses_taken_names(storage):
        assert isinstance(outcomes[0], DestinationExistsError)
        assert contents(storage) == {"a.mp3": b"mine", "dir/b.mp3": there}
        return

    assert outcomes[0] is None
    if how is MoveCall and storage.capabilities.by_id:
        (both,) = storage.namesakes(["dir/b.mp3"]).values()
        assert not isinstance(both, OrchestratorError)
        assert sorted(entry.hashes["md5"] for entry in both) == sorted(digest("md5", one) for one in (b"mine", there))
        return
    assert (outcomes[1] is None) == (how is MoveCall)
    assert read(storage, "dir/b.mp3") == b"mine"
    assert contents(storage, TRASH) == {f"{TRASH}/dir/b.mp3": there}


def test_a_file_moved_or_copied_to_itself_is_not_lost(storage: Storage) -> None:
    storage.write("a.mp3", b"mine")
    for call in (MoveCall("a.mp3", "a.mp3", TRASH), CopyCall("a.mp3", "a.mp3", TRASH)):
        (outcome,) = storage.batch([call])
        assert outcome is None or isinstance(outcome, OrchestratorError)
    assert contents(storage) == {"a.mp3": b"mine"}


@pytest.mark.shows("case-only rename")
def test_a_change_of_case_keeps_the_file(storage: Storage) -> None:
    storage.write("song.mp3", b"mine")
    (outcome,) = storage.batch([MoveCall("song.mp3", "Song.mp3", TRASH)])
    assert outcome is None
    assert contents(storage) == {"Song.mp3": b"mine"}


def test_copying_from_another_storage(storage: Storage, open_storage: Callable[[str], Storage]) -> None:
    in_memory = isinstance(storage, MemoryStorage | RetryingStorage)
    source = MemoryStorage("memory:source") if in_memory else open_storage("local")
    source.write("from/a.mp3", b"carried")
    source.write("from/b.mp3", b"as well")

    outcomes = storage.batch(
        [CopyCall("from/a.mp3", "to/a.mp3", TRASH, source), CopyCall("from/c.mp3", "to/c.mp3", TRASH, source)]
    )

    assert outcomes[0] is None
    assert isinstance(outcomes[1], NotFoundError)
    assert contents(storage) == {"to/a.mp3": b"carried"}
    assert source.exists("from/a.mp3")


def test_many_calls_at_once(storage: Storage) -> None:
    numbers = range(24)  # three times as many as are carried out at once
    for number in numbers:
        storage.write(f"in/{number}.mp3", b"%d" % number)
    calls = [MoveCall(f"in/{number}.mp3", f"out/{number % 7}/{number}.mp3", TRASH) for number in numbers]
    assert carried_out(storage, calls) == [None] * len(numbers)
    assert {entry.path for entry in storage.list()} == {f"out/{number % 7}/{number}.mp3" for number in numbers}


def test_a_rename_from_another_root_of_the_remote(open_storage: Callable[[str], Storage], storage_kind: str) -> None:
    source, target = open_storage(storage_kind), open_storage(storage_kind)
    source.write("inbox/a.mp3", b"abc")
    target.write("there.mp3", b"old")
    source.write("b.mp3", b"new")
    calls = [MoveCall("inbox/a.mp3", "music/a.mp3", TRASH, source), MoveCall("b.mp3", "there.mp3", TRASH, source)]
    moved, replacing = carried_out(target, calls)
    assert moved is None
    if refuses_taken_names(target):
        assert isinstance(replacing, DestinationExistsError)
        assert read(target, "there.mp3") == b"old"
        assert read(source, "b.mp3") == b"new"
        return
    assert replacing is None
    assert list(source.list()) == []
    if target.capabilities.by_id:
        (both,) = target.namesakes(["there.mp3"]).values()
        assert not isinstance(both, OrchestratorError)
        assert {entry.hashes["md5"] for entry in both} == {digest("md5", one) for one in (b"old", b"new")}
        return
    assert {entry.path for entry in target.list()} == {"music/a.mp3", "there.mp3"}
    assert b"".join(target.read("there.mp3")) == b"new"
    assert [b"".join(target.read(entry.path)) for entry in target.list(TRASH)] == [b"old"]
