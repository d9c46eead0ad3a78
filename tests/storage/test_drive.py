"""What is special about Google Drive: calls are the cost, two files can have one name, deleted files go to a trash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.errors import AuthError, NotFoundError, OrchestratorError, QuotaError, RateLimitError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import MoveCall, StatCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.hostile import HOSTILE_NAMES
from tests.servers import remotes
from tests.servers.drive_server import refusal
from tests.servers.http import HttpProxy, http_proxy
from tests.servers.remotes import DriveRemote

TRASH = f"{OWN_DIRECTORY}/trash/run1-1"


@pytest.fixture
def storage(open_storage: Callable[[str], Storage]) -> Storage:
    return open_storage("drive")


@pytest.fixture
def place(storage: Storage) -> str:
    """The storage's root as a path on the server."""
    return storage.fs.partition(":")[2]


def test_folders_with_odd_names_move(rclone: Rclone, rclone_config: Path, drive: DriveRemote) -> None:
    """rclone gets them, and their location, inside the settings of a remote."""
    for root in (*HOSTILE_NAMES, "a, b", 'x="y"'):
        storage = RcloneStorage(rclone, drive.fs(f"moves of folders/{root}"))
        drive.tree.put(f"moves of folders/{root}/in/{root}/a.mp3", root.encode())
        storage.move_directory(f"in/{root}", f"on its way/{root}")
        storage.move_directory(f"on its way/{root}", f"out/{root}", seen=True)
        assert [entry.path for entry in storage.files_below([f"out/{root}"])[f"out/{root}"] or ()] == [f"out/{root}/a.mp3"], root


def test_a_file_is_seen_where_a_folder_was_to_go(storage: Storage, place: str, drive: DriveRemote) -> None:
    """Drive would put the folder beside the file, and rclone asks for folders only."""
    drive.tree.put(f"{place}/Band/Album", b"a file")
    found = storage.files_below(["Band/Album", "Nobody/Album"])
    assert [entry.path for entry in found["Band/Album"] or ()] == ["Band/Album"]
    assert found["Nobody/Album"] is None


# Costs.


def test_a_listing_requests_many_folders_at_a_time(storage: Storage, place: str, drive: DriveRemote) -> None:
    files = {f"artist {i % 40}/album {i % 200 // 40}/song {i:04}.mp3" for i in range(2000)}
    for path in files:
        drive.tree.put(f"{place}/{path}", path.encode())
    drive.drive.reset()

    entries = list(storage.list())

    assert {entry.path for entry in entries} == files
    assert all(set(entry.hashes) == {"md5", "sha1", "sha256"} and entry.mtime_ns and entry.id for entry in entries)
    assert set(drive.drive.calls) == {"files.list"}, "no call for a single file"
    # At best one call lists 50 of the 240 folders: 20 calls. How many are waiting at that moment depends on the load.
    assert drive.drive.calls.total() <= 60


def test_more_files_than_fit_on_a_page_are_listed(storage: Storage, place: str, drive: DriveRemote) -> None:
    for index in range(2500):
        drive.tree.put(f"{place}/{index}.mp3", b"")
    drive.drive.reset()
    assert len({entry.path for entry in storage.list()}) == 2500
    assert drive.drive.calls.total() <= 5


def test_looks_at_files_of_a_known_folder_cost_one_call_each_or_one_for_all(
    storage: Storage, place: str, drive: DriveRemote
) -> None:
    for index in range(10):
        drive.tree.put(f"{place}/album/{index}.mp3", b"%d" % index)
    storage.stat("album/0.mp3")
    drive.drive.reset()
    few = storage.batch([StatCall(f"album/{index}.mp3") for index in range(3)])
    assert drive.drive.calls == {"files.list": 3}
    drive.drive.reset()
    many = storage.batch([StatCall(f"album/{name}.mp3") for name in [*range(10), "absent"]])
    assert drive.drive.calls == {"files.list": 1}
    assert many[:3] == few
    assert [entry.path for entry in many if isinstance(entry, Entry)] == [f"album/{index}.mp3" for index in range(10)]
    assert many[10] is None


def test_one_look_or_many_find_the_same_of_several_files_with_one_name(storage: Storage, place: str, drive: DriveRemote) -> None:
    for name in ("a", "a", "b", "c", "d"):
        drive.tree.put(f"{place}/dir/{name}.mp3", name.encode())
    paths = [f"dir/{name}.mp3" for name in "abcde"]
    assert storage.batch([StatCall(path) for path in paths]) == [storage.stat(path) for path in paths]


def test_a_move_is_one_change_and_a_few_looks(storage: Storage, place: str, drive: DriveRemote) -> None:
    for index in range(20):
        drive.tree.put(f"{place}/in/{index}.mp3", b"%d" % index)
    before = {item.id: item.content for _, item in drive.tree.walk(f"{place}/in")}
    storage.stat("in/0.mp3")
    drive.drive.reset()

    assert storage.batch([MoveCall(f"in/{i}.mp3", f"out/album/{i}.mp3", TRASH) for i in range(20)]) == [None] * 20

    assert drive.drive.calls["files.update"] == 20
    assert drive.drive.calls["files.create"] == 2, "the folder and the one above it, once"
    assert drive.drive.calls["files.list"] <= 4 * 20
    after = [(path, item) for path, item in drive.tree.walk(f"{place}/out")]
    assert {item.id: item.content for path, item in after if not item.is_folder} == before, "the same objects, not copies"
    assert [path for path, item in after if item.is_folder] == ["album"], "no second folder of that name"


def test_a_folder_moves_in_one_change(storage: Storage, place: str, drive: DriveRemote) -> None:
    for index in range(20):
        drive.tree.put(f"{place}/in/{index}.mp3", b"%d" % index)
    ids = {item.id for _, item in drive.tree.walk(f"{place}/in")}
    storage.stat("in/0.mp3")
    drive.drive.reset()
    storage.move_directory("in", "out/album")
    assert (drive.drive.calls["files.update"], drive.drive.calls["files.create"]) == (1, 1)
    assert drive.drive.calls["files.list"] <= 6
    assert {item.id for _, item in drive.tree.walk(f"{place}/out/album")} == ids


def test_a_range_is_one_piece_of_the_file(storage: Storage, place: str, drive: DriveRemote) -> None:
    drive.tree.put(f"{place}/album/a.mp3", bytes(range(256)) * 40)
    storage.stat("album/a.mp3")
    drive.drive.reset()
    assert storage.read_range("album/a.mp3", 5000, 100) == (bytes(range(256)) * 40)[5000:5100]
    assert drive.drive.calls["files.media"] == 1
    assert drive.drive.calls.total() <= 3


# Names.


def test_files_of_one_name_are_all_listed_with_their_ids(storage: Storage, place: str, drive: DriveRemote) -> None:
    put = [drive.tree.put(f"{place}/dir/a.mp3", content) for content in (b"one", b"two", b"two")]
    entries = list(storage.list())
    assert [entry.path for entry in entries] == ["dir/a.mp3"] * 3
    assert {entry.id: entry.hashes["md5"] for entry in entries} == {
        item.id: item.content.hashes["md5Checksum"] for item in put if item.content
    }


def test_one_of_two_files_of_one_name_is_moved_and_the_other_is_not(storage: Storage, place: str, drive: DriveRemote) -> None:
    put = {drive.tree.put(f"{place}/dir/a.mp3", content).id for content in (b"one", b"two")}
    assert storage.batch([MoveCall("dir/a.mp3", "dir/b.mp3", TRASH)]) == [None]
    assert {item.id for _, item in drive.tree.walk(f"{place}/dir")} == put
    assert [len(files) for files in drive.tree.tree(f"{place}/dir").values()] == [1, 1]


def test_each_of_several_files_of_one_name_is_identified_by_its_id(
    storage: Storage, place: str, drive: DriveRemote, tmp_path: Path
) -> None:
    """Looked at, downloaded and moved, together with files that are identified by their names."""
    one, two, three = (drive.tree.put(f"{place}/dir/a.mp3", content) for content in (b"one", b"three", b"three"))
    drive.tree.put(f"{place}/other.mp3", b"other")
    looks = [StatCall("dir/a.mp3", item.id) for item in (one, two, three)]
    seen = storage.batch([*looks, StatCall("dir/a.mp3", "1gone"), StatCall("no/dir/a.mp3", one.id), StatCall("other.mp3")])
    assert [(entry.id, entry.size) for entry in seen if isinstance(entry, Entry)][:3] == [(one.id, 3), (two.id, 5), (three.id, 5)]
    assert seen[3:5] == [None, None]
    assert isinstance(seen[5], Entry)
    storage.fetch("dir/a.mp3", two.id, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"three"
    with pytest.raises(NotFoundError):
        storage.fetch("dir/a.mp3", "1gone", tmp_path / "nothing")

    moves = [MoveCall("dir/a.mp3", f"new/{index}/a.mp3", TRASH, None, item.id) for index, item in enumerate((one, two))]
    gone = MoveCall("dir/a.mp3", "new/2/a.mp3", TRASH, None, "1gone")
    outcomes = storage.batch([*moves, gone, MoveCall("other.mp3", "new/0/other.mp3", TRASH)])
    assert [*outcomes[:2], outcomes[3]] == [None] * 3
    assert isinstance(outcomes[2], NotFoundError)
    files = {path: item.id for path, item in drive.tree.walk(place) if item.content}
    assert files.pop("new/0/other.mp3")
    assert files == {"new/0/a.mp3": one.id, "new/1/a.mp3": two.id, "dir/a.mp3": three.id}, "the same objects"
    folders = [path for path, item in drive.tree.walk(place) if item.is_folder]
    assert len(folders) == len({*folders}), "no folder twice"


def test_a_file_moved_by_its_id_replaces_none(storage: Storage, place: str, drive: DriveRemote) -> None:
    one, two = drive.tree.put(f"{place}/dir/a.mp3", b"one"), drive.tree.put(f"{place}/b.mp3", b"two")
    assert storage.batch([MoveCall("b.mp3", "dir/a.mp3", TRASH, None, two.id)]) == [None]
    assert {item.id: path for path, item in drive.tree.walk(place) if item.content} == {one.id: "dir/a.mp3", two.id: "dir/a.mp3"}


def test_folders_of_one_name_are_one_to_the_listing(storage: Storage, place: str, drive: DriveRemote) -> None:
    for content in (b"one", b"two"):
        folder = drive.tree.create(
            {"name": "dir", "mimeType": "application/vnd.google-apps.folder", "parents": [_id(drive, place)]}
        )
        drive.tree.create({"name": "a.mp3" if content == b"one" else "b.mp3", "parents": [folder.id]})
    assert {entry.path for entry in storage.list()} == {"dir/a.mp3", "dir/b.mp3"}


def test_a_slash_in_a_name_is_part_of_the_name(storage: Storage, place: str, drive: DriveRemote) -> None:
    drive.tree.create({"name": "AC/DC - it's.mp3", "parents": [_id(drive, place)]})
    (entry,) = storage.list()
    assert "/" not in entry.path
    assert storage.stat(entry.path) == entry
    assert storage.batch([MoveCall(entry.path, f"dir/{entry.path}", TRASH)]) == [None]
    assert [item.name for _, item in drive.tree.walk(f"{place}/dir")] == ["AC/DC - it's.mp3"]


def test_a_google_document_has_no_size_and_does_no_harm(storage: Storage, place: str, drive: DriveRemote) -> None:
    drive.tree.create({"name": "notes", "mimeType": "application/vnd.google-apps.document", "parents": [_id(drive, place)]})
    drive.tree.put(f"{place}/a.mp3", b"a")
    assert {entry.path: (entry.size, [*entry.hashes]) for entry in storage.list()} == {
        "notes.docx": (None, []),
        "a.mp3": (1, ["md5", "sha1", "sha256"]),
    }


@pytest.fixture
def following(place: str, storage: Storage, found_rclone: Binary, rclone_config: Path) -> Iterator[Storage]:
    """The same storage with `follow_links`."""
    with Rclone(found_rclone, config=rclone_config, follow_links=["drive"]) as rclone:
        yield RcloneStorage(rclone, storage.fs)


def test_a_shortcut_that_is_followed_is_listed_as_what_it_points_to_and_moved_as_itself(
    following: Storage, place: str, drive: DriveRemote
) -> None:
    storage = following
    target = drive.tree.put(f"{place}/dir/a.mp3", b"abc")
    shortcut = drive.tree.shortcut(f"{place}/to a.mp3", f"{place}/dir/a.mp3")
    original, other = sorted(storage.list(), key=lambda entry: entry.path)
    assert (original.path, other.path) == ("dir/a.mp3", "to a.mp3")
    assert (original.hashes, original.size) == (other.hashes, other.size)
    assert original.id == target.id
    assert other.id is not None
    assert original.id != other.id
    assert {original.id, shortcut.id} == {*other.id.split()}, "both ids: the content is there once only"
    assert storage.read_range("to a.mp3", 1, 2) == b"bc"
    assert storage.batch([MoveCall("to a.mp3", "new/b.mp3", TRASH)]) == [None]
    assert {path: item.id for path, item in drive.tree.walk(place) if not item.is_folder} == {
        "dir/a.mp3": target.id,
        "new/b.mp3": shortcut.id,
    }


def _id(drive: DriveRemote, path: str) -> str:
    return drive.tree.folder(path).id


# Changes.


def test_a_large_file_is_uploaded_in_pieces(storage: Storage, place: str, drive: DriveRemote) -> None:
    content = bytes(range(256)) * (9 * 4096)
    drive.drive.reset()
    storage.write("large.flac", content)
    assert (drive.drive.calls["upload.resumable"], drive.drive.calls["upload.chunk"]) == (1, 2)
    assert drive.tree.tree(place) == {"large.flac": [hashlib.sha256(content).hexdigest()]}


def test_deleted_files_are_in_the_trash_of_the_drive(storage: Storage, place: str, drive: DriveRemote) -> None:
    storage.write("a.mp3", b"a")
    storage.delete("a.mp3")
    assert list(storage.list()) == []
    assert drive.tree.tree(place) == {}
    assert drive.tree.tree(place, trashed=True) == {"a.mp3": [hashlib.sha256(b"a").hexdigest()]}


# Refusals.


@pytest.fixture
def refusing(rclone_config: Path, rclone: Rclone, own: DriveRemote) -> Iterator[tuple[RcloneStorage, HttpProxy]]:
    """The Drive `own` behind a proxy that makes calls fail."""
    with http_proxy(own.port) as proxy:
        name = f"refusing{own.port}"
        with rclone_config.open("a") as file:
            file.write(own.section(name, port=proxy.port))
        storage = RcloneStorage(rclone, own.fs("music", name=name))
        assert storage.exists("a.mp3")
        yield storage, proxy


@pytest.fixture
def own() -> Iterator[DriveRemote]:
    """A separate Drive with one file."""
    with remotes.drive() as server:
        server.tree.put("music/a.mp3", b"abc")
        yield server


def test_a_change_is_sent_once_and_a_rate_limit_is_reported(refusing: tuple[RcloneStorage, HttpProxy]) -> None:
    """Before a retry both ends must be checked: by the executor, not by rclone."""
    storage, proxy = refusing
    proxy.when(lambda seen: seen.method == "PATCH", refusal("rateLimitExceeded"), times=1)
    (outcome,) = storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    assert isinstance(outcome, RateLimitError)
    assert proxy.counts["PATCH"] == 1
    assert storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)]) == [None]


@pytest.mark.parametrize(
    ("reason", "status", "expected"),
    [
        ("userRateLimitExceeded", 403, RateLimitError),
        ("storageQuotaExceeded", 403, QuotaError),
        ("authError", 401, AuthError),
    ],
)
def test_refusals_of_google_are_classified(
    refusing: tuple[RcloneStorage, HttpProxy], reason: str, status: int, expected: type[OrchestratorError]
) -> None:
    storage, proxy = refusing
    proxy.when(lambda seen: seen.method == "PATCH", refusal(reason, status))
    (outcome,) = storage.batch([MoveCall("a.mp3", "b.mp3", TRASH)])
    assert isinstance(outcome, expected)
    assert storage.exists("a.mp3")


def test_a_full_drive_accepts_no_more(refusing: tuple[RcloneStorage, HttpProxy], own: DriveRemote) -> None:
    storage, _ = refusing
    own.tree.limit = 5
    with pytest.raises(QuotaError):
        storage.write("b.mp3", b"too much")
    assert {entry.path for entry in storage.list()} == {"a.mp3"}
    quota = storage.quota()
    assert quota is not None
    assert (quota.total, quota.used) == (5, 3)
