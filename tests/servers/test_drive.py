"""The emulated Google Drive answers mistakes of clients as Google does, and serves only Google's host names."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.servers.connect_proxy import connect_proxy
from tests.servers.drive_files import FOLDER, DriveError, DriveTree
from tests.servers.drive_query import parse
from tests.servers.drive_server import DriveServer, drive_server


@pytest.fixture(scope="module")
def drive() -> Iterator[DriveServer]:
    with drive_server() as server:
        yield server


@pytest.fixture
def tree() -> DriveTree:
    tree = DriveTree()
    for path in ("a/it's.mp3", "a/Song.mp3", "a/song.mp3", "b/back\\slash.mp3", "b/big song.mp3", "c.mp3"):
        tree.put(path, b"x")
    tree.update(tree.folder("b").id, {"trashed": True})
    return tree


def found(tree: DriveTree, query: str) -> list[str]:
    return sorted(item.name for item in parse(query).find(tree))


def ask(drive: DriveServer, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", drive.port, timeout=30)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if "json" in answer.headers.get("Content-Type", "") else content


def test_a_query_finds_the_right_items(tree: DriveTree) -> None:
    a, b = tree.folder("a").id, next(item.id for item in tree.items.values() if item.name == "b")
    assert found(tree, f"'{a}' in parents and name='it\\'s.mp3'") == ["it's.mp3"]
    assert found(tree, r"name = 'back\\slash.mp3'") == [r"back\slash.mp3"]
    assert found(tree, "name = 'SONG.mp3' and trashed=false") == ["Song.mp3", "song.mp3"], "Drive does not look at case here"
    assert found(tree, f"('{a}' in parents or '{b}' in parents) and trashed = false") == ["Song.mp3", "it's.mp3", "song.mp3"]
    assert found(tree, "trashed=true") == ["b", "back\\slash.mp3", "big song.mp3"], "and all that is in a trashed folder"
    assert found(tree, f"'root' in parents and mimeType = '{FOLDER}'") == ["a", "b"]
    assert found(tree, f"'root' in parents and mimeType != '{FOLDER}'") == ["c.mp3"]
    assert found(tree, "name contains 'song' and not trashed = false") == ["big song.mp3"], "words, from their beginning"
    assert found(tree, "name contains 'ong'") == []


@pytest.mark.parametrize(
    "query", ["", "name", "name = ", "name ~ 'a'", "(name = 'a'", "nonsense = 'a'", "name = 'a' name = 'b'", "'a"]
)
def test_a_malformed_query_is_refused(query: str) -> None:
    with pytest.raises(DriveError):
        parse(query)


def test_a_listing_comes_in_pages_without_loss(drive: DriveServer) -> None:
    folder = drive.tree.folder("pages").id
    for index in range(25):
        drive.tree.put(f"pages/{index}", b"")
    names: list[str] = []
    token = ""
    while True:
        query = quote(f"'{folder}' in parents")
        _, page = ask(drive, "GET", f"/drive/v3/files?pageSize=10&q={query}&fields=files(name),nextPageToken&pageToken={token}")
        assert all(set(file) == {"name"} for file in page["files"])
        names += [file["name"] for file in page["files"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert sorted(names, key=int) == [str(index) for index in range(25)]


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=5-99", 206, b"56789"),
        ("bytes=10-", 416, b""),
    ],
)
def test_ranges(drive: DriveServer, asked: str, status: int, content: bytes) -> None:
    item = drive.tree.put("ranges/a", b"0123456789")
    assert ask(drive, "GET", f"/drive/v3/files/{item.id}?alt=media", Range=asked) == (status, content)


def test_a_file_is_in_one_folder_only(drive: DriveServer) -> None:
    item, other = drive.tree.put("from/a", b""), drive.tree.folder("to").id
    status, answer = ask(drive, "PATCH", f"/drive/v3/files/{item.id}?addParents={other}", {})
    assert (status, answer["error"]["errors"][0]["reason"]) == (403, "cannotAddParent")
    status, _ = ask(drive, "PATCH", f"/drive/v3/files/{item.id}?addParents={other}&removeParents={item.parent}", {"name": "b"})
    assert (status, [*drive.tree.tree("to")]) == (200, ["b"])
    folder = drive.tree.folder("to/below").id
    status, _ = ask(drive, "PATCH", f"/drive/v3/files/{other}?addParents={folder}&removeParents={drive.tree.root}", {})
    assert status == 403


def test_a_missing_item_is_reported_in_googles_words(drive: DriveServer) -> None:
    for method, path in (("GET", "/drive/v3/files/none"), ("PATCH", "/drive/v3/files/none"), ("DELETE", "/drive/v3/files/none")):
        status, answer = ask(drive, method, path)
        assert (status, answer["error"]["errors"][0]["reason"]) == (404, "notFound")
    assert ask(drive, "GET", "/drive/v9/other")[0] == 404
    assert drive.calls["unknown"] == 1


def test_the_proxy_leads_to_the_server_behind_it_and_nowhere_else(drive: DriveServer) -> None:
    with connect_proxy("www.googleapis.com") as proxy:
        url = urlsplit(proxy.url(drive.port))
        trust = ssl.create_default_context(cafile=str(proxy.ca_cert))

        def through(host: str) -> int:
            connection = http.client.HTTPSConnection("127.0.0.1", url.port, context=trust, timeout=30)
            connection.set_tunnel(host, 443, {"Proxy-Authorization": f"Basic {_basic(url.username)}"})
            with closing(connection):
                connection.request("GET", "/drive/v3/about?fields=user")
                return connection.getresponse().status

        assert through("www.googleapis.com") == 200
        with pytest.raises(OSError, match="403"):
            through("example.com")
        assert proxy.refused == ["example.com"]


def _basic(user: str | None) -> str:
    return base64.b64encode(f"{user}:x".encode()).decode()
