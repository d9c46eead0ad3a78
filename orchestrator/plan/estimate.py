"""What a plan will cost, given what the remotes can do: requests, bytes through this machine, a rough time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from orchestrator.paths import remote_of
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Capabilities

_ON_A_DISK = {True: 3, False: 6}
"""Looks and changes of one operation on disks: a rename; a copy that is verified, named and perhaps deleted."""
_RENAME = {True: 8, False: 12}
"""Requests at the server: where looks are made folder by folder (Drive, Dropbox), and elsewhere (WebDAV)."""
_COPY_ON_SERVER = 15
"""A copy by a server that renames: it is staged, and then gets its name (WebDAV)."""
_IN_A_BUCKET = {Verb.COPY: 8, Verb.MOVE: 11}
"""A copy by the bucket; a move is one as well, and a delete (S3)."""
_FROM_REMOTE = {Verb.COPY: 4, Verb.MOVE: 17}
"""What a transfer asks of its source; before the source is deleted, it is renamed and compared (WebDAV)."""
_FROM_BUCKET = {Verb.COPY: 3, Verb.MOVE: 6}
_TO_REMOTE, _TO_BUCKET, _TO_FINAL_NAME = 12, 5, 7
"""What a transfer asks of its target: to stage and name it (WebDAV), to upload it on a condition (S3), or without either."""
_LOOKS_AT_COPY = 3
"""Before the source of a move is deleted whose file the target had before."""
MOVE_IN_BUCKET: Mapping[str, float] = {"look": 7.1, "list": 0.02, "copy": 1, "delete": 1}
"""A move of one file in a bucket, which is a copy and a deletion (S3)."""
MOVE_AT_FLAT_RATE: Mapping[str, float] = {"list": 4, "look": 2, "write": 1}
"""A move of one file where looks are made folder by folder (Drive, Dropbox)."""
_IN_PLACE = 9
"""A copy to the trash and an upload over the name, with all looks (S3; less on Drive and Dropbox)."""
# Measured behind a counting proxy, as in benchmarks/uploads.py, and at the emulated Drive and Dropbox.
_REQUEST_SECONDS = 0.1
_LOCAL_SECONDS = 0.001
_STREAMS = 8
_BYTES_PER_SECOND = 10_000_000


def passes_through(operation: Operation, capabilities: Mapping[str, Capabilities]) -> bool:
    """Whether an operation transfers the content from or to a remote through this machine."""
    if operation.verb is Verb.REWRITE or operation.finishes_move:
        return False  # only the new text of a list is sent, or nothing; a file that has no hash is counted by the planner
    source, target = capabilities[operation.src.fs], capabilities[operation.dst.fs]
    if source.local and target.local:
        return False
    if remote_of(operation.src.fs) != remote_of(operation.dst.fs):
        return True
    if operation.verb in {Verb.COPY, Verb.REPLACE}:
        return not target.copy
    return not (target.move or target.copy)


def estimate(operations: Iterable[Operation], capabilities: Mapping[str, Capabilities]) -> dict[str, float | int | None]:
    """requests, bytes, cost (None: no prices known), seconds."""
    requests = content = 0
    seconds = 0.0
    for operation in operations:
        source, target = capabilities[operation.src.fs], capabilities[operation.dst.fs]
        calls = sum(_requests(operation, source, target))
        requests += calls
        on_disks = source.local and target.local
        seconds += calls * (_LOCAL_SECONDS if on_disks else _REQUEST_SECONDS) / _STREAMS
        if passes_through(operation, capabilities):
            content += operation.size or 0
        elif operation.content is not msgspec.UNSET:
            content += len(operation.content) * 3 // 4
    return {"requests": requests, "bytes": content, "cost": None, "seconds": round(seconds + content / _BYTES_PER_SECOND, 1)}


def requests_at(operations: Iterable[Operation], capabilities: Mapping[str, Capabilities]) -> Counter[str]:
    """How many requests each location gets."""
    found: Counter[str] = Counter()
    for operation in operations:
        at_source, at_target = _requests(operation, capabilities[operation.src.fs], capabilities[operation.dst.fs])
        found[operation.src.fs] += at_source
        found[operation.dst.fs] += at_target
    return found


def _requests(operation: Operation, source: Capabilities, target: Capabilities) -> tuple[int, int]:
    """Requests to the source, and to the target; what happens within one remote counts for the target."""
    if operation.verb is Verb.REPLACE:
        return _replacing(operation, source, target)
    verb = Verb.COPY if operation.verb in {Verb.COPY, Verb.REWRITE} else Verb.MOVE
    within = None if operation.finishes_move else _requests_within(operation, verb, source, target)
    if within is not None:
        return 0, within
    at_source = 0 if source.local else (_FROM_REMOTE if source.move else _FROM_BUCKET)[verb]
    if target.local or operation.finishes_move:
        return at_source, 0 if target.local else _LOOKS_AT_COPY
    staged = target.move or target.copy
    return at_source, _TO_FINAL_NAME if not staged else _TO_REMOTE if target.move else _TO_BUCKET


def _requests_within(operation: Operation, verb: Verb, source: Capabilities, target: Capabilities) -> int | None:
    """What one remote is asked that does it alone; None if the content passes through this machine."""
    on_one_remote = remote_of(operation.src.fs) == remote_of(operation.dst.fs)
    renames = on_one_remote and verb is Verb.MOVE and target.move
    if source.local and target.local:
        return _ON_A_DISK[renames]
    if operation.verb is Verb.REWRITE:
        return _TO_FINAL_NAME  # to a name of ours
    if renames:
        return _RENAME[target.by_directory]
    if on_one_remote and target.copy:
        return _COPY_ON_SERVER if target.move else _IN_A_BUCKET[verb]
    return None


def _replacing(operation: Operation, source: Capabilities, target: Capabilities) -> tuple[int, int]:
    """A copy, and a rename of the old content to the trash; or an upload over it, after the server has copied it there."""
    if target.replaces_in_place and remote_of(operation.src.fs) != remote_of(operation.dst.fs):
        return 0 if source.local else (_FROM_REMOTE if source.move else _FROM_BUCKET)[Verb.COPY], _IN_PLACE
    copy = msgspec.structs.replace(operation, verb=Verb.COPY)
    to_trash = msgspec.structs.replace(operation, verb=Verb.MOVE, src=operation.dst)
    at_source, at_target = _requests(copy, source, target)
    return at_source, at_target + sum(_requests(to_trash, target, target))
