"""Scans of a storage that fails to deliver some files."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import pytest

from orchestrator.catalogue.reading import GIVE_UP_AFTER
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import AuthError, InterruptedRunError, NotFoundError, PermanentError, TransientError
from orchestrator.progress import NoProgress
from orchestrator.storage.fake.memory import KINDS
from tests.catalogue.helpers import Stubborn, run_scan, song, titles


def crowd(count: int) -> Stubborn:
    storage = Stubborn("s3:crowd", KINDS["s3"])
    for number in range(count):
        storage.put(f"{number:03}.mp3", song(f"Song {number}"))
    return storage


def test_a_file_that_vanished_is_reported_and_forgotten(catalogue: Catalogue) -> None:
    storage = crowd(3)
    storage.refuse_read = lambda path: NotFoundError("gone", path=path) if path == "001.mp3" else None
    result = run_scan(storage, catalogue)
    assert (result.vanished, result.files_read, result.complete) == (["001.mp3"], 2, False)
    assert sorted(titles(catalogue, storage.fs)) == ["000.mp3", "002.mp3"]


@pytest.mark.parametrize("error", [TransientError("connection reset"), PermanentError("403 AccessDenied")])
def test_a_file_that_fails_is_reported_and_tried_again(catalogue: Catalogue, error: TransientError | PermanentError) -> None:
    storage = crowd(3)
    storage.refuse_read = lambda path: error if path == "001.mp3" else None
    result = run_scan(storage, catalogue)
    assert (result.failures, result.unreadable, result.files_read) == ([("001.mp3", error.message)], [], 2)
    assert titles(catalogue, storage.fs) == {"000.mp3": "Song 0", "001.mp3": None, "002.mp3": "Song 2"}
    storage.refuse_read = lambda _path: None
    assert run_scan(storage, catalogue).files_read == 1
    assert titles(catalogue, storage.fs)["001.mp3"] == "Song 1"


def test_refused_credentials_stop_the_scan_and_keep_what_was_read(catalogue: Catalogue) -> None:
    storage = crowd(40)
    storage.refuse_read = lambda path: AuthError("token expired") if path == "020.mp3" else None
    with pytest.raises(AuthError):
        run_scan(storage, catalogue, readers=1)
    assert storage.call_counts["read_range"] < 2 * 40
    read = [title for title in titles(catalogue, storage.fs).values() if title]
    assert len(read) == 20


def test_an_unreachable_remote_stops_the_scan(catalogue: Catalogue) -> None:
    storage = crowd(60)
    storage.refuse_read = lambda path: TransientError("connection refused") if path >= "010.mp3" else None
    with pytest.raises(TransientError):
        run_scan(storage, catalogue, readers=1)
    assert catalogue.unread_count(storage.fs) == 50
    storage.refuse_read = lambda _path: None
    assert run_scan(storage, catalogue).files_read == 50


def test_a_few_failures_do_not_stop_the_scan(catalogue: Catalogue) -> None:
    storage = crowd(4 * GIVE_UP_AFTER)
    storage.refuse_read = lambda path: TransientError("reset") if int(path[:3]) % 2 else None
    result = run_scan(storage, catalogue, readers=1)
    assert len(result.failures) == result.files_read == 2 * GIVE_UP_AFTER


def test_an_unexpected_error_in_a_reader_is_raised(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("orchestrator.catalogue.reading.read_track", broken)
    with pytest.raises(ZeroDivisionError):
        run_scan(crowd(2), catalogue)


def test_an_interrupted_scan_continues_where_it_stopped(catalogue: Catalogue) -> None:
    storage = crowd(30)
    stop = threading.Event()

    def stop_after_ten(path: str) -> None:
        if path == "010.mp3":
            stop.set()

    storage.refuse_read = stop_after_ten
    with pytest.raises(InterruptedRunError):
        run_scan(storage, catalogue, readers=1, stop=stop)
    storage.refuse_read = lambda _path: None
    left = catalogue.unread_count(storage.fs)
    assert left > 0
    assert run_scan(storage, catalogue).files_read == left
    assert None not in titles(catalogue, storage.fs).values()


def test_an_interruption_during_the_listing_changes_nothing(catalogue: Catalogue) -> None:
    stop = threading.Event()
    stop.set()
    storage = crowd(3)
    with pytest.raises(InterruptedRunError):
        run_scan(storage, catalogue, stop=stop)
    assert catalogue.count(storage.fs) == 0


def test_no_reader_outlives_the_scan(catalogue: Catalogue) -> None:
    before = threading.active_count()
    run_scan(crowd(20), catalogue, readers=8)
    assert threading.active_count() == before


def test_progress_counts_every_file(catalogue: Catalogue) -> None:
    class Heard(NoProgress):
        def __init__(self) -> None:
            self.stages: list[tuple[str, int | None]] = []
            self.items: dict[str, int] = {}

        def stage(
            self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None, *, at: Collection[str] = ()
        ) -> None:
            self.stages.append((name, total))

        def advance(self, items: int = 1, size: int = 0) -> None:
            name = self.stages[-1][0]
            self.items[name] = self.items.get(name, 0) + items

    heard = Heard()
    run_scan(crowd(20), catalogue, progress=heard)
    assert heard.stages == [("listing", None), ("reading tags", 20)]
    assert heard.items == {"listing": 20, "reading tags": 20}
