"""What a sync does on each side, counted: as the header of its plan says before, from what was done afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from orchestrator.plan.model import Header, Operation, Verb, is_temporary

COUNTS = (
    *(f"{side}_{what}" for what in ("added", "changed", "renamed", "deleted") for side in "ab"),
    *("conflicts", "bytes_to_a", "bytes_to_b"),
)
"""Also the keys in the summary of `--json`."""
_WORDS = {Verb.COPY: "added", Verb.REPLACE: "changed", Verb.MOVE: "renamed", Verb.DELETE: "deleted"}


def planned_each_way(header: Header) -> dict[str, int]:
    """What is planned on each side."""
    return {name: header.counts.get(name, 0) for name in COUNTS}


def done_each_way(header: Header, done: Iterable[Operation]) -> dict[str, int]:
    """What these operations of a plan have done. Conflicts were settled as planned."""
    counts: Counter[str] = Counter()
    sides: Mapping[str, str] = {header.source: "a", header.target: "b"}
    for operation in done:
        side = sides.get(operation.dst.fs)
        if side is None or operation.finishes_move or is_temporary(operation.dst.path):
            continue
        arrives = operation.src.fs != operation.dst.fs
        counts[f"{side}_{'added' if arrives and operation.verb is Verb.MOVE else _WORDS.get(operation.verb, 'changed')}"] += 1
        if arrives:
            counts[f"bytes_to_{side}"] += operation.size or 0
    counts["conflicts"] = header.counts.get("conflicts", 0)
    return {name: counts[name] for name in COUNTS}
