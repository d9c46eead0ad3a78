"""Folders whose names differ only in their Unicode form, on storages that tell the two apart and on others.

rclone's servers find a folder under both forms as long as only one of them exists.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.faulty import Library
from tests.places import visible
from tests.providers import everywhere

SONGS = {
    # Both forms at the source: other names, the same names, names in both forms themselves.
    "NFC:in/Café/a.mp3": ("Éric", 1),
    "NFD:in/Café/b.mp3": ("Éric", 2),
    "NFC:in/Café/same.mp3": ("Éric", 3),
    "NFD:in/Café/same.mp3": ("Éric", 4),
    "NFC:in/Café/é.mp3": ("Éric", 5),
    "NFD:in/Café/é.mp3": ("Éric", 6),
    # Both forms at the destination: other names, and the same name for two songs.
    "NFC:Zoë/Café (2007)/01 S1.mp3": ("Zoë", 1),
    "NFD:Zoë/Café (2007)/02 S2.mp3": ("Zoë", 2),
    "NFC:Anaïs/Café (2007)/01 S1.mp3": ("Anaïs", 1),
    "NFD:Anaïs/Café (2007)/01 S1.mp3": ("Anaïs", 2),
    # At the destination only the form that the layout does not want, and a file that arrives there.
    "NFD:Chloé/Café (2007)/01 S1.mp3": ("Chloé", 1),
    "NFC:in/new.mp3": ("Chloé", 2),
    "NFD:Noël/Café (2007)/01 S1.mp3": ("Noël", 1),
    "NFD:Noël/Café (2007)/x.mp3": ("Noël", 2),
    # Both forms above the destination, with folders of the same names that are emptied.
    "NFC:Loïc/x/a.mp3": ("Loïc", 1),
    "NFD:Loïc/x/b.mp3": ("Loïc", 2),
    "NFD:Loïc/y/c.mp3": ("Loïc", 3),
    "NFC:Loïc/y/d.mp3": ("Loïc", 4),
}
COVERS = ("NFC:Zoë/Café (2007)/cover.jpg", "NFD:Zoë/Café (2007)/cover.jpg")


def files() -> Iterator[tuple[str, bytes]]:
    for serial, (spelled, (artist, number)) in enumerate(SONGS.items()):
        tags = Track(title=(f"S{number}",), artist=(artist,), album=("Café",), track=number, date="2007")
        yield spelled, track_bytes("mp3", tags, seconds=0.2, serial=serial)
    yield from ((spelled, spelled.encode()) for spelled in COVERS)


@pytest.mark.shows("NFC and NFD")
@pytest.mark.parametrize("kind", everywhere("local", "webdav"))
def test_folders_of_one_name_in_two_forms(library: Callable[..., Library], kind: str) -> None:
    """Nothing is lost, the second run plans nothing, and an undo overwrites no file that has the name of another one."""
    music = library(kind)
    for spelled, content in files():
        form, _, path = spelled.partition(":")
        music.place.put(unicodedata.normalize(form, path), content)
    before = music.place.tree()
    assert len({*before.values()}) == len(SONGS) + len(COVERS)

    first = music("organize", music.place.location)
    after = music.place.tree()
    assert Counter(after.values()) == Counter(before.values())
    assert all(unicodedata.is_normalized("NFC", path) for path in after)
    assert {path.partition("/")[0] for path in visible(after)} == {"Éric", "Zoë", "Anaïs", "Chloé", "Noël", "Loïc"}

    second = music("organize", music.place.location)
    assert (second.summary["ops_planned"], second.summary["files_read"]) == (0, 0)
    assert music.place.tree() == after

    undone = music("undo", first.run, codes=(0, 3))
    assert Counter(music.place.tree().values()) == Counter(before.values())
    if undone.code == 0:
        assert visible(music.place.tree()) == before
    else:
        assert kind in {"s3_serve", "webdav", "sftp"}, "there, two files cannot have one name again"
        assert {error["code"] for error in undone.errors} == {"stale"}
