"""Credentials that are refused during a run, clocks that differ, and a server that stores half of what it was sent."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator.apply.protocol.request_budget import REQUESTS_PER_OPERATION
from tests.audio import make_many
from tests.faulty import Library, of_music, sent
from tests.forked import Forks
from tests.places import Place, bucket
from tests.program import Program
from tests.servers import remotes
from tests.servers.http import Halve, HttpProxy, Redate, Refuse, Seen
from tests.servers.remotes import BUCKET, RemoteServer
from tests.servers.tcp import tcp_proxy

_S3_ERROR = b"<Error><Code>%s</Code><Message>refused</Message></Error>"
FILES = 12


def of_any_music(seen: Seen) -> bool:
    """Whether this is a request for a music file."""
    return seen.path.partition("?")[0].endswith(".mp3")


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        ("s3_serve", Refuse(403, {"Content-Type": "application/xml"}, _S3_ERROR % b"InvalidAccessKeyId")),
        ("webdav", Refuse(401)),
        ("s3_serve", Refuse(403, {"Content-Type": "application/xml"}, _S3_ERROR % b"RequestTimeTooSkewed")),
    ],
    ids=["key revoked", "password changed", "clocks apart"],
)
def test_a_remote_that_refuses_us_during_a_run_gets_no_more_requests(
    proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, refusal: Refuse
) -> None:
    """Fault cases 20 and 21: 6 at the first refusal, no try after it, the rest waits for `resume`, which finishes it: 0."""
    library, proxy = proxied(kind)
    contents = Counter(library.track(f"in/{number}.mp3", number) for number in range(FILES))
    method = {"s3_serve": "PUT", "webdav": "MOVE"}[kind]
    proxy.when(lambda _: sent(proxy)[method] > 4, refusal)
    ended = library("organize", library.place.location, "--transfers", "1", codes=(6,))
    assert [error["code"] for error in ended.errors if error["path"] is None] == ["auth"], "one word about the remote"
    refused = Counter((seen.method, seen.path) for seen in proxy.requests if seen.status == refusal.status and of_any_music(seen))
    assert set(refused.values()) == {1}, "requests in flight in one window; none of them twice"
    assert refused.total() <= FILES
    assert contents <= Counter(library.tree().values())

    again = library("resume", codes=(6,))
    assert {error["code"] for error in again.errors} == {"auth"}
    proxy.reset()
    assert library("resume").summary["ops_done"] == FILES
    assert Counter(library.tree().values()) == contents


def test_an_sftp_password_that_was_changed_during_a_run(tmp_path: Path, rclone_binary: Path, forks: Forks) -> None:
    """Fault case 20: the connection breaks and the next login is refused: 6 after a few logins; then `resume` finishes."""
    make_many(tmp_path / "music", 5, size=200_000)
    contents = Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "music").rglob("*.mp3"))
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "served").mkdir(parents=True)
    (tmp_path / "new" / "served").symlink_to(tmp_path / "old" / "served")
    config, log, state = tmp_path / "rclone.conf", tmp_path / "log", tmp_path / "state"
    config.touch(mode=0o600)
    settings = {"state": state, "environment": {"RCLONE_CONFIG": str(config)}}
    with (
        remotes.sftp(rclone_binary, tmp_path / "old", password="the-old-password") as old,
        remotes.sftp(rclone_binary, tmp_path / "new", password="the-new-password") as new,
        tcp_proxy(old.port) as line,
    ):
        config.write_text(old.section("remote", port=line.port))
        line.cut_after(500_000, then_port=new.port)
        words = ("organize", str(tmp_path / "music"), "remote:lib", "--move", "-vv", "--log-file", str(log))
        ended = forks.run(*words, codes=(6,), **settings)
        assert "auth" in {error["code"] for error in ended.errors}
        logins = line.connections
        assert forks.run("resume", "--log-file", str(log), codes=(6,), **settings).errors
        assert line.connections == logins + 1, "one login, refused"
        left = Place("", tmp_path / "old" / "served" / "lib")
        assert contents <= Counter(left.tree().values()) + Counter(Place("", tmp_path / "music").tree().values())
        text = log.read_text() + ended.stderr + str(ended.events)
        assert not any(secret in text for secret in ("the-old-password", "the-new-password", old.options["pass"]))

        config.write_text(new.section("remote", port=line.port))
        assert forks.run("resume", **settings).summary["ops_done"] == 5
        assert Counter(left.tree().values()) == contents


@pytest.mark.parametrize("kind", [pytest.param("local", marks=pytest.mark.nightly), "s3_serve", "webdav"])
def test_old_and_future_times_move_nothing(kind: str, library: Callable[..., Library]) -> None:
    """Fault case 21: files of 1970 and of 2099 are organized once; the content decides, and nothing is read or sent again."""
    made = library(kind)
    for number, year in enumerate((0, 4_070_908_800, 1_000_000_000)):
        made.track(f"in/{number}.mp3", number)
        os.utime(made.root / f"in/{number}.mp3", (year, year))
    first = made("organize", made.place.location)
    assert first.summary["ops_done"] == 3
    tree = made.tree()
    again = made("organize", made.place.location)
    assert (again.summary["ops_planned"], again.summary["files_read"]) == (0, 0)
    for path in made.root.rglob("*.mp3"):
        os.utime(path, (4_070_995_200, 4_070_995_200))  # all of them a day later
    touched = made("organize", made.place.location)
    assert touched.summary["ops_planned"] == 0
    assert made.tree() == tree


@pytest.mark.parametrize("days", [1, pytest.param(-1, marks=pytest.mark.nightly)])
def test_clocks_that_differ_by_two_days_move_nothing(tmp_path: Path, days: int) -> None:
    """Fault case 21: our clock a day off, the server's a day off the other way: all is sent, recognized and undone as usual.

    rclone's own clock, with which it signs, is right: moto checks no signature, and the next test has a server that refuses one.
    """
    seconds = days * 86_400
    (tmp_path / "music").mkdir()
    make_many(tmp_path / "music", 3)
    with remotes.s3_moto(tmp_path / "server", clock_s=-seconds) as server:
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("remote"))
        config.chmod(0o600)
        program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(config)}, clock_s=seconds)
        location = server.fs("lib", name="remote")
        assert program("organize", str(tmp_path / "music"), location, "--move", "--yes").summary["ops_done"] == 3
        (first, *_) = bucket(server).list_objects_v2(Bucket=BUCKET)["Contents"]
        assert abs((first["LastModified"] - datetime.now(UTC)).total_seconds() + seconds) < 3600, "its clock is off indeed"
        program("scan", location)
        for _ in range(2):
            again = program("organize", location, "--yes")
            assert (again.summary["ops_planned"], again.summary["files_read"]) == (0, 0)
        tree = Place(location, None, server, "lib").tree()
        moved = program("organize", location, "--layout", "{{ title }}", "--yes")
        assert moved.summary["ops_done"] == 3
        assert program("undo", moved.run, "--yes").summary["ops_done"] == 3
        assert Place(location, None, server, "lib").tree() == tree


@pytest.mark.parametrize("days", [1, pytest.param(-1, marks=pytest.mark.nightly)])
def test_an_s3_server_that_finds_our_clock_a_day_off_gets_no_more_requests(
    proxied: Callable[[str], tuple[Library, HttpProxy]], days: int
) -> None:
    """Fault case 21: its messages differ for a slow and a fast clock: 6, and no second try."""
    library, proxy = proxied("s3_serve")
    content = library.track("in/1.mp3", 1)
    proxy.when(lambda _: True, Redate(days))
    ended = library("organize", library.place.location, codes=(6,))
    assert {error["code"] for error in ended.errors} == {"auth"}
    assert len(proxy.requests) <= REQUESTS_PER_OPERATION
    assert library.tree() == {"in/1.mp3": content}


@pytest.mark.parametrize("kind", ["webdav", "s3_serve"])
def test_a_server_that_stores_half_is_noticed(
    kind: str, proxied: Callable[[str], tuple[Library, HttpProxy]], s3_serve: RemoteServer, tmp_path: Path
) -> None:
    """Fault case 24: half an upload, answered with 200, is noticed: the source is kept, no partial file keeps a final name: 9.
    Once the server works again, a new run uploads it.
    """
    library, proxy = proxied(kind)
    make_many(tmp_path / "source", 1, size=200_000)
    (source,) = (tmp_path / "source").rglob("*.mp3")
    content = source.read_bytes()

    def is_upload(seen: Seen) -> bool:
        upload = seen.method == "PUT" and of_music(seen)
        if upload and kind == "s3_serve":  # its signature covers the length: half of it is stored directly in the bucket
            key = unquote(seen.path.partition("?")[0]).removeprefix(f"/{BUCKET}/")
            bucket(s3_serve).put_object(Bucket=BUCKET, Key=key, Body=content[: len(content) // 2])
        return upload

    well = {"ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'}
    proxy.when(is_upload, Halve() if kind == "webdav" else Refuse(200, well))
    ended = library("organize", str(tmp_path / "source"), library.place.location, "--move", codes=(9,))
    assert [error["code"] for error in ended.errors] == ["integrity"]
    assert source.read_bytes() == content
    assert library.tree() == {}
    proxy.reset()
    assert library("organize", str(tmp_path / "source"), library.place.location, "--move").summary["ops_done"] == 1
    assert [*library.tree().values()] == [hashlib.sha256(content).hexdigest()]
    assert not source.exists()
