"""The variables of the environment that override keys of the config: `MUSIC_ORCHESTRATOR_<KEY>`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from orchestrator.config import yaml_decoder
from orchestrator.config.fields import fields_of
from orchestrator.config.model import Config
from orchestrator.errors import ConfigError
from orchestrator.wording import repeated

ENVIRONMENT_PREFIX = "MUSIC_ORCHESTRATOR_"


def with_environment(config: Config, environment: Mapping[str, str]) -> Config:
    """Apply `MUSIC_ORCHESTRATOR_<KEY>` and `MUSIC_ORCHESTRATOR_<SECTION>_<KEY>` to a config. Raises ConfigError."""
    if not _ours(environment):  # the most common case; finding the keys takes a while
        return config
    for name, path in environment_names().items():
        value = environment.get(name)
        if value:
            config = _replaced(config, path, value, name)
    return config


def environment_names() -> dict[str, tuple[str, ...]]:
    """Variable -> the key that it overrides, part by part. Every key that holds one text or number has one."""
    names = {}
    for path in _scalar_paths(Config, ()):
        names[ENVIRONMENT_PREFIX + "_".join(path).upper()] = path
    return names


def misspelled_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that look like one of ours, and have no effect -> the most similar one."""
    ours = _ours(environment)
    known = {*environment_names(), f"{ENVIRONMENT_PREFIX}CONFIG"} if ours else set[str]()
    unknown = [name for name in ours if name not in known]
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.9) for name in unknown}
    return {name: found[0] for name, found in near.items() if found}


def _ours(environment: Mapping[str, str]) -> list[str]:
    return [name for name in environment if name.startswith(ENVIRONMENT_PREFIX)]


def _scalar_paths(section: type[Struct], prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for field in fields_of(section):
        if field.section is not None and field.closed and not prefix:
            yield from _scalar_paths(field.section, (field.name,))
        elif field.scalar:
            yield (*prefix, field.name)


def _replaced(config: Config, path: tuple[str, ...], value: str, name: str) -> Config:
    if not yaml_decoder.is_text(value):
        raise ConfigError(f"{name}: not UTF-8 text")
    document = msgspec.to_builtins(config)
    *sections, key = path
    parent = document
    for section in sections:
        if parent[section] is None:
            parent[section] = {}
        parent = parent[section]
    parent[key] = yaml_decoder.scalar(value)
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        first = error
    parent[key] = value  # `2024` for a key that holds text
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError:
        reason = yaml_decoder.plain_reason(first).removesuffix(", got text")
        raise ConfigError(f"{name}: {reason}, got `{repeated(value)}`") from first
