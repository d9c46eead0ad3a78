"""A messy library on Google Drive, by rclone's own backend: organized, left alone the second time, and back, in few calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library import LibraryFacts, make_library
from tests.places import Place, places, visible
from tests.program import Program
from tests.servers import remotes
from tests.servers.remotes import DriveRemote

COUNT = 120


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """All formats, hostile names and tags."""
    return make_library(tmp_path_factory.mktemp("messy") / "library", count=COUNT)


@pytest.fixture
def place(library: LibraryFacts, rclone_binary: Path, rclone_config: Path, tmp_path: Path) -> Iterator[Place]:
    """The library on a Drive of its own."""
    with places("drive", tmp_path / "served", rclone_binary, rclone_config, {"music": library}) as made:
        yield made["music"]


@pytest.fixture
def server(place: Place) -> DriveRemote:
    """Where the place lies."""
    assert isinstance(place.server, DriveRemote)
    return place.server


def objects(server: DriveRemote) -> dict[str, str]:
    """Id -> path of every file in the place."""
    return {item.id: path for path, item in server.tree.walk("music") if item.content is not None}


@pytest.fixture
def expected(library: LibraryFacts, rclone_binary: Path, rclone_config: Path, tmp_path: Path) -> dict[str, str]:
    """The organized tree on a local disk, path -> sha256."""
    with places("local", tmp_path / "disk", rclone_binary, rclone_config, {"music": library}) as made:
        Program(tmp_path / "reference")("organize", made["music"].location, "--yes", codes=(3,))
        return visible(made["music"].tree())


def test_in_place(library: LibraryFacts, expected: dict[str, str], place: Place, server: DriveRemote, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    before, ids = place.tree(), objects(server)
    assert Counter(before.values()) == library.contents()

    first = program("organize", place.location, "--yes", codes=(3,))
    after = place.tree()
    assert first.summary["ops_failed"] == 0
    assert first.summary["ops_done"] == first.summary["ops_planned"] > 0.9 * COUNT
    named = {event["path"] for event in first.errors if event["code"] == "unsupported-name"}
    moved = {path for path, content in visible(after).items() if expected.get(path) != content}
    assert moved == named, "the same tree as on a disk, but for the names that are listed"
    assert objects(server).keys() == ids.keys(), "what was moved is the same object, not a copy of it"
    folders = Counter(path for path, item in server.tree.walk("music") if item.is_folder)
    assert max(folders.values()) == 1, "several requests at a time make no second folder of one name"

    second = program("organize", place.location, "--yes", codes=(3,))
    assert (second.summary["ops_planned"], second.summary["files_read"]) == (0, 0)
    assert place.tree() == after

    program("undo", first.run, "--yes")
    assert visible(place.tree()) == before
    assert objects(server) == ids


def test_the_calls_that_it_takes(library: LibraryFacts, place: Place, server: DriveRemote, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    program("scan", place.location, codes=(3,))

    server.drive.reset()
    program("scan", place.location, codes=(3,))
    listing = server.drive.calls.total()
    assert set(server.drive.calls) == {"files.list"}, "what is known costs a listing and no more"

    server.drive.reset()
    moves = program("organize", place.location, "--yes", codes=(3,)).summary["ops_done"]
    calls = server.drive.calls
    folders = calls["files.create"]
    assert set(calls) == {"files.list", "files.create", "files.update", "upload.multipart"}, "nothing is read"
    assert calls["upload.multipart"] == 1, "nothing is carried: that was the marker for other machines"
    assert calls.total() - 2 * listing <= 6 * moves + 3 * folders + 8
    assert calls["files.update"] >= moves, "one a move, and one for each folder that it emptied"


def test_files_of_one_name_stay_where_they_are(rclone_config: Path, tmp_path: Path) -> None:
    library = make_library(tmp_path / "library", count=12)
    twice = min(path for path in library.tracks if path.endswith(".mp3"))
    with remotes.drive() as server:
        name = f"twins{server.port}"
        with rclone_config.open("a") as file:
            file.write(server.section(name))
        server.tree.preload(library.root, "music", files=library.files)
        server.tree.put(f"music/{twice}", b"of the same name, and something else")
        program = Program(tmp_path / "state")
        before, ids = server.tree.tree("music"), objects(server)

        scanned = program("scan", server.fs("music", name=name), codes=(3,))
        assert [event["path"] for event in scanned.errors if event["code"] == "duplicate-name"] == [twice]
        first = program("organize", server.fs("music", name=name), "--yes", codes=(3,))

        assert [event["message"] for event in first.errors if event["path"] == twice] == [
            "2 files carry this name: give them names of their own first"
        ]
        assert server.tree.tree("music")[twice] == before[twice]
        assert objects(server).keys() == ids.keys()
        assert first.summary["ops_done"] > 0
        assert program("organize", server.fs("music", name=name), "--yes", codes=(3,)).summary["ops_planned"] == 0
