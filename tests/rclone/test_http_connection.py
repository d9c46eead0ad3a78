"""Answers of an rclone over its socket: in pieces, cut short, of unknown length, and what is no HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from orchestrator.errors import TransientError
from orchestrator.rclone.http_connection import Connection, CutAnswerError, Endpoint
from orchestrator.rclone.rc_client import DaemonLostError, RcClient, UnexplainedReadError

HEAD = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/50\r\nContent-Length: 10\r\n"


@contextmanager
def answering(path: Path, *answers: Sequence[bytes]) -> Iterator[tuple[Endpoint, list[bytes]]]:
    """A server that gives one of these answers, in these pieces, to each new connection, then closes it; and the requests."""
    requests: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            for pieces in answers:
                line, _ = listening.accept()
                with line:
                    requests.append(line.recv(65536))
                    for piece in pieces:
                        line.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Endpoint(str(path), "user", "password"), requests
        thread.join()


def test_an_answer_in_pieces(tmp_path: Path) -> None:
    pieces = [HEAD[:20], HEAD[20:50], HEAD[50:] + b"\r\n01", b"234", b"56789"]
    with answering(tmp_path / "s", pieces) as (endpoint, requests), closing(RcClient(lambda: endpoint)) as client:
        assert client.get_range("remote:", "a b\n.mp3", 0, 10) == b"0123456789"
    [request] = requests
    assert request.splitlines()[0] == b"GET /%5Bremote%3A%5D/a%20b%E2%90%8A.mp3 HTTP/1.1"
    assert b"Authorization: Basic dXNlcjpwYXNzd29yZA==" in request
    assert b"Range: bytes=0-9" in request


def test_an_answer_of_unknown_length_ends_with_its_last_chunk(tmp_path: Path) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with answering(tmp_path / "s", [chunked]) as (endpoint, _), closing(RcClient(lambda: endpoint)) as client:
        assert b"".join(client.get("remote:", "song.mp3")) == b"abcde"


@pytest.mark.parametrize("start", [b"", HEAD[:30]], ids=["at once", "within the headers"])
def test_a_new_connection_that_is_closed_means_trouble(tmp_path: Path, start: bytes) -> None:
    with answering(tmp_path / "s", [start]) as (endpoint, _):
        lost: list[Endpoint] = []
        with pytest.raises(DaemonLostError):
            RcClient(lambda: endpoint, lost.append).call("rc/noop")
        assert lost == [endpoint]


def test_a_content_that_ends_early_is_not_taken_for_the_file(tmp_path: Path) -> None:
    cut = [HEAD + b"\r\n0123"]
    with answering(tmp_path / "s", cut, cut) as (endpoint, _):
        client = RcClient(lambda: endpoint)
        with pytest.raises(UnexplainedReadError):
            client.get_range("remote:", "song.mp3", 0, 10)
        connection = Connection(endpoint)
        connection.send("GET", "/song.mp3", "", b"", timeout_s=30)
        answer = connection.answer()
        with pytest.raises(CutAnswerError):
            answer.read()
        assert not answer.keeps_connection
        connection.close()


def test_a_whole_file_that_ends_early_is_not_taken_for_the_file(tmp_path: Path) -> None:
    with answering(tmp_path / "s", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123"]) as (endpoint, _):
        blocks = RcClient(lambda: endpoint).get("remote:", "song.mp3")
        assert next(blocks) == b"0123"
        with pytest.raises(TransientError, match="ended early"):
            next(blocks)


def test_what_is_no_http_is_a_broken_connection(tmp_path: Path) -> None:
    with answering(tmp_path / "s", [b"220 ready\r\n"]) as (endpoint, _), pytest.raises(DaemonLostError):
        RcClient(lambda: endpoint).call("rc/noop")


def test_a_connection_that_rclone_wants_to_close_is_not_used_again(tmp_path: Path) -> None:
    answer = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"]
    with answering(tmp_path / "s", answer, answer) as (endpoint, requests):
        client = RcClient(lambda: endpoint)
        assert client.call("rc/noop") == client.call("rc/noop") == {}
    assert len(requests) == 2


def test_an_address_cannot_end_the_request(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Connection(Endpoint(str(tmp_path / "s"), "user", "password")).send(
            "GET", "/x HTTP/1.1\r\nEvil: 1\r\n\r\n", "", b"", timeout_s=None
        )
