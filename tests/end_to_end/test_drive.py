"""A messy library on Google Drive, through rclone's own backend: organized, unchanged the second time, undone, in few calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.forked import Forks, kill
from tests.library import LibraryFacts, make_library
from tests.nightly import NIGHTLY, some_at_night
from tests.places import OWN, Place, places, visible
from tests.program import Ended, Program
from tests.servers import remotes
from tests.servers.content import Content
from tests.servers.drive_files import FOLDER
from tests.servers.http import HttpProxy, Then, http_proxy
from tests.servers.remotes import DriveRemote

COUNT = 120 if NIGHTLY else 60
EVERY = 1 if NIGHTLY else 29
"""Unless all are tried, a kill only at every twenty-ninth changing call."""


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
    """The location."""
    assert isinstance(place.server, DriveRemote)
    return place.server


def objects(server: DriveRemote, folder: str = "music") -> dict[str, str]:
    """Id -> path of every file in the location."""
    return {item.id: path for path, item in server.tree.walk(folder) if item.content is not None}


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
    assert first.summary["ops_done"] == first.summary["ops_planned"] > 0.85 * COUNT
    named = {event["path"] for event in first.errors if event["code"] == "unsupported-name"}
    moved = {path for path, content in visible(after).items() if expected.get(path) != content}
    assert moved == named, "the same tree as on a disk, but for the names that are listed"
    assert objects(server).keys() == ids.keys(), "a moved file is the same object, not a copy"
    folders = Counter(path for path, item in server.tree.walk("music") if item.is_folder)
    assert max(folders.values()) == 1, "several requests at a time make no second folder of one name"

    second = program("organize", place.location, "--yes", codes=(3,))
    assert (second.summary["ops_planned"], second.summary["files_read"]) == (0, 0)
    assert place.tree() == after

    program("undo", first.run, "--yes")
    assert visible(place.tree()) == before
    assert objects(server) == ids


def test_the_number_of_calls(library: LibraryFacts, place: Place, server: DriveRemote, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    program("scan", place.location, codes=(3,))

    server.drive.reset()
    program("scan", place.location, codes=(3,))
    listing = server.drive.calls.total()
    assert set(server.drive.calls) == {"files.list"}, "known files cost only a listing"

    server.drive.reset()
    moves = program("organize", place.location, "--yes", codes=(3,)).summary["ops_done"]
    calls = server.drive.calls
    folders = calls["files.create"]
    assert set(calls) == {"files.list", "files.create", "files.update", "upload.multipart"}, "nothing is read"
    assert calls["upload.multipart"] == 1, "nothing is carried: that was the marker for other machines"
    at_once = moves // 5
    """Transfers that look for one folder at the same time ask twice: 0 to 13 such calls were seen."""
    assert calls.total() - 2 * listing <= 6 * moves + 3 * folders + 8 + at_once
    assert calls["files.update"] >= moves, "one a move, and one for each folder that it emptied"


# Files that share their names.


def tagged(title: str, number: int) -> bytes:
    tags = Track(title=(title,), artist=("Band",), album_artist=("Band",), album=("Album",), track=number, date="2001")
    return track_bytes("mp3", tags, seconds=0.2, serial=number)


def shared(server: DriveRemote, contents: list[bytes], folder: str = "music") -> dict[str, str]:
    """Files of one name, and one of another; id -> path."""
    for content in contents:
        server.tree.put(f"{folder}/rip/track.mp3", content)
    server.tree.put(f"{folder}/rip/last.mp3", tagged("Last", 9))
    server.tree.put(f"{folder}/rip/cover.jpg", b"picture")
    server.tree.put(f"{folder}/rip/cover.jpg", b"another picture")
    return objects(server, folder)


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[tuple[DriveRemote, HttpProxy, dict[str, str]]]:
    """An empty Drive, the proxy before it, and the environment in which it is the remote "twins:"."""
    with remotes.drive() as server, http_proxy(server.port) as proxy:
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("twins", port=proxy.port))
        config.chmod(0o600)
        yield server, proxy, {"RCLONE_CONFIG": str(config)}


def test_files_of_one_name_each_get_their_own_destination(
    twins: tuple[DriveRemote, HttpProxy, dict[str, str]], tmp_path: Path
) -> None:
    server, _, environment = twins
    before = shared(server, [tagged(title, number) for number, title in enumerate(("One", "Two", "Three"), 1)])
    program = Program(tmp_path / "state", environment)

    scanned = program("scan", "twins:music")
    assert {event["path"] for event in scanned.events if event["type"] == "duplicate-name"} == {"rip/track.mp3", "rip/cover.jpg"}
    assert scanned.errors == []
    plan = tmp_path / "plan"
    program("plan", "twins:music", "-o", str(plan))
    first = program("apply", str(plan), "--yes")

    assert first.summary["ops_done"] == first.summary["ops_planned"] == 6
    after = objects(server)
    songs = {path for path in after.values() if path.endswith(".mp3")}
    assert songs == {
        f"Band/Album (2001)/0{number} {title}.mp3" for number, title in ((1, "One"), (2, "Two"), (3, "Three"), (9, "Last"))
    }
    assert sorted(path for path in after.values() if not path.endswith(".mp3")) == [
        "Band/Album (2001)/cover (2).jpg",
        "Band/Album (2001)/cover.jpg",
    ]
    assert after.keys() == before.keys(), "the same objects"
    assert program("organize", "twins:music", "--yes").summary["ops_planned"] == 0
    assert program("scan", "twins:music").summary["files_read"] == 0, "files moved by their ids keep their tags"

    program("undo", first.run, "--yes")
    assert objects(server) == before, "three files of one name again, each the same"
    again = program("organize", "twins:music", "--yes")
    assert (again.summary["ops_done"], objects(server)) == (6, after)


def test_equal_files_of_one_name_are_two_files(twins: tuple[DriveRemote, HttpProxy, dict[str, str]], tmp_path: Path) -> None:
    server, _, environment = twins
    before = shared(server, [tagged("One", 1)] * 3)
    program = Program(tmp_path / "state", environment)
    first = program("organize", "twins:music", "--yes")
    after = objects(server)
    assert after.keys() == before.keys()
    folder = "Band/Album (2001)"
    assert sorted(path for path in after.values() if "One" in path) == [
        f"{folder}/01 One (2).mp3", f"{folder}/01 One (3).mp3", f"{folder}/01 One.mp3"
    ]  # fmt: skip
    assert program("organize", "twins:music", "--yes").summary["ops_planned"] == 0
    program("undo", first.run, "--yes")
    assert objects(server) == before


@pytest.mark.parametrize("command", some_at_night(("dedup", "organize"), night={"dedup"}))
def test_of_equal_files_with_one_name_one_is_kept(
    twins: tuple[DriveRemote, HttpProxy, dict[str, str]], forks: Forks, tmp_path: Path, command: str
) -> None:
    """Duplicates can be identified by their ids, too: two get names of their own in the quarantine, and `undo` restores them."""
    server, _, environment = twins
    state = tmp_path / "state"
    before = shared(server, [tagged("One", 1)] * 3)
    arguments = (command, "twins:music", "--dedup", "quarantine")
    first = forks.run(*arguments, state=state, environment=environment)
    away = {one: path for one, path in objects(server).items() if path.startswith(OWN)}
    assert sorted(before[one] for one in away) == ["rip/track.mp3"] * 2
    assert len({*away.values()}) == 2
    assert all(one in path for one, path in away.items())
    assert objects(server).keys() == before.keys()
    again = forks.run(*arguments, state=state, environment=environment)
    assert (again.summary["ops_planned"], objects(server).keys()) == (0, before.keys())
    forks.run("undo", first.run, state=state, environment=environment)
    assert objects(server) == before


def test_killed_while_files_of_one_name_are_separated(
    twins: tuple[DriveRemote, HttpProxy, dict[str, str]], forks: Forks, tmp_path: Path
) -> None:
    """SIGKILL of program and rclone at changing calls of a run and of its undo: no file is lost or mistaken for another."""
    server, proxy, environment = twins
    content = [tagged("One", 1), tagged("Two", 2), tagged("Two", 2)]
    calls = 1
    ended: Ended | None = None
    while ended is None or ended.code < 0:
        folder, state = f"music{calls}", tmp_path / f"state{calls}"
        before = shared(server, content, folder)
        held = {item.id: item.content for _, item in server.tree.walk(folder) if item.content}

        def killed(*arguments: str) -> Ended:
            proxy.reset()
            started: list[int] = []
            proxy.at(calls, Then(lambda: kill(started[0], "both"), reply=bool(calls % 2)))  # noqa: B023 - called in this iteration
            program = forks.start(*arguments, state=state, environment=environment)  # noqa: B023 - as above
            started.append(program.pid)
            ended = program.end()
            proxy.wait_until_idle()
            proxy.reset()
            there = {item.id: item.content for _, item in server.tree.walk(folder) if item.content}  # noqa: B023 - as above
            assert held.items() <= there.items()  # noqa: B023 - as above
            return ended

        ended = killed("organize", f"twins:{folder}", "--transfers", "1")
        done = forks.run("organize", f"twins:{folder}", state=state, environment=environment)
        assert done.summary["ops_failed"] == 0
        assert objects(server, folder).keys() == before.keys()
        assert len({*objects(server, folder).values()}) == len(before), "each file has a name of its own"
        run = ended.run if ended.code == 0 else last_run(forks, state, environment)
        killed("undo", run, "--transfers", "1")
        forks.run("undo", run, state=state, environment=environment)
        assert objects(server, folder) == before
        calls += EVERY
    assert calls > EVERY


def last_run(forks: Forks, state: Path, environment: dict[str, str]) -> str:
    return str(
        next(event for event in forks.run("runs", state=state, environment=environment).events if event["type"] == "run")["id"]
    )


def test_folders_of_one_name_are_emptied_one_after_the_other(
    twins: tuple[DriveRemote, HttpProxy, dict[str, str]], forks: Forks, tmp_path: Path
) -> None:
    """rclone lists both but reaches only one: the files that it does not reach are reported and stay until the next run."""
    server, _, environment = twins
    root = server.tree.folder("music").id
    for number in (1, 2):
        folder = server.tree.create({"name": "rip", "mimeType": FOLDER, "parents": [root]})
        for name, title in ((f"{number}.mp3", f"Song {number}"), ("same name.mp3", f"Other {number}")):
            content = Content(tagged(title, number + 2 * (name > "a")))
            server.tree.create({"name": name, "parents": [folder.id]}, content)
    before = objects(server)

    state = tmp_path / "state"
    first = forks.run("organize", "twins:music", state=state, environment=environment, codes=(3,))
    assert (first.summary["ops_done"], len(first.errors)) == (2, 2)
    assert {error["path"] for error in first.errors} <= {*before.values()}
    assert all("shares its name" in error["message"] for error in first.errors)
    assert objects(server).keys() == before.keys()
    second = forks.run("organize", "twins:music", state=state, environment=environment)
    assert second.summary["ops_done"] == 2
    assert objects(server).keys() == before.keys()
    assert {path.rpartition("/")[0] for path in objects(server).values()} == {"Band/Album (2001)"}
    assert [path for path, item in server.tree.walk("music") if item.is_folder] == ["Band", "Band/Album (2001)"]


# What Drive refuses of some files.


def test_what_drive_refuses_of_a_file_is_that_files_and_stays(
    twins: tuple[DriveRemote, HttpProxy, dict[str, str]], tmp_path: Path
) -> None:
    """Of another owner, called malware by Google, or for a folder that is full."""
    server, _, environment = twins
    for number, title in enumerate(("Free", "Foreign", "Malware", "Locked"), 1):
        server.tree.put(f"music/{title.lower()}.mp3", tagged(title, number))
    server.tree.at("music/foreign.mp3").refuses["change"] = "insufficientFilePermissions"
    server.tree.at("music/malware.mp3").refuses["download"] = "cannotDownloadAbusiveFile"
    server.tree.at("music/locked.mp3").refuses["download"] = "cannotDownloadFile"
    program = Program(tmp_path / "state", environment)

    ended = program("organize", "twins:music", "--yes", codes=(3,))
    told = {event["path"]: event["message"] for event in ended.errors}
    assert told.keys() == {"foreign.mp3", "malware.mp3", "locked.mp3"}
    assert "sufficient permissions" in told["foreign.mp3"]
    assert "acknowledge-abuse" in told["malware.mp3"]
    assert set(visible_files(server)) == {"Band/Album (2001)/01 Free.mp3", *told}

    server.tree.at("music/foreign.mp3").refuses.clear()
    server.tree.folder("music/Band/Album (2001)")
    server.tree.most_children = 1
    full = program("organize", "twins:music", "--yes", codes=(3,))
    assert "number of children" in {event["path"]: event["message"] for event in full.errors}["foreign.mp3"]
    assert set(visible_files(server)) == {"Band/Album (2001)/01 Free.mp3", *told}, "nothing is lost"

    server.tree.most_children = None
    program("organize", "twins:music", "--yes", codes=(3,))
    assert "Band/Album (2001)/02 Foreign.mp3" in visible_files(server)


def visible_files(server: DriveRemote) -> list[str]:
    return [path for path in objects(server).values() if not path.startswith(OWN)]
