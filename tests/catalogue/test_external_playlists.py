"""Playlists outside the library."""

from __future__ import annotations

from orchestrator.catalogue.external_playlists import read_lists
from orchestrator.foreign_folders import HiddenFolders
from orchestrator.storage.fake.memory import MemoryStorage


def test_playlists_in_bins_and_in_what_the_config_excludes_are_not_read() -> None:
    storage = MemoryStorage()
    for path in ("a.m3u", "old/b.m3u", "#recycle/c.m3u", "x.txt"):
        storage.put(path, b"song.mp3")
    assert [one.path for one in read_lists(storage)[0]] == ["a.m3u", "old/b.m3u"]
    assert [one.path for one in read_lists(storage, HiddenFolders(["#recycle"]), ("old",))[0]] == ["#recycle/c.m3u", "a.m3u"]
