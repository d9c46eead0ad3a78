"""Write, read and check the config file. None of this needs rclone or a remote."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from orchestrator.actions.config_check import config_problems, config_warnings
from orchestrator.actions.job_check import job_problems, sends_messages
from orchestrator.actions.remote_check import idle_settings, needs_rclone, remote_problems
from orchestrator.actions.remote_definitions import KnownRemotes, known_remotes
from orchestrator.actions.session import Session
from orchestrator.actions.session_settings import DEFAULT_TRANSFERS
from orchestrator.config.edit import known_key, lookup, own_names, set_key, split_key, unset_key, write_config
from orchestrator.config.loading import WRITTEN_BY, LoadedConfig, config_path, examine, load_text
from orchestrator.config.masking import masked
from orchestrator.config.model import Config
from orchestrator.config.options.config import (
    ConfigGetOptions,
    ConfigInitOptions,
    ConfigSetOptions,
    ConfigUnsetOptions,
    ConfigValidateOptions,
)
from orchestrator.config.problems import Problem, refuse, without_consequences
from orchestrator.config.schema import schema
from orchestrator.config.template import template
from orchestrator.errors import ConfigError, OrchestratorError, UsageError
from orchestrator.notify.apprise_messages import MISSING, installed
from orchestrator.plan.layout.presets import DEFAULT
from orchestrator.user_paths import read_user_file, user_path

_NO_SUCH_KEY = "{key}: no such key; `music-orchestrator config show` lists all"
_DEFAULTS = {"transfers": DEFAULT_TRANSFERS, "layout": DEFAULT}
"""What holds for keys that are not set, where it is a value."""


def init(options: ConfigInitOptions, session: Session) -> Path:
    """Write a config file that describes every key, all commented out.

    Raises UsageError for an existing file, even with --force if it is no text, such as music that was named by mistake.
    """
    path = _path(session)
    if path.exists() and not options.force:
        raise UsageError(f"{path} exists; --force replaces it")
    if path.is_file() and b"\0" in read_user_file(path):
        raise UsageError(f"{path} is no config file: give --config another name")
    if session.options.dry_run:
        session.reporter.note(f"would write {path}")
        return path
    write_config(path, template())
    session.reporter.document("config-file", f"written: {path}", {"path": str(path)})
    return path


def show(session: Session) -> dict[str, Any]:
    """Report the settings in force: the file overridden by the environment, secrets hidden. Raises ConfigError."""
    origin = session.loaded_config
    settings: dict[str, Any] = masked(msgspec.to_builtins(origin.config), Config)
    heading = str(origin.path) if origin.exists else f"{origin.path} (no file: all defaults)"
    session.reporter.document(
        "config", f"# {heading}\n{_yaml(settings)}", {"path": str(origin.path), "exists": origin.exists, "config": settings}
    )
    return settings


def get(options: ConfigGetOptions, session: Session) -> Any:
    """Report one setting in force, secrets hidden. Raises UsageError for an unknown key, ConfigError for a broken file."""
    key = options.key
    parts = own_names(split_key(key))
    if not known_key(parts):
        raise UsageError(_NO_SUCH_KEY.format(key=key))
    try:
        value = lookup(masked(msgspec.to_builtins(session.config), Config), parts)
    except KeyError:
        value = None
    value = _DEFAULTS.get(".".join(parts)) if value is None else value
    session.reporter.document("config-value", _text(value), {"key": key, "value": value})
    return value


def value_in_file(key: str, session: Session) -> Any:
    """What the file itself says of a key now, without the environment. Raises ConfigError if that is wrong."""
    path, parts = _path(session), own_names(split_key(key))
    try:
        text = read_user_file(path) if path.exists() else None
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
    loaded, problems = examine(text, path, {})
    refuse([one for one in problems if [*one.key][: len(parts)] == parts[: len(one.key)]])
    return lookup(msgspec.to_builtins(loaded.config), parts)


def set_value(options: ConfigSetOptions, session: Session) -> Path:
    """Set one key of the file; its comments stay. Raises UsageError, and ConfigError for what `validate` refuses."""
    key, path = options.key, _path(session)
    if session.options.dry_run:
        session.reporter.note(f"would set {key} in {path}")
        return path
    checker = _Checker(session)
    for problem in set_key(path, key, options.value, lambda text: checker.check(text, path)):
        session.reporter.warning(problem.message)
    session.reporter.document("config-file", f"{key} is set in {path}", {"path": str(path), "key": key})
    return path


def unset(options: ConfigUnsetOptions, session: Session) -> Path:
    """Take one key out of the file. Raises UsageError for an unknown key, and ConfigError for what would then be wrong."""
    key, path = options.key, _path(session)
    if session.options.dry_run:
        session.reporter.note(f"would take {key} out of {path}")
        return path
    checker = _Checker(session)
    problems = unset_key(path, key, lambda text: checker.check(text, path))
    if problems is None and not known_key(own_names(split_key(key))):
        raise UsageError(_NO_SUCH_KEY.format(key=key))
    for problem in problems or ():
        session.reporter.warning(problem.message)
    said = f"{key} is not set in {path}" if problems is None else f"{key} is no longer set in {path}"
    session.reporter.document("config-file", said, {"path": str(path), "key": key})
    return path


def validate(options: ConfigValidateOptions, session: Session) -> Path:
    """Check a config file: no remote is asked, and rclone only for the names of remotes and options. Raises ConfigError."""
    path = user_path(options.file) if options.file else _path(session)
    try:
        text = read_user_file(path)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such config file; {WRITTEN_BY}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
    checker = _Checker(session)
    refuse(checker.check(text, path))
    loaded = load_text(text, path, {})
    for sentence in (*config_warnings(loaded), *checker.idle(loaded)):
        session.reporter.warning(sentence)
    if sends_messages(loaded.config) and not installed():
        session.reporter.warning(MISSING)
    session.reporter.document("config-file", f"{path}: valid", {"path": str(path), "valid": True})
    return path


def show_schema(session: Session) -> dict[str, Any]:
    """Report the JSON schema of the file, for editors."""
    document = schema()
    session.reporter.document("schema", json.dumps(document, indent=2), {"schema": document})
    return document


class _Checker:
    """Checks the texts of config files, with what rclone knows of remotes where they speak of any."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: dict[object, KnownRemotes | None] = {}

    def check(self, text: bytes, path: Path) -> list[Problem]:
        """All that is wrong. Raises ConfigError for a file that cannot be read."""
        loaded, found = examine(text, path, {})
        found += [*config_problems(loaded), *job_problems(loaded)]
        if needs_rclone(loaded.config) and (known := self._known(loaded.config)) is not None:
            found += loaded.judged(remote_problems(loaded, known.remotes, known.backends))
        return sorted(without_consequences(found), key=lambda one: loaded.lines.of(*one.key))

    def idle(self, loaded: LoadedConfig) -> Iterator[str]:
        """The settings that have no effect with their provider, as far as rclone can be asked."""
        if needs_rclone(loaded.config) and (known := self._known(loaded.config)) is not None:
            yield from idle_settings(loaded, known.backends)

    def _known(self, config: Config) -> KnownRemotes | None:
        """What rclone knows; None where it cannot be asked, which is reported: then nobody can say what is wrong."""
        how = (config.rclone, config.rclone_config, config.rclone_config_password)
        if how not in self._asked:
            try:
                self._asked[how] = known_remotes(config, self._session.options.rclone, self._session.options.rclone_config)
            except OrchestratorError as error:
                self._asked[how] = None
                self._session.reporter.warning(f"the options and names of remotes were not checked: {error.message}")
        return self._asked[how]


def _path(session: Session) -> Path:
    return config_path(session.options.config, os.environ)[0]


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return _yaml(value) if isinstance(value, (dict, list)) else str(value)
