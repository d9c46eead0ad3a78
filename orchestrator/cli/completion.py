"""What the shell offers for a value: folders and names of the config for a location, files for a plan."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from orchestrator.errors import OrchestratorError


def complete_location(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders for the beginning of a path, otherwise the names under `locations:`. Asking rclone for remotes takes too long."""
    if incomplete.startswith(("/", ".", "~")):
        return [CompletionItem(incomplete, type="dir")]
    from orchestrator.config.loading import load  # noqa: PLC0415 - only when the shell asks

    try:
        names = sorted(load(None).config.locations)
    except OrchestratorError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_file(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files of this machine."""
    return [CompletionItem(incomplete, type="file")]
