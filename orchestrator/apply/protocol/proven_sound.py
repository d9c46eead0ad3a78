"""The proof that a kept copy holds its sound, before a duplicate with other bytes is deleted for good."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from orchestrator.errors import TransientError
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import Storage
from orchestrator.tags.proof import Proof, ProofResult, prove


class ProvenSound:
    """The proofs of one run: a kept copy of several duplicates is read once, as long as it does not change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[Ref, int | None, str], Proof] = {}

    def why_not(self, kept: Ref, storage: Storage, now: Entry) -> str | None:
        """Read the kept copy in full; the reason if that does not prove its sound. Raises the storage's errors."""
        if kept.object_id is not None:
            return f"several files are called {now.path}, so it could not be read by itself"
        state = (kept, now.mtime_ns, repr(sorted(now.hashes.items())))
        with self._lock:
            known = self._known.get(state)
        if known is None:
            known = prove(_whole(storage, now))
            if now.mtime_ns is not None or now.hashes:
                with self._lock:
                    self._known[state] = known
        if known.result is ProofResult.DAMAGED:
            return f"its kept copy {now.path} is damaged ({known.why}): bring this file back with `quarantine restore`"
        if known.result is ProofResult.UNPROVABLE:
            return f"nothing proves its kept copy {now.path} ({known.why})"
        return None


def _whole(storage: Storage, entry: Entry) -> Iterator[bytes]:
    """The content. Raises TransientError where it ends early: that says nothing about the file."""
    length = 0
    for block in storage.read(entry.path):
        length += len(block)
        yield block
    if entry.size is not None and length < entry.size:
        raise TransientError(f"{entry.path}: only {length:,} of {entry.size:,} bytes arrived", path=entry.path)
