"""`remotes list` and `remotes check`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CONFIGURED
from orchestrator.config.options.declare import Options, argument


class RemotesListOptions(Options, frozen=True):
    """`remotes list`."""

    common: ClassVar[tuple[str, ...]] = (*CONFIGURED, "rclone", "rclone_config")


class RemotesCheckOptions(Options, frozen=True):
    """`remotes check`."""

    common: ClassVar[tuple[str, ...]] = (*CONFIGURED, "rclone", "rclone_config")

    remote: Annotated[str, argument("A remote's name, or a location.", completes="location")]
