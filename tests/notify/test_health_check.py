"""Calls of health checks, against a real server: addresses, a second try, redirects, certificates, servers that hang."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from orchestrator.errors import PermanentError, TransientError
from orchestrator.notify import delivery, health_check
from orchestrator.notify.delivery import Delivery
from orchestrator.notify.health_check import Moment, address, call
from tests.servers.calls import Answer, CallServer, call_server


@pytest.fixture
def server() -> Iterator[CallServer]:
    with call_server() as running:
        yield running


@pytest.mark.parametrize(
    ("url", "start", "success", "failure"),
    [
        ("https://hc/ping/u", "https://hc/ping/u/start", "https://hc/ping/u", "https://hc/ping/u/7"),
        ("https://hc/ping/u/?rid=1", "https://hc/ping/u/start?rid=1", "https://hc/ping/u/?rid=1", "https://hc/ping/u/7?rid=1"),
        ("http://x/?s={status}&c={code}", "http://x/?s=start&c=0", "http://x/?s=success&c=0", "http://x/?s=failure&c=7"),
        ("http://kuma/p?status={up}", None, "http://kuma/p?status=up", "http://kuma/p?status=down"),
    ],
)
def test_addresses(url: str, start: str | None, success: str, failure: str) -> None:
    moments: list[tuple[Moment, int]] = [("start", 0), ("success", 0), ("failure", 7)]
    assert [address(url, moment, code) for moment, code in moments] == [start, success, failure]


def soon() -> float:
    return time.monotonic() + 10


def test_a_server_in_trouble_is_called_twice(server: CallServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_check, "_AGAIN_AFTER_S", 0.01)
    server.answer = lambda _path, number: Answer(503 if number == 1 else 200)
    call(server.url("u"), soon())
    assert server.paths() == ["/u", "/u"]
    server.answer = lambda _path, _number: Answer(503)
    with pytest.raises(TransientError, match="the server answered 503"):
        call(server.url("u"), soon())
    assert server.paths() == ["/u", "/u"]
    server.answer = lambda _path, _number: Answer(404)
    with pytest.raises(PermanentError, match="the server answered 404"):
        call(server.url("u"), soon())
    assert server.paths() == ["/u"], "that will not change"


def test_redirects_lead_to_http_only(server: CallServer, tmp_path: Path) -> None:
    (tmp_path / "hush").touch()
    there = {"/a": server.url("b"), "/file": f"file://{tmp_path}/hush", "/ftp": "ftp://127.0.0.1:1/x"}
    server.answer = lambda path, _number: Answer(302, {"Location": there[path]}) if path in there else Answer()
    call(server.url("a"), soon())
    assert server.paths() == ["/a", "/b"]
    for wrong in ("file", "ftp"):
        with pytest.raises(PermanentError):
            call(server.url(wrong), soon())


def test_a_wrong_certificate_is_named_and_the_address_is_not() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    problem = Delivery("notify.healthcheck", lambda until: call(f"https://127.0.0.1:{server.server_port}/hush", until)).problem()
    thread.join(10)
    server.server_close()
    assert problem is not None
    assert problem.startswith("the certificate of the server is not valid: ")
    assert "hush" not in problem


def test_what_hangs_is_left_alone_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and never answers; and code that never ends."""
    monkeypatch.setattr(delivery, "LONGEST_S", 0.2)
    never = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/u"
        began = time.monotonic()
        sent = [Delivery("a", lambda until: call(url, until)), Delivery("b", lambda _until: void(never))]
        problems = [one.problem() for one in sent]
        assert time.monotonic() - began < 5
    never.set()
    assert problems[0] is not None
    assert "no answer" in problems[0]
    assert problems[1] == "no answer within 0 s"


def void(event: threading.Event) -> None:
    event.wait(60)


def test_a_bug_in_code_of_others_is_a_sentence() -> None:
    def send(_until: float) -> None:
        raise ZeroDivisionError("in\nplugin token=hush")

    assert Delivery("notify.urls.0", send).problem() == "ZeroDivisionError: in plugin token=***"
