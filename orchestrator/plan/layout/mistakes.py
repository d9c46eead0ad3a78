"""What to say about mistakes in layouts: one line with the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from orchestrator.errors import UsageError
from orchestrator.plan.layout.filters import EXAMPLES, OWN_FILTERS
from orchestrator.plan.layout.foreign_fields import expression_of
from orchestrator.plan.layout.foreign_templates import (
    NAME_OF_A_TRACK,
    Translation,
    foreign_fields_in,
    is_template,
    translations_of,
    with_name_of_a_track,
)
from orchestrator.plan.music.layout_fields import FIELDS, TELLING_FIELDS
from orchestrator.tags.formats import is_audio

if TYPE_CHECKING:
    from jinja2 import TemplateError, nodes
    from jinja2.sandbox import SandboxedEnvironment

_ALLOWED = frozenset({"Template", "Output", "TemplateData", "If", "Assign", "Keyword", "Pair", "Operand"})
_EXAMPLE: Final = "{{ albumartist }}/{{ album }}/" + NAME_OF_A_TRACK
_LEFT_OVER: Final = re.compile(r"[%$]\w+[{\x01]")
"""A function that was not understood."""
_REMEDIES_OF_SYNTAX: Final = (
    (r"unexpected (char )?'[$%<.\\]'", "write a field as its name alone: artist, not %artist% or $artist"),
    (r"unexpected char '&'", "write `and`, and join texts with ~"),
    (r"(unexpected|got) '\|'", "write `or`: {{ albumartist or artist }}"),
    (r"unexpected char '\?'", "write {{ 'a' if year else 'b' }}, or `or` for the first that is there"),
    (r"unexpected char '!'", "write `not`"),
    (r"got '='|chunk after", "compare with ==, and join conditions with and, or"),
    (r"got '}'", "a condition has no {{ }}"),
    (r"got ':'|got 'integer'", "a filter has its arguments in brackets: {{ track | pad(2) }}"),
    (r"got '\w+'", "a field is one word, such as albumartist; join several with ~ or several {{ }}"),
    (r"unexpected '[})\]]'|unexpected end|Unexpected end|end of template", "each {{ needs its }}, each {% if %} its {% endif %}"),
    (r"unknown tag", "only if, set and expressions are allowed"),
)


def syntax_remedy(error: TemplateError) -> str:
    """What Jinja2 says about a mistake in the syntax, and the remedy if there is a usual one."""
    message = (error.message or str(error)).rstrip(".")
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
    if ours in known:
        return f"; did you mean {ours!r}?"
    return nearest(word, known) if word.islower() else f"; a text needs quotes: {word!r}"


def foreign_template(text: str, works: Callable[[str], bool]) -> str | None:
    """What to say about a template of another program; None if it is none. `works`: whether a template is valid."""
    if is_template(text):
        return None
    every = translations_of(text)
    if not every:
        return None
    shown = " ".join(text.split())
    found = [one for one in every if "{{" in one.text and _is_understood(one) and works(_whole(one))]
    if not found:
        parts = f"{', '.join(every[0].missing) or 'not all of it'} has {'no' if every[0].missing else 'a'} counterpart"
        return f"the layout {shown!r} is a template of {every[0].programs}, but {parts} here; write for example {_EXAMPLE!r}"
    if len(found) > 1:
        readings = ", ".join(f"{_whole(one)!r} as in {one.programs}" for one in found)
        return f"the layout {shown!r} is a template of another program; here it is {readings}"
    (one,) = found
    added = "" if _tells(one.text) else ", with a name for each track at its end"
    without = f", without {', '.join(one.missing)} (no counterpart)" if one.missing else ""
    return f"the layout {shown!r} is a template of {one.programs}; here it is {_whole(one)!r}{added}{without}"


def _is_understood(translation: Translation) -> bool:
    plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", translation.text.replace("{{ '{' }}", "\x01"))
    return not (_LEFT_OVER.search(plain) or (translation.missing and re.search(r"[{}\x01]", plain)))


def better_layout(source: str) -> str:
    """A layout that names a field of a track, made of one that does not: of its words, if they are names of fields."""
    words = re.sub(r"[@#:&!]*\b([A-Za-z_]+)\b[@#&!]*", _as_field, source)
    return words if not is_template(source) and _tells(words) else with_name_of_a_track(source)


def _as_field(word: re.Match[str]) -> str:
    expression = expression_of(word[1])
    return f"{{{{ {expression} }}}}" if expression else word[0]


def _whole(translation: Translation) -> str:
    return translation.text if _tells(translation.text) else with_name_of_a_track(translation.text)


def _tells(template: str) -> bool:
    return not TELLING_FIELDS.isdisjoint(re.findall(r"\w+", " ".join(re.findall(r"\{\{.*?\}\}", template))))


def check_plain_text(texts: Sequence[str], text: str, source: str) -> None:
    """Raise UsageError for what stands between the expressions and would become a part of all names by mistake."""
    for field, ours in (found for text in texts for found in foreign_fields_in(text)):
        raise UsageError(f"the layout {source!r}: {field!r} is plain text here; write {ours}")
    if any("\\" in text for text in texts):
        raise UsageError(f"the layout {source!r} must separate folders with '/', not with a backslash")
    if is_audio(text):
        raise UsageError(f"the layout {source!r} must not end with an extension: each file keeps its own")


def checked_fields(tree: nodes.Node, known: dict[str, Any], source: str, environment: SandboxedEnvironment) -> frozenset[str]:
    """The fields that a template or condition uses, all of which are known. Raises UsageError for all that it must not use."""
    from jinja2 import nodes as jinja_nodes  # noqa: PLC0415 - slow to import

    filters, tests = environment.filters, environment.tests
    every = [tree, *tree.find_all(jinja_nodes.Node)]
    for node in every:
        if not isinstance(node, jinja_nodes.Expr) and type(node).__name__ not in _ALLOWED:
            raise UsageError(
                f"the layout {source!r} uses {type(node).__name__.lower()!r}; only if, set and expressions are allowed"
            )
        for kind, called, registered in ((jinja_nodes.Filter, "filter", filters), (jinja_nodes.Test, "test", tests)):
            if isinstance(node, kind) and node.name not in registered:
                words = sorted(word for word in registered if word.isidentifier())
                hint = nearest(node.name, registered) or f"; known are {', '.join(words)}"
                raise UsageError(f"the layout {source!r} uses an unknown {called} {node.name!r}{hint}")
    names = list(tree.find_all(jinja_nodes.Name)) + ([tree] if isinstance(tree, jinja_nodes.Name) else [])
    assigned = {name.name for name in names if name.ctx == "store"}
    used = {name.name for name in names if name.ctx == "load"} - assigned
    for name in sorted(used - known.keys()):
        if name in FIELDS:
            raise UsageError(f"the condition {source!r} applies to whole albums and cannot use the track field {name!r}")
        hint = nearest_field(name, known) or f"; the fields are {', '.join(known)}"
        raise UsageError(f"the layout {source!r} uses an unknown field {name!r}{hint}")
    if (remedy := next(_parts_of_fields(every), None)) is not None:
        raise UsageError(f"the layout {source!r} cannot be evaluated: {remedy}")
    return frozenset(used)


def evaluation_remedy(tree: nodes.Node, error: Exception) -> str:
    """What to say when an expression cannot be evaluated: the remedy for what looks wrong in it, otherwise the error."""
    from jinja2.exceptions import SecurityError  # noqa: PLC0415 - slow to import

    return (None if isinstance(error, SecurityError) else next(_remedies(tree, error), None)) or str(error)


def _remedies(tree: nodes.Node, error: Exception) -> Iterator[str]:
    from jinja2 import nodes as jinja_nodes  # noqa: PLC0415 - slow to import

    for node in (tree, *tree.find_all(jinja_nodes.Node)):
        match node:
            case jinja_nodes.Getitem(node=jinja_nodes.Name(name=field), arg=part) if field in FIELDS:
                yield from _of_part(field, part)
            case jinja_nodes.And() | jinja_nodes.Or():
                pass
            case jinja_nodes.BinExpr(left=left, right=right):
                names = [name for side in (left, right) if (name := getattr(side, "name", None)) in FIELDS]
                yield from (_of_sum(node.operator, _written(left), _written(right), name) for name in names[:1])
            case jinja_nodes.Filter(name=name) if name in OWN_FILTERS:
                yield f"{error}; the filter {name!r} is used like {next(one for one, *_ in EXAMPLES if f'| {name}' in one)}"


def _parts_of_fields(every: Sequence[nodes.Node]) -> Iterator[str]:
    """About `album.foo` and `album['foo']`: fields have no parts. Jinja2 would take `album.title` for a function."""
    from jinja2 import nodes as jinja_nodes  # noqa: PLC0415 - slow to import

    called = {id(node.node) for node in every if isinstance(node, jinja_nodes.Call)}
    for node in every:
        match node:
            case jinja_nodes.Getattr(attr=part) if id(node) in called and hasattr(str, part):
                pass
            case jinja_nodes.Getattr(node=jinja_nodes.Name(name=field), attr=part) if field in FIELDS:
                yield from _of_part(field, part)
            case jinja_nodes.Getitem(node=jinja_nodes.Name(name=field), arg=jinja_nodes.Const(value=str() as part)) if (
                field in FIELDS
            ):
                yield from _of_part(field, part)


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
    return f"{field!r} can be absent, so check it first: {{% if {field} %}}{{{{ {left} {operator} {right} }}}}{{% endif %}}"


def _written(node: nodes.Expr) -> str:
    """A side of a sum as it is written, if it is a field, a number or a text."""
    value = getattr(node, "name", getattr(node, "value", "..."))
    return repr(value) if isinstance(value, str) and not hasattr(node, "name") else str(value)
