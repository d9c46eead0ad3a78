"""Check the settings that have a syntax of their own: rates, limits, layouts, criteria, folders, profiles.

Each error names the file, the line and the key.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.config.setting_syntax import parse_bandwidth, parse_duration, parse_encoding, parse_limit
from orchestrator.errors import ConfigError, UsageError
from orchestrator.wording import repeated

if TYPE_CHECKING:
    from orchestrator.config.loading import LoadedConfig

Key = tuple[str, ...]


def check_config(loaded: LoadedConfig) -> None:
    """Raise ConfigError for a setting that cannot work, in whichever command it is used."""
    for check, value, key in _settings(loaded):
        if value:
            check(value, loaded, key)
    for name in loaded.config.remotes:
        check_profile(loaded, name)
        check_prices(loaded, name)
    check_layouts(loaded)
    _check_syncs(loaded)
    _check_cloud(loaded)


def _check_cloud(loaded: LoadedConfig) -> None:
    """Raise ConfigError for a cloud that no command could use: no provider, an unknown one, no file of credentials."""
    cloud = loaded.config.cloud
    if cloud is None:
        return
    if cloud.provider is None:
        raise ConfigError(f"{loaded.label('cloud')}: the provider is missing: set cloud.provider, to s3 for example")
    from orchestrator.rclone.backend_types import known_backends  # noqa: PLC0415 - most configs have no cloud

    known = known_backends()
    if cloud.provider.lower() not in known:
        near = difflib.get_close_matches(cloud.provider.lower(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else "write s3, gcs, azure, dropbox, gdrive, or a backend type of rclone"
        raise ConfigError(f"{loaded.label('cloud', 'provider')}: there is no provider {repeated(cloud.provider)!r}; {hint}")
    file = cloud.credentials_path
    if file is not None and not os.path.isfile(os.path.expanduser(file)):  # noqa: PTH111, PTH113 - what is no path is no file
        raise ConfigError(f"{loaded.label('cloud', 'credentials_path')}: there is no such file of credentials")


def _check_syncs(loaded: LoadedConfig) -> None:
    """Raise ConfigError where a sync is to delete its source, and to carry deletions over or to go both ways."""
    cloud = loaded.config.cloud
    if cloud is not None and cloud.delete_after_sync and cloud.sync_mode in {None, "bidirectional"}:
        raise ConfigError(
            f"{loaded.label('cloud', 'delete_after_sync')}: moves files one way: set sync_mode to upload or download"
        )
    for job, steps in loaded.config.jobs.items():
        for number, step in enumerate(steps):
            if step.sync is not None and step.sync.delete_after and (step.sync.delete or step.sync.mode == "bidirectional"):
                label = loaded.label("jobs", job, str(number), "sync", "delete_after")
                raise ConfigError(f"{label}: moves files one way: use to-cloud or to-local as its mode, and no `delete`")


def check_profile(loaded: LoadedConfig, remote: str) -> None:
    """Raise ConfigError when the config gives a remote a profile that does not exist."""
    settings = loaded.config.remotes.get(remote)
    if settings is None or settings.profile is None:
        return
    from orchestrator.profiles import profile_names  # noqa: PLC0415 - most configs name none

    if settings.profile not in profile_names():
        where = loaded.label("remotes", remote, "profile")
        raise ConfigError(f"{where}: there is no profile {settings.profile!r}; choose one of {', '.join(profile_names())}")


def check_prices(loaded: LoadedConfig, remote: str) -> None:
    """Raise ConfigError when the config gives a remote a price list that no profile has."""
    settings = loaded.config.remotes.get(remote)
    if settings is None or not isinstance(settings.prices, str):
        return
    from orchestrator.profiles import price_lists  # noqa: PLC0415 - most configs name none

    if settings.prices not in price_lists():
        where = loaded.label("remotes", remote, "prices")
        raise ConfigError(f"{where}: there is no price list {settings.prices!r}; choose one of {', '.join(price_lists())}")


def check_layouts(loaded: LoadedConfig) -> None:
    """Compile every template and condition of the config. Raises ConfigError for one that cannot work."""
    config = loaded.config
    steps = [(job, number, step.organize) for job, steps in config.jobs.items() for number, step in enumerate(steps)]
    of_jobs = [(("jobs", job, str(number), "organize", "layout"), step.layout) for job, number, step in steps if step is not None]
    if not config.layouts and not config.layout and not any(layout for _, layout in of_jobs):
        return
    from orchestrator.plan.layout.templates import Condition, compile_layout  # noqa: PLC0415 - jinja2 is slow to import

    for number, rule in enumerate(config.layouts):
        if rule.when is not None:
            _check_layout(Condition, rule.when, loaded, ("layouts", str(number), "when"))
        _check_layout(compile_layout, rule.template, loaded, ("layouts", str(number), "template"))
    for key, layout in [(("layout",), config.layout), *of_jobs]:
        if layout:
            _check_layout(compile_layout, layout, loaded, key)


def _check_layout(compile_text: Callable[[str], object], text: str, loaded: LoadedConfig, key: Key) -> None:
    try:
        compile_text(text)
    except UsageError as error:
        raise ConfigError(f"{loaded.origin(*key)}: {'.'.join(key)}: {error.message}") from error


Check = Callable[[Any, "LoadedConfig", Key], object]


def _settings(loaded: LoadedConfig) -> Iterator[tuple[Check, Any, Key]]:
    """Each setting with a syntax of its own: its check, its value, its key."""
    config = loaded.config
    yield _bandwidth, config.bandwidth, ("bandwidth",)
    yield _limit, config.max_delete, ("max_delete",)
    yield _encoding, config.tags.legacy_encoding, ("tags", "legacy_encoding")
    yield _directory, config.leftovers, ("leftovers",)
    yield _names, config.names_as_tags, ("names_as_tags",)
    yield _keep, config.dedup.keep, ("dedup", "keep")
    for job, steps in config.jobs.items():
        for number, step in enumerate(steps):
            for command in step.__struct_fields__:
                options, key = getattr(step, command), ("jobs", job, str(number), command)
                for name, check in _OF_STEPS.items():
                    yield check, getattr(options, name, None), (*key, name)


def _bandwidth(value: str, loaded: LoadedConfig, key: Key) -> None:
    _as_config_error(lambda: parse_bandwidth(value, loaded.label(*key)))


def _limit(value: str | int, loaded: LoadedConfig, key: Key) -> None:
    _as_config_error(lambda: parse_limit(value, loaded.label(*key)))


def _encoding(value: str, loaded: LoadedConfig, key: Key) -> None:
    _as_config_error(lambda: parse_encoding(value, loaded.label(*key)))


def _duration(value: str, loaded: LoadedConfig, key: Key) -> None:
    _as_config_error(lambda: parse_duration(value, loaded.label(*key)))


def _directory(value: str, loaded: LoadedConfig, key: Key) -> None:
    from orchestrator.paths import check_directory  # noqa: PLC0415 - most configs name none

    _as_config_error(lambda: check_directory(value, loaded.label(*key)))


def _names(value: str | Sequence[str], loaded: LoadedConfig, key: Key) -> None:
    from orchestrator.plan.file_names.pattern import parse_names_as_tags  # noqa: PLC0415 - most configs name none

    _as_config_error(lambda: parse_names_as_tags(value, loaded.label(*key)))


def _keep(value: str | list[str], loaded: LoadedConfig, key: Key) -> None:
    from orchestrator.plan.planners.dedup.keep_order import check_keep, keep_words  # noqa: PLC0415 - most configs name none

    _as_config_error(lambda: check_keep(keep_words(value) if isinstance(value, str) else value, loaded.label(*key)))


_OF_STEPS: dict[str, Check] = {
    "max_delete": _limit,
    "settle": _duration,
    "untagged": _directory,
    "leftovers": _directory,
    "names_as_tags": _names,
    "keep": _keep,
}


def _as_config_error(check: Callable[[], object]) -> None:
    """What is a usage error on the command line is a config error in the file."""
    try:
        check()
    except UsageError as error:
        raise ConfigError(error.message) from error
