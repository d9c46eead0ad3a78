"""Where apply puts things: the names under OWN_DIRECTORY, and which paths are allowed at all."""

from __future__ import annotations

import unicodedata

from orchestrator.plan.model import Operation, Verb
from orchestrator.records import OWN_DIRECTORY, Ref

QUARANTINE = f"{OWN_DIRECTORY}/quarantine"
DAMAGED = ".damaged"
TRASH = f"{OWN_DIRECTORY}/trash"
EMPTIED = "emptied-"


def trash_of(run_id: str, attempt: int) -> str:
    """The net of one attempt. Destinations are unique in a plan, so nothing in it is ever replaced."""
    return f"{TRASH}/{run_id}/{attempt}"


def emptied_of(run_id: str, token: str) -> str:
    """Where a run puts directories that it has emptied and may not delete; `token` is a new one each time."""
    return f"{TRASH}/{run_id}/{EMPTIED}{token}"


def quarantine_of(run_id: str) -> str:
    """Where a run puts what it takes out of the library."""
    return f"{QUARANTINE}/{run_id}"


def bad_object_of(run_id: str, attempt: int, path: str) -> str:
    """Where a damaged copy of ours goes."""
    return f"{QUARANTINE}/{run_id}{DAMAGED}/{attempt}/{path}"


def kept_away(path: str) -> bool:
    """Whether a path lies in the quarantine or the trash."""
    return path.startswith((QUARANTINE + "/", TRASH + "/"))


def is_removal(operation: Operation) -> bool:
    """Whether an operation deletes for good. Only what is in the quarantine or the trash can be; all else goes there first."""
    return operation.verb is Verb.DELETE and kept_away(operation.src.path)


def place(operation: Operation, run_id: str) -> Ref:
    """Where an operation puts its file: `dst`, or the place in the quarantine of the location that the file lies in."""
    if operation.verb is Verb.QUARANTINE or (operation.verb is Verb.DELETE and not is_removal(operation)):
        return Ref(operation.src.fs, f"{quarantine_of(run_id)}/{operation.dst.path}")
    return operation.dst


def folded(path: str) -> str:
    """The same for all names that some storage takes for one: they differ in case or Unicode form only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
