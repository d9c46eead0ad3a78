"""Write, read and check the config file. None of this needs rclone or a remote."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import yaml

from orchestrator.actions.config_check import check_config
from orchestrator.actions.session import DEFAULT_TRANSFERS, Session
from orchestrator.config.edit import known_key, lookup, own_names, set_key, split_key, write_atomically
from orchestrator.config.loading import config_path, load_text
from orchestrator.config.masking import masked
from orchestrator.config.model import Config
from orchestrator.config.options.config import ConfigGetOptions, ConfigInitOptions, ConfigSetOptions, ConfigValidateOptions
from orchestrator.config.schema import schema
from orchestrator.config.template import template
from orchestrator.errors import ConfigError, UsageError
from orchestrator.plan.layout.presets import DEFAULT

_DEFAULTS = {"transfers": DEFAULT_TRANSFERS, "layout": DEFAULT}
"""What holds for keys that are not set, where it is a value."""


def init(options: ConfigInitOptions, session: Session) -> Path:
    """Write a config file that describes every key, all commented out. Raises UsageError for an existing file."""
    path = _path(session)
    if path.exists() and not options.force:
        raise UsageError(f"{path} exists; --force replaces it")
    if session.options.dry_run:
        session.reporter.note(f"would write {path}")
        return path
    write_atomically(path, template())
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
        raise UsageError(f"{key}: no such key; `music-orchestrator config init` lists all")
    try:
        value = lookup(masked(msgspec.to_builtins(session.config), Config), parts)
    except KeyError:
        value = None
    value = _DEFAULTS.get(".".join(parts)) if value is None else value
    session.reporter.document("config-value", _text(value), {"key": key, "value": value})
    return value


def set_value(options: ConfigSetOptions, session: Session) -> Path:
    """Set one key of the file; its comments stay. Raises UsageError and ConfigError."""
    key, path = options.key, _path(session)
    if session.options.dry_run:
        session.reporter.note(f"would set {key} in {path}")
        return path
    set_key(path, key, options.value)
    session.reporter.document("config-file", f"{key} is set in {path}", {"path": str(path), "key": key})
    return path


def validate(options: ConfigValidateOptions, session: Session) -> Path:
    """Check a config file by itself: neither rclone nor a remote is asked. Raises ConfigError."""
    path = Path(options.file).expanduser() if options.file else _path(session)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
    check_config(load_text(text, path, {}))
    session.reporter.document("config-file", f"{path}: valid", {"path": str(path), "valid": True})
    return path


def show_schema(session: Session) -> dict[str, Any]:
    """Report the JSON schema of the file, for editors."""
    document = schema()
    session.reporter.document("schema", json.dumps(document, indent=2), {"schema": document})
    return document


def _path(session: Session) -> Path:
    return config_path(session.options.config, os.environ)[0]


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return _yaml(value) if isinstance(value, (dict, list)) else str(value)
