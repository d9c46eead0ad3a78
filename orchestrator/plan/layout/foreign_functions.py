"""The functions in templates of other programs, as expressions and statements of our own templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from orchestrator.plan.layout.foreign_fields import expression_of
from orchestrator.plan.music.layout_fields import FIELDS

_PLAIN_VALUE = re.compile(r"\w+( \| \w+(\([^()]*\))?)*")
_COMPARED = re.compile(r"\s*(==|=|!=|<>|>=|<=|>|<)\s*(.*?)\s*", re.DOTALL)


class Piece(NamedTuple):
    """A part of a translation: plain text, an expression, or statements with what is between them."""

    text: str
    kind: str = "text"


Pieces = list[Piece]


class NoCounterpartError(Exception):
    """A part cannot be translated."""


def has_text(piece: Piece) -> bool:
    """Whether a piece is not empty."""
    return bool(piece.text)


def written(pieces: Sequence[Piece]) -> str:
    """Pieces as a template."""
    return "".join(f"{{{{ {piece.text} }}}}" if piece.kind == "value" else piece.text for piece in pieces)


def quoted(text: str) -> str:
    """A text as an expression."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _value(pieces: Sequence[Piece]) -> str:
    """Pieces as one expression. Raises NoCounterpartError for statements."""
    joined: list[Piece] = []
    for piece in filter(has_text, pieces):
        if piece.kind == "code" or (piece.kind == "text" and "/" in piece.text):  # "/" in an expression separates no folders
            raise NoCounterpartError
        if joined and joined[-1].kind == piece.kind == "text":
            joined[-1] = Piece(joined[-1].text + piece.text)
        else:
            joined.append(piece)
    texts = [quoted(text) if kind == "text" else text for text, kind in joined]
    return texts[0] if len(texts) == 1 else " ~ ".join(map(_in_brackets, texts)) or "''"


def _in_brackets(value: str) -> str:
    """The value as a part of a larger expression."""
    return value if _PLAIN_VALUE.fullmatch(value) or value[0] in "('" else f"({value})"


def without_zeros(value: str) -> str:
    """The value without leading zeros: for conditions, comparisons and other widths."""
    return re.sub(r" \| pad\(\d+\)$", "", value)


def _compared(left: str, operator: str, right: str) -> str:
    """A comparison; numbers are compared with numbers."""
    left, right = without_zeros(left), without_zeros(right)
    number = re.fullmatch(r"'(\d+)'", right)
    return f"{left} {operator} {number[1] if number and isinstance(FIELDS.get(left), int) else right}"


def _condition(pieces: Sequence[Piece]) -> str:
    whole = [*filter(has_text, pieces)]
    text = "".join(piece.text for piece in whole[1:] if piece.kind == "text")
    found = _COMPARED.fullmatch(text) if whole and whole[0].kind == "value" else None
    if found and len(whole) > 1:
        operator = {"=": "==", "<>": "!="}.get(found[1], found[1])
        return _compared(whole[0].text, operator, quoted(found[2].strip("\"'")))
    return without_zeros(_value(whole))


def if_block(condition: str, then: Sequence[Piece], otherwise: Sequence[Piece]) -> Pieces:
    """A choice between pieces."""
    instead = written(otherwise)
    middle = f"{{% else %}}{instead}" if instead else ""
    return [Piece(f"{{% if {condition} %}}{written(then)}{middle}{{% endif %}}", "code")]


def _filtered(name: str) -> Callable[[Sequence[Pieces]], Pieces]:
    def apply(arguments: Sequence[Pieces]) -> Pieces:
        value = _value(arguments[0])
        return [Piece(f"{_in_brackets(value)} | {name}", "value")]

    return apply


def _padded(arguments: Sequence[Pieces]) -> Pieces:
    width = int(_value(arguments[1]).strip("'"))
    return _filtered(f"pad({width})")([[Piece(without_zeros(_value(arguments[0])), "value")]])


def _cut(arguments: Sequence[Pieces]) -> Pieces:
    value, length = _value(arguments[0]), int(_value(arguments[1]).strip("'"))
    if length == 4 and value in ("date", "original_date", "year", "original_year"):
        return [Piece(value.replace("date", "year"), "value")]
    return _filtered(f"truncate({length})")(arguments[:1])


def _replaced(arguments: Sequence[Pieces]) -> Pieces:
    return _filtered(f"replace({_value(arguments[1])}, {_value(arguments[2])})")(arguments[:1])


def _choice(arguments: Sequence[Pieces]) -> Pieces:
    return if_block(_condition(arguments[0]), arguments[1], arguments[2] if len(arguments) > 2 else [])


def _unless(arguments: Sequence[Pieces]) -> Pieces:
    return if_block(_condition(arguments[0]), arguments[2] if len(arguments) > 2 else [], arguments[1])


def _if_present(arguments: Sequence[Pieces]) -> Pieces:
    """The first argument is the bare name of a field."""
    expression = expression_of(_value(arguments[0]))
    if not expression:
        raise NoCounterpartError
    then = arguments[1] if len(arguments) > 1 else [Piece(expression, "value")]
    return if_block(expression, then, arguments[2] if len(arguments) > 2 else [])


def _named(arguments: Sequence[Pieces]) -> Pieces:
    expression = expression_of(_value(arguments[0]))
    if not expression:
        raise NoCounterpartError
    return [Piece(expression, "value")]


def _first_of(arguments: Sequence[Pieces]) -> Pieces:
    return [Piece(" or ".join(_value(argument) for argument in arguments if any(map(has_text, argument))), "value")]


def _comparison(operator: str) -> Callable[[Sequence[Pieces]], Pieces]:
    return lambda arguments: [Piece(_compared(_value(arguments[0]), operator, _value(arguments[1])), "value")]


def _comparing_choice(operator: str) -> Callable[[Sequence[Pieces]], Pieces]:
    return lambda arguments: _choice([_comparison(operator)(arguments), *arguments[2:]])


def _joined(word: str) -> Callable[[Sequence[Pieces]], Pieces]:
    return lambda arguments: [Piece(f"({f' {word} '.join(map(_condition, arguments))})", "value")]


def _negated(arguments: Sequence[Pieces]) -> Pieces:
    return [Piece(f"not ({_condition(arguments[0])})", "value")]


_SAME: Final = {
    "upper": "upper", "lower": "lower", "title": "title", "caps": "title", "caps2": "title", "caps3": "title", "trim": "trim",
    "capitalize": "capitalize", "ascii": "ascii", "asciify": "ascii", "the": "the_last", "swapprefix": "the_last", "year": "year",
    "firstalphachar": "initial",
}  # fmt: skip
"""Function of another program -> our filter."""

FUNCTIONS: Final[dict[str, Callable[[Sequence[Pieces]], Pieces]]] = {
    **{name: _filtered(ours) for name, ours in _SAME.items()},
    **dict.fromkeys(("num", "pad"), _padded),
    **dict.fromkeys(("left", "cut", "truncate"), _cut),
    "replace": _replaced,
    "if": _choice,
    "ifdef": _if_present,
    "isnull": _unless,
    **dict.fromkeys(("if2", "if3"), _first_of),
    **dict.fromkeys(("meta", "get"), _named),
    "first": lambda arguments: arguments[0],
    **{name: _comparison(operator) for name, operator in (("eq", "=="), ("ne", "!="), ("gt", ">"), ("gte", ">="), ("lt", "<"))},
    **{name: _comparison(operator) for name, operator in (("lte", "<="), ("greater", ">"), ("strcmp", "=="), ("stricmp", "=="))},
    **{name: _comparing_choice(operator) for name, operator in (("ifgreater", ">"), ("ifequal", "=="))},
    "and": _joined("and"),
    "or": _joined("or"),
    "not": _negated,
    # Albums of one name are told apart without being asked to.
    **dict.fromkeys(("aunique", "sunique", "noop"), lambda _: []),
}
