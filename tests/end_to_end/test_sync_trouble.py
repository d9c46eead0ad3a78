"""`sync` when a side has lost much, is another disk, cannot be listed or named, or when others work in it meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.places import digest
from tests.servers.http import Hold, Refuse
from tests.sync_cases import FIRST, NEWER, NEWEST, Case, Tree, songs
from tests.sync_sides import Side, Synced

AT_NIGHT = pytest.mark.nightly
PAIRS = [
    ("local", "local"),
    *(
        pytest.param(pair, marks=AT_NIGHT)
        for pair in (("local", "s3_moto"), ("local", "drive"), ("local", "dropbox"), ("s3_moto", "webdav"))
    ),
]


def whole_listing(side: Side) -> str:
    """What the WebDAV server answers to a look into the folder of a case."""
    place = side.store.place
    assert place.server is not None
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", place.server.port)) as connection:
        connection.request("PROPFIND", f"/{place.prefix}/Music/", headers={"Depth": "1"})
        return connection.getresponse().read().decode()


class Folder(Case):
    """The only folder of both sides."""

    def __init__(self, synced: Synced) -> None:
        super().__init__("Music", synced.sides, synced.settings["state"], "")
        self.synced = synced

    def check(self, tree: Tree, b: Tree | None = None) -> None:
        """Both sides have this tree; B another one if it is given."""
        wanted = [{f"{self.name}/{path}": digest(content) for path, content in one.items()} for one in (tree, b or tree)]
        assert [*self.synced.trees()] == wanted

    def ends_with(self, tree: Tree, *options: str, codes: tuple[int, ...] = (0,)) -> None:
        """The next sync gives both sides this tree, and one more does nothing."""
        self.synced(*options, codes=codes)
        self.check(tree)
        self.synced.does_nothing(codes=codes)

    def refused(self, *options: str, because: str) -> None:
        """The next sync changes nothing, and says why."""
        before = self.synced.everything()
        self.synced.reset()
        [error] = self.synced(*options, codes=(7,)).errors
        assert because in error["message"]
        assert [side.changes for side in self.synced.sides] == [0, 0]
        assert self.synced.everything() == before


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("side", [pytest.param(0, marks=AT_NIGHT), 1])
def test_a_side_that_has_lost_or_changed_much(synced: Callable[..., Synced], kinds: tuple[str, str], side: int) -> None:
    folder = Folder(synced(kinds))
    hand, nine = folder.hands[side], songs(*range(1, 10))
    tree = folder.start(*nine)
    folder.ends_with(tree)

    def edit(words: str, *paths: str) -> Tree:
        return {path: hand.put(path, folder.song(path, words), NEWER) for path in paths}

    tree |= edit("all but one are edited", *nine[1:])
    folder.ends_with(tree)
    tree = edit("and now all", *nine)
    folder.refused(because="--max-delete 100%")
    folder.ends_with(tree, "--max-delete", "100%")

    hand.delete(*nine[4:])
    folder.refused(because="--max-delete")
    folder.refused("--max-delete", "4", because="--max-delete")
    hand.delete(*nine[:4])
    folder.refused("--max-delete", "100%", because="is empty")
    left = {path: hand.put(path, tree[path], NEWER) for path in nine[:4]}
    folder.ends_with(left, "--max-delete", "60%")


@AT_NIGHT
@pytest.mark.parametrize("kinds", [("local", "s3_moto"), pytest.param(("s3_moto", "webdav"), marks=AT_NIGHT)])
def test_files_that_appear_during_a_sync_are_left_for_the_next(synced: Callable[..., Synced], kinds: tuple[str, str]) -> None:
    folder = Folder(synced(kinds))
    tree = folder.start(*songs(1, 2, 3))
    folder.ends_with(tree)
    days, tree = (NEWER, NEWEST), {path: tree[path] for path in songs(1, 2)}
    loser = folder.loser(days)
    new: Tree = {}
    for number in (1, 2, 3):
        tree |= folder.conflict("3.mp3", days, copy=folder.copy_name("3.mp3", loser, days[loser], number), words=str(number))
        hold = Hold()
        proxy = next(side.proxy for side in reversed(folder.synced.sides) if side.proxy is not None)
        if number == 1:
            proxy.when(lambda seen: bool(seen.change) and "Music/3" in unquote(seen.path), hold, times=1)
        running = folder.synced.start()
        if number == 1:
            assert hold.held.wait(60)
            for count in range(50):
                for hand, letter in zip(folder.hands, "AB", strict=True):
                    path = f"new on {letter} {count}.mp3"
                    new[path] = hand.put(path, path.encode())
            hold.release.set()
        assert running.end().code == 0
        if number == 1:
            trees = [{path: content for path, content in new.items() if f" {letter} " in path} for letter in "AB"]
            folder.check({**tree, **trees[0]}, {**tree, **trees[1]})
            tree |= new
        else:
            folder.check(tree)
        folder.synced.reset()
    folder.synced.does_nothing()


@pytest.mark.parametrize("way", [(), ("--to-local", "--delete")])
def test_a_file_that_a_listing_left_out_is_not_deleted_on_the_other_side(
    synced: Callable[..., Synced], way: tuple[str, ...]
) -> None:
    folder = Folder(synced(("local", "webdav")))
    tree = folder.start(*songs(*range(1, 10)))
    folder.ends_with(tree)
    proxy = folder.synced.sides[1].proxy
    assert proxy is not None
    folder.b.delete("9.mp3")
    del tree["9.mp3"]
    listing = whole_listing(folder.synced.sides[1])
    answers = re.split(r"(?=<D:response>)", listing)
    behind = "".join(one for one in answers if not re.search(r"/[12]\.mp3</D:href>", one))
    assert len(behind) < len(listing)

    folder.synced.reset()
    proxy.when(
        lambda seen: seen.method == "PROPFIND" and seen.path.rstrip("/").endswith("/Music"),
        Refuse(207, {"Content-Type": "application/xml"}, behind.encode()),
    )
    ended = folder.synced(*way)
    proxy.end_faults()
    [warning] = [event["message"] for event in ended.events if event["type"] == "warning"]
    assert "left out 2 files, such as Music/1.mp3" in warning
    assert ended.summary["a_deleted"] == 1, "what is gone is deleted"
    folder.check(tree)
    folder.synced.does_nothing(*way)


def test_below_a_folder_that_may_not_be_listed_nothing_is_done(synced: Callable[..., Synced]) -> None:
    folder = Folder(synced(("local", "webdav")))
    tree = folder.start("1.mp3", "2.mp3", *songs(1, 2, 3, folder="closed/"))
    folder.ends_with(tree)
    b = dict(tree)
    tree["1.mp3"] = b["1.mp3"] = folder.a.put("1.mp3", folder.song("1.mp3", "edited"), NEWER)
    tree["closed/1.mp3"] = folder.a.put("closed/1.mp3", folder.song("closed/1.mp3", "edited"), NEWER)
    tree["closed/new.mp3"] = folder.a.put("closed/new.mp3", folder.song("new"))
    tree["outside.mp3"] = tree.pop("closed/2.mp3")
    folder.a.rename("closed/2.mp3", "outside.mp3")
    folder.a.delete("closed/3.mp3")
    del tree["closed/3.mp3"]
    [side] = [side for side in folder.synced.sides if side.proxy is not None]
    assert side.proxy is not None
    side.proxy.when(lambda seen: seen.method == "PROPFIND" and "/closed" in seen.path, Refuse(403))
    for _ in range(2):
        ended = folder.synced(codes=(3,))
        assert [(error["code"], error["path"]) for error in ended.errors] == [("closed", "Music/closed")]
        folder.check(tree, b)
    side.reset()
    folder.ends_with(tree)


def test_a_name_that_the_server_refuses_is_no_deletion(synced: Callable[..., Synced]) -> None:
    folder = Folder(synced(("local", "s3_moto")))
    tree = folder.start(*songs(1, 2, 3))
    folder.ends_with(tree)
    folder.a.rename("1.mp3", "a?b.mp3")
    a = {**tree, "a?b.mp3": tree["1.mp3"]}
    del a["1.mp3"]
    proxy = folder.synced.sides[1].proxy
    assert proxy is not None
    for words in ("", "", "edited on A", "edited on B"):
        if words:
            hand, path = (folder.a, "a?b.mp3") if words[-1] == "A" else (folder.b, "1.mp3")
            a["a?b.mp3"] = tree["1.mp3"] = hand.put(path, folder.song("1.mp3", words), NEWER)
        folder.synced.reset()
        proxy.when(lambda seen: bool(seen.change) and "a?b" in unquote(seen.path.partition("?")[0]), Refuse(400))
        folder.synced(codes=(3,))
        folder.check(a, tree)


def test_another_disk_under_the_same_path(synced: Callable[..., Synced], tmp_path: Path) -> None:
    folder = Folder(synced(("local", "s3_moto")))
    tree = folder.start(*songs(*range(1, 7)))
    folder.ends_with(tree)
    here = folder.synced.sides[0].root
    assert here is not None

    away = here.rename(tmp_path / "the first disk")
    here.mkdir()
    folder.refused(because="mounted")
    (here / "Music").mkdir()
    other = {"other.mp3": folder.a.put("other.mp3", b"of another disk")}
    folder.refused(because="mounted")

    # A disk that has an id of its own, from another sync.
    (tmp_path / "third").mkdir()
    elsewhere = {**folder.synced.settings, "state": tmp_path / "state of another machine"}
    folder.synced.forks.run("sync", str(here), str(tmp_path / "third"), **elsewhere)
    ended = folder.synced()
    assert [event for event in ended.events if event["type"] == "warning" and "another folder" in event["message"]]
    folder.check({**tree, **other})
    folder.synced.does_nothing()

    here.rename(tmp_path / "the second disk")
    away.rename(here)
    folder.a.delete("1.mp3")
    del tree["1.mp3"]
    folder.synced()
    folder.check({**tree, **other})


@pytest.mark.parametrize("restored", ["side", "state"])
@pytest.mark.parametrize("kinds", [("local", "local"), ("local", "webdav"), pytest.param(("s3_moto", "local"), marks=AT_NIGHT)])
def test_what_was_restored_from_a_backup_deletes_nothing_on_the_other_side(
    synced: Callable[..., Synced], kinds: tuple[str, str], restored: str
) -> None:
    """What came after the backup looks deleted there, and its old files look edited."""
    folder = Folder(synced(kinds))
    tree = folder.start(*songs(*range(1, 7)))
    folder.ends_with(tree)
    side = kinds.index("local")
    root = folder.synced.sides[side].root
    assert root is not None
    place = {"side": root, "state": folder.synced.settings["state"]}[restored]
    backup = place.with_name("backup")
    shutil.copytree(place, backup)

    tree["7.mp3"], tree["8.mp3"] = folder.a.put("7.mp3", folder.song("7.mp3")), folder.b.put("8.mp3", folder.song("8.mp3"))
    tree["1.mp3"] = folder.a.put("1.mp3", folder.song("1.mp3", "edited"), NEWER)
    folder.a.delete("2.mp3")
    second = tree.pop("2.mp3")
    folder.ends_with(tree)
    if restored == "state":
        # Known of old, on one side now: with that state, it looks deleted on the other one.
        tree["2.mp3"] = folder.b.put("2.mp3", second)
    shutil.rmtree(place)
    backup.rename(place)

    ended = folder.synced("--conflict", "ba"[side])
    [warning] = [event["message"] for event in ended.events if event["type"] == "warning"]
    assert "restored from a backup" in warning
    tree["2.mp3"] = second
    folder.check(tree)
    folder.synced.does_nothing()
    # From then on, it is a sync like any other.
    folder.a.delete("8.mp3")
    del tree["8.mp3"]
    folder.ends_with(tree)


def test_a_plan_of_a_sync_is_stale_if_a_side_was_restored_from_a_backup(synced: Callable[..., Synced], tmp_path: Path) -> None:
    folder = Folder(synced(("local", "local")))
    tree = folder.start(*songs(*range(1, 7)))
    folder.ends_with(tree)
    root = folder.synced.sides[0].root
    assert root is not None
    shutil.copytree(root, tmp_path / "backup")
    tree["7.mp3"] = folder.a.put("7.mp3", folder.song("7.mp3"))
    folder.ends_with(tree)
    tree["8.mp3"] = folder.b.put("8.mp3", folder.song("8.mp3"))
    folder.synced("--dry-run", "--plan", str(tmp_path / "sync.plan"))
    shutil.rmtree(root)
    (tmp_path / "backup").rename(root)

    before = folder.synced.everything()
    ended = folder.synced.forks.run("apply", str(tmp_path / "sync.plan"), "--yes", codes=(4,), **folder.synced.settings)
    assert "restored from a backup" in ended.errors[0]["message"]
    assert folder.synced.everything() == before


def test_a_copy_with_the_id_of_its_original_is_refused_and_a_moved_folder_is_not(synced: Callable[..., Synced]) -> None:
    """What both had in common with the third is known of one of them only."""
    folder = Folder(synced(("local", "webdav")))
    tree = folder.start(*songs(*range(1, 7)))
    folder.ends_with(tree)
    here, there = (side.store.place.directory for side in folder.synced.sides)
    assert here is not None
    assert there is not None

    def refused(a: Path | str, b: Path | str, *options: str) -> None:
        before = folder.synced.everything()
        ended = folder.synced.forks.run("sync", str(a), str(b), *options, codes=(2,), **folder.synced.settings)
        assert "place-id" in ended.errors[0]["message"]
        assert folder.synced.everything() == before

    copy, moved = here.with_name("copy"), here.with_name("moved")
    shutil.copytree(here, copy)
    (copy / "Music/1.mp3").unlink()
    for options in ([], ["--dry-run"], ["--resync"]):
        refused(copy, folder.synced.sides[1].location, *options)
    copy_there = there.with_name(f"{there.name} copy")
    shutil.copytree(there, copy_there)
    refused(here, f"{folder.synced.sides[1].location} copy")
    # Without the id, it is a place of its own.
    (copy / ".music-orchestrator/place-id").unlink()
    folder.synced.forks.run("sync", str(copy), folder.synced.sides[1].location, **folder.synced.settings)
    assert (copy / "Music/1.mp3").exists()
    folder.synced.does_nothing()

    here.rename(moved)
    (moved / "Music/2.mp3").unlink()
    folder.synced.forks.run("sync", str(moved), folder.synced.sides[1].location, **folder.synced.settings)
    assert not (there / "Music/2.mp3").exists()
    shutil.copytree(moved, here)
    refused(here, folder.synced.sides[1].location)

    # One folder under two names, although nothing but a file that is put there shows it.
    ended = folder.synced.forks.run("sync", str(moved), str(there), **folder.synced.settings)
    assert ended.summary["ops_planned"] == 0


def test_without_hashes_an_edit_of_equal_size_is_seen_by_its_time(synced: Callable[..., Synced]) -> None:
    """On the disk by its time of change, on the server by the time of the upload."""
    folder = Folder(synced(("local", "webdav")))
    tree = folder.start(*songs(1, 2, 3, 4))
    folder.ends_with(tree)
    for path, hand, day in (("1.mp3", folder.a, FIRST), ("2.mp3", folder.b, NEWEST)):
        edited = tree[path].replace(b"Music", b"MUSIC")
        assert edited != tree[path]
        tree[path] = hand.put(path, edited, day)
    folder.a.delete("3.mp3")
    folder.b.delete("4.mp3")
    folder.ends_with({path: tree[path] for path in songs(1, 2)})
