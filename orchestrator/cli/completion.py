"""What the shell offers for arguments: folders and the config's names for locations, files for plans."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from orchestrator.errors import OrchestratorError


def complete_location(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders for what begins as one, else the names under `locations:`. Asking rclone for its remotes takes too long here."""
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
