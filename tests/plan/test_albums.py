"""Which tracks form an album, who its artist is, and how albums of one name are distinguished."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.paths import collision_key
from orchestrator.plan.music.spelling import fold
from orchestrator.records import Item
from tests.plan.worlds import moved, plan, song


def tracks(numbers: Iterable[int], **tags: object) -> list[Item]:
    """Tracks of an album X, each in a file of its own."""
    given = {"album": "X", **tags}
    who = str(tags.get("album_artist") or tags.get("artist"))
    return [song(f"{who}/{given['album']}/{number}.mp3", title=f"t{number}", track=number, **given) for number in numbers]


def reasons(items: list[Item]) -> set[str]:
    """What the plan says about inferred album artists."""
    made = plan(items)
    found = {operation.reason.partition("; ")[2] for operation in made.operations}
    assert made.header.counts.get("artist_inferred", 0) == sum(1 for o in made.operations if "inferred" in o.reason)
    return found


def directories(
    items: list[Item], layout: str = "{{ albumartist }}/{{ album }}/{{ disc }}-{{ track }} {{ title }}"
) -> dict[str, str]:
    """File -> its new directory."""
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


def test_a_joiner_in_a_name_makes_no_other_album() -> None:
    names = ["\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u062e", "\u0645\u06cc\u200c\u062e"]
    items = [song(f"{n}.mp3", title=f"t{n}", artist="Ann", album=name, track=n + 1) for n, name in enumerate(names)]
    assert set(directories(items).values()) == {f"Ann/{names[0]}"}


def test_greatest_hits_of_two_artists_stay_apart() -> None:
    items = [song(f"{who}{n}.mp3", title=f"t{n}", artist=who, album="Greatest Hits", track=n) for who in "AB" for n in (1, 2)]
    assert set(directories(items).values()) == {"A/Greatest Hits", "B/Greatest Hits"}


def test_spellings_of_one_name_are_one_album_with_the_most_frequent_spelling() -> None:
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


def test_albums_of_one_name_are_all_distinguished_by_the_first_field_that_differs() -> None:
    found = directories(weezer("1994") + weezer("2001"))
    assert set(found.values()) == {"Weezer/Weezer [1994]", "Weezer/Weezer [2001]"}
    found = directories(weezer("1994", release_type="album") + weezer("2001", release_type="ep"))
    assert set(found.values()) == {"Weezer/Weezer [album]", "Weezer/Weezer [ep]"}
    found = directories(weezer("1994") + weezer("2001"), "default")
    assert set(found.values()) == {"Weezer/Weezer (1994)", "Weezer/Weezer (2001)"}


def test_an_album_without_the_distinguishing_field_is_an_album_of_its_own() -> None:
    other = [song(f"none/{n}.mp3", title=f"other {n}", artist="Weezer", album="Weezer", track=n) for n in (1, 2, 3)]
    assert set(directories(weezer("1994") + other).values()) == {"Weezer/Weezer [1994]", "Weezer/Weezer"}
    known = weezer("1994", musicbrainz_release_id="r" * 36)
    dated = [song(f"none/{n}.mp3", title=f"other {n}", artist="Weezer", album="Weezer", track=n, date="1994") for n in (1, 2, 3)]
    assert set(directories(known + dated).values()) == {"Weezer/Weezer [rrrrrrrr]", "Weezer/Weezer"}


def test_tracks_without_year_or_id_stay_in_their_album() -> None:
    full = weezer("1994", musicbrainz_release_id="r")
    more = [song(f"none/{n}.mp3", title=f"1994 {n}", artist="Weezer", album="Weezer", track=n) for n in (3, 4, 5, 6)]
    assert set(directories(full + more).values()) == {"Weezer/Weezer"}
    green = weezer("2001")
    third = [song("none/3.mp3", title="2001 3", artist="Weezer", album="Weezer", track=3)]
    found = directories(weezer("1994") + green[:2] + third)
    assert found["none/3.mp3"] == found["2001/1.mp3"] == "Weezer/Weezer [2001]"


def test_releases_with_different_ids_are_distinguished() -> None:
    items = [
        song(f"{release}/{n}.mp3", title=f"t{n}", artist="A", album="X", track=n, date="1999", musicbrainz_release_id=release * 9)
        for release in "bc"
        for n in (1, 2)
    ]
    assert set(directories(items, "default").values()) == {"A/X [bbbbbbbb] (1999)", "A/X [cccccccc] (1999)"}


def test_different_years_alone_do_not_split_an_album() -> None:
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


FLAG = "album artist inferred from the compilation flag: Various Artists"
VA_BY_TRACKS = "album artist inferred from its tracks: Various Artists"


@pytest.mark.parametrize(
    ("items", "directory", "said"),
    [
        (tracks([1, 2], album_artist="Ann", artist="Ann"), "Ann/X", {""}),
        (tracks([1, 2], artist="Ann"), "Ann/X", {"album artist inferred from its tracks: Ann"}),
        (tracks([1, 2], artist="Ann", compilation=True), "Ann/X", {"album artist inferred from the compilation flag: Ann"}),
        (tracks([1], artist="Ann", compilation=True), "Various Artists/X", {FLAG}),
        ([item for who in ("Ann", "Bob") for item in tracks([1], artist=who, compilation=True)], "Various Artists/X", {FLAG}),
        # The flag on a single track of one artist's album is a mistake.
        ([*tracks([1], artist="Ann", compilation=True), *tracks([2, 3], artist=("Ann",))], "Ann/X", None),
        ([*tracks([1], artist="Ann", compilation=True), *tracks([2, 3], album_artist="Ann")], "Ann/X", None),
        # The release id decides.
        (
            [
                *tracks([1, 2], album_artist="Ann", musicbrainz_release_id="r"),
                *tracks([3], artist="Eve", musicbrainz_release_id="r"),
            ],
            "Ann/X",
            {"", "album artist inferred from its release: Ann"},
        ),
        (
            [
                *tracks([1, 2, 3], artist="Ann", musicbrainz_release_id="r"),
                *tracks([4], artist="Eve", musicbrainz_release_id="r"),
            ],
            "Ann/X",
            {"album artist inferred from its release: Ann"},
        ),
        # So do the numbers, if they are 1 to the last, each once.
        ([one for n in range(1, 6) for one in tracks([n], artist=f"A{n}", track_total=5)], "Various Artists/X", {VA_BY_TRACKS}),
        ([one for n in range(1, 6) for one in tracks([n], artist="Ann" if n < 5 else "Eve", track_total=5)], "Ann/X", None),
        ([*tracks([1, 2, 3], album_artist="Ann"), *tracks([4], artist="Eve")], "Ann/X", None),
        # An artist of other tracks wins.
        ([*tracks([1, 2], artist="Ann"), *tracks([4], artist="Ann & Eve"), *tracks([6], artist="Ann vs. Bob")], "Ann/X", None),
        # A guest in the album artist.
        ([*tracks([1, 2], album_artist="Ann"), *tracks([3], album_artist="Ann feat. Eve")], "Ann/X", {""}),
        ([*tracks([1, 2], album_artist="Ann"), *tracks([3], album_artist=("Ann", "Eve"))], "Ann/X", {""}),
        # The MusicBrainz id of Various Artists, in any language.
        (
            tracks([1, 2], album_artist="Verschiedene", musicbrainz_album_artist_ids=("89ad4ac3-39f7-470e-963a-56509c546377",)),
            "Various Artists/X",
            {""},
        ),
    ],
)  # fmt: skip
def test_the_album_artist_and_what_the_plan_says_about_it(items: list[Item], directory: str, said: set[str] | None) -> None:
    assert set(directories(items).values()) == {directory}
    if said is not None:
        assert reasons(items) == said


@pytest.mark.parametrize(
    "items",
    [
        # The same numbers: two albums.
        [*tracks(range(1, 6), artist="Ann"), *tracks(range(1, 6), artist="Bob")],
        # A gap or a different total: no album by its numbers alone.
        [*tracks([1, 2, 3], artist="Ann"), *tracks([5], artist="Bob")],
        [*tracks([1, 2, 3], artist="Ann", track_total=12), *tracks([4], artist="Bob", track_total=12)],
        [*tracks([1], artist="Ann"), *tracks([2], artist="Bob")],
        # Two albums of one name, one with the flag and one with an album artist.
        [*tracks([1, 2], album_artist="Ann"), *tracks([1, 2], artist="Bob")],
        [*tracks([1, 2], album_artist="Ann"), *tracks([1, 2], album_artist=("Ann", "Eve"))],
    ],
)  # fmt: skip
def test_tracks_that_are_not_one_album_stay_apart(items: list[Item]) -> None:
    assert len(set(directories(items).values())) == 2


def test_a_hit_on_a_compilation_stays_there_despite_the_artists_own_album_of_that_name() -> None:
    own = tracks(range(1, 4), artist="Ann", album="Greatest Hits")
    gathered = [song(f"va/{n}.mp3", title=f"h{n}", artist=a, album="Greatest Hits", track=n, compilation=True)
                for n, a in enumerate(["Ann", "Bob", "Eve"], 1)]  # fmt: skip
    found = directories(own + gathered)
    assert {found[item.entry.path] for item in own} == {"Ann/Greatest Hits"}
    assert {found[item.entry.path] for item in gathered} == {"Various Artists/Greatest Hits"}


def test_a_box_set_is_one_album_whose_discs_sort() -> None:
    items = [
        song(f"{disc}/{n}.mp3", title=f"t{n}", artist="A", album="Box", track=n, disc=disc, disc_total=12, date="2001")
        for disc in range(1, 13)
        for n in (1, 2)
    ]
    assert sorted({new.rpartition("/")[0] for new in moved(plan(items)).values()}) == [
        f"A/Box (2001)/Disc {n:02}" for n in range(1, 13)
    ]
    assert len({new.rpartition("/")[0] for new in moved(plan(items, layout="jellyfin")).values()}) == 1
    assert "A/Box/1202 - t2.mp3" in moved(plan(items, layout="plex")).values()


def test_an_album_tagged_from_many_releases_is_one() -> None:
    items = [
        song(f"{n}.mp3", title=f"t{n}", artist="A", album="X", track=n, date="1999", musicbrainz_release_id=f"r{n}")
        for n in range(1, 6)
    ]
    assert set(directories(items, "default").values()) == {"A/X (1999)"}


def test_all_albums_of_one_name_are_marked_even_if_it_takes_two_fields() -> None:
    editions = [("1994", "DGC"), ("1994", "Geffen"), ("2001", "DGC")]
    items = [
        song(f"{y}{label}/{n}.mp3", title=f"{y}{label}{n}", artist="W", album="W", track=n, date=y, label=label,
             musicbrainz_release_group_id="g", musicbrainz_release_id=f"same-beginning-{y}{label}")
        for y, label in editions for n in (1, 2)
    ]  # fmt: skip
    assert set(directories(items).values()) == {"W/W [1994, DGC]", "W/W [1994, Geffen]", "W/W [2001, DGC]"}


def test_best_ofs_of_two_artists_in_one_folder_are_both_marked() -> None:
    items = [
        song(f"{who}{n}.mp3", title=f"t{n}", artist=who, album="Best Of", track=n, date="1999", release_type="compilation")
        for who in ("Ann", "Bob") for n in (1, 2)
    ]  # fmt: skip
    assert set(directories(items, "by-class").values()) == {
        "Compilations/Best Of [Ann] (1999)",
        "Compilations/Best Of [Bob] (1999)",
    }


ODD_TITLES = st.lists(st.sampled_from([*'?*:/\\|"<>-._ aA1\u00e9\u200b\u2044', "x" * 130]), min_size=1, max_size=4).map("".join)


@given(ODD_TITLES, ODD_TITLES, st.booleans())
@example("A?", "A*", False)
@example("?", "-", False)
@example("L" * 300 + "1", "L" * 300 + "2", True)
def test_albums_whose_names_differ_never_share_a_folder(one: str, other: str, of_artists: bool) -> None:
    """What no path can have is lost, but it told the albums apart. The second run finds them in place."""
    names = [{"artist": name, "album": "X"} if of_artists else {"artist": "Ann", "album": name} for name in (one, other)]
    items = [
        song(f"{folder}/{number}.mp3", title=f"{folder}{number}", track=number, date="1999", **name)
        for folder, name in zip("ab", names, strict=True)
        for number in (1, 2)
    ]
    found = directories(items, "default")
    assert len({found["a/1.mp3"], found["a/2.mp3"]}) == len({found["b/1.mp3"], found["b/2.mp3"]}) == 1
    if all(any(letter.isalnum() for letter in name) for name in (one, other)) and fold(one) != fold(other):
        assert collision_key(found["a/1.mp3"]) != collision_key(found["b/1.mp3"])


def test_discs_in_the_names_of_albums_are_albums_until_the_tags_give_them_one_name() -> None:
    def folders(*names: str) -> set[str]:
        items = [song(f"{disc}/{n}.mp3", title=f"t{n}", track=n, disc=disc, artist="Ann", album=name) for disc, name in
                 enumerate(names, 1) for n in (1, 2)]  # fmt: skip
        return {path.rpartition("/")[0] for path in moved(plan(items)).values()}

    assert folders("Best (Disc 1)", "Best (Disc 2)") == {"Ann/Best (Disc 1)", "Ann/Best (Disc 2)/Disc 2"}
    assert folders("Best", "Best") == {"Ann/Best/Disc 1", "Ann/Best/Disc 2"}
