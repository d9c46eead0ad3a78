"""Where each preset puts the files of a small library."""

from __future__ import annotations

import pytest

from orchestrator.plan.layout.presets import DESCRIPTIONS, PRESETS
from orchestrator.records import Item
from tests.plan.worlds import moved, plain, plan, song

ALBUM = {"album_artist": "The Ann", "artist": "The Ann", "album": "Sky", "genre": "Pop", "date": "2011", "original_date": "1969"}
LIVE = {"album_artist": "Bob", "artist": "Bob", "album": "At Home", "genre": "Jazz", "date": "1981-05-01", "release_type": "live"}
MIX = {"album_artist": "Various Artists", "album": "Mix", "date": "1995", "genre": "Pop"}

LIBRARY: list[Item] = [
    song("a/1.flac", title="One", track=1, disc=1, disc_total=2, **ALBUM),
    song("a/2.flac", title="Two (feat. Eve)", track=1, disc=2, disc_total=2, **{**ALBUM, "artist": "The Ann feat. Eve"}),
    plain("a/cover.jpg"),
    song("b/1.flac", title="Three", track=1, venue="Red Rocks", **LIVE),
    song("c/1.flac", title="Four", track=1, artist="Ann", **MIX),
    song("c/2.flac", title="Five", track=2, artist="Bob", edition="deluxe", **MIX),
    song("d/1.flac", title="Six", artist="Bob feat. Eve"),
]
EXPECTED = {
    "default": [
        "The Ann/Sky (2011)/Disc 1/01 One.flac",
        "The Ann/Sky (2011)/Disc 2/01 Two (feat. Eve).flac",
        "The Ann/Sky (2011)/cover.jpg",
        "Bob/At Home (1981)/01 Three.flac",
        "Various Artists/Mix (1995)/01 Ann - Four.flac",
        "Various Artists/Mix (1995)/02 Bob - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "artist-album": [
        "The Ann/Sky/Disc 1/01 One.flac",
        "The Ann/Sky/Disc 2/01 Two (feat. Eve).flac",
        "The Ann/Sky/cover.jpg",
        "Bob/At Home/01 Three.flac",
        "Various Artists/Mix/01 Ann - Four.flac",
        "Various Artists/Mix/02 Bob - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "year-album": [
        "The Ann/2011 - Sky/Disc 1/01 One.flac",
        "The Ann/2011 - Sky/Disc 2/01 Two (feat. Eve).flac",
        "The Ann/2011 - Sky/cover.jpg",
        "Bob/1981 - At Home/01 Three.flac",
        "Various Artists/1995 - Mix/01 Ann - Four.flac",
        "Various Artists/1995 - Mix/02 Bob - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "genre": [
        "Pop/The Ann/Sky (2011)/Disc 1/01 One.flac",
        "Pop/The Ann/Sky (2011)/Disc 2/01 Two (feat. Eve).flac",
        "Pop/The Ann/Sky (2011)/cover.jpg",
        "Jazz/Bob/At Home (1981)/01 Three.flac",
        "Pop/Various Artists/Mix (1995)/01 Ann - Four.flac",
        "Pop/Various Artists/Mix (1995)/02 Bob - Five.flac",
        "[no genre]/Bob/[no album]/Six.flac",
    ],
    "decade": [
        "1960s/The Ann/Sky (2011)/Disc 1/01 One.flac",
        "1960s/The Ann/Sky (2011)/Disc 2/01 Two (feat. Eve).flac",
        "1960s/The Ann/Sky (2011)/cover.jpg",
        "1980s/Bob/At Home (1981)/01 Three.flac",
        "1990s/Various Artists/Mix (1995)/01 Ann - Four.flac",
        "1990s/Various Artists/Mix (1995)/02 Bob - Five.flac",
        "[no year]/Bob/[no album]/Six.flac",
    ],
    "disc-numbers": [
        "The Ann/Sky (2011)/1-01 One.flac",
        "The Ann/Sky (2011)/2-01 Two (feat. Eve).flac",
        "The Ann/Sky (2011)/cover.jpg",
        "Bob/At Home (1981)/01 Three.flac",
        "Various Artists/Mix (1995)/01 Ann - Four.flac",
        "Various Artists/Mix (1995)/02 Bob - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "by-class": [
        "Albums/The Ann/Sky (2011)/Disc 1/01 One.flac",
        "Albums/The Ann/Sky (2011)/Disc 2/01 Two (feat. Eve).flac",
        "Albums/The Ann/Sky (2011)/cover.jpg",
        "Live/Bob/1981-05-01 - Red Rocks/01 Three.flac",
        "Compilations/Mix (1995)/01 Ann - Four.flac",
        "Compilations/Mix (1995)/02 Bob - Five.flac",
        "Singles/Bob/Six.flac",
    ],
    "singles": [
        "The Ann/Sky (2011)/Disc 1/01 One.flac",
        "The Ann/Sky (2011)/Disc 2/01 Two (feat. Eve).flac",
        "The Ann/Sky (2011)/cover.jpg",
        "Bob/At Home (1981)/01 Three.flac",
        "Various Artists/Mix (1995)/01 Ann - Four.flac",
        "Various Artists/Mix (1995)/02 Bob - Five.flac",
        "Bob/Six.flac",
    ],
    "flat": [
        "The Ann - One.flac",
        "The Ann feat. Eve - Two (feat. Eve).flac",
        "stays",
        "Bob - Three.flac",
        "Ann - Four.flac",
        "Bob - Five.flac",
        "Bob feat. Eve - Six.flac",
    ],
    "plex": [
        "The Ann/Sky/101 - One.flac",
        "The Ann/Sky/201 - Two (feat. Eve).flac",
        "The Ann/Sky/cover.jpg",
        "Bob/At Home/01 - Three.flac",
        "Various Artists/Mix/01 - Four.flac",
        "Various Artists/Mix/02 - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "jellyfin": [
        "The Ann/Sky (2011)/1-01 One.flac",
        "The Ann/Sky (2011)/2-01 Two (feat. Eve).flac",
        "The Ann/Sky (2011)/cover.jpg",
        "Bob/At Home (1981)/01 Three.flac",
        "Various Artists/Mix (1995)/01 Ann - Four.flac",
        "Various Artists/Mix (1995)/02 Bob - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "navidrome": [
        "The Ann/2011 - Sky/1-01 One.flac",
        "The Ann/2011 - Sky/2-01 Two (feat. Eve).flac",
        "The Ann/2011 - Sky/cover.jpg",
        "Bob/1981 - At Home/01 Three.flac",
        "Various Artists/1995 - Mix [deluxe]/01 Ann - Four.flac",
        "Various Artists/1995 - Mix [deluxe]/02 Bob - Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "audiobook": [
        "The Ann/2011 - Sky/1-01 One.flac",
        "The Ann/2011 - Sky/2-01 Two (feat. Eve).flac",
        "The Ann/2011 - Sky/cover.jpg",
        "Bob/1981 - At Home/01 Three.flac",
        "Various Artists/1995 - Mix/01 Four.flac",
        "Various Artists/1995 - Mix/02 Five.flac",
        "Bob/[no album]/Six.flac",
    ],
    "podcast": [
        "Sky/2011 - One.flac",
        "Sky/2011 - Two (feat. Eve).flac",
        "Sky/cover.jpg",
        "At Home/1981-05-01 - Three.flac",
        "Mix/1995 - Four.flac",
        "Mix/1995 - Five.flac",
        "Bob/Six.flac",
    ],
}
EXPECTED["classical"] = EXPECTED["default"]  # without composers; test_classical has some


def test_every_preset_is_explained_and_tested() -> None:
    assert list(DESCRIPTIONS) == list(PRESETS)
    assert set(EXPECTED) == set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_paths_of_a_preset(preset: str) -> None:
    made = moved(plan(LIBRARY, layout=preset))
    assert [made.get(item.entry.path, "stays") for item in LIBRARY] == EXPECTED[preset]
