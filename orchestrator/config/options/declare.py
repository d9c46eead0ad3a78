"""How options are declared: a struct per command, each field an option or an argument with its description.

Imports nothing heavy but msgspec: `--help` passes through here.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

from msgspec import Meta, Struct

Completion = Literal["location", "file", "job", "run", "layout"]
"""What the shell offers for a value."""


class Spelling(NamedTuple):
    """How a field is written on the command line, if its name and type alone do not say so."""

    name: str | None = None
    """The option's name without dashes; None: the field's name."""
    metavar: str | None = None
    short: str | None = None
    """A second, short form, such as `-o`."""
    positional: bool = False
    completes: Completion | None = None
    switch: str | None = None
    """Flags with the same word exclude each other: the last one given counts."""
    counts: bool = False
    """A flag whose value is how often it was given."""


def option(
    description: str,
    *,
    name: str | None = None,
    metavar: str | None = None,
    short: str | None = None,
    completes: Completion | None = None,
    switch: str | None = None,
    counts: bool = False,
    examples: list[Any] | None = None,
) -> Meta:
    """Declare an option, for `Annotated`."""
    spelling = Spelling(name=name, metavar=metavar, short=short, completes=completes, switch=switch, counts=counts)
    return Meta(description=description, examples=examples, extra={"spelling": spelling})


def argument(description: str, *, metavar: str | None = None, completes: Completion | None = None) -> Meta:
    """Declare an argument, which is given without a name, for `Annotated`. `metavar` is that of one value of several."""
    return Meta(description=description, extra={"spelling": Spelling(metavar=metavar, positional=True, completes=completes)})


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options and arguments of one command, or of one step of a job."""

    common: ClassVar[tuple[str, ...]] = ()
    """The common options that affect the command. `--help` shows no others, but all are accepted."""
