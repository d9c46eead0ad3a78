"""What would stay behind where music leaves: reported to the user, or quarantined if it is mere clutter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from orchestrator.paths import collision_key, directories_above, is_clutter, join_location, parent_of, parents_of
from orchestrator.plan.companions.records import Companion, CompanionKind
from orchestrator.plan.companions.sorting import is_music
from orchestrator.plan.model import IS_CLUTTER, Skipped
from orchestrator.plan.ordering import Move
from orchestrator.plan.shared_names import quarantine_move
from orchestrator.records import Entry, Item, Ref


def left_behind(
    companions: Iterable[Companion], leaving: Collection[str], remaining_music: Iterable[str], *, emptied: bool = False
) -> Iterator[Skipped]:
    """The companions that stay in directories which lose music; with `emptied`, only in those which keep none.

    What lies in a directory below with music of its own is not meant.

    `leaving` are the source paths of operations, `remaining_music` the paths of the source with music afterwards.
    """
    left = {parent_of(path) for path in leaving}
    left_or_above = left | directories_above(leaving)
    beside_music = {parent_of(path) for path in remaining_music}
    with_music = directories_above(beside_music) | beside_music
    for companion in companions:
        directory, path = companion.music_directory, companion.item.entry.path
        above = (one for one in parents_of(path, root=True) if one == directory or one in beside_music)
        if path in leaving or next(above, directory) != directory or (emptied and directory in beside_music):
            continue
        if directory in left or (directory in left_or_above and directory not in with_music):
            if companion.kind is CompanionKind.AMBIGUOUS:
                yield Skipped(
                    path, "ambiguous-sidecar", "unclear which album it belongs to: several are, or would be, in its folder"
                )
            elif companion.kind is CompanionKind.ABOVE_ALBUM:
                yield Skipped(path, "other", "not in the folder of an album, but above it")
            elif companion.kind is CompanionKind.OTHER:
                yield Skipped(path, "other", "not music, and no rule says what it belongs to")


def left_behind_at_target(
    items: Collection[Item], fs: str, quarantined: Collection[str], arriving: Iterable[str]
) -> Iterator[Skipped]:
    """What stays in directories of another target that lose all their music to the quarantine. A run moves nothing there."""
    if not quarantined:
        return
    music = {item.entry.path for item in items if is_music(item)}.difference(quarantined).union(arriving)
    with_music = {parent_of(path) for path in music}
    emptied = {parent_of(path) for path in quarantined} - with_music
    for path in sorted({item.entry.path for item in items} - music - set(quarantined)):
        nearest = next((above for above in parents_of(path, root=True) if above in with_music or above in emptied), None)
        if nearest in emptied and not is_clutter(path):
            yield Skipped(join_location(fs, path), "other", "its music is quarantined: the kept copies are elsewhere")


class EmptiedDirectories:
    """The directories that lose all that keeps them alive, and those that are respelled or replaced by a file."""

    def __init__(self, leaving: Collection[str], remaining: Iterable[str], arriving: Collection[str]) -> None:
        """`remaining` are the paths of all files in the source afterwards but clutter, `arriving` those that come."""
        self._kept = directories_above(remaining) | directories_above(arriving)
        self._left = directories_above(leaving)
        self._replaced = {collision_key(path) for path in (*directories_above(arriving), *arriving)} if arriving else set[str]()

    def any_above(self, path: str) -> bool:
        """Whether a path lies in one of them. The root is never emptied."""
        for directory in parents_of(path, root=True):
            if not directory or directory in self._kept:
                return False
            if directory in self._left or collision_key(directory) in self._replaced:
                return True
        return False


def quarantine_clutter(clutter: Iterable[tuple[Ref, Entry]], emptied: EmptiedDirectories) -> Iterator[Move]:
    """Quarantine clutter that alone keeps a directory from being emptied, respelled or replaced by a file."""
    for ref, entry in clutter:
        if emptied.any_above(ref.path):
            yield quarantine_move(ref, entry, IS_CLUTTER)
