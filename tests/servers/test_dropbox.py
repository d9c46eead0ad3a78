"""The emulated Dropbox answers mistakes of clients as Dropbox does."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.servers.dropbox_server import DropboxServer, dropbox_server


@pytest.fixture
def dropbox() -> Iterator[DropboxServer]:
    with dropbox_server() as server:
        yield server


def ask(dropbox: DropboxServer, call: str, given: object, content: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """The status, and the answer as JSON or as raw bytes."""
    body = json.dumps(given).encode() if content is None else content
    if content is not None:
        headers |= {"Dropbox-API-Arg": json.dumps(given)}
    with closing(http.client.HTTPConnection("127.0.0.1", dropbox.port, timeout=30)) as connection:
        connection.request("POST", f"/2/{call}", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if "json" in answer.headers.get("Content-Type", "") else said


def summary(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error_summary"]


def test_names_keep_their_case_and_are_found_in_any(dropbox: DropboxServer) -> None:
    dropbox.tree.put("Music/Beck/Song.mp3", b"abc")
    status, found = ask(dropbox, "files/get_metadata", {"path": "/music/BECK/song.MP3"})
    assert (status, found["name"], found["path_display"]) == (200, "Song.mp3", "/Music/Beck/Song.mp3")
    assert (found[".tag"], found["path_lower"], found["size"]) == ("file", "/music/beck/song.mp3", 3)
    assert ask(dropbox, "files/download", {"path": found["id"]}, b"", Range="bytes=1-2") == (206, b"bc")


def test_a_new_file_takes_the_folder_as_it_is_spelled(dropbox: DropboxServer) -> None:
    dropbox.tree.put("Music/a.mp3", b"a")
    dropbox.tree.put("MUSIC/b.mp3", b"b")
    assert dropbox.tree.tree().keys() == {"Music/a.mp3", "Music/b.mp3"}


def test_no_name_changes_in_its_case_only(dropbox: DropboxServer) -> None:
    dropbox.tree.put("music/a.mp3", b"a")
    answer = ask(dropbox, "files/move_v2", {"from_path": "/music/a.mp3", "to_path": "/music/A.mp3"})
    assert summary(answer) == (409, "to/conflict/file/...")
    assert ask(dropbox, "files/move_v2", {"from_path": "/music", "to_path": "/MUSIC"})[0] == 409
    assert dropbox.tree.tree().keys() == {"music/a.mp3"}


def test_errors_are_nested_tags(dropbox: DropboxServer) -> None:
    dropbox.tree.put("a.mp3", b"a")
    dropbox.tree.put("b.mp3", b"b")
    status, answer = ask(dropbox, "files/get_metadata", {"path": "/absent"})
    assert (status, answer["error"]) == (409, {".tag": "path", "path": {".tag": "not_found"}})
    status, answer = ask(dropbox, "files/copy_v2", {"from_path": "/a.mp3", "to_path": "/b.mp3"})
    assert (status, answer["error"]) == (409, {".tag": "to", "to": {".tag": "conflict", "conflict": {".tag": "file"}}})
    gone = ask(dropbox, "files/move_v2", {"from_path": "/absent", "to_path": "/c.mp3"})
    assert summary(gone) == (409, "from_lookup/not_found/...")
    assert summary(ask(dropbox, "files/delete_v2", {"path": "/absent"})) == (409, "path_lookup/not_found/...")
    assert summary(ask(dropbox, "files/list_folder", {"path": "/a.mp3"})) == (409, "path/not_folder/...")
    below = ask(dropbox, "files/move_v2", {"from_path": "/b.mp3", "to_path": "/a.mp3/c.mp3"})
    assert summary(below) == (409, "to/conflict/file_ancestor/...")
    assert ask(dropbox, "files/list_folder", {"path": "/"})[0] == 400
    dropbox.tree.limit = 3
    full = ask(dropbox, "files/upload", {"path": "/c.mp3"}, b"too much")
    assert summary(full) == (409, "path/insufficient_space/...")
    assert full[1]["error"] == {".tag": "path", "reason": {".tag": "insufficient_space"}}


def test_listings_come_in_pages_and_as_whole_trees(dropbox: DropboxServer) -> None:
    for number in range(7):
        dropbox.tree.put(f"music/{number % 2}/{number}.mp3", b"")
    status, page = ask(dropbox, "files/list_folder", {"path": "/music", "recursive": True, "limit": 4})
    names = [entry["name"] for entry in page["entries"]]
    while page["has_more"]:
        status, page = ask(dropbox, "files/list_folder/continue", {"cursor": page["cursor"]})
        names += [entry["name"] for entry in page["entries"]]
    assert status == 200
    assert sorted(names) == ["0", "0.mp3", "1", "1.mp3", "2.mp3", "3.mp3", "4.mp3", "5.mp3", "6.mp3"]
    assert summary(ask(dropbox, "files/list_folder/continue", {"cursor": "never"})) == (409, "reset/...")


def test_a_folder_moves_and_is_deleted_with_everything_below_it(dropbox: DropboxServer) -> None:
    item = dropbox.tree.put("a/b/c.mp3", b"c")
    assert ask(dropbox, "files/move_v2", {"from_path": "/a", "to_path": "/x/y"})[0] == 200
    assert dropbox.tree.tree().keys() == {"x/y/b/c.mp3"}
    assert ask(dropbox, "files/get_metadata", {"path": item.id})[1]["path_display"] == "/x/y/b/c.mp3"
    assert ask(dropbox, "files/delete_v2", {"path": "/x"})[0] == 200
    assert dropbox.tree.walk() == []


def test_an_upload_is_complete_or_absent(dropbox: DropboxServer) -> None:
    session = ask(dropbox, "files/upload_session/start", {}, b"")[1]["session_id"]
    cursor = {"session_id": session, "offset": 0}
    assert ask(dropbox, "files/upload_session/append_v2", {"cursor": cursor}, b"abc") == (200, None)
    answer = ask(dropbox, "files/upload_session/append_v2", {"cursor": cursor}, b"abc")
    assert (answer[0], answer[1]["error"]) == (409, {".tag": "incorrect_offset", "correct_offset": 3})
    assert dropbox.tree.tree() == {}
    entries = [
        {"cursor": {"session_id": session, "offset": 3}, "commit": {"path": "/a.mp3", "client_modified": "2001-02-03T04:05:06Z"}},
        {"cursor": {"session_id": "never", "offset": 0}, "commit": {"path": "/b.mp3"}},
    ]
    status, answer = ask(dropbox, "files/upload_session/finish_batch_v2", {"entries": entries})
    assert (status, [entry[".tag"] for entry in answer["entries"]]) == (200, ["success", "failure"])
    assert answer["entries"][0]["client_modified"] == "2001-02-03T04:05:06Z"
    assert answer["entries"][1]["failure"] == {".tag": "lookup_failed", "lookup_failed": {".tag": "not_found"}}
    assert dropbox.tree.tree().keys() == {"a.mp3"}


def test_old_versions_are_found_by_their_revision(dropbox: DropboxServer) -> None:
    old = dropbox.tree.put("a.mp3", b"old").rev
    dropbox.tree.put("a.mp3", b"newer")
    assert ask(dropbox, "files/download", {"path": f"rev:{old}"}, b"") == (200, b"old")
    assert ask(dropbox, "files/download", {"path": "/a.mp3"}, b"") == (200, b"newer")


def test_what_changes_is_reported_to_those_who_wait(dropbox: DropboxServer) -> None:
    for path in ("music/a.mp3", "music/b.mp3", "other.mp3"):
        dropbox.tree.put(path, b"1")
    cursor = ask(dropbox, "files/list_folder/get_latest_cursor", {"path": "/music", "recursive": True})[1]["cursor"]
    dropbox.tree.put("another.mp3", b"not below the folder")
    assert ask(dropbox, "files/list_folder/longpoll", {"cursor": cursor, "timeout": 0.01}) == (200, {"changes": False})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, dropbox, "files/list_folder/longpoll", {"cursor": cursor, "timeout": 30})
        dropbox.tree.put("music/New.mp3", b"2")
        assert waiting.result(20) == (200, {"changes": True})
    dropbox.tree.delete("/music/a.mp3")
    page = ask(dropbox, "files/list_folder/continue", {"cursor": cursor})[1]
    entries = sorted((entry[".tag"], entry["path_display"]) for entry in page["entries"])
    assert (entries, page["has_more"]) == ([("deleted", "/music/a.mp3"), ("file", "/music/New.mp3")], False)
    assert ask(dropbox, "files/list_folder/continue", {"cursor": page["cursor"]})[1]["entries"] == []
    assert summary(ask(dropbox, "files/list_folder/longpoll", {"cursor": "never"})) == (409, "reset/...")
