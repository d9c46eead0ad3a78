"""Duplicates with lyrics, pictures and lists: nothing is orphaned, every list points at music, and `undo` restores all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.library import LibraryFacts
from tests.nightly import some_at_night
from tests.places import Place, places, visible
from tests.program import Program

KINDS = ("local", "s3_serve", "drive")
HOME = "Ann/Blue (1990)"
LIST = b"\xef\xbb\xbf#EXTM3U\r\nold/1.flac\r\nnew/02.flac\r\nold/3.flac\r\n"
CUE = b'FILE "1.flac" WAVE\r\nFILE "2.flac" WAVE\r\nFILE "3.flac" WAVE\r\n'
NEW = ("cover.jpg", "01.lrc")
OLD = ("cover.jpg", "1.lrc", "2.lrc", "Scans/1.jpg", "notes.bin")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    """One album twice, the better tags in `new`."""
    root = tmp_path_factory.mktemp("beside")
    contents = {"all.m3u8": LIST, "old/disc.cue": CUE, "old/list.m3u": b"1.flac\n"}
    contents |= {path: path.encode() for path in (*(f"new/{name}" for name in NEW), *(f"old/{name}" for name in OLD))}
    for number in (1, 2, 3):
        said = {"title": (f"S{number}",), "artist": ("Ann",), "album_artist": ("Ann",), "album": ("Blue",), "track": number}
        said |= {"disc": 1, "track_total": 3, "date": "1990"}
        for path, more in ((f"old/{number}.flac", {}), (f"new/0{number}.flac", {"genre": ("Rock",), "composer": ("Ann",)})):
            contents[path] = track_bytes("flac", Track(**{**said, **more}), seconds=0.3, serial=number)
    for path, content in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return LibraryFacts(root, files={path: digest(content) for path, content in contents.items()})


@pytest.fixture(params=some_at_night(KINDS, night={"s3_serve"}))
def place(
    request: pytest.FixtureRequest, library: LibraryFacts, rclone_binary: Path, rclone_config: Path, tmp_path: Path
) -> Iterator[Place]:
    """The library on a location of each kind."""
    home = tmp_path / "served"
    home.mkdir()
    with places(request.param, home, rclone_binary, rclone_config, {"music": library}) as made:
        yield made["music"]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_organize_moves_what_is_missing_to_the_kept_album(library: LibraryFacts, place: Place, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    before = place.tree()
    done = program("organize", place.location, "--dedup", "quarantine", "--leftovers", "_rest", "--yes")
    after = visible(place.tree())
    files = library.files
    assert after == {
        **{f"{HOME}/0{n} S{n}.flac": files[f"new/0{n}.flac"] for n in (1, 2, 3)},
        f"{HOME}/01 S1.lrc": files["new/01.lrc"],
        f"{HOME}/02 S2.lrc": files["old/2.lrc"],
        f"{HOME}/cover.jpg": files["new/cover.jpg"],
        f"{HOME}/Scans/1.jpg": files["old/Scans/1.jpg"],
        f"{HOME}/disc.cue": digest(b"".join(b'FILE "0%d S%d.flac" WAVE\r\n' % (n, n) for n in (1, 2, 3))),
        f"{HOME}/list.m3u": digest(b"01 S1.flac\n"),
        "_rest/old/notes.bin": files["old/notes.bin"],
        "all.m3u8": digest(LIST[:12] + b"".join(f"{HOME}/0{n} S{n}.flac\r\n".encode() for n in (1, 2, 3))),
    }
    assert not library.contents() - Counter(place.tree().values()), "companions that the album already had are in the quarantine"
    again = program("organize", place.location, "--dedup", "quarantine", "--leftovers", "_rest", "--yes")
    assert again.summary["ops_planned"] == 0
    program("undo", done.run, "--yes")
    assert visible(place.tree()) == before


@pytest.mark.parametrize("deletes", [False, True])
def test_dedup_leaves_no_list_that_points_nowhere(library: LibraryFacts, place: Place, tmp_path: Path, *, deletes: bool) -> None:
    program = Program(tmp_path / "state")
    before = place.tree()
    done = program("dedup", place.location, "--delete" if deletes else "--dedup=quarantine", "--yes")
    after = visible(place.tree())
    files = library.files
    assert after == {
        **{path: content for path, content in files.items() if path.startswith("new/")},
        "new/02.lrc": files["old/2.lrc"],
        "new/Scans/1.jpg": files["old/Scans/1.jpg"],
        "new/disc.cue": digest(b"".join(b'FILE "0%d.flac" WAVE\r\n' % n for n in (1, 2, 3))),
        "new/list.m3u": digest(b"01.flac\n"),
        "old/notes.bin": files["old/notes.bin"],
        "all.m3u8": digest(LIST.replace(b"old/", b"new/0")),
    }
    assert [(event["path"], event["code"]) for event in done.events if event["type"] == "skipped"] == [("old/notes.bin", "other")]
    missing = library.contents() - Counter(place.tree().values())
    assert missing.keys() == ({files[f"old/{n}.flac"] for n in (1, 2, 3)} if deletes else set()), "only duplicates go for good"
    assert program("dedup", place.location, "--dedup", "quarantine", "--yes").summary["ops_planned"] == 0
    if not deletes:
        program("undo", done.run, "--yes")
        assert visible(place.tree()) == before
