"""The filters and tests for layouts: our own, and the few of Jinja2 that are kept. They never change tags.

All of them return an absent value as it is, so that brackets and separators around it vanish from the name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final

from orchestrator.errors import UsageError
from orchestrator.plan.music.spelling import GUEST, guest_of
from orchestrator.plan.music.tag_values import ABSENT
from orchestrator.tags.written_dates import year_of

_ARTICLES = ("The", "A", "An")
# Letters that Unicode does not decompose into a base letter and a mark.
_PLAIN = str.maketrans(
    {"Æ": "A", "Ð": "D", "Đ": "D", "Ħ": "H", "I": "I", "Ł": "L", "Ø": "O", "Œ": "O", "ẞ": "S", "Þ": "T", "Ŧ": "T", "Ŋ": "N"}
)
MAX_WIDTH: Final = 255
"""Digits; no name can have more characters."""
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


def _pad(value: Any, width: int = 2) -> str:
    """A number with leading zeros."""
    return _with_zeros(value, width)


def _pad_to(value: Any, total: Any, least: int = 2) -> str:
    """A number with as many digits as the total, at least `least`."""
    return _with_zeros(value, max(least, len(str(total))))


def _with_zeros(value: Any, width: int) -> str:
    text, padded = str(value), str(value).zfill(min(width, MAX_WIDTH))
    return padded if text[:1].isdecimal() else text  # no zeros before a position on a record, such as "A"


def _the_last(value: Any, *articles: str) -> str:
    """Moves the article to the end: "Beatles, The"."""
    text = str(value)
    first, space, rest = text.partition(" ")
    known = {article.casefold() for article in articles or _ARTICLES}
    return f"{rest.lstrip()}, {first}" if space and rest.strip() and first.casefold() in known else text


def _the_first(value: Any, *articles: str) -> str:
    """Moves the article back to the start: "The Beatles"."""
    text = str(value)
    rest, comma, last = text.rpartition(",")
    known = {article.casefold() for article in articles or _ARTICLES}
    return f"{last.strip()} {rest}" if comma and rest and last.strip().casefold() in known else text


def _without_guest(value: Any) -> str:
    """The text without the part that names guests."""
    text = str(value)
    return " ".join(GUEST.sub("", text).split()) or text


def _guest(value: Any) -> str:
    """Only the guests."""
    return guest_of(str(value)) or ABSENT


def _with_guest(value: Any, artist: Any) -> str:
    """Adds the guests of the artist to a title that names none."""
    text, guest = str(value), guest_of(str(artist))
    return f"{text} (feat. {guest})" if guest and not guest_of(text) else text


def _year(value: Any) -> str:
    """The year in a date."""
    return year_of(str(value)) or ABSENT


def _decade(value: Any) -> str:
    """The decade of a year or date."""
    year = year_of(str(value))
    return f"{year[:3]}0s" if year else ABSENT


def _initial(value: Any) -> str:
    """The first letter, for folders by letter: upper case, without accents; `#` for digits and signs."""
    for character in unicodedata.normalize("NFKD", str(value)):
        if unicodedata.category(character)[0] == "L":
            return unicodedata.normalize("NFC", _base(character))[:1]
        if unicodedata.category(character)[0] == "N":
            return "#"
    return "#"


def _base(letter: str) -> str:
    return letter.upper().translate(_PLAIN)


def _ascii(value: Any) -> str:
    """The text in ASCII letters."""
    return str(_transliterate()(str(value)))


@lru_cache(maxsize=1)
def _transliterate() -> Callable[[str], str]:
    try:
        from anyascii import anyascii  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise UsageError(
            "the layout filter 'ascii' needs the package anyascii: pip install 'music-orchestrator[ascii]'"
        ) from error
    return anyascii


def _truncate(value: Any, length: int, end: str = "") -> str:
    """At most `length` characters, ending in `end` if cut. Combining accents and joined signs stay with their letter."""
    text = unicodedata.normalize("NFC", str(value))
    if len(text) <= length:
        return text
    cut = max(0, length - len(end))
    while cut and (unicodedata.combining(text[cut]) or text[cut] in _JOINERS or text[cut - 1] == "\u200d"):
        cut -= 1
    return text[:cut].rstrip() + end


def _default(value: Any, instead: Any = "") -> Any:
    """The value, or `instead` if there is none."""
    return instead if value is None or value is False or value == "" else value


def _matching(value: Any, *words: str) -> bool:
    """Whether the text contains one of these words or phrases: whole words, ignoring case."""
    return bool(value) and any(_phrase(word).search(str(value)) for word in words)


@lru_cache(maxsize=256)
def _phrase(words: str) -> re.Pattern[str]:
    body = r"\s+".join(map(re.escape, words.split()))
    if not body:
        raise UsageError("the layout test 'matching' needs a word to look for")
    return re.compile(rf"(?<!\w){body}(?!\w)", re.IGNORECASE)


def _unless_absent(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, applied only to present values; an absent value is returned as it is."""

    @wraps(function)
    def of_present(value: Any, *arguments: Any, **named: Any) -> Any:
        return value if value is None or value == "" else function(value, *arguments, **named)

    return of_present


OWN_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "pad": _unless_absent(_pad),
    "pad_to": _unless_absent(_pad_to),
    "the_last": _unless_absent(_the_last),
    "the_first": _unless_absent(_the_first),
    "without_guest": _unless_absent(_without_guest),
    "guest": _unless_absent(_guest),
    "with_guest": _unless_absent(_with_guest),
    "year": _unless_absent(_year),
    "decade": _unless_absent(_decade),
    "initial": _initial,
    "ascii": _unless_absent(_ascii),
    "truncate": _unless_absent(_truncate),
    "default": _default,
}
"""Name -> filter, for our own filters."""

_OF_JINJA: Final = (
    "capitalize",
    "first",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "round",
    "string",
    "title",
    "trim",
    "upper",
)
_TESTS_OF_JINJA: Final = (
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "in",
    "divisibleby",
    "even",
    "odd",
    "number",
    "string",
)


def keep_known(filters: dict[str, Any], tests: dict[str, Any]) -> None:
    """Keep only the filters and tests of Jinja2 with a reproducible result, and add our own."""
    kept = {name: _unless_absent(filters[name]) for name in _OF_JINJA}, {name: tests[name] for name in _TESTS_OF_JINJA}
    for registered, known in zip((filters, tests), kept, strict=True):
        registered.clear()
        registered.update(known)
    filters.update(OWN_FILTERS)
    tests["matching"] = _matching


EXAMPLES: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("{{ track | pad(2) }}", {"track": 7}, "07"),
    ("{{ track | pad_to(track_total) }}", {"track": 7, "track_total": 120}, "007"),
    ("{{ disc | pad_to(discs, 1) }}-{{ track | pad(2) }}", {"disc": 3, "discs": 12, "track": 7}, "03-07"),
    ("{{ albumartist | the_last }}", {"albumartist": "The Beatles"}, "Beatles, The"),
    ("{{ albumartist | the_last('Die') }}", {"albumartist": "Die Ärzte"}, "Ärzte, Die"),
    ("{{ albumartist_sort or albumartist | the_last }}", {"albumartist": "Ann Bee", "albumartist_sort": "Bee, Ann"}, "Bee, Ann"),
    ("{{ albumartist | the_first }}", {"albumartist": "Beatles, The"}, "The Beatles"),
    ("{{ artist | without_guest }}", {"artist": "Ann feat. Bob"}, "Ann"),
    ("{{ title | without_guest }}", {"title": "Star (feat. Bob) [Live]"}, "Star [Live]"),
    ("{{ artist | guest }}", {"artist": "Ann ft. Bob & Eve"}, "Bob & Eve"),
    ("{{ title | with_guest(artist) }}", {"title": "Star", "artist": "Ann feat. Bob"}, "Star (feat. Bob)"),
    ("{{ date | year }}", {"date": "1979-06-09"}, "1979"),
    ("{{ year | decade }}", {"year": 1979}, "1970s"),
    ("{{ (original_year or year) | decade }}", {"year": 2011, "original_year": 1969}, "1960s"),
    ("{{ albumartist | initial }}", {"albumartist": "Ärzte"}, "A"),
    ("{{ albumartist | the_last | initial }}", {"albumartist": "The Beatles"}, "B"),
    ("{{ albumartist | initial }}", {"albumartist": "10cc"}, "#"),
    ("{{ albumartist | initial }}", {"albumartist": "Żółw"}, "Z"),
    ("{{ albumartist | initial }}", {"albumartist": "Юлия"}, "Ю"),
    ("{{ albumartist | ascii }}", {"albumartist": "Björk & Кино"}, "Bjork & Kino"),
    ("{{ title | upper }}", {"title": "Star"}, "STAR"),
    ("{{ title | lower }}", {"title": "Star"}, "star"),
    ("{{ title | title }}", {"title": "the star"}, "The Star"),
    ("{{ title | capitalize }}", {"title": "the Star"}, "The star"),
    ("{{ title | truncate(8) }}", {"title": "A very long title"}, "A very l"),
    ("{{ title | truncate(8, '…') }}", {"title": "A very long title"}, "A very…"),
    ("{{ genre | default('No genre') }}", {}, "No genre"),
    ("{{ title | replace('&', 'and') }}", {"title": "You & I"}, "You and I"),
    ("{{ 'Live' if album is matching('live', 'unplugged') else 'Studio' }}", {"album": "MTV Unplugged"}, "Live"),
    ("{{ 'Live' if album is matching('show') else 'Studio' }}", {"album": "Showbiz"}, "Studio"),
)
"""(template, fields, result): shown in the documentation and checked by the tests."""
