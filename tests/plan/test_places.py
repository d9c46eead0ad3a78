"""Folders as evidence where tags contradict themselves: discs, copies of one album, samplers, hosts with company."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.actions.change import report_skipped
from orchestrator.errors import ExitCode
from orchestrator.plan.layout.presets import PRESETS
from orchestrator.plan.layout.templates import Template
from orchestrator.plan.model import Plan
from orchestrator.records import Item
from orchestrator.report.plan_view import facts
from orchestrator.track import Track
from tests.plan.worlds import PretendStorage, moved, plain, plan, skips, song, tagged, track

ALBUM = {"album_artist": "Ann", "artist": "Ann", "album": "X", "date": "1999"}
FLAC = {"codec": "flac", "lossless": True, "bit_depth": 16, "sample_rate": 44100}
FLAC24 = {**FLAC, "bit_depth": 24}
FLAC96 = {**FLAC, "bit_depth": 24, "sample_rate": 96000}
MP3 = {"codec": "mp3", "lossless": False, "sample_rate": 44100}


def folder(
    path: str, numbers: Iterable[int] = (1, 2, 3), *, extension: str = "flac", title: str = "S", **tags: object
) -> list[Item]:
    """A folder with one file for each track number."""
    given = {**ALBUM, **tags}
    given = {name: value for name, value in given.items() if value}
    return [
        song(f"{path}/{number:02} {title}{number}.{extension}", **{"title": f"{title}{number}", "track": number, **given})
        for number in numbers
    ]


def organized(items: list[Item], **options: object) -> tuple[Plan, dict[str, set[str]]]:
    """The plan, and each folder of files with the folders that they go to; a second plan must be empty."""
    made = plan(items, **options)  # type: ignore[arg-type]
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(made)
    again = plan(storage.list("/music"), **options)  # type: ignore[arg-type]
    assert not again.operations, [f"{one.src.path} -> {one.dst.path}" for one in again.operations]
    new = moved(made)
    found: dict[str, set[str]] = {}
    for item in items:
        path = item.entry.path
        found.setdefault(path.rpartition("/")[0], set()).add(new.get(path, path).rpartition("/")[0])
    return made, found


def places(items: list[Item], **options: object) -> dict[str, str]:
    """Each folder with the only folder that its files go to."""
    _, found = organized(items, **options)
    assert all(len(new) == 1 for new in found.values()), found
    assert not any("(2)." in path for path in moved(plan(items, **options)).values())  # type: ignore[arg-type]
    return {old: next(iter(new)) for old, new in found.items()}


# ------------------------------------------------------------ discs


@pytest.mark.parametrize(
    "names",
    [
        ("in/CD1", "in/CD2"),
        ("in/cd 01", "in/cd 02"),
        ("in/Disc 01 - Title", "in/Disc 02 - Other"),
        ("in/Disc One", "in/Disc Two"),
        ("in/Disk A", "in/Disk B"),
        ("in/CD I", "in/CD II"),
        ("in/X (CD1)", "in/X (CD2)"),
        ("in/X [Disc 1] [FLAC]", "in/X [Disc 2] [FLAC]"),
        ("in/X CD1", "in/X CD2"),
        ("in/X - Disc 1", "in/X - Disc 2"),
        ("in/Disque 1", "in/Disque 2"),
        ("in/X", "in/X/CD2"),
        ("in/X", "in/X/Bonus (Disc 2)"),
        ("in/X CD1", "elsewhere/X CD2"),
        ("in/(1)", "in/(2)"),
        ("in/1", "in/2"),
        ("in/X", "in/X (2)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["default", "jellyfin", "plex", "disc-numbers", "flat"])
def test_discs_that_only_folders_tell(names: tuple[str, str], layout: str) -> None:
    items = [*folder(names[0], title="S", bit_depth=16), *folder(names[1], title="T")]
    items += [plain(f"{name}/cover.jpg", name) for name in names if name != "in/X"]
    made, found = organized(items, layout=layout)
    assert layout == "flat" or made.header.counts["discs_by_folder"] == 6
    if layout == "default":
        assert found == {names[0]: {"Ann/X (1999)/Disc 1"}, names[1]: {"Ann/X (1999)/Disc 2"}}
        assert any(f"; disc 2 by its folder {names[1].rpartition('/')[2]}" in one.reason for one in made.operations)
    if layout == "jellyfin":
        assert {name for path, name in moved(made).items() if path.endswith("01 T1.flac")} == {"Ann/X (1999)/2-01 T1.flac"}
    if layout == "plex":
        assert {name for path, name in moved(made).items() if path.endswith("01 T1.flac")} == {"Ann/X/201 - T1.flac"}


def test_discs_that_only_names_tell() -> None:
    items = [song(f"in/{disc}-0{n} S.flac", title=f"S{disc}{n}", track=n, **ALBUM) for disc in (1, 2) for n in (1, 2)]
    _, found = organized(items)
    assert found == {"in": {"Ann/X (1999)/Disc 1", "Ann/X (1999)/Disc 2"}}


@pytest.mark.parametrize("title", ["T%d", "%d", "- %d Libras", "x%d", "(%d)", "- 1-0%d"])
def test_titles_that_begin_with_their_own_number_tell_no_discs(title: str) -> None:
    """Neither in the names that they have nor in those that the layout gives, although each number is claimed by two formats."""
    items = [
        song(f"in/0{number} {title % number}.{extension}", title=title % number, track=number, codec=codec, **ALBUM)
        for number in (1, 2, 3)
        for extension, codec in (("flac", "flac"), ("mp3", "mp3"))
    ]
    _, found = organized(items)
    assert found == {"in": {"Ann/X (1999)"}}


def test_a_disc_of_the_tags_stays_where_folders_say_something_else() -> None:
    items = [*folder("in/CD2", disc=1), *folder("in/CD1", title="T", disc=2)]
    assert places(items) == {"in/CD2": "Ann/X (1999)/Disc 1", "in/CD1": "Ann/X (1999)/Disc 2"}


def test_folders_of_discs_mean_nothing_where_no_number_is_claimed_twice() -> None:
    assert places([*folder("in/CD1", (1, 2)), *folder("in/CD2", (3, 4))]) == dict.fromkeys(("in/CD1", "in/CD2"), "Ann/X (1999)")


def test_the_tags_of_one_disc_on_both() -> None:
    items = [*folder("in/CD1", disc=1, disc_total=1), *folder("in/CD2", title="T", disc=1, disc_total=1)]
    assert places(items) == {"in/CD1": "Ann/X (1999)/Disc 1", "in/CD2": "Ann/X (1999)/Disc 2"}


# ------------------------------------------------------------ copies


@pytest.mark.parametrize(
    ("one", "other", "labels"),
    [
        ({"track_total": 3}, {"track_total": 15}, ("3 tracks", "15 tracks")),
        ({"track_total": 3, **FLAC}, {"track_total": 15, **MP3}, ("3 tracks", "15 tracks")),
        (FLAC, MP3, ("FLAC", "MP3")),
        ({"track_total": 3, **FLAC24}, {"track_total": 3, **FLAC}, ("24 bit", "16 bit")),
        (FLAC96, FLAC24, ("96 kHz", "44.1 kHz")),
        ({"edition": "deluxe", **FLAC}, FLAC, ("Rip A", "Rip B [EAC]")),
        (FLAC, FLAC, ("Rip A", "Rip B [EAC]")),
        ({}, FLAC, ("Rip A", "Rip B [EAC]")),
    ],
)  # fmt: skip
def test_copies_of_one_album_are_told_apart_by_the_first_fact_that_differs(
    one: dict[str, object], other: dict[str, object], labels: tuple[str, str]
) -> None:
    items = [
        *folder("in/Rip A", **one),
        *folder("in/Rip B [EAC]", **other),
        plain("in/Rip A/cover.jpg"),
        plain("in/Rip B [EAC]/cover.jpg"),
    ]
    legal = [label.replace("[", "(").replace("]", ")") for label in labels]
    for preset in PRESETS:
        organized(items, layout=preset)
    assert places(items) == {"in/Rip A": f"Ann/X [{legal[0]}] (1999)", "in/Rip B [EAC]": f"Ann/X [{legal[1]}] (1999)"}
    made = plan(items)
    assert made.header.counts["copies"] == 2
    assert {one.reason for one in made.operations if "S1" in one.src.path} == {
        f"layout; one of several copies of an album: [{label}]" for label in legal
    }


def test_three_copies_need_two_facts() -> None:
    items = [*folder("a", **FLAC24), *folder("b", **FLAC), *folder("c", extension="mp3", **MP3)]
    assert places(items) == {
        "a": "Ann/X [FLAC, 24 bit] (1999)",
        "b": "Ann/X [FLAC, 16 bit] (1999)",
        "c": "Ann/X [MP3] (1999)",
    }


def test_copies_with_discs_keep_them() -> None:
    items = [one for rip in ("FLAC", "MP3") for disc in (1, 2)
             for one in folder(f"{rip}/CD{disc}", title=f"S{disc}", **(FLAC if rip == "FLAC" else MP3))]  # fmt: skip
    assert places(items) == {f"{rip}/CD{disc}": f"Ann/X [{rip}] (1999)/Disc {disc}" for rip in ("FLAC", "MP3") for disc in (1, 2)}


def test_folders_of_one_name_are_told_apart_by_those_above() -> None:
    assert places([*folder("old/X", **FLAC), *folder("new/X", **FLAC)]) == {
        "old/X": "Ann/X [old] (1999)",
        "new/X": "Ann/X [new] (1999)",
    }


def test_a_copy_beside_its_original_is_no_second_disc() -> None:
    assert places([*folder("X", **FLAC), *folder("X (2)", **FLAC)]) == {"X": "Ann/X [X] (1999)", "X (2)": "Ann/X [X (2)] (1999)"}


@pytest.mark.parametrize(
    ("other", "label"), [("in/X", "in"), ("in", "in"), ("in/X (1999)", "in"), ("in/X [EAC]", "EAC"), ("X", "X")]
)
def test_a_copy_that_is_where_it_belongs_keeps_its_name(other: str, label: str) -> None:
    """Nothing but folders tells them apart: a copy of a killed run, or an album that was downloaded again."""
    home = "Ann/X (1999)"
    for one in (FLAC, {**FLAC, "disc": 1, "disc_total": 1}):
        assert places([*folder(home, **one), *folder(other, **one)]) == {home: home, other: f"Ann/X [{label}] (1999)"}
    assert places([*folder(home, **FLAC), *folder(other, extension="mp3", **MP3)]) == {
        home: "Ann/X [FLAC] (1999)", other: "Ann/X [MP3] (1999)"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rip", "label"), [({"extension": "mp3", **MP3}, "MP3"), ({**FLAC, "sample_rate": 48000}, "48 kHz"), (FLAC, "in")]
)
@pytest.mark.parametrize(("source", "target"), [("/music", "other:lib"), ("/lib/inbox", "/lib")])
def test_a_copy_of_an_album_that_another_target_has_gets_a_folder_of_its_own(
    source: str, target: str, rip: dict[str, Any], label: str
) -> None:
    home = folder("Ann/X (1999)", title="S", **FLAC)
    arriving = folder("in/X", **{**rip, "genre": "Jazz"})
    made = plan(arriving, source=source, target=target, there=home, copy=True)
    assert {path.rpartition("/")[0] for path in moved(made).values()} == {f"Ann/X [{label}] (1999)"}
    assert made.header.counts["copies"] == 1
    there = [*home, *(replace(item, entry=replace(item.entry, path=moved(made)[item.entry.path])) for item in arriving)]
    assert not plan(arriving, source=source, target=target, there=there, copy=True).operations, "the next run"
    assert not plan(there).operations, "the target in place"
    assert set(moved(plan(home, source=source, target=target, there=home, copy=True)).values()) == set(), "the same files"
    assert moved(plan(folder("in", (4,)), target="other:lib", there=home)) == {"in/04 S4.flac": "Ann/X (1999)/04 S4.flac"}


def test_a_single_and_an_album_of_one_name() -> None:
    items = [*folder("album", range(1, 8), track_total=7), *folder("single", (1,), title="X", track_total=1)]
    assert places(items) == {"album": "Ann/X [7 tracks] (1999)", "single": "Ann/X [1 track] (1999)"}


def test_a_stray_copy_of_one_track_makes_no_album() -> None:
    items = [
        *folder("album", range(1, 8), track_total=7, **FLAC),
        *folder("Downloads", (3,), extension="mp3", track_total=7, **MP3),
    ]
    assert places(items) == dict.fromkeys(("album", "Downloads"), "Ann/X (1999)")


def test_songs_of_copies_are_rendered_once_with_a_label_and_once_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often their folders are looked at: rendering takes most of the time of a plan."""
    rendered: list[dict[str, Any]] = []
    render = Template.render
    monkeypatch.setattr(Template, "render", lambda template, values: rendered.append(values) or render(template, values))
    plan([*folder("a"), *folder("b")])
    assert sum(values["title"] in {"S1", "S2", "S3"} for values in rendered) == 2 * 6


def test_an_album_in_two_folders_is_one() -> None:
    assert set(places([*folder("a", (1, 2, 3)), *folder("b", (4, 5))]).values()) == {"Ann/X (1999)"}
    items = [*folder("a", range(1, 6), **FLAC), *folder("b", (1, 2, 3), **MP3), *folder("c", (4, 5), **MP3)]
    assert places(items) == {"a": "Ann/X [FLAC] (1999)", "b": "Ann/X [MP3] (1999)", "c": "Ann/X [MP3] (1999)"}


def test_formats_that_share_a_folder_stay_together() -> None:
    items = [*folder("X", **FLAC), *folder("X", extension="mp3", **MP3)]
    assert places(items) == {"X": "Ann/X (1999)"}


def test_copies_of_one_format_in_one_folder_are_told_apart_by_their_facts() -> None:
    cases: list[tuple[dict[str, object], dict[str, object], tuple[str, str]]] = [
        (FLAC24, FLAC, ("24 bit", "16 bit")),
        ({"track_total": 3}, {"track_total": 15}, ("3 tracks", "15 tracks")),
    ]
    for one, other, labels in cases:
        items = [*folder("in", title="S", **one), *folder("in", title=" S", **other)]
        _, found = organized(items)
        assert found == {"in": {f"Ann/X [{label}] (1999)" for label in labels}}
    for more, why in (({"title": " S"}, "nothing tells them apart"), ({"title": "T", "track_total": 9}, "these are two discs")):
        _, found = organized([*folder("in", track_total=3), *folder("in", **{"track_total": 3, **more})])
        assert found == {"in": {"Ann/X (1999)"}}, why


@pytest.mark.parametrize("title", ["Unknown Album", "[no album]", "<Unknown>", "Unbekanntes Album"])
def test_names_that_are_no_album_join_no_folders(title: str) -> None:
    tags = {"album_artist": None, "date": None, "album": title}
    items = [*folder("Rip a", **tags), *folder("CD2", (1, 2, 3, 4), title="T", **tags), *folder("CD3", (5, 6), title="U", **tags)]
    found = places(items)
    assert len(set(found.values())) == 3
    assert all(f"[{old}]" in new for old, new in found.items())


def test_untitled_with_an_artist_is_an_album() -> None:
    assert set(places([*folder("a", (1, 2), album="Untitled"), *folder("b", (3,), album="Untitled")]).values()) == {
        "Ann/Untitled (1999)"
    }


# ------------------------------------------------------------ samplers


def sampler(path: str, numbers: Iterable[int], *, artists: int = 99, **tags: object) -> list[Item]:
    """A folder with tracks of several artists, without album artist."""
    return [
        item for n in numbers for item in folder(path, (n,), **{"album_artist": None, "artist": f"Artist {n % artists}", **tags})
    ]


@pytest.mark.parametrize("tags", [{}, {"track_total": 7}, {"date": None}, {"compilation": True}])
@pytest.mark.parametrize("layout", [*PRESETS, "{{ albumartist }}/{{ title }}", "{{ album }}/{{ title }}"])
def test_a_sampler_with_a_track_missing_is_one_album(tags: dict[str, object], layout: str) -> None:
    items = [*sampler("in/Now 50", (1, 2, 3, 5, 6, 7), **tags), *sampler("in/Now 51", (2, 3, 4, 5), album="Y", **tags)]
    made, found = organized(items, layout=layout)
    if layout == "default":
        year = "" if "date" in tags else " (1999)"
        assert found == {"in/Now 50": {f"Various Artists/X{year}"}, "in/Now 51": {f"Various Artists/Y{year}"}}
        said = "the compilation flag" if "compilation" in tags else "its folder"
        assert all(f"album artist inferred from {said}: Various Artists" in one.reason for one in made.operations)


def test_an_album_with_a_guest_and_a_track_missing_is_its_hosts() -> None:
    items = [*sampler("in", (1, 2, 3, 5), artists=1), *sampler("in", (7,))]
    assert places(items) == {"in": "Artist 0/X (1999)"}
    items = [*folder("in", (1, 2, 3)), *sampler("in", (7,))]
    assert places(items) == {"in": "Ann/X (1999)"}


def test_a_sampler_of_two_discs() -> None:
    items = [*sampler("in/CD1", (1, 2, 4)), *sampler("in/CD2", (1, 3, 4))]
    assert places(items) == {f"in/CD{n}": f"Various Artists/X (1999)/Disc {n}" for n in (1, 2)}


@pytest.mark.parametrize(
    "items",
    [
        [*sampler("in/X", (1, 2, 3)), *folder("in/X", (3,), title="T", album_artist=None, artist="Bob")],
        [*sampler("in/X", (1, 2), track_total=12), *sampler("in/X", (3, 4), track_total=9)],
        [*sampler("in/X", (4, 5, 6)), song("in/X/07.flac", title="S7", artist="Artist 7", album="X", track=4)],
    ],
)  # fmt: skip
def test_a_folder_that_would_be_scattered_stays_together_and_is_named(items: list[Item]) -> None:
    items = [*items, plain("in/X/cover.jpg")]
    for layout in PRESETS:
        made, _ = organized(items, layout=layout)
        assert made.operations == ()
        assert set(skips(made).values()) == {"unclear"}
        assert made.header.counts["kept_together"] == 1
        assert all("its folder stays together" in one.reason for one in made.skipped)


def test_loose_songs_go_to_their_artists() -> None:
    items = [song(f"Downloads/{n}.mp3", title=f"S{n}", artist=f"Artist {n}") for n in range(30)]
    items += [
        song(f"Downloads/u{n}.mp3", title=f"S{n}", artist=f"Artist {n}", album="Unknown Album", track=n % 3) for n in range(30)
    ]
    made, found = organized(items, layout="singles")
    assert len(found["Downloads"]) == 60
    assert not made.skipped


def test_singles_in_one_folder_are_albums_of_their_own() -> None:
    items = [song(f"Singles/{n}.mp3", title=f"S{n}", artist=f"Artist {n}", album=f"S{n}", track=1) for n in range(9)]
    _, found = organized(items)
    assert found["Singles"] == {f"Artist {n}/S{n}" for n in range(9)}


def test_greatest_hits_of_several_artists_in_one_folder_are_theirs() -> None:
    items = [song(f"Hits/{who} {n}.mp3", title=f"{who} {n}", artist=who, album="Greatest Hits", track=n, date=year)
             for who, year in (("Queen", "1981"), ("Abba", "1975"), ("Cher", "1999")) for n in (1, 2, 5)]  # fmt: skip
    _, found = organized(items)
    assert found["Hits"] == {"Queen/Greatest Hits (1981)", "Abba/Greatest Hits (1975)", "Cher/Greatest Hits (1999)"}


def test_numbers_of_different_albums_may_fit_by_chance() -> None:
    """Together they are tracks 1 to 4, each once."""
    items = [*folder("q", (1, 2), album_artist="", artist="Queen", date=""), *folder("a", (3, 4), album_artist="", artist="Abba")]
    assert places(items) == {"q": "Queen/X", "a": "Abba/X (1999)"}
    of_four = [*folder("q", (1, 2), album_artist="", artist="Queen", track_total=4)]
    of_four += folder("a", (3, 4), album_artist="", artist="Abba", track_total=4)
    assert set(places(of_four).values()) == {"Various Artists/X (1999)"}


def test_downloads_with_parts_of_several_albums() -> None:
    other = [song(f"Downloads/o{n}.mp3", title=f"O{n}", artist="Bob", album="Other", track=n) for n in (3, 4)]
    hits = [song(f"Downloads/h{n}.mp3", title=f"H{n}", artist=f"Star {n}", album="Greatest Hits", track=n, date=f"19{n}0")
            for n in (71, 82, 93)]  # fmt: skip
    items = [*sampler("Downloads", (1, 5, 6, 9)), *other, *hits]
    _, found = organized(items, layout="artist-album")
    assert found["Downloads"] == {"Various Artists/X", "Bob/Other", *(f"Star {n}/Greatest Hits" for n in (71, 82, 93))}


# ------------------------------------------------------------ album artists


@pytest.mark.parametrize(
    "name",
    ["V/A", "V. A.", "VV.AA.", "AA.VV.", "[Various Artists]", "various  artists", "Verschiedene Interpreten", "Artistes Divers",
     "Varios Artistas", "V\u00e1rios Artistas", "Allerlei!"],
)  # fmt: skip
def test_various_artists_by_their_letters(name: str) -> None:
    items = [*folder("in", (1, 2), album_artist=name), *folder("in", (3,), album_artist="Various Artists")]
    assert places(items, various_artists=("allerlei",)) == {"in": "Various Artists/X (1999)"}


@pytest.mark.parametrize("name", ["Various Production", "V\u00e1", "!!!", "Vaya", "The Various"])
def test_artists_who_are_called_similarly(name: str) -> None:
    assert places(folder("in", album_artist=name)) == {"in": f"{name}/X (1999)"}


def test_a_flagged_compilation_of_one_artist_is_that_artists() -> None:
    one = {"album_artist": None, "compilation": True, "album": "Best Of"}
    items = [*folder("a", artist="Ann", **one), *folder("b", artist="Bob", **one)]
    assert places(items) == {"a": "Ann/Best Of (1999)", "b": "Bob/Best Of (1999)"}
    assert places(folder("in", artist=("Ann", "Eve"), **one)) == {"in": "Ann/Best Of (1999)"}
    items = [*folder("in", (1, 2), artist="Ann", **one), *folder("in", (3, 5), artist="Bob", **one)]
    assert places(items) == {"in": "Various Artists/Best Of (1999)"}


COMPANY = [
    "Ann, Eve",
    "Ann & Bob",
    "Ann; Cid",
    "Ann / Dan",
    "Ann and Fay",
    "Ann with Gil",
    "Ann x Hal",
    ("Ann", "Eve"),
    ("Eve", "Ann"),
]


@pytest.mark.parametrize("alone", [True, False])
def test_hosts_with_company_make_one_album(alone: bool) -> None:
    hosts = ["Ann"] * alone + [name for name in COMPANY if alone or not isinstance(name, tuple)]
    items = [one for n, name in enumerate(hosts, 1) for one in folder("in", (n,), album_artist=name, artist=name)]
    assert places(items) == {"in": "Ann/X (1999)"}
    items = [one for n, name in enumerate(hosts, 1) for one in folder("in", (n,), album_artist=None, artist=name)]
    assert places(items)["in"] in {"Ann/X (1999)", "Various Artists/X (1999)"}


@pytest.mark.parametrize(
    ("names", "whole"),
    [
        (["Earth, Wind & Fire"] * 2 + ["Earth, Wind & Fire & Ramsey Lewis"], "Earth, Wind & Fire"),
        (["Earth, Wind & Fire with A", "Earth, Wind & Fire & B"], "Earth, Wind & Fire"),
        (["Earth, Wind & Fire"] * 2 + ["Earth, Wind and Fire"], "Earth, Wind & Fire"),
        (["Simon & Garfunkel"] * 3 + ["Simon and Garfunkel"], "Simon & Garfunkel"),
        (["Simon & Garfunkel"] * 3 + ["Simon & Bob"], "Simon & Garfunkel"),
        (["AC/DC"] * 2 + ["AC/DC & Bob"], "AC_DC"),
        (["Sleeping with Sirens"] * 3, "Sleeping with Sirens"),
    ],
)
def test_names_of_bands_are_never_split(names: list[str], whole: str) -> None:
    items = [one for n, name in enumerate(names, 1) for one in folder("in", (n,), album_artist=name)]
    assert places(items) == {"in": f"{whole}/X (1999)"}


def test_two_artists_whose_names_begin_alike_stay_apart() -> None:
    items = [*folder("e", (1, 2), album_artist="Earth"), *folder("f", (3, 4), album_artist="Earth, Wind & Fire")]
    assert places(items) == {"e": "Earth/X (1999)", "f": "Earth, Wind & Fire/X (1999)"}


@pytest.mark.parametrize(
    "guest",
    ["feat. Bob", "- feat. Bob", "\u2013 ft. Bob", "/ feat. Bob", "(feat. Bob)", "[ft Bob]", "{feat. Bob}", "<featuring Bob>",
     "\uff08feat. Bob\uff09", "w/ Bob", "w/Bob", "(w/ Bob)", "(with Bob)", "[with Bob]", ", feat. Bob", "feat.Bob"],
)  # fmt: skip
def test_guests_however_they_are_written(guest: str) -> None:
    for field in ("album_artist", "artist"):
        items = [*folder("a", (1, 2, 3), **{"album_artist": None, "artist": None, field: "Ann"}),
                 *folder("b", (5,), **{"album_artist": None, "artist": None, field: f"Ann {guest}"})]  # fmt: skip
        assert places(items) == dict.fromkeys("ab", "Ann/X (1999)"), field


def test_typographic_twins_are_one_name_spelled_as_most_files_do() -> None:
    plain_name, curly = "Guns N' Roses \u2010 A", "Guns N\u2019 Roses - A"
    items = [*folder("a", (1, 2, 3, 5), album_artist=curly), *folder("b", (1, 2), album="Y", album_artist=plain_name),
             *folder("a", (4,), album_artist=plain_name, album="X\u00ad")]  # fmt: skip
    assert places(items) == {"a": f"{curly}/X (1999)", "b": f"{curly}/Y (1999)"}


def test_a_sampler_whose_tracks_name_their_own_artist_as_album_artist() -> None:
    items = [one for n in (1, 2, 4, 5) for one in folder("in", (n,), album_artist=f"Artist {n}", artist=f"Artist {n}")]
    assert places(items) == {"in": "Various Artists/X (1999)"}
    hits = [
        one for n in (1, 2, 4, 5) for one in folder("in", (n,), album_artist=f"Artist {n}", artist=f"Artist {n}", date=f"199{n}")
    ]
    _, found = organized(hits)
    assert found == {"in": {f"Artist {n}/X (199{n})" for n in (1, 2, 4, 5)}}
    company = [one for n in (1, 2, 4, 5) for one in folder("in", (n,), album_artist=f"Ann & Artist {n}", artist="Ann")]
    assert places(company) == {"in": "Ann/X (1999)"}


# ------------------------------------------------------------ what is said


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("flat", ["Ann - S1 [16 bit].flac", "Ann - S1 [24 bit].flac", "Ann - S2 [16 bit].flac", "Ann - S2 [24 bit].flac"]),
        (
            "{{ album }} - {{ title }}",
            ["X [16 bit] - S1.flac", "X [16 bit] - S2.flac", "X [24 bit] - S1.flac", "X [24 bit] - S2.flac"],
        ),
    ],
)
def test_copies_are_told_apart_by_the_names_of_files_where_no_folder_is_theirs(layout: str, names: list[str]) -> None:
    storage = PretendStorage.holding("/music", [*folder("a", (1, 2), **FLAC), *folder("b", (1, 2), **FLAC24)])
    for _ in range(2):
        storage.carry_out(plan(storage.list("/music"), layout=layout))
        assert [*storage.tree("/music")] == names


def test_copies_without_a_common_name_need_no_label() -> None:
    made = plan([*folder("a", (1, 2), **FLAC), *folder("b", (1, 2), extension="mp3", **MP3)], layout="flat")
    assert sorted(moved(made).values()) == ["Ann - S1.flac", "Ann - S1.mp3", "Ann - S2.flac", "Ann - S2.mp3"]


def test_the_summary_counts_what_folders_told() -> None:
    items = [*folder("a", **FLAC), *folder("b", **MP3), *folder("c/CD1", album="Y"), *folder("c/CD2", album="Y", title="T"),
             *folder("d", (1,), album="Z"), song("e.mp3", title="S", album="V", artist="Ann")]  # fmt: skip
    assert {name: value for name, value in facts(plan(items)) if name.startswith(("copies", "disc", "album", "without"))} == {
        "album artist inferred": "1",
        "disc inferred from folder": "6",
        "albums of one track": "2",
        "without track number": "1; a tagger such as Picard adds numbers",
        "copies of one album": "2; `music-orchestrator dedup` finds duplicates",
    }


def test_a_folder_that_stays_together_is_named_once() -> None:
    said: list[tuple[str, ...]] = []
    session: Any = SimpleNamespace(
        problems=SimpleNamespace(report=lambda *args, location: said.append((*args, location))),
        summary=SimpleNamespace(ops_skipped=0),
    )
    made = plan(
        [
            *sampler("in/X", (1, 2), track_total=12),
            *sampler("in/X", (3, 4), track_total=9),
            song("in/e.mp3", title="S", artist="A"),
        ]
    )
    assert report_skipped(session, made) is ExitCode.SOME_FAILED
    assert [(code, path) for code, _, path, _ in said] == [("unclear", "in/X")]
    assert session.summary.ops_skipped == 4


# ------------------------------------------------------------ every plan is the last


CONTRADICTIONS = st.builds(
    track,
    title=st.sampled_from(["S", "T", "U"]),
    artist=st.sampled_from(["Ann", "Bob", "Ann & Bob", ("Eve", "Ann"), "Ann\u2019s", "Ann's", "Earth, Wind & Fire"]),
    album_artist=st.sampled_from([(), (), (), "Ann", "Ann, Eve", "Ann & Bob", "V/A", "Earth"]),
    album=st.sampled_from(["X", "X", "X", "Unknown Album", "Y", "Untitled", "X [a]"]),
    track=st.sampled_from([None, 1, 2, 3, 4]),
    track_total=st.sampled_from([None, None, 4, 9]),
    disc=st.sampled_from([None, None, None, 1, 2]),
    compilation=st.sampled_from([None, None, None, True]),
    codec=st.sampled_from([None, "flac", "mp3"]),
    bit_depth=st.sampled_from([None, 16, 24]),
    lossless=st.booleans(),
)
FOLDERS = (
    "",
    "in",
    "in/CD1",
    "in/CD2",
    "in/X (2)",
    "in/X",
    "a/X",
    "b/X",
    "1",
    "X [a]",
    "Ann/X",
    "Ann/X/Disc 1",
    "Various Artists/X",
)
FILES = ("a.flac", "b.flac", "1-01 S.flac", "2-01 S.flac", "101 T.flac", "c.mp3")


@given(
    st.dictionaries(st.tuples(st.sampled_from(FOLDERS), st.sampled_from(FILES)), CONTRADICTIONS, max_size=12),
    st.sampled_from(
        [*PRESETS, "{{ albumartist }}/{{ title }}", "{{ disc }}/{{ album }}/{{ title }}", "{{ codec }}/{{ album }}/{{ title }}"]
    ),
)
def test_a_second_run_plans_nothing(files: dict[tuple[str, str], Track], layout: str) -> None:
    organized([tagged(f"{folder}/{name}".lstrip("/"), tags) for (folder, name), tags in files.items()], layout=layout)
