"""`sync`, as a command and as a step of a job. No job uses it yet."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from orchestrator.config.options.common import CHANGES
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import Exclude, Include, MaxDelete, PlanFile, Settle

SyncMode = Literal["to-cloud", "to-local", "bidirectional"]


class SyncOptions(Options, frozen=True):
    """`sync`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete")

    a: Annotated[str, argument("One side, A.", completes="location")]
    b: Annotated[str, argument("The other side, B.", completes="location")]
    to_cloud: Annotated[bool, option("Carry changes to the remote only (of two remotes or folders: from A to B).")] = False
    to_local: Annotated[bool, option("Carry changes from the remote to this machine only.")] = False
    bidirectional: Annotated[bool, option("Carry changes both ways (default).")] = False
    delete: Annotated[bool, option("One way: also carry deletions over, into the trash of the target.")] = False
    conflict: Annotated[
        Literal["keep-both", "newer", "older", "larger", "a", "b"] | None,
        option("Which file to keep if both sides have changed it (default: keep-both)."),
    ] = None
    keep_names: Annotated[
        Literal["a", "b"] | None,
        option("First sync both ways: whose names to use for files that differ in nothing else."),
    ] = None
    resync: Annotated[bool, option("Forget the last sync: nothing is deleted, equal files are paired again.")] = False
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None
    plan_file: PlanFile = None


class SyncStep(Options, frozen=True):
    """`sync` as a step of a job."""

    a: Annotated[str, argument("One side.", completes="location")]
    b: Annotated[str, argument("The other side.", completes="location")]
    mode: Annotated[SyncMode, option("The direction of the changes.")]
    max_delete: MaxDelete = None
