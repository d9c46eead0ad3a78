"""`sync`, as a command and as a step of a job."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from orchestrator.config.options.common import CHANGES
from orchestrator.config.options.declare import Options, argument, option
from orchestrator.config.options.shared import Checksum, Exclude, Include, MaxDelete, PlanFile, Settle

Mode = Literal["to-cloud", "to-local", "bidirectional"]
_A = argument("One side, A.", completes="location")
_B = argument("The other side, B.", completes="location")


_CONFLICT = option("Which file to keep if both sides have changed it (default: keep-both).")


class SyncChoices(Options, frozen=True):
    """What the command and a step of a job have in common."""

    delete: Annotated[bool, option("One way: also carry deletions over, into the trash of the target.")] = False
    delete_after: Annotated[
        bool, option("One way: delete each file at the source for good once its copy at the target was verified in full.")
    ] = False
    conflict: Annotated[Literal["keep-both", "newer", "older", "larger", "a", "b"] | None, _CONFLICT] = None
    keep_names: Annotated[
        Literal["a", "b"] | None,
        option("First sync both ways: whose names to use for files that only differ in their names."),
    ] = None
    checksum: Checksum = False
    include: Include = ()
    exclude: Exclude = ()
    settle: Settle = None


class SyncOptions(SyncChoices, frozen=True, kw_only=True):
    """`sync`."""

    common: ClassVar[tuple[str, ...]] = (*CHANGES, "max_delete", "strict")

    a: Annotated[str, _A]
    b: Annotated[str | None, _B] = None
    conflict: Annotated[Literal["keep-both", "newer", "older", "larger", "a", "b", "ask"] | None, _CONFLICT] = None  # type: ignore[assignment]
    """As in a step of a job; "ask" shows the conflicts to the person at the terminal."""
    to_cloud: Annotated[
        bool | str,
        option(
            "Carry changes to the remote only (of two remotes or folders: from A to B). B may also be given as --to-cloud=B.",
            metavar="=B",
            completes="location",
        ),
    ] = False
    to_local: Annotated[
        bool | str,
        option(
            "Carry changes from the remote to this machine only. B may also be given as --to-local=B.",
            metavar="=B",
            completes="location",
        ),
    ] = False
    bidirectional: Annotated[
        bool, option("Carry changes both ways (default, unless `cloud.sync_mode` in the config says otherwise).")
    ] = False
    resync: Annotated[bool, option("Forget the last sync, as if this were the first one.")] = False
    plan_file: PlanFile = None


class SyncStep(SyncChoices, frozen=True, kw_only=True):
    """`sync` as a step of a job."""

    a: Annotated[str, _A]
    b: Annotated[str, _B]
    mode: Annotated[
        Mode | None, option("The direction of the changes (default: cloud.sync_mode for that cloud, otherwise bidirectional).")
    ] = None
    max_delete: MaxDelete = None
