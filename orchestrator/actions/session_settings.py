"""The settings of a session: options first, then the environment and the config file."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from orchestrator.actions.remote_definitions import rclone_config_file
from orchestrator.config.cloud import bandwidth_of
from orchestrator.config.loading import LoadedConfig, load
from orchestrator.config.model import Cloud, Config
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.setting_syntax import Limit, parse_bandwidth, parse_limit, parse_money, parse_size
from orchestrator.state import chosen_directory, state_directory
from orchestrator.user_paths import user_path

DEFAULT_TRANSFERS = 8


class Settings:
    """What options, environment and config say together."""

    def __init__(self, options: CommonOptions) -> None:
        self.options = options
        self.in_cloud = False  # whether the command uses the cloud of the config, so that its limits apply

    @cached_property
    def loaded_config(self) -> LoadedConfig:
        """The config, and where each value comes from. Raises ConfigError."""
        return load(self.options.config)

    @property
    def config(self) -> Config:
        """The config. Raises ConfigError."""
        return self.loaded_config.config

    @property
    def transfers(self) -> int:
        """How many transfers run at the same time."""
        of_cloud = self.cloud_in_use.max_concurrent_uploads if self.cloud_in_use is not None else None
        return self.options.transfers or of_cloud or self.config.transfers or DEFAULT_TRANSFERS

    @property
    def bandwidth(self) -> str | None:
        """The limit of the bandwidth in rclone's syntax. Raises UsageError."""
        of_cloud = bandwidth_of(self.cloud_in_use) if self.cloud_in_use is not None else None
        if self.options.bandwidth is None and of_cloud is not None:
            return of_cloud
        return parse_bandwidth(self.options.bandwidth or self.config.bandwidth, self.named_setting("bandwidth"))

    @property
    def cloud_in_use(self) -> Cloud | None:
        """The section `cloud` of the config, once a location in it was named: from then on, its limits apply."""
        return self.config.cloud if self.in_cloud else None

    @property
    def max_delete(self) -> Limit | None:
        """How many files may be removed. Raises UsageError."""
        chosen = self.options.max_delete if self.options.max_delete is not None else self.config.max_delete
        return parse_limit(chosen, self.named_setting("max_delete"))

    @property
    def max_cost(self) -> float | None:
        """How much a plan may cost. Raises UsageError."""
        return parse_money(self.options.max_cost)

    @property
    def max_transfer(self) -> int | None:
        """How many bytes a plan may send through this machine. Raises UsageError."""
        return parse_size(self.options.max_transfer)

    @cached_property
    def state(self) -> Path:
        """The state directory."""
        return state_directory(self.options.state_dir or self.config.state_dir)

    @property
    def rclone_version_file(self) -> Path:
        """The file that remembers the version of the rclone binary. Its folder need not exist."""
        from orchestrator.rclone.known_version import VERSION_FILE  # noqa: PLC0415 - not every command needs rclone

        return chosen_directory(self.options.state_dir or self.config.state_dir, os.environ) / VERSION_FILE

    @property
    def log_file(self) -> Path | None:
        """The log file, if one is set."""
        chosen = self.options.log_file or self.config.log_file
        return user_path(chosen).absolute() if chosen else None

    @property
    def rclone_config(self) -> Path | None:
        """The rclone config file that the user set; None for rclone's default. Raises UsageError when there is no such file."""
        return rclone_config_file(self.options.rclone_config or self.config.rclone_config)

    def check_options(self) -> None:
        """Check the common options before any work. Raises UsageError."""
        parse_limit(self.options.max_delete)
        parse_bandwidth(self.options.bandwidth)
        parse_money(self.options.max_cost)
        parse_size(self.options.max_transfer)

    def named_setting(self, key: str) -> str:
        """How a message names a setting: its option, its environment variable, or its file, line and key."""
        return f"--{key.replace('_', '-')}" if getattr(self.options, key) is not None else self.loaded_config.label(key)
