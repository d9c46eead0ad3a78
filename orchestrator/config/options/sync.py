"""`sync`, as a command and as a step of a job. The config accepts the step; no command uses it yet."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from orchestrator.config.options.common import CHANGES
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import Exclude, Include, MaxDelete, PlanFile, Settle


class SyncChoices(Options, frozen=True):
    """What the command and a step of a job have in common."""

    a: Annotated[str, argument("One side, A.", completes="location")]
    b: Annotated[str, argument("The other side, B.", completes="location")]
    delete: Annotated[bool, option("One way: also carry deletions over, into the trash of the target.")] = False
    conflict: Annotated[
        Literal["keep-both", "newer", "older", "larger", "a", "b"] | None,
        option("Which file to keep if both sides have changed it (default: keep-both)."),
    ] = None
    keep_names: Annotated[
        Literal["a", "b"] | None,
        option("First sync both ways: whose names to use for files that only differ in their names."),
    ] = None
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None


class SyncOptions(SyncChoices, frozen=True):
    """`sync`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete")

    to_cloud: Annotated[bool, option("Carry changes to the remote only (of two remotes or folders: from A to B).")] = False
    to_local: Annotated[bool, option("Carry changes from the remote to this machine only.")] = False
    bidirectional: Annotated[bool, option("Carry changes both ways (default).")] = False
    resync: Annotated[bool, option("Forget the last sync, as if this were the first one.")] = False
    plan_file: PlanFile = None


class SyncStep(SyncChoices, frozen=True, kw_only=True):
    """`sync` as a step of a job."""

    mode: Annotated[Literal["to-cloud", "to-local", "bidirectional"], option("The direction of the changes.")]
    max_delete: MaxDelete = None
