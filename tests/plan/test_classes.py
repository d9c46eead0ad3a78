"""The class of an album comes from the tags of all its tracks, never from a title."""

from __future__ import annotations

import pytest

from orchestrator.plan.music.album_fields import VARIOUS_KEY, AlbumFields
from orchestrator.plan.music.classes import CLASSES
from orchestrator.records import Item
from tests.plan.worlds import moved, plan, song, track

SONG = {"title": "t", "artist": "Ann", "album": "X", "track": 1}


def class_of(*tags: dict[str, object], artist: str = "ann") -> str:
    """The class of an album with one track for each of these tags."""
    found = str(AlbumFields([track(**{**SONG, **fields}) for fields in tags], artist)["album_class"])
    assert found in CLASSES
    return found


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("album", {}),
        ("album", {"release_type": "album"}),
        ("album", {"release_type": "other"}),
        ("album", {"release_type": "broadcast"}),
        ("album", {"release_type": ("album", "spokenword")}),
        ("album", {"release_type": "nonsense"}),
        ("album", {"release_status": "official"}),
        ("album", {"release_status": "promotion"}),
        ("album", {"compilation": False}),
        ("single", {"release_type": "single"}),
        ("single", {"album": ()}),
        ("single", {"album": (), "release_type": ("album", "live")}),
        ("ep", {"release_type": "ep"}),
        ("ep", {"release_type": "EP"}),
        ("live", {"release_type": ("album", "live")}),
        ("live", {"release_type": ("single", "live")}),
        ("live", {"release_type": ("album", "compilation", "live")}),
        ("live", {"release_type": "live", "release_status": "bootleg"}),
        ("live", {"release_type": "live", "compilation": True}),
        ("soundtrack", {"release_type": ("album", "soundtrack")}),
        ("soundtrack", {"release_type": ("album", "compilation", "soundtrack"), "compilation": True}),
        ("soundtrack", {"release_type": "soundtrack", "album_artist": ("Ann", "Bob")}),
        ("compilation", {"release_type": ("album", "compilation")}),
        ("compilation", {"release_type": ("album", "dj-mix")}),
        ("compilation", {"compilation": True}),
        ("compilation", {"compilation": True, "album_artist": "Ann"}),
        ("compilation", {"compilation": True, "release_type": "album"}),
        ("rarity", {"release_type": "demo"}),
        ("rarity", {"release_type": ("album", "demo")}),
        ("rarity", {"release_type": ("album", "remix")}),
        ("rarity", {"release_type": ("single", "remix")}),
        ("rarity", {"release_type": ("album", "mixtape", "street")}),
        ("rarity", {"release_type": "bootleg"}),
        ("rarity", {"release_status": "bootleg"}),
        ("rarity", {"release_type": "album", "release_status": "bootleg"}),
        ("collaboration", {"album_artist": ("Ann", "Bob")}),
        ("collaboration", {"album_artist": "Ann & Bob", "musicbrainz_album_artist_ids": ("1", "2")}),
        ("collaboration", {"album_artist": ("Ann", "Bob"), "release_type": "album"}),
        ("album", {"album_artist": "Ann & Bob"}),
        ("album", {"album_artist": "Earth, Wind & Fire"}),
        ("album", {"album_artist": ("Ann", "ANN")}),
        ("album", {"album_artist": "Ann & Bob", "musicbrainz_album_artist_ids": ("1",)}),
        ("album", {"album_artist": "Ann feat. Bob", "musicbrainz_album_artist_ids": ("1", "2")}),
        ("album", {"artist": ("Ann", "Bob"), "musicbrainz_artist_ids": ("1", "2")}),
        ("single", {"album_artist": ("Ann", "Bob"), "release_type": "single"}),
        # A title never decides the class.
        ("album", {"album": "Showbiz"}),
        ("album", {"album": "Live at Leeds"}),
        ("album", {"album": "MTV Unplugged"}),
        ("album", {"album": "Greatest Hits"}),
        ("album", {"album": "The Demo Tapes"}),
        ("album", {"album": "The Mission (Original Soundtrack)"}),
        ("album", {"album": "Blue Monday - Single"}),
        ("album", {"title": "Song (Live)"}),
        ("album", {"title": "Song (Demo)", "genre": "Soundtrack"}),
        ("album", {"artist": "Ann feat. Bob"}),
    ],
)  # fmt: skip
def test_the_class_of_an_album(expected: str, fields: dict[str, object]) -> None:
    assert class_of(fields) == expected
    assert class_of(*[fields] * 5) == expected


def test_various_artists_make_a_compilation_unless_the_release_says_more() -> None:
    assert class_of({}, artist=VARIOUS_KEY) == "compilation"
    assert class_of({"album": "MTV Unplugged"}, artist=VARIOUS_KEY) == "compilation"
    assert class_of({"release_type": ("album", "remix")}, artist=VARIOUS_KEY) == "compilation"
    assert class_of({"release_type": ("album", "soundtrack")}, artist=VARIOUS_KEY) == "soundtrack"
    assert class_of({"release_type": ("album", "live")}, artist=VARIOUS_KEY) == "live"


@pytest.mark.parametrize(
    ("one", "others", "expected"),
    [
        ({"release_type": "live"}, {"release_type": "album"}, "album"),
        ({"release_type": "live"}, {}, "album"),
        ({"release_status": "bootleg"}, {}, "album"),
        ({}, {"release_type": "live"}, "live"),
        ({"release_status": "bootleg"}, {"release_status": "official"}, "album"),
        ({"compilation": True}, {}, "album"),
        ({"compilation": True}, {"compilation": False}, "album"),
        ({"compilation": None}, {"compilation": True}, "compilation"),
        ({"release_type": ()}, {"release_type": ("album", "compilation")}, "compilation"),
        ({"album_artist": ("Ann", "Bob")}, {"album_artist": "Ann"}, "album"),
        ({"album_artist": ()}, {"album_artist": ("Ann", "Bob")}, "collaboration"),
    ],
)
def test_one_track_does_not_decide_for_the_others(one: dict[str, object], others: dict[str, object], expected: str) -> None:
    assert class_of(one, *[others] * 9) == expected


LIBRARY = {
    "Albums/Ann/Sky (1979)": {"album": "Sky", "album_artist": "Ann", "date": "1979"},
    "Albums/Ann/Small (1980)": {"album": "Small", "album_artist": "Ann", "date": "1980", "release_type": "ep"},
    "Live/Ann/1981-05-01 - Red Rocks": {
        "album": "In Colorado", "album_artist": "Ann", "date": "1981-05-01", "release_type": "live", "venue": "Red Rocks",
    },
    "Live/Ann/1982 - Again": {"album": "Again", "album_artist": "Ann", "date": "1982", "release_type": ("album", "live")},
    "Compilations/Best (1990)": {"album": "Best", "album_artist": "Ann", "date": "1990", "release_type": "compilation"},
    "Compilations/Now 50 (2001)": {"album": "Now 50", "album_artist": "Various Artists", "date": "2001"},
    "Collaborations/Both (1985) - Ann, Bob": {"album": "Both", "album_artist": ("Ann", "Bob"), "date": "1985"},
    "Rarities/Ann/Tapes (cassette)": {
        "album": "Tapes", "album_artist": "Ann", "date": "1978", "release_type": "demo", "edition": "cassette",
    },
    "Rarities/Ann/Loft (1977)": {"album": "Loft", "album_artist": "Ann", "date": "1977", "release_status": "bootleg"},
    "Singles/Ann/Star (1979)": {"album": "Star", "album_artist": "Ann", "date": "1979", "release_type": "single"},
    "Singles/Ann": {"artist": "Ann feat. Bob"},
    "Soundtracks/Film (1999)": {"album": "Film", "album_artist": "Various Artists", "date": "1999", "release_type": "soundtrack"},
}  # fmt: skip


def test_every_class_has_its_folder() -> None:
    items = [
        song(f"in/{number}/{n}.flac", **{"title": f"t{n}", "artist": "Ann", "track": n, **fields})
        for number, fields in enumerate(LIBRARY.values())
        for n in (1, 2)
    ]
    found = moved(plan(items, layout="by-class"))
    for number, directory in enumerate(LIBRARY):
        assert {found[f"in/{number}/{n}.flac"].rpartition("/")[0] for n in (1, 2)} == {directory}


def test_a_guest_stays_in_the_album_of_every_class() -> None:
    for directory, fields in LIBRARY.items():
        if "album" not in fields:
            continue
        items = [song(f"{n}.flac", **{"title": f"t{n}", "artist": "Ann", "track": n, **fields}) for n in range(1, 6)]
        items.append(song("6.flac", **{"title": "t6", "track": 6, **fields, "artist": ("Ann", "Eve")}))
        items.append(song("7.flac", **{"title": "t7 (feat. Eve)", "track": 7, **fields, "artist": "Ann feat. Eve"}))
        items.append(song("8.flac", **{"title": "t8", "track": 8, **fields, "artist": "Eve"}))
        assert {new.rpartition("/")[0] for new in moved(plan(items, layout="by-class")).values()} == {directory}


def test_two_concerts_at_one_venue_on_one_day_are_distinguished() -> None:
    items: list[Item] = []
    for show in ("Early", "Late"):
        fields = {"album": f"{show} Show", "artist": "Ann", "date": "1981", "release_type": "live", "venue": "Loft"}
        items += [song(f"{show}/{n}.flac", title=f"{show} {n}", track=n, label=show, **fields) for n in (1, 2)]
    found = {new.rpartition("/")[0] for new in moved(plan(items, layout="by-class")).values()}
    assert found == {"Live/Ann/1981 - Loft [Early]", "Live/Ann/1981 - Loft [Late]"}
