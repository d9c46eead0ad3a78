"""The main job on a whole messy library: the same tree everywhere, nothing lost, nothing left to do, and undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.library import LibraryFacts, make_library
from tests.nightly import NIGHTLY
from tests.places import Place, place_on, places, visible
from tests.program import Program
from tests.providers import PROVIDERS
from tests.servers.remotes import RemoteServer

TIMEOUT_S = 400
PLACES = ("local", "s3_serve", "s3_moto", "webdav", "sftp")
"""Their servers start when their files are there."""
FILES = 200
MORE_FILES = {"local": 1000, "s3_serve": 1000, "webdav": 1000} if NIGHTLY else {}
"""Several windows of changes; one of each way to move a file."""


def of_each_size(*in_every_run: str, without: str = "") -> list[ParameterSet]:
    """How many files, and the kind of location."""
    marks = {kind: () if kind in in_every_run else (pytest.mark.nightly,) for kind in PROVIDERS}
    return [pytest.param(MORE_FILES.get(kind, FILES), kind, marks=marks[kind], id=kind) for kind in PROVIDERS if kind != without]


LONGEST = {"crypt": 143, "chunker": 228}
"""Kind -> how many bytes a name may have there, where it is less than on a disk."""
CUT_BY_WSGIDAV = {"?", ";"}
"""Where it cuts the new name of a file that moves."""


def short_enough(tree: dict[str, str], place: Place) -> dict[str, str]:
    """What of a tree on a disk can have the same names in another place."""
    longest = LONGEST.get(place.server.name, 255) if place.server else 255
    return {path: content for path, content in tree.items() if max(len(name.encode()) for name in path.split("/")) <= longest}


@pytest.fixture(scope="module")
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """Hundreds of files in all formats, with hostile names and tags; at night more than 1,000 in some locations."""
    count: int = request.param
    facts = make_library(tmp_path_factory.mktemp("messy") / "library", count=count)
    assert len(facts.audio) >= count
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
    kind, home = str(request.param), tmp_path_factory.mktemp("served")
    if kind in PLACES:
        with places(kind, home, rclone_binary, rclone_config, {"music": library, "target": None}) as made:
            yield made
        return
    server: RemoteServer = request.getfixturevalue(kind)
    made = {name: place_on(server, f"{home.name}-{name}", remote=server.name) for name in ("music", "target")}
    if kind != "dropbox":  # it refuses some of the names
        made["music"].fill(LibraryFacts(library.root, short_enough(library.files, made["music"])))
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


@pytest.mark.shows("organize in place", "undo", "case-only rename", "hostile names")
@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize(("library", "served"), of_each_size("s3_serve", without="dropbox"), indirect=True)
def test_in_place(library: LibraryFacts, expected: dict[str, str], served: dict[str, Place], tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    place = served["music"]
    before = place.tree()
    contents = Counter(short_enough(library.files, place).values())
    assert Counter(before.values()) == contents

    first = program("organize", place.location, "--yes", codes=(3,))
    after = place.tree()
    assert first.summary["ops_failed"] == 0
    assert first.summary["ops_done"] == first.summary["ops_planned"] > len(library.audio) * 0.8
    named = {event["path"] for event in first.errors if event["code"] == "unsupported-name"}
    shortened = {*expected.values()} - {*short_enough(expected, place).values()}
    others = {path: content for path, content in visible(after).items() if content not in shortened}
    moved = {path for path, content in others.items() if expected.get(path) != content}
    assert moved == named, "the same tree as on a disk, but for the names that the server cannot hold, and those are listed"
    written = {path: content for path, content in visible(after).items() if content not in library.files.values()}
    assert {path.rpartition(".")[2] for path in written} == {"cue", "m3u8"}, "only lists whose entries moved are rewritten"
    assert Counter(after.values()) == contents + Counter(written.values()), "nothing lost, the old lists included"
    assert {event["path"] for event in first.errors} >= set(library.unreadable)
    assert all(after[path] == before[path] for path in library.unreadable)

    second = program("organize", place.location, "--yes", codes=(3,))
    assert second.summary["ops_planned"] == 0
    assert second.summary["files_read"] == 0
    assert place.tree() == after

    cut = {path for path in before if place.server and place.server.name == "wsgidav" and CUT_BY_WSGIDAV & {*path}}
    undone = program("undo", first.run, "--yes", codes=(9 if cut else 0,))
    assert {error["message"].partition(": ")[0] for error in undone.errors} == cut
    given_back = visible(place.tree())
    assert sorted(given_back.values()) == sorted(before.values())
    assert {path: content for path, content in before.items() if given_back.get(path) != content}.keys() == cut


@pytest.mark.shows("to another provider", "hostile names")
@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize(("library", "served"), of_each_size("local"), indirect=True)
def test_to_another_target(library: LibraryFacts, expected: dict[str, str], served: dict[str, Place], tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    target = served["target"]
    source = str(library.root)

    first = program("organize", source, target.location, "--copy", "--yes", codes=(3,))
    copied = visible(target.tree())
    assert first.summary["ops_failed"] == 0
    # Files that stay in place (unreadable, untagged, unknown) are not copied; all others get the same paths as in place.
    shortened = {*expected.values()} - {*short_enough(expected, target).values()}
    assert {path: content for path, content in copied.items() if content not in shortened}.items() <= expected.items()
    missing = {library.files[path] for path in library.tracks} - set(copied.values())
    named = {event["path"] for event in first.events if event.get("code") in {"unsupported-name", "doubtful-text"}}
    assert missing == {library.files[path] for path in named}

    second = program("organize", source, target.location, "--copy", "--yes", codes=(3,))
    assert second.summary["ops_planned"] == 0
    assert visible(target.tree()) == copied

    program("undo", first.run, "--yes")
    assert visible(target.tree()) == {}
