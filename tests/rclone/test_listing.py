"""A listing is complete or an error, asks only for free facts, and hides our own directory."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import (
    AccessDeniedError,
    AuthError,
    NotFoundError,
    OrchestratorError,
    PartialListingError,
    PermanentError,
    TransientError,
    UsageError,
)
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.listing import MAX_DEPTH, ListRequest, list_files, nanoseconds
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.servers import remotes
from tests.servers.http import Drop, http_proxy
from tests.servers.remotes import RemoteServer

ROW = '{"Path":"a","Name":"a","Size":1,"ModTime":"","IsDir":false}'


def fake(directory: Path, output: str, *, said: str = "", code: int = 0) -> Binary:
    """An rclone that prints this text and exits with this code."""
    (directory / "out").write_text(output)
    (directory / "said").write_text(said)
    script = directory / "rclone"
    script.write_text(f'#!/bin/sh\ncat "{directory}/out"; cat "{directory}/said" >&2; exit {code}\n')
    script.chmod(0o700)
    return Binary(script, "")


def names(binary: Binary) -> list[str]:
    return [entry.path for entry in list_files(binary, dict(os.environ), ListRequest(fs="/srv"))]


def test_a_complete_listing_counts(tmp_path: Path) -> None:
    assert names(fake(tmp_path, f"[\n{ROW},\n{ROW}\n]\n")) == ["a", "a"]
    assert names(fake(tmp_path, "[\n]\n")) == []


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (f"[\n{ROW},\n", 0),
        (f"[\n{ROW}\n", 0),
        ("", 0),
        (f"[\n{ROW}\n]\n", 1),
        (f'[\n{ROW},\n{{"Path":"b', 0),
        (f"[\n{ROW},\n{ROW[:-9]}\n]\n", 0),
    ],
)
def test_a_short_listing_is_an_error(tmp_path: Path, output: str, code: int) -> None:
    with pytest.raises(TransientError):
        names(fake(tmp_path, output, code=code))


def said(level: str, message: str, path: str | None = None) -> str:
    """A line of rclone's log."""
    return json.dumps({"level": level, "msg": message, **({} if path is None else {"object": path})})


CLOSED = said("error", "error listing: couldn't list files: 403 Forbidden", "a: b")
LAST = said("notice", "Failed to lsjson with 2 errors: last error was: error in ListJSON: couldn't list files: 403 Forbidden")


@pytest.mark.parametrize(
    ("lines", "code", "kind"),
    [
        ([said("notice", "Failed to lsjson: error in ListJSON: directory not found")], 3, NotFoundError),
        ([], 3, TransientError),
        ([said("error", "error listing: directory not found", "a/b"), said("notice", "Failed to lsjson: x")], 3, TransientError),
        ([said("error", "open /srv: permission denied", "")], 1, AccessDeniedError),
        ([said("error", "error listing: StatusCode: 403, api error InvalidAccessKeyId: no")], 1, AuthError),
        (["panic: runtime error: index out of range"], 2, PermanentError),
        (
            [said("critical", 'Failed to create file system for "MOLIST:": didn\'t find section in config file ("n")')],
            1,
            UsageError,
        ),
    ],
)
def test_errors_are_typed(tmp_path: Path, lines: list[str], code: int, kind: type[OrchestratorError]) -> None:
    text = "\n".join([said("notice", "Config file not found"), *lines, ""])
    with pytest.raises(OrchestratorError) as caught:
        names(fake(tmp_path, "[\n", said=text, code=code))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("output", "lines", "kind"),
    [
        (f"[\n{ROW}\n]\n", [CLOSED], PartialListingError),
        (f"[\n{ROW}", [CLOSED, LAST], PartialListingError),
        (f"[\n{ROW}", [CLOSED], AccessDeniedError),
        (f"[\n{ROW}\n]\n", [CLOSED, said("error", "error listing: 500 Internal Server Error", "c"), LAST], TransientError),
        (f"[\n{ROW}\n]\n", [CLOSED, said("error", "error listing: 403 Forbidden", ""), LAST], AccessDeniedError),
    ],
)
def test_only_a_listing_of_all_but_closed_folders_is_partial(
    tmp_path: Path, output: str, lines: list[str], kind: type[OrchestratorError]
) -> None:
    """Not one that was killed, that failed elsewhere too, or whose root is closed."""
    lister = fake(tmp_path, output, said="\n".join([*lines, ""]), code=1)
    seen: list[Entry] = []
    with pytest.raises(OrchestratorError) as caught:
        seen.extend(list_files(lister, dict(os.environ), ListRequest(fs="/srv")))
    assert type(caught.value) is kind
    assert [entry.path for entry in seen] == ["a"]
    if isinstance(caught.value, PartialListingError):
        assert caught.value.closed == ("a: b",)


def test_an_abandoned_listing_leaves_no_process(tmp_path: Path) -> None:
    endless = fake(tmp_path, "")
    endless.path.write_text(f'#!/bin/sh\necho $$ > "{tmp_path}/pid"\necho "["; echo \'{ROW},\'\nexec sleep 1000\n')
    with contextlib.closing(list_files(endless, dict(os.environ), ListRequest(fs="/srv"))) as entries:
        assert next(entries).path == "a"
        pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("name", ["plain", "]odd [root]", "comma,colon: quote\" '", "-dash", "ünï côdé ", "$(touch PWNED)"])
def test_any_root_can_be_listed_and_read(rclone: Rclone, tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "x").write_bytes(b"content")
    storage = RcloneStorage(rclone, str(root))
    assert [(entry.path, entry.size) for entry in storage.list()] == [("sub/x", 7)]
    assert rclone.client.get_range(str(root), "sub/x", 3, 2) == b"te"


def test_only_our_own_directory_is_hidden(rclone: Rclone, s3_serve: RemoteServer, tmp_path: Path) -> None:
    for storage in (RcloneStorage(rclone, str(tmp_path)), RcloneStorage(rclone, s3_serve.fs("hidden"))):
        for path in (
            f"{OWN_DIRECTORY}/trash/t",
            f"{OWN_DIRECTORY}2",
            f"a/{OWN_DIRECTORY}.mp3",
            "x.partial",
            "y.0123abcd.partial",
        ):
            storage.write(path, b"1")
        assert sorted(entry.path for entry in storage.list()) == [
            f"{OWN_DIRECTORY}2",
            f"a/{OWN_DIRECTORY}.mp3",
            "x.partial",
            "y.0123abcd.partial",
        ]
        assert [entry.path for entry in storage.list(OWN_DIRECTORY)] == [f"{OWN_DIRECTORY}/trash/t"]


def test_a_listing_sends_nothing_for_what_is_in_our_own_directories(found_rclone: Binary, webdav: RemoteServer) -> None:
    """One request for each folder of the location, and one for each quarantine inside it, however much is in that."""
    with http_proxy(webdav.port) as proxy, Rclone(found_rclone) as rclone:
        rclone.define_remote("counted", "webdav", webdav.options_at(proxy.port))
        storage = RcloneStorage(rclone, webdav.fs("pruned", name="counted"))
        storage.write("a/b/x.mp3", b"1")
        for number in range(5):
            storage.write(f"{OWN_DIRECTORY}/quarantine/{number}/x.mp3", b"1")
            storage.write(f"a/{OWN_DIRECTORY}/quarantine/{number}/x.mp3", b"1")
        proxy.reset()
        assert sorted(entry.path for entry in storage.list()) == [f"a/{OWN_DIRECTORY}", "a/b/x.mp3"]
        listed = [seen.path for seen in proxy.requests if seen.headers.get("depth") == "1"]
        assert len(listed) == 4, listed


def test_a_listing_sends_nothing_for_folders_of_other_programs(found_rclone: Binary, webdav: RemoteServer) -> None:
    """However much is in them, and although each is named."""
    with http_proxy(webdav.port) as proxy, Rclone(found_rclone) as rclone:
        rclone.define_remote("counted", "webdav", webdav.options_at(proxy.port))
        storage = RcloneStorage(rclone, webdav.fs("foreign", name="counted"))
        storage.write("a/b/x.mp3", b"1")
        for number in range(3):
            for folder in (".zfs/snapshot", "a/#recycle", "a/b/@eaDir"):
                storage.write(f"{folder}/{number}/x.mp3", b"1")
        proxy.reset()
        assert sorted(entry.path for entry in storage.list()) == [".zfs/", "a/#recycle/", "a/b/@eaDir/", "a/b/x.mp3"]
        listed = [seen.path for seen in proxy.requests if seen.headers.get("depth") == "1"]
        assert len(listed) == 3, listed


@pytest.mark.parametrize("links", [["loop"], ["one", "two"], ["loop", "a/loop"]])
def test_a_link_that_a_server_follows_in_circles_ends_the_listing(
    rclone_binary: Path, rclone: Rclone, tmp_path: Path, links: list[str]
) -> None:
    """WebDAV shows a link as what it leads to, so a link to a folder above it has no end."""
    (tmp_path / "served" / "a").mkdir(parents=True)
    (tmp_path / "served" / "a" / "x.mp3").write_bytes(b"1")
    for link in links:
        (tmp_path / "served" / link).symlink_to(tmp_path / "served")
    with remotes.webdav(rclone_binary, tmp_path, "--copy-links") as server:
        rclone.define_remote("circles", "webdav", server.options_at(server.port))
        with pytest.raises(UsageError, match="follow a link"):
            list(RcloneStorage(rclone, "circles:").list())


def test_a_deep_folder_on_a_disk_is_listed(rclone: Rclone, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["x"] * (MAX_DEPTH + 6))
    deep.mkdir(parents=True)
    (deep / "y.mp3").write_bytes(b"1")
    assert len(list(RcloneStorage(rclone, str(tmp_path)).list())) == 1


def test_listing_a_bucket_costs_one_request_a_page(found_rclone: Binary, s3_serve: RemoteServer) -> None:
    with http_proxy(s3_serve.port) as proxy, Rclone(found_rclone) as rclone:
        rclone.define_remote("counted", "s3", s3_serve.options_at(proxy.port))
        storage = RcloneStorage(rclone, s3_serve.fs("counted", name="counted"))
        for number in range(6):
            storage.write(f"{number}/x", b"1")
        proxy.reset()
        entries = list(storage.list())
        assert len(entries) == 6
        assert proxy.counts == {"GET": 1}
        assert all(entry.mtime_ns is not None and entry.hashes.keys() == {"md5"} for entry in entries)
        proxy.reset()
        look, listed = storage.stat("0/x"), next(entry for entry in entries if entry.path == "0/x")
        # This server dates a look by the end of the upload, and a listing by the file that was uploaded, which was made before.
        assert look is not None
        assert (look.path, look.size, look.hashes) == (listed.path, listed.size, listed.hashes)
        assert proxy.counts == {"HEAD": 1}


def test_links_and_pipes_are_not_files(rclone: Rclone, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    assert [entry.path for entry in RcloneStorage(rclone, str(tmp_path)).list()] == ["file"]


def test_a_missing_directory_is_not_an_empty_one(rclone: Rclone, s3_serve: RemoteServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    for fs in (str(tmp_path / "missing"), f"{s3_serve.name}:no-such-bucket"):
        with pytest.raises(NotFoundError):
            list(RcloneStorage(rclone, fs).list())
    with pytest.raises(UsageError, match="not a folder"):
        list(RcloneStorage(rclone, str(tmp_path / "file")).list())
    assert list(RcloneStorage(rclone, s3_serve.fs("no-such-prefix")).list()) == []


def test_a_lost_server_is_an_error(found_rclone: Binary, webdav: RemoteServer) -> None:
    with http_proxy(webdav.port) as proxy, Rclone(found_rclone) as rclone:
        rclone.define_remote("lost", "webdav", webdav.options_at(proxy.port))
        storage = RcloneStorage(rclone, webdav.fs(name="lost"))
        assert storage.capabilities.move
        proxy.when(lambda _seen: True, Drop())
        with pytest.raises(TransientError):
            list(storage.list())


@pytest.mark.parametrize(
    ("text", "moment", "rest"),
    [
        ("2026-11-23T22:36:46.672175194Z", datetime(2026, 11, 23, 22, 36, 46, tzinfo=UTC), 672175194),
        ("2026-11-23T22:36:46Z", datetime(2026, 11, 23, 22, 36, 46, tzinfo=UTC), 0),
        ("2026-11-23T22:36:46.5+01:30", datetime(2026, 11, 23, 21, 6, 46, tzinfo=UTC), 500_000_000),
        ("2026-11-23T22:36:46-02:00", datetime(2026, 11, 24, 0, 36, 46, tzinfo=UTC), 0),
        ("1950-01-01T00:00:00.25Z", datetime(1950, 1, 1, tzinfo=UTC), 250_000_000),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, moment: datetime, rest: int) -> None:
    assert nanoseconds(text) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 10**9 + rest
