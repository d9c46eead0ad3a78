"""Layouts: what templates render, and that an invalid one is refused with a helpful message."""

from __future__ import annotations

import pytest

from orchestrator.config.model import LayoutRule
from orchestrator.errors import UsageError
from orchestrator.plan.layout.presets import PRESETS
from orchestrator.plan.layout.templates import compile_layout
from orchestrator.plan.music.layout_fields import FIELDS
from tests.plan.worlds import moved, plan, song

WHOLE = {"title": "Star", "artist": "Ann", "album": "Sky", "track": 4, "date": "1979-06-09"}


def where(layout: str, **fields: object) -> str:
    (new,) = moved(plan([song("in/a.flac", **fields)], layout=layout)).values()
    return new.removesuffix(".flac")


@pytest.mark.parametrize(
    ("layout", "fields", "expected"),
    [
        ("default", WHOLE, "Ann/Sky (1979)/04 Star"),
        ("default", {**WHOLE, "date": None}, "Ann/Sky/04 Star"),
        ("default", {**WHOLE, "track": None}, "Ann/Sky (1979)/Star"),
        ("default", {**WHOLE, "title": ()}, "Ann/Sky (1979)/04 a"),  # the file is called a
        ("default", {**WHOLE, "artist": ()}, "[unknown artist]/Sky (1979)/04 Star"),
        ("default", {**WHOLE, "album": ()}, "Ann/[no album]/04 Star"),
        ("default", {**WHOLE, "artist": "AC/DC"}, "AC_DC/Sky (1979)/04 Star"),
        ("default", {**WHOLE, "album": "( )"}, "Ann/( ) (1979)/04 Star"),
        ("default", {**WHOLE, "track": 123}, "Ann/Sky (1979)/123 Star"),
        ("default", {**WHOLE, "disc": 2}, "Ann/Sky (1979)/Disc 2/04 Star"),
        ("default", {**WHOLE, "disc": 1, "disc_total": 2}, "Ann/Sky (1979)/Disc 1/04 Star"),
        ("default", {**WHOLE, "disc": 1, "disc_total": 1}, "Ann/Sky (1979)/04 Star"),
        ("default", {**WHOLE, "disc_total": 2}, "Ann/Sky (1979)/04 Star"),
        ("default", {**WHOLE, "compilation": True}, "Various Artists/Sky (1979)/04 Ann - Star"),
        ("disc-numbers", {**WHOLE, "disc": 2}, "Ann/Sky (1979)/2-04 Star"),
        ("disc-numbers", {**WHOLE, "disc_total": 2}, "Ann/Sky (1979)/04 Star"),
        ("year-album", WHOLE, "Ann/1979 - Sky/04 Star"),
        ("year-album", {**WHOLE, "date": None}, "Ann/Sky/04 Star"),
        ("genre", {**WHOLE, "genre": "Pop"}, "Pop/Ann/Sky (1979)/04 Star"),
        ("genre", WHOLE, "[no genre]/Ann/Sky (1979)/04 Star"),
        ("flat", WHOLE, "Ann - Star"),
        ("flat", {**WHOLE, "artist": ()}, "Star"),
        ("singles", {**WHOLE, "album": ()}, "Ann/Star"),
        ("singles", WHOLE, "Ann/Sky (1979)/04 Star"),
        ("by-class", WHOLE, "Albums/Ann/Sky (1979)/04 Star"),
        ("by-class", {**WHOLE, "release_type": ("album", "live")}, "Live/Ann/1979-06-09 - Sky/04 Star"),
        ("by-class", {**WHOLE, "compilation": True}, "Compilations/Sky (1979)/04 Ann - Star"),
        ("by-class", {**WHOLE, "release_type": "compilation"}, "Compilations/Sky (1979)/04 Ann - Star"),
        ("by-class", {**WHOLE, "album_artist": ("Ann", "Bob")}, "Collaborations/Sky (1979) - Ann, Bob/04 Star"),
        ("by-class", {**WHOLE, "release_type": "demo"}, "Rarities/Ann/Sky (1979)/04 Star"),
        ("by-class", {**WHOLE, "album": "Showbiz", "title": "The Show"}, "Albums/Ann/Showbiz (1979)/04 The Show"),
        ("{{ albumartist[:1] | upper }}/{{ title }}", {**WHOLE, "artist": "ann"}, "A/Star"),
        ("{{ artist }}{{ '/' }}{{ title ~ '/' ~ album }}", WHOLE, "Ann_Star_Sky"),
        ("{{ artist | replace('n', '/') }}/{{ title }}", WHOLE, "A__/Star"),
        ("{{ title }}.{{ ext }}", WHOLE, "Star"),
        ("{% set who = albumartist | lower %}{{ who }}/{{ title }}", WHOLE, "ann/Star"),
        ("{% if year and year < 1980 %}Old/{% endif %}{{ title }}", WHOLE, "Old/Star"),
        ("{% if year < 1980 %}Old/{% endif %}{{ title }}", {**WHOLE, "date": None}, "Star"),
        ("{{ label }} - {{ title }} [{{ media }} {{ catalogue_number }}]", WHOLE, "Star"),
        ("{{ label }} - {{ title }} [{{ media }} {{ catalogue_number }}]", {**WHOLE, "media": "CD"}, "Star [CD]"),
        ("{{ artist }} - {{ composer }} - {{ title }}", WHOLE, "Ann - Star"),
        ("{{ artist }} - {{ composer }} {{ title }}", {**WHOLE, "artist": "Wait..."}, "Wait... - Star"),
        ("//{{ label }}//{{ title }}"[2:], WHOLE, "Star"),
        ("""
         {{ albumartist }}/
         {{ title }}
         """, WHOLE, "Ann/Star"),
        ("{{ title }} {{ lossless }}", WHOLE, "Star"),
        ("{{ title[:3] }}", WHOLE, "Sta"),
        ("{{ album[:1] }}/{{ title }}", {**WHOLE, "album": ()}, "[no album]/Star"),
        ("{{ bitrate }} {{ title }}", {**WHOLE, "bitrate": 320_100}, "320 Star"),
    ],
)  # fmt: skip
def test_the_path_of_a_track(layout: str, fields: dict[str, object], expected: str) -> None:
    assert where(layout, **fields) == expected


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("{{ '%02d' % (track or 0) }}", "04"),
        ("{{ '{:03}'.format(track) }}", "004"),
        ("{{ title.ljust(6, '_') }}", "Star__"),
        ("{{ '+' * 3 }}{{ (track or 0) * 2 ** 3 }}", "+++32"),
        ("{{ track | pad(1000000000) }}", "0" * 250),
    ],
)
def test_expressions_are_computed_within_limits(layout: str, expected: str) -> None:
    assert where(layout, **WHOLE) == expected


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("{{ albun }}/{{ title }}", ["'albun'", "'album'"]),
        ("{{ album_artist }}/{{ title }}", ["'album_artist'", "'albumartist'"]),
        ("{{ foo(title) }}", ["'foo'"]),
        ("{{ title | pda }}", ["'pda'", "'pad'"]),
        ("defalt", ["'defalt'", "'default'", "by-class"]),
        ("/{{ title }}", ["relative"]),
        ("{{ artist }}/", ["file name"]),
        ("../{{ title }}", ["'..'"]),
        ("{{ title", ["not a valid template"]),
        ("{% for a in title %}{{ a }}{% endfor %}", ["'for'"]),
        ("{% include 'x' %}", ["'include'"]),
        ("{{ title.__class__.__mro__ }}", ["cannot be evaluated"]),
        ("{{ 'x' * 1000000000 }}{{ title }}", ["too large"]),
        ("{{ 1000000000 * title }}", ["too large"]),
        ("{{ 9 ** 9 ** 9 ** 9 ** 9 }}{{ title }}", ["too large"]),
        ("{{ '%1000000000d' % 1 }}{{ title }}", ["too large"]),
        ("{{ '%*d' % (1000000000, 1) }}{{ title }}", ["too large"]),
        ("{{ '{:1000000000}'.format(1) }}{{ title }}", ["too large"]),
        ("{{ '{:{}}'.format(1, 1000000000) }}{{ title }}", ["too large"]),
        ("{{ title.ljust(1000000000) }}", ["too large"]),
        ("{{ year + 1 }}/{{ title }}", ["cannot be evaluated", "without some fields", "{% if year %}{{ year + 1 }}{% endif %}"]),
        ("{{ track + 1 }} {{ title }}", ["{% if track %}{{ track + 1 }}{% endif %}"]),
        ("{{ album + year }}/{{ title }}", ["{{ album ~ year }}"]),
        ("{{ '%02d' % track }} {{ title }}", ["{{ track | pad(2) }}"]),
        ("{{ album[0] }}/{{ title }}", ["'album[0]'", "{{ album[:1] }}", "{{ album | initial }}"]),
        ("{{ album[0] }}", ["{{ album[:1] }}"]),
        ("{{ albumartist[-1] }}/{{ title }}", ["{{ albumartist[-1:] }}"]),
        ("{{ year[:3] }}0s/{{ title }}", ["'year' is a number", "{{ (year | string)[:2] }}"]),
        ("{{ track[0] }} {{ title }}", ["'track' is a number"]),
        ("{{ album.foo }}/{{ title }}", ["'album'", "'foo'"]),
        ("{{ album['foo'] }}/{{ title }}", ["'album'", "'foo'"]),
        ("{{ album.title }}/{{ title }}", ["did you mean 'album'?"]),
        ("{{ track.number }} {{ title }}", ["did you mean 'track'?"]),
        ("{{ album.artist }}/{{ title }}", ["did you mean 'albumartist'?"]),
        ("{% if album.live %}x{% endif %}{{ title }}", ["'album'", "'live'"]),
        ("{% if genre == Jazz %}x{% endif %}{{ title }}", ["'Jazz'", "a text needs quotes"]),
        ("~/Music/{{ title }}", ["relative"]),
        ("C:/Music/{{ title }}", ["relative"]),
        ("Artist/Album/Title", ["'{{ artist }}/{{ album }}/{{ title }}'"]),
        (":artist/@title@", ["'{{ artist }}/{{ title }}'"]),
        ("{{ title.upper }}", ["{{ title | upper }}"]),
        ("{{ title.split() }}", ["list"]),
        ("{{ title | truncate }}", ["{{ title | truncate(8) }}"]),
        ("{{ track:02 }} {{ title }}", ["{{ track | pad(2) }}"]),
        ("{{ track | pad 2 }} {{ title }}", ["{{ track | pad(2) }}"]),
        ("{{ albumartist || artist }}/{{ title }}", ["{{ albumartist or artist }}"]),
        ("{{ album artist }}/{{ title }}", ["a field is one word"]),
        ("{% if disc = 2 %}x{% endif %}{{ title }}", ["compare with =="]),
        ("{% if disc %}{{ title }}", ["{% endif %}"]),
        ("{{ albumartist }}\\{{ title }}", ["'/'", "backslash"]),
        ("{{ artist }}/{{ title }}.mp3", ["extension"]),
        (
            "{{ albumartist }}/{{ album }}",
            ["no field of a track", "{{ album }}/{{ track | pad(2) }} {{ title }}'"],
        ),
        ("{{ artist }}", ["no field of a track"]),
        ("{{ album }}/{{ disc }} {{ codec }}", ["no field of a track"]),
        ("{{ album }}/x{% if title %}song{% endif %}", ["no field of a track"]),
        ("{% if live %}{{ title }}{% endif %}{{ album }}", ["no field of a track"]),
        ("Music/all", ["names no field", "all files"]),
        ("{# nothing #}x/y", ["names no field", "all files"]),
    ],
)
def test_an_invalid_layout_is_refused_when_it_is_loaded(layout: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        compile_layout(layout)
    assert all(word in caught.value.message for word in words), caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("preset", PRESETS)
def test_the_presets_load(preset: str) -> None:
    layout = compile_layout(preset)
    assert layout.choose(dict(FIELDS)).render(dict(FIELDS))[1]


def test_the_first_matching_rule_decides_and_the_layout_is_for_the_rest() -> None:
    rules = (
        LayoutRule("Various/{{ album }}/{{ title }}", when="compilation"),
        LayoutRule("Old/{{ album }}/{{ title }}", when="year and year < 1980"),
        LayoutRule("by-class", when="live"),
    )
    items = [
        song("1.mp3", title="a", artist="A", album="X", date="1970", compilation=True),
        song("2.mp3", title="b", artist="A", album="Y", date="1970"),
        song("3.mp3", title="c", artist="A", album="Z", date="1990"),
        song("4.mp3", title="d", artist="A", album="L", date="1990", release_type="live"),
    ]
    assert moved(plan(items, layouts=rules, layout="{{ title }}")) == {
        "1.mp3": "Various/X/a.mp3",
        "2.mp3": "Old/Y/b.mp3",
        "3.mp3": "c.mp3",
        "4.mp3": "Live/A/1990 - L/d.mp3",
    }


def test_a_rule_never_splits_an_album() -> None:
    rules = (LayoutRule("Live/{{ album }}/{{ title }}", when="live"), LayoutRule("{{ album }}/{{ title }}"))
    items = [song(f"{n}.mp3", title=f"t{n}", artist="A", album="X", release_type="live" if n else ()) for n in range(3)]
    assert {new.rpartition("/")[0] for new in moved(plan(items, layouts=rules)).values()} == {"Live/X"}


@pytest.mark.parametrize(
    ("when", "word"),
    [
        ("title == 'x'", "'title'"),
        ("albun", "'album'"),
        ("year album", "is not valid"),
        ("year = 1999", "compare with =="),
        ("{{ live }}", "a condition has no {{ }}"),
        ("%genre% == 'Jazz'", "its name alone"),
        ("genre == Jazz", "a text needs quotes"),
        ("album.title", "did you mean 'album'?"),
        ("album.foo", "without parts"),
        ("year + 1 > 2000", "check it first"),
        ("album[0] == 'A'", "album[:1]"),
    ],
)
def test_an_invalid_condition_is_refused(when: str, word: str) -> None:
    with pytest.raises(UsageError, match=r"condition|layout") as caught:
        compile_layout(None, (LayoutRule("{{ title }}", when=when),))
    assert word in caught.value.message
    assert "\n" not in caught.value.message
