"""`doctor`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.config.options.common import STATE
from orchestrator.config.options.declare import Options


class DoctorOptions(Options, frozen=True):
    """`doctor`."""

    common: ClassVar[tuple[str, ...]] = (*STATE, "rclone", "rclone_config")
