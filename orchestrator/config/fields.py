"""What the types declare about each key of the config and each option of a command.

Imports nothing heavy but msgspec: `--help` passes through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct, inspect, structs

from orchestrator.config.options.declare import Spelling

_SCALARS = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.LiteralType, inspect.NoneType)


class FieldFacts(Struct, frozen=True, kw_only=True):
    """One key of a mapping, or one option of a command."""

    name: str
    description: str
    example: Any
    default: Any
    required: bool
    secret: bool
    spelling: Spelling
    """How an option is written on the command line."""
    section: type[Struct] | None
    """The closed mapping that the key holds, directly or in a list or by names."""
    closed: bool
    """Whether it holds that mapping directly."""
    scalar: bool
    """Holds one text, number or word, or may: also where a mapping may say where the text is."""
    type: inspect.Type


@cache
def fields_of(section: type[Struct]) -> tuple[FieldFacts, ...]:
    """The keys of a closed mapping, in the order of its type."""
    info = inspect.type_info(section)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - for mypy: a Struct's info is nothing else
    hints = get_type_hints(section, include_extras=True)
    return tuple(_facts(field, hints[field.name]) for field in info.fields)


def aliases_of(section: type[Struct]) -> Mapping[str, str]:
    """Other spellings of the keys of a closed mapping -> the keys."""
    found: Mapping[str, str] = getattr(section, "aliases", {})
    return found


def alternatives(kind: inspect.Type) -> list[inspect.Type]:
    """The types that a value may have, without msgspec's wrappings."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return [found for one in kind.types for found in alternatives(one)]
    return [kind]


def _in_declared_order(kind: inspect.Type, hint: Any) -> inspect.Type:
    """The type with the words of a Literal as they were declared: msgspec sorts them."""
    if isinstance(kind, inspect.UnionType):
        return structs.replace(kind, types=tuple(_in_declared_order(one, hint) for one in kind.types))
    if isinstance(kind, inspect.LiteralType):
        return structs.replace(kind, values=_words_of(hint))
    return kind


def _words_of(hint: Any) -> tuple[Any, ...]:
    """The words of the Literal in a type hint, which may be annotated or optional."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next((words for part in get_args(hint) if (words := _words_of(part))), ())


def _facts(field: inspect.Field, hint: Any) -> FieldFacts:
    schema: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    kind = field.type
    while isinstance(kind, inspect.Metadata):
        schema |= kind.extra_json_schema or {}
        extra |= kind.extra or {}
        kind = kind.type
    kinds = alternatives(kind)
    structs = [one.cls for kind_of_value in kinds for one in _values(kind_of_value) if isinstance(one, inspect.StructType)]
    default = field.default
    if field.default_factory is not NODEFAULT:
        default = field.default_factory()
    return FieldFacts(
        name=field.encode_name,
        description=schema.get("description", ""),
        example=(schema.get("examples") or [None])[0],
        default=None if default is NODEFAULT else default,
        required=field.required,
        secret=bool(extra.get("secret")),
        spelling=extra.get("spelling") or Spelling(),
        section=structs[0] if structs else None,
        closed=any(isinstance(one, inspect.StructType) for one in kinds),
        scalar=all(isinstance(one, (*_SCALARS, inspect.StructType)) for one in kinds) and any(map(_is_text, kinds)),
        type=_in_declared_order(kind, hint),
    )


def _is_text(kind: inspect.Type) -> bool:
    return isinstance(kind, _SCALARS) and not isinstance(kind, inspect.NoneType)


def _values(kind: inspect.Type) -> list[inspect.Type]:
    """The types of what a list or mapping holds; of anything simpler, the type itself."""
    if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
        return [inner for one in alternatives(kind.item_type) for inner in _values(one)]
    if isinstance(kind, inspect.DictType):
        return [inner for one in alternatives(kind.value_type) for inner in _values(one)]
    return [kind]
