"""`run`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES
from orchestrator.config.options.declare import Options, argument, option


class RunOptions(Options, frozen=True):
    """`run`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete", "strict")

    jobs: Annotated[
        tuple[str, ...],
        argument("Jobs of the config (default: all, in the order of the file).", metavar="JOB", completes="job"),
    ] = ()
    wait: Annotated[
        str | None,
        option("Wait so long for another run to end, such as 10m (default: end with 8 at once).", metavar="TIME"),
    ] = None
    max_duration: Annotated[
        str | None,
        option("Begin nothing more after this time, such as 4h, and end with 7; the next run continues.", metavar="TIME"),
    ] = None
