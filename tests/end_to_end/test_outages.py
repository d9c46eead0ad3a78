"""Servers that go away in the middle of a run: how long they are waited for, what is said, and that nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from tests.faulty import Library, of_music
from tests.servers.http import Drop, HttpProxy, Refuse, Seen, Then, http_proxy
from tests.servers.remotes import RemoteServer
from tests.servers.tcp import TcpProxy, tcp_proxy

TRACKS = 6
LONGEST_S = 45.0
"""With the short waits of tests, and on a busy machine. A single request that waits for rclone's own timeout takes 120 s."""
MISSED = 12
"""So many requests find no server: more than the tries of one request, with the questions between them."""
FLIGHT_S = 18.0
"""What is in flight gets 10 s, and the end of the run 6 s."""

Fault = Callable[[TcpProxy, HttpProxy], None]
FAULTS: dict[str, Fault] = {
    "refuses": lambda line, _: line.refuse(),
    "is silent": lambda line, _: line.silent(),
    "fails": lambda _, proxy: proxy.when(lambda _: True, Refuse(503)),
}


@contextmanager
def behind(server: RemoteServer) -> Iterator[tuple[TcpProxy, HttpProxy]]:
    """A line to the server that can break, and a proxy that sees the requests."""
    with http_proxy(server.port) as proxy, tcp_proxy(proxy.port) as line:
        yield line, proxy


def heal(line: TcpProxy, proxy: HttpProxy, fault: str) -> None:
    proxy.end_faults()
    if fault == "refuses":
        line.accept()
    line.heal()


def filled(library: Library) -> set[str]:
    """The contents of a library that has to be organized."""
    return {library.track(f"in/{number}.mp3", number) for number in range(1, TRACKS + 1)}


CASES = [("s3_moto", "refuses"), ("webdav", "is silent"), ("gcs", "refuses")]
ALL = [(kind, fault) for kind in ("s3_moto", "gcs", "webdav") for fault in FAULTS]
ALL += [(kind, fault) for kind in ("drive", "dropbox") for fault in ("is silent", "fails")]  # their proxy never refuses
NIGHTLY = [pytest.param(*case, marks=pytest.mark.nightly) for case in ALL if case not in CASES]


@pytest.mark.parametrize(("kind", "fault"), [*CASES, *NIGHTLY])
def test_a_server_that_stays_away_is_given_up_once(
    kind: str, fault: str, library: Callable[..., Library], request: pytest.FixtureRequest
) -> None:
    """Whatever is under way: 5 in a short time, one error for the remote, and `resume` finishes the run."""
    with behind(request.getfixturevalue(kind)) as (line, proxy):
        mine = library(kind, line.port)
        contents = filled(mine)
        gone: list[float] = []

        def strike() -> None:
            gone.append(time.monotonic())
            FAULTS[fault](line, proxy)

        changes = count()
        proxy.when(lambda seen: bool(seen.change) and next(changes) == 4, Then(strike), times=1)
        ended = mine("organize", mine.place.location, codes=(5,), restless=True)
        assert time.monotonic() - gone[0] < LONGEST_S
        (about_all,) = (error for error in ended.errors if "left for `resume`" in error["message"])
        assert "no answer for" in about_all["message"]
        assert set(mine.tree().values()) == contents
        heal(line, proxy, fault)
        assert mine("resume").summary["ops_failed"] == 0
        assert set(mine.tree().values()) == contents
        assert all(not path.startswith("in/") for path in mine.tree())


@pytest.mark.parametrize("kind", ["webdav", *(pytest.param(one, marks=pytest.mark.nightly) for one in ("s3_moto", "drive"))])
@pytest.mark.parametrize("phase", ["reading", "moving"])
def test_a_short_outage_is_waited_for(kind: str, phase: str, proxied: Callable[[str], tuple[Library, HttpProxy]]) -> None:
    """The run goes on where it was when the server is back, and ends as if nothing had happened."""
    mine, proxy = proxied(kind)
    contents = filled(mine)
    away = threading.Event()
    left = count(1)

    def is_away(seen: Seen) -> bool:
        if of_music(seen) if phase == "moving" else seen.method == "GET":
            away.set()
        return away.is_set() and next(left) <= MISSED

    proxy.when(is_away, Drop())
    ended = mine("organize", mine.place.location, hasty=False, restless=True)
    assert next(left) > MISSED
    assert (ended.summary["ops_done"], ended.errors) == (TRACKS, [])
    assert set(mine.tree().values()) == contents


TOO_MANY = b'{"error_summary": "too_many_requests/..", "error": {"reason": {".tag": "too_many_requests"}, "retry_after": 8}}'
"""So long, Dropbox says and rclone heeds; an outage is 3 s in tests."""


@pytest.mark.parametrize("kind", ["dropbox", pytest.param("s3_moto", marks=pytest.mark.nightly)])
def test_a_remote_that_wants_no_requests_for_long_is_not_taken_for_dead(
    kind: str, proxied: Callable[[str], tuple[Library, HttpProxy]]
) -> None:
    mine, proxy = proxied(kind)
    contents = filled(mine)
    began: list[float] = []
    asked = count()

    def too_many(_: Seen) -> bool:
        if next(asked) >= 4 and not began:
            began.append(time.monotonic())
        return bool(began) and time.monotonic() - began[0] < 8

    proxy.when(too_many, Refuse(429, {"Retry-After": "8", "Content-Type": "application/json"}, TOO_MANY))
    ended = mine("organize", mine.place.location, restless=True)
    assert (ended.summary["ops_done"], ended.errors) == (TRACKS, [])
    assert set(mine.tree().values()) == contents


@pytest.mark.parametrize("kind", ["s3_moto", pytest.param("webdav", marks=pytest.mark.nightly)])
def test_files_that_could_not_be_read_in_an_outage_are_not_taken_for_unreadable(
    kind: str, library: Callable[..., Library], request: pytest.FixtureRequest
) -> None:
    with behind(request.getfixturevalue(kind)) as (line, proxy):
        mine = library(kind, line.port)
        filled(mine)
        reads = count()
        proxy.when(lambda seen: seen.method == "GET" and ".mp3" in seen.path and next(reads) == 3, Then(line.refuse), times=1)
        (error,) = mine("scan", mine.place.location, codes=(5,), restless=True).errors
        assert "cannot be reached" in error["message"]
        heal(line, proxy, "refuses")
        assert mine("scan", mine.place.location).summary["files_seen"] == TRACKS


@pytest.mark.parametrize("kind", ["webdav", pytest.param("s3_moto", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("fault", ["refuses", pytest.param("is silent", marks=pytest.mark.nightly)])
def test_a_signal_ends_the_wait_for_a_server(
    kind: str, fault: str, library: Callable[..., Library], request: pytest.FixtureRequest
) -> None:
    with behind(request.getfixturevalue(kind)) as (line, proxy):
        mine = library(kind, line.port)
        contents = filled(mine)
        struck = threading.Event()

        def strike() -> None:
            FAULTS[fault](line, proxy)
            struck.set()

        changes = count()
        proxy.when(lambda seen: of_music(seen) and next(changes) == 2, Then(strike), times=1)
        started = mine.start("organize", mine.place.location, hasty=False)
        assert struck.wait(60)
        began = time.monotonic()
        os.kill(started.pid, signal.SIGINT)
        assert started.end().code == 130
        assert time.monotonic() - began < FLIGHT_S
        heal(line, proxy, fault)
        mine("resume")
        assert set(mine.tree().values()) == contents
