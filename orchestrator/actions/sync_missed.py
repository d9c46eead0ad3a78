"""Files that a server's listing left out, although they are there: they would count as deleted, and be deleted on the other side.

Servers list from an index, which may be behind, or skip entries. So before a deletion is carried over from a server, the file is
looked for there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orchestrator.errors import AuthError, RateLimitError, TransientError
from orchestrator.paths import case_key
from orchestrator.records import Entry
from orchestrator.storage.protocol import StatCall, Storage

_MOST_LOOKS = 100
"""Of more deletions, so many are looked for, evenly spread; all of them only if one is found."""


def missed_by_listing(storage: Storage, gone: Collection[str], listed: Collection[str]) -> list[Entry]:
    """The files at the paths `gone` that are there after all. `listed`: the paths that were listed.

    None on a disk of this machine, whose listing is what there is. Raises the storage's errors.
    """
    if storage.capabilities.local or not gone:
        return []
    spelled = {case_key(path) for path in listed}  # a look may find a file under another spelling
    wanted = [path for path in sorted(gone) if case_key(path) not in spelled]
    some = wanted[:: max(1, len(wanted) // _MOST_LOOKS)]
    found = _there(storage, some)
    if found and len(some) < len(wanted):
        found += _there(storage, sorted({*wanted} - {*some}))
    return found


def _there(storage: Storage, paths: Sequence[str]) -> list[Entry]:
    found: list[Entry] = []
    for answer in storage.batch([StatCall(path) for path in paths]):
        if isinstance(answer, TransientError | RateLimitError | AuthError):
            raise answer
        if isinstance(answer, Entry):
            found.append(answer)
    return found
