"""What stays behind where music leaves: named for the user, or swept away where it is mere clutter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from orchestrator.paths import collision_key, directories_above, is_clutter, join_location, parent_of, parents_of
from orchestrator.plan.companions.sidecars import Companion, Kind
from orchestrator.plan.companions.sorting import is_music
from orchestrator.plan.model import Expect, Skipped, Verb
from orchestrator.plan.ordering import Move
from orchestrator.plan.shared_names import name_in_quarantine
from orchestrator.records import Entry, Item, Ref


def left_behind(companions: Iterable[Companion], leaving: Collection[str], keeping_music: Iterable[str]) -> Iterator[Skipped]:
    """The files beside the music that stay in directories which lose music: they may be missed there.

    `leaving` are the source paths of operations, `keeping_music` the paths of the source at which there is music afterwards.
    """
    left = {parent_of(path) for path in leaving}
    left_or_above = left | directories_above(leaving)
    alive = directories_above(keeping_music)
    for companion in companions:
        home, path = companion.home, companion.item.entry.path
        if path in leaving:
            continue
        if home in left or (home in left_or_above and home not in alive):
            if companion.kind is Kind.AMBIGUOUS:
                reason = "it lies or would lie in a directory of several albums: it stays"
                yield Skipped(path, "ambiguous-sidecar", reason)
            elif companion.kind is Kind.OTHER:
                yield Skipped(path, "other", "neither music nor a known companion of music: it stays")


def left_at_target(there: Iterable[Item], fs: str, gone: Collection[str], arriving: Iterable[str]) -> Iterator[Skipped]:
    """What lies beside the duplicates that go from another target, where no music is left. A run moves nothing there."""
    if not gone:
        return
    music = {item.entry.path for item in there if is_music(item)}.difference(gone).union(arriving)
    alive = {parent_of(path) for path in music}
    left = {parent_of(path) for path in gone} - alive
    for path in sorted({item.entry.path for item in there} - music - set(gone)):
        nearest = next((place for place in parents_of(path, root=True) if place in alive or place in left), None)
        if nearest in left and not is_clutter(path):
            yield Skipped(join_location(fs, path), "other", "its music goes as a duplicate of what lies elsewhere: it stays")


def sweep(
    clutter: Iterable[tuple[Ref, Entry]], leaving: Collection[str], remaining: Iterable[str], arriving: Collection[str]
) -> Iterator[Move]:
    """Quarantine for clutter that alone would keep a directory alive which is emptied, spelled anew or becomes a file.

    `remaining` are the paths of all other files that the source holds afterwards, `arriving` those that come. The root is
    never emptied.
    """
    alive = directories_above(remaining) | directories_above(arriving)
    left = directories_above(leaving)
    replaced = {collision_key(path) for path in (*directories_above(arriving), *arriving)} if arriving else frozenset[str]()
    for ref, entry in clutter:
        for directory in parents_of(ref.path, root=True):
            if not directory or directory in alive:
                break
            if directory in left or collision_key(directory) in replaced:
                yield quarantine(ref, entry, "clutter in a directory that is emptied")
                break


def quarantine(ref: Ref, entry: Entry, reason: str) -> Move:
    """What takes one file out of the library."""
    expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns)
    return Move(Verb.QUARANTINE, ref, name_in_quarantine(ref), entry.size, expect, reason, parent_of(ref.path))
