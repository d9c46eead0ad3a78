"""How click is used here: commands loaded when called, common options everywhere, one place that runs a command.

Imports nothing heavy: `--help` passes through here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import click

from orchestrator.cli.options import COMMON_HEADING, CommonOption, common_options, take_common
from orchestrator.config.options.common import CommonOptions

Body = Callable[..., int]
"""A command's function: the session and its own options in, the exit code out."""


class Command(click.Command):
    """A command whose help parts its own options from the common ones."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both lists."""
        _format_options(self, ctx, formatter)


class Group(click.Group):
    """A command of commands. `default` is the one that is meant when none is named."""

    command_class = Command

    def __init__(
        self, *arguments: Any, default: str | None = None, lazy: Mapping[str, tuple[str, str]] | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self._default = default
        self._lazy = lazy or {}
        if default is not None:
            self.no_args_is_help = False
            self.invoke_without_command = True

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order in which they were given."""
        return [*self._lazy, *(name for name in self.commands if name not in self._lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the module of the command that is called."""
        if cmd_name not in self._lazy:
            return self.commands.get(cmd_name)
        module_name = self._lazy[cmd_name][0]
        command: click.Command = getattr(importlib.import_module(module_name), f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the commands."""
        if not self._lazy:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._lazy.items()])

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
        """Take what is no command's name as an argument of the default command."""
        if self._default is not None and args and self.get_command(ctx, args[0]) is None:
            args = [self._default, *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        """Complete names from the table, without importing the commands."""
        if not self._lazy or incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when the shell asks

        return [CompletionItem(name, help=text) for name, (_, text) in self._lazy.items() if name.startswith(incomplete)]


def command(name: str, *, parent: Group | None = None, title: str | None = None) -> Callable[[Body], click.Command]:
    """Make a function a command. `title` is how reports call it ("runs show")."""

    def decorate(function: Body) -> click.Command:
        def callback(**values: Any) -> int:
            options = take_common(values).over(_outer())
            from orchestrator.cli.invocation import run_command  # noqa: PLC0415 - the rooms are imported when a command runs

            return run_command(title or name, options, lambda session: function(session, **values))

        callback.__doc__ = function.__doc__
        common_options(callback)
        # click keeps parameters last to first: these come before the common ones.
        callback.__dict__["__click_params__"] += getattr(function, "__click_params__", [])
        made = click.command(name, cls=Command)(callback)
        if parent is not None:
            parent.add_command(made)
        return made

    return decorate


def group(name: str, *, default: str | None = None) -> Callable[[Callable[[], None]], Group]:
    """Make a function, which gives only the help text, a group of commands that takes the common options too."""

    def decorate(function: Callable[[], None]) -> Group:
        def callback(**values: Any) -> int:
            context = click.get_current_context()
            context.obj = take_common(values).over(context.obj)
            return made.invoke_default(context) if context.invoked_subcommand is None else 0

        callback.__doc__ = function.__doc__
        made: Group = click.group(name, cls=Group, default=default)(common_options(callback))
        return made

    return decorate


def _outer() -> CommonOptions | None:
    parent = click.get_current_context().parent
    return parent.obj if parent is not None and isinstance(parent.obj, CommonOptions) else None


def _format_options(made: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in made.get_params(ctx):
        record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        if record is not None:
            (common if isinstance(parameter, CommonOption) else own).append(record)
    for heading, records in (("Options", own), (COMMON_HEADING, common)):
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)
