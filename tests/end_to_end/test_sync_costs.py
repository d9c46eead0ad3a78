"""What `sync` sends, counted at the server: nothing for renames, and each edited file once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import FORMATS, make_many, many_tracks
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import digest
from tests.sync_sides import Synced

TRACKS = 1000 if NIGHTLY else 200
PER_ALBUM = 10
_LISTING_AND_MARKER = 60
"""Requests of a sync of 100 folders, however many files it sends."""


@pytest.mark.parametrize("kind", ["webdav", pytest.param("s3_moto", marks=pytest.mark.nightly)])
def test_a_library_that_is_reorganized_is_not_sent_again(synced: Callable[..., Synced], forks: Forks, kind: str) -> None:
    sync = synced(("local", kind))
    sync.settings["hasty"] = False  # a folder in which others work at the same time is locked on WebDAV
    here, there = sync.sides
    assert here.root is not None
    make_many(here.root, TRACKS)
    sync()
    assert len(there.uploads()) == TRACKS

    def carried(sent: int) -> Counter[str]:
        """The next sync sends that many files, and nothing is lost or doubled."""
        before = Counter(here.tree().values())
        sync.reset()
        ended = sync()
        assert len(there.uploads()) == sent
        assert ended.summary["ops_failed"] == 0
        trees = sync.trees()
        assert trees[0] == trees[1]
        assert Counter(trees[1].values()) == before
        return before

    forks.run("organize", here.location, **sync.settings)
    organized = carried(0)

    # By hand, as with `mv`: a folder of an artist, a folder of an album, and single files.
    artists = sorted(path for path in here.root.iterdir() if path.name != ".music-orchestrator")
    artists[0].rename(here.root / "An artist under another name")
    album = next(path for path in sorted(artists[1].iterdir()) if path.is_dir())
    album.rename(here.root / "An album somewhere else")
    for number, file in enumerate(sorted(artists[-1].rglob("*.mp3"))):
        file.rename(here.root / f"{number}.mp3")
    assert carried(0) == organized

    retagged = sorted(here.root.rglob("*.mp3"))[: TRACKS // PER_ALBUM]
    for number, file in enumerate(retagged):
        _retag(file, f"A better title {number}")
    assert (carried(len(retagged)) & organized).total() == TRACKS - len(retagged)
    kept = Counter(there.everything().values())
    assert kept >= organized, "the old contents are in the trash"
    sync.does_nothing()


@pytest.mark.nightly
@pytest.mark.parametrize(("kind", "most"), [("s3_moto", 10), ("drive", 9), ("dropbox", 11)])
@pytest.mark.parametrize("folders", [10, 100])
def test_an_edit_costs_few_requests_wherever_the_files_lie(
    synced: Callable[..., Synced], kind: str, most: int, folders: int
) -> None:
    """100 of 1,000 files, in 10 folders or in 100: each is sent once; our own looks and the listing are counted, too."""
    sync = synced(("local", kind))
    here, there = sync.sides
    assert here.root is not None
    assert there.proxy is not None
    for name, content in many_tracks(1000):
        number = int(name.split()[1]) * PER_ALBUM + int(name.rpartition("track")[2].removesuffix(".mp3")) - 1
        file = here.root / f"Artist {number // 30}/Album {number // PER_ALBUM}/{number % PER_ALBUM} Title.mp3"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    sync()
    before = here.tree()
    edited = [file for file in here.root.rglob("*.mp3") if _lies_in(file, folders)]
    assert len(edited) == 100
    for number, file in enumerate(edited):
        _retag(file, f"A better title {number}")
    sync.reset()
    ended = sync()
    assert (ended.summary["ops_planned"], ended.summary["ops_failed"]) == (100, 0)
    assert len(there.proxy.requests) <= most * len(edited) + _LISTING_AND_MARKER
    after, everything = there.tree(), Counter(there.everything().values())
    assert (after, len(after)) == (here.tree(), 1000)
    assert everything >= Counter(before.values()) + (Counter(after.values()) - Counter(before.values())), "old ones in the trash"
    sync.does_nothing()


def _lies_in(file: Path, folders: int) -> bool:
    """Whether it is one of 100 files that lie in so many folders."""
    album, title = int(file.parent.name.split()[1]), int(file.name.split()[0])
    return album < folders and title < 100 // folders


def _retag(file: Path, title: str) -> None:
    before = digest(file.read_bytes())
    with file.open("r+b") as stream:
        FORMATS["mp3"].save(stream, Track(title=(title,), track=1), b"")
    assert digest(file.read_bytes()) != before


def test_a_deleted_file_does_not_come_back_from_a_second_machine(synced: Callable[..., Synced], tmp_path: Path) -> None:
    """One cloud and two machines, each with its own record; the second has been away for long."""
    sync = synced(("local", "s3_moto"))
    first, cloud = sync.sides
    assert first.root is not None
    make_many(first.root, PER_ALBUM)
    sync()
    second = tmp_path / "second machine"
    second.mkdir()
    settings = {**sync.settings, "state": tmp_path / "state of the second machine"}

    def second_syncs() -> dict[str, str]:
        sync.forks.run("sync", str(second), cloud.location, **settings)
        files = [file for file in second.rglob("*.mp3") if ".music-orchestrator" not in file.parts]
        tree = {file.relative_to(second).as_posix(): digest(file.read_bytes()) for file in files}
        assert tree == cloud.tree()
        return tree

    tree = second_syncs()
    gone, renamed, *_ = sorted(tree)
    (first.root / gone).unlink()
    (first.root / renamed).rename(first.root / "renamed.mp3")
    sync()
    tree["renamed.mp3"] = tree.pop(renamed)
    del tree[gone]
    for _ in range(2):
        sync.reset()
        assert second_syncs() == tree
        assert not cloud.uploads()
        sync.does_nothing()
