"""`config`: write, read and check the config file. None of these needs rclone or a remote."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.cli.framework import command, group
from orchestrator.config.options.config import (
    ConfigGetOptions,
    ConfigInitOptions,
    ConfigSchemaOptions,
    ConfigSetOptions,
    ConfigShowOptions,
    ConfigValidateOptions,
)
from orchestrator.errors import ConfigError, ExitCode, UsageError

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("config")
def config_command() -> None:
    """Write, read and check the config file."""


@command("init", ConfigInitOptions, parent=config_command, title="config init")
def init_command(session: Session, options: ConfigInitOptions) -> int:
    """Write a config file in which every key is described and commented out."""
    from orchestrator.config.edit import template, write_atomically  # noqa: PLC0415 - only when called

    path = _path(session)
    if path.exists() and not options.force:
        raise UsageError(f"{path} is there already; --force replaces it")
    if session.options.dry_run:
        session.reporter.note(f"would write {path}")
        return ExitCode.DONE
    write_atomically(path, template())
    session.reporter.document("config-file", f"written: {path}", {"path": str(path)})
    return ExitCode.DONE


@command("show", ConfigShowOptions, parent=config_command, title="config show")
def show_command(session: Session, _options: ConfigShowOptions) -> int:
    """Show the settings in force: the file with the environment over it, secrets hidden."""
    import msgspec  # noqa: PLC0415 - only when called

    from orchestrator.config.masking import masked  # noqa: PLC0415
    from orchestrator.config.model import Config  # noqa: PLC0415

    loaded = session.loaded_config
    document = masked(msgspec.to_builtins(loaded.config), Config)
    origin = str(loaded.path) if loaded.exists else f"{loaded.path} (not there: all defaults)"
    session.reporter.document(
        "config", f"# {origin}\n{_yaml(document)}", {"path": str(loaded.path), "exists": loaded.exists, "config": document}
    )
    return ExitCode.DONE


@command("get", ConfigGetOptions, parent=config_command, title="config get")
def get_command(session: Session, options: ConfigGetOptions) -> int:
    """Show one setting in force, such as cloud.provider; secrets are hidden."""
    import msgspec  # noqa: PLC0415 - only when called

    from orchestrator.config.edit import known_key, lookup, split_key  # noqa: PLC0415
    from orchestrator.config.masking import masked  # noqa: PLC0415
    from orchestrator.config.model import Config  # noqa: PLC0415

    key = options.key
    parts = split_key(key)
    if not known_key(parts):
        raise UsageError(f"{key}: no such key; `music-orchestrator config init` lists all")
    try:
        value = lookup(masked(msgspec.to_builtins(session.config), Config), parts)
    except KeyError:
        value = None
    session.reporter.document("config-value", _text(value), {"key": key, "value": value})
    return ExitCode.DONE


@command("set", ConfigSetOptions, parent=config_command, title="config set")
def set_command(session: Session, options: ConfigSetOptions) -> int:
    """Set one key of the file, such as: config set cloud.provider s3. Comments stay."""
    from orchestrator.config.edit import set_key  # noqa: PLC0415 - only when called

    path = _path(session)
    if session.options.dry_run:
        session.reporter.note(f"would set {options.key} in {path}")
        return ExitCode.DONE
    set_key(path, options.key, options.value)
    session.reporter.document("config-file", f"{options.key} is set in {path}", {"path": str(path), "key": options.key})
    return ExitCode.DONE


@command("validate", ConfigValidateOptions, parent=config_command, title="config validate")
def validate_command(session: Session, options: ConfigValidateOptions) -> int:
    """Check the file alone: no rclone and no remote is asked."""
    from orchestrator.actions.config_check import check_config  # noqa: PLC0415 - only when called
    from orchestrator.config.model import loaded  # noqa: PLC0415

    path = Path(options.file).expanduser() if options.file else _path(session)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
    check_config(loaded(text, path, {}))
    session.reporter.document("config-file", f"{path}: valid", {"path": str(path), "valid": True})
    return ExitCode.DONE


@command("schema", ConfigSchemaOptions, parent=config_command, title="config schema")
def schema_command(session: Session, _options: ConfigSchemaOptions) -> int:
    """Give the JSON schema of the file, for editors."""
    from orchestrator.config.model import schema  # noqa: PLC0415 - only when called

    document = schema()
    session.reporter.document("schema", json.dumps(document, indent=2), {"schema": document})
    return ExitCode.DONE


def _path(session: Session) -> Path:
    from orchestrator.config.model import config_path  # noqa: PLC0415 - only when called

    return config_path(session.options.config, os.environ)[0]


def _yaml(document: Any) -> str:
    import yaml  # noqa: PLC0415 - only when called

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return _yaml(value) if isinstance(value, (dict, list)) else str(value)
