"""Patterns such as `{artist} - {album} ({year})/{track} - {title}`: they take the fields out of the path of a file.

`/` separates folders; a pattern is compared with the end of a path, without the extension, and with the whole path if it begins
with `/`. Upper and lower case, the length of spaces and the kind of dashes make no difference. A field that occurs twice must
have one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.tags.formats import is_audio

AUTO: Final = "auto"
"""In place of a pattern: the table of habits."""
OFF: Final = "off"
EXAMPLE: Final = "{artist} - {album} ({year})/{track} - {title}"

FIELDS: Final = {
    "artist": "the artist; in the name of a folder also the album artist",
    "albumartist": "the album artist",
    "various": "a name for several artists: `VA`, `Various Artists`, `Soundtrack` ...",
    "album": "the album",
    "edition": "what is added to the title of the album: `Deluxe Edition`",
    "year": "a year of four digits, from 1900 on",
    "date": "`1999-07-14`, `1999.07.14`, `1999-07` or `1999`; without an album it is the title of a concert",
    "venue": "where a concert took place",
    "city": "the same",
    "source": "how a concert was recorded: `SBD`",
    "disc": "the number of the disc",
    "track": "the number of the track, or its position on a record: `A1`",
    "title": "the title",
    "band": "how traders of live recordings abbreviate a band: `gd`; a date of two digits a part may follow (`gd77-05-08`)",
    "group": "who released it; it is not used",
    "ignore": "any text; it is not used",
}
"""Field -> its meaning."""

_TEXT: Final = r"[^/\s\-\u2010-\u2015](?:[^/]*?[^/\s](?<!\s[\-\u2010-\u2015]))??"
_WITHOUT_HYPHEN: Final = r"[^/\s\-\u2010-\u2015](?:[^/\-]*?[^/\s\-])??"
_EXPRESSIONS: Final = {
    "year": r"(?:19|20)[0-9]{2}",
    "date": r"(?:19|20)[0-9]{2}(?:[-._][0-9]{2}(?:[-._][0-9]{2})?)?",
    "disc": r"[0-9]{1,2}",
    "track": r"(?:[0-9]{1,3}|[A-H][0-9]{1,2}|AA[0-9]{0,2}|BB[0-9]{0,2})",
    "band": r"[A-Za-z]+",
    "group": r"[^/\s\-]+",
    "ignore": r"[^/]+?",
}
"""Field -> its values; all others are texts."""
_SHORT_DATE: Final = r"(?:(?:19|20)?[0-9]{2}[-._][0-9]{2}[-._][0-9]{2})"
_PIECES: Final = re.compile(r"\{(?P<field>[^{}]*)\}|(?P<text>[^{}]+)|(?P<brace>[{}])")
_DASH: Final = re.compile(r"[\-\u2010-\u2015]")
_SPACE: Final = re.compile(r"\s")
_DIGIT: Final = re.compile(r"[0-9]")
_TRACK: Final = re.compile(r"[0-9]|AA|BB", re.IGNORECASE)
_MAY_TOUCH: Final = frozenset({("disc", "track"), ("band", "date")})
"""Fields that are told apart without a text between them: `103`, `gd77-05-08`."""
_TELL_A_TRACK: Final = frozenset({"title", "track"})
_TELL_AN_ALBUM: Final = frozenset({"artist", "albumartist", "various", "album", "band"})
_LONGEST: Final = 1024
_MOST_DASHES: Final = 24
"""A path with more of them is no name that people give: it would only cost time."""


class Pattern:
    """One compiled pattern, or the part of one for folders or for files."""

    def __init__(self, text: str, *, whole: bool = True) -> None:
        """`whole`: it must tell enough to organize a file. Raises UsageError with the mistake and its remedy."""
        self.text = text
        self.anchored = text.startswith("/")
        parts = text.removeprefix("/").split("/")
        self.depth = len(parts) - 1
        """How many folders it names."""
        _check(text, parts)
        pieces = [[*_pieces(part, text)] for part in parts]
        self.fields = frozenset(field for part in pieces for field, _ in part if field)
        self.folder_fields = frozenset(field for part in pieces[:-1] for field, _ in part if field)
        """The fields in the names of folders: they hold for all files of a folder."""
        if whole and not (self.fields & _TELL_A_TRACK and self.fields & _TELL_AN_ALBUM):
            raise _mistake(text, "it needs {title} or {track}, and {artist} or {album}")
        self.bare_number = bool(re.search(r"\{track\} \{(?:title|artist)\}$", text))
        """Whether only a space is between number and title: `99 Luftballons` may have none."""
        seen: set[str] = set()
        self._expression = "/".join("".join(_expressions(part, seen, text)) for part in pieces)
        self._needed = [*_needed(pieces)]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        """Compiled when a name comes that may match: the table of habits has hundreds, and most names have few of their signs."""
        return re.compile(self._expression, re.IGNORECASE)

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """The fields in the folders and the name (without extension) of a file; None if it is named otherwise."""
        if len(parts) <= self.depth or (self.anchored and len(parts) != self.depth + 1):
            return None
        path = "/".join(parts[-self.depth - 1 :])
        if len(path) > _LONGEST or path.count("-") > _MOST_DASHES or not all(needed.search(path) for needed in self._needed):
            return None
        found = self._compiled.fullmatch(path)
        return found.groupdict() if found is not None else None


@lru_cache(maxsize=1024)
def pattern_of(text: str, *, whole: bool = True) -> Pattern:
    """The compiled pattern, as Pattern takes it. Raises UsageError."""
    return Pattern(text, whole=whole)


def parse_names_as_tags(given: str | Sequence[str], where: str = "--names-as-tags") -> tuple[str, ...]:
    """The checked patterns of a setting, in order; none for OFF. Raises UsageError, which names the setting `where`."""
    texts = (given,) if isinstance(given, str) else tuple(given)
    if OFF in texts and len(texts) > 1:
        raise UsageError(f"{where}: `{OFF}` cannot be combined with patterns")
    for text in texts:
        if text not in {AUTO, OFF}:
            try:
                pattern_of(text)
            except UsageError as error:
                raise UsageError(f"{where}: {error.message}") from error
    return tuple(text for text in texts if text != OFF)


def _check(text: str, parts: Sequence[str]) -> None:
    if "{{" in text or "}}" in text or "{%" in text:
        raise _mistake(text, "fields have one pair of braces here: {artist}")
    if "\\" in text:
        raise _mistake(text, "`/` separates folders")
    if "{" not in text and "}" not in text:
        raise _mistake(text, f"it names no field; write auto, or a pattern such as {EXAMPLE}")
    if any(part.strip() in {"", ".", ".."} for part in parts):
        raise _mistake(text, "each part between two `/` must be a name")
    if text.lower().endswith("{ext}") or is_audio(text):
        raise _mistake(text, "leave out the extension")


def _pieces(part: str, source: str) -> Iterator[tuple[str, str]]:
    """The fields and the texts of a part of the path: (field, "") or ("", text)."""
    for found in _PIECES.finditer(part):
        if found["brace"]:
            raise _mistake(source, f"a brace `{found['brace']}` has no counterpart")
        field = found["field"]
        if field is not None and field not in FIELDS:
            close = get_close_matches(field.strip().lower(), FIELDS, 1, 0.5)
            hint = f"did you mean {{{close[0]}}}?" if close else f"the fields are {', '.join(FIELDS)}"
            raise _mistake(source, f"unknown field {{{field}}}; {hint}")
        yield field or "", found["text"] or ""


def _expressions(part: Sequence[tuple[str, str]], seen: set[str], source: str) -> Iterator[str]:
    """The regular expression of a part of the path. `seen`: the fields before it; a repeated one must have its first value."""
    for index, (field, text) in enumerate(part):
        if not field:
            yield _literal(text)
            continue
        before = part[index - 1][0] if index else ""
        after, following = part[index + 1] if index + 1 < len(part) else ("", "")
        if after and (field, after) not in _MAY_TOUCH:
            raise _mistake(source, f"put a text between {{{field}}} and {{{after}}}")
        if field in seen:
            yield f"(?P={field})"
            continue
        seen.add(field)
        expression = _EXPRESSIONS.get(field, _WITHOUT_HYPHEN if following.startswith("-") else _TEXT)
        if field == "date" and before == "band":
            expression = _SHORT_DATE
        elif field == "disc" and after == "track":
            expression = "[1-9]"
        elif field == "track" and before == "disc":
            expression = "[0-9]{2}"
        yield f"(?P<{field}>{expression})"


def _needed(pieces: Sequence[Sequence[tuple[str, str]]]) -> Iterator[re.Pattern[str]]:
    """What a path must have to match: signs such as brackets, spaces, digits. Letters do not count, because of their case."""
    texts = "".join(text for part in pieces for _, text in part)
    fields = {field for part in pieces for field, _ in part}
    for sign in dict.fromkeys(texts):
        if sign == "-":
            yield _DASH
        elif sign.isspace():
            yield _SPACE
        elif sign.isascii() and not sign.isalnum():
            yield _sign(sign)
    if fields & {"year", "date", "disc"}:
        yield _DIGIT
    elif "track" in fields:
        yield _TRACK


@lru_cache(maxsize=64)
def _sign(sign: str) -> re.Pattern[str]:
    return re.compile(re.escape(sign))


def _literal(text: str) -> str:
    pieces = (r"\s+" if piece.isspace() else re.escape(piece) for piece in re.split(r"(\s+)", text) if piece)
    return "".join(pieces).replace(r"\-", r"[\-\u2010-\u2015]")


def _mistake(text: str, remedy: str) -> UsageError:
    return UsageError(f"the pattern {text!r} for names cannot be used: {remedy}")
