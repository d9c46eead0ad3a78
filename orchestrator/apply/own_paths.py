"""The paths that apply uses below OWN_DIRECTORY: quarantine, trash, damaged copies."""

from __future__ import annotations

import unicodedata

from orchestrator.plan.model import Operation, Verb
from orchestrator.records import OWN_DIRECTORY, Ref

QUARANTINE = f"{OWN_DIRECTORY}/quarantine"
DAMAGED = ".damaged"
TRASH = f"{OWN_DIRECTORY}/trash"
EMPTIED = "emptied-"


def trash_of(run_id: str, attempt: int) -> str:
    """The directory for files that lie unexpectedly at a destination, one for each attempt of a run.

    Destinations are unique in a plan, so no file in it is ever replaced.
    """
    return f"{TRASH}/{run_id}/{attempt}"


def emptied_of(run_id: str, token: str) -> str:
    """The directory for emptied directories that may not be deleted; `token` must be new each time."""
    return f"{TRASH}/{run_id}/{EMPTIED}{token}"


def quarantine_of(run_id: str) -> str:
    """The directory for the files that a run quarantines."""
    return f"{QUARANTINE}/{run_id}"


def damaged_copy_of(run_id: str, attempt: int, path: str) -> str:
    """The path for a copy of ours that arrived damaged at `path`."""
    return f"{QUARANTINE}/{run_id}{DAMAGED}/{attempt}/{path}"


def deletes_for_good(operation: Operation) -> bool:
    """Whether an operation deletes its file for good.

    Only files in the quarantine or the trash are deleted for good; a DELETE of any other file moves it to the quarantine.
    """
    return operation.verb is Verb.DELETE and operation.src.path.startswith((QUARANTINE + "/", TRASH + "/"))


def destination_of(operation: Operation, run_id: str) -> Ref:
    """Where an operation puts its file: `dst`, or for a quarantined file its path in the quarantine of this run."""
    if operation.verb is Verb.QUARANTINE or (operation.verb is Verb.DELETE and not deletes_for_good(operation)):
        return Ref(operation.src.fs, f"{quarantine_of(run_id)}/{operation.dst.path}")
    return operation.dst


def folded(path: str) -> str:
    """A key that is equal for paths that differ only in case or Unicode form, which some storages treat as one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
