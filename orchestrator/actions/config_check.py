"""What a config says in languages of its own (rates, limits, layouts, criteria, folders, profiles), checked where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from orchestrator.actions.layouts import check_layouts
from orchestrator.config.values import parse_bandwidth, parse_duration, parse_limit
from orchestrator.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from orchestrator.config.model import LoadedConfig

Key = tuple[str, ...]


def check_config(loaded: LoadedConfig) -> None:
    """Raise ConfigError, with file, line and key, for what could not work, whoever used it."""
    for check, value, key in _settings(loaded):
        if value:
            check(value, loaded, key)
    for name in loaded.config.remotes:
        check_profile(loaded, name)
    check_layouts(loaded)


def check_profile(loaded: LoadedConfig, remote: str) -> None:
    """Raise ConfigError where the config gives a remote a profile that there is not."""
    settings = loaded.config.remotes.get(remote)
    if settings is None or settings.profile is None:
        return
    from orchestrator.profiles import profile_names  # noqa: PLC0415 - only where there is one

    if settings.profile not in profile_names():
        where = loaded.named("remotes", remote, "profile")
        raise ConfigError(f"{where}: there is no profile {settings.profile!r}; there is: {', '.join(profile_names())}")


Check = Callable[[Any, "LoadedConfig", Key], object]


def _settings(loaded: LoadedConfig) -> Iterator[tuple[Check, Any, Key]]:
    """Each setting with a language of its own: its check, its value, its key."""
    config = loaded.config
    yield _bandwidth, config.bandwidth, ("bandwidth",)
    yield _limit, config.max_delete, ("max_delete",)
    yield _directory, config.leftovers, ("leftovers",)
    yield _keep, config.dedup.keep, ("dedup", "keep")
    for job, steps in config.jobs.items():
        for number, step in enumerate(steps):
            for command in step.__struct_fields__:
                one, key = getattr(step, command), ("jobs", job, str(number), command)
                for name, check in _OF_STEPS.items():
                    yield check, getattr(one, name, None), (*key, name)


def _bandwidth(value: str, loaded: LoadedConfig, key: Key) -> None:
    _told(lambda: parse_bandwidth(value, loaded.named(*key)))


def _limit(value: str | int, loaded: LoadedConfig, key: Key) -> None:
    _told(lambda: parse_limit(value, loaded.named(*key)))


def _duration(value: str, loaded: LoadedConfig, key: Key) -> None:
    _told(lambda: parse_duration(value, loaded.named(*key)))


def _directory(value: str, loaded: LoadedConfig, key: Key) -> None:
    from orchestrator.paths import check_directory  # noqa: PLC0415 - only where there is one

    _told(lambda: check_directory(value, loaded.named(*key)))


def _keep(value: str | list[str], loaded: LoadedConfig, key: Key) -> None:
    from orchestrator.plan.planners.dedup.keep_order import check_keep, keep_words  # noqa: PLC0415 - only where there is one

    _told(lambda: check_keep(keep_words(value) if isinstance(value, str) else value, loaded.named(*key)))


_OF_STEPS: dict[str, Check] = {
    "max_delete": _limit,
    "settle": _duration,
    "untagged": _directory,
    "leftovers": _directory,
    "keep": _keep,
}


def _told(check: Callable[[], object]) -> None:
    """What the command line would call wrong use is a mistake of the file."""
    try:
        check()
    except UsageError as error:
        raise ConfigError(error.message) from error
