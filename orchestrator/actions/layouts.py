"""The layouts that the config names: checked where they stand, so that a mistake is told with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from orchestrator.config.model import LoadedConfig


def check_layouts(loaded: LoadedConfig) -> None:
    """Compile every template and condition of the config. Raises ConfigError for one that cannot work."""
    config = loaded.config
    steps = [(job, number, step.organize) for job, steps in config.jobs.items() for number, step in enumerate(steps)]
    named = [(("jobs", job, str(number), "organize", "layout"), step.layout) for job, number, step in steps if step is not None]
    if not config.layouts and not config.layout and not any(layout for _, layout in named):
        return
    from orchestrator.plan.layout.templates import (  # noqa: PLC0415 - jinja2 only where there is a template
        Condition,
        compile_layout,
    )

    for number, rule in enumerate(config.layouts):
        if rule.when is not None:
            _check(Condition, rule.when, loaded, ("layouts", str(number), "when"))
        _check(compile_layout, rule.template, loaded, ("layouts", str(number), "template"))
    for key, layout in [(("layout",), config.layout), *named]:
        if layout:
            _check(compile_layout, layout, loaded, key)


def _check(load: Callable[[str], object], text: str, loaded: LoadedConfig, key: tuple[str, ...]) -> None:
    try:
        load(text)
    except UsageError as error:
        raise ConfigError(f"{loaded.place(*key)}: {'.'.join(key)}: {error.message}") from error
