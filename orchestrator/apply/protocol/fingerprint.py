"""Is this still the same file: a listed entry against what a plan expects, or against another entry."""

from __future__ import annotations

from orchestrator.plan.model import Operation
from orchestrator.records import Entry


def common_hashes(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The hash types that both sides know, sorted."""
    return sorted(one.keys() & other.keys())


def same_content_by_hash(one: Entry, other: Entry) -> bool | None:
    """Whether two entries hold the same bytes as far as sizes and common hashes tell; None when they do not tell."""
    if one.size is not None and other.size is not None and one.size != other.size:
        return False
    common = common_hashes(one.hashes, other.hashes)
    if not common:
        return None
    return all(one.hashes[kind].lower() == other.hashes[kind].lower() for kind in common)


def expected(operation: Operation) -> Entry:
    """What the operation's source must be, as an entry."""
    return Entry(
        path=operation.src.path, size=operation.size, mtime_ns=operation.expect.mtime, hashes=dict(operation.expect.hash)
    )


def same_file(one: Entry, other: Entry, precision_ns: int | None) -> bool:
    """Whether two sights of a file on one storage are of the same state of it.

    Common hashes decide; without one size and modification time stand, the time within `precision_ns` where both are known.
    """
    by_hash = same_content_by_hash(one, other)
    if by_hash is not None:
        return by_hash
    if one.mtime_ns is None or other.mtime_ns is None or precision_ns is None:
        return True
    return abs(one.mtime_ns - other.mtime_ns) <= precision_ns
