"""A connection that refuses, breaks, stalls, crawls or half-closes during an upload, and a server that asks for a pause."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator.apply.protocol.request_budget import REQUESTS_PER_OPERATION
from orchestrator.retry_times import RATE_LIMIT_WAIT_S
from tests.audio import make_many
from tests.faulty import Library, of_music
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import Place
from tests.servers.http import HttpProxy, Refuse, Seen, Then, http_proxy
from tests.servers.remotes import RemoteServer
from tests.servers.tcp import TcpProxy, tcp_proxy

FILES = 2
SIZE = 150_000

FAULTS: dict[str, Callable[[TcpProxy], None]] = {
    "refused": lambda line: line.refuse(),
    "reset": lambda line: line.cut_after(60_000, again=True),
    "stalled": lambda line: line.silent(),
    "crawling": lambda line: setattr(line, "manner", "crawling"),
    "half-closed": lambda line: setattr(line, "manner", "half-closed"),
}

CASES = [("no name", "s3_serve"), ("reset", "s3_serve"), *((fault, "webdav") for fault in ("refused", "stalled"))]
if NIGHTLY:
    CASES = [(fault, kind) for fault in (*FAULTS, "no name") for kind in ("s3_serve", "webdav")]


def uploads(proxy: HttpProxy) -> Counter[str]:
    """Path -> how often the server has received it."""
    return Counter(
        seen.path.partition("?")[0]
        for seen in proxy.requests
        if of_music(seen) and seen.method == "PUT" and seen.status in {200, 201} and "x-amz-copy-source" not in seen.headers
    )


def remote(server: RemoteServer, port: int, *, quick: bool = False, host: str = "127.0.0.1") -> str:
    """A section of rclone.conf; `quick`: with short timeouts for a test."""
    text = server.section("remote", port=port).replace("127.0.0.1", host)
    return text.rstrip() + ("\noverride.timeout = 1s\noverride.contimeout = 2s\n" if quick else "\n")


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_an_upload_waits_for_a_broken_connection_and_is_sent_once(
    fault: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path, forks: Forks
) -> None:
    """Fault case 18: 5, the operations wait; once the connection works, `resume` uploads each file once: 0."""
    server: RemoteServer = request.getfixturevalue(kind)
    assert server.directory is not None
    make_many(tmp_path / "music", FILES, size=SIZE)
    there = Place("", server.directory / tmp_path.name)
    config = tmp_path / "rclone.conf"
    state = tmp_path / "state"
    environment = {"RCLONE_CONFIG": str(config)}
    with http_proxy(server.port) as counting, tcp_proxy(counting.port) as line:
        config.write_text(remote(server, line.port, quick=True))
        config.chmod(0o600)
        if fault == "no name":
            counting.when(of_music, Refuse(503))
        else:
            counting.when(of_music, Then(lambda: FAULTS[fault](line)), times=1)
        broken = forks.run(
            *("organize", str(tmp_path / "music"), server.fs(tmp_path.name, name="remote"), "--move", "--transfers", "1"),
            state=state,
            environment=environment,
            codes=(5,),
        )
        assert {error["code"] for error in broken.errors} == {"unreachable"}
        assert (broken.summary["ops_done"], broken.summary["ops_failed"]) == (0, 0)
        assert [path for path in there.tree() if path.endswith(".mp3")] == [], "nothing has its name before it is whole"
        assert len([*(tmp_path / "music").rglob("*.mp3")]) == FILES

        if fault == "no name":
            config.write_text(remote(server, line.port, quick=True, host="no-such-host.invalid"))
        away = forks.run("resume", state=state, environment=environment, codes=(5,))
        assert {error["code"] for error in away.errors} == {"unreachable"}
        (tmp_path / "empty.conf").touch(mode=0o600)
        checked = forks.run("doctor", state=state, environment={"RCLONE_CONFIG": str(tmp_path / "empty.conf")}, codes=(3,))
        assert any("resume" in one["remedy"] for one in checked.failed_checks)

        if fault == "refused":
            line.accept()
        line.heal()
        counting.reset()
        config.write_text(remote(server, line.port))
        healed = forks.run("resume", state=state, environment=environment)
        assert healed.summary["ops_done"] == FILES
        assert sorted(uploads(counting).values()) == [1] * FILES
        assert len(there.tree()) == FILES
        assert [*(tmp_path / "music").rglob("*.mp3")] == []
        counting.reset()
        assert forks.run("resume", state=state, environment=environment).summary["ops_planned"] == 0
        assert counting.requests == []


XML = {"Content-Type": "application/xml"}
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@pytest.mark.parametrize(
    ("kind", "refused", "least_s"),
    [
        ("webdav", ("MOVE", 429, b""), RATE_LIMIT_WAIT_S),
        pytest.param("webdav", ("MOVE", 503, b""), 0.5, marks=pytest.mark.nightly),
        pytest.param("s3_serve", ("PUT", 503, SLOW_DOWN), RATE_LIMIT_WAIT_S, marks=pytest.mark.nightly),
        ("s3_serve", ("PUT", 503, b"<Error><Code>SlowDown</Code><Message>Retry-After: 6</Message></Error>"), 6.0),
    ],
)
def test_a_server_that_asks_for_a_pause_gets_one(
    proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, refused: tuple[str, int, bytes], least_s: float
) -> None:
    """Fault case 19: refused, then accepted. The second try comes no sooner than the server asked for, if rclone passes that on
    (from the text of an error, not from headers); otherwise after some seconds, or at once if it asked for no pause.
    """
    library, proxy = proxied(kind)
    method, status, body = refused
    content = library.track("in/1.mp3", 1)
    library("scan", library.place.location)
    proxy.reset()
    refusal = Refuse(status, {"Retry-After": "1", **XML}, body)
    refused_at_once = 2 if kind == "s3_serve" else 1  # rclone's S3 backend sends it twice
    proxy.when(lambda seen: of_music(seen) and seen.method == method, refusal, times=refused_at_once)
    ended = library("organize", library.place.location)
    assert ended.summary["ops_done"] == 1
    assert library.tree() == {"Band/Album (2001)/01 Song 1.mp3": content}
    tries = [seen for seen in proxy.requests if of_music(seen) and seen.method == method]
    assert [seen.status for seen in tries][:-1] == [status] * refused_at_once
    assert len(tries) == refused_at_once + 1
    assert tries[-1].at - tries[-2].at >= least_s


@pytest.mark.parametrize(
    ("kind", "methods", "refusal", "most"),
    [
        ("webdav", "MOVE", Refuse(503), REQUESTS_PER_OPERATION),
        pytest.param("webdav", "MOVE", Refuse(429), REQUESTS_PER_OPERATION, marks=pytest.mark.nightly),
        ("webdav", "PROPFIND", Refuse(503), REQUESTS_PER_OPERATION),
        pytest.param("s3_serve", "PUT", Refuse(503, XML, SLOW_DOWN), REQUESTS_PER_OPERATION, marks=pytest.mark.nightly),
        pytest.param(
            *("s3_serve", "PUT", Refuse(500, XML, b"<Error><Code>InternalError</Code></Error>"), REQUESTS_PER_OPERATION),
            marks=pytest.mark.nightly,
        ),
        ("s3_serve", "HEAD PUT DELETE", Refuse(503), REQUESTS_PER_OPERATION),
        ("s3_serve", "DELETE", Refuse(503), REQUESTS_PER_OPERATION + 2),  # seven had succeeded before
    ],
)
def test_a_file_that_is_always_refused_costs_a_dozen_requests_and_then_waits(
    proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, methods: str, refusal: Refuse, most: int
) -> None:
    """Fault case 19: 5, the rest is done, and about the one file a dozen requests are sent, looks and rclone's own included."""
    library, proxy = proxied(kind)
    content = library.track("in/1.mp3", 1)
    library.track("in/2.mp3", 2)
    library("scan", library.place.location)
    proxy.reset()

    def of_the_one(seen: Seen) -> bool:
        path = unquote(seen.path.partition("?")[0])
        return path.endswith(("in/1.mp3", "01 Song 1.mp3"))

    well = threading.Event()
    proxy.when(lambda seen: not well.is_set() and seen.method in methods.split() and of_the_one(seen), refusal)
    ended = library("organize", library.place.location, codes=(5,))
    assert ended.summary["ops_done"] == 1
    sent = [seen for seen in proxy.requests if of_the_one(seen)]
    assert len(sent) <= most
    assert content in library.tree().values()
    well.set()
    assert library("resume").summary["ops_done"] == 2
