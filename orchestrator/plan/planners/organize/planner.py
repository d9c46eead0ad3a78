"""The organize planner: two listings and their tags in, a plan out. Pure; the same inputs in any order give the same plan."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from orchestrator.errors import UsageError
from orchestrator.paths import check_directory, collision_key, is_ours, location_prefix, parent_of, split_extension, split_path
from orchestrator.plan.build import build_plan
from orchestrator.plan.companions.following import Following
from orchestrator.plan.companions.left_behind import left_at_target, left_behind, quarantine, sweep
from orchestrator.plan.companions.naming import CompanionNames, claims_of
from orchestrator.plan.companions.playlists.formats import is_list
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.companions.sidecars import Companion, Companions, Kind, QuarantinedTrack
from orchestrator.plan.companions.sorting import SortedItems
from orchestrator.plan.estimate import passes_through
from orchestrator.plan.layout.collisions import Claim, Namespace
from orchestrator.plan.layout.names import Names, rules_named
from orchestrator.plan.layout.placing import Placing
from orchestrator.plan.layout.templates import Layout, compile_layout
from orchestrator.plan.model import Expect, Operation, Plan, Skipped, Verb
from orchestrator.plan.music.song import Song
from orchestrator.plan.ordering import Move, order
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.kept_copies import Placed, quarantined_tracks, song_where_it_lies
from orchestrator.plan.planners.organize.duplicates import QuarantinedDuplicates, take_out
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Capabilities, Item, Ref

_GOES = {Kind.TRACK: "goes with its track", Kind.PLAYLIST: "goes along with its music"}


def plan_organize(request: OrganizeRequest) -> Plan:
    """What has to be done so that every file with usable tags lies where the layout says, its companions with it.

    Raises UsageError for a layout that cannot work, and when `cloud_only` forbids an operation.
    """
    with _without_collector():
        planner = _Planner(request)
        planner.place()
        planner.take_out_duplicates()
        planner.settle()
        return planner.plan()


@contextmanager
def _without_collector() -> Iterator[None]:
    """No garbage collection: planning makes many small objects and no garbage, and looking for it takes a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Planner:
    def __init__(self, request: OrganizeRequest) -> None:
        self.request = request
        self.options = request.options
        self.layout: Layout = compile_layout(self.options.layout, self.options.layouts)
        target = request.target_capabilities
        rules = rules_named(target.names if self.options.names == "target" else self.options.names)
        self.names = Names(rules, target.max_component_bytes)
        self.placing = Placing(self.layout, self.names)
        source_root, target_root = location_prefix(request.source_fs), location_prefix(request.target_fs)
        self.below = source_root[len(target_root) :] if source_root.startswith(target_root) else None
        """Where the source lies below the target ("" in place, "inbox/"); None: elsewhere."""
        self.max_path = _path_limit(request)
        self.untagged = self._directory_named(self.options.untagged, "the folder for untagged files")
        self.leftovers = self._directory_named(self.options.leftovers, "the folder for what is left")
        self.verb = Verb.COPY if self.options.copy else Verb.MOVE
        self.copies_inside = self.options.copy and self.below is not None
        """The originals stay in the target, and each one may be the copy that another one would make."""
        self.intake = SortedItems(
            request.items,
            self.names,
            source_fs=request.source_fs,
            capabilities=request.source_capabilities,
            target_fs=request.target_fs,
            copy=self.options.copy,
            moves_untagged=self.options.untagged is not None,
        )
        self.sidecars = SidecarTable(self.options.sidecars)
        self.following = Following(
            request.source_fs,
            request.items,
            request.target_fs,
            request.target_entries,
            below=self.below,
            copies=self.options.copy,
            external_lists=request.external_lists,
        )
        self.twins: list[tuple[Song, Song]] = []
        """Songs with the content of another one, which stands for both."""
        if self.copies_inside:
            self.intake.songs, self.twins = _distinct(self.intake.songs)
        self.companions: list[Companion] = []
        self.claims: list[Claim] = []
        self.taken_out = QuarantinedDuplicates()
        self.superseded: list[Claim] = []
        """What belonged to duplicates, where what stays has its own."""

    # Where each file belongs

    def place(self) -> None:
        """Give every song its wanted directory and name."""
        self.placing.place(self.intake.songs)
        for twin, song in self.twins:
            twin.album, twin.directory, twin.stem = song.album, song.directory, song.stem

    def take_out_duplicates(self) -> None:
        """Let duplicates go; what stays is then placed as if they had never been."""
        if self.options.dedup is not None:
            self.taken_out = take_out(self.request, self.options.dedup, self.intake, self._at_home)
            if self.taken_out.dropped:
                self.place()

    def _at_home(self, song: Song) -> bool:
        return self.below is not None and self._position(song.item) == f"{song.directory}/{song.stem}{song.extension}".lstrip("/")

    def _directory_named(self, given: str | None, what: str) -> str | None:
        if given is None:
            return None
        return "/".join(self.names.directory(part) for part in check_directory(given, what).split("/"))

    # Which name each file gets

    def settle(self) -> None:
        """Give away the names; what no name fits stays, which may free or block others, so that starts over."""
        while True:
            songs = [*self.intake.songs, *(twin for twin, _ in self.twins)]
            former, lists = self._former(), self.following.by_stem()
            finder = Companions(
                songs, self.intake.staying_music(), self.sidecars, gone=former, lists=lists, named=self.following.named
            )
            self.companions = [finder.owner(item) for item in self.intake.others]
            occupants = self._occupants()
            namespace = Namespace(
                self.names,
                self._staying_positions(),
                occupants,
                clutter=[self._position(item) for item in self.intake.clutter],
                shared=self.copies_inside,
                equal=self.following.equal,
            )
            self.claims = self._music_claims()
            self._assign(namespace, self.claims)
            self._assign_companions(namespace, CompanionNames(namespace, occupants if former else ()))
            too_long = [claim for claim in self.claims if self.max_path is not None and len(claim.path.encode()) > self.max_path]
            if not too_long:
                return
            for claim in too_long:
                reason = f"the target takes paths of {self.max_path} bytes, this one is longer: {claim.path}"
                self.intake.stay(claim.item, "unsupported-name", reason)
            self.intake.forget_staying()

    def _former(self) -> list[QuarantinedTrack]:
        """What has gone, with what stays for it: at its new place, or at another target where it is."""
        if not self.intake.others:
            return []
        songs = {id(song.item): (song, song.album) for song in self.intake.songs} if self.taken_out.dropped else {}
        source = self.request.source_fs

        def placed(stays: Candidate) -> Placed | None:
            return songs.get(id(stays.item)) if stays.fs == source else song_where_it_lies(stays)

        return [*quarantined_tracks(self.taken_out.dropped, placed)]

    def _assign_companions(self, namespace: Namespace, newcomers: CompanionNames) -> None:
        """Lists come last, for what they say hangs on where everything else goes; then what nobody claims.

        What belonged to a duplicate that goes has what the others leave.
        """
        sidecars = self._sidecar_claims()
        lists = [claim for claim in sidecars if is_list(claim.item.entry.path)]
        others = [claim for claim in sidecars if not is_list(claim.item.entry.path)]
        others = self._assign_with(newcomers, namespace, others)
        source = self.request.source_fs
        replacements = self.taken_out.replacements | {
            Ref(source, twin.item.entry.path): Ref(source, song.item.entry.path) for twin, song in self.twins
        }
        self.following.settle([*self.claims, *sidecars], replacements)
        lists += self.following.going_along(self.companions, self.names)
        lists = self._assign_with(newcomers, namespace, lists)
        self.claims += [*others, *lists]
        self.superseded = newcomers.superseded
        if self.leftovers is not None:
            root = self.leftovers
            items = {companion.item.entry.path: companion.item for companion in self.companions}
            leaving = {claim.item.entry.path for claim in self.claims if not self._stands(claim)}
            leaving |= self.taken_out.gone | {claim.item.entry.path for claim in self.superseded}
            arriving = [claim.path for claim in self.claims if not self._stands(claim)]
            left = [self._claim_below(root, items[one.path]) for one in self._left_behind(leaving, arriving)]
            self._assign(namespace, left)
            self.claims += left
        self.following.settle(self.claims, replacements)

    def _assign(self, namespace: Namespace, claims: list[Claim]) -> None:
        namespace.settle_directories(claim.directory for claim in claims)
        namespace.assign(claims)

    def _assign_with(self, newcomers: CompanionNames, namespace: Namespace, claims: list[Claim]) -> list[Claim]:
        """Names for claims, first for those whose music stays; gives those that have one."""
        own: list[Claim] = []
        others: list[Claim] = []
        for claim in claims:
            (others if isinstance(claim.owner, Companion) and claim.owner.former else own).append(claim)
        self._assign(namespace, own)
        return [*own, *newcomers.let_in(others, own)]

    def _position(self, item: Item) -> str:
        return (self.below or "") + item.entry.path

    def _music_claims(self) -> list[Claim]:
        claims = [
            Claim(song.item, self._position(song.item), song.directory, song.stem, song.extension, song)
            for song in self.intake.songs
        ]
        return claims + [self._claim_below(self.untagged or "", item) for item in self.intake.strays]

    def _claim_below(self, root: str, item: Item) -> Claim:
        """A file's own path, below a directory of the target; whatever lies there stays just as it is."""
        position = self._position(item)
        if collision_key(position).startswith(collision_key(root) + "/"):
            directory, name = split_path(position)
            stem, extension = split_extension(name)
            return Claim(item, position, directory, stem, f".{extension}" if extension else "")
        directory, name = split_path(item.entry.path)
        stem, extension = split_extension(name)
        extension = self.names.extension(extension)
        parts = [root, *(self.names.directory(part) for part in directory.split("/") if part)]
        return Claim(item, position, "/".join(parts), self.names.stem(stem, extension), extension)

    def _sidecar_claims(self) -> list[Claim]:
        claim_of = {id(claim.owner): claim for claim in self.claims if claim.owner is not None}
        claim_of |= {id(twin): claim_of[id(song)] for twin, song in self.twins if id(song) in claim_of}
        return [*claims_of(self.companions, claim_of, self.names, self._position)]

    def _staying_positions(self) -> list[str]:
        staying = list(self.intake.staying)
        # At another target a playlist has a name only if it goes along, and then its own.
        along = Kind.PLAYLIST if self.below is None else None
        staying += (one.item.entry.path for one in self.companions if not one.goes and one.kind is not along)
        return [(self.below or "") + path for path in staying]

    def _occupants(self) -> list[Item]:
        own = self.below
        occupants = [
            item
            for item in self.request.target_entries
            if not is_ours(item.entry.path)
            and (own is None or not item.entry.path.startswith(own))
            and item.entry.path not in self.taken_out.at_target
        ]
        if self.copies_inside:
            staying = self.intake.staying
            occupants += (self._in_target(item) for item in self.request.items if item.entry.path not in staying)
        return occupants

    def _in_target(self, item: Item) -> Item:
        return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path=self._position(item)))

    # What has to be done

    def plan(self) -> Plan:
        """The operations, with their header."""
        source, target = self.request.source_fs, self.request.target_fs
        moves: list[Move] = []
        in_place = 0
        for claim in self.claims:
            if self._stands(claim):
                in_place += claim.item.reading is not None
                continue
            entry = claim.item.entry
            group = parent_of(claim.path)
            moves.append(
                Move(
                    self.verb,
                    self.intake.sharing.ref(source, entry),
                    Ref(target, claim.path),
                    entry.size,
                    Expect(hash=entry.hashes, mtime=entry.mtime_ns),
                    self._reason(claim),
                    group,
                    after=self._after(claim),
                )
            )
        if self.verb is Verb.MOVE:
            moves += (self._put_away(claim) for claim in self.superseded)
        rewritten, named = self.following.follow(moves, self.claims)
        moves += rewritten
        moves += (move for move in self.taken_out.moves if move.src.fs == source)
        moves += self._clean_up(moves)
        moves += (move for move in self.taken_out.moves if move.src.fs != source)
        named += left_at_target(
            self.request.target_entries, target, self.taken_out.at_target, [claim.path for claim in self.claims]
        )
        self.intake.skipped |= {one.path: one for one in named}
        operations = order(moves, case_insensitive=self.request.target_capabilities.case_insensitive)
        capabilities = {source: self.request.source_capabilities, target: self.request.target_capabilities}
        if self.options.cloud_only:
            _refuse_passing(operations, capabilities)
        skipped = tuple(self.intake.skipped[path] for path in sorted(self.intake.skipped))
        return build_plan(
            operations,
            source=source,
            target=target,
            options=msgspec.to_builtins(self.options) | {"rules": msgspec.to_builtins(self.layout.rules)},
            capabilities=capabilities,
            counts=self._counts(in_place),
            skipped=skipped,
            tool_version=self.request.tool_version,
            created=self.request.created,
            config_sha256=self.request.config_sha256,
        )

    def _reason(self, claim: Claim) -> str:
        reading, owner = claim.item.reading, claim.owner
        why = _why(claim)
        if isinstance(owner, Song) and owner.inferred_from and self.placing.names_album_artist(owner.album):
            why += f"; album artist inferred from {owner.inferred_from}: {owner.album.values['albumartist']}"
        return why if reading is None or reading.suspect is None else f"{why}; suspect: {reading.suspect}"

    def _put_away(self, claim: Claim) -> Move:
        entry = claim.item.entry
        ref = self.intake.sharing.ref(self.request.source_fs, entry)
        move = quarantine(ref, entry, "goes with its duplicate: what stays has its own")
        move.after = self._after(claim)
        return move

    def _after(self, claim: Claim) -> tuple[Ref, ...]:
        """What belonged to duplicates goes after them."""
        owner = claim.owner
        return tuple(Ref(self.request.source_fs, path) for path in owner.after) if isinstance(owner, Companion) else ()

    def _stands(self, claim: Claim) -> bool:
        """Whether it has what it claims."""
        return claim.present or (self.below is not None and claim.position == claim.path)

    def _clean_up(self, moves: Sequence[Move]) -> list[Move]:
        """Name what is left behind; sweep away clutter that alone would keep an emptied directory alive."""
        sharing = self.intake.sharing
        moved = Counter(move.src.path for move in moves if move.verb is Verb.QUARANTINE or move.src != move.dst)
        leaving = self.taken_out.gone | {path for path, number in moved.items() if number >= sharing.number(path)}
        arriving = [move.dst.path for move in moves if move.verb is not Verb.QUARANTINE]
        for skipped in self._left_behind(leaving, arriving):
            self.intake.skipped[skipped.path] = skipped
        if self.verb is Verb.COPY:
            return []
        clutter = {item.entry.path for item in self.intake.clutter}
        remaining = [path for item in self.request.items if (path := item.entry.path) not in leaving and path not in clutter]
        refs = [(sharing.ref(self.request.source_fs, item.entry), item.entry) for item in self.intake.clutter]
        return list(sweep(refs, leaving, remaining, self._in_source(arriving)))

    def _left_behind(self, leaving: set[str], arriving: list[str]) -> Iterator[Skipped]:
        """What stays beside the music where `leaving` go; `arriving` are paths at the target."""
        beside = {companion.item.entry.path for companion in self.companions}
        beside.update(item.entry.path for item in self.intake.clutter)
        music = [path for item in self.request.items if (path := item.entry.path) not in beside and path not in leaving]
        return left_behind(self.companions, leaving, [*music, *self._in_source(arriving)])

    def _in_source(self, arriving: Iterable[str]) -> list[str]:
        below = self.below
        return [path[len(below) :] for path in arriving if below is not None and path.startswith(below)]

    def _counts(self, in_place: int) -> dict[str, int]:
        counts = {"files": len(self.request.items), "music": self.intake.music, "in_place": in_place}
        if self.intake.suspect:
            counts["suspect"] = self.intake.suspect
        if inferred := sum(1 for song in self.intake.songs if song.inferred_from):
            counts["artist_inferred"] = inferred
        return counts


def _distinct(songs: Iterable[Song]) -> tuple[list[Song], list[tuple[Song, Song]]]:
    """One song of each content, and the others with the one that stands for them.

    A copy that an earlier run made in place is not to count twice, nor to be copied again.
    """
    by_content: dict[object, Song] = {}
    twins: list[tuple[Song, Song]] = []
    for song in songs:
        entry, reading = song.item.entry, song.item.reading
        content = tuple(sorted(entry.hashes.items())) or (song.track, reading and (reading.identity, reading.suspect))
        standing = by_content.setdefault((entry.size, content), song)
        if standing is not song:
            twins.append((song, standing))
    return list(by_content.values()), twins


def _why(claim: Claim) -> str:
    owner = claim.owner
    if claim.number > 1:
        return f"collision: number {claim.number} of {claim.stem}{claim.extension}"
    if isinstance(owner, Companion) and owner.former:
        return "goes with what stays for its duplicate"
    if isinstance(owner, Companion):
        return _GOES.get(owner.kind, "goes with its album")
    if owner is None:
        return "left over" if claim.item.reading is None else "untagged"
    return "respelled" if collision_key(claim.position) == collision_key(claim.path) else "layout"


def _path_limit(request: OrganizeRequest) -> int | None:
    """Bytes that a path below the target's root may have."""
    capabilities = request.target_capabilities
    if capabilities.max_path_bytes is None:
        return None
    root = location_prefix(request.target_fs)
    root = root if root.startswith("/") else root.partition(":")[2]
    if request.target_has_buckets:
        root = root.partition("/")[2]
    return capabilities.max_path_bytes - len(root.encode())


def _refuse_passing(operations: Iterable[Operation], capabilities: dict[str, Capabilities]) -> None:
    passing = [operation for operation in operations if passes_through(operation, capabilities)]
    if passing:
        named = ", ".join(f"{operation.verb} {operation.src.path} -> {operation.dst.path}" for operation in passing[:3])
        raise UsageError(f"--cloud-only: {len(passing)} operations would bring content through this machine, the first: {named}")
