"""Check the settings that have a syntax of their own: rates, limits, layouts, criteria, folders, profiles.

Each problem names the file, the line and the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from orchestrator.config.loading import LoadedConfig
from orchestrator.config.problems import Key, Problem, refuse
from orchestrator.config.references import why_no_file
from orchestrator.config.setting_syntax import parse_bandwidth, parse_duration, parse_encoding, parse_limit
from orchestrator.errors import UsageError


def config_problems(loaded: LoadedConfig) -> list[Problem]:
    """The settings that cannot work, in whichever command they are used."""
    found = [
        *_of_settings(loaded),
        *(one for name in loaded.config.remotes for one in (*_of_profile(loaded, name), *_of_prices(loaded, name))),
        *_of_layouts(loaded),
        *_of_syncs(loaded),
        *_of_cloud(loaded),
    ]
    return loaded.judged(found)


def _of_cloud(loaded: LoadedConfig) -> Iterator[Problem]:
    """Of a cloud that no command could use: no provider, an unknown one, no file of credentials."""
    cloud = loaded.config.cloud
    if cloud is None:
        return
    if cloud.provider is None:
        yield loaded.problem(("cloud",), ": the provider is missing: set cloud.provider, to s3 for example")
    else:
        from orchestrator.rclone.backends import known_backends, unknown_backend  # noqa: PLC0415 - most configs have no cloud

        known = known_backends()
        if cloud.provider.lower() not in known:
            otherwise = "write s3, gcs, azure, dropbox, gdrive, or a backend type of rclone"
            yield loaded.problem(("cloud", "provider"), f": {unknown_backend(cloud.provider, known, otherwise)}")
    if cloud.credentials_path is not None and (reason := why_no_file(cloud.credentials_path, os.environ)):
        yield loaded.problem(("cloud", "credentials_path"), f": {reason}")


def _of_syncs(loaded: LoadedConfig) -> Iterator[Problem]:
    """Of a sync that is to delete its source, and to carry deletions over or to go both ways."""
    cloud = loaded.config.cloud
    if cloud is not None and cloud.delete_after_sync and cloud.sync_mode in {None, "bidirectional"}:
        yield loaded.problem(("cloud", "delete_after_sync"), ": moves files one way: set sync_mode to upload or download")
    for job, steps in loaded.config.jobs.items():
        for number, step in enumerate(steps):
            if step.sync is not None and step.sync.delete_after and (step.sync.delete or step.sync.mode == "bidirectional"):
                reason = ": moves files one way: use to-cloud or to-local as its mode, and no `delete`"
                yield loaded.problem(("jobs", job, str(number), "sync", "delete_after"), reason)


def check_remote(loaded: LoadedConfig, remote: str) -> None:
    """Raise ConfigError when the config gives a remote a profile or a price list that does not exist."""
    refuse([*_of_profile(loaded, remote), *_of_prices(loaded, remote)])


def _of_profile(loaded: LoadedConfig, remote: str) -> Iterator[Problem]:
    settings = loaded.config.remotes.get(remote)
    if settings is None or settings.profile is None:
        return
    from orchestrator.profiles import profile_names  # noqa: PLC0415 - most configs name none

    if settings.profile not in profile_names():
        reason = f": there is no profile {settings.profile!r}; choose one of {', '.join(profile_names())}"
        yield loaded.problem(("remotes", remote, "profile"), reason)


def _of_prices(loaded: LoadedConfig, remote: str) -> Iterator[Problem]:
    settings = loaded.config.remotes.get(remote)
    if settings is None or not isinstance(settings.prices, str):
        return
    from orchestrator.profiles import price_lists  # noqa: PLC0415 - most configs name none

    if settings.prices not in price_lists():
        reason = f": there is no price list {settings.prices!r}; choose one of {', '.join(price_lists())}"
        yield loaded.problem(("remotes", remote, "prices"), reason)


def check_layouts(loaded: LoadedConfig) -> None:
    """Compile every template and condition of the config. Raises ConfigError for those that cannot work."""
    refuse([*_of_layouts(loaded)])


def _of_layouts(loaded: LoadedConfig) -> Iterator[Problem]:
    config = loaded.config
    steps = [(job, number, step.organize) for job, steps in config.jobs.items() for number, step in enumerate(steps)]
    of_jobs = [(("jobs", job, str(number), "organize", "layout"), step.layout) for job, number, step in steps if step is not None]
    if not config.layouts and not config.layout and not any(layout for _, layout in of_jobs):
        return
    from orchestrator.plan.layout.templates import Condition, compile_layout  # noqa: PLC0415 - jinja2 is slow to import

    for number, rule in enumerate(config.layouts):
        if rule.when is not None:
            yield from _of_layout(Condition, rule.when, loaded, ("layouts", str(number), "when"))
        yield from _of_layout(compile_layout, rule.template, loaded, ("layouts", str(number), "template"))
    for key, layout in [(("layout",), config.layout), *of_jobs]:
        if layout:
            yield from _of_layout(compile_layout, layout, loaded, key)


def _of_layout(compile_text: Callable[[str], object], text: str, loaded: LoadedConfig, key: Key) -> Iterator[Problem]:
    try:
        compile_text(text)
    except UsageError as error:
        yield loaded.problem(key, f": {error.message}", ".".join(key))


Check = Callable[[Any, str], object]
"""Raises UsageError for a value that cannot be used; its message begins with the second argument."""


def _of_settings(loaded: LoadedConfig) -> Iterator[Problem]:
    for check, value, key in _settings(loaded):
        label = loaded.label(*key)
        try:
            if value:
                check(value, label)
        except UsageError as error:
            yield loaded.problem(key, error.message.removeprefix(label))


def _settings(loaded: LoadedConfig) -> Iterator[tuple[Check, Any, Key]]:
    """Each setting with a syntax of its own: its check, its value, its key."""
    config = loaded.config
    yield parse_bandwidth, config.bandwidth, ("bandwidth",)
    yield parse_limit, config.max_delete, ("max_delete",)
    yield parse_encoding, config.tags.legacy_encoding, ("tags", "legacy_encoding")
    yield _directory, config.leftovers, ("leftovers",)
    yield _names, config.names_as_tags, ("names_as_tags",)
    yield _keep, config.dedup.keep, ("dedup", "keep")
    for job, steps in config.jobs.items():
        for number, step in enumerate(steps):
            for command in step.__struct_fields__:
                options, key = getattr(step, command), ("jobs", job, str(number), command)
                for name, check in _OF_STEPS.items():
                    yield check, getattr(options, name, None), (*key, name)


def _directory(value: str, label: str) -> None:
    from orchestrator.paths import check_directory  # noqa: PLC0415 - most configs name none

    check_directory(value, label)


def _names(value: str | Sequence[str], label: str) -> None:
    from orchestrator.plan.file_names.pattern import parse_names_as_tags  # noqa: PLC0415 - most configs name none

    parse_names_as_tags(value, label)


def _keep(value: str | list[str], label: str) -> None:
    from orchestrator.plan.planners.dedup.keep_order import check_keep, keep_words  # noqa: PLC0415 - most configs name none

    check_keep(keep_words(value) if isinstance(value, str) else value, label)


_OF_STEPS: dict[str, Check] = {
    "max_delete": parse_limit,
    "settle": parse_duration,
    "untagged": _directory,
    "leftovers": _directory,
    "names_as_tags": _names,
    "keep": _keep,
}
