"""What stays behind where music leaves: named for the user, or swept away where it is mere clutter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from orchestrator.plan.model import Expect, Operation, Ref, Skipped, Verb, operation_id
from orchestrator.plan.request import Item
from orchestrator.plan.sidecars import Companion, Kind, above


def left_behind(companions: Iterable[Companion], leaving: Collection[str], keeping_music: Iterable[str]) -> Iterator[Skipped]:
    """The files beside the music that stay in directories which lose music: they may be missed there.

    `leaving` are the source paths of operations, `keeping_music` the paths of the source at which there is music afterwards.
    """
    left = {path.rpartition("/")[0] for path in leaving}
    left_or_above = left | directories_above(leaving)
    alive = directories_above(keeping_music)
    for companion in companions:
        home, path = companion.home, companion.item.entry.path
        if home in left or (home in left_or_above and home not in alive):
            if companion.kind is Kind.AMBIGUOUS:
                reason = "it lies or would lie in a directory of several albums: it stays"
                yield Skipped(path, "ambiguous-sidecar", reason)
            elif companion.kind is Kind.OTHER:
                yield Skipped(path, "other", "neither music nor a known companion of music: it stays")


def sweep(fs: str, clutter: Iterable[Item], leaving: Collection[str], remaining: Iterable[str]) -> Iterator[Operation]:
    """Quarantine for clutter that alone would keep an emptied directory alive. The root is never emptied.

    `remaining` are the paths of all other files that the source holds afterwards.
    """
    alive = directories_above(remaining)
    left = directories_above(leaving)
    for item in clutter:
        for directory in above(item.entry.path):
            if not directory or directory in alive:
                break
            if directory in left:
                ref = Ref(fs, item.entry.path)
                yield quarantine(ref, item.entry.size, Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns), "clutter")
                break


def quarantine(ref: Ref, size: int | None, expect: Expect, reason: str) -> Operation:
    """The operation that takes one file out of the library."""
    return Operation(
        id=operation_id(Verb.QUARANTINE, ref, ref),
        verb=Verb.QUARANTINE,
        src=ref,
        dst=ref,
        size=size,
        expect=expect,
        reason=reason,
        group=ref.path.rpartition("/")[0],
    )


def directories_above(paths: Iterable[str]) -> set[str]:
    """Every directory that one of the paths lies in, at any depth, the root ("") with them."""
    seen: set[str] = set()
    for path in paths:
        for directory in above(path):
            if directory in seen:
                break
            seen.add(directory)
    return seen
