"""What to say about mistakes in layouts: one line with the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from orchestrator.plan.layout.filters import EXAMPLES, OWN_FILTERS
from orchestrator.plan.layout.foreign_fields import expression_of
from orchestrator.plan.layout.foreign_templates import (
    Translation,
    foreign_fields_in,
    is_template,
    translations_of,
    with_name_of_a_track,
)
from orchestrator.plan.music.layout_fields import FIELDS, TELLING_FIELDS

if TYPE_CHECKING:
    from jinja2 import nodes

_REMEDIES_OF_SYNTAX: Final = (
    (r"unexpected char '[$%<\\]'", "inside {{ }} a field is only its name: {{ artist }}"),
    (r"unexpected '[%.]'", "inside {{ }} a field is only its name: {{ artist }}"),
    (r"unexpected char '&'", "write `and`, and join texts with ~"),
    (r"(unexpected|got) '\|'", "write `or`: {{ albumartist or artist }}"),
    (r"unexpected char '\?'", "write {{ 'a' if year else 'b' }}, or `or` for the first that is there"),
    (r"unexpected char '!'", "write `not`"),
    (r"got '='", "compare with =="),
    (r"got ':'|got 'integer'", "a filter has its arguments in brackets: {{ track | pad(2) }}"),
    (r"got '\w+'", "a field is one word, such as albumartist; join several with ~ or several {{ }}"),
    (r"unexpected '[})\]]'|unexpected end|Unexpected end|end of template", "each {{ needs its }}, each {% if %} its {% endif %}"),
    (r"unknown tag", "only if, set and expressions are allowed"),
)


def syntax_remedy(message: str) -> str:
    """What Jinja2 says about a mistake in the syntax, and the remedy if there is a usual one."""
    remedy = next((remedy for pattern, remedy in _REMEDIES_OF_SYNTAX if re.search(pattern, message)), "")
    return f"{message}; {remedy}" if remedy else message


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that resembles one most, "" if none does."""
    close = get_close_matches(word.lower(), known, 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def nearest_field(word: str, known: Iterable[str]) -> str:
    """The same for a field: other programs' names for it count too."""
    known = list(known)
    ours = expression_of(word)
    return f"; did you mean {ours!r}?" if ours in known else nearest(word, known)


def foreign_template(text: str) -> str | None:
    """What to say about a template of another program; None if it is none."""
    if is_template(text):
        return None
    found = [one for one in translations_of(text) if one.text]
    if not found:
        return None
    shown = " ".join(text.split())
    if len(found) > 1:
        readings = ", ".join(f"{_whole(one)!r} as {one.programs} reads it" for one in found)
        return f"the layout {shown!r} is a template of another program; here it is {readings}"
    (one,) = found
    added = "" if _tells(one.text) else ", with a name for each track at its end"
    without = f", without {', '.join(one.missing)} (no counterpart)" if one.missing else ""
    return f"the layout {shown!r} is a template of {one.programs}; here it is {_whole(one)!r}{added}{without}"


def foreign_field(texts: Iterable[str]) -> str | None:
    """What to say about fields of other programs in the plain text of a template; None if there are none."""
    for field, ours in (found for text in texts for found in foreign_fields_in(text)):
        return f"{field!r} is plain text here; write {ours}"
    return None


def _whole(translation: Translation) -> str:
    return translation.text if _tells(translation.text) else with_name_of_a_track(translation.text)


def _tells(template: str) -> bool:
    return not TELLING_FIELDS.isdisjoint(re.findall(r"\w+", " ".join(re.findall(r"\{\{.*?\}\}", template))))


def evaluation_remedy(tree: nodes.Node, error: Exception) -> str:
    """What to say when an expression cannot be evaluated: the remedy for what looks wrong in it, otherwise the error."""
    from jinja2.exceptions import SecurityError  # noqa: PLC0415 - slow to import

    return (None if isinstance(error, SecurityError) else next(_remedies(tree, error), None)) or str(error)


def _remedies(tree: nodes.Node, error: Exception) -> Iterator[str]:
    from jinja2 import nodes as jinja_nodes  # noqa: PLC0415 - slow to import

    every = [tree, *tree.find_all(jinja_nodes.Node)]
    called = {id(node.node) for node in every if isinstance(node, jinja_nodes.Call)}
    for node in every:
        match node:
            case jinja_nodes.Getattr(attr=part) if id(node) in called and hasattr(str, part):
                pass
            case jinja_nodes.Getattr(node=jinja_nodes.Name(name=field), attr=part) if field in FIELDS:
                yield from _of_part(field, part)
            case jinja_nodes.Getitem(node=jinja_nodes.Name(name=field), arg=part) if field in FIELDS:
                yield from _of_part(field, part)
            case jinja_nodes.And() | jinja_nodes.Or():
                pass
            case jinja_nodes.BinExpr(left=left, right=right):
                names = [name for side in (left, right) if (name := getattr(side, "name", None)) in FIELDS]
                yield from (_of_sum(node.operator, _written(left), _written(right), name) for name in names[:1])
            case jinja_nodes.Filter(name=name) if name in OWN_FILTERS:
                yield f"{error}; the filter {name!r} is used like {next(one for one, *_ in EXAMPLES if f'| {name}' in one)}"


def _of_part(field: str, part: Any) -> Iterator[str]:
    """About `field.part`, `field['part']`, `field[0]` and `field[:3]`."""
    value = getattr(part, "value", part)
    number = isinstance(FIELDS[field], int)
    if isinstance(value, str):
        ours = expression_of(f"{field}{value}")
        if ours in FIELDS:
            yield f"{field!r} has no parts; did you mean {ours!r}?"
        elif value in OWN_FILTERS or value in ("upper", "lower", "capitalize", "trim"):
            yield f"{value!r} is a filter: {{{{ {field} | {value} }}}}"
        else:
            yield f"{field!r} is one {'number' if number else 'text'} without parts such as {value!r}"
    elif number:
        yield f"{field!r} is a number: {{{{ ({field} | string)[:2] }}}} gives its first digits"
    elif isinstance(value, int):
        end = str(value + 1) if value != -1 else ""
        yield (
            f"'{field}[{value}]' fails where {field!r} is absent or shorter; write {{{{ {field}[{value or ''}:{end}] }}}}, "
            f"or {{{{ {field} | initial }}}} for folders by letter"
        )


def _of_sum(operator: str, left: str, right: str, field: str) -> str:
    """About a sum or the like with a field that is absent, or with a text."""
    numbers = [side for side in (left, right) if isinstance(FIELDS.get(side), int) or side.isdigit()]
    if operator == "+" and len(numbers) < 2:
        return f"join texts with ~: {{{{ {left} ~ {right} }}}}"
    if len(numbers) < 2:
        return f"{field!r} is a text or can be absent, so it cannot be calculated with; leading zeros: {{{{ track | pad(2) }}}}"
    return f"{field!r} can be absent; write {{% if {field} %}}{{{{ {left} {operator} {right} }}}}{{% endif %}}"


def _written(node: nodes.Expr) -> str:
    """A side of a sum as it is written, if it is a field, a number or a text."""
    value = getattr(node, "name", getattr(node, "value", "..."))
    return repr(value) if isinstance(value, str) and not hasattr(node, "name") else str(value)
