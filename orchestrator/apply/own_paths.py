"""The paths that apply uses below OWN_DIRECTORY: quarantine, trash, damaged copies, copies that wait for their names."""

from __future__ import annotations

import re
import unicodedata

from orchestrator.paths import extension_of, join_path
from orchestrator.plan.model import TEMPORARY, Operation, Verb
from orchestrator.records import OWN_DIRECTORY, Ref

QUARANTINE = f"{OWN_DIRECTORY}/quarantine"
DAMAGED = ".damaged"
TRASH = f"{OWN_DIRECTORY}/trash"
EMPTIED = "emptied-"
SOURCES = "sources"
"""The directory in a run's trash for sources that are about to be deleted."""
_DELETED = "deleted"
_REPLACED = "replaced"
_REPLACED_FLAT = "replaced-flat"
_FLAT = "="
"""Instead of the slashes of a path in one name. Every server takes it, and names of music seldom have it."""
_MOST_FLAT_BYTES = 140
"""Encrypted names may be 143 bytes long."""


def staging_of(run_id: str) -> str:
    """The directory of a run for files on their way: copies that have no name yet, and moves in two steps."""
    return f"{TEMPORARY}/{run_id}"


def staged_copy_of(run_id: str, operation_id: str, destination: str, *, below: str = "") -> str:
    """Where the copy of an operation waits for its name: `<operation id>`, with the extension of its destination.

    From the extension, rclone takes the content type that some servers store. `below` is the root of the destination's file
    system, "" for that of the location.
    """
    return join_path(below, f"{staging_of(run_id)}/{operation_id}{_suffix(destination)}")


def leaving_source_of(run_id: str, operation_id: str, source: str, *, below: str = "") -> str:
    """Where a source whose copy was verified lies just before it is deleted. Extension and `below` as for `staged_copy_of`."""
    return join_path(below, f"{TRASH}/{run_id}/{SOURCES}/{operation_id}{_suffix(source)}")


def _suffix(path: str) -> str:
    extension = extension_of(path)
    return f".{extension}" if re.fullmatch("[a-z0-9]{1,8}", extension) else ""


def trash_of(run_id: str, attempt: int) -> str:
    """The directory for files that lie unexpectedly at a destination, one for each attempt of a run.

    Destinations are unique in a plan, so no file in it is ever replaced.
    """
    return f"{TRASH}/{run_id}/{attempt}"


def deleted_of(run_id: str) -> str:
    """The directory in a run's trash for files of the library that it deletes."""
    return f"{TRASH}/{run_id}/{_DELETED}"


def replaced_of(run_id: str, path: str) -> str:
    """Where a run puts the old content of a file that it replaces.

    All in one folder, where their paths can be names: Google Drive takes three requests to make a folder.
    """
    if "/" in path and _FLAT not in path and len(path.encode()) <= _MOST_FLAT_BYTES:
        return f"{TRASH}/{run_id}/{_REPLACED_FLAT}/{path.replace('/', _FLAT)}"
    return f"{TRASH}/{run_id}/{_REPLACED}/{path}"


def original_of(path: str) -> str:
    """The path that a file in the trash of a run, or a damaged copy, had before."""
    folder, _, original = path.split("/", 3)[3].partition("/")
    return original.replace(_FLAT, "/") if folder == _REPLACED_FLAT else original


def is_wanted_in_trash(path: str) -> bool:
    """Whether a plan has put a file into the trash of a run; the others were in its way."""
    return path.startswith(f"{TRASH}/") and path.split("/")[3:4] in [[_DELETED], [_REPLACED], [_REPLACED_FLAT]]


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

    Only files in the quarantine or the trash are deleted for good; a DELETE of any other file moves it to the trash of the run.
    """
    return operation.verb is Verb.DELETE and operation.src.path.startswith((QUARANTINE + "/", TRASH + "/"))


def destination_of(operation: Operation, run_id: str) -> Ref:
    """Where an operation puts its file: `dst`, or its path in the quarantine or the trash of this run."""
    if operation.verb is Verb.QUARANTINE:
        return Ref(operation.src.fs, f"{quarantine_of(run_id)}/{operation.dst.path}")
    if operation.verb is Verb.DELETE and not deletes_for_good(operation):
        return Ref(operation.src.fs, f"{deleted_of(run_id)}/{operation.dst.path}")
    return operation.dst


def folded(path: str) -> str:
    """A key that is equal for paths that differ only in case or Unicode form, which some storages treat as one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
