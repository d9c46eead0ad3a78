"""`status`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import STATE
from orchestrator.config.options.declare import Options, argument


class StatusOptions(Options, frozen=True):
    """`status`."""

    common: ClassVar[tuple[str, ...]] = STATE

    jobs: Annotated[
        tuple[str, ...],
        argument(
            "Jobs of the config, with the last runs of each (default: all, with the last one).", metavar="JOB", completes="job"
        ),
    ] = ()
