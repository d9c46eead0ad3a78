"""Reading parts of files over the VFS, as a scan does where a lookup costs a request: its cost, and that it is always right."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import closing, nullcontext
from functools import cached_property
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import msgspec
import pytest

from orchestrator.actions.paces import Paces
from orchestrator.errors import (
    AuthError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    QuotaError,
    RateLimitError,
    TransientError,
)
from orchestrator.profiles import Profile
from orchestrator.rclone import ranges
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.http_connection import Endpoint
from orchestrator.rclone.rc_client import RcClient
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.protocol import Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.rate_limit import RateLimitedStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.places import Place
from tests.servers.http import Drop, HttpProxy, Refuse, Seen, http_proxy
from tests.servers.remotes import RemoteServer

PIECE = 64 * 1024
SONG = bytes(range(256)) * 4096
TAIL = (len(SONG) - 1000, 1000)

NAMES = [
    "-rf.mp3",
    "AC]DC [Live]/01 [x].mp3",
    "100% %2F %41 ?#&+;=@.mp3",
    "\"quotes\" 'and' `more` $(x).mp3",
    "Ünïcödé/日本語 ~ ñ.mp3",
    "back\\slash.mp3",
    " lead and trail .mp3",
    "index.html.mp3",
    "..hidden.mp3",
    "line\nfeed\ttab\x7f.mp3",
    "bare",
    "n" * 200 + ".mp3",
]


class ServedStorage(RcloneStorage):
    """Any location, read with `read: vfs`."""

    @cached_property
    def profile(self) -> Profile:
        return msgspec.structs.replace(super().profile, read="vfs")


@pytest.fixture
def seen(rclone: Rclone, webdav: RemoteServer, tmp_path: Path) -> Iterator[tuple[RcloneStorage, Path, HttpProxy]]:
    """A location on WebDAV, its directory on disk, and the proxy in front of the server."""
    assert webdav.directory is not None
    root = webdav.directory / tmp_path.parent.name / tmp_path.name
    for album in ("A", "B"):
        (root / "Artist" / album).mkdir(parents=True)
        for number in range(5):
            (root / "Artist" / album / f"{number}.mp3").write_bytes(SONG)
    with http_proxy(webdav.port) as proxy:
        rclone.define_remote(f"served{tmp_path.name}", webdav.type, webdav.options_at(proxy.port))
        storage = RcloneStorage(rclone, f"served{tmp_path.name}:{root.relative_to(webdav.directory)}")
        assert storage.capabilities.empty_directories
        proxy.reset()
        yield storage, root, proxy


def test_any_name_is_carried_exactly(rclone: Rclone, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(SONG[:5000] + name.encode())
    listed = {entry.path: entry.size for entry in RcloneStorage(rclone, str(tmp_path)).list()}
    assert len(listed) == len(NAMES)
    found = set()
    with rclone.vfs_reads(str(tmp_path), chunk_bytes=PIECE) as served:
        for path, size in listed.items():
            assert size is not None
            head, tail = served.get_ranges(path, [(0, 10), (5000, size)])
            assert head == SONG[:10]
            found.add(tail.decode())
    assert found == set(NAMES)


def test_a_part_is_shorter_only_where_the_file_ends(rclone: Rclone, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"0123456789")
    (tmp_path / "empty.mp3").write_bytes(b"")
    with rclone.vfs_reads(str(tmp_path), chunk_bytes=PIECE) as served:
        for wanted in ((0, 4), (8, 100), (10, 5), (1000, 5), (3, 0), (0, 10), (0, 11)):
            assert served.get_ranges("a.mp3", [wanted]) == [b"0123456789"[wanted[0] : sum(wanted)]], wanted
        assert served.get_ranges("a.mp3", [(0, 3), (6, 100)]) == [b"012", b"6789"]
        assert served.get_ranges("a.mp3", [(0, 3), (60, 100)]) == [b"012", b""]
        assert served.get_ranges("a.mp3", [(0, 8), (1, 9)]) == [b"01234567", b"123456789"]
        assert served.get_ranges("a.mp3", [(0, 0), (4, 1)]) == [b"", b"4"]
        assert served.get_ranges("empty.mp3", [(0, 5)]) == [b""]
        for missing in ("none.mp3", "none/a.mp3", "a.mp3/b.mp3"):
            with pytest.raises(NotFoundError):
                served.get_ranges(missing, [(0, 1)])


@pytest.mark.parametrize("during_a_scan", [False, True])
def test_several_parts_at_once_on_every_storage(storage: Storage, during_a_scan: bool) -> None:
    storage.write("dir/a b%.mp3", SONG)
    wanted = [(0, 100), (70_000, 5), TAIL, (len(SONG) - 1, 50), (len(SONG) + 5, 50)]
    expected = [SONG[offset : offset + length] for offset, length in wanted]
    with storage.reading(PIECE, files=10) if during_a_scan else nullcontext():
        assert storage.read_ranges("dir/a b%.mp3", wanted) == expected
        assert [storage.read_range("dir/a b%.mp3", *one) for one in wanted] == expected
        with pytest.raises(NotFoundError):
            storage.read_ranges("dir/none.mp3", wanted[:2])


def test_a_directory_costs_one_request_and_each_head_one(seen: tuple[RcloneStorage, Path, HttpProxy]) -> None:
    storage, _, proxy = seen
    with storage.reading(PIECE, files=10):
        for album in ("A", "B"):
            for number in range(5):
                assert storage.read_range(f"Artist/{album}/{number}.mp3", 0, PIECE) == SONG[:PIECE]
        assert proxy.counts == {"PROPFIND": 5, "GET": 10}, "of the location, when it is opened, and of four folders"
        proxy.reset()
        assert storage.read_ranges("Artist/A/0.mp3", [(0, 100), TAIL]) == [SONG[:100], SONG[-1000:]]
        assert proxy.counts == {"GET": 2}
        proxy.reset()
        assert storage.read_range("Artist/A/1.mp3", *TAIL) == SONG[-1000:]
        assert proxy.counts == {"GET": 2}, "rclone opens every file at its beginning first"
    proxy.reset()
    assert storage.read_ranges("Artist/A/0.mp3", [(0, 100), TAIL]) == [SONG[:100], SONG[-1000:]]
    assert proxy.counts == {"PROPFIND": 2, "GET": 2}, "by --rc-serve, before and after"


def test_no_listing_outlives_the_reading(rclone: Rclone, tmp_path: Path) -> None:
    storage = ServedStorage(rclone, str(tmp_path))
    for size in (100, 300_000, 10):
        (tmp_path / "a.mp3").write_bytes(b"%d" % size * size)
        (tmp_path / f"new{size}.mp3").write_bytes(b"new")
        with storage.reading(PIECE, files=10):
            assert storage.read_range("a.mp3", 0, 1000) == (b"%d" % size * size)[:1000]
            assert storage.read_range(f"new{size}.mp3", 0, 10) == b"new"


def test_a_file_missing_from_the_directory_is_looked_up(rclone: Rclone, tmp_path: Path) -> None:
    storage = ServedStorage(rclone, str(tmp_path))
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / name).write_bytes(SONG)
    with storage.reading(PIECE, files=10):
        assert storage.read_range("a.mp3", 0, 5) == SONG[:5]
        (tmp_path / "late.mp3").write_bytes(b"late")
        assert storage.read_range("late.mp3", 0, 5) == b"late"
        (tmp_path / "b.mp3").unlink()
        with pytest.raises(NotFoundError):
            storage.read_range("b.mp3", 0, 5)


def is_content(request: Seen) -> bool:
    return request.method == "GET"


def is_look(request: Seen) -> bool:
    return request.method == "PROPFIND"


@pytest.mark.parametrize(
    ("way", "status", "kind"),
    [
        ("served", 503, TransientError),
        ("served", 429, RateLimitError),
        ("served", 401, AuthError),
        ("looked up", 403, PermanentError),
        ("looked up", 404, NotFoundError),
        ("looked up", 507, QuotaError),
    ],
)
def test_a_refusal_is_an_error_and_not_the_end_of_the_file(
    seen: tuple[RcloneStorage, Path, HttpProxy], way: str, status: int, kind: type[OrchestratorError]
) -> None:
    storage, _, proxy = seen
    with storage.reading(PIECE, files=10):
        if way == "looked up":
            storage._served = None  # as outside a scan
        proxy.when(is_content, Refuse(status))
        with pytest.raises(kind) as caught:
            storage.read_ranges("Artist/A/0.mp3", [(0, 100), TAIL])
        assert str(status) in caught.value.message
        proxy.reset()
        assert storage.read_ranges("Artist/A/0.mp3", [(0, 100), TAIL]) == [SONG[:100], SONG[-1000:]]


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_server_is_asked_for_its_reason_once_because_rclone_retries_for_minutes(
    rclone: Rclone, s3_serve: RemoteServer, tmp_path: Path, status: int
) -> None:
    assert s3_serve.directory is not None
    (s3_serve.directory / f"{tmp_path.name}.mp3").write_bytes(SONG)
    with http_proxy(s3_serve.port) as proxy:
        rclone.define_remote(f"failing{tmp_path.name}", s3_serve.type, s3_serve.options_at(proxy.port))
        storage = RcloneStorage(rclone, f"failing{tmp_path.name}:{s3_serve.base}")
        proxy.when(lambda request: is_content(request) and request.path.split("?")[0].endswith(".mp3"), Refuse(status))
        with pytest.raises(TransientError) as caught:
            storage.read_range(f"{tmp_path.name}.mp3", 0, 100)
        assert str(status) in caught.value.message
        assert sum(request.status == status for request in proxy.requests) <= 4


@pytest.mark.parametrize("only_heads", [False, True])
def test_a_listing_of_all_that_is_refused_is_not_tried_again(
    seen: tuple[RcloneStorage, Path, HttpProxy], only_heads: bool
) -> None:
    """It may take more requests than the remote allows at a time; readers that have waited for it are given up."""
    storage, _, proxy = seen
    with storage.rclone.vfs_reads(storage.fs, chunk_bytes=PIECE, list_first=True, only_heads=only_heads) as served:
        proxy.when(lambda request: is_look(request) and "/Artist" in request.path, Refuse(429))
        with pytest.raises(RateLimitError):
            served.get_ranges("Artist/A/0.mp3", [(0, 10)])
        proxy.reset()
        storage.rclone.forget_pauses()
        assert served.get_ranges("Artist/A/0.mp3", [(0, 10)]) == [SONG[:10]]
        listed = [request.path.rstrip("/").rpartition("/")[2] for request in proxy.requests if is_look(request)]
        assert "A" in listed
        assert "B" not in listed


@pytest.mark.parametrize(("status", "kind"), [(503, TransientError), (429, RateLimitError), (401, AuthError)])
def test_an_unlistable_directory_does_not_hide_the_reason(
    seen: tuple[RcloneStorage, Path, HttpProxy], status: int, kind: type[OrchestratorError]
) -> None:
    storage, _, proxy = seen
    with storage.reading(PIECE, files=10):
        proxy.when(is_look, Refuse(status))
        with pytest.raises(kind):
            storage.read_range("Artist/B/0.mp3", 0, 100)
        proxy.reset()
        assert storage.read_range("Artist/B/0.mp3", 0, 100) == SONG[:100]


def test_a_broken_connection_may_be_retried(seen: tuple[RcloneStorage, Path, HttpProxy]) -> None:
    storage, _, proxy = seen
    with storage.reading(PIECE, files=10):
        proxy.when(is_content, Drop())
        with pytest.raises(TransientError):
            storage.read_range("Artist/A/0.mp3", 0, 100)
        proxy.reset()
        proxy.when(is_content, Drop(), times=1)
        assert RetryingStorage(storage, sleep=lambda _: None).read_range("Artist/A/0.mp3", 0, 100) == SONG[:100]


def test_it_is_private_and_ends_with_rclone(found_rclone: Binary, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(SONG)
    with Rclone(found_rclone) as rclone, rclone.vfs_reads(str(tmp_path), chunk_bytes=PIECE) as served:
        assert served.get_ranges("a.mp3", [(0, 5)]) == [SONG[:5]]
        (one,) = rclone.client.call("serve/list")["list"]
        socket = Path(one["addr"])
        assert socket.is_socket()
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        stranger = RcClient(lambda: Endpoint(str(socket), "somebody", "guess"))
        with pytest.raises(OrchestratorError):
            stranger.get_parts(ranges.address_in_served("a.mp3"), "a.mp3", [(0, 5)])
        stranger.close()
    assert not socket.exists()


def test_another_rclone_takes_over_when_one_dies(found_rclone: Binary, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(SONG)
    with Rclone(found_rclone) as rclone:
        storage = ServedStorage(rclone, str(tmp_path))
        with storage.reading(PIECE, files=10):
            assert storage.read_range("a.mp3", 0, 5) == SONG[:5]
            os.kill(rclone.client.call("core/pid")["pid"], signal.SIGKILL)
            answers = []
            for _ in range(3):
                try:
                    answers.append(storage.read_range("a.mp3", 0, 5))
                except TransientError:  # the running one may be lost
                    continue
            assert answers[-1] == SONG[:5]
            assert len(rclone.client.call("serve/list")["list"]) == 1


def test_reading_ends_soon_although_rclone_hangs(found_rclone: Binary, tmp_path: Path) -> None:
    """A command that is interrupted ends its reading, and the count of refusals, before it ends rclone."""
    (tmp_path / "a.mp3").write_bytes(SONG)

    def look(storage: Storage) -> None:
        with pytest.raises(TransientError):
            storage.exists("a.mp3")

    with Rclone(found_rclone) as rclone:
        with closing(Paces(rclone, Event())) as paces:
            storage = ServedStorage(rclone, str(tmp_path))
            paced = paces.paced(storage, "remote")
            assert isinstance(paced, RateLimitedStorage)
            with paced.reading(PIECE, files=10):
                assert paced.read_range("a.mp3", 0, 5) == SONG[:5]
                os.kill(rclone.client.call("core/pid")["pid"], signal.SIGSTOP)
                stopped_s = monotonic()
                waiting = Thread(target=look, args=[paced], daemon=True)
                waiting.start()
        assert waiting.is_alive()
        assert monotonic() - stopped_s < 5
    waiting.join(10)
    assert not waiting.is_alive()


def test_content_that_looks_like_a_multipart_header() -> None:
    tricky = b"\r\n\r\n--x\r\nContent-Range: bytes 0-3/9\r\n\r\nabcd\r\n--x--\r\n"
    body = b"".join(
        b"--x\r\nContent-Range: bytes %d-%d/9999\r\nContent-Type: audio/mpeg\r\n\r\n%b\r\n"
        % (start, start + len(tricky) - 1, tricky)
        for start in (100, 5000)
    )
    wanted = [(100, len(tricky)), (5000, len(tricky))]
    assert ranges.parts_of_answer(206, "", body + b"--x--\r\n", wanted) == [tricky, tricky]


@pytest.mark.parametrize(
    ("status", "span", "expected"),
    [
        (206, "bytes 10-19/20", [b"x" * 10]),
        (416, "bytes */5", [b""]),
        (404, "bytes 10-4/5", [b""]),
        (404, "bytes 10-19/2000", None),
        (404, "", None),
        (500, "", None),
    ],
)
def test_only_ranges_beyond_the_end_are_empty(status: int, span: str, expected: list[bytes] | None) -> None:
    assert ranges.parts_of_answer(status, span, b"x" * 10, [(10, 10)]) == expected


def test_a_key_that_a_file_system_would_take_for_another_is_read_as_it_is(
    s3_moto: RemoteServer, rclone: Rclone, tmp_path: Path
) -> None:
    bucket = Place(s3_moto.fs(tmp_path.name), None, s3_moto, prefix=tmp_path.name)
    bucket.put("a/c.flac", b"one")
    bucket.put("a//c.flac", b"two")
    storage = RcloneStorage(rclone, bucket.location)
    with storage.reading(PIECE, files=1000, listed=2):
        assert storage.read_range("a/c.flac", 0, 3) == b"one"
        with contextlib.suppress(NotFoundError):  # whether it can be reached is the server's affair
            assert storage.read_range("a//c.flac", 0, 3) == b"two"
