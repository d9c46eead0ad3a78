"""What the shell offers for a value: folders and names of the config for a location, files for a plan, names of jobs."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from orchestrator.errors import OrchestratorError


def complete_location(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders for the beginning of a path, otherwise the names under `locations:`. Asking rclone for remotes takes too long."""
    if incomplete.startswith(("/", ".", "~")):
        return [CompletionItem(incomplete, type="dir")]
    return _named("locations", incomplete)


def complete_job(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names under `jobs:`."""
    return _named("jobs", incomplete)


def _named(section: str, incomplete: str) -> list[CompletionItem]:
    """The names in a section of the config; none if it cannot be read."""
    from orchestrator.config.loading import load  # noqa: PLC0415 - only when the shell asks

    try:
        names = sorted(getattr(load(None).config, section))
    except OrchestratorError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_file(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files of this machine."""
    return [CompletionItem(incomplete, type="file")]
