"""`show` and `apply`: plan files."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES, CONFIGURED
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import VerifyCopies

PlanFileArgument = Annotated[str, argument("The plan file.", completes="file")]


class ShowOptions(Options, frozen=True):
    """`show`."""

    common: ClassVar[tuple[str, ...]] = CONFIGURED

    file: PlanFileArgument
    html: Annotated[str | None, option("Save the plan as a self-contained web page.", metavar="OUT")] = None


class ApplyOptions(Options, frozen=True):
    """`apply`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete")

    file: PlanFileArgument
    verify: VerifyCopies = None
