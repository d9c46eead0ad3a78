"""The main job on a whole messy library: the same tree everywhere, nothing lost, nothing left to do, and undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library import LibraryFacts, make_library
from tests.nightly import NIGHTLY, some_at_night
from tests.places import PLACES, Place, places, visible
from tests.program import Program

TIMEOUT_S = 400
FILES = 1000 if NIGHTLY else 200


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """Hundreds of files in all formats, with hostile names and tags; at night more than 1,000."""
    facts = make_library(tmp_path_factory.mktemp("messy") / "library", count=FILES)
    assert len(facts.audio) >= FILES
    assert len({path.rpartition(".")[2].lower() for path in facts.audio}) >= 8
    return facts


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest,
    library: LibraryFacts,
    rclone_binary: Path,
    rclone_config: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Place]]:
    """The library as "music", and an empty "target", in a location of each kind."""
    home = tmp_path_factory.mktemp("served")
    with places(str(request.param), home, rclone_binary, rclone_config, {"music": library, "target": None}) as made:
        yield made


@pytest.fixture(scope="module")
def expected(
    library: LibraryFacts, rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The organized tree on a local disk, path -> sha256, which every other location must have too."""
    home = tmp_path_factory.mktemp("reference")
    with places("local", home, rclone_binary, rclone_config, {"music": library}) as made:
        Program(home / "state")("organize", made["music"].location, "--yes", codes=(3,))
        return visible(made["music"].tree())


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("served", some_at_night(PLACES, night={*PLACES} - {"s3_serve"}), indirect=True)
def test_in_place(library: LibraryFacts, expected: dict[str, str], served: dict[str, Place], tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    place = served["music"]
    before = place.tree()
    assert Counter(before.values()) == library.contents()

    first = program("organize", place.location, "--yes", codes=(3,))
    after = place.tree()
    assert first.summary["ops_failed"] == 0
    assert first.summary["ops_done"] == first.summary["ops_planned"] > FILES * 0.8
    named = {event["path"] for event in first.errors if event["code"] == "unsupported-name"}
    moved = {path for path, content in visible(after).items() if expected.get(path) != content}
    assert moved == named, "the same tree as on a disk, but for the names that the server cannot hold, and those are listed"
    written = {path: content for path, content in visible(after).items() if content not in library.files.values()}
    assert {path.rpartition(".")[2] for path in written} == {"cue", "m3u8"}, "only lists whose entries moved are rewritten"
    assert Counter(after.values()) == library.contents() + Counter(written.values()), "nothing lost, the old lists included"
    assert {event["path"] for event in first.errors} >= set(library.unreadable)
    assert all(after[path] == before[path] for path in library.unreadable)

    second = program("organize", place.location, "--yes", codes=(3,))
    assert second.summary["ops_planned"] == 0
    assert second.summary["files_read"] == 0
    assert place.tree() == after

    program("undo", first.run, "--yes")
    assert visible(place.tree()) == before


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("served", some_at_night(PLACES, night={*PLACES} - {"local"}), indirect=True)
def test_to_another_target(library: LibraryFacts, expected: dict[str, str], served: dict[str, Place], tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    target = served["target"]
    source = str(library.root)

    first = program("organize", source, target.location, "--copy", "--yes", codes=(3,))
    copied = visible(target.tree())
    assert first.summary["ops_failed"] == 0
    # Files that stay in place (unreadable, untagged, unknown) are not copied; all others get the same paths as in place.
    assert copied.items() <= expected.items()
    missing = {library.files[path] for path in library.tracks} - set(copied.values())
    named = {event["path"] for event in first.events if event.get("code") in {"unsupported-name", "doubtful-text"}}
    assert missing == {library.files[path] for path in named}

    second = program("organize", source, target.location, "--copy", "--yes", codes=(3,))
    assert second.summary["ops_planned"] == 0
    assert visible(target.tree()) == copied

    program("undo", first.run, "--yes")
    assert visible(target.tree()) == {}
