"""A listing in the background gives what a listing gives: each file, or the error at its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from orchestrator.errors import PartialListingError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.records import Entry
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.wrappers.listed_ahead import ListedAhead


def test_it_lists_before_it_is_asked_and_only_once() -> None:
    listed = threading.Event()

    class Slow(MemoryStorage):
        def list(
            self,
            prefix: str = "",
            hidden: HiddenFolders = ALL_HIDDEN,
            *,
            on_folder: Callable[[str], None] | None = None,
            at_most: int | None = None,
        ) -> Iterator[Entry]:
            yield from super().list(prefix, hidden, on_folder=on_folder, at_most=at_most)
            listed.set()

    inner = Slow("remote:x", MemoryStorage.like("webdav").capabilities)
    for number in range(1200):
        inner.put(f"{number}.mp3", b"")
    with ListedAhead(inner, ALL_HIDDEN).running() as ahead:
        assert listed.wait(10)
        assert len([*ahead.list()]) == 1200
        inner.put("new.mp3", b"")
        assert len([*ahead.list()]) == 1201  # a later listing is a new one


def test_an_error_comes_after_the_files_before_it() -> None:
    class Closed(MemoryStorage):
        def list(
            self,
            prefix: str = "",
            hidden: HiddenFolders = ALL_HIDDEN,
            *,
            on_folder: Callable[[str], None] | None = None,
            at_most: int | None = None,
        ) -> Iterator[Entry]:
            yield from super().list(prefix, hidden, on_folder=on_folder, at_most=at_most)
            raise PartialListingError("permission denied", closed=["private"])

    inner = Closed("remote:x", MemoryStorage.like("webdav").capabilities)
    inner.put("a.mp3", b"")
    found: list[Entry] = []
    with ListedAhead(inner, ALL_HIDDEN).running() as ahead, pytest.raises(PartialListingError):
        found.extend(ahead.list())
    assert [entry.path for entry in found] == ["a.mp3"]
