"""The generated library is as described: real files, the tags that the facts state, and the same bytes for the same seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.tags.formats import is_audio
from orchestrator.tags.reader import read_track
from orchestrator.track import Reading, Status, Track
from tests.audio import FORMATS, many_tracks, track_bytes
from tests.library import LibraryFacts, make_library, upload

STREAM_FACTS = {"duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    return make_library(tmp_path_factory.mktemp("library"), count=1000, hostile="all")


def reading(path: str, content: bytes) -> Reading:
    return read_track(path, len(content), lambda offset, length: content[offset : offset + length])


def tags_of(track: Track | None) -> dict[str, object]:
    left_out = {*STREAM_FACTS, "track_text", "disc_text"}  # each format writes the numbers in its own way
    return {name: getattr(track, name) for name in Track.__struct_fields__ if name not in left_out}


def test_the_reader_finds_in_every_file_what_was_written(library: LibraryFacts) -> None:
    for path, track in library.tracks.items():
        found = reading(path, (library.root / path).read_bytes())
        assert found.status is Status.TAGGED, path
        assert tags_of(found.track) == tags_of(track), path
        assert (found.suspect is not None) == (path in library.cut), path


def test_untagged_and_unreadable_files_are_distinguished(library: LibraryFacts) -> None:
    for paths, status in ((library.untagged, Status.UNTAGGED), (library.unreadable, Status.UNREADABLE)):
        for path in paths:
            assert reading(path, (library.root / path).read_bytes()).status is status, path


def test_every_file_differs_from_every_other_one_except_duplicates(library: LibraryFacts) -> None:
    equal = [count for digest, count in library.contents().items() if count > 1 and digest != hashlib.sha256().hexdigest()]
    assert len(equal) == len(library.duplicates) > 0


def test_the_facts_cover_every_file(library: LibraryFacts) -> None:
    on_disk = {
        path.relative_to(library.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in library.root.rglob("*")
        if path.is_file()
    }
    assert on_disk == library.files
    assert {path for path in library.files if is_audio(path)} == library.audio
    assert library.audio | set(library.sidecars) | library.clutter == set(library.files)
    assert len(library.audio) == 1000
    assert {path.rpartition(".")[2].lower() for path in library.audio} == {kind.extension for kind in FORMATS.values()}


def test_the_same_seed_gives_the_same_library(tmp_path: Path) -> None:
    first, second, other = (make_library(tmp_path / name, count=250, seed=seed) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert first.files == second.files
    assert first.files != other.files


def test_many_files_are_all_tagged_and_different() -> None:
    crowd = dict(many_tracks(500, size=3000))
    assert len(crowd) == len(set(crowd.values())) == 500
    assert all(len(content) >= 3000 for content in crowd.values())
    track = reading("x.mp3", crowd["unsorted/02/rip 000002 track8.mp3"]).track
    assert track is not None
    assert (track.title, track.artist, track.album, track.track, track.date) == (
        ("Title 00000027",), ("Artist 00000000",), ("Album 00000002",), 8, "1952",
    )  # fmt: skip


@pytest.mark.parametrize("audio_format", FORMATS)
def test_every_format_holds_tags_a_cover_and_a_length(audio_format: str) -> None:
    tags = Track(
        title=("Títle",), artist=("A", "B"), album=("Album",), track=3, track_total=12, disc=1, disc_total=2, date="1999-02-03"
    )
    content = track_bytes(audio_format, tags, cover_bytes=20_000, seconds=3.0)
    assert len(content) > 20_000
    track = reading(f"x.{FORMATS[audio_format].extension}", content).track
    assert tags_of(track) == tags_of(tags)
    assert track is not None
    assert track.duration_s == pytest.approx(0.02 if audio_format == "dsf" else 3.0, abs=0.1)


def test_an_uploaded_library_is_complete(library: LibraryFacts) -> None:
    storage = MemoryStorage(refuse=lambda path: "\n" in path)
    sent = upload(library, storage, only=lambda path: "\n" not in path)
    assert storage.snapshot() == {path: (library.root / path).read_bytes() for path in sent}
    assert set(library.files) - set(sent) == {path for path in library.files if "\n" in path}
