"""How click is used here: commands are imported when they are called, and all accept the common options.

Imports nothing heavy: `--help` passes through here.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import (
    Argument,
    CommonOption,
    OptionsT,
    common_parameters,
    mark_bare_flags,
    parameters_of,
    take_record,
)
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.declare import Options

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


_WORDS = "music-orchestrator.words"
"""The key of the command line in click's `Context.meta`."""
_WHOLE_SENTENCE = 1000
"""More characters than the first sentence of any help has."""


class Command(click.Command):
    """A command whose help lists its own options first, and then the common ones."""

    def __init__(self, *arguments: Any, declaration: type[Options], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.declaration = declaration

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        return super().parse_args(ctx, mark_bare_flags(self.params, args))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of arguments and options."""
        _format_options(self, ctx, formatter)


class Group(click.Group):
    """A command of commands. `default` is the one to run if none is named."""

    def __init__(
        self, *arguments: Any, default: str | None = None, lazy: Mapping[str, tuple[str, str]] | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self._default = default
        self._lazy = lazy or {}
        if default is not None:
            self.no_args_is_help = False
            self.invoke_without_command = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words of the whole command line."""
        ctx.meta.setdefault(_WORDS, tuple(args))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of their declaration."""
        return [*self._lazy, *(name for name in self.commands if name not in self._lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, its module imported."""
        if cmd_name not in self._lazy:
            return self.commands.get(cmd_name)
        module_name = self._lazy[cmd_name][0]
        command: click.Command = getattr(importlib.import_module(module_name), f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list, with whole sentences; of the program itself, without importing the commands."""
        lines = [(name, text) for name, (_, text) in self._lazy.items()]
        if not lines:
            lines = [(name, self.commands[name].get_short_help_str(_WHOLE_SENTENCE)) for name in self.commands]
        with formatter.section("Commands"):
            formatter.write_dl(lines)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of commands and options."""
        self.format_commands(ctx, formatter)
        _format_options(self, ctx, formatter)

    def invoke_default(self, ctx: click.Context) -> int:
        """Run the default command without arguments."""
        name = self._default or ""
        found = self.get_command(ctx, name)
        if found is None:
            raise click.UsageError("a command is missing", ctx)
        with found.make_context(name, [], parent=ctx) as inner:
            code: int = found.invoke(inner)
            return code

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Pass an unknown name on as an argument of the default command."""
        if self._default is not None and args and self.get_command(ctx, args[0]) is None:
            args = [self._default, *args]
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            ctx.fail(f"No such command '{args[0]}'{f' (did you mean {near[0]}?)' if near else ''}.")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        """Complete names from the table, without importing the commands."""
        if not self._lazy or incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when the shell asks

        return [CompletionItem(name, help=text) for name, (_, text) in self._lazy.items() if name.startswith(incomplete)]


def command(
    name: str, declaration: type[OptionsT], *, parent: Group | None = None, title: str | None = None
) -> Callable[[Callable[[Session, OptionsT], int]], click.Command]:
    """Make a function a command with the options of `declaration`; `title` is its name in reports ("runs show").

    The function gets the session and one record of its options, and returns the exit code.
    """

    def decorate(function: Callable[[Session, OptionsT], int]) -> click.Command:
        def callback(**values: Any) -> int:
            common = take_record(CommonOptions, values).over(_outer())
            options = take_record(declaration, values)
            from orchestrator.cli.invocation import run_command  # noqa: PLC0415 - imported when a command runs

            words = click.get_current_context().meta.get(_WORDS, ())
            return run_command(title or name, common, lambda session: function(session, options), words)

        callback.__doc__ = function.__doc__
        parameters = [*parameters_of(declaration), *common_parameters(declaration.common)]
        made = click.command(name, cls=Command, declaration=declaration, params=parameters)(callback)
        if parent is not None:
            parent.add_command(made)
            _show_common(parent, declaration.common)
        return made

    return decorate


def group(name: str, *, default: str | None = None) -> Callable[[Callable[[], None]], Group]:
    """Make a function, which gives only the help text, a group of commands that accepts the common options too."""

    def decorate(function: Callable[[], None]) -> Group:
        def callback(**values: Any) -> int:
            context = click.get_current_context()
            context.obj = take_record(CommonOptions, values).over(context.obj)
            return made.invoke_default(context) if context.invoked_subcommand is None else 0

        callback.__doc__ = function.__doc__
        made: Group = click.group(name, cls=Group, default=default, params=common_parameters(()))(callback)
        return made

    return decorate


def _show_common(made: Group, names: tuple[str, ...]) -> None:
    """Let the help of a group list the common options of its commands."""
    for parameter in made.params:
        if isinstance(parameter, CommonOption) and parameter.name in names:
            parameter.hidden = False


def _outer() -> CommonOptions | None:
    parent = click.get_current_context().parent
    return parent.obj if parent is not None and isinstance(parent.obj, CommonOptions) else None


def _format_options(made: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    arguments: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in made.get_params(ctx):
        if isinstance(parameter, Argument):
            arguments.append((parameter.human_readable_name, parameter.description))
        elif record := parameter.get_help_record(ctx):
            (common if isinstance(parameter, CommonOption) else own).append(record)
    for heading, records in (("Arguments", arguments), ("Options", own), ("Common options", common)):
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)
