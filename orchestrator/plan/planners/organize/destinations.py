"""The destination of every file: names for the music, then for its companions, then for what is left behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from orchestrator.foreign_folders import is_litter
from orchestrator.paths import collision_key, is_ours, name_of, parent_of, parents_of, split_extension, split_path
from orchestrator.plan.companions.left_behind import left_behind
from orchestrator.plan.companions.matching import CompanionMatcher
from orchestrator.plan.companions.naming import DuplicatesCompanionNames, claims_of
from orchestrator.plan.companions.playlist_updates import PlaylistUpdates
from orchestrator.plan.companions.playlists.formats import is_list
from orchestrator.plan.companions.records import Companion, CompanionKind, QuarantinedTrack
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.layout.collisions import Claim, Namespace
from orchestrator.plan.model import Skipped
from orchestrator.plan.music.kinds import ALBUM_KINDS
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.kept_copies import SongOnAlbum, quarantined_tracks, song_where_it_lies
from orchestrator.plan.planners.organize.locations import SourceAndTarget
from orchestrator.plan.planners.organize.placement import Placement
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Item, Ref

NOT_COMPARED = "the target has a file of this name and size that was not compared; `--checksum` compares them"


class Destinations:
    """`claims` has every file that gets a name, with that name."""

    def __init__(
        self, request: OrganizeRequest, locations: SourceAndTarget, placement: Placement, playlists: PlaylistUpdates
    ) -> None:
        self._request = request
        self._locations = locations
        self._placement = placement
        self._files = placement.files
        self._playlists = playlists
        self._table = SidecarTable(request.options.sidecars)
        self._replaced_by = placement.duplicates.kept_copies | {
            Ref(request.source_fs, song.item.entry.path): Ref(request.source_fs, other.item.entry.path)
            for song, other in placement.equal_songs
        }
        self.claims: list[Claim] = []
        self.companions: list[Companion] = []
        self.superseded: list[Claim] = []
        """Companions of duplicates whose kept copy has such a companion of its own: they are quarantined."""
        self.undecided: list[tuple[Item, Item]] = []
        """Files of the source that may be at the target already, each with the file there: a read of both shows it."""
        self.not_compared: list[tuple[Item, Item]] = []
        """The same of files that count as being there, because everything that is known agrees."""
        # A file that gets no name stays, which may free names or block others: all names are given again.
        while without_name := self._assign_all():
            for claim in without_name:
                self._skip(claim)
            self._files.drop_skipped()
        claimed = ((claim.item, claim.occupant) for claim in self.claims if not claim.compared)
        self.not_compared += ((item, occupant) for item, occupant in claimed if occupant is not None)
        self.not_compared += ((song.item, self._in_target(other.item)) for song, other in placement.alike_songs)

    def is_in_place(self, claim: Claim) -> bool:
        """Whether a file needs no operation: it is at its destination, or an equal file is."""
        return claim.present or (self._locations.below is not None and claim.position == claim.path)

    def left_behind(self, leaving: set[str], arriving: Iterable[str], *, emptied: bool = False) -> Iterator[Skipped]:
        """The companions that stay where music leaves; with `emptied`, only where none remains.

        `leaving` are paths of the source, `arriving` paths of the target.
        """
        not_music = {companion.item.entry.path for companion in self.companions}
        not_music.update(item.entry.path for item in self._files.clutter)
        paths = (item.entry.path for item in self._request.items)
        music = [path for path in paths if path not in not_music and path not in leaving]
        return left_behind(self.companions, leaving, [*music, *self._locations.in_source(arriving)], emptied=emptied)

    def beside_staying(self, leaving: Collection[str]) -> int:
        """How many companions stay with music that stays: with a track, or in a folder with no other music."""
        of_songs = {parent_of(song.item.entry.path) for song in self._files.songs}
        with_music = of_songs.union(parent_of(path) for path in self._files.staying_music())

        def stays(companion: Companion) -> bool:
            path = companion.item.entry.path
            if companion.moves or path in leaving or path in self._files.skipped:
                return False
            nearest = next((above for above in parents_of(path) if above in with_music), parent_of(path))
            return companion.kind is CompanionKind.STAYING_TRACK or nearest in with_music - of_songs

        return sum(map(stays, self.companions))

    def _skip(self, claim: Claim) -> None:
        if claim.undecided:
            self.undecided += ((claim.item, occupant) for occupant in claim.undecided)
            self._files.skip(claim.item, "conflict", f"{NOT_COMPARED}: {claim.undecided[0].entry.path}")
        else:
            limit = self._locations.max_path_bytes
            reason = f"its path would be longer than the {limit} bytes that the target allows: {claim.path}"
            self._files.skip(claim.item, "unsupported-name", reason)

    def _assign_all(self) -> list[Claim]:
        """Give names to all files; returns the claims that get none: their paths are too long, or they may be at the target."""
        quarantined = self._quarantined_tracks()
        self.companions = self._match_companions(quarantined)
        occupants = self._occupants()
        namespace = Namespace(
            self._placement.names,
            self._staying_positions(),
            occupants,
            clutter=[self._locations.position(item) for item in self._files.clutter],
            directories=self._request.kept_spellings,
            shared=self._placement.copies_inside,
            equal=self._playlists.is_at_target,
        )
        self.claims = self._music_claims()
        _assign(namespace, self.claims)
        self._assign_companions(namespace, DuplicatesCompanionNames(namespace, occupants if quarantined else ()))
        too_long = (claim for claim in self.claims if self._locations.too_long(claim.path))
        return [*(claim for claim in self.claims if claim.undecided), *too_long]

    def _quarantined_tracks(self) -> list[QuarantinedTrack]:
        """The duplicates that companions may belong to, each with its kept copy at its destination."""
        if not self._files.companions:
            return []
        duplicates = self._placement.duplicates.of_source
        songs = {id(song.item): (song, song.album) for song in self._files.songs} if duplicates else {}

        def destination(kept: Candidate) -> SongOnAlbum | None:
            return songs.get(id(kept.item)) if kept.fs == self._request.source_fs else song_where_it_lies(kept)

        return [*quarantined_tracks(duplicates, destination)]

    def _match_companions(self, quarantined: list[QuarantinedTrack]) -> list[Companion]:
        matcher = CompanionMatcher(
            [*self._files.songs, *(song for song, _ in self._placement.equal_songs)],
            self._files.staying_music(),
            self._table,
            other_albums={parent_of(song.item.entry.path) for song in self._placement.left_alone if song.kind in ALBUM_KINDS},
            quarantined=quarantined,
            untagged=[item.entry.path for item in self._files.untagged],
            lists_by_stem=self._playlists.lists_by_stem(),
            files_named_by=self._playlists.files_named_by,
        )
        return [matcher.match(item) for item in self._files.companions]

    def _assign_companions(self, namespace: Namespace, names_of_duplicates: DuplicatesCompanionNames) -> None:
        """Lists come after the other companions, because their content depends on where everything else goes.

        Companions of duplicates get the names that the others leave. What nothing claims comes last.
        """
        sidecars = self._companion_claims()
        lists = [claim for claim in sidecars if is_list(claim.item)]
        others = [claim for claim in sidecars if not is_list(claim.item)]
        others = _assign_after_kept(names_of_duplicates, namespace, others)
        self._playlists.note_destinations([*self.claims, *sidecars], self._replaced_by)
        lists += self._playlists.claims_to_target(self.companions, self._placement.names)
        lists = _assign_after_kept(names_of_duplicates, namespace, lists)
        self.claims += [*others, *lists]
        self.superseded = names_of_duplicates.superseded
        if self._placement.leftovers_directory is not None:
            leftovers = self._leftover_claims(self._placement.leftovers_directory)
            _assign(namespace, leftovers)
            self.claims += leftovers
        self._playlists.note_destinations(self.claims, self._replaced_by)

    def _music_claims(self) -> list[Claim]:
        claims = [
            Claim(song.item, self._locations.position(song.item), song.directory, song.stem, song.extension, song)
            for song in self._files.songs
        ]
        untagged = self._placement.untagged_directory or ""
        return claims + [self._claim_below(untagged, item) for item in self._files.untagged]

    def _companion_claims(self) -> list[Claim]:
        claim_of = {id(claim.owner): claim for claim in self.claims if claim.owner is not None}
        claim_of |= {id(song): claim_of[id(other)] for song, other in self._placement.equal_songs if id(other) in claim_of}
        beside = {claim.item.entry.path: claim for claim in self.claims if claim.owner is None}
        untagged = [one for one in self.companions if one.kind is CompanionKind.UNTAGGED]
        return [
            *claims_of(self.companions, claim_of, self._placement.names, self._locations.position),
            *(self._claim_beside_untagged(one, beside.get(one.beside)) for one in untagged),
        ]

    def _claim_beside_untagged(self, companion: Companion, track: Claim | None) -> Claim:
        """A claim to a file's own path below the folder for untagged files, with the name that its track has there."""
        claim = self._claim_below(self._placement.untagged_directory or "", companion.item)
        claim.owner = companion
        if track is not None and track.number > 1:
            claim.stem = split_extension(name_of(track.path))[0]
            claim.extension = companion.suffix
        return claim

    def _leftover_claims(self, directory: str) -> list[Claim]:
        items = {companion.item.entry.path: companion.item for companion in self.companions}
        moving = [claim for claim in self.claims if not self.is_in_place(claim)]
        leaving = {claim.item.entry.path for claim in (*moving, *self.superseded)} | self._placement.duplicates.freed
        arriving = [claim.path for claim in moving]
        return [self._claim_below(directory, items[one.path]) for one in self.left_behind(leaving, arriving, emptied=True)]

    def _claim_below(self, root: str, item: Item) -> Claim:
        """A claim to a file's own path below a directory of the target. A file that is there already keeps its exact path."""
        position = self._locations.position(item)
        if collision_key(position).startswith(collision_key(root) + "/"):
            directory, name = split_path(position)
            stem, extension = split_extension(name)
            return Claim(item, position, directory, stem, f".{extension}" if extension else "")
        names = self._placement.names
        directory, name = split_path(item.entry.path)
        stem, extension = split_extension(name)
        extension = names.extension(extension)
        parts = [root, *(names.directory(part) for part in directory.split("/") if part)]
        return Claim(item, position, "/".join(parts), names.stem(stem, extension), extension)

    def _staying_positions(self) -> list[str]:
        staying = list(self._files.staying)
        # In another target a playlist takes a name only if it moves there, and then by a claim of its own.
        claimed = CompanionKind.PLAYLIST if self._locations.below is None else None
        staying += (one.item.entry.path for one in self.companions if not one.moves and one.kind is not claimed)
        staying += (folder for folder in self._request.foreign_folders if not is_litter(folder))
        return [(self._locations.below or "") + path for path in staying]

    def _occupants(self) -> list[Item]:
        """The files that the target already holds; those of the source only if their copies could be them."""
        below, freed = self._locations.below, self._placement.duplicates.freed_at_target
        occupants = [
            item
            for item in self._request.target_items
            if not is_ours(item.entry.path)
            and (below is None or not item.entry.path.startswith(below))
            and item.entry.path not in freed
        ]
        if self._placement.copies_inside:
            staying = self._files.staying
            occupants += (self._in_target(item) for item in self._request.items if item.entry.path not in staying)
        return occupants

    def _in_target(self, item: Item) -> Item:
        path = self._locations.position(item)
        return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path=path))


def _assign(namespace: Namespace, claims: list[Claim]) -> None:
    namespace.settle_directories(claim.directory for claim in claims)
    namespace.assign(claims)


def _assign_after_kept(names_of_duplicates: DuplicatesCompanionNames, namespace: Namespace, claims: list[Claim]) -> list[Claim]:
    """Give names to claims, first to those whose music is kept; returns those that got one."""
    of_kept: list[Claim] = []
    of_duplicates: list[Claim] = []
    for claim in claims:
        of_duplicate = isinstance(claim.owner, Companion) and claim.owner.of_duplicate
        (of_duplicates if of_duplicate else of_kept).append(claim)
    _assign(namespace, of_kept)
    return [*of_kept, *names_of_duplicates.assign(of_duplicates, of_kept)]
