"""Everything that sends music to the wrong place, at once, on a disk, on S3 and on Google Drive: see `tests.situations`."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faulty import Library
from tests.forked import Death
from tests.nightly import some_at_night
from tests.places import visible
from tests.situations import whole_library


@pytest.mark.parametrize("kind", some_at_night(("local", "s3_serve", "s3_moto", "drive"), night={"s3_moto", "drive"}))
def test_each_file_goes_where_it_belongs_and_back(library: Callable[..., Library], kind: str) -> None:
    music, wanted = library(kind), whole_library()
    for path, content in wanted.files.items():
        music.place.put(path, content)
    before, belongs = wanted.before(), wanted.after()

    first = music("organize", music.place.location, "--names-as-tags", "auto", codes=(3,))
    after = music.place.tree()
    assert visible(after) == belongs
    assert Counter(before.values()) <= Counter(after.values()), "nothing is lost"
    assert (first.summary["ops_failed"], first.summary["foreign_folders"]) == (0, wanted.foreign_folders)
    assert [(error["code"], error["path"]) for error in first.errors] == [("unclear", "unclear")]

    second = music("organize", music.place.location, "--names-as-tags", "auto", codes=(3,))
    assert (second.summary["ops_planned"], second.summary["files_read"]) == (0, 0)
    assert music.place.tree() == after

    music("undo", first.run)
    given_back = visible(music.place.tree())
    if kind == "s3_serve":  # of two folders whose names differ in their Unicode form, it shows one
        given_back, before = composed(given_back), composed(before)
    assert given_back == before


def test_the_copies_of_a_killed_run_keep_their_names_so_that_it_can_be_finished(library: Callable[..., Library]) -> None:
    """Another program, which knows nothing of the run, finds two equal albums, of which one is where it belongs."""
    music = library("local")
    for number in (1, 2, 3):
        music.track(f"in/{number}.mp3", number)
    copying = ("organize", music.place.location, "--copy")
    program = music.start(*copying)
    program.end()
    writes, copies = program.writes, {path: content for path, content in music.tree().items() if not path.startswith("in/")}
    music("undo", "last")
    killed = music.start(*copying, death=Death(writes - 1, committed=False, victims="both")).end()
    assert killed.code < 0
    assert copies.items() <= music.tree().items()
    other = music.forks.run("organize", music.place.location, state=music.home / "other", environment=music.environment)
    assert other.summary["ops_done"] == 3
    resumed = music("resume")
    assert (resumed.errors, copies.items() <= music.tree().items()) == ([], True)
    assert {path.rpartition("/")[0] for path in music.tree()} == {"Band/Album (2001)", "Band/Album [in] (2001)"}


def composed(tree: dict[str, str]) -> dict[str, str]:
    """The same tree with its names in NFC."""
    found = {unicodedata.normalize("NFC", path): content for path, content in tree.items()}
    assert len(found) == len(tree)
    return found
