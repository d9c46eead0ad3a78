"""`sync` where a folder that no listing shows has the name of a file that is to go there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.test_sync import Pair
from tests.faulty import Library


@pytest.fixture
def pair(library: Callable[..., Library], tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(library(request.param), tmp_path)


@pytest.mark.parametrize("pair", ["local", "webdav", pytest.param("sftp", marks=pytest.mark.nightly)], indirect=True)
def test_an_empty_folder_gives_way_and_one_with_files_is_reported(pair: Pair) -> None:
    pair.put("d/f1", "one")
    pair.put("d/f2", "two")
    pair()
    assert pair.b.directory is not None
    (pair.b.directory / "d/new/also empty").mkdir(parents=True)
    (pair.b.directory / "d/moved").mkdir()
    pair.b.put("d/in use/.DS_Store", b"clutter")
    pair.put("d/new", "new")
    pair.put("d/in use", "in use")
    (pair.here / "d/f1").rename(pair.here / "d/moved")
    first = pair(codes=(3,))
    assert (first.summary["ops_planned"], first.summary["ops_done"]) == (2, 2)
    here, there = pair.trees()
    assert there == {path: content for path, content in here.items() if path != "d/in use"} | {
        "d/in use/.DS_Store": there["d/in use/.DS_Store"]
    }
    again = pair(codes=(3,))
    assert again.summary["ops_planned"] == 0
    assert [(one["path"], "rename or remove it" in one["message"]) for one in again.errors] == [("d/in use", True)]
