"""Giving a staged file its final name (see `orchestrator.storage.protocol.Naming`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.errors import DestinationExistsError
from orchestrator.storage.protocol import Call, CallResult, GiveCall, StatCall


def look_then_give(calls: Sequence[GiveCall], send: Callable[[Sequence[Call]], Sequence[CallResult]]) -> list[CallResult]:
    """As Naming.CAUGHT: a look at each destination, then the moves, which keep in `trash` what turned up meanwhile."""
    looks = send([StatCall(call.dst) for call in calls])
    results = [look and taken(call, look) for call, look in zip(calls, looks, strict=True)]
    first = {call.dst: number for number, call in reversed([*enumerate(calls)])}
    free = [number for number, result in enumerate(results) if result is None and first[calls[number].dst] == number]
    for number, result in zip(free, send([calls[number] for number in free]) if free else (), strict=True):
        results[number] = result
    later = [number for number, call in enumerate(calls) if looks[number] is None and first[call.dst] != number]
    if later:  # two files of one batch for one name: the moves would not see each other
        for number, result in zip(later, look_then_give([calls[number] for number in later], send), strict=True):
            results[number] = result
    return results


def taken(call: GiveCall, look: CallResult) -> CallResult:
    """The result for a destination where a look found something, or failed."""
    return look if isinstance(look, Exception) else DestinationExistsError(f"{call.dst}: already exists", path=call.dst)
