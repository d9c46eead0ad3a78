"""`show` and `apply`: plan files."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CHANGES, STATE
from orchestrator.config.options.declare import Options, argument
from orchestrator.config.options.shared import Page, VerifyCopies

PlanFileArgument = Annotated[str, argument("The plan file.", completes="file")]


class ShowOptions(Options, frozen=True):
    """`show`."""

    common: ClassVar[tuple[str, ...]] = STATE

    file: PlanFileArgument
    html: Page = None


class ApplyOptions(Options, frozen=True):
    """`apply`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete")

    file: PlanFileArgument
    verify: VerifyCopies = None
