"""The companions of the duplicates of one location, and the playlists there that point at duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.paths import (
    collision_key,
    is_clutter,
    is_ours,
    is_rclone_debris,
    join_location,
    join_path,
    location_prefix,
    name_of,
    parent_of,
    parents_of,
    path_problem,
)
from orchestrator.plan.companions.left_behind import left_behind
from orchestrator.plan.companions.matching import CompanionMatcher
from orchestrator.plan.companions.naming import kind_of_list
from orchestrator.plan.companions.playlists.following import lists_of, report_not_updated, report_unread, updating_move
from orchestrator.plan.companions.playlists.formats import is_checksums, is_list
from orchestrator.plan.companions.playlists.meaning import Library
from orchestrator.plan.companions.playlists.rewrite import Relocation, rewrite
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.plan.companions.records import Companion, CompanionKind
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.companions.sorting import is_music
from orchestrator.plan.model import Expect, Skipped, Verb
from orchestrator.plan.ordering import Move
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.kept_copies import (
    FOLLOWS_KEPT_COPY,
    SongOnAlbum,
    quarantined_tracks,
    song_where_it_lies,
    why_quarantined,
)
from orchestrator.plan.planners.dedup.records import Decision
from orchestrator.plan.shared_names import SharedNames, quarantine_move
from orchestrator.records import Capabilities, Item, Ref

_SHARED_NAME = "several files have this name"


class DuplicateCompanions:
    """What happens to companions and playlists in one location with duplicates: the result is in `moves` and `skipped`."""

    def __init__(
        self,
        fs: str,
        items: Sequence[Item],
        capabilities: Capabilities,
        *,
        decisions: Sequence[Decision],
        candidates: Iterable[Candidate],
        kept_copies: Mapping[Ref, Ref],
        references: Sequence[str],
        table: SidecarTable,
        elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        """`decisions` and `kept_copies` are about files of this location, `candidates` are all compared files.

        `elsewhere` is that of the request.
        """
        self._elsewhere = elsewhere
        self._fs = fs
        self._items = sorted(items, key=lambda item: (item.entry.path, item.entry.id or ""))
        self._capabilities = capabilities
        self._kept_copies = kept_copies
        self._references = tuple(location_prefix(reference) for reference in references)
        self._sharing = SharedNames(items)
        self.moves: list[Move] = []
        self.skipped: list[Skipped] = []
        self._destinations: dict[str, str] = {}
        """Path of a companion that follows the kept copy -> its new path."""
        self._quarantined: set[str] = set()
        """Paths of companions that are quarantined."""
        duplicates = {id(one.duplicate) for one in decisions}
        staying = [one for one in candidates if one.fs == fs and id(one) not in duplicates]
        self._follow_music(decisions, staying, table)
        self._update_lists()

    def _is_reference(self, path: str) -> bool:
        return bool(self._references) and join_location(self._fs, path).startswith(self._references)

    def _song_of(self, kept: Candidate) -> SongOnAlbum | None:
        """The kept copy that companions can follow; None if it is in another location or under a reference."""
        return song_where_it_lies(kept) if kept.fs == self._fs and not self._is_reference(kept.path) else None

    def _why_untouched(self, item: Item) -> str | None:
        """Why a companion must stay as it is, in words."""
        return item.skipped_because or ("it is under a reference" if self._is_reference(item.entry.path) else None)

    def _follow_music(self, decisions: Sequence[Decision], staying: Sequence[Candidate], table: SidecarTable) -> None:
        companions = [item for item in self._items if _may_be_companion(item)]
        if not companions:
            return
        music = [item.entry.path for item in self._items if is_music(item)]
        matcher = self._matcher(decisions, staying, music, table)
        found = [matcher.match(item) for item in companions]
        # Playlists last: their names depend on where everything else goes.
        former = sorted((one for one in found if one.of_duplicate), key=lambda one: is_list(one.item))
        names = _TakenNames(self._items if former else ())
        for one in former:
            self._place(one, names)
        freed = {ref.path for ref in self._kept_copies}
        remaining = [path for path in music if path not in freed]
        with_music = {parent_of(path) for path in remaining}
        emptied = {path for path in freed if parent_of(path) not in with_music}
        self.skipped += left_behind((one for one in found if not one.of_duplicate), emptied, remaining)

    def _matcher(
        self, decisions: Sequence[Decision], staying: Sequence[Candidate], music: Iterable[str], table: SidecarTable
    ) -> CompanionMatcher:
        """Finds the music that a companion belongs to: songs that stay, and duplicates with their kept copies."""
        of_albums = [one for one in staying if one.album_copy is not None]
        judged = {one.path for one in of_albums} | {one.duplicate.path for one in decisions}
        songs = [song_where_it_lies(one)[0] for one in of_albums]
        quarantined = quarantined_tracks(decisions, self._song_of)
        return CompanionMatcher(songs, [path for path in music if path not in judged], table, quarantined=quarantined)

    def _place(self, companion: Companion, names: _TakenNames) -> None:
        """Move a companion to the kept copy of its music, or quarantine it if the kept copy has its own."""
        item = companion.item
        path, wanted = item.entry.path, _wanted(companion)
        if wanted == path:
            return
        why = self._why_untouched(item)
        if why is None and not self._sharing.is_distinct(item.entry, self._capabilities):
            why = _SHARED_NAME
        if why is not None:
            self.skipped.append(Skipped(path, "other", f"its music is quarantined as a duplicate, but the file stays: {why}"))
            return
        ref = self._sharing.ref(self._fs, item.entry)
        if not is_checksums(item) and names.take(companion, wanted):
            self._destinations[path] = wanted
            expect = Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns)
            destination = Ref(self._fs, wanted)
            move = Move(Verb.MOVE, ref, destination, item.entry.size, expect, FOLLOWS_KEPT_COPY, parent_of(wanted))
        else:
            self._quarantined.add(path)
            move = quarantine_move(ref, item.entry, why_quarantined(item))
        move.after = tuple(Ref(self._fs, path) for path in companion.duplicates)
        self.moves.append(move)

    def _update_lists(self) -> None:
        """Make playlists and cue sheets point at the kept copies."""
        lists = lists_of(self._items)
        if not lists:
            return
        root = Root(self._fs)
        library = Library(root, {item.entry.path for item in self._items}, self._elsewhere)
        relocations = {
            False: Relocation(library, root, self._destination_of),
            True: Relocation(library, root, self._own_destination_of),
        }
        moving = {move.src.path: move for move in self.moves if move.verb is Verb.MOVE}
        for item in lists:
            if item.entry.path not in self._quarantined:
                self._update_list(item, relocations[is_checksums(item)], moving.get(item.entry.path))

    def _update_list(self, item: Item, relocation: Relocation, move: Move | None) -> None:
        """Update one list, in place or while it moves."""
        path = item.entry.path
        if item.content is None:
            self.skipped.append(report_unread(path, item))
            return
        src, destination = self._sharing.ref(self._fs, item.entry), self._destinations.get(path, path)
        outcome = rewrite(path, item.content, destination, relocation)
        why = _SHARED_NAME if src.object_id is not None else self._why_untouched(item)
        if why is not None and move is None:
            if number := outcome.changed + outcome.lost:
                reason = f"not updated although {number} of its entries point at duplicates being quarantined: {why}"
                self.skipped.append(Skipped(path, "playlist", reason))
            return
        lost = "point at duplicates whose kept copies are in another location"
        self.skipped += report_not_updated(path, outcome, "are checksums of duplicates" if is_checksums(item) else lost)
        for rewritten in updating_move(item, src, Ref(self._fs, destination), outcome, self._kept_copies.keys()):
            if move is None:
                self.moves.append(rewritten)
            else:
                move.content, move.reason = rewritten.content, f"{move.reason}; {rewritten.reason}"

    def _destination_of(self, path: str) -> str | None:
        """Where a playlist entry points afterwards; None if that is in another location."""
        kept = self._kept_copies.get(Ref(self._fs, path))
        if kept is None:
            return self._destinations.get(path, path)
        return kept.path if kept.fs == self._fs else None

    def _own_destination_of(self, path: str) -> str | None:
        """The same for a checksum, which does not fit the kept copy of a duplicate."""
        return None if Ref(self._fs, path) in self._kept_copies else self._destinations.get(path, path)


class _TakenNames:
    """The names of a location that are in use."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._files: set[str] = set()
        self._directories: set[str] = set()
        self._lists: set[tuple[str, str | None]] = set()
        for item in items:
            path = item.entry.path
            self._files.add(collision_key(path))
            self._directories.update(parents_of(collision_key(path), root=True))
            if is_list(item):
                self._lists.add(kind_of_list(path))

    def take(self, companion: Companion, path: str) -> bool:
        """Take a name for a companion. Returns False if the name is in use, or if its album already has such a list."""
        list_kind = kind_of_list(path) if companion.kind is CompanionKind.ALBUM and is_list(companion.item) else None
        key = collision_key(path)
        in_the_way = not self._files.isdisjoint(parents_of(key, root=True))
        if key in self._files or key in self._directories or in_the_way or list_kind in self._lists:
            return False
        self._files.add(key)
        self._directories.update(parents_of(key, root=True))
        if list_kind is not None:
            self._lists.add(list_kind)
        return True


def _wanted(companion: Companion) -> str:
    """The path of a companion next to the kept copy of its music."""
    path = companion.item.entry.path
    if companion.song is not None:
        directory, name = companion.song.directory, companion.song.stem + companion.suffix
    else:
        directory, name = "/".join(filter(None, (companion.album_directory, companion.subdirectory))), name_of(path)
    return join_path(directory, name)


def _may_be_companion(item: Item) -> bool:
    path = item.entry.path
    return not (is_ours(path) or is_music(item) or is_clutter(path) or is_rclone_debris(path) or path_problem(path))
