"""Whether a file is still the same: its listed entry against what the plan expects, or against another entry."""

from __future__ import annotations

from orchestrator.plan.model import Operation
from orchestrator.records import Entry


def common_hashes(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The hash types that both have, sorted."""
    return sorted(one.keys() & other.keys())


def same_content_by_hash(one: Entry, other: Entry) -> bool | None:
    """Whether two entries hold the same bytes; None when neither their sizes nor a common hash can decide."""
    if one.size is not None and other.size is not None and one.size != other.size:
        return False
    common = common_hashes(one.hashes, other.hashes)
    if not common:
        return None
    return all(one.hashes[kind].lower() == other.hashes[kind].lower() for kind in common)


def expected(operation: Operation) -> Entry:
    """The entry that the operation's source must have."""
    return Entry(
        path=operation.src.path, size=operation.size, mtime_ns=operation.expect.mtime, hashes=dict(operation.expect.hash)
    )


def unchanged(before: Entry, now: Entry, precision_ns: int | None) -> bool:
    """Whether two looks at one path, one soon after the other, show the same file in the same state.

    A server that does not store our times still shows with its own whether the file was written to.
    """
    if not same_file(before, now, precision_ns):
        return False
    if precision_ns is not None or common_hashes(before.hashes, now.hashes):
        return True
    return None in {before.mtime_ns, now.mtime_ns} or before.mtime_ns == now.mtime_ns


def same_file(one: Entry, other: Entry, precision_ns: int | None) -> bool:
    """Whether two looks at a file on one storage show it in the same state.

    Common hashes decide. Without any, size and modification time do, where both times are known, within `precision_ns`.
    """
    by_hash = same_content_by_hash(one, other)
    if by_hash is not None:
        return by_hash
    if one.mtime_ns is None or other.mtime_ns is None or precision_ns is None:
        return True
    return abs(one.mtime_ns - other.mtime_ns) <= precision_ns
