"""The proxies of the fault tests count correctly, break what they should break, and add latency."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.servers.http import Drop, Hold, HttpProxy, Lose, Refuse, Then, http_proxy
from tests.servers.tcp import tcp_proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    done: ClassVar[list[tuple[str, str, bytes]]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.done.append((self.command, self.path, body))
        content = b"answer to " + self.path.encode() + body
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content))
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_MOVE = _answer  # noqa: N815 - because http.server looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - because the overridden method names it so
        pass


@pytest.fixture
def done() -> list[tuple[str, str, bytes]]:
    return []


@pytest.fixture
def server(done: list[tuple[str, str, bytes]]) -> Iterator[int]:
    handler = type("Handler", (_Handler,), {"done": done})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running.server_address[1]
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def proxy(server: int) -> Iterator[HttpProxy]:
    with http_proxy(server) as running:
        yield running


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_requests_pass_and_are_counted(proxy: HttpProxy) -> None:
    assert ask(proxy.port, "GET", "/a") == (200, b"answer to /a")
    assert ask(proxy.port, "GET", "/chunked") == (200, b"answer to /chunked")
    assert ask(proxy.port, "HEAD", "/a") == (200, b"")
    assert ask(proxy.port, "PUT", "/b", b"x" * 200_000) == (200, b"answer to /b" + b"x" * 200_000)
    assert ask(proxy.port, "MOVE", "/b") == (200, b"answer to /b")
    assert proxy.counts == {"GET": 2, "HEAD": 1, "PUT": 1, "MOVE": 1}
    assert proxy.changing == 2
    assert [seen.status for seen in proxy.requests] == [200] * 5


def test_connections_are_kept(proxy: HttpProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    for index in range(20):
        connection.request("GET", f"/{index}")
        assert connection.getresponse().read() == f"answer to /{index}".encode()
    connection.close()


def test_a_refused_request_does_not_reach_the_server(proxy: HttpProxy, done: list[tuple[str, str, bytes]]) -> None:
    proxy.at(2, Refuse(429, {"Retry-After": "7"}, b"slow down"))
    assert ask(proxy.port, "PUT", "/1", b"1")[0] == 200
    assert ask(proxy.port, "GET", "/1")[0] == 200
    assert ask(proxy.port, "PUT", "/2", b"2") == (429, b"slow down")
    assert ask(proxy.port, "PUT", "/2", b"2")[0] == 200
    assert [path for method, path, _ in done if method == "PUT"] == ["/1", "/2"]


def test_a_dropped_request_is_not_done_and_a_lost_reply_is(proxy: HttpProxy, done: list[tuple[str, str, bytes]]) -> None:
    proxy.at(1, Drop())
    proxy.at(2, Lose())
    for path in ("/dropped", "/lost"):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            ask(proxy.port, "DELETE", path)
    assert [path for _, path, _ in done] == ["/lost"]


@pytest.mark.parametrize("reply", [False, True])
def test_a_request_or_its_reply_is_held(proxy: HttpProxy, done: list[tuple[str, str, bytes]], reply: bool) -> None:
    hold = Hold(reply=reply)
    proxy.when(lambda seen: seen.path == "/held", hold)
    answers: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: answers.append(ask(proxy.port, "DELETE", "/held")))
    thread.start()
    assert hold.held.wait(10)
    assert [path for _, path, _ in done] == (["/held"] if reply else [])
    assert ask(proxy.port, "GET", "/other")[0] == 200
    hold.release.set()
    thread.join()
    assert answers == [(200, b"answer to /held")]


def test_a_function_may_be_called_at_a_request(proxy: HttpProxy, done: list[tuple[str, str, bytes]]) -> None:
    happened: list[int] = []
    proxy.at(1, Then(lambda: happened.append(len(done))))
    proxy.at(2, Then(lambda: happened.append(len(done)), reply=True))
    for _ in range(2):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            ask(proxy.port, "PUT", "/a", b"")
    assert happened == [0, 1]


def test_latency_delays_every_exchange(server: int) -> None:
    with tcp_proxy(server, rtt_s=0.1) as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        started = time.monotonic()
        for index in range(3):
            connection.request("GET", f"/{index}")
            assert connection.getresponse().read() == f"answer to /{index}".encode()
        took_s = time.monotonic() - started
        connection.close()
    assert took_s >= 0.39  # one round trip to connect, three for the requests


def test_parallel_connections_wait_only_once(server: int) -> None:
    with tcp_proxy(server, rtt_s=0.2) as proxy:
        started = time.monotonic()
        threads = [threading.Thread(target=ask, args=(proxy.port, "GET", "/a")) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 2  # 8 s if they ran one after another


def test_large_bodies_keep_their_order(server: int) -> None:
    body = b"".join(b"%07d\n" % number for number in range(100_000))
    with tcp_proxy(server, rtt_s=0.01) as proxy:
        assert ask(proxy.port, "PUT", "/a", body) == (200, b"answer to /a" + body)


def test_a_broken_line(server: int) -> None:
    with tcp_proxy(server) as proxy:
        proxy.cut_after(100_000)
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(proxy.port, "PUT", "/a", b"x" * 1_000_000)
        assert ask(proxy.port, "GET", "/a")[0] == 200
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            ask(proxy.port, "GET", "/a")
        proxy.accept()
        assert ask(proxy.port, "GET", "/a")[0] == 200
