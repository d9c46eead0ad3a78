"""Names as tags: what names tell where tags are missing, when they are left alone, and that a second run plans nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.plan.file_names.habits import EXAMPLES, Example
from orchestrator.plan.file_names.pattern import EXAMPLE, Pattern, parse_names_as_tags
from orchestrator.plan.layout.presets import PRESETS
from orchestrator.plan.model import Plan
from orchestrator.records import Item
from tests.nightly import some_at_night
from tests.plan.worlds import PretendStorage, moved, plain, plan, skips, song, unreadable, untagged

AUTO = ("auto",)
ALBUM = "Ann Bee - Sky (1979)"


def named(paths: Sequence[str | Item], patterns: Sequence[str] = AUTO, **options: Any) -> tuple[Plan, dict[str, str]]:
    """The plan for these files, which are untagged unless they are given as items, and where each of them is afterwards.

    Checks that a second run plans nothing, with the option and without it, and that no tags were written.
    """
    items = [untagged(one) if isinstance(one, str) else one for one in paths]
    options = {"names_as_tags": tuple(patterns), **options}
    made = plan(items, **options)
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(made)
    for again in (options, {**options, "names_as_tags": None}, {**options, "names_as_tags": ()}):
        assert moved(plan(storage.list("/music"), **again)) == {}
    readings = {item.entry.hashes["md5"]: item.reading for item in storage.list("/music")}
    assert readings == {item.entry.hashes["md5"]: item.reading for item in items}
    new = moved(made)
    return made, {item.entry.path: new.get(item.entry.path, item.entry.path) for item in items}


def untouched(paths: Sequence[str | Item], patterns: Sequence[str] = AUTO, **options: Any) -> Plan:
    made, places = named(paths, patterns, **options)
    assert all(old == new for old, new in places.items())
    assert "from_names" not in made.header.counts
    return made


# ------------------------------------------------------------ what names tell


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.paths[0])
def test_each_example_of_the_documentation(example: Example) -> None:
    made, places = named(example.paths)
    assert places[example.paths[0]] == example.becomes
    assert all(one.reason.endswith(f"; from its name: {example.pattern}") for one in made.operations)
    assert made.header.counts["from_names"] == len(example.paths)
    # A pattern that is written out does the same.
    assert named(example.paths, [example.pattern])[1][example.paths[0]] == example.becomes


@pytest.mark.parametrize("layout", some_at_night((*PRESETS,), night={*PRESETS} - {"default", "disc-numbers", "flat", "plex"}))
def test_in_every_layout_the_second_run_plans_nothing(layout: str) -> None:
    paths = [path for example in EXAMPLES for path in example.paths]
    made, _ = named(paths, layout=layout)
    assert made.header.counts["from_names"] == len(paths), made.skipped


@pytest.mark.parametrize(
    ("paths", "becomes"),
    [
        # Discs of one album fit together, and their order is told by folders.
        (("Ann/Sky [Disc 2]/01 - a.mp3", "Ann/Sky [Disc 1]/01 - b.mp3"), ("Ann/Sky/Disc 2/01 a.mp3", "Ann/Sky/Disc 1/01 b.mp3")),
        (("Ann/Sky/101 - a.mp3", "Ann/Sky/201 - b.mp3"), ("Ann/Sky/Disc 1/01 a.mp3", "Ann/Sky/Disc 2/01 b.mp3")),
        # Titles with dashes: an artist that is repeated is none of the title; movements share the name of their work.
        (("Ann/Sky (1979)/01 - Ann - a.mp3", "Ann/Sky (1979)/02 - Ann - b - c.mp3"),
         ("Ann/Sky (1979)/01 a.mp3", "Ann/Sky (1979)/02 b - c.mp3")),
        (tuple(f"Bach - Suites (1990)/0{n} - {w} - {n}.mp3" for n, w in ((1, "No 1"), (2, "No 1"), (3, "No 2"))),
         tuple(f"Bach/Suites (1990)/0{n} {w} - {n}.mp3" for n, w in ((1, "No 1"), (2, "No 1"), (3, "No 2")))),
        (("Xan - Foo - Bar (2004)/01 - T.mp3",), ("Xan/Foo - Bar (2004)/01 T.mp3",)),
        # A hidden track, several artists on a shelf, an artist with underscores, another dash.
        (("Ann/Sky/00 - h.mp3", "Ann/Sky/01 - a.mp3"), ("Ann/Sky/00 h.mp3", "Ann/Sky/01 a.mp3")),
        (("Bob's/Ann - Sky (1979)/01 - a.mp3", "Bob's/Eve - Sea (1980)/01 - b.mp3"),
         ("Ann/Sky (1979)/01 a.mp3", "Eve/Sea (1980)/01 b.mp3")),
        (("Bob's/Xan - Yes (2004)/01 - a.mp3",), ("Xan/Yes (2004)/01 a.mp3",)),
        (("Bob's/VA - Hits/01 - Ann - a.mp3",), ("Various Artists/Hits/01 Ann - a.mp3",)),
        (("Disco Duo - Part 1 (2006)/01 - a.mp3",), ("Disco Duo/Part 1 (2006)/01 a.mp3",)),
        (("Rock/Bob/Ann - Sky (1979)/01 - a.mp3",), ("Rock/Bob/Ann - Sky (1979)/01 - a.mp3",)),
        (("Ann - Box (2004) (Disc 1 of 2)/01 - a.mp3", "Ann - Box (2004) (Disc 2 of 2)/01 - b.mp3"),
         ("Ann/Box (2004)/Disc 1/01 a.mp3", "Ann/Box (2004)/Disc 2/01 b.mp3")),
        (("ph2000-04-20.shnf/ph2000-04-20d1_01_Axilla.shn",), ("Phish/2000-04-20 (2000)/01 Axilla.shn",)),
        (("loose/50 Cent - a.mp3", "loose/50 Cent - b.mp3"), ("50 Cent/[no album]/a.mp3", "50 Cent/[no album]/b.mp3")),
        (("Old_Band_-_Late_Night-2001-GRP/01-old_band_-_first_bus-grp.mp3",), ("Old Band/Late Night (2001)/01 first bus.mp3",)),
        (("VA-Hits-2CD-2004-GRP/101-ann-a_b-grp.mp3", "VA-Hits-2CD-2004-GRP/201-eve-c_d-grp.mp3"),
         ("Various Artists/Hits (2004)/Disc 1/01 ann - a b.mp3", "Various Artists/Hits (2004)/Disc 2/01 eve - c d.mp3")),
        (("2004 - Ann - Sky/01 - a.mp3",), ("Ann/Sky (2004)/01 a.mp3",)),
        (("in/[2004] Ann - Sky/01 - a.mp3",), ("Ann/Sky (2004)/01 a.mp3",)),
        (("AC_DC - Powerage/01 - Rock n Roll.mp3",), ("AC_DC/Powerage/01 Rock n Roll.mp3",)),
        (("Ann \u2013 Sky (1979)/01 \u2013 a.mp3",), ("Ann/Sky (1979)/01 a.mp3",)),
        (("The 1975/Notes/01 - a.mp3",), ("The 1975/Notes/01 a.mp3",)),
        (("Van Halen/1984/01 Jump.mp3",), ("Van Halen/1984/01 Jump.mp3",)),
        (("Ann/Sky [24bit 96kHz]/01 - a.flac",), ("Ann/Sky/01 a.flac",)),
        (("Ann/1999-07-14 - Oslo [AUD]/01 - a.flac",), ("Ann/1999-07-14 Oslo (AUD) (1999)/01 a.flac",)),
        (("Кино - Группа крови (1988)/01 - Война.mp3",), ("Кино/Группа крови (1988)/01 Война.mp3",)),
        (("Ann/Ann - Sky (1979) FLAC/Ann-01-a.flac",), ("Ann/Sky (1979)/01 a.flac",)),
        (("Metal/Ann - ...And Sky (1988) [FLAC Lossless]/01. a.flac",), ("Ann/_..And Sky (1988)/01 a.flac",)),
        (("Compilations/Hits/1-01 a.m4a", "Compilations/Hits/2-01 b.m4a"),
         ("Various Artists/Hits/Disc 1/01 Various Artists - a.m4a", "Various Artists/Hits/Disc 2/01 Various Artists - b.m4a")),
        (("Soundtracks/Pulp (1994)/01 - Ann - a.mp3",), ("Various Artists/Pulp (1994)/01 Ann - a.mp3",)),
        (("V.A. - Hits/Ann - a.mp3", "V.A. - Hits/Eve - b.mp3"),
         ("Various Artists/Hits/Ann - a.mp3", "Various Artists/Hits/Eve - b.mp3")),
    ],
)  # fmt: skip
def test_what_names_tell(paths: tuple[str, ...], becomes: tuple[str, ...]) -> None:
    assert named(paths)[1] == dict(zip(paths, becomes, strict=True))


@pytest.mark.parametrize(
    "paths",
    [
        (f"{ALBUM}/01 - a.mp3", f"{ALBUM}/strange.mp3"),  # one file does not fit
        (f"{ALBUM}/CD1/01 - a.mp3", f"{ALBUM}/CD2/strange.mp3"),
        (f"{ALBUM}/01 - a.mp3", unreadable(f"{ALBUM}/strange.mp3")),
        (f"{ALBUM}/01 - a.mp3", f"{ALBUM}/01 - b.mp3"),  # one number, two titles
        ("Pop/99 Luftballons.mp3", "Pop/50 Ways.mp3"),  # numbers that belong to titles
        ("Downloads/Misc/01 - a.mp3",),  # neither an artist nor an album
        # An album of Bob's, or of Xan?
        ("Bob/Xan - Yes (2004)/01 - a.mp3", "Bob/No (2005)/1 - b.mp3", "Bob/No (2005)/1 - c.mp3"),
        # A sampler, but whose?
        tuple(f"Pulp - OST (1994)/0{n} - {who} - x.mp3" for n, who in enumerate(("Ann", "Eve", "Bob"), 1)),
        ("Jay-Z-The_Album-2003-GRP/01-jay-z-song-grp.mp3",),
        ("qq77-05-08/qq77-05-08d1t03.flac",),  # a band that nobody knows
        ("gd77-13-45/gd77-13-45d1t03.flac",),  # no day
        *((f"{ALBUM}/01 - a{sign}.mp3",) for sign in ("\x07", "\ufffd", "\u201bE4", "\x85")),
        ("Hits 2004/Ann - a.mp3", "Hits 2004/Eve - b.mp3"),  # a sampler would be scattered
        ("01 Ann - a.mp3", "02 Eve - b.mp3"), ("10 Ann - a.mp3", "11 Eve - b.mp3"),
        ("Ann - Sky/Side A/01 - a.mp3", "Ann - Sky/Side B/01 - b.mp3"), ("Ann/Part 1/01 - a.mp3",),
        ("My_Band-Late-Night-2001-GRP/01 - a.mp3",), ("Ann - Sky (1979)/Bonus/01 - a.mp3",),
        ("mixed/Ann - Sky - a.mp3", "mixed/Eve - b.mp3"),
        ("VA - Hits/01 - Ann - a.mp3", "VA - Hits/02 - b.mp3"),
        ("Unknown Artist - Unknown Album/01 - Track 1.mp3",),
        ("Unknown artist/Unknown album (8-10-2007 5-43-21 PM)/01 Track 1.mp3",),  # as Windows Media Player has it
        ("A1 - One.mp3",), ("01 - One.mp3",), ("a.mp3",), ("-/- - -.mp3",), (f"{'x-' * 60}/{'- ' * 60}.mp3",),
    ],
)  # fmt: skip
def test_names_that_do_not_say_enough_are_left_alone(paths: tuple[str | Item, ...]) -> None:
    assert set(skips(untouched(paths)).values()) <= {"untagged", "unreadable"}


def test_names_in_an_unknown_encoding_are_doubtful() -> None:
    made = untouched(["Ìîÿ - Ëþáîâü (2004)/01 - Ïåñíÿ î ëþáâè.mp3", "Ìîÿ - Ëþáîâü (2004)/02 - Intro.mp3"])
    assert set(skips(made).values()) == {"doubtful-text"}
    assert "its name has texts that look like Cyrillic" in made.skipped[0].reason
    assert named(["Ärzte - Ü (2004)/01 - Öl.mp3"])[1] == {"Ärzte - Ü (2004)/01 - Öl.mp3": "Ärzte/Ü (2004)/01 Öl.mp3"}


# ------------------------------------------------------------ a file's own tags


def test_usable_tags_always_win() -> None:
    tagged = song(f"{ALBUM}/odd.mp3", artist="Eve", title="Mine")
    made, places = named([tagged, f"{ALBUM}/01 - a.mp3"])
    assert places == {f"{ALBUM}/odd.mp3": "Eve/[no album]/Mine.mp3", f"{ALBUM}/01 - a.mp3": "Ann Bee/Sky (1979)/01 a.mp3"}
    assert made.header.counts["from_names"] == 1


@pytest.mark.parametrize(
    ("tags", "becomes"),
    [
        ({"title": "Own", "track": 7}, "Ann Bee/Sky (1979)/07 Own.mp3"),
        ({"title": "Own"}, "Ann Bee/Sky (1979)/01 Own.mp3"),
        ({"artist": "Ann Bee feat. Eve"}, "Ann Bee/Sky (1979)/01 a.mp3"),
        ({"album": "Sky (Live)", "date": "1981"}, "Ann Bee/Sky (Live) (1981)/01 a.mp3"),
        ({"artist": "Unknown Artist", "album": "Unknown Album", "title": "Track 01", "track": 1}, "Ann Bee/Sky (1979)/01 a.mp3"),
        (
            {"artist": "Unbekannter Künstler", "album": "Unbekanntes Album", "title": "Own", "track": 1},
            "Ann Bee/Sky (1979)/01 Own.mp3",
        ),
        ({"artist": "[Unknown]", "album": "Untitled", "title": "Untitled"}, "Ann Bee/Sky (1979)/01 a.mp3"),
        ({"artist": "Artista desconocido", "title": "Pista 1"}, "Ann Bee/Sky (1979)/01 a.mp3"),
        # What contradicts the name, and what is enough by itself.
        ({"artist": "Eve"}, None),
        ({"album": "Sea"}, None),
        ({"artist": "Eve", "title": "Own"}, "Eve/[no album]/Own.mp3"),
        ({"artist": "Blink-182", "album": "Untitled", "title": "Track 1"}, "Blink-182/Untitled/Track 1.mp3"),
    ],
)
def test_which_fields_names_fill(tags: dict[str, Any], becomes: str | None) -> None:
    path = f"{ALBUM}/01 - a.mp3"
    assert named([song(path, **tags)])[1] == {path: becomes or path}


@pytest.mark.parametrize(
    ("tags", "usable"),
    [
        ({"artist": "Unknown Artist", "album": "Unknown Album", "title": "Song", "track": 1}, False),
        ({"artist": "Artiste inconnu", "album": "Album inconnu", "title": "Piste 1", "track": 1}, False),
        ({"artist": "Неизвестный исполнитель", "title": "Песня"}, False),
        ({"artist": "Ann", "title": "Track 05"}, False),
        ({"artist": "Ann", "album": "Unknown Album", "title": "Untitled"}, False),
        ({"artist": "Ann", "album": "Unknown Album", "title": "Song"}, True),
        ({"artist": "Unknown Artist", "album": "Sky", "title": "Song"}, True),
        ({"artist": "Ann", "album": "Sky", "title": "Untitled"}, True),
        ({"artist": "Korn", "album": "Untitled", "title": "Track 1"}, True),
        ({"artist": "Ann", "title": "Track Record"}, True),
        ({"artist": "Unknown Mortal Orchestra", "title": "Multi-Love"}, True),
    ],
)
def test_names_that_stand_for_none_are_no_tags(tags: dict[str, Any], usable: bool) -> None:
    made = plan([song("x.mp3", **tags)])
    assert (skips(made) == {}) is usable
    assert len(made.operations) == usable


def test_an_artist_that_tags_name_is_one_in_names() -> None:
    tagged = song("x.mp3", artist="Bob", album="Old", title="T")
    made, places = named(["Bob/Xan - Yes (2004)/01 - a.mp3", "Bob/Xan - No (2004)/01 - a.mp3", tagged])
    assert places["Bob/Xan - Yes (2004)/01 - a.mp3"] == "Bob/Xan - Yes (2004)/01 a.mp3"
    assert made.header.counts["from_names"] == 2


# ------------------------------------------------------------ without the option, and options


def test_without_the_option_the_plan_says_what_it_would_find() -> None:
    items = [untagged(f"{ALBUM}/0{n} - t{n}.mp3") for n in range(1, 4)]
    items += [untagged("Eve - Sea/01. a.mp3"), untagged("x.mp3"), song("y.mp3", artist="Bob", title="T")]
    made = plan(items)
    assert made.named_like == ((EXAMPLE, 3), ("{artist} - {album}/{track}. {title}", 1))
    assert (made.header.counts["names_fit"], made.header.counts["skipped.untagged"]) == (4, 5)
    assert len(made.operations) == 1
    off = plan(items, names_as_tags=())
    assert (off.named_like, off.header.counts.get("names_fit")) == ((), None)


def test_patterns_are_tried_in_order_and_a_slash_begins_at_the_root() -> None:
    path = "Sky/Ann/01 a.mp3"
    backwards = "{album}/{artist}/{track} {title}"
    assert moved(plan([untagged(path)], names_as_tags=(backwards, "auto"), target="/other")) == {path: "Ann/Sky/01 a.mp3"}
    assert moved(plan([untagged(path)], names_as_tags=("auto", backwards), target="/other")) == {path: "Sky/Ann/01 a.mp3"}
    deep = f"in/{path}"
    assert moved(plan([untagged(deep)], names_as_tags=(f"/{backwards}",), target="/other")) == {}
    ignoring = ("{ignore}, {artist}/{albumartist} - {album}/{disc}{track}-{title}",)
    assert moved(plan([untagged("7, Eve/Ann - Sky/103-a.mp3")], names_as_tags=ignoring)) == {
        "7, Eve/Ann - Sky/103-a.mp3": "Ann/Sky/03 a.mp3"
    }


def test_a_name_that_the_next_run_would_read_otherwise_is_not_used() -> None:
    made = untouched(["Sky/Ann/01 a.mp3"], ["{album}/{artist}/{track} {title}"])
    assert "the next run would read its new name Ann/Sky/01 a.mp3 otherwise" in made.skipped[0].reason


def test_companions_and_untagged_files() -> None:
    paths = [f"{ALBUM}/01 - a.mp3", plain(f"{ALBUM}/cover.jpg"), plain(f"{ALBUM}/01 - a.lrc"), "x.mp3"]
    assert list(named(paths)[1].values()) == [f"Ann Bee/Sky (1979)/{name}" for name in ("01 a.mp3", "cover.jpg", "01 a.lrc")] + [
        "x.mp3"
    ]
    made = plan([untagged("x.mp3"), untagged(f"{ALBUM}/01 - a.mp3")], names_as_tags=AUTO, untagged="Rest")
    assert moved(made) == {"x.mp3": "Rest/x.mp3", f"{ALBUM}/01 - a.mp3": "Ann Bee/Sky (1979)/01 a.mp3"}


def test_copies_to_another_location_and_in_place() -> None:
    items = [untagged(f"{ALBUM}/0{n} - t{n}.mp3") for n in (1, 2)]
    new = {f"{ALBUM}/0{n} - t{n}.mp3": f"Ann Bee/Sky (1979)/0{n} t{n}.mp3" for n in (1, 2)}
    for target in (None, "/other"):
        options: dict[str, Any] = {"names_as_tags": AUTO, "target": target, "copy": True}
        made = plan(items, **options)
        assert moved(made) == new
        storage = PretendStorage.holding("/music", items)
        storage.carry_out(made)
        there = storage.list("/other") if target else ()
        assert plan(storage.list("/music"), there=there, **options).operations == ()


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("{artst}/{title}", "unknown field {artst}; did you mean {artist}?"),
        ("{foo}/{title}", "unknown field {foo}; the fields are artist,"),
        ("{artist}{title}", "put a text between {artist} and {title}"),
        ("{{ artist }}/{title}", "one pair of braces"),
        ("%artist% - %title%", "it names no field; write auto, or a pattern such as"),
        ("{artist}/{album}", "it needs {title} or {track}"),
        ("{track} - {title}", "and {artist} or {album}"),
        ("{artist}/../{title}", "must be a name"),
        ("{artist}//{title}", "must be a name"),
        ("{artist} - {title}.mp3", "leave out the extension"),
        ("{artist - {title}", "a brace `{` has no counterpart"),
        ("{artist}\\{title}", "`/` separates folders"),
        ("", "it names no field"),
    ],
)
def test_a_mistake_in_a_pattern_is_reported_with_its_remedy(pattern: str, remedy: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_names_as_tags(["auto", pattern])
    assert error.value.message.startswith(f"--names-as-tags: the pattern {pattern!r} ")
    assert remedy in error.value.message
    assert "\n" not in error.value.message


def test_off_stands_alone() -> None:
    assert parse_names_as_tags("off") == ()
    with pytest.raises(UsageError, match="`off` cannot be combined"):
        parse_names_as_tags(["off", "auto"])


# ------------------------------------------------------------ any names


PARTS = (
    "Ann", "Bob", "Ann Bee", "VA", "Various Artists", "Sky", "Sea", "1999", "2004", "(2004)", "[1999]", "1970s", "01", "02",
    "1-01", "101", "A1", " - ", " - ", " ", "-", "_", ". ", "CD1", "Disc 2", "1999-07-14", "[FLAC]", "[no album]",
    "gd77-05-08d1t01", "é",
)  # fmt: skip
NAMES = (
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=7)
    .map("".join)
    .map(str.strip)
    .filter(lambda name: bool(name.strip(". ")))
)
TAGS = st.sampled_from(
    [
        None, None, None,
        {"artist": "Ann", "album": "Sky", "title": "S", "track": 1},
        {"artist": "Ann feat. Bob", "album": "Sky", "title": "T", "track": 2, "date": "1999"},
        {"artist": "Bob", "title": "U"}, {"track": 3},
        {"artist": "Unknown Artist", "album": "Sea", "title": "Track 1", "track": 1},
    ]
)  # fmt: skip
FILES = st.dictionaries(NAMES, TAGS, min_size=1, max_size=3)
FOLDERS = st.lists(st.tuples(st.lists(NAMES, max_size=3), FILES), min_size=1, max_size=4)
PATTERNS = (("auto",), (EXAMPLE,), ("{album}/{artist} - {title}", "{artist}/{title}"), ("{title} - {artist}",))
LAYOUTS = (
    *PRESETS,
    "{{ albumartist }}/{{ title }}",
    "{{ title }} - {{ artist }}",
    "{{ albumartist | initial }}/{{ album }}/{{ title }}",
)


@given(FOLDERS, st.sampled_from(PATTERNS), st.sampled_from(LAYOUTS))
def test_a_second_run_plans_nothing_whatever_the_names(
    folders: list[tuple[list[str], dict[str, dict[str, Any] | None]]], patterns: tuple[str, ...], layout: str
) -> None:
    files = {f"{'/'.join(folder)}/{stem}.mp3".lstrip("/"): tags for folder, stems in folders for stem, tags in stems.items()}
    named([song(path, **tags) if tags else path for path, tags in sorted(files.items())], patterns, layout=layout)


def test_a_hostile_name_takes_no_time() -> None:
    pattern = Pattern("{artist} - {album} - {ignore} - {venue} ({year})/{track} - {title} - {source} - {city}")
    assert pattern.match((" - " * 80, "1 - " * 80)) is None
