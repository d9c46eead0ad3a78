"""Move one file to another name on its storage, outside the steps of an operation.

Where the server cannot rename, rclone's own move deletes what another program puts at either name meanwhile: at the new one
because it differs from what was copied, at the old one because that was copied before. So here it is a copy, looks, and a delete.
"""

from __future__ import annotations

from orchestrator.apply.protocol.batches import send_one
from orchestrator.apply.protocol.fingerprint import unchanged
from orchestrator.apply.protocol.same_bytes import Match, compare
from orchestrator.errors import DestinationExistsError, OrchestratorError, PermanentError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, StatCall, Storage


def move_file(storage: Storage, src: str, dst: str, trash: str, *, was: Entry) -> None:
    """Move a file that was just seen as `was`. `trash` as for MoveCall.

    Raises the storage's errors, and DestinationExistsError when `dst` is taken. After an error the file may be at both names.
    """
    if storage.capabilities.move:
        storage.move(src, dst)
        return
    if _done(storage, StatCall(dst)) is not None:
        raise DestinationExistsError(f"{dst}: already exists", path=dst)
    _done(storage, CopyCall(src, dst, trash))
    copy = _done(storage, StatCall(dst))
    if copy is None or compare(storage, was, storage, copy, read_if_needed=False) is Match.DIFFERENT:
        raise PermanentError(f"{dst}: a copy of {src} was put there, and is gone or differs now; what is there stays", path=dst)
    now = _done(storage, StatCall(src))
    if now is not None and not unchanged(was, now, storage.capabilities.mtime_precision_ns):
        raise PermanentError(f"{src}: changed while it was copied to {dst}; both stay", path=src)
    if now is not None:
        _done(storage, DeleteCall(src, seen=True))


def moved(storage: Storage, src: str, dst: str, trash: str, *, was: Entry) -> CallResult:
    """The same; an error is the result."""
    try:
        move_file(storage, src, dst, trash, was=was)
    except OrchestratorError as error:
        return error
    return None


def _done(storage: Storage, call: Call) -> Entry | None:
    result = send_one(storage, call)
    if isinstance(result, OrchestratorError):
        raise result
    return result
