"""`verify`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import SCANS
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import Exclude, Include


class VerifyOptions(Options, frozen=True):
    """`verify`."""

    common: ClassVar[tuple[str, ...]] = (*SCANS, "max_cost", "max_transfer")

    source: Annotated[str, argument("The location whose files are looked for.", completes="location")]
    target: Annotated[str, argument("The location that should hold their contents.", completes="location")]
    full: Annotated[bool, option("Read files in full where no hashes show that they are the same.")] = False
    restart: Annotated[bool, option("Read everything again, also what an interrupted verify has read.")] = False
    manifest: Annotated[
        str | None,
        option("Write what was found of each file, with its hashes, to this file.", metavar="FILE", completes="file"),
    ] = None
    include: Include = ()
    exclude: Exclude = ()
