"""The filters and tests of layouts: their results, that absent values stay absent, and the errors for unknown names."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.model import LayoutRule
from orchestrator.errors import UsageError
from orchestrator.plan.layout import filters
from orchestrator.plan.layout.filters import EXAMPLES, OWN_FILTERS
from orchestrator.plan.layout.templates import Template, compile_layout, tidy
from orchestrator.plan.music.layout_fields import FIELDS, NO_ARTIST
from orchestrator.plan.music.tag_values import ABSENT

ABSENT_FIELDS = {name: value if isinstance(value, bool) else ABSENT for name, value in FIELDS.items()}


def name_of(template: str, **fields: object) -> str:
    return tidy(Template(template).render({**ABSENT_FIELDS, **fields})[1])


@pytest.mark.parametrize(("template", "fields", "expected"), EXAMPLES)
def test_the_examples_of_the_documentation(template: str, fields: dict[str, object], expected: str) -> None:
    assert name_of(template, **fields) == expected


def test_every_filter_of_ours_has_an_example() -> None:
    shown = " ".join(template for template, _, _ in EXAMPLES)
    assert all(f"| {name}" in shown for name in OWN_FILTERS)


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("the_last", "The The", "The, The"),
        ("the_last", "the xx", "xx, the"),
        ("the_last", "Theodore", "Theodore"),
        ("the_last", "The", "The"),
        ("the_last", "A-ha", "A-ha"),
        ("the_last", "A Tribe Called Quest", "Tribe Called Quest, A"),
        ("the_last('The')", "A Tribe Called Quest", "A Tribe Called Quest"),
        ("the_last('Los', 'La')", "Los Lobos", "Lobos, Los"),
        ("the_first", "Earth, Wind & Fire", "Earth, Wind & Fire"),
        ("the_first", "Tyler, The Creator", "Tyler, The Creator"),
        ("the_first", "Lobos, Los", "Lobos, Los"),
        ("the_first('Los')", "Lobos, Los", "Los Lobos"),
        ("the_last | the_first", "The Beatles", "The Beatles"),
        ("without_guest", "Ann (feat. Bob) & Eve", "Ann & Eve"),
        ("without_guest", "Ann featuring Bob", "Ann"),
        ("without_guest", "Feat. Ann", "Feat. Ann"),
        ("without_guest", "Defeat. Ann", "Defeat. Ann"),
        ("without_guest", "Little Feat", "Little Feat"),
        ("without_guest", "Ann [ft Bob]", "Ann"),
        ("guest | default('none')", "Little Feat", "none"),
        ("guest", "Ann (FEAT. Bob, Eve) x", "Bob, Eve"),
        ("with_guest('Ann feat. Bob')", "Star (feat. Bob)", "Star (feat. Bob)"),
        ("with_guest('Ann')", "Star", "Star"),
        ("year", "06/09/1979", "1979"),
        ("year | default('none')", "soon", "none"),
        ("decade", "2003-01-01", "2000s"),
        ("decade | default('none')", "soon", "none"),
        ("initial", "(what?)", "W"),
        ("initial", "...", "#"),
        ("initial", "½", "#"),
        ("initial", "1999", "#"),
        ("initial", "Ångström", "A"),
        ("initial", unicodedata.normalize("NFD", "Ångström"), "A"),
        ("initial", "Øystein", "O"),
        ("initial", "Łódź", "L"),
        ("initial", "ǆ", "D"),
        ("initial", "ßen", "S"),
        ("initial", "椎名林檎", "椎"),
        ("initial", "فيروز", "ف"),
        ("initial", "Йога", "И"),
        ("pad(3)", 7, "007"),
        ("pad", 123, "123"),
        ("pad_to(9, 1)", 7, "7"),
        ("pad_to('', 3)", 7, "007"),
        ("ascii", "½/AC", "1_2_AC"),
        ("ascii", "北京", "BeiJing"),
        ("truncate(1)", "e\u0301t\u00e9", "\u00e9"),
        ("truncate(3, '...')", "abcdef", "..."),
        ("truncate(5)", "ab cd", "ab cd"),
        ("truncate(3)", "ab cd", "ab"),
        ("default('x')", 5, "5"),
    ],
)  # fmt: skip
def test_the_result_of_a_filter(template: str, value: object, expected: str) -> None:
    assert name_of(f"{{{{ title | {template} }}}}", title=value) == unicodedata.normalize("NFC", expected)


@pytest.mark.parametrize("name", sorted(OWN_FILTERS.keys() - {"default", "initial"}))
def test_absent_values_stay_absent(name: str) -> None:
    arguments = {"pad_to": "(9)", "with_guest": "(artist)", "truncate": "(5)"}.get(name, "")
    assert name_of(f"x ({{{{ album | {name}{arguments} }}}})") == "x"


def test_the_folder_of_an_absent_artist_keeps_its_words() -> None:
    directory, _ = Template("{{ albumartist | the_last | upper | ascii }}/{{ title }}").render(
        {"albumartist": NO_ARTIST, "title": "x"}
    )
    assert tidy(directory) == "[unknown artist]"


@pytest.mark.parametrize(
    ("album", "holds"),
    [
        ("Live at Leeds", True),
        ("LIVE", True),
        ("Alive", False),
        ("Lively", False),
        ("The Road Show", True),
        ("The Road  Show", True),
        ("Showbiz", False),
        ("Road", False),
        ("Große (live)", True),
        ("C++ live!", True),
        ("", False),
    ],
)
def test_a_title_matches_whole_words_only(album: str, holds: bool) -> None:
    rules = (LayoutRule("Live/{{ title }}", when="album is matching('live', 'road show')"), LayoutRule("{{ title }}"))
    assert ("Live" in compile_layout(None, rules).choose({"album": album}).source) is holds


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("{{ title | ascci }}", ["'ascci'", "'ascii'"]),
        ("{{ title | initials }}", ["'initials'", "'initial'"]),
        ("{{ title | random }}", ["'random'"]),
        ("{{ title | zzz }}", ["'zzz'", "known are", "the_last"]),
        ("{% if album is machting('x') %}x{% endif %}{{ title }}", ["'machting'", "'matching'"]),
        ("{% if album is matching %}x{% endif %}{{ title }}x{% if album is matching(' ') %}{% endif %}", ["needs a word"]),
        ("{{ title | truncate }}", ["cannot be evaluated", "length"]),
        ("{{ title | pad('x') }}", ["cannot be evaluated"]),
    ],
)
def test_an_unknown_filter_is_reported_with_the_nearest_name(layout: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        compile_layout(layout)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_without_anyascii_the_remedy_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anyascii", None)
    filters._transliterate.cache_clear()
    with pytest.raises(UsageError, match=r"music-orchestrator\[ascii\]"):
        Template("{{ title | ascii }} ")
    filters._transliterate.cache_clear()


@given(st.text(max_size=30), st.integers(0, 30))
def test_truncation_does_not_split_letters(text: str, length: int) -> None:
    text = unicodedata.normalize("NFC", text)
    cut = filters._truncate(text, length)
    assert len(cut) <= length or cut == text
    assert text.startswith(cut)
    assert not cut or len(cut) == len(text) or not unicodedata.combining(text[len(cut)])
