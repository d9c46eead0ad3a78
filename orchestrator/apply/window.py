"""How much goes into one window: the operations that are recorded together, and looked at after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.apply.own_paths import deletes_for_good, destination_of
from orchestrator.apply.protocol.routes import has_common_hash, is_copied_by_bucket
from orchestrator.plan.model import Operation
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage

_COPIED_BYTES = 128 * 1024 * 1024
"""Bytes that a window copies at most, unless `transfers` files are larger: a crash leaves so much to look at."""


class WindowLimit:
    """One window: up to `operations` operations, limited in bytes to copy, and with no path twice.

    It may exceed the limit in bytes while it holds fewer than `transfers` operations. `may_follow` is asked last about each.
    """

    def __init__(
        self,
        operations: int,
        transfers: int,
        storages: Mapping[str, Storage],
        run_id: str,
        *,
        may_follow: Callable[[Operation], bool],
    ) -> None:
        self._operations = operations
        self._transfers = transfers
        self._storages = storages
        self._run_id = run_id
        self._may_follow = may_follow
        self._touched: set[Ref] = set()
        self._count = 0
        self._bytes = 0

    def fits(self, operation: Operation) -> bool:
        """Whether one more operation fits; if so, it is counted."""
        ends = {operation.src, destination_of(operation, self._run_id)}
        size = (operation.size or 0) if self._may_carry_bytes(operation) else 0
        if self._count and (
            self._count >= self._operations
            or not ends.isdisjoint(self._touched)
            or (self._bytes + size > _COPIED_BYTES and self._count >= self._transfers)
        ):
            return False
        if not self._may_follow(operation):
            return False
        self._touched |= ends
        self._count += 1
        self._bytes += size
        return True

    def _may_carry_bytes(self, operation: Operation) -> bool:
        source, target = self._storages[operation.src.fs], self._storages[operation.dst.fs]
        if is_copied_by_bucket(source, target) and has_common_hash(operation, source, target):
            return False  # after a crash, no file has to be read
        if operation.src.fs != operation.dst.fs or not self._storages[operation.src.fs].capabilities.move:
            return True
        # Before a duplicate is deleted for good, its kept copy of about the same size may be read, and not long before.
        return deletes_for_good(operation) and bool(operation.expect.kept)
