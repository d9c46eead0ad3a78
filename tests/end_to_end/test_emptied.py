"""Directories that a run has emptied are removed from the library, but no file that the listing missed goes with them."""

from __future__ import annotations

import hashlib
import http.client
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.faulty import Library
from tests.forked import Forks
from tests.places import visible
from tests.servers import remotes
from tests.servers.http import Hold, HttpProxy, Refuse, Seen, http_proxy

Proxied = Callable[[str], tuple[Library, HttpProxy]]

ORGANIZED = "Band/Album (2001)/01 Song 1.mp3"
NEW = b"somebody else's upload"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def moves_the_folder(seen: Seen) -> bool:
    return seen.method == "MOVE" and seen.path.rstrip("/").endswith("/in")


def short(library: Library, *names: str) -> Refuse:
    """A WebDAV listing of the folder `in` that shows only these files."""
    answer = (
        f"<D:response><D:href>/{library.home.name}/in/{{}}</D:href><D:propstat><D:prop>{{}}</D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
    rows = [answer.format("", "<D:resourcetype><D:collection/></D:resourcetype>")]
    for name in names:
        size = (library.root / "in" / name).stat().st_size
        rows.append(answer.format(quote(name), f"<D:resourcetype/><D:getcontentlength>{size}</D:getcontentlength>"))
    body = f'<?xml version="1.0" encoding="UTF-8"?><D:multistatus xmlns:D="DAV:">{"".join(rows)}</D:multistatus>'
    return Refuse(207, {"Content-Type": "application/xml"}, body.encode())


def listed_short(library: Library, proxy: HttpProxy, *names: str) -> None:
    """From now on the server lists only these files of the folder, and those that have moved."""
    folder = f"/{library.home.name}/in"

    def lists(seen: Seen) -> bool:
        return seen.method == "PROPFIND" and seen.headers.get("depth") == "1" and seen.path.rstrip("/") == folder

    full, empty = short(library, *names), short(library)
    proxy.when(lambda seen: lists(seen) and all((library.root / "in" / name).exists() for name in names), full)
    proxy.when(lists, empty)


def test_files_missing_from_a_listing_are_kept(proxied: Proxied) -> None:
    """A server lists two of four songs, and then none: the two others are kept with their folder, reported, and restored."""
    library, proxy = proxied("webdav")
    for number in range(1, 5):
        library.track(f"in/{number}.mp3", number)
    before = library.tree()
    listed_short(library, proxy, "1.mp3", "2.mp3")

    first = library("organize", library.place.location, codes=(3,))
    assert sorted(error["path"] for error in first.errors) == ["in/3.mp3", "in/4.mp3"]
    assert all("moved away" in error["message"] for error in first.errors)
    assert sorted(library.place.tree().values()) == sorted(before.values())
    assert library.tree().keys() == {ORGANIZED, "Band/Album (2001)/02 Song 2.mp3"}

    proxy.reset()
    items = [event for event in library("quarantine", "list", library.place.location).events if event["type"] == "quarantined"]
    assert {(item["kind"], item["run"], item["path"]) for item in items} == {
        ("trash", first.run, "in/3.mp3"),
        ("trash", first.run, "in/4.mp3"),
    }
    library("undo", first.run)
    library("quarantine", "restore", first.run, library.place.location)
    assert library.tree() == before


def test_one_short_listing_at_the_end_hides_no_file_without_a_report(proxied: Proxied) -> None:
    library, proxy = proxied("webdav")
    library.track("in/a.mp3", 1)
    for name in ("keep.bin", "rest/1.bin", "rest/2.bin"):
        file = library.root / "in" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(name.encode())
    before = library.tree()
    moved: list[Seen] = []

    def first_after_the_move(seen: Seen) -> bool:
        moved.extend([seen] if seen.method == "MOVE" else [])
        return (
            bool(moved) and seen.method == "PROPFIND" and seen.headers.get("depth") == "1" and seen.path.rstrip("/")[-3:] == "/in"
        )

    proxy.when(first_after_the_move, short(library), times=1)
    ended = library("organize", library.place.location, codes=(3,))
    assert {error["path"] for error in ended.errors} == {"in/keep.bin", "in/rest/1.bin", "in/rest/2.bin"}
    assert sorted(library.place.tree().values()) == sorted(before.values())


def test_a_file_uploaded_at_that_moment_is_kept(proxied: Proxied) -> None:
    """Between the look at the emptied folder and the request: the upload moves to the trash with the folder, and is reported."""
    library, proxy = proxied("webdav")
    content = library.track("in/deep/a.mp3", 1)
    hold = Hold()
    proxy.when(moves_the_folder, hold, times=1)
    program = library.start("organize", library.place.location)
    assert hold.held.wait(60)
    headers = {key: value for seen in proxy.requests for key, value in seen.headers.items() if key == "authorization"}
    line = http.client.HTTPConnection("127.0.0.1", proxy.target_port)
    line.request("PUT", f"/{library.home.name}/in/new.mp3", NEW, headers)
    assert line.getresponse().status == 201
    line.close()
    hold.release.set()
    ended = program.end()
    assert (ended.code, [error["path"] for error in ended.errors]) == (3, ["in/new.mp3"])
    assert library.tree() == {ORGANIZED: content}
    assert sorted(library.place.tree().values()) == sorted([content, sha256(NEW)])
    assert not (library.root / "in").exists()
    library("quarantine", "restore", "in/new.mp3", library.place.location)
    assert library.tree() == {ORGANIZED: content, "in/new.mp3": sha256(NEW)}


def test_no_directory_is_deleted_there_and_no_emptied_one_stays_in_the_library(proxied: Proxied) -> None:
    """Two requests and one rename for a tree of emptied directories; those that are not empty, or were empty before, stay."""
    library, proxy = proxied("webdav")
    library.track("in/one/a.mp3", 1)
    library.track("in/two/deep/b.mp3", 2)
    library.track("kept/three/c.mp3", 3)
    (library.root / "kept/cover.pdf").write_bytes(b"pages")
    (library.root / "kept/empty").mkdir()
    before = library.tree()
    first = library("organize", library.place.location)
    deleted = [seen.path for seen in proxy.requests if seen.method == "DELETE"]
    assert all(path.endswith("/run.json") for path in deleted)
    renamed = [seen.path.split("/", 2)[2] for seen in proxy.requests if seen.method == "MOVE" and seen.path.endswith("/")]
    assert sorted(renamed) == ["in/", "kept/three/"]
    folders = {path.relative_to(library.root).as_posix() for path in library.root.rglob("*") if path.is_dir()}
    assert {path for path in folders if not path.startswith(".music")} == {"Band", "Band/Album (2001)", "kept", "kept/empty"}
    library("undo", first.run)
    assert library.tree() == before
    assert not (library.root / "Band").exists()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[tuple[remotes.DropboxRemote, HttpProxy, dict[str, str]]]:
    """A Dropbox behind a proxy, and the environment in which it is `box:`."""
    with remotes.dropbox() as server, http_proxy(server.port) as proxy:
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("box", port=proxy.port))
        config.chmod(0o600)
        yield server, proxy, {"RCLONE_CONFIG": str(config)}


def test_a_file_uploaded_at_that_moment_is_kept_on_dropbox(
    box: tuple[remotes.DropboxRemote, HttpProxy, dict[str, str]], library: Callable[..., Library], forks: Forks, tmp_path: Path
) -> None:
    server, proxy, environment = box
    song = library("local")
    song.track("a.mp3", 1)
    server.tree.put("music/in/a.mp3", (song.root / "a.mp3").read_bytes())
    hold = Hold()
    moves = itertools.count(1)
    proxy.when(lambda seen: seen.path.endswith("move_v2") and next(moves) == 2, hold, times=1)  # the song's, then its folder's
    program = forks.start("organize", "box:music", state=tmp_path / "state", environment=environment)
    assert hold.held.wait(60)
    server.tree.put("music/in/new.mp3", NEW)
    hold.release.set()
    ended = program.end()
    assert (ended.code, [error["path"] for error in ended.errors]) == (3, ["in/new.mp3"])
    tree = server.tree.tree("music")
    assert visible(tree).keys() == {ORGANIZED}
    assert sha256(NEW) in tree.values()
