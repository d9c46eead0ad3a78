"""Files that a download program is still writing are left alone, with what shows it."""

from __future__ import annotations

from orchestrator.catalogue.unfinished_downloads import UNFINISHED, with_downloads_skipped
from orchestrator.records import Entry, Item

PATHS = {
    "one/a.flac": "one/a.flac.aria2",
    "one/a.flac.aria2": "one/a.flac.aria2",
    "one/b.mp3": "one/b.mp3.part",
    "one/b.mp3.part": "one/b.mp3.part",
    "one/c.mp3": "",
    "torrent/CD1/d.flac": "torrent.aria2",
    "torrent/cover.jpg": "torrent.aria2",
    "torrent.aria2": "torrent.aria2",
    "torrents/e.flac": "",
    "one/gone.flac.aria2": "",
    "one/My favourite.part": "",
}
"""Path -> what shows that it is not finished."""


def test_what_is_still_written_is_skipped_with_the_files_that_show_it() -> None:
    found = with_downloads_skipped([Item(Entry(path, 1)) for path in PATHS])
    reasons = {item.entry.path: item.skipped_because for item in found}
    assert reasons == {path: f"{UNFINISHED}{mark}" if mark else None for path, mark in PATHS.items()}


def test_another_reason_stays() -> None:
    (item, _) = with_downloads_skipped([Item(Entry("a.mp3", 1), skipped_because="excluded"), Item(Entry("a.mp3.part", 1))])
    assert item.skipped_because == "excluded"
