"""YAML to typed records, with the line of every mistake. As in YAML 1.2, `off`, `yes` and `no` are words, not booleans."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec import Struct, inspect

from orchestrator.config.fields import aliases_of, alternatives, fields_of
from orchestrator.config.problems import Problem
from orchestrator.errors import ConfigError
from orchestrator.wording import repeated

SettingsT = TypeVar("SettingsT", bound=Struct)
MAX_DEPTH = 40

_LISTS = (inspect.ListType, inspect.VarTupleType)

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_TEMPLATE = re.compile(r"\b(layout|template|when)\b.*[{%<\[]")
_QUOTES = "; put a template in single quotes"
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class Lines:
    """The line of each key of a document."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, ...], int] = {}

    def note(self, path: tuple[str, ...], line: int) -> None:
        """Remember the line of a key, counted from 1."""
        self._lines[path] = line

    def of(self, *path: str) -> int:
        """The line of the key, or of the nearest known key above it; 1 if none is known."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return 1


def decode(text: bytes, path: Path, settings: type[SettingsT]) -> tuple[SettingsT, Lines, list[Problem]]:
    """Read `text` as `settings`, without the keys that cannot be read: each has a problem.

    Raises ConfigError with file and line for a text that is no YAML, or nothing like `settings`.
    """
    try:
        node = yaml.compose(text.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem, hint = error.problem or error.context, "; check the indentation and quotes there"
        if _TEMPLATE.search(text.decode().split("\n")[line - 1]):
            hint = _QUOTES
        elif "'\\t'" in str(problem):
            problem, hint = "a tab", ": indent with spaces"
        raise ConfigError(f"{path}:{line}: not valid YAML: {problem}{hint}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from error
    except RecursionError:  # its chain of frames would say nothing
        raise ConfigError(f"{path}: nested too deep") from None
    lines = Lines()
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in _NULLS and node.style is None):
        return msgspec.convert({}, settings), lines, []
    alone = _section_alone(node, settings)
    if alone is not None:
        name = yaml.ScalarNode("tag:yaml.org,2002:str", alone, start_mark=node.start_mark, end_mark=node.start_mark)
        node = yaml.MappingNode("tag:yaml.org,2002:map", [(name, node)], start_mark=node.start_mark, end_mark=node.end_mark)
    decoder = _Decoder(path, lines, alone)
    try:
        document = decoder.value(node, inspect.type_info(settings), ())
    except _RefusedError as error:
        raise ConfigError(error.problem.message) from None
    return msgspec.convert(document, settings), lines, decoder.problems


def _section_alone(node: yaml.Node, settings: type[Struct]) -> str | None:
    """The section that the whole file is, by a key at its top level that only this section has."""
    key, section = getattr(settings, "alone", (None, None))
    top = node.value if isinstance(node, yaml.MappingNode) else []
    return section if any(isinstance(one, yaml.ScalarNode) and one.value == key for one, _ in top) else None


def scalar(text: str) -> Any:
    """A plain word as YAML 1.2's core schema reads it."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def is_text(text: str) -> bool:
    """Whether a text can be written at all: bytes that are not UTF-8 and lone surrogates cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_PLAIN = {"str": "text", "int": "a number", "bool": "true or false", "null": "nothing", "array": "a list", "object": "a mapping"}


def plain_reason(error: msgspec.ValidationError) -> str:
    """The message of msgspec in plain words, without its path."""
    reason = str(error).split(" - at ")[0]
    reason = re.sub(r"`([a-z |]+)`", lambda found: " or ".join(_PLAIN.get(one, one) for one in found[1].split(" | ")), reason)
    return reason[:1].lower() + reason[1:]


class _RefusedError(Exception):
    """A value cannot be used. It is left out, unless what holds it cannot be without it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Decoder:
    """Walks the document and the types side by side, so that each mistake has its line."""

    def __init__(self, path: Path, lines: Lines, alone: str | None = None) -> None:
        """`alone`: the section that the whole file is."""
        self._path = path
        self._lines = lines
        self._alone = alone
        self._secret: set[tuple[str, ...]] = set()
        self.problems: list[Problem] = []
        """Of what was left out."""

    def value(self, node: yaml.Node, kind: inspect.Type, where: tuple[str, ...]) -> Any:
        if len(where) > MAX_DEPTH:
            raise self._error(node, where, "nested too deep")
        kinds = alternatives(kind)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, kinds, where)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, kinds, where)
        return self._scalar(node, kind, kinds, where)

    def _mapping(self, node: yaml.MappingNode, kinds: list[inspect.Type], where: tuple[str, ...]) -> Any:
        for kind in kinds:
            if isinstance(kind, inspect.StructType) and not _is_of_list(node, kind, kinds):
                return self._section(node, kind, where)
            if isinstance(kind, inspect.DictType):
                return self._accepted((key, item, kind.value_type, (*where, key)) for key, item in self._items(node, where))
            if isinstance(kind, _LISTS) and _holds_sections(kind):
                # A single mapping stands for a list of one, such as a job of one step.
                return [self.value(node, kind.item_type, (*where, "0"))]
        hint = _QUOTES if where[-1:] in (("layout",), ("template",), ("when",)) else ""
        raise self._error(node, where, f"expected {_wanted(kinds)}, got a mapping{hint}")

    def _section(self, node: yaml.MappingNode, kind: inspect.StructType, where: tuple[str, ...]) -> dict[str, Any]:
        fields = {field.name: field for field in fields_of(kind.cls)}
        aliases = aliases_of(kind.cls)
        given: dict[str, yaml.Node] = {}
        for written, item in self._items(node, where):
            key = aliases.get(written, written)
            if key not in fields:
                self.problems.append(self._unknown(key, fields, getattr(kind.cls, "refused", {}), where))
                continue
            if key in given:
                both = " and ".join(one for one in (key, *aliases) if aliases.get(one, one) == key)
                self.problems.append(self._error(item, where, f"{both} are the same key: write it once").problem)
                continue
            if key != written:
                self._lines.note((*where, key), self._lines.of(*where, written))
            if fields[key].secret:
                self._secret.add((*where, key))
            given[key] = item
        document = self._accepted((key, item, fields[key].type, (*where, key)) for key, item in given.items())
        for name, field in fields.items():
            if field.required and name not in given:
                raise self._error(node, where, f"`{name}` is missing")
            if field.required and name not in document:  # its own problem says why
                raise _RefusedError(self.problems.pop())
        return document

    def _accepted(self, items: Iterable[tuple[str, yaml.Node, inspect.Type, tuple[str, ...]]]) -> dict[str, Any]:
        """The values that can be used; the others are left out, and their problems are kept."""
        found = {}
        for name, item, kind, where in items:
            try:
                found[name] = self.value(item, kind, where)
            except _RefusedError as error:
                self.problems.append(error.problem)
        return found

    def _unknown(self, key: str, fields: Collection[str], refused: Mapping[str, str], where: tuple[str, ...]) -> Problem:
        """What is wrong with a key that does not exist. Repeats no value: it may be a secret."""
        origin = f"{self._path}:{self._lines.of(*where, key)}"
        full = (*where, key)
        if key in refused:
            return Problem(full, f"{origin}: {'.'.join(full)}", f": {refused[key]}")
        near = difflib.get_close_matches(key.lower().replace("-", "_"), fields, n=1, cutoff=0.5)
        hint = f"; did you mean `{near[0]}`?" if near else f"; valid keys: {', '.join(fields)}"
        if where == (self._alone,):
            reason = f": unknown key `{repeated(key)}`: this file holds only the section `{self._alone}`{hint}"
            return Problem(full, origin, reason)
        return Problem(full, origin, f": unknown key `{repeated('.'.join(full))}`{hint}")

    def _items(self, node: yaml.MappingNode, where: tuple[str, ...]) -> list[tuple[str, yaml.Node]]:
        items = []
        seen = set()
        for key_node, item in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(self._error(key_node, where, "a key must be a word").problem)
                continue
            key = str(key_node.value)
            if not is_text(key):
                half = "a key is not valid text: it contains half of a surrogate pair"
                self.problems.append(self._error(key_node, where, half).problem)
                continue
            if key in seen:
                self.problems.append(self._error(key_node, where, f"the key `{repeated(key)}` is given twice").problem)
                continue
            seen.add(key)
            self._lines.note((*where, key), key_node.start_mark.line + 1)
            items.append((key, item))
        return items

    def _sequence(self, node: yaml.SequenceNode, kinds: list[inspect.Type], where: tuple[str, ...]) -> list[Any]:
        for kind in kinds:
            if isinstance(kind, _LISTS):
                for number, item in enumerate(node.value):
                    self._lines.note((*where, str(number)), item.start_mark.line + 1)
                items = ((str(number), item, kind.item_type, (*where, str(number))) for number, item in enumerate(node.value))
                return [*self._accepted(items).values()]
        raise self._error(node, where, f"expected {_wanted(kinds)}, got a list")

    def _scalar(self, node: yaml.Node, kind: inspect.Type, kinds: list[inspect.Type], where: tuple[str, ...]) -> Any:
        text = str(node.value)
        if not is_text(text):
            raise self._error(node, where, "not valid text: it contains half of a surrogate pair")
        value = scalar(text) if isinstance(node, yaml.ScalarNode) and node.style is None else text
        if value is None and any(isinstance(one, (inspect.StructType, inspect.DictType, *_LISTS)) for one in kinds):
            # A section whose lines are all commented out.
            return None if any(isinstance(one, inspect.NoneType) for one in kinds) else _empty(kinds)
        if not isinstance(value, str) and value is not None and not _accepts(kinds, value) and _accepts(kinds, text):
            # `bucket: 2024`: the key holds text, and this is the text.
            value = text
        if not _accepts(kinds, value):
            secret = any(where[:length] in self._secret for length in range(len(where) + 1))
            instead = [one.cls.instead for one in kinds if isinstance(one, inspect.StructType) and hasattr(one.cls, "instead")]
            if instead:
                raise self._error(node, where, instead[0])
            got = "another value" if secret else f"`{repeated(text)}`"
            raise self._error(node, where, f"expected {_wanted(kinds)}, got {got}")
        _check_bounds(kind, value, lambda reason: self._error(node, where, reason))
        return value

    def _error(self, node: yaml.Node, where: tuple[str, ...], reason: str) -> _RefusedError:
        place = f": {repeated('.'.join(where))}" if where else ""
        return _RefusedError(Problem(where, f"{self._path}:{node.start_mark.line + 1}{place}", f": {reason}"))


def _is_of_list(node: yaml.MappingNode, section: inspect.StructType, kinds: list[inspect.Type]) -> bool:
    """Whether a mapping, where a section or a list of others may stand, is rather the only one of the list, by its keys."""
    of_list = [one for kind in kinds if isinstance(kind, _LISTS) for one in alternatives(kind.item_type)]
    inner = {field.name for one in of_list if isinstance(one, inspect.StructType) for field in fields_of(one.cls)}
    own = {field.name for field in fields_of(section.cls)}
    keys = [str(key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    near = [close for key in keys for close in difflib.get_close_matches(key, [*own, *inner], n=1)]
    return bool(inner) and own.isdisjoint(keys) and not (inner.isdisjoint(keys) and not own.isdisjoint(near))


def _holds_sections(kind: inspect.ListType | inspect.VarTupleType) -> bool:
    return any(isinstance(one, inspect.StructType) for one in alternatives(kind.item_type))


def _empty(kinds: list[inspect.Type]) -> Any:
    return [] if any(isinstance(one, _LISTS) for one in kinds) else {}


def _accepts(kinds: list[inspect.Type], value: Any) -> bool:
    for kind in kinds:
        match kind:
            case inspect.StrType():
                accepted = isinstance(value, str)
            case inspect.BoolType():
                accepted = isinstance(value, bool)
            case inspect.IntType():
                accepted = isinstance(value, int) and not isinstance(value, bool)
            case inspect.FloatType():
                accepted = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
            case inspect.NoneType():
                accepted = value is None
            case inspect.LiteralType(values=values):
                accepted = value in values
            case _:
                accepted = False
        if accepted:
            return True
    return False


def _check_bounds(kind: inspect.Type, value: Any, error: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    for one in alternatives(kind):
        if isinstance(one, (inspect.IntType, inspect.FloatType)):
            if one.ge is not None and value < one.ge:
                raise error(f"must be at least {one.ge}")
            if one.le is not None and value > one.le:
                raise error(f"must be at most {one.le}")


def _wanted(kinds: list[inspect.Type]) -> str:
    names = []
    for kind in kinds:
        match kind:
            case inspect.StrType():
                names.append("text")
            case inspect.BoolType():
                names.append("true or false")
            case inspect.IntType() | inspect.FloatType():
                names.append("a number")
            case inspect.LiteralType(values=values):
                names.append("one of " + ", ".join(map(str, values)))
            case inspect.ListType() | inspect.VarTupleType():
                names.append("a list")
            case inspect.StructType() | inspect.DictType():
                names.append("a mapping")
    return " or ".join(names)
