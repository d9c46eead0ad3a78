"""From the declaration of a command's options to click's parameters, and from click's values back to one record.

Imports nothing heavy: `--help` passes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import click
from msgspec import inspect

from orchestrator.cli.completion import complete_file, complete_job, complete_layout, complete_location, complete_run
from orchestrator.config.fields import FieldFacts, alternatives, fields_of
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.declare import Options

OptionsT = TypeVar("OptionsT", bound=Options)

_COMPLETIONS = {
    "location": complete_location,
    "file": complete_file,
    "job": complete_job,
    "run": complete_run,
    "layout": complete_layout,
}


class Argument(click.Argument):
    """An argument with a description, which `--help` lists."""

    def __init__(self, *arguments: Any, description: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.description = description


class CommonOption(click.Option):
    """An option that every command accepts. `--help` lists those that affect the command, under their own heading."""


class _Bounded(click.types.IntParamType):
    """A whole number between bounds. As a type, click's IntRange would put "[1<=x<=1000]" into the help."""

    def __init__(self, least: int | None, most: int | None) -> None:
        self._range = click.IntRange(least, most)
        self._range.name = "whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Fail for a number out of bounds."""
        number: int = self._range.convert(value, param, ctx)
        return number


class _FlagOrText(click.ParamType[Any]):
    """A flag that may have a value after `=`; the text of a flag without one is empty (see `mark_bare_flags`)."""

    name = "text"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> bool | str:
        """True for the bare flag."""
        return value if isinstance(value, bool) else str(value) or True


def mark_bare_flags(parameters: Iterable[click.Parameter], words: list[str]) -> list[str]:
    """Write `--flag` as `--flag=` where it may have a value: click would take the next word, which is an argument, for it."""
    flags = {name for one in parameters if isinstance(one.type, _FlagOrText) for name in one.opts}
    end = words.index("--") if "--" in words else len(words)
    return [f"{word}=" if word in flags and number < end else word for number, word in enumerate(words)]


def parameters_of(declaration: type[Options]) -> list[click.Parameter]:
    """The arguments and options that a command's struct declares."""
    return [_argument(field) if field.spelling.positional else _option(field, click.Option) for field in fields_of(declaration)]


def common_parameters(shown: Iterable[str] | None = None) -> list[click.Parameter]:
    """The common options; `--help` lists those that are named in `shown` (None: all)."""
    made: list[click.Parameter] = []
    for field in fields_of(CommonOptions):
        option = _option(field, CommonOption)
        option.hidden = shown is not None and field.name not in shown
        made.append(option)
    return made


def take_record(declaration: type[OptionsT], values: dict[str, Any]) -> OptionsT:
    """Take the fields of a struct out of click's values."""
    fields = fields_of(declaration)
    switches = {name: values.pop(name, None) for name in {field.spelling.switch for field in fields} if name is not None}
    return declaration(**{field.name: _value(field, values, switches) for field in fields})


def _value(field: FieldFacts, values: dict[str, Any], switches: Mapping[str, str | None]) -> Any:
    switch = field.spelling.switch
    return values.pop(field.name) if switch is None else switches[switch] == field.name


def _argument(field: FieldFacts) -> Argument:
    spelling = field.spelling
    settings: dict[str, Any] = {"required": field.required, "shell_complete": _COMPLETIONS.get(spelling.completes or "")}
    if _several(field):
        name = spelling.metavar or field.name.upper()
        settings |= {"nargs": -1, "metavar": f"{name}..." if field.required else f"[{name}]..."}
    return Argument([field.name], description=field.description, **settings)


def _option(field: FieldFacts, kind: type[click.Option]) -> click.Option:
    spelling = field.spelling
    dashed = f"--{(spelling.name or field.name).replace('_', '-')}"
    names = [spelling.switch or field.name, dashed, *([spelling.short] if spelling.short else [])]
    description = f"{field.description} May be given several times." if _several(field) else field.description
    settings: dict[str, Any] = {"help": description, "shell_complete": _COMPLETIONS.get(spelling.completes or "")}
    if spelling.switch is not None:
        return kind(names, flag_value=field.name, default=None, **settings)
    if spelling.counts:
        return kind(names, count=True, default=field.default, **settings)
    kinds = {type(one) for one in alternatives(field.type)}
    if {inspect.BoolType, inspect.StrType} <= kinds:
        return kind(names, type=_FlagOrText(), metavar=f"[{spelling.metavar}]", default=field.default, **settings)
    if inspect.BoolType in kinds:
        return kind(names, is_flag=True, default=field.default, **settings)
    several = _several(field)
    default = None if several else field.default
    return kind(names, type=_click_type(field), metavar=spelling.metavar, multiple=several, default=default, **settings)


def _several(field: FieldFacts) -> bool:
    return any(isinstance(one, inspect.VarTupleType) for one in alternatives(field.type))


def _click_type(field: FieldFacts) -> click.ParamType[Any]:
    for one in alternatives(field.type):
        if isinstance(one, inspect.LiteralType):
            return click.Choice([str(value) for value in one.values])
        if isinstance(one, inspect.IntType):
            return _Bounded(one.ge, one.le)
    return click.STRING
