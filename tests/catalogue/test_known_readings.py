"""The reading of one file with its end: read once on a remote, unless the file may have changed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.catalogue.known_readings import reading_with_end
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import RemoteError
from orchestrator.records import Entry
from orchestrator.storage.fake.memory import MemoryStorage
from tests.audio_frames import flac
from tests.catalogue.helpers import run_scan


def listed(storage: MemoryStorage, path: str) -> Entry:
    (entry,) = (one for one in storage.list() if one.path == path)
    return entry


def test_a_known_file_of_a_remote_is_not_read_again(catalogue: Catalogue) -> None:
    storage = MemoryStorage(capabilities=replace(MemoryStorage().capabilities, local=False))
    storage.write("a.flac", flac(40, 1))
    run_scan(storage, catalogue)
    first, parts = reading_with_end(storage, catalogue, listed(storage, "a.flac"))
    assert (first.whole, parts is None) == (True, False)  # the scan has not looked at the end
    assert reading_with_end(storage, catalogue, listed(storage, "a.flac")) == (first, None)
    storage.write("a.flac", flac(40, 2))  # with another time
    second, parts = reading_with_end(storage, catalogue, listed(storage, "a.flac"))
    assert parts is not None
    assert second.identity != first.identity


def test_a_file_on_a_disk_is_always_read_and_one_that_changes_is_not_damaged(catalogue: Catalogue) -> None:
    storage = MemoryStorage()
    storage.write("a.flac", flac(40, 1))
    run_scan(storage, catalogue)
    readings = [reading_with_end(storage, catalogue, listed(storage, "a.flac")) for _ in range(2)]
    assert readings[0] == readings[1]
    assert readings[0][1] is not None
    before = listed(storage, "a.flac")
    storage.write("a.flac", flac(40, 1)[:2000])
    with pytest.raises(RemoteError, match="changed since"):
        reading_with_end(storage, catalogue, before)
    assert reading_with_end(storage, catalogue, listed(storage, "a.flac"))[0].suspect
