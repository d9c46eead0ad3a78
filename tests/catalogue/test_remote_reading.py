"""The requests of a scan to a remote: how many calls it sends to Google Drive, where each counts, and how it handles refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.update import ScanResult, scan
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS
from orchestrator.track import Track
from tests.audio import track_bytes
from tests.catalogue.helpers import NOW_NS, song, titles
from tests.costs import kinds_of
from tests.nightly import some_at_night
from tests.servers import remotes
from tests.servers.drive_server import refusal
from tests.servers.http import HttpProxy, Refuse, Seen, http_proxy
from tests.servers.remotes import DriveRemote, RemoteServer

LONG = 600_000
"""Minimum bytes: more than the policy reads at first, so that only the beginning is read."""
TITLE = "Song 000-00"


@cache
def long_song(kind: str) -> bytes:
    track = Track(title=(TITLE,), artist=("A",), album_artist=("A",), album=("B",), genre=("G",), track=1, disc=1, date="2001")
    return track_bytes(kind, track, cover_bytes=3000, seconds=45).ljust(LONG, b"\0")


def album(directory: Path, number: int, *, files: int = 12) -> dict[str, str]:
    """Songs with their tags at the beginning, MP3 and FLAC alternating. Path -> title."""
    made = {}
    for index in range(files):
        kind = ("mp3", "flac")[number % 2]
        title = f"Song {number:03}-{index:02}"
        path = f"Artist {number // 3}/Album {number}/{index:02}.{kind}"
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(long_song(kind).replace(TITLE.encode(), title.encode()))
        made[path] = title
    return made


def scanned(storage: RcloneStorage, catalogue: Catalogue) -> ScanResult:
    return scan(RetryingStorage(storage, sleep=lambda _s: None), catalogue, Selection(now_ns=NOW_NS), policy=FEW_REQUESTS)


def test_tags_at_the_front_cost_little_more_than_a_call_a_file(
    drive: DriveRemote, rclone: Rclone, catalogue: Catalogue, tmp_path: Path
) -> None:
    expected: dict[str, str] = {}
    for number in range(30):
        expected |= album(tmp_path / "music", number)
    drive.tree.preload(tmp_path / "music", "few-calls")
    storage = RcloneStorage(rclone, drive.fs("few-calls"))
    assert storage.capabilities.duplicate_names  # the remote is opened
    drive.drive.reset()

    assert sum(1 for _ in storage.list()) == len(expected)
    listing = drive.drive.calls.total()
    drive.drive.reset()
    result = scanned(storage, catalogue)
    calls = drive.drive.calls

    assert titles(catalogue, storage.fs) == expected
    assert result.requests == len(expected)
    assert calls["files.media"] == len(expected)
    # Measured: listing 18 to 20, folders 41 to 45 (readers enter some at the same time), the VFS 1, files 360: 1.18 per file.
    assert calls.total() - listing <= 1.14 * len(expected), calls
    assert calls.total() <= 1.2 * len(expected), calls

    drive.drive.reset()
    assert not scanned(storage, catalogue).changed
    assert set(drive.drive.calls) == {"files.list"}, "a second scan lists, and that is all"
    assert drive.drive.calls.total() <= 2 * listing


def test_one_song_in_each_folder_costs_less_than_looking_up_each_one(
    drive: DriveRemote, rclone: Rclone, catalogue: Catalogue, tmp_path: Path
) -> None:
    expected: dict[str, str] = {}
    for number in range(40):
        expected |= album(tmp_path / "music", number, files=1)
    drive.tree.preload(tmp_path / "music", "deep")
    storage = RcloneStorage(rclone, drive.fs("deep"))
    assert storage.capabilities.duplicate_names
    drive.drive.reset()
    assert sum(1 for _ in storage.list()) == len(expected)
    listing = drive.drive.calls.total()
    drive.drive.reset()
    scanned(storage, catalogue)
    assert titles(catalogue, storage.fs) == expected
    assert drive.drive.calls.total() - listing <= 3 * len(expected), "3 a file by --rc-serve, and the folders besides"


@pytest.fixture
def tired(rclone: Rclone, tmp_path: Path) -> Iterator[tuple[RcloneStorage, HttpProxy, dict[str, str]]]:
    """A Drive with one album, behind a proxy that can replace its answers."""
    with remotes.drive() as server, http_proxy(server.port) as proxy:
        expected = album(tmp_path / "music", 0, files=3)
        server.tree.preload(tmp_path / "music", "music")
        name = f"tired{tmp_path.name}"
        rclone.define_remote(name, server.type, server.options_at(proxy.port))
        yield RcloneStorage(rclone, f"{name}:music"), proxy, expected


def is_content(request: Seen) -> bool:
    return "alt=media" in request.path


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded"])
def test_a_rate_limit_is_waited_for_and_never_mistaken_for_missing_tags(
    tired: tuple[RcloneStorage, HttpProxy, dict[str, str]], catalogue: Catalogue, reason: str
) -> None:
    storage, proxy, expected = tired
    proxy.when(is_content, refusal(reason), times=3)
    result = scanned(storage, catalogue)
    assert titles(catalogue, storage.fs) == expected
    assert result.complete


@pytest.mark.parametrize("status", [503, 429, 403])
def test_files_refused_to_the_end_are_read_by_the_next_scan(
    webdav: RemoteServer, rclone: Rclone, catalogue: Catalogue, tmp_path: Path, status: int
) -> None:
    assert webdav.directory is not None
    expected = album(webdav.directory / tmp_path.name, 0, files=2)
    with http_proxy(webdav.port) as proxy:
        rclone.define_remote(f"refused{tmp_path.name}", webdav.type, webdav.options_at(proxy.port))
        storage = RcloneStorage(rclone, f"refused{tmp_path.name}:{tmp_path.name}")
        refused = min(expected)
        proxy.when(lambda seen: seen.method == "GET" and unquote(seen.path).endswith(refused), Refuse(status))
        result = scan(storage, catalogue, Selection(now_ns=NOW_NS), policy=FEW_REQUESTS)
        assert [path for path, _ in result.failures] == [refused]
        assert all(str(status) in reason for _, reason in result.failures)
        assert not catalogue.unreadable_or_suspect(storage.fs), "no file is called unreadable for it"
        proxy.reset()
        assert scanned(storage, catalogue).complete
        assert titles(catalogue, storage.fs) == expected


def test_each_of_several_songs_with_one_name_has_its_own_tags(
    drive: DriveRemote, rclone: Rclone, catalogue: Catalogue, tmp_path: Path
) -> None:
    """Downloaded whole where their contents differ, because Drive's calls give parts of a file only by its name."""
    expected = album(tmp_path / "music", 0, files=3)
    drive.tree.preload(tmp_path / "music", "twins")
    twin = "Artist 0/Album 0/01.mp3"
    content = track_bytes("mp3", Track(title=("Twin",)), seconds=0.2)
    other = drive.tree.put(f"twins/{twin}", content)
    for _ in range(2):
        drive.tree.put("twins/equal.mp3", track_bytes("mp3", Track(title=("Equal",)), seconds=0.2))
    storage = RcloneStorage(rclone, drive.fs("twins"))
    drive.drive.reset()
    result = scanned(storage, catalogue)
    assert (result.complete, result.sharing_names, result.indistinguishable) == (True, {twin: 2, "equal.mp3": 2}, {})
    media = [path for kind, path in drive.drive.requests if kind == "files.media"]
    assert sum(other.id in path for path in media) == 1
    found = Counter(
        (one.entry.path, one.reading.track.title[0])
        for one in catalogue.entries(storage.fs)
        if one.reading is not None and one.reading.track is not None
    )
    assert found == Counter([*expected.items(), (twin, "Twin"), ("equal.mp3", "Equal"), ("equal.mp3", "Equal")])
    assert scanned(storage, catalogue).files_read == 0


@pytest.mark.parametrize("kind", ["s3_moto", *some_at_night(("s3_serve", "gcs", "azure"), night={"s3_serve", "gcs", "azure"})])
def test_a_head_in_a_bucket_costs_one_request(
    request: pytest.FixtureRequest, rclone: Rclone, catalogue: Catalogue, tmp_path: Path, kind: str
) -> None:
    server: RemoteServer = request.getfixturevalue(kind)
    with http_proxy(server.port) as proxy:
        rclone.define_remote(f"heads{tmp_path.name}", server.type, server.options_at(proxy.port))
        storage = RcloneStorage(rclone, f"heads{tmp_path.name}:{server.base}/{tmp_path.name}")
        expected = {f"Artist/Album {number // 12}/{number:02}.mp3": f"Title {number}" for number in range(36)}
        for path, title in expected.items():
            storage.write(path, song(title))
        assert storage.capabilities.hashes
        proxy.reset()
        assert sum(1 for _ in storage.list()) == len(expected)
        listing = kinds_of(kind, proxy.requests)
        proxy.reset()
        result = scan(storage, catalogue, Selection(now_ns=NOW_NS), policy=FEW_BYTES)
        sent = kinds_of(kind, proxy.requests)
        assert titles(catalogue, storage.fs) == expected
        assert sent["read"] == len(expected)
        assert sent["look"] <= listing["look"] + 1, "no look before a head"
        assert sent["list"] <= 2 * listing["list"], "everything is listed once more"
        assert result.bytes_read <= FEW_BYTES.head * len(expected)

        for number in range(2):
            storage.write(f"Artist/New/{number}.mp3", song(f"New {number}"))
        proxy.reset()
        scan(storage, catalogue, Selection(now_ns=NOW_NS), policy=FEW_BYTES)
        assert kinds_of(kind, proxy.requests)["list"] <= listing["list"], "two new files are not worth another listing"
