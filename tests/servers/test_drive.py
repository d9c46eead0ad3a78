"""The emulated Google Drive answers mistakes of clients as Google does, and serves only Google's host names."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from orchestrator.rclone.runtime import Rclone
from tests.servers import remotes
from tests.servers.connect_proxy import connect_proxy
from tests.servers.drive_files import FOLDER, DriveError, DriveTree
from tests.servers.drive_query import parse
from tests.servers.drive_server import DriveServer, drive_server
from tests.servers.remotes import DriveRemote


@pytest.fixture(scope="module")
def plain() -> Iterator[DriveServer]:
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


def test_a_listing_comes_in_pages_without_loss(plain: DriveServer) -> None:
    folder = plain.tree.folder("pages").id
    for index in range(25):
        plain.tree.put(f"pages/{index}", b"")
    names: list[str] = []
    token = ""
    while True:
        query = quote(f"'{folder}' in parents")
        _, page = ask(plain, "GET", f"/drive/v3/files?pageSize=10&q={query}&fields=files(name),nextPageToken&pageToken={token}")
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
def test_ranges(plain: DriveServer, asked: str, status: int, content: bytes) -> None:
    item = plain.tree.put("ranges/a", b"0123456789")
    assert ask(plain, "GET", f"/drive/v3/files/{item.id}?alt=media", Range=asked) == (status, content)


@pytest.mark.parametrize("cut", [b"Content-Length: 50\r\n\r\nhalf of it", b"Transfer-Encoding: chunked\r\n\r\n32\r\nhalf of it"])
def test_a_request_that_was_cut_does_nothing(plain: DriveServer, cut: bytes) -> None:
    before = {*plain.tree.items}
    with socket.create_connection(("127.0.0.1", plain.port)) as client:
        client.sendall(b"POST /upload/drive/v3/files?uploadType=resumable HTTP/1.1\r\n" + cut)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000) == b"", "it is not even answered"
    assert ({*plain.tree.items}, plain.uploads) == (before, {})


def test_a_file_is_in_one_folder_only(plain: DriveServer) -> None:
    item, other = plain.tree.put("from/a", b""), plain.tree.folder("to").id
    status, answer = ask(plain, "PATCH", f"/drive/v3/files/{item.id}?addParents={other}", {})
    assert (status, answer["error"]["errors"][0]["reason"]) == (403, "cannotAddParent")
    status, _ = ask(plain, "PATCH", f"/drive/v3/files/{item.id}?addParents={other}&removeParents={item.parent}", {"name": "b"})
    assert (status, [*plain.tree.tree("to")]) == (200, ["b"])
    folder = plain.tree.folder("to/below").id
    status, _ = ask(plain, "PATCH", f"/drive/v3/files/{other}?addParents={folder}&removeParents={plain.tree.root}", {})
    assert status == 403


def test_a_missing_item_is_reported_in_googles_words(plain: DriveServer) -> None:
    for method, path in (("GET", "/drive/v3/files/none"), ("PATCH", "/drive/v3/files/none"), ("DELETE", "/drive/v3/files/none")):
        status, answer = ask(plain, method, path)
        assert (status, answer["error"]["errors"][0]["reason"]) == (404, "notFound")
    assert ask(plain, "GET", "/drive/v9/other")[0] == 404
    assert plain.calls["unknown"] == 1


def test_rclone_finds_shortcuts_as_google_has_them(rclone_binary: Path, tmp_path: Path) -> None:
    """To a file, a folder, something outside, nothing; they go on answering after their target went to the trash."""
    with remotes.drive() as server:
        tree = server.tree
        for path in ("library/dir/a.mp3", "library/trashed.mp3", "outside/o.mp3"):
            tree.put(path, path.encode())
        for name, target in {"file": "library/dir/a.mp3", "folder": "outside", "to trashed": "library/trashed.mp3"}.items():
            tree.shortcut(f"library/{name}", target)
        tree.shortcut("library/dangling", "nothing")
        tree.trash("library/trashed.mp3")
        config = tmp_path / "rclone.conf"
        config.write_text(server.section())

        def rclone(*arguments: str) -> str:
            command = [str(rclone_binary), "--config", str(config), *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        rows = {row["Path"]: row for row in json.loads(rclone("lsjson", "-R", "--no-modtime", "drive:library"))}
        target = tree.at("library/dir/a.mp3").id
        assert rows.keys() == {"dir", "dir/a.mp3", "file", "folder", "folder/o.mp3", "to trashed", "dangling"}
        assert rows["file"]["ID"].split("\t") == [target, tree.at("library/file").id]
        assert {name: rows[name]["Size"] for name in ("file", "to trashed", "dangling")} == {
            "file": 17,
            "to trashed": 19,
            "dangling": 0,
        }
        assert rclone("cat", "drive:library/to trashed") == "library/trashed.mp3"
        shown = rclone("lsf", "-R", "--files-only", "--drive-skip-shortcuts", "drive:library")
        assert shown.split() == ["dir/a.mp3"]
        rclone("deletefile", "drive:library/file")
        assert (tree.at("library/dir/a.mp3").id, "library/file" in dict(tree.walk())) == (target, False)


def test_a_folder_that_another_client_renames_is_still_known_to_rclone_by_its_old_name(
    rclone: Rclone, drive: DriveRemote
) -> None:
    """rclone remembers the ids of folders. `fscache/clear` makes it forget them."""
    drive.tree.put("renamed/in/a.mp3", b"a")
    look = {"fs": "drive:renamed", "remote": "in/a.mp3"}
    assert rclone.client.call("operations/stat", look)["item"]
    drive.tree.rename("renamed/in", "out")
    assert rclone.client.call("operations/stat", look)["item"]
    rclone.client.call("fscache/clear")
    assert rclone.client.call("operations/stat", look)["item"] is None


def test_the_proxy_leads_to_the_server_behind_it_and_nowhere_else(plain: DriveServer) -> None:
    with connect_proxy("www.googleapis.com") as proxy:
        url = urlsplit(proxy.url(plain.port))
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
