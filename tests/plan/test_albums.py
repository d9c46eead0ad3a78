"""Which tracks are one album, whose it is, and how albums of one name are told apart."""

from __future__ import annotations

import pytest

from orchestrator.plan.request import Item
from tests.plan.worlds import moved, plan, song


def directories(
    items: list[Item], layout: str = "{{ albumartist }}/{{ album }}/{{ disc }}-{{ track }} {{ title }}"
) -> dict[str, str]:
    """File -> the directory that it gets."""
    made = moved(plan(items, layout=layout))
    return {item.entry.path: made.get(item.entry.path, item.entry.path).rpartition("/")[0] for item in items}


def test_a_guest_changes_nothing() -> None:
    artists = ["Jay", "Jay feat. Eve", "Jay (ft. Eve)", ("Jay", "Eve"), ("Eve", "Jay"), "Jay Featuring Eve & Bob"]
    items = [song(f"{n}.mp3", title=f"t{n}", artist=artist, album="X", track=n + 1) for n, artist in enumerate(artists)]
    assert set(directories(items).values()) == {"Jay/X"}


def test_artists_are_never_split_at_commas_or_ampersands() -> None:
    assert directories([song("a.mp3", title="t", artist="Earth, Wind & Fire", album="X")]) == {"a.mp3": "Earth, Wind & Fire/X"}


def test_a_track_without_album_artist_joins_the_album_of_the_others() -> None:
    items = [song(f"{n}.mp3", title=f"t{n}", album_artist="Jay", artist="Guest", album="X") for n in range(3)]
    items.append(song("x.mp3", title="tx", artist="Eve feat. Jay", album="X"))
    items.append(song("y.mp3", title="ty", artist=("Eve", "Jay"), album="X"))
    found = directories(items)
    assert found["y.mp3"] == found["0.mp3"] == "Jay/X"
    assert found["x.mp3"] == "Eve/X"


@pytest.mark.parametrize(
    "tags",
    [
        {"compilation": True},
        {"album_artist": "Various Artists"},
        {"album_artist": "VA"},
        {"musicbrainz_release_id": "r1"},
    ],
)
def test_what_makes_a_compilation(tags: dict[str, object]) -> None:
    items = [song(f"{n}.mp3", title=f"t{n}", artist=f"Artist {n}", album="Now 50", **tags) for n in range(3)]
    assert set(directories(items).values()) == {"Various Artists/Now 50"}


def test_greatest_hits_of_two_artists_stay_apart() -> None:
    items = [song(f"{who}{n}.mp3", title=f"t{n}", artist=who, album="Greatest Hits", track=n) for who in "AB" for n in (1, 2)]
    assert set(directories(items).values()) == {"A/Greatest Hits", "B/Greatest Hits"}


def test_spellings_of_one_name_are_one_album_named_as_most_spell_it() -> None:
    items = [
        song(f"{n}.mp3", title=f"t{n}", artist=a, album=b)
        for n, (a, b) in enumerate([("Beck", "x"), ("BECK", "X"), ("Beck", "X")])
    ]
    assert set(directories(items).values()) == {"Beck/X"}


def weezer(year: str, **tags: object) -> list[Item]:
    return [
        song(f"{year}/{n}.mp3", title=f"{year} {n}", artist="Weezer", album="Weezer", track=n, date=year, **tags)
        for n in (1, 2, 3)
    ]


def test_albums_of_one_name_are_all_told_apart_by_the_first_field_that_differs() -> None:
    found = directories(weezer("1994") + weezer("2001"))
    assert set(found.values()) == {"Weezer/Weezer [1994]", "Weezer/Weezer [2001]"}
    found = directories(weezer("1994", release_type="album") + weezer("2001", release_type="ep"))
    assert set(found.values()) == {"Weezer/Weezer [album]", "Weezer/Weezer [ep]"}
    found = directories(weezer("1994") + weezer("2001"), "default")
    assert set(found.values()) == {"Weezer/Weezer (1994)", "Weezer/Weezer (2001)"}


def test_releases_with_ids_of_their_own_are_told_apart() -> None:
    items = [
        song(f"{release}/{n}.mp3", title=f"t{n}", artist="A", album="X", track=n, date="1999", musicbrainz_release_id=release * 9)
        for release in "bc"
        for n in (1, 2)
    ]
    assert set(directories(items, "default").values()) == {"A/X [bbbbbbbb] (1999)", "A/X [cccccccc] (1999)"}


def test_differing_years_alone_do_not_tear_an_album_apart() -> None:
    items = [song(f"{n}.mp3", title=f"t{n}", artist="A", album="Best of", track=n, date=str(1970 + n)) for n in range(1, 9)]
    items.append(song("9.mp3", title="t9", artist="A", album="Best of", track=9, date="1971"))
    assert set(directories(items, "default").values()) == {"A/Best of (1971)"}


def test_two_discs_never_meet_in_one_directory() -> None:
    items = [
        song(f"{d}{n}.mp3", title="Intro" if n == 1 else f"t{n}", artist="A", album="X", track=n, disc=d)
        for d in (1, 2)
        for n in (1, 2)
    ]
    assert sorted(moved(plan(items)).values()) == [
        "A/X/Disc 1/01 Intro.mp3",
        "A/X/Disc 1/02 t2.mp3",
        "A/X/Disc 2/01 Intro.mp3",
        "A/X/Disc 2/02 t2.mp3",
    ]


def test_flat_layouts_share_a_directory_on_purpose() -> None:
    assert set(directories(weezer("1994") + weezer("2001"), "flat").values()) == {""}
