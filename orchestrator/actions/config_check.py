"""Check the settings that have a syntax of their own: rates, limits, layouts, criteria, folders, profiles.

Each problem names the file, the line and the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.config.jobs import as_job
from orchestrator.config.loading import LoadedConfig
from orchestrator.config.location_text import is_relative
from orchestrator.config.masking import is_secret
from orchestrator.config.notify import Notify, notify_problems, prometheus_problem
from orchestrator.config.problems import Key, Problem, refuse
from orchestrator.config.references import Reference, why_no_file
from orchestrator.config.setting_syntax import parse_bandwidth, parse_encoding, parse_limit
from orchestrator.errors import UsageError
from orchestrator.profiles import backend_type, load_profile
from orchestrator.wording import repeated


def config_problems(loaded: LoadedConfig) -> list[Problem]:
    """The settings that cannot work, in whichever command they are used."""
    found = [
        *of_settings(loaded, _settings(loaded)),
        *(one for name in loaded.config.remotes for one in (*_of_profile(loaded, name), *_of_prices(loaded, name))),
        *_of_layouts(loaded),
        *_of_syncs(loaded),
        *_of_cloud(loaded),
        *_of_notify(loaded),
    ]
    return loaded.judged(found)


def config_warnings(loaded: LoadedConfig) -> Iterator[str]:
    """One sentence for each setting that works, but had better not be so: a secret in the file, a relative path."""
    config = loaded.config
    sections: list[tuple[Key, Mapping[str, str]]] = [
        (("remotes", name), settings.options) for name, settings in config.remotes.items()
    ]
    if (cloud := config.cloud) is not None:
        sections.append((("cloud",), cloud.options))
        if cloud.provider is not None and not cloud.bucket and load_profile(backend_type(cloud.provider)).has_buckets:
            yield f"{loaded.label('cloud')}: no bucket is named, so `cloud:` means all of them: set cloud.bucket"
    for key, options in sections:
        for option, value in options.items():
            if value and is_secret(option):
                label = loaded.label(*key, "options", option)
                yield f"{label}: {Reference.instead}, under `secrets:` instead of `options:`"
    for name, text in config.locations.items():
        if text not in config.locations and is_relative(text):
            label = loaded.label("locations", name)
            yield f"{label}: {repeated(text)} is another folder wherever the program starts: write its whole path"


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


def _of_notify(loaded: LoadedConfig) -> Iterator[Problem]:
    """Of addresses and a file to which nothing could be reported. No job depends on them: only here they are errors."""
    config = loaded.config
    named: list[tuple[Key, Notify | None]] = [(("notify",), config.notify)]
    named += [(("jobs", name, "notify"), as_job(job).notify) for name, job in config.jobs.items()]
    for key, notify in named:
        for below, reason in notify_problems(notify) if notify is not None else ():
            yield loaded.problem((*key, *below), f": {reason}")
    if config.prometheus is not None and (ending := prometheus_problem(config.prometheus)):
        yield loaded.problem(("prometheus",), f": {ending}")


def _of_syncs(loaded: LoadedConfig) -> Iterator[Problem]:
    """Of a cloud whose syncs are to delete their source, and to go both ways."""
    cloud = loaded.config.cloud
    if cloud is not None and cloud.delete_after_sync and cloud.sync_mode in {None, "bidirectional"}:
        yield loaded.problem(("cloud", "delete_after_sync"), ": moves files one way: set sync_mode to upload or download")


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
    if not config.layouts and not config.layout:
        return
    from orchestrator.plan.layout.templates import Condition, compile_layout  # noqa: PLC0415 - jinja2 is slow to import

    for number, rule in enumerate(config.layouts):
        if rule.when is not None:
            yield from of_layout(Condition, rule.when, loaded, ("layouts", str(number), "when"))
        yield from of_layout(compile_layout, rule.template, loaded, ("layouts", str(number), "template"))
    if config.layout:
        yield from of_layout(compile_layout, config.layout, loaded, ("layout",))


def of_layout(compile_text: Callable[[str], object], text: str, loaded: LoadedConfig, key: Key) -> Iterator[Problem]:
    """Why the text of a template or condition cannot work, if it cannot."""
    try:
        compile_text(text)
    except UsageError as error:
        yield loaded.problem(key, f": {error.message}", ".".join(key))


Check = Callable[[Any, str], object]
"""Raises UsageError for a value that cannot be used; its message begins with the second argument."""


def of_settings(loaded: LoadedConfig, settings: Iterable[tuple[Check, Any, Key]]) -> Iterator[Problem]:
    """The settings that have a value which their check refuses."""
    for check, value, key in settings:
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
    yield check_folder_name, config.untagged, ("untagged",)
    yield check_folder_name, config.leftovers, ("leftovers",)
    yield check_patterns, config.names_as_tags, ("names_as_tags",)
    yield check_criteria, config.dedup.keep, ("dedup", "keep")


def check_folder_name(value: str, label: str) -> None:
    """Raise UsageError for what is not the path of a folder inside a location."""
    from orchestrator.paths import check_directory  # noqa: PLC0415 - most configs name none

    check_directory(value, label)


def check_patterns(value: str | Sequence[str], label: str) -> None:
    """Raise UsageError for a value of `names_as_tags` that cannot be used."""
    from orchestrator.plan.file_names.pattern import parse_names_as_tags  # noqa: PLC0415 - most configs name none

    parse_names_as_tags(value, label)


def check_criteria(value: str | list[str], label: str) -> None:
    """Raise UsageError for a value of `keep` that cannot be used."""
    from orchestrator.plan.planners.dedup.keep_order import check_keep, keep_words  # noqa: PLC0415 - most configs name none

    check_keep(keep_words(value) if isinstance(value, str) else value, label)
