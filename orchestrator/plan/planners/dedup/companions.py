"""What lies beside the duplicates that `dedup` takes out of one location, and the lists there that name them."""

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
from orchestrator.plan.companions.playlists.formats import is_list
from orchestrator.plan.companions.playlists.meaning import Library, Root
from orchestrator.plan.companions.playlists.rewrite import Relocation, rewrite
from orchestrator.plan.companions.records import Companion, CompanionKind
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.companions.sorting import is_music
from orchestrator.plan.model import Expect, Skipped, Verb
from orchestrator.plan.ordering import Move
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.kept_copies import Placed, quarantined_tracks, song_where_it_lies
from orchestrator.plan.planners.dedup.records import Decision
from orchestrator.plan.shared_names import SharedNames, quarantine_move
from orchestrator.records import Capabilities, Item, Ref


class DuplicateCompanions:
    """One location from which duplicates go: `moves` and `skipped` are the answer."""

    def __init__(
        self,
        fs: str,
        items: Sequence[Item],
        capabilities: Capabilities,
        *,
        decisions: Sequence[Decision],
        candidates: Iterable[Candidate],
        replacements: Mapping[Ref, Ref],
        references: Sequence[str],
        table: SidecarTable,
    ) -> None:
        """`decisions` and `replacements` are those about files of this location, `candidates` all files that were judged."""
        self._fs = fs
        self._items = sorted(items, key=lambda item: (item.entry.path, item.entry.id or ""))
        self._capabilities = capabilities
        self._kept_copy_of = replacements
        self._references = tuple(location_prefix(reference) for reference in references)
        self._sharing = SharedNames(items)
        self.moves: list[Move] = []
        self.skipped: list[Skipped] = []
        self._new: dict[str, str] = {}
        """Path of a file that goes with its music's copy -> where to."""
        self._away: set[str] = set()
        going = {id(one.duplicate) for one in decisions}
        staying = [one for one in candidates if one.fs == fs and id(one) not in going]
        self._follow_music(decisions, staying, table)
        self._follow_lists()

    def _is_reference(self, path: str) -> bool:
        return bool(self._references) and (join_location(self._fs, path)).startswith(self._references)

    def _place_of(self, stays: Candidate) -> Placed | None:
        """Nothing goes to other locations, or comes to what is a reference."""
        return song_where_it_lies(stays) if stays.fs == self._fs and not self._is_reference(stays.path) else None

    def _follow_music(self, decisions: Sequence[Decision], staying: Sequence[Candidate], table: SidecarTable) -> None:
        companions = [item for item in self._items if _may_be_companion(item)]
        if not companions:
            return
        music = [item.entry.path for item in self._items if is_music(item)]
        matcher = self._matcher(decisions, staying, music, table)
        found = [matcher.match(item) for item in companions]
        # Playlists last: their names depend on where everything else goes.
        former = sorted((one for one in found if one.of_duplicate), key=lambda one: is_list(one.item.entry.path))
        names = _TakenNames(self._items if former else ())
        for one in former:
            self._place(one, names)
        freed = {ref.path for ref in self._kept_copy_of}
        remaining = [path for path in music if path not in freed]
        with_music = {parent_of(path) for path in remaining}
        emptied = {path for path in freed if parent_of(path) not in with_music}
        self.skipped += left_behind((one for one in found if not one.of_duplicate), emptied, remaining)

    def _matcher(
        self, decisions: Sequence[Decision], staying: Sequence[Candidate], music: Iterable[str], table: SidecarTable
    ) -> CompanionMatcher:
        """What finds the music that a companion belongs to: songs that stay, and duplicates with their kept copies."""
        of_albums = [one for one in staying if one.album_copy is not None]
        judged = {one.path for one in of_albums} | {one.duplicate.path for one in decisions}
        songs = [song_where_it_lies(one)[0] for one in of_albums]
        quarantined = quarantined_tracks(decisions, self._place_of)
        return CompanionMatcher(songs, [path for path in music if path not in judged], table, quarantined=quarantined)

    def _place(self, companion: Companion, taken: _TakenNames) -> None:
        """DuplicateCompanions what stays, under its own name; into quarantine where that has its own."""
        item = companion.item
        path, wanted = item.entry.path, _wanted(companion)
        if wanted == path:
            return
        stays = item.skipped_because or ("it lies under a reference" if self._is_reference(path) else None)
        if stays is None and not self._sharing.is_distinct(item.entry, self._capabilities):
            stays = "several files carry this name"
        if stays is not None:
            self.skipped.append(Skipped(path, "other", f"its music goes as a duplicate, and it is left as it is: {stays}"))
            return
        ref = self._sharing.ref(self._fs, item.entry)
        if taken.take(companion, wanted):
            self._new[path] = wanted
            expect = Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns)
            group, reason = parent_of(wanted), "goes with what stays for its duplicate"
            move = Move(Verb.MOVE, ref, Ref(self._fs, wanted), item.entry.size, expect, reason, group)
        else:
            self._away.add(path)
            move = quarantine_move(ref, item.entry, "goes with its duplicate: what stays has its own")
        move.after = tuple(Ref(self._fs, path) for path in companion.duplicates)
        self.moves.append(move)

    def _follow_lists(self) -> None:
        lists = lists_of(self._items)
        if not lists:
            return
        root = Root(self._fs)
        relocation = Relocation(Library(root, {item.entry.path for item in self._items}), root, self._where)
        on_the_way = {move.src.path: move for move in self.moves if move.verb is Verb.MOVE}
        for item in lists:
            path = item.entry.path
            if path in self._away:
                continue
            if item.content is None:
                self.skipped.append(report_unread(path, item))
                continue
            src = self._sharing.ref(self._fs, item.entry)
            outcome = rewrite(path, item.content, self._new.get(path, path), relocation)
            stays = item.skipped_because or ("it lies under a reference" if self._is_reference(path) else None)
            if src.object_id is not None:
                stays = "several files carry this name"
            if stays is not None and path not in on_the_way:
                number = outcome.changed + outcome.lost
                why = f"{number} of its entries are duplicates that go, and it is left as it is: {stays}"
                self.skipped += [Skipped(path, "playlist", why)] if number else []
                continue
            self.skipped += report_not_updated(path, outcome, "are duplicates of files that lie elsewhere")
            for anew in updating_move(item, src, Ref(self._fs, self._new.get(path, path)), outcome, self._kept_copy_of.keys()):
                move = on_the_way.get(path)
                if move is None:
                    self.moves.append(anew)
                else:
                    move.content, move.reason = anew.content, f"{move.reason}; {anew.reason}"

    def _where(self, path: str) -> str | None:
        stays = self._kept_copy_of.get(Ref(self._fs, path))
        if stays is None:
            return self._new.get(path, path)
        return stays.path if stays.fs == self._fs else None


class _TakenNames:
    """The names of a location that nothing may come to."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._files: set[str] = set()
        self._directories: set[str] = set()
        self._lists: set[tuple[str, str]] = set()
        for item in items:
            path = item.entry.path
            self._files.add(collision_key(path))
            self._directories.update(parents_of(collision_key(path), root=True))
            if is_list(path):
                self._lists.add(kind_of_list(path))

    def take(self, companion: Companion, path: str) -> bool:
        """Whether it could still be taken, which it then is."""
        listing = kind_of_list(path) if companion.kind is CompanionKind.ALBUM and is_list(path) else None
        key = collision_key(path)
        in_the_way = not self._files.isdisjoint(parents_of(key, root=True))
        if key in self._files or key in self._directories or in_the_way or listing in self._lists:
            return False
        self._files.add(key)
        self._directories.update(parents_of(key, root=True))
        if listing is not None:
            self._lists.add(listing)
        return True


def _wanted(companion: Companion) -> str:
    path = companion.item.entry.path
    if companion.song is not None:
        directory, name = companion.song.directory, companion.song.stem + companion.suffix
    else:
        directory, name = "/".join(filter(None, (companion.album_directory, companion.subdirectory))), name_of(path)
    return join_path(directory, name)


def _may_be_companion(item: Item) -> bool:
    path = item.entry.path
    ours = is_ours(path)
    return not (ours or is_music(item) or is_clutter(path) or is_rclone_debris(path) or path_problem(path))
