"""An HTTP server that keeps what it is sent, and answers as a test wants: for health checks and messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    """Wait for this before the answer."""


@dataclass
class CallServer:
    """See the module."""

    port: int = 0
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path with query, body, of each request in order."""
    answer: Callable[[str, int], Answer] = lambda _path, _number: Answer()
    """Makes the answer to a path; the second argument is the number of the request, from 1."""

    def url(self, path: str = "") -> str:
        """The address of a path on this server."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def paths(self) -> list[str]:
        """The paths of all requests so far, which are then forgotten."""
        found = [path for _, path, _ in self.calls]
        self.calls.clear()
        return found


@contextmanager
def call_server() -> Iterator[CallServer]:
    """It runs during the block."""
    kept = CallServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            kept.calls.append((self.command, self.path, body))
            answer = kept.answer(self.path, len(kept.calls))
            if answer.hold is not None:
                answer.hold.wait(60)
            self.send_response(answer.status)
            for name, value in {"Content-Length": "0", "Connection": "close", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name that the standard library calls

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as above
            """Print nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away is none of the server's."""

    server = Server(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
