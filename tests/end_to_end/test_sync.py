"""`sync` on real servers: what each side has done, the exact trees afterwards, and a second run that sends nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.plan.planners.sync.each_way import COUNTS
from tests.faulty import Library
from tests.places import digest, visible
from tests.program import Ended, Program
from tests.providers import everywhere
from tests.servers.http import HttpProxy, Then
from tests.servers.remotes import DriveRemote

EIGHT = [f"d/f{number}.mp3" for number in range(1, 9)]


class Pair:
    """A folder of this machine, A, and a location on a server, B."""

    def __init__(self, b: Library, home: Path) -> None:
        self.here = home / "A"
        self.here.mkdir()
        self.b = b.place
        self.program = Program(home / "state", b.environment)

    def put(self, path: str, content: str) -> None:
        file = self.here / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def __call__(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.program("sync", str(self.here), self.b.location, "--yes", *options, codes=codes)

    def trees(self) -> tuple[dict[str, str], dict[str, str]]:
        files = [file for file in self.here.rglob("*") if file.is_file()]
        here = {file.relative_to(self.here).as_posix(): digest(file.read_bytes()) for file in files}
        return visible(here), visible(self.b.tree())

    def ends_with(self, tree: dict[str, str], *options: str) -> Ended:
        """The next sync gives both sides this tree, and the one after it does nothing."""
        ended = self(*options)
        wanted = {path: digest(content.encode()) for path, content in tree.items()}
        assert self.trees() == (wanted, wanted)
        again = self(*options)
        assert (again.summary["ops_planned"], again.summary["run"]) == (0, None)
        return ended


@pytest.fixture
def pair(library: Callable[..., Library], tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(library(request.param), tmp_path)


def content(path: str) -> str:
    return f"content of {path}"


@pytest.mark.shows("sync")
@pytest.mark.parametrize("pair", everywhere("s3_moto", "drive"), indirect=True)
def test_both_ways(pair: Pair) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
    dry = pair("--dry-run", "--exit-code", codes=(10,))
    assert (dry.summary["ops_planned"], dry.summary["b_added"], dry.summary["a_added"]) == (8, 8, 0)
    assert pair.trees()[1] == {}
    pair.ends_with({path: content(path) for path in EIGHT})

    # Here: an edit, a renamed folder, a deletion, a new file. There: an edit of another file, and a new one.
    pair.put("d/f1.mp3", "edited here")
    (pair.here / "d").rename(pair.here / "e")
    (pair.here / "e/f2.mp3").unlink()
    pair.put("new here.mp3", "new here")
    if isinstance(pair.b.server, DriveRemote):
        pair.b.server.tree.trash(f"{pair.b.prefix}/d/f3.mp3")  # otherwise there were two files of this name
    pair.b.put("d/f3.mp3", b"edited on the server")
    pair.b.put("new there.mp3", b"new there")
    tree = {f"e/f{number}.mp3": content(f"d/f{number}.mp3") for number in range(3, 9)}
    tree |= {"e/f1.mp3": "edited here", "e/f3.mp3": "edited on the server"}
    ended = pair.ends_with({**tree, "new here.mp3": "new here", "new there.mp3": "new there"}, "-v")
    assert "29 B to " in ended.stderr
    assert "19 B to " in ended.stderr
    assert ended.summary["ops_failed"] == ended.summary["ops_skipped"] == 0
    assert "each_way" not in ended.summary
    each_way = {name: ended.summary[name] for name in COUNTS}
    wanted = {"a_added": 1, "a_changed": 1, "b_added": 1, "b_changed": 1, "b_deleted": 1, "b_renamed": 7}
    assert each_way == {**dict.fromkeys(COUNTS, 0), **wanted, "bytes_to_a": 29, "bytes_to_b": 19}

    # The old contents are in the trash, and undo brings all of it back.
    before = pair.trees()[1]
    undone = pair.program("undo", ended.run, "--yes")
    assert undone.summary["ops_failed"] == 0
    assert {path.partition("/")[2] for path in pair.trees()[1] if path.startswith("d/")} >= {"f1.mp3", "f2.mp3", "f3.mp3"}
    assert pair.trees()[1] != before
    # Nothing that the undo did is carried over as if the user had done it.
    here = pair.trees()[0]
    pair(codes=(0, 3))
    assert here.items() <= pair.trees()[0].items()


@pytest.mark.parametrize("pair", [pytest.param("local", marks=pytest.mark.nightly), "s3_moto"], indirect=True)
def test_brakes_and_refusals(pair: Pair, tmp_path: Path) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    whole = pair.trees()
    for path in EIGHT[:5]:
        (pair.here / path).unlink()
    emptier = pair.trees()[0]
    refused = pair(codes=(7,))
    assert "--max-delete" in refused.errors[0]["message"]
    assert pair.trees() == (emptier, whole[1])
    hidden = pair.here.rename(tmp_path / "elsewhere")
    pair.here.mkdir()
    assert "mounted" in pair(codes=(7,)).errors[0]["message"]
    pair.here.rmdir()
    hidden.rename(pair.here)
    pair("--max-delete", "70%")
    assert pair.trees() == (emptier, emptier)

    location = pair.b.location
    for arguments in (
        [str(pair.here), str(pair.here)],
        [str(pair.here), str(pair.here / "d")],
        [str(pair.here), str(tmp_path / "missing")],
        [str(pair.here), location, "--to-cloud", "--bidirectional"],
        [str(pair.here), location, "--delete"],
        [str(pair.here), location, "--conflict", "best"],
    ):
        pair.program("sync", *arguments, "--yes", codes=(2,))


@pytest.mark.parametrize("pair", ["s3_moto"], indirect=True)
def test_one_way_whichever_side_stands_first(pair: Pair) -> None:
    here, there = str(pair.here), pair.b.location
    pair.put("a.mp3", "a")
    pair.b.put("b.mp3", b"b")
    for order in ([here, there], [there, here]):
        pair.program("sync", *order, "--to-cloud", "--yes")
        assert [sorted(tree) for tree in pair.trees()] == [["a.mp3"], ["a.mp3", "b.mp3"]]
    pair.program("sync", "--to-local", there, here, "--yes")
    assert [sorted(tree) for tree in pair.trees()] == [["a.mp3", "b.mp3"]] * 2
    (pair.here / "a.mp3").unlink()
    pair.program("sync", there, here, "--to-cloud", "--yes")
    assert sorted(pair.trees()[1]) == ["a.mp3", "b.mp3"]
    pair.program("sync", there, here, "--to-cloud", "--delete", "--yes", "--max-delete", "1")
    assert sorted(pair.trees()[1]) == ["b.mp3"]


@pytest.mark.parametrize("pair", [pytest.param("local", marks=pytest.mark.nightly), "s3_moto"], indirect=True)
def test_an_edit_that_keeps_size_and_time_is_carried_and_new_times_are_not(pair: Pair) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    file = pair.here / EIGHT[0]
    before = file.stat()
    file.write_text(content(EIGHT[0]).upper())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    for path in EIGHT[1:]:
        os.utime(pair.here / path, (1, 10**9))
    ended = pair.ends_with({**{path: content(path) for path in EIGHT}, EIGHT[0]: content(EIGHT[0]).upper()})
    assert ended.summary["ops_done"] == 1


def test_a_rename_beside_a_server_without_hashes_sends_nothing(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    """A rename gives a file a new time of change, as an edit does: the hash of what was sent tells them apart."""
    library, proxy = proxied("webdav")
    pair = Pair(library, tmp_path)
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    tree = {path: content(path) for path in EIGHT}
    (pair.here / EIGHT[0]).rename(pair.here / "renamed.mp3")
    tree["renamed.mp3"] = tree.pop(EIGHT[0])
    proxy.reset()
    pair.ends_with(tree)
    assert [seen.path for seen in proxy.requests if seen.method == "PUT" and seen.path.endswith(".mp3")] == []
    status = (pair.here / EIGHT[1]).stat()
    (pair.here / EIGHT[1]).rename(pair.here / "renamed and edited.mp3")
    pair.put("renamed and edited.mp3", "x" * status.st_size)
    os.utime(pair.here / "renamed and edited.mp3", ns=(status.st_atime_ns, status.st_mtime_ns))
    del tree[EIGHT[1]]
    pair.ends_with({**tree, "renamed and edited.mp3": "x" * status.st_size})


@pytest.mark.parametrize("pair", ["s3_moto"], indirect=True)
def test_two_machines_and_one_cloud(pair: Pair, tmp_path: Path) -> None:
    """Each has a common state of its own, and what one deletes does not come back from the other."""
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    second = tmp_path / "second machine"
    second.mkdir()
    other = Program(tmp_path / "other state", pair.program.environment)
    other("sync", str(second), pair.b.location, "--yes")
    (second / EIGHT[0]).unlink()
    (second / EIGHT[1]).write_text("edited on the second machine")
    (second / EIGHT[2]).rename(second / "moved.mp3")
    other("sync", str(second), pair.b.location, "--yes")
    tree = {path: content(path) for path in EIGHT[3:]}
    pair.ends_with({**tree, EIGHT[1]: "edited on the second machine", "moved.mp3": content(EIGHT[2])})
    assert other("sync", pair.b.location, str(second), "--yes").summary["ops_planned"] == 0


@pytest.mark.parametrize("number", [5, *(pytest.param(number, marks=pytest.mark.nightly) for number in (2, 9, 12))])
def test_a_sync_that_was_killed_is_finished_by_the_next(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, number: int
) -> None:
    library, proxy = proxied("s3_moto")
    pair = Pair(library, tmp_path)
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    for path in EIGHT[:3]:
        pair.put(path, f"edited {path}")
    (pair.here / EIGHT[3]).unlink()
    (pair.here / EIGHT[4]).rename(pair.here / "moved.mp3")
    pair.b.put("new there.mp3", b"new there")
    started: list[int] = []
    proxy.reset()
    proxy.at(number, Then(lambda: os.kill(started[0], signal.SIGKILL), reply=bool(number % 2)))
    process = pair.program.start("sync", str(pair.here), pair.b.location, "--yes")
    started.append(process.pid)
    assert pair.program.end(process).code == -signal.SIGKILL
    proxy.reset()
    tree = {path: content(path) for path in EIGHT[5:]} | {path: f"edited {path}" for path in EIGHT[:3]}
    pair.ends_with({**tree, "moved.mp3": content(EIGHT[4]), "new there.mp3": "new there"})


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_where_a_symlink_lies_nothing_is_done_on_either_side(pair: Pair, tmp_path: Path) -> None:
    for path in (*EIGHT, "album/1.mp3", "album/2.mp3"):
        pair.put(path, content(path))
    pair()
    # The user has moved an album and a song to another disk, and works on at the other side.
    away = (pair.here / "album").rename(tmp_path / "album elsewhere")
    (pair.here / "album").symlink_to(away)
    song = (pair.here / EIGHT[0]).rename(tmp_path / "song elsewhere.mp3")
    (pair.here / EIGHT[0]).symlink_to(song)
    pair.b.put("album/3.mp3", b"new there")
    pair.b.put(EIGHT[0], b"edited there")
    before = pair.trees()[1]
    for _ in range(2):
        ended = pair(codes=(3,))
        assert [(one["code"], one["path"]) for one in ended.errors] == [("link", "album"), ("link", EIGHT[0])]
        assert pair.trees()[1] == before
        assert sorted(file.name for file in away.iterdir()) == ["1.mp3", "2.mp3"]
    assert pair("--exclude", "album/**", "--exclude", EIGHT[0]).summary["ops_planned"] == 0


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_a_file_renamed_to_bytes_that_are_not_utf_8_is_no_deletion(pair: Pair) -> None:
    for path in EIGHT:
        pair.put(path, content(path) + path[-5] * int(path[-5]))  # of different sizes
    pair()
    before = pair.trees()[1]
    (pair.here / EIGHT[0]).rename(os.fsdecode(os.fsencode(pair.here / "d") + b"/f\xe9.mp3"))
    pair.put("new.mp3", "new")
    ended = pair(codes=(3,))
    assert [one["code"] for one in ended.errors] == ["unsupported-name"]
    assert pair.trees()[1] == {**before, "new.mp3": digest(b"new")}
    assert pair(codes=(3,)).summary["ops_planned"] == 0


@pytest.mark.parametrize(
    "pair", ["s3_moto", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("webdav", "drive"))], indirect=True
)
def test_delete_after_moves_what_the_target_has_and_undo_copies_it_back(pair: Pair) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
    pair("--to-cloud")
    pair.put("d/f1.mp3", "edited here")
    pair.put("new.mp3", "new here")
    before = pair.trees()
    moved = pair("--to-cloud", "--delete-after")
    after = {**before[1], "d/f1.mp3": digest(b"edited here"), "new.mp3": digest(b"new here")}
    assert (moved.summary["ops_failed"], pair.trees()) == (0, ({}, after))
    # For good, and no deletion later on, in whichever direction.
    assert [file for file in (pair.here / ".music-orchestrator").rglob("*.mp3") if file.is_file()] == []
    for options in ([], ["--to-cloud", "--delete"]):
        assert pair(*options, "--max-delete", "100%").summary["ops_planned"] == 0, options
    assert pair.trees() == ({}, after)
    undone = pair.program("undo", moved.run, "--yes")
    assert (undone.summary["ops_failed"], pair.trees()) == (0, before)
    assert pair.program("undo", moved.run, "--yes").summary["ops_planned"] == 0


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_delete_after_moves_what_is_alike_also_if_nothing_else_is_to_be_done(pair: Pair, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    cloud = f"cloud: {{provider: alias, options: {{remote: {pair.b.location}}}, sync_mode: upload, delete_after_sync: "
    a_to_cloud = ["sync", str(pair.here), "cloud:", "--yes", "--config", str(config)]
    for arguments, after in ((["--to-cloud", "--delete-after"], "false"), ([], "true")):
        config.write_text(f"{cloud}false}}\n")
        for path in EIGHT:
            pair.put(path, content(path))
        pair.program(*a_to_cloud)
        assert pair.program(*a_to_cloud).summary["ops_planned"] == 0
        config.write_text(f"{cloud}{after}}}\n")
        assert pair.program(*a_to_cloud, *arguments).summary["ops_done"] == 8
        assert pair.trees() == ({}, {path: digest(content(path).encode()) for path in EIGHT})
        assert pair.program(*a_to_cloud, *arguments).summary["ops_planned"] == 0


@pytest.mark.parametrize("pair", ["webdav"], indirect=True)
def test_checksum_sees_an_edit_that_keeps_size_and_time_where_there_are_no_hashes(pair: Pair) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    assert pair.b.directory is not None
    stored = pair.b.directory / EIGHT[0]
    before = stored.stat()
    pair.b.put(EIGHT[0], content(EIGHT[0]).upper().encode())
    os.utime(stored, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert pair().summary["ops_planned"] == 0
    checked = pair("--checksum")
    assert (checked.summary["ops_done"], checked.summary["bytes_read"]) == (1, sum(len(content(path)) for path in EIGHT))
    assert (pair.here / EIGHT[0]).read_text() == content(EIGHT[0]).upper()
    assert pair("--checksum").summary["ops_planned"] == 0


@pytest.mark.parametrize("pair", ["s3_moto"], indirect=True)
def test_a_saved_plan_is_carried_out_later_and_known_to_the_next_sync(pair: Pair, tmp_path: Path) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
    file = str(tmp_path / "plan")
    pair("--dry-run", "--plan", file)
    assert pair.trees()[1] == {}
    pair.program("show", file)
    dry = pair.program("apply", file, "--dry-run")
    assert {name: dry.summary[name] for name in COUNTS if dry.summary[name]} == {
        "b_added": 8,
        "bytes_to_b": sum(len(content(path)) for path in EIGHT),
    }
    assert pair.trees()[1] == {}
    pair.program("apply", file, "--yes")
    assert pair.trees()[0] == pair.trees()[1]
    assert pair.program("apply", file, "--yes", codes=(4,)).errors[0]["code"] == "stale"
    # What the plan has brought there was in sync: its rename and its deletion are carried over.
    (pair.here / EIGHT[0]).rename(pair.here / "renamed.mp3")
    (pair.here / EIGHT[1]).unlink()
    pair("--dry-run", "--plan", file, "--to-cloud", "--delete-after")
    moved = pair.program("apply", file, "--yes")
    assert (moved.summary["ops_failed"], pair.trees()[0]) == (0, {})
    assert pair.trees()[1].keys() == {*EIGHT[1:], "renamed.mp3"}  # without --delete, the deletion is not carried over
    # Another sync has ended since the plan was made.
    pair.put("new.mp3", "new")
    for options in (["--dry-run", "--plan", file], []):
        pair("--to-cloud", "--delete-after", *options)
    assert "after the plan was made" in pair.program("apply", file, "--yes", codes=(4,)).errors[0]["message"]


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_a_saved_plan_without_operations_records_that_both_sides_are_alike(pair: Pair, tmp_path: Path) -> None:
    for path in EIGHT:
        pair.put(path, content(path))
        pair.b.put(path, content(path).encode())
    file = str(tmp_path / "plan")
    assert pair("--dry-run", "--plan", file).summary["ops_planned"] == 0
    pair.program("apply", file, "--dry-run")
    pair.program("apply", file, "--yes")
    assert pair.program("apply", file, "--yes", codes=(4,)).errors[0]["code"] == "stale"
    (pair.here / EIGHT[0]).unlink()
    pair()
    assert pair.trees()[1].keys() == {*EIGHT[1:]}, "it was in sync, so this was a deletion"


@pytest.mark.parametrize("pair", ["s3_moto", pytest.param("webdav", marks=pytest.mark.nightly)], indirect=True)
def test_what_cannot_be_synced_is_refused(pair: Pair, tmp_path: Path) -> None:
    """One place under two names, a place inside another, a file, a missing folder: 2, and nothing was changed."""
    pair.put("d/a.mp3", "a")
    pair.b.put("d/a.mp3", b"a")
    here, there = str(pair.here), pair.b.location
    link = tmp_path / "link"
    link.symlink_to(pair.here)
    aliases = {name: {"type": "alias", "options": {"remote": place}} for name, place in (("here", here), ("there", there))}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"remotes": aliases}))
    for a, b in (
        (here, str(link)),
        (str(link / "d"), here),
        (here, "here:"),
        ("here:d", here),
        (there, "there:"),
        ("there:d", there),
        (there, f"{there}/d/"),
        (here, f"{here}/d/a.mp3"),
        (here, f"{there}/d/a.mp3"),
        (f"{tmp_path}/missing", there),
    ):
        ended = pair.program("sync", a, b, "--yes", "--config", str(config), codes=(2,))
        assert ended.errors[0]["message"], (a, b)
    assert [sorted(tree) for tree in pair.trees()] == [["d/a.mp3"]] * 2
    assert not (pair.here / ".music-orchestrator").exists()
    # A copy of a folder that was synced.
    pair()
    shutil.copytree(here, tmp_path / "copy")
    ended = pair.program("sync", here, str(tmp_path / "copy"), "--yes", codes=(2,))
    assert "place-id" in ended.errors[0]["message"]


@pytest.mark.parametrize("number", [5, *(pytest.param(number, marks=pytest.mark.nightly) for number in (1, 2, 3, 4, 6))])
def test_a_killed_sync_that_deletes_its_source_is_finished_and_nothing_comes_back(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, number: int
) -> None:
    library, proxy = proxied("s3_moto")
    pair = Pair(library, tmp_path)
    for path in EIGHT[:4]:
        pair.put(path, content(path))
    pair()
    pair.put(EIGHT[0], "edited here")
    pair.put("new.mp3", "new here")
    texts = {**{path: content(path) for path in EIGHT[1:4]}, EIGHT[0]: "edited here", "new.mp3": "new here"}
    wanted = {path: digest(text.encode()) for path, text in texts.items()}
    started: list[int] = []
    proxy.reset()
    proxy.at(number, Then(lambda: os.kill(started[0], signal.SIGKILL), reply=bool(number % 2)))
    moving = ["sync", str(pair.here), pair.b.location, "--yes", "--to-cloud", "--delete-after"]
    process = pair.program.start(*moving)
    started.append(process.pid)
    assert pair.program.end(process).code == -signal.SIGKILL
    proxy.reset()
    assert set(wanted.values()) <= {found for tree in pair.trees() for found in tree.values()}
    pair.program(*moving)
    assert pair.trees() == ({}, wanted)
    assert pair().summary["ops_planned"] == 0
    assert pair.trees() == ({}, wanted)
