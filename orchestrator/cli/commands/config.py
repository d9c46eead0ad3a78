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
    ConfigUnsetOptions,
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
    """Write a config file with every key described and commented out."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.init(options, session)
    return ExitCode.DONE


@command("show", ConfigShowOptions, parent=config_command, title="config show")
def show_command(session: Session, _options: ConfigShowOptions) -> int:
    """Show the effective settings, without secrets."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.show(session)
    return ExitCode.DONE


@command("get", ConfigGetOptions, parent=config_command, title="config get")
def get_command(session: Session, options: ConfigGetOptions) -> int:
    """Show one effective setting, such as cloud.provider, without secrets."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.get(options, session)
    return ExitCode.DONE


@command("set", ConfigSetOptions, parent=config_command, title="config set")
def set_command(session: Session, options: ConfigSetOptions) -> int:
    """Set one key in the config file, for example: config set cloud.provider s3. Comments are kept."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.set_value(options, session)
    return ExitCode.DONE


@command("unset", ConfigUnsetOptions, parent=config_command, title="config unset")
def unset_command(session: Session, options: ConfigUnsetOptions) -> int:
    """Take one key out of the config file, for example: config unset jobs.nightly.at. Comments of other keys are kept."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.unset(options, session)
    return ExitCode.DONE


@command("validate", ConfigValidateOptions, parent=config_command, title="config validate")
def validate_command(session: Session, options: ConfigValidateOptions) -> int:
    """Check the config file without contacting a remote; rclone is asked for the names of remotes and options."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.validate(options, session)
    return ExitCode.DONE


@command("schema", ConfigSchemaOptions, parent=config_command, title="config schema")
def schema_command(session: Session, _options: ConfigSchemaOptions) -> int:
    """Print the JSON schema of the config file, for editors."""
    from orchestrator.actions import config_file  # noqa: PLC0415 - imported when the command runs

    config_file.show_schema(session)
    return ExitCode.DONE
