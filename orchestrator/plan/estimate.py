"""What a plan will cost, given what the remotes can do: requests, bytes through this machine, a rough time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from orchestrator.paths import remote_of
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Capabilities

_RENAME_REQUESTS = 3
"""Look at both ends, rename."""
_COPY_REQUESTS = 6
"""Look at both ends, copy, look at both again, delete."""
_REQUEST_SECONDS = 0.1
_LOCAL_SECONDS = 0.001
_STREAMS = 8
_BYTES_PER_SECOND = 10_000_000


def passes_through(operation: Operation, capabilities: Mapping[str, Capabilities]) -> bool:
    """Whether an operation transfers the content from or to a remote through this machine."""
    if operation.verb is Verb.REWRITE:
        return False  # it only uploads the new text of a list
    source, target = capabilities[operation.src.fs], capabilities[operation.dst.fs]
    if source.local and target.local:
        return False
    if remote_of(operation.src.fs) != remote_of(operation.dst.fs):
        return True
    if operation.verb is Verb.COPY:
        return not target.copy
    return not (target.move or target.copy)


def estimate(operations: Iterable[Operation], capabilities: Mapping[str, Capabilities]) -> dict[str, float | int | None]:
    """requests, bytes, cost (None: no prices known), seconds."""
    requests = content = 0
    seconds = 0.0
    for operation in operations:
        target = capabilities[operation.dst.fs]
        renames = (
            operation.verb not in {Verb.COPY, Verb.REWRITE}
            and remote_of(operation.src.fs) == remote_of(operation.dst.fs)
            and target.move
        )
        calls = _RENAME_REQUESTS if renames else _COPY_REQUESTS
        requests += calls
        seconds += calls * (_LOCAL_SECONDS if target.local else _REQUEST_SECONDS) / _STREAMS
        if passes_through(operation, capabilities):
            content += operation.size or 0
        elif operation.content is not msgspec.UNSET:
            content += len(operation.content) * 3 // 4
    return {"requests": requests, "bytes": content, "cost": None, "seconds": round(seconds + content / _BYTES_PER_SECOND, 1)}
