"""What the shell offers for a value. Files are read for it, and no rclone is started: that would take too long."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    from orchestrator.actions.session_settings import Settings

_SECTION = re.compile(r"\[(.+)\]\s*")
_MOST_RUNS = 50
"""So many runs are offered, the newest first."""


def complete_location(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders for the beginning of a path, otherwise the names under `locations:` and the remotes of the rclone config."""
    if incomplete.startswith(("/", ".", "~")):
        return [CompletionItem(incomplete, type="dir")]
    settings = _settings(ctx)
    try:
        named = sorted(settings.config.locations)
        remotes = sorted({*settings.config.remotes, *_remotes(settings)})
    except (OrchestratorError, OSError):
        return []
    return _beginning_with(incomplete, [*named, *(f"{remote}:" for remote in remotes)])


def complete_job(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names under `jobs:`."""
    try:
        return _beginning_with(incomplete, sorted(_settings(ctx).config.jobs))
    except OrchestratorError:
        return []


def complete_run(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`last`, and the ids of the newest runs."""
    from orchestrator.actions.session import JOURNAL_FILE  # noqa: PLC0415 - only when the shell asks
    from orchestrator.apply.journal.journal import Journal  # noqa: PLC0415 - as above
    from orchestrator.state import chosen_directory  # noqa: PLC0415 - as above

    settings = _settings(ctx)
    try:
        file = chosen_directory(settings.options.state_dir or settings.config.state_dir, os.environ) / JOURNAL_FILE
        if not file.exists():
            return []
        with Journal(file) as journal:
            runs = journal.runs()[::-1][:_MOST_RUNS]
    except OrchestratorError:
        return []
    found = [CompletionItem("last", help="the newest run"), *(CompletionItem(run.id, help=run.command) for run in runs)]
    return [one for one in found if one.value.startswith(incomplete)]


def complete_layout(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The presets."""
    from orchestrator.plan.layout.presets import PRESETS  # noqa: PLC0415 - only when the shell asks

    return _beginning_with(incomplete, PRESETS)


def complete_file(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files of this machine."""
    return [CompletionItem(incomplete, type="file")]


def _settings(ctx: click.Context) -> Settings:
    """The settings, as far as the words before the cursor give them."""
    from orchestrator.actions.session_settings import Settings  # noqa: PLC0415 - only when the shell asks
    from orchestrator.config.options.common import CommonOptions  # noqa: PLC0415 - as above

    outer = ctx.parent.params if ctx.parent is not None else {}

    def given(name: str) -> str | None:
        return ctx.params.get(name) or outer.get(name)

    return Settings(CommonOptions(config=given("config"), state_dir=given("state_dir"), rclone_config=given("rclone_config")))


def _remotes(settings: Settings) -> Iterable[str]:
    """The names of the remotes in the rclone config, and in variables; those of an encrypted config are unknown."""
    file = settings.rclone_config or _default_rclone_config()
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    yield from (found[1] for line in text.splitlines() if (found := _SECTION.fullmatch(line)))
    variables = (re.fullmatch(r"RCLONE_CONFIG_(.+)_TYPE", name) for name in os.environ)
    yield from (found[1].lower() for found in variables if found is not None)


def _default_rclone_config() -> Path:
    """Where rclone looks, at https://rclone.org/docs/#config-string."""
    if chosen := os.environ.get("RCLONE_CONFIG"):
        return Path(chosen)
    home = Path.home()
    above = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    found = [above / "rclone" / "rclone.conf", home / ".config" / "rclone" / "rclone.conf", home / ".rclone.conf"]
    return next((file for file in found if file.is_file()), found[0])


def _beginning_with(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
