"""Names are legal on every storage, and collisions are found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.config.replacements import replacement_problem
from orchestrator.errors import UsageError
from orchestrator.paths import collision_key, split_extension
from orchestrator.plan.layout.names import RULES, Names, rules_named
from orchestrator.plan.music.tag_values import clean_value
from tests.hostile import HOSTILE_NAMES, HOSTILE_TAGS, UNPORTABLE_NAMES

PORTABLE = Names(RULES["portable"])


@pytest.mark.parametrize(
    ("raw", "legal"),
    [
        ("AC/DC", "AC_DC"),
        ("a\\b", "a_b"),
        ("../../x", "_._.._x"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("   ", "_"),
        ("...And Justice for All", "_..And Justice for All"),
        (".hidden", "_hidden"),
        ("-rf", "_rf"),
        ("N.W.A.", "N.W.A"),
        ("  spaced  ", "spaced"),
        ("~user", "user"),
        ('<>:"|?*', "_______"),
        ("CON", "CON_"),
        ("con.foo", "con_.foo"),
        ("COM\u00b9", "COM\u00b9_"),
        ("Thumbs.db", "Thumbs.db_"),
        ("Contact", "Contact"),
        ("line\nfeed\x00\x1b\x7f\x85", "line feed"),
        ("\u202egnp\u200b.exe\ufeff", "gnp.exe"),
        ("\ud800x", "\ufffdx"),
        (unicodedata.normalize("NFD", "été"), "été"),
        ("{}", "{}"),
        ("é" * 200, "é" * 127),
        ("Rock \u201bn\u2019 Roll", "Rock \u2018n\u2019 Roll"),
        ("é" * 200 + " [Remaster] (1977)", "é" * 118 + " [Remaster] (1977)"),
        ("x" * 300 + " (" + "y" * 200 + ")", "x" * 255),
        ("x" * 254 + ".", "x" * 254),
    ],
)
def test_a_directory_is_portable(raw: str, legal: str) -> None:
    assert PORTABLE.directory(raw) == legal


@pytest.mark.parametrize(
    ("stem", "extension", "number", "legal"),
    [
        ("01 One", ".mp3", 1, "01 One.mp3"),
        ("01 One", ".mp3", 2, "01 One (2).mp3"),
        ("Wait...", ".mp3", 1, "Wait....mp3"),
        ("..", ".mp3", 1, "_.mp3"),
        ("CON", ".mp3", 1, "CON_.mp3"),
        ("aux.live", ".mp3", 2, "aux_.live (2).mp3"),
        ("é" * 200, ".flac", 1, "é" * 125 + ".flac"),
        ("é" * 200 + " [Live]", ".flac", 1, "é" * 121 + " [Live].flac"),
        ("é" * 200, ".flac", 12, "é" * 122 + " (12).flac"),
        ("🎵" * 80, ".mp3", 1, "🎵" * 62 + ".mp3"),
        ("desktop", ".ini", 1, "desktop_.ini"),
    ],
)
def test_a_file_keeps_its_extension_and_its_number(stem: str, extension: str, number: int, legal: str) -> None:
    assert PORTABLE.file(PORTABLE.stem(stem, extension), extension, number) == legal


def test_other_rules_allow_what_the_provider_can_store() -> None:
    assert Names(RULES["remote"]).directory("What? *Now*") == "What? *Now*"
    assert Names(RULES["posix"]).directory("N.W.A.") == "N.W.A."
    assert Names(RULES["posix"]).directory("..") == "_"
    assert Names(RULES["portable"], 143).directory("x" * 300) == "x" * 143
    with pytest.raises(UsageError, match="portable"):
        rules_named("dos")


@pytest.mark.parametrize(
    ("replace", "raw", "rules", "legal"),
    [
        ({":": " -", "?": ""}, "Mezzanine: Live?", "portable", "Mezzanine - Live"),
        ({":": " -"}, "What: *?", "portable", "What - __"),
        ({": ": " - ", ":": "-"}, "1:02: The End", "portable", "1-02 - The End"),
        ({":": " -"}, "a: b", "posix", "a - b"),
        ({"...": "\u2026"}, "Wait...", "portable", "Wait\u2026"),
        ({'"': "'"}, '"Heroes"', "portable", "'Heroes'"),
        ({":": "e\u0301"}, "a:", "portable", "a\u00e9"),
        ({"e\u0301": "e"}, "\u00e9t\u00e9", "portable", "ete"),
        ({"?": "."}, "Why?", "portable", "Why"),
        ({"?": "."}, "?", "portable", "_"),
        ({"<": "("}, "CON<", "portable", "CON("),
        ({">": ""}, "CON>", "portable", "CON_"),
        ({":": " -"}, "x" * 253 + "::", "portable", "x" * 253 + " -"),
    ],
)
def test_the_config_says_what_stands_for_characters(replace: dict[str, str], raw: str, rules: str, legal: str) -> None:
    assert not [text for text in replace if replacement_problem(replace, text)]
    names = Names(RULES[rules], replace=replace)
    assert names.directory(raw) == legal
    assert names.directory(legal) == legal
    assert names.stem(names.stem(raw, ".mp3"), ".mp3") == names.stem(raw, ".mp3")


@given(
    st.dictionaries(st.text("ab:?/ &", min_size=1, max_size=3), st.text("ab- x.", max_size=3), max_size=3), st.text("ab:?/ &-x.")
)
def test_names_with_replacements_stay_as_they_are(replace: dict[str, str], raw: str) -> None:
    if any(replacement_problem(replace, text) for text in replace):
        return
    names = Names(RULES["portable"], 40, replace)
    directory = names.directory(raw)
    assert names.directory(directory) == directory
    assert not set(directory) & set(":?/")


texts = st.one_of(st.text(max_size=300), st.sampled_from(HOSTILE_TAGS + HOSTILE_NAMES + UNPORTABLE_NAMES))


@given(texts, st.sampled_from(sorted(RULES)), st.sampled_from([255, 143, 40]), st.integers(1, 12345))
@example("\u0345" * 200, "portable", 40, 2)
def test_every_text_becomes_a_legal_name_that_cleaning_keeps(raw: str, rules: str, limit: int, number: int) -> None:
    names = Names(RULES[rules], limit)
    stem = names.stem(raw, ".mp3")
    assert names.stem(stem, ".mp3") == stem
    directory = names.directory(raw)
    assert names.directory(directory) == directory
    for name in (directory, names.file(stem, ".mp3"), names.file(stem, ".mp3", number)):
        assert name
        assert name not in {".", ".."}
        assert len(name.encode()) <= limit
        assert not set(name) & set("/\\\0\n\u202e\u200b")
        assert name == name.strip(" ")
        assert unicodedata.is_normalized("NFC", name)
        assert name[0] not in ".-" or rules == "posix"
    if number > 1:
        assert names.file(stem, ".mp3", number).endswith(f" ({number}).mp3")


@given(st.text(max_size=50))
def test_a_cleaned_value_is_clean(raw: str) -> None:
    assert clean_value(clean_value(raw)) == clean_value(raw)
    assert "/" not in clean_value(raw)


def test_a_title_of_ten_megabytes_is_cut_before_it_is_examined() -> None:
    assert len(clean_value("é" * 10_000_000)) == 4096


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beck/X.mp3", "beck/x.MP3"),
        ("Béck", unicodedata.normalize("NFD", "béck")),
        ("straße", "STRASSE"),
        ("what?", "what\uff1f"),
        ("end./x", "end/x"),
        ("end /x", "end/x"),
    ],
)
def test_names_that_may_be_one_file_somewhere_have_one_key(one: str, other: str) -> None:
    assert collision_key(one) == collision_key(other)


@given(st.text(alphabet="aA. /éE\u0301\uff0e", max_size=12))
def test_a_key_is_its_own_key_and_has_as_many_parts(path: str) -> None:
    assert collision_key(collision_key(path)) == collision_key(path)
    assert collision_key(path).count("/") == path.count("/")


def test_extensions() -> None:
    assert split_extension("a.b.mp3") == ("a.b", "mp3")
    assert split_extension(".mp3") == (".mp3", "")
    assert split_extension("a") == ("a", "")
    assert PORTABLE.extension("MP3") == ".MP3"
    assert PORTABLE.extension("x" * 40) == ""


def test_line_breaks_and_tabs_are_spaces_and_joiners_stay_where_letters_need_them() -> None:
    texts = {
        "one\r\ntwo": "one two",
        "one \t two\u2028three": "one two three",
        "one\x00\x1b\u200btwo": "onetwo",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
        "\u0915\u094d\u200d\u0937": "\u0915\u094d\u200d\u0937",  # Hindi
        "a\u200db\u200c": "ab",
        "\u200c\u0645\u200c": "\u0645",
    }
    assert {text: Names(RULES["portable"]).directory(text) for text in texts} == texts
    assert {text: clean_value(clean_value(text)) for text in texts} == texts
