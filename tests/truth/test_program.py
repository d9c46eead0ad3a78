"""`dedup` on the truth library on real servers: it quarantines the duplicates, loses nothing, and can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nightly import NIGHTLY
from tests.places import Place, visible
from tests.program import Program
from tests.truth.files import TrueLibrary, judge, mergeable
from tests.truth.laid_out import HASHES, torn_apart
from tests.truth.library import truth_library
from tests.truth.outcome import outcome_of

PLACES = [("s3_serve", "webdav")] + [("drive", "dropbox"), ("local",)] * NIGHTLY
FOUND_SOME_DAMAGED = (3,)


def there(places: list[Place]) -> set[str]:
    return {path for place in places for path in visible(place.tree())}


def lost(library: TrueLibrary, left: set[str]) -> list[str]:
    """The files without an equally good file among the remaining contents."""
    return [
        file.path
        for group in library.groups()
        for file in group
        if file.digest not in left and not any(other.digest in left and mergeable(file, other) for other in group)
    ]


@pytest.mark.parametrize("kinds", PLACES, ids="+".join)
def test_what_is_there_twice_goes_and_comes_back(
    kinds: tuple[str, ...], tmp_path: Path, rclone_binary: Path, rclone_config: Path
) -> None:
    library: TrueLibrary = truth_library(3 if NIGHTLY else 1)
    where = {path: number for number, part in enumerate(library.split(len(kinds))) for path in part.files}
    program = Program(tmp_path / "state")
    with torn_apart(library, kinds, tmp_path, rclone_binary, rclone_config) as places:
        locations = [place.location for place in places]
        done = program("dedup", *locations, "--dedup", "quarantine", "--yes", codes=FOUND_SOME_DAMAGED)
        outcome = outcome_of(done.events)
        verdict = judge(library, outcome.decisions, outcome.kept, [HASHES[kind] for kind in kinds], where)
        assert not verdict.false_merges
        assert not verdict.missed

        left = there(places)
        assert set(library.files) - left == {decision.duplicate for decision in outcome.decisions}
        assert not lost(library, {library.files[path].digest for path in left})

        again = program("dedup", *locations, codes=FOUND_SOME_DAMAGED)
        assert not outcome_of(again.events).decisions

        program("undo", done.run, "--yes")
        assert there(places) == set(library.files)


def test_organize_takes_them_out_as_well(tmp_path: Path, rclone_binary: Path, rclone_config: Path) -> None:
    library = truth_library(1)
    program = Program(tmp_path / "state")
    with torn_apart(library, ("local",), tmp_path, rclone_binary, rclone_config) as (place,):
        before = place.tree()
        done = program("organize", place.location, "--dedup", "quarantine", "--yes", codes=FOUND_SOME_DAMAGED)
        after = visible(place.tree())
        assert len(after) < len(before)
        assert not lost(library, set(after.values()))
        again = program("organize", place.location, "--dedup", "quarantine", "--yes", codes=FOUND_SOME_DAMAGED)
        assert again.summary["ops_planned"] == 0
        program("undo", done.run, "--yes")
        assert place.tree() == before
