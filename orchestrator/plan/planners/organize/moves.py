"""From destinations to moves: of the music, its companions, duplicates, playlists and clutter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from orchestrator.foreign_folders import is_litter
from orchestrator.paths import collision_key, join_location, location_prefix, parent_of
from orchestrator.plan.companions.left_behind import EmptiedDirectories, left_behind_at_target, quarantine_clutter
from orchestrator.plan.companions.playlist_updates import PlaylistUpdates
from orchestrator.plan.companions.records import Companion, CompanionKind
from orchestrator.plan.layout.collisions import Claim
from orchestrator.plan.model import NUMBERED, Expect, KeptCopy, Verb
from orchestrator.plan.music.song import Song
from orchestrator.plan.ordering import Move
from orchestrator.plan.planners.dedup.kept_copies import FOLLOWS_KEPT_COPY, why_quarantined
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.plan.planners.organize.destinations import Destinations
from orchestrator.plan.planners.organize.locations import SourceAndTarget
from orchestrator.plan.planners.organize.placement import Placement
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.plan.shared_names import SharedNames, display_name, name_in_quarantine, quarantine_move
from orchestrator.records import Item, Ref

_MOVES_WITH = {
    CompanionKind.TRACK: "moves with its track",
    CompanionKind.ALBUM: "moves with its album",
    CompanionKind.PLAYLIST: "moves with its music",
    CompanionKind.UNTAGGED: "moves with untagged music",
}


class OrganizeMoves:
    """`moves` is everything to do. Files that are left as they are get added to the skipped files of the placement."""

    def __init__(
        self,
        request: OrganizeRequest,
        locations: SourceAndTarget,
        placement: Placement,
        destinations: Destinations,
        playlists: PlaylistUpdates,
    ) -> None:
        self._request = request
        self._locations = locations
        self._placement = placement
        self._files = placement.files
        self._destinations = destinations
        self._shared_at_target = SharedNames(request.target_items)
        self._verb = Verb.COPY if request.options.copy else Verb.MOVE
        claims = destinations.claims
        self.music_in_place, self.at_target, self.alike_at_target = 0, 0, len(placement.alike_songs)
        """How much music is where it belongs, and how many files stay in the source because the target has them already, or has
        files that agree in all but their bytes, which were not compared."""
        self.numbered = 0
        """How many files get a number, because others want the same name or have it."""
        self.litter: tuple[str, ...] = ()
        """The folders of other programs that alone keep emptied directories alive."""
        self.folders_left: set[str] = set()
        """The folders of the source that music leaves, and that hold files which stay."""
        self.moves = self._of_claims(claims)
        if self._verb is Verb.MOVE:
            self.moves += [self._quarantine(claim) for claim in destinations.superseded]
        updating, skipped = playlists.update(self.moves, claims)
        self.moves += updating
        duplicates = placement.duplicates
        self.moves += [move for move in duplicates.moves if move.src.fs == request.source_fs]
        self.moves += self._clean_up(self.moves)
        self.moves += [move for move in duplicates.moves if move.src.fs != request.source_fs]
        skipped += left_behind_at_target(
            request.target_items, request.target_fs, duplicates.freed_at_target, [claim.path for claim in claims]
        )
        self._files.skipped |= {one.path: one for one in skipped}

    def _of_claims(self, claims: Sequence[Claim]) -> list[Move]:
        moves, quarantined = [], []
        for claim in claims:
            if self._locations.below is not None and claim.position == claim.path:
                self.music_in_place += claim.item.reading is not None
            elif claim.occupant is not None:
                move = self._quarantine_equal(claim, claim.occupant)
                self.at_target += move is None and claim.compared
                self.alike_at_target += move is None and not claim.compared
                quarantined += [move] if move is not None else []
            else:
                self.numbered += claim.number > 1
                moves.append(self._move(claim))
        return moves + quarantined

    def _move(self, claim: Claim) -> Move:
        entry = claim.item.entry
        return Move(
            self._verb,
            self._files.shared_names.ref(self._request.source_fs, entry),
            Ref(self._request.target_fs, claim.path),
            entry.size,
            Expect(hash=entry.hashes, mtime=entry.mtime_ns),
            self._reason(claim),
            parent_of(claim.path),
            after=self._duplicates_of(claim),
        )

    def _quarantine_equal(self, claim: Claim, occupant: Item) -> Move | None:
        """The quarantine of a file that is at the target already; None if it stays in the source."""
        options, item = self._request.options, claim.item
        if options.copy or options.dedup is None or self._request.source_fs == self._request.target_fs:
            return None
        updated = item.content is not None and item.content != occupant.content  # a list, whose entries were updated on the way
        if (
            updated
            or self._is_reference(item)
            or not self._shared_at_target.is_distinct(occupant.entry, self._request.target_capabilities)
        ):
            return None
        ref = self._files.shared_names.ref(self._request.source_fs, item.entry)
        there, entry = self._shared_at_target.ref(self._request.target_fs, occupant.entry), occupant.entry
        kept = KeptCopy(there.fs, there.path, entry.size, entry.hashes, entry.mtime_ns, Tier.BYTES, there.id)
        expect = Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns, kept=kept)
        name = display_name(there, "")
        return Move(
            Verb.QUARANTINE, ref, name_in_quarantine(ref), item.entry.size, expect, f"already at the target: {name}", name
        )

    def _is_reference(self, item: Item) -> bool:
        dedup = self._request.options.dedup
        path = join_location(self._request.source_fs, item.entry.path)
        return dedup is not None and any(path.startswith(location_prefix(reference)) for reference in dedup.reference)

    def _quarantine(self, claim: Claim) -> Move:
        entry = claim.item.entry
        ref = self._files.shared_names.ref(self._request.source_fs, entry)
        move = quarantine_move(ref, entry, why_quarantined(claim.item))
        move.after = self._duplicates_of(claim)
        return move

    def _duplicates_of(self, claim: Claim) -> tuple[Ref, ...]:
        """The duplicates that a companion belongs to: it moves after they are quarantined."""
        owner = claim.owner
        duplicates = owner.duplicates if isinstance(owner, Companion) else ()
        return tuple(Ref(self._request.source_fs, path) for path in duplicates)

    def _clean_up(self, moves: Sequence[Move]) -> list[Move]:
        """Report what is left behind, and quarantine clutter that alone keeps an emptied directory alive."""
        shared_names = self._files.shared_names
        moved = Counter(move.src.path for move in moves if move.verb is Verb.QUARANTINE or move.src != move.dst)
        leaving = {path for path, number in moved.items() if number >= shared_names.count(path)}
        leaving |= self._placement.duplicates.freed
        arriving = [move.dst.path for move in moves if move.verb is not Verb.QUARANTINE]
        for one in self._destinations.left_behind(leaving, arriving):
            self._files.skipped[one.path] = one
        self.folders_left = {parent_of(one.path) for one in self._destinations.left_behind(leaving, arriving, emptied=True)}
        if self._verb is Verb.COPY:
            return []
        clutter = {item.entry.path for item in self._files.clutter}
        paths = (item.entry.path for item in (*self._request.items, *self._request.litter))
        remaining = [path for path in paths if path not in leaving and path not in clutter]
        litter = [folder for folder in self._request.foreign_folders if is_litter(folder)]
        remaining += {*self._request.foreign_folders}.difference(litter)
        emptied = EmptiedDirectories(leaving, remaining, self._locations.in_source(arriving))
        self.litter = tuple(filter(emptied.any_above, litter))
        refs = [(shared_names.ref(self._request.source_fs, item.entry), item.entry) for item in self._files.clutter]
        return [*quarantine_clutter(refs, emptied)]

    def _reason(self, claim: Claim) -> str:
        reading, owner = claim.item.reading, claim.owner
        reason = _main_reason(claim)
        if isinstance(owner, Song) and owner.inferred_from and self._placement.names_album_artist(owner):
            reason += f"; album artist inferred from {owner.inferred_from}: {owner.album.values['albumartist']}"
        if isinstance(owner, Song):
            reason += owner.evidence + (f"; from its name: {owner.from_name}" if owner.from_name else "")
            if reading is not None and reading.too_long and not owner.track.title:
                reason += f"; {reading.too_long}"
        return reason if reading is None or reading.suspect is None else f"{reason}; suspect: {reading.suspect}"


def _main_reason(claim: Claim) -> str:
    owner = claim.owner
    if claim.number > 1:
        reason = f"{NUMBERED} {claim.number} of {claim.stem}{claim.extension}"
        if claim.differs_from is None:
            return reason
        other = claim.differs_from.entry.path
        return f"{reason}; {other} has the same size and tags, but other bytes: one of the two may be damaged"
    if isinstance(owner, Companion):
        return FOLLOWS_KEPT_COPY if owner.of_duplicate else _MOVES_WITH[owner.kind]
    if owner is None:
        return "left behind" if claim.item.reading is None else "untagged"
    return "respelled" if collision_key(claim.position) == collision_key(claim.path) else "layout"
