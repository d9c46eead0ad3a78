"""The manual page of the program, made from the help of its commands. `scripts/update_docs.py` writes it."""

from __future__ import annotations

from collections.abc import Iterator

import click

import orchestrator
from orchestrator.cli.main import COMMANDS, PROGRAM, application
from orchestrator.cli.options import Argument, CommonOption
from orchestrator.errors import MEANINGS

_SEE_ALSO = "The documentation is in the folder docs/ of the program's source. rclone(1)"


def man_page() -> str:
    """The page in the language of man(7)."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    context = click.Context(application, info_name=PROGRAM, **application.context_settings)
    yield f'.TH MUSIC\\-ORCHESTRATOR 1 "" "{_text(f"{PROGRAM} {orchestrator.__version__}")}" "User Commands"'
    yield from (".SH NAME", f"{_text(PROGRAM)} \\- organize a music library in place, on disk or on any rclone remote")
    yield from (".SH SYNOPSIS", f".B {_text(PROGRAM)}", "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...")
    yield from (".SH DESCRIPTION", *_paragraphs(application.help or ""), ".PP", _text(application.epilog or ""))
    yield from (
        ".SH OPTIONS",
        "Every command accepts these; those without effect on it are ignored.",
        *_options(application, context),
    )
    yield ".SH COMMANDS"
    for name in COMMANDS:
        command = application.get_command(context, name)
        if command is not None:
            yield from _command(command, name, context)
    yield ".SH EXIT STATUS"
    for code, meaning in MEANINGS.items():
        yield from (".TP", f".B {int(code)}", _text(meaning))
    yield from (".SH SEE ALSO", _text(_SEE_ALSO))


def _command(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    title = context.command_path.removeprefix(f"{PROGRAM} ")
    yield from (f".SS {_text(title)} {_text(usage)}", *_paragraphs(command.help or ""), *_options(command, context))
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _command(found, inner, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """The arguments and options of a command; the common ones only of the program itself."""
    for parameter in command.get_params(context):
        if isinstance(parameter, CommonOption) and command is not application:
            continue
        described = (
            (parameter.human_readable_name, parameter.description)
            if isinstance(parameter, Argument)
            else parameter.get_help_record(context)
        )
        if described is not None:
            yield from (".TP", f".B {_text(described[0])}", _text(described[1]))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from (".PP", _text(" ".join(paragraph.split())))


def _text(text: str) -> str:
    """Text that roff shows as it is: a hyphen that can be copied, and no line that looks like a command."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
