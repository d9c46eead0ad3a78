"""Links of the documents to other sites: they are whole, and at night, if there is a network, they lead somewhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.links import dead, external_links, problem
from tests.documents import DOCUMENTS, name, without_code

ALL_S = 180.0
"""How long the check of all links may take."""


@pytest.mark.parametrize("file", DOCUMENTS, ids=name)
def test_links_to_other_sites_are_whole_and_encrypted(file: Path) -> None:
    assert {url: problem(url) for url in external_links(file.read_text(encoding="utf-8")) if problem(url)} == {}


@pytest.mark.parametrize("file", DOCUMENTS, ids=name)
def test_each_reference_has_its_address_and_each_address_is_used(file: Path) -> None:
    text = without_code(file.read_text(encoding="utf-8"))
    assert {*re.findall(r"\]\[([^\]]+)\]", text)} == {*re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE)}


@pytest.mark.parametrize("url", ["http://rclone.org/", "https://", "https://rclone/", "https://u@rclone.org/", "https://a.org/ü"])
def test_what_is_no_good_address_is_found(url: str) -> None:
    assert problem(url) is not None


class _Site(BaseHTTPRequestHandler):
    """Answers with the status in the path; /head is one that does not take HEAD."""

    def do_HEAD(self) -> None:
        status = self.path.strip("/")
        self._answer(405 if status == "head" else int(status))

    def do_GET(self) -> None:
        status = self.path.strip("/")
        self._answer(200 if status == "head" else int(status))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_only_a_page_that_is_gone_is_dead() -> None:
    with site() as there:
        urls = [f"{there}/{path}" for path in ("200", "404#part", "410", "403", "429", "500", "head")]
        assert dead(urls, until_s=60, pause_s=0) == [f"{there}/404: 404", f"{there}/410: 410"]
        assert dead(urls, until_s=-1, pause_s=0) == [], "the time is up"
    assert dead([f"{there}/404"], until_s=60) == [], "nobody answers"


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_links_to_other_sites_lead_somewhere() -> None:
    """Without a network, none is found to be dead."""
    urls = {url for file in DOCUMENTS for url in external_links(file.read_text(encoding="utf-8"))}
    assert dead(urls, until_s=ALL_S) == []
