"""`config`: write, read and check the config file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.config import (
    ConfigGetOptions,
    ConfigInitOptions,
    ConfigSchemaOptions,
    ConfigSetOptions,
    ConfigShowOptions,
    ConfigValidateOptions,
)
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("config")
def config_command() -> None:
    """Write, read and check the config file."""


@command("init", ConfigInitOptions, parent=config_command, title="config init")
def init_command(session: Session, options: ConfigInitOptions) -> int:
    """Write a config file that describes every key, all commented out."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.init(options, session)
    return ExitCode.DONE


@command("show", ConfigShowOptions, parent=config_command, title="config show")
def show_command(session: Session, _options: ConfigShowOptions) -> int:
    """Show the settings in force: the file, overridden by the environment; secrets are hidden."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.show(session)
    return ExitCode.DONE


@command("get", ConfigGetOptions, parent=config_command, title="config get")
def get_command(session: Session, options: ConfigGetOptions) -> int:
    """Show one setting in force, such as cloud.provider; secrets are hidden."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.get(options, session)
    return ExitCode.DONE


@command("set", ConfigSetOptions, parent=config_command, title="config set")
def set_command(session: Session, options: ConfigSetOptions) -> int:
    """Set one key of the file, such as: config set cloud.provider s3. Comments are kept."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.set_value(options, session)
    return ExitCode.DONE


@command("validate", ConfigValidateOptions, parent=config_command, title="config validate")
def validate_command(session: Session, options: ConfigValidateOptions) -> int:
    """Check the file by itself: neither rclone nor a remote is asked."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.validate(options, session)
    return ExitCode.DONE


@command("schema", ConfigSchemaOptions, parent=config_command, title="config schema")
def schema_command(session: Session, _options: ConfigSchemaOptions) -> int:
    """Print the JSON schema of the file, for editors."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.show_schema(session)
    return ExitCode.DONE
