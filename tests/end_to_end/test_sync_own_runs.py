"""`sync` and what the program remembers: what its runs have renamed or quarantined, and the names that a remote refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audio import many_tracks
from tests.end_to_end.test_sync import Pair
from tests.faulty import Library
from tests.places import digest
from tests.program import Ended
from tests.servers.http import HttpProxy, Refuse, Seen


@pytest.fixture
def pair(library: Callable[..., Library], tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(library(request.param), tmp_path)


def fill(pair: Pair) -> dict[str, str]:
    """Two albums on both sides; the tree."""
    for path, content in many_tracks(8, per_album=4):
        file = pair.here / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        (file.parent / "cover.jpg").write_bytes(b"cover")
    pair()
    return pair.trees()[0]


def changes(ended: Ended) -> dict[str, int]:
    """What a sync did to each side, and how many bytes it sent."""
    counts = next(event["counts"] for event in ended.events if event["type"] == "plan")
    return {name: value for name, value in counts.items() if value and name.startswith(("a_", "b_", "bytes_to_"))}


# WebDAV without hashes and times, SFTP without ids.
@pytest.mark.parametrize("pair", ["wsgidav", pytest.param("sftp", marks=pytest.mark.nightly)], indirect=True)
def test_what_organize_renames_is_renamed_on_the_other_side(pair: Pair) -> None:
    before = fill(pair)
    there = pair.b.location
    # First inside the synced location, then all of it: two steps for some files.
    pair.program("organize", f"{there}/unsorted/00", "--yes", "--layout", "{{ title }}.{{ ext }}")
    run = pair.program("organize", there, "--yes").run
    organized = pair.trees()[1]
    assert not organized.keys() & before.keys()
    assert changes(pair()) == {"a_renamed": len(before)}
    assert pair.trees() == (organized, organized)
    assert pair().summary["ops_planned"] == 0
    # The undo of a run is a run as well.
    pair.program("undo", run, "--yes")
    undone = pair.trees()[1]
    assert changes(pair()) == {"a_renamed": len(undone.keys() - organized.keys())}
    assert pair.trees() == (undone, undone)
    # The same on this machine's side.
    pair.program("organize", str(pair.here), "--yes")
    assert changes(pair()) == {"b_renamed": len(undone.keys() - pair.trees()[0].keys())}
    assert pair.trees()[1] == pair.trees()[0] != undone


@pytest.mark.parametrize("pair", ["wsgidav"], indirect=True)
def test_what_dedup_quarantines_is_a_deletion_on_the_other_side(pair: Pair) -> None:
    tree = fill(pair)
    song = next(path for path in tree if path.endswith(".mp3"))
    (pair.here / "copy.mp3").write_bytes((pair.here / song).read_bytes())
    pair()
    tree = pair.trees()[0]
    dedup = pair.program("dedup", pair.b.location, "--dedup", "quarantine", "--checksum", "--yes")
    assert dedup.summary["ops_done"] == 1
    left = pair.trees()[1]
    assert pair("--max-delete", "0", codes=(7,)).summary["ops_done"] == 0
    ended = pair()
    assert changes(ended) == {"a_deleted": 1}
    assert pair.trees() == (left, left)
    (quarantined,) = tree.keys() - left.keys()
    assert list((pair.here / ".music-orchestrator/trash" / ended.run).rglob(quarantined))
    # It comes back to one side, and from there to the other one.
    pair.program("undo", dedup.run, "--yes")
    assert changes(pair()) == {"a_added": 1, "bytes_to_a": (pair.here / song).stat().st_size}
    assert pair.trees() == (tree, tree)


@pytest.mark.parametrize("kind", ["webdav", pytest.param("s3_moto", marks=pytest.mark.nightly)])
def test_a_name_that_the_remote_refuses(proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kind: str) -> None:
    library, proxy = proxied(kind)
    pair = Pair(library, tmp_path)
    tree = {f"d/f{number}": f"content {number}" for number in range(1, 7)}
    for path, content in tree.items():
        pair.put(path, content)
    pair()

    def names_it(seen: Seen) -> bool:
        return any("a%3Fb" in where for where in (seen.path, seen.headers.get("destination", "")))

    proxy.when(names_it, Refuse(400))
    (pair.here / "d/f1").rename(pair.here / "d/a?b")
    (pair.here / "d/f2").rename(pair.here / "d/a?b too")
    pair.put("d/a?b new", "new")
    before = pair.trees()[1]
    failed = pair(codes=(3,))
    assert failed.summary["ops_failed"] == 3
    # It is known from then on, whatever becomes of the file before the next sync.
    pair.put("d/a?b too", "all different")
    assert changes(pair(codes=(3,))) == {"b_changed": 1, "bytes_to_b": len("all different")}
    before["d/f2"] = digest(b"all different")
    for _ in range(2):
        again = pair(codes=(3,))
        assert (again.summary["ops_planned"], again.summary["ops_skipped"]) == (0, 3)
        assert all("--resync" in one["message"] for one in again.errors)
        assert pair.trees()[1] == before
    # Edits go on under the old name, both ways.
    pair.put("d/a?b", "edited here")
    pair(codes=(3,))
    assert pair.trees()[1] == {**before, "d/f1": digest(b"edited here")}
    pair.b.put("d/f1", b"edited on the server")
    pair(codes=(3,))
    assert (pair.here / "d/a?b").read_text() == "edited on the server"
    assert sorted(pair.trees()[0]) == sorted({*tree, "d/a?b", "d/a?b too", "d/a?b new"} - {"d/f1", "d/f2"})
    # Tried again once the last sync is forgotten.
    proxy.reset()
    pair("--resync", "--keep-names", "a")
    assert pair.trees()[0] == pair.trees()[1]


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_the_sync_after_an_undo(pair: Pair) -> None:
    """What the undo brought back on one side is kept, and what the user did on the other side is still there."""
    tree = {f"d/f{number}.mp3": f"content {number}" for number in range(1, 9)}
    for path, content in tree.items():
        pair.put(path, content)
    pair()
    before = pair.trees()[1]
    (pair.here / "d/f1.mp3").unlink()
    (pair.here / "d/f2.mp3").rename(pair.here / "d/moved.mp3")
    pair.put("d/f3.mp3", "edited")
    pair.put("d/new.mp3", "new")
    run = pair().run
    pair.program("undo", run, "--yes")
    assert pair.trees()[1] == before
    # The deleted file comes back, the new one goes there again, of the edit both contents are kept, and the rename is reported.
    assert [(one["code"], one["path"]) for one in pair(codes=(3,)).errors] == [("other-name", "d/moved.mp3")]
    here, there = pair.trees()
    copy = next(path for path in here if path.startswith("d/f3 (conflict B"))
    both = {path: before[path] for path in before if path not in {"d/f2.mp3", "d/f3.mp3"}}
    both |= {"d/f3.mp3": digest(b"edited"), copy: before["d/f3.mp3"], "d/new.mp3": digest(b"new")}
    assert here == both | {"d/moved.mp3": before["d/f2.mp3"]}
    assert there == both | {"d/f2.mp3": before["d/f2.mp3"]}
    pair("--keep-names", "a")
    assert pair.trees() == (here, here)
