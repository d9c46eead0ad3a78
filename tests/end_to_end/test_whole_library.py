"""The main job on a whole messy library: the same tree everywhere, nothing lost, nothing left to do, and back again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.library import LibraryFacts, make_library
from tests.places import PLACES, Place
from tests.program import Program

OWN = ".music-orchestrator/"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """More than 1,000 files in all formats, with hostile names and tags."""
    facts = make_library(tmp_path_factory.mktemp("messy") / "library", count=1000)
    assert len(facts.audio) >= 1000
    assert len({path.rpartition(".")[2].lower() for path in facts.audio}) >= 8
    return facts


@pytest.fixture(scope="module")
def expected(library: LibraryFacts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The organized tree on a local disk, path -> sha256, that every other place must show too."""
    home = tmp_path_factory.mktemp("reference")
    place = Place.local(home / "music")
    place.fill(library.root, library.files)
    Program(home / "state")("organize", place.location, "--yes", codes=(3,))
    return visible(place.tree())


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place of each kind in turn."""
    return Place.of(str(request.param), "music", request, tmp_path)


def visible(tree: dict[str, str]) -> dict[str, str]:
    """A tree without what is ours in it."""
    return {path: content for path, content in tree.items() if not path.startswith(OWN)}


def test_in_place(library: LibraryFacts, expected: dict[str, str], place: Place, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    place.fill(library.root, library.files)
    before = place.tree()
    assert Counter(before.values()) == library.contents()

    first = program("organize", place.location, "--yes", codes=(3,))
    after = place.tree()
    assert first.summary["ops_failed"] == 0
    assert first.summary["ops_done"] == first.summary["ops_planned"] > 900
    assert visible(after) == expected
    assert Counter(after.values()) == library.contents()
    assert {event["path"] for event in first.errors} >= set(library.unreadable)
    assert all(after[path] == before[path] for path in library.unreadable)

    second = program("organize", place.location, "--yes", codes=(3,))
    assert second.summary["ops_planned"] == 0
    assert second.summary["files_read"] == 0
    assert place.tree() == after

    program("undo", first.run, "--yes")
    assert visible(place.tree()) == before


def test_to_another_target(library: LibraryFacts, expected: dict[str, str], place: Place, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    source = Place.local(tmp_path / "source")
    source.fill(library.root, library.files)
    before = source.tree()

    first = program("organize", source.location, place.location, "--copy", "--yes", codes=(3,))
    copied = visible(place.tree())
    assert first.summary["ops_failed"] == 0
    assert source.tree() == before
    # What stays where it is in place (unreadable, untagged, strange to us) is not copied; all else stands as in place.
    assert copied.items() <= expected.items()
    assert {library.files[path] for path in library.tracks} <= set(copied.values())

    second = program("organize", source.location, place.location, "--copy", "--yes", codes=(3,))
    assert second.summary["ops_planned"] == 0
    assert visible(place.tree()) == copied

    program("undo", first.run, "--yes")
    assert visible(place.tree()) == {}
    assert source.tree() == before
