"""Templates of other programs, and what they are here. They are refused with their translation: nothing is guessed.

A template is read as the program of whose fields it names most. What has no counterpart is left out, and named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from orchestrator.plan.layout.foreign_fields import LETTERS, expression_of
from orchestrator.plan.layout.foreign_functions import (
    FUNCTIONS,
    NoCounterpartError,
    Piece,
    Pieces,
    has_text,
    if_block,
    quoted,
    without_zeros,
    written,
)
from orchestrator.plan.music.layout_fields import FIELDS

NAME_OF_A_TRACK: Final = "{{ track | pad(2) }} {{ title }}"
_JINJA = re.compile(r"\{\{(?!\s*\.)|\{%[-+]?\s*(?:if|elif|else|endif|set|for|endfor|include|import|macro|block)\b[^{}]*%\}|\{#")


class Translation(NamedTuple):
    """A template of another program."""

    programs: str
    text: str
    """What it is here; "" if nothing of it has a counterpart."""
    missing: tuple[str, ...]
    """What has none."""


class _Dialect(NamedTuple):
    programs: str
    field: re.Pattern[str]
    """Groups: `name`, and `spec`, `before`, `after`, `instead`, if there are such."""
    function: re.Pattern[str] | None = None
    closing: str = ")"
    """Behind the arguments of a function."""
    optional: str = ""
    """The brackets around what is only there if its fields are."""
    conditional: re.Pattern[str] | None = None
    """The start of `<field|if it is there|otherwise>`."""
    quote: re.Pattern[str] | None = None
    """Group 1 is plain text."""
    disc_width: int = 0
    folder: str = "/\\"
    """What separates folders."""


_CALL = re.compile(r"\$(?P<name>\w+)\(")
_DIALECTS: Final = (
    _Dialect("yt-dlp", re.compile(r"%\((?P<name>\w+(?:,\w+)*)(?:\|(?P<instead>[^()]*))?\)(?P<spec>[\d.]*)[sdSBjUlq]")),
    _Dialect("Kid3 or bandcamp-dl", re.compile(r"%\{(?P<name>[\w ]+)\}")),
    _Dialect(
        "foobar2000, Picard or Mp3tag",
        re.compile(r"%(?P<name>[A-Za-z_][\w ]*)%"),
        _CALL,
        optional="[]",
        quote=re.compile(r"'([^'\w]+)'"),
    ),
    _Dialect(
        "beets or eyeD3",
        re.compile(r"\$\{(?P<name>\w+)(?::\w+)?\}|\$(?P<bare>[A-Za-z]\w*)(?![\w(])(?::num)?"),
        re.compile(r"%(?P<name>\w+)\{"),
        closing="}",
        quote=re.compile(r"\$([$%,}])"),
        disc_width=2,
        folder="/",
    ),
    _Dialect("Strawberry or Clementine", re.compile(r"%(?P<name>[a-z]{2,})(?![a-z]|%(?![a-z]))"), optional="{}"),
    _Dialect(
        "MusicBee, MediaMonkey or Quod Libet",
        re.compile(r"<(?P<name>[A-Za-z~#][^<>|:]*)(?::(?P<spec>\d+))?>"),
        _CALL,
        conditional=re.compile(r"<(?P<name>[A-Za-z~#][\w ]*)\|"),
    ),
    _Dialect("a program in Go", re.compile(r"\{\{-?\s*\.(?P<name>[A-Za-z.]+)\s*-?\}\}"), folder="/"),
    _Dialect(
        "Lidarr, Python or the like",
        re.compile(
            r"\{(?P<before>[-\s._\[(]*)(?P<name>[A-Za-z][\w .-]*?)(?:!\w)?(?::(?P<spec>[\w>.+-]*))?(?P<after>[-\s._\])]*)\}"
        ),
    ),
    _Dialect("dBpoweramp or JRiver", re.compile(r"\[(?P<name>[A-Za-z][\w #]*)\]")),
)


def is_template(text: str) -> bool:
    """Whether a text has an expression or a statement of our own templates."""
    return _JINJA.search(text) is not None


def translations_of(text: str) -> list[Translation]:
    """How other programs read a template; several if its letters mean different things in them, [] if it is of none."""
    best, most = None, 0
    for dialect in _DIALECTS:
        named = sum(_name_of(found) is not None for found in dialect.field.finditer(text))
        if named > most:
            best, most = dialect, named
    return [_Reader(text, best).translation()] if best is not None else _by_letters(text)


def foreign_fields_in(text: str) -> list[tuple[str, str]]:
    """Fields of other programs in the plain text of one of our templates, each with what it is here."""
    matches = (match for dialect in _DIALECTS[:-1] for match in dialect.field.finditer(text))
    return [(match.group().strip(), f"{{{{ {expression} }}}}") for match in matches if (expression := _name_of(match))]


def with_name_of_a_track(text: str) -> str:
    """A layout that names no field of a track, with a name for each track at its end."""
    return f"{text.rstrip('/')}/{NAME_OF_A_TRACK}".lstrip("/")


def _by_letters(text: str) -> list[Translation]:
    """The template with letters after "%", as each program reads it that knows all of them."""
    letters = re.compile(r"%([A-Za-z]{1,2})(?![A-Za-z%])")
    found: dict[str, list[str]] = {}
    for program, fields in LETTERS.items():
        used = letters.findall(text)
        if used and fields.keys() >= set(used):
            parts = letters.split(text.replace("\\", "/"))
            translated = "".join(f"{{{{ {fields[part]} }}}}" if index % 2 else part for index, part in enumerate(parts))
            found.setdefault(translated.strip("/"), []).append(program)
    likely: list[str] = [translated for translated in found if "{{ title }}" in translated] or [*found]
    return [Translation(" or ".join(found[translated]).replace(" or ", ", "), translated, ()) for translated in likely]


def _name_of(found: re.Match[str]) -> str | None:
    """What the field is here; "" for the extension, None if it is unknown."""
    groups = found.groupdict()
    names = (groups["name"] or groups.get("bare") or "").split(",")
    known = [expression for name in names if (expression := expression_of(name)) is not None]
    return " or ".join(known) if len(known) == len(names) else None


class _Reader:
    """Reads one template from left to right."""

    def __init__(self, text: str, dialect: _Dialect) -> None:
        self._text = re.sub(r"\\\((.*?)\\\)", r"'('\1')'", re.sub(r"\s*\n\s*", "", text))  # Picard's plain brackets
        self._dialect = dialect
        self._at = 0
        self._missing: list[str] = []

    def translation(self) -> Translation:
        text = written(self._pieces(""))
        text = re.sub(r"\.?\x00$", "", text.strip()).replace("\x00", "")
        text = re.sub(r"\{(?=\{[{%])", "{{ '{' }}", text)  # a plain bracket before an expression
        text = re.sub("^(~|[A-Za-z]:)?/", "", re.sub("/{2,}", "/", text)).rstrip("/")
        return Translation(self._dialect.programs, text, tuple(dict.fromkeys(self._missing)))

    def _pieces(self, ends: str) -> Pieces:
        """The pieces up to one of the characters `ends` or the end of the text; what ends them is not read."""
        pieces: Pieces = []
        depth = 0
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in ends and not (depth and character in "),"):
                break
            depth += (character == "(") - (character == ")" and depth > 0)
            pieces += self._next(character, pieces)
        return pieces

    def _next(self, character: str, before: Sequence[Piece]) -> Pieces:
        dialect = self._dialect
        if dialect.quote and (found := dialect.quote.match(self._text, self._at)):
            self._at = found.end()
            return [Piece(found[found.lastindex or 0])]
        if dialect.function and (found := dialect.function.match(self._text, self._at)):
            return self._call(found)
        if found := dialect.field.match(self._text, self._at):
            self._at = found.end()
            return self._field(found)
        if dialect.conditional and (found := dialect.conditional.match(self._text, self._at)):
            return self._conditional(found)
        if dialect.optional and character == dialect.optional[0]:
            return self._optional(before)
        self._at += 1
        return [Piece("/" if character in dialect.folder else character)]

    def _field(self, found: re.Match[str]) -> Pieces:
        expression = _name_of(found)
        groups = found.groupdict()
        spec = groups.get("spec") or ""
        if expression is None or not re.fullmatch(r"[0<>+-]*\.?\d*[dsf]?", spec):
            self._missing.append(found.group())
            return []
        if not expression:
            return [Piece("\x00")]  # the extension: it vanishes with the dot before it
        if expression == "track" and "track number" in found.group().casefold():
            value = expression  # the one that foobar2000 does not pad
        else:
            value = _formatted(expression, spec, self._dialect.disc_width)
        if instead := groups.get("instead"):
            value += f" | default({quoted(instead)})"
        return [Piece(groups.get("before") or ""), Piece(value, "value"), Piece(groups.get("after") or "")]

    def _call(self, found: re.Match[str]) -> Pieces:
        start, known = self._at, len(self._missing)
        self._at = found.end()
        arguments: list[Pieces] = []
        while True:
            arguments.append(self._pieces("," + self._dialect.closing))
            character = self._text[self._at : self._at + 1]
            self._at += 1
            if character != ",":
                break
        if len(self._missing) == known:
            with suppress(NoCounterpartError, KeyError, IndexError, ValueError):
                return FUNCTIONS[found["name"].casefold()](arguments)
        self._missing[known:] = [self._text[start : self._at]]
        return []

    def _conditional(self, found: re.Match[str]) -> Pieces:
        self._at = found.end()
        parts = [self._pieces("|>")]
        while self._text[self._at : self._at + 1] == "|":
            self._at += 1
            parts.append(self._pieces("|>"))
        self._at += 1
        expression = _name_of(found)
        if not expression:
            self._missing.append(found.group().rstrip("|") + ">")
            return []
        return if_block(expression, parts[0], parts[1] if len(parts) > 1 else [])

    def _optional(self, before: Sequence[Piece]) -> Pieces:
        opening, closing = self._dialect.optional[0], self._dialect.optional[1]
        self._at += 1
        inside = self._pieces(closing)
        self._at += 1
        whole = [*filter(has_text, inside)]
        values = [piece.text for piece in whole if piece.kind == "value"]
        bare = bool(whole) and whole[0].kind == whole[-1].kind == "value"
        if not values or (bare and opening == "[" and before and before[-1].text.endswith(" ")):
            return [Piece(opening), *inside, Piece(closing)]  # plain brackets, which vanish if they are empty
        return whole if bare and len(whole) == 1 else if_block(" or ".join(map(without_zeros, values)), inside, [])


def _formatted(expression: str, spec: str, disc_width: int) -> str:
    """A field with its width: zeros for a number, a cut for a text. A track number has two digits if nothing is said."""
    is_number = isinstance(FIELDS.get(expression), int)
    width = len(spec) if re.fullmatch("0+", spec) else int("0" + re.sub(r"^-.*|\D", "", spec))
    if is_number and not width:
        width = {"track": 2, "disc": disc_width}.get(expression, 0)
    if not width or expression.endswith("year"):
        return expression
    return f"{expression} | pad({width})" if is_number else f"{expression} | truncate({width})"
