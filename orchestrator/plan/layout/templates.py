"""Layouts: templates that say where a track goes, checked when they are loaded.

Templates are Jinja2 templates in its sandbox, with the fields of `orchestrator.plan.music.layout_fields`. Only `/` in the text of
the template itself separates directories. An absent field is the empty string; brackets and separators that it leaves empty
vanish. The planner adds the file extension.

A rendered template contains control characters that mark its structure (cleaned values contain none): the end of a directory, the
start and end of a value, and an absent value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orchestrator.config.model import LayoutRule
from orchestrator.errors import UsageError
from orchestrator.plan.layout.filters import keep_known
from orchestrator.plan.layout.foreign_templates import is_template
from orchestrator.plan.layout.mistakes import (
    better_layout,
    check_plain_text,
    checked_fields,
    evaluation_remedy,
    foreign_template,
    nearest,
    syntax_remedy,
)
from orchestrator.plan.layout.presets import DEFAULT, PRESETS
from orchestrator.plan.music.kinds import KINDS
from orchestrator.plan.music.layout_fields import (
    ALBUM_FIELDS,
    FALLBACKS,
    FIELDS,
    NAMING_FIELDS,
    NO_ALBUM,
    NO_ARTIST,
    NO_TITLE,
    TELLING_FIELDS,
    TRACK_FIELDS,
)
from orchestrator.plan.music.tag_values import ABSENT, Absent, clean_value

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

_DIRECTORY_END = "\x00"
_EMPTY = "\x01"
_VALUE, _VALUE_END = "\x02", "\x03"
_EMPTY_WITH_FALLBACK = {name: chr(4 + index) for index, name in enumerate(FALLBACKS)}
_FALLBACK_OF = {mark: name for name, mark in _EMPTY_WITH_FALLBACK.items()}

_ANY_EMPTY = "[\x01\x04-\x06]"
_HAS_EMPTY = re.compile(_ANY_EMPTY)
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")
_PIECES = re.compile(f"(\x02[^\x03]*\x03|{_ANY_EMPTY})")
_SEPARATOR = "\\s\\-\u2013\u2014_,.:;&+~\u00b7\u2022|"
_SEPARATORS = f"[{_SEPARATOR}]*"
_NOTHING = f"{_SEPARATORS}({_ANY_EMPTY})[{_SEPARATOR}\x01\x04-\x06]*"
_HOLLOW = re.compile(rf"\({_NOTHING}\)|\[{_NOTHING}\]|\{{{_NOTHING}\}}")
_LEFT = re.compile(_SEPARATORS + "$")
_RIGHT = re.compile(_SEPARATORS)
_OPEN, _CLOSE = "([{", ")]}"
_UNSAFE = re.compile(r"[^ -~]|[/\\]")
_ABSOLUTE = re.compile(r"\s*(/|~/|[A-Za-z]:/)")
_EXTENSION = re.compile(r"\.?\{\{-?\s*(?:ext|extension)\s*-?\}\}\s*$")

ABSENT_FIELDS: dict[str, Any] = {
    **{name: example if isinstance(example, bool) else ABSENT for name, example in FIELDS.items()},
    "albumartist": NO_ARTIST,
    "album": NO_ALBUM,
    "title": NO_TITLE,
    "artist": NO_ARTIST,
    "discs": 1,
    "album_class": "album",
    "multi_disc": False,
    "lossless": False,
}
_OTHER_ALBUM = {name: not example if isinstance(example, bool) else example for name, example in FIELDS.items()}
"""The fields of an album of which everything is true that is not of the example, and the other way round."""
_PROBE = "\ue000probe"


def _finalize(value: Any) -> str:
    """The result of an expression, as one piece of a name. Raises TypeError for what is neither a text nor a number."""
    if callable(value) or isinstance(value, (list, tuple, dict)):
        raise TypeError(f"an expression gives a {type(value).__name__.replace('_', ' ')} instead of a text")
    if value is None or value is False or value == "":
        return _EMPTY_WITH_FALLBACK.get(value.fallback, _EMPTY) if isinstance(value, Absent) else _EMPTY
    text = value if isinstance(value, str) else str(value)
    if _UNSAFE.search(text):
        text = clean_value(text)
    return f"{_VALUE}{text}{_VALUE_END}" if text else _EMPTY


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - slow to import, and `--help` does not need it

    from orchestrator.plan.layout.sandbox import Sandbox  # noqa: PLC0415

    environment = Sandbox(undefined=StrictUndefined, finalize=_finalize, autoescape=False, cache_size=0)
    keep_known(environment.filters, environment.tests)
    return environment


class Template:
    """One compiled template."""

    def __init__(self, source: str) -> None:
        from jinja2 import TemplateError  # noqa: PLC0415
        from jinja2 import nodes as jinja_nodes  # noqa: PLC0415

        self.source = source
        environment = _environment()
        text = _EXTENSION.sub("", re.sub(r"\s*\n\s*", "", source).strip())
        try:
            tree = environment.parse(text)
            self.fields = checked_fields(tree, FIELDS, source, environment)
            plain = [*tree.find_all(jinja_nodes.TemplateData)]
            check_plain_text([data.data for data in plain], text, source)
            for data in plain:
                data.data = re.sub("[\x00-\x1f]", "", data.data).replace("/", _DIRECTORY_END)
            self._template = environment.from_string(tree)
            self._render = self._template.root_render_func
        except TemplateError as error:
            raise UsageError(f"the layout {source!r} is not a valid template: {syntax_remedy(error)}") from error
        self._tree = tree
        self.album_fields = sorted(self.fields & ALBUM_FIELDS.keys())
        self.track_fields = sorted(self.fields & TRACK_FIELDS.keys())
        self.album_depth: int | None = None
        """Index of the directory that is named after the album (by one of NAMING_FIELDS); None if there is none."""
        self._check()

    def render(self, values: dict[str, Any]) -> tuple[str, str]:
        """The raw directory and the raw file name (no extension) for these values; `tidy` turns their parts into names.

        Raises UsageError if an expression cannot be evaluated.
        """
        from jinja2 import TemplateError  # noqa: PLC0415

        try:
            context = self._template.new_context(values, shared=True)
            text = "".join(self._render(context))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            why = evaluation_remedy(self._tree, error)
            raise UsageError(f"the layout {self.source!r} cannot be evaluated for {_named(values)}: {why}") from error
        directory, _, name = text.rpartition(_DIRECTORY_END)
        return directory, name

    def _check(self) -> None:
        for values in (ABSENT_FIELDS, FIELDS):
            directory, name = self.render(dict(values))
            if directory.startswith(_DIRECTORY_END) or _ABSOLUTE.match(self.source):
                raise UsageError(
                    f"the layout {self.source!r} must not start with '/', '~/' or a drive: it is relative to the target"
                )
            if not name:
                raise UsageError(f"the layout {self.source!r} must end with the file name, not with '/'")
            for part in (*split_directory(directory), name):
                if tidy(part) in {".", ".."}:
                    raise UsageError(f"the layout {self.source!r} must not contain '.' or '..' as a folder")
        for name in NAMING_FIELDS:
            directory, _ = self.render({**FIELDS, **dict.fromkeys(NAMING_FIELDS, ABSENT), name: _PROBE})
            for depth, part in enumerate(split_directory(directory)):
                if _PROBE in part:
                    self.album_depth = max(depth, self.album_depth or 0)

    def check_names(self) -> None:
        """Raise UsageError if the files of an album would have one name."""
        if not all(map(self._tells_tracks_apart, (FIELDS, _OTHER_ALBUM))):
            what = (
                "no field of a track such as {{ title }}, so the tracks of an album" if self.fields else "no field, so all files"
            )
            better = better_layout(self.source)
            raise UsageError(f"the layout {self.source!r} names {what} would share one name; write for example {better!r}")

    def _tells_tracks_apart(self, values: dict[str, Any]) -> bool:
        """Whether the path of a track on an album with these fields depends on the track."""
        path = self.render(dict(values))
        others = ({name: values[name] + 3 if isinstance(values[name], int) else _PROBE} for name in TELLING_FIELDS & self.fields)
        return any(self.render({**values, **other}) != path for other in others)


class Condition:
    """One compiled `when`."""

    def __init__(self, source: str) -> None:
        from jinja2 import TemplateError  # noqa: PLC0415
        from jinja2.parser import Parser  # noqa: PLC0415

        environment = _environment()
        self.source = source
        try:
            self._tree = Parser(environment, source, state="variable").parse_expression()
            self.fields = checked_fields(self._tree, ALBUM_FIELDS, source, environment)
            self.kinds = _texts_in(self._tree) & KINDS.keys() if "album_class" in self.fields else frozenset()
            """The kinds of KINDS that it names."""
            self._expression = environment.compile_expression(source, undefined_to_none=False)
        except TemplateError as error:
            raise UsageError(f"the layout condition {source!r} is not valid: {syntax_remedy(error)}") from error
        self.holds(ABSENT_FIELDS)
        self.holds(FIELDS)

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether the condition is true for an album with these fields. Raises UsageError if it cannot be evaluated."""
        from jinja2 import TemplateError  # noqa: PLC0415

        try:
            return bool(self._expression(**{name: values[name] for name in self.fields}))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            why = evaluation_remedy(self._tree, error)
            raise UsageError(f"the layout condition {self.source!r} cannot be evaluated for {_named(values)}: {why}") from error


class Layout:
    """Rules in order: the first whose condition is true decides where an album goes."""

    def __init__(self, rules: Sequence[LayoutRule]) -> None:
        self.rules = tuple(rules)
        self._compiled = [(Condition(rule.when) if rule.when else None, Template(rule.template)) for rule in rules]
        self.kinds = frozenset(kind for condition, _ in self._compiled if condition for kind in condition.kinds)
        """What is no music has a place only by a rule that names its kind."""
        for _, template in self._compiled:
            template.check_names()

    @property
    def templates(self) -> list[Template]:
        """The templates of all rules."""
        return [template for _, template in self._compiled]

    def choose(self, album_values: dict[str, Any]) -> Template:
        """The template for an album. The last rule has no condition."""
        for condition, template in self._compiled[:-1]:
            if condition is None or condition.holds(album_values):
                return template
        return self._compiled[-1][1]

    def choose_for(self, kind: str, album_values: dict[str, Any]) -> Template | None:
        """The template for an album of a kind that is no music; None if it is left alone."""
        for condition, template in self._compiled:
            if condition is not None and kind in condition.kinds and condition.holds(album_values):
                return template
        return None


@lru_cache(maxsize=16)
def compile_layout(text_or_preset: str | None = None, rules: tuple[LayoutRule, ...] = ()) -> Layout:
    """The layout of `rules`, then of a template or preset for all other albums (None: the preset "default").

    Raises UsageError for an unknown preset or field, with the closest known one, and for an invalid template.
    """
    flat: list[LayoutRule] = []
    for rule in (*rules, LayoutRule(text_or_preset or DEFAULT)):
        for part in _rules_of(rule.template):
            when = f"({rule.when}) and ({part.when})" if rule.when and part.when else rule.when or part.when
            flat.append(LayoutRule(part.template, when))
        if flat[-1].when is None:
            break
    return Layout(flat)


def split_directory(raw_directory: str) -> list[str]:
    """The raw parts of a raw directory, without the empty ones."""
    return [part for part in raw_directory.split(_DIRECTORY_END) if part.strip()]


def tidy(raw: str) -> str:
    """A raw part as text. What absent fields left empty is removed; a part that would be empty gets the fallback of its field."""
    if not _HAS_EMPTY.search(raw):
        return raw.replace(_VALUE, "").replace(_VALUE_END, "").strip()
    missing = [mark for mark in _HAS_EMPTY.findall(raw) if mark != _EMPTY]
    while (fuller := _HOLLOW.sub(lambda match: match.group(1) or match.group(2) or match.group(3), raw)) != raw:
        raw = fuller
    text = _closed_up(raw)
    if missing and not re.search(r"\w|\x02", _BRACKETED.sub("", text)):
        text = f"{_FALLBACK_OF[missing[0]]} {text}"
    return text.replace(_VALUE, "").replace(_VALUE_END, "").strip()


def _closed_up(raw: str) -> str:
    """The part without its absent fields, and without the separators that only they needed."""
    done = ""
    pieces = _PIECES.split(raw)
    for index in range(1, len(pieces), 2):
        done += pieces[index - 1]
        piece, rest = pieces[index], pieces[index + 1]
        if piece.startswith(_VALUE):
            done += piece
            continue
        left = _LEFT.search(done)
        right = _RIGHT.match(rest)
        before = left.group() if left else ""
        after = right.group() if right else ""
        done, rest = done[: len(done) - len(before)], rest[len(after) :]
        at_start = not done or done[-1] in _OPEN
        at_end = (not rest and index + 2 >= len(pieces)) or rest[:1] in tuple(_CLOSE)
        if not at_start and not at_end:
            done += before if before.strip() or not after.strip() else after
        pieces[index + 1] = rest
    return done + pieces[-1]


def _works(text: str) -> bool:
    try:
        Template(text).check_names()
    except UsageError:
        return False
    return True


def _rules_of(text: str) -> tuple[LayoutRule, ...]:
    if (refusal := foreign_template(text, _works)) is not None:
        raise UsageError(refusal)
    if is_template(text) or "/" in text:
        return (LayoutRule(text),)
    try:
        return PRESETS[text.strip()]
    except KeyError:
        hint = nearest(text, PRESETS)
        raise UsageError(
            f"unknown layout {text!r}{f'{hint} The' if hint else '; the'} presets are {', '.join(PRESETS)}, or write a template "
            "such as '{{ albumartist }}/{{ album }}/{{ title }}'"
        ) from None


def _texts_in(expression: nodes.Node) -> frozenset[str]:
    from jinja2 import nodes as jinja_nodes  # noqa: PLC0415

    constants = [expression] if isinstance(expression, jinja_nodes.Const) else [*expression.find_all(jinja_nodes.Const)]
    return frozenset(constant.value for constant in constants if isinstance(constant.value, str))


def _named(values: dict[str, Any]) -> str:
    known = [str(values[name])[:60] for name in ("albumartist", "album", "title") if values.get(name)]
    return " / ".join(known) if known else "a file without some fields"
