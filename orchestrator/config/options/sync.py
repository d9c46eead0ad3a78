"""`sync` as a step of a job. The config accepts it; no command uses it yet."""

from __future__ import annotations

from typing import Annotated, Literal

from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import MaxDelete


class SyncOptions(Options, frozen=True):
    """`sync`."""

    a: Annotated[str, argument("One side.", completes="location")]
    b: Annotated[str, argument("The other side.", completes="location")]
    mode: Annotated[Literal["to-cloud", "to-local", "bidirectional"], option("The direction of the changes.")]
    max_delete: MaxDelete = None
