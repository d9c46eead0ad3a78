"""What a scan expects to read, against what it reads in the end."""

from __future__ import annotations

from functools import cache

import pytest

from orchestrator.catalogue.expected_reads import SAMPLE
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import SafetyLimitError
from orchestrator.plan.scan_estimate import ExpectedReads
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.track import Track
from tests.audio import track_bytes
from tests.catalogue.helpers import run_scan

MANY = 3 * SAMPLE


@cache
def song(audio_format: str, cover_bytes: int) -> bytes:
    """Longer than the first range of any format, with a cover before what comes behind the tags."""
    track = Track(title=("T",), artist=("A",), album_artist=("A",), album=("B",), genre=("G",), track=1, disc=1, date="2001")
    return track_bytes(audio_format, track, cover_bytes=cover_bytes, seconds=30).ljust(400_000, b"\0")


@pytest.mark.parametrize("cover_bytes", [0, 150_000])
@pytest.mark.parametrize("files", [10, MANY])
def test_the_first_files_show_what_the_others_take(catalogue: Catalogue, cover_bytes: int, files: int) -> None:
    """Only of a small library with covers, too little is expected: there, one more range a file."""
    storage = MemoryStorage.like("s3")
    for number in range(files):
        kind = ("mp3", "flac")[number // 10 % 2]
        storage.put(f"Album {number // 10}/{number}.{kind}", song(kind, cover_bytes))
    storage.put("Album 0/list.m3u", b"0.mp3\n")
    expected: list[ExpectedReads] = []
    result = run_scan(storage, catalogue, on_expected=expected.append)
    (found,) = expected
    assert (found.listed, found.files) == (files + 1, files + 1)
    assert (found.folders, found.folders_read) == (-(-files // 10),) * 2
    if cover_bytes and files < MANY:
        assert found.ranges == files + 1
        return
    assert found.ranges == pytest.approx(result.requests, rel=0.1)
    assert found.size == pytest.approx(result.bytes_read, rel=0.1)
    again: list[ExpectedReads] = []
    run_scan(storage, catalogue, on_expected=again.append)
    assert (again[0].listed, again[0].files, again[0].ranges) == (files + 1, 0, 0)


@pytest.mark.parametrize("files", [10, MANY])
def test_a_scan_that_is_refused_keeps_what_it_has_read(catalogue: Catalogue, files: int) -> None:
    storage = MemoryStorage.like("s3")
    for number in range(files):
        storage.put(f"{number}.mp3", song("mp3", 0))

    def refuse(_reads: ExpectedReads) -> None:
        raise SafetyLimitError("too much")

    with pytest.raises(SafetyLimitError):
        run_scan(storage, catalogue, on_expected=refuse)
    read = files - catalogue.unread_count(storage.fs)
    assert read == 0 if files < MANY else SAMPLE <= read < files
