"""The organize planner: two listings and their tags in, a plan out. Pure; the same inputs in any order give the same plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from orchestrator.errors import UsageError
from orchestrator.plan.albums import Album, Song, group_albums, has_place, label_of
from orchestrator.plan.collisions import Claim, Namespace
from orchestrator.plan.equality import same_content
from orchestrator.plan.estimate import estimate, passes_through
from orchestrator.plan.fields import track_fields
from orchestrator.plan.layout import Layout, compile_layout, split_directory, tidy
from orchestrator.plan.model import Expect, Header, Operation, Plan, Ref, Skipped, Verb, operation_id
from orchestrator.plan.names import Names, collision_key, rules_named, split_extension
from orchestrator.plan.ordering import Move, location_prefix, order
from orchestrator.plan.plan_file import path_problem, seal
from orchestrator.plan.request import Item, OrganizeRequest
from orchestrator.plan.sidecars import Companion, Companions, Kind, above, is_clutter, is_leftover
from orchestrator.storage.base import OWN_DIRECTORY, Capabilities
from orchestrator.tags.formats import is_audio
from orchestrator.tags.track import Status

_BUCKETS = frozenset({"s3", "gcs", "google cloud storage", "azureblob", "b2", "swift", "oracleobjectstorage", "qingstor"})


def plan_organize(request: OrganizeRequest) -> Plan:
    """What has to be done so that every file with usable tags lies where the layout says, its companions with it.

    Raises UsageError for a layout that cannot work, and when `cloud_only` forbids an operation.
    """
    planner = _Planner(request)
    planner.sort_out()
    planner.place()
    planner.settle()
    return planner.plan()


class _Planner:
    def __init__(self, request: OrganizeRequest) -> None:
        self.request = request
        self.options = request.options
        self.layout: Layout = compile_layout(self.options.layout, self.options.layouts)
        target = request.target_capabilities
        self.names = Names(
            rules_named(target.names if self.options.names == "target" else self.options.names), target.max_component_bytes
        )
        source_root, target_root = location_prefix(request.source_fs), location_prefix(request.target_fs)
        self.below = source_root[len(target_root) :] if source_root.startswith(target_root) else None
        """Where the source lies below the target ("" in place, "inbox/"); None: elsewhere."""
        self.max_path = _path_limit(request)
        self.untagged = self._untagged_directory()
        self.verb = Verb.COPY if self.options.copy else Verb.MOVE
        self.songs: list[Song] = []
        self.strays: list[Item] = []
        """Audio without usable tags for which the user named a directory."""
        self.companions: list[Companion] = []
        self.others: list[Item] = []
        self.clutter: list[Item] = []
        self.staying: dict[str, Item] = {}
        self.skipped: dict[str, Skipped] = {}
        self.claims: list[Claim] = []
        self.music = 0

    # What each file is

    def sort_out(self) -> None:
        """Tell music from its companions, and what can be placed from what cannot."""
        items = sorted(self.request.items, key=lambda item: (item.entry.path, item.entry.id or ""))
        paths = Counter(item.entry.path for item in items)
        for item in items:
            path = item.entry.path
            music = item.reading is not None or is_audio(path)
            self.music += music
            problem = path_problem(path)
            if path.partition("/")[0] == OWN_DIRECTORY:
                continue
            if problem:
                self._skip(item, "unsupported-name", f"no operation can name it: {problem}")
            elif paths[path] > 1:
                self._skip(item, "unsupported-name", f"{paths[path]} files carry this name: give them names of their own first")
            elif item.left_alone is not None:
                self._skip(item, "left-alone", item.left_alone)
            elif is_leftover(path):
                self._skip(item, "other", "left behind by an interrupted transfer")
            elif not music:
                (self.clutter if is_clutter(path) else self.others).append(item)
            else:
                self._sort_out_music(item)

    def _sort_out_music(self, item: Item) -> None:
        reading = item.reading
        if reading is None or reading.status is Status.UNREADABLE or (reading.track is None and reading.status is Status.TAGGED):
            self._skip(item, "unreadable", (reading and reading.reason) or "its tags have not been read")
        elif reading.status is Status.TAGGED and reading.track is not None and has_place(reading.track):
            song = Song(item, reading.track)
            song.extension = self.names.extension(split_extension(item.entry.path)[1])
            self.songs.append(song)
        elif self.untagged is not None:
            self.strays.append(item)
        else:
            self._skip(item, "untagged", "its tags do not name an album or artist and a title or track")

    def _skip(self, item: Item, code: str, reason: str) -> None:
        self.staying[item.entry.path] = item
        self.skipped[item.entry.path] = Skipped(item.entry.path, code, reason)

    # Where each file belongs

    def place(self) -> None:
        """Give every song its wanted directory and name."""
        albums = group_albums(self.songs)
        raw_directories: dict[str, str] = {}
        for album in albums:
            album.template = self.layout.choose(album.values)
            self._render(album, raw_directories)
        self._tell_apart(albums, raw_directories)

    def _render(self, album: Album, raw_directories: dict[str, str]) -> None:
        template = album.template
        for song in album.songs:
            raw, name = template.render({**album.values, **track_fields(song.track, template.track_fields)})
            directory = raw_directories.get(raw)
            if directory is None:
                parts = (tidy(part) for part in split_directory(raw))
                directory = raw_directories[raw] = "/".join(self.names.directory(part) for part in parts if part)
            song.directory = directory
            song.stem = self.names.stem(tidy(name), song.extension)

    def _tell_apart(self, albums: list[Album], raw_directories: dict[str, str]) -> None:
        """Albums that would share a directory which bears an album's name get what tells them apart put behind their names."""
        by_directory: dict[str, list[Album]] = defaultdict(list)
        for album in albums:
            depth = album.template.album_depth
            if depth is not None and not album.singletons:
                parts = album.songs[0].directory.split("/")
                by_directory[collision_key("/".join(parts[: depth + 1]))].append(album)
        for sharing in by_directory.values():
            labels = label_of(sharing) if len(sharing) > 1 else None
            for album, label in zip(sharing, labels or (), strict=False):
                if label:
                    album.values["album"] = f"{album.values['album']} [{label}]"
                    self._render(album, raw_directories)

    def _untagged_directory(self) -> str | None:
        given = self.options.untagged
        if given is None:
            return None
        text = given.strip("/")
        if given.startswith("/") or path_problem(text):
            raise UsageError(f"the directory for untagged files, {given!r}, must be a path below the target, without '..'")
        return "/".join(self.names.directory(part) for part in text.split("/"))

    # Which name each file gets

    def settle(self) -> None:
        """Give away the names; what no name fits stays, which may free or block others, so that starts over."""
        while True:
            self.claims = self._music_claims()
            sidecars = self._companions()
            namespace = Namespace(self.names, self._staying_positions(), self._occupants(), self._equal)
            self._assign(namespace, self.claims)
            claims = self._sidecar_claims(sidecars)
            self._assign(namespace, claims)
            self.claims += claims
            too_long = [claim for claim in self.claims if self.max_path is not None and len(claim.path.encode()) > self.max_path]
            if not too_long:
                return
            for claim in too_long:
                self._skip(
                    claim.item,
                    "unsupported-name",
                    f"the target takes paths of {self.max_path} bytes, this one is longer: {claim.path}",
                )
            self.songs = [song for song in self.songs if song.item.entry.path not in self.staying]
            self.strays = [item for item in self.strays if item.entry.path not in self.staying]

    def _assign(self, namespace: Namespace, claims: list[Claim]) -> None:
        namespace.settle_directories(claim.directory for claim in claims)
        namespace.assign(claims)

    def _position(self, item: Item) -> str:
        return (self.below or "") + item.entry.path

    def _music_claims(self) -> list[Claim]:
        claims = [
            Claim(song.item, self._position(song.item), song.directory, song.stem, song.extension, song) for song in self.songs
        ]
        root = self.untagged
        for item in self.strays:
            position = self._position(item)
            directory, _, name = item.entry.path.rpartition("/")
            stem, extension = split_extension(name)
            extension = self.names.extension(extension)
            if root is not None and collision_key(position).startswith(collision_key(root) + "/"):
                directory, _, name = position.rpartition("/")
                stem, extension = split_extension(name)
                claims.append(Claim(item, position, directory, stem, f".{extension}" if extension else ""))
            else:
                parts = [root or "", *(self.names.directory(part) for part in directory.split("/") if part)]
                claims.append(Claim(item, position, "/".join(parts), self.names.stem(stem, extension), extension))
        return claims

    def _companions(self) -> list[Companion]:
        finder = Companions(self.songs, (path for path, item in self.staying.items() if item.reading is not None or is_audio(path)))
        return [finder.owner(item) for item in self.others if item.entry.path not in self.staying]

    def _sidecar_claims(self, companions: list[Companion]) -> list[Claim]:
        self.companions = companions
        claim_of = {id(claim.owner): claim for claim in self.claims if claim.owner is not None}
        claims: list[Claim] = []
        for companion in companions:
            item = companion.item
            if companion.kind is Kind.ALBUM:
                parts = [companion.directory, *(self.names.directory(part) for part in companion.below.split("/") if part)]
                stem, extension = split_extension(item.entry.path.rpartition("/")[2])
                extension = self.names.extension(extension)
                stem = self.names.stem(stem, extension)
                claims.append(Claim(item, self._position(item), "/".join(parts), stem, extension, companion))
            elif companion.kind is Kind.TRACK and companion.song is not None:
                track = claim_of[id(companion.song)]
                directory, _, name = track.path.rpartition("/")
                middle, extension = split_extension(f"x{companion.suffix}")
                extension = self.names.extension(extension)
                stem = self.names.stem(split_extension(name)[0] + middle[1:], extension)
                claims.append(Claim(item, self._position(item), directory, stem, extension, companion))
        return claims

    def _staying_positions(self) -> list[str]:
        staying = list(self.staying)
        staying += (item.entry.path for item in self.clutter)
        if self.verb is Verb.COPY and self.below:
            staying += (item.entry.path for item in self.request.items)
        else:
            going = {Kind.ALBUM, Kind.TRACK}
            staying += (companion.item.entry.path for companion in self._companions() if companion.kind not in going)
        return [(self.below or "") + path for path in staying]

    def _occupants(self) -> list[Item]:
        if self.below is None:
            return [item for item in self.request.target_entries if item.entry.path.partition("/")[0] != OWN_DIRECTORY]
        own = self.below
        return [
            item
            for item in self.request.target_entries
            if own and not item.entry.path.startswith(own) and item.entry.path.partition("/")[0] != OWN_DIRECTORY
        ]

    def _equal(self, ours: Item, theirs: Item) -> bool:
        return same_content(ours, theirs)

    # What has to be done

    def plan(self) -> Plan:
        """The operations, with their header."""
        source, target = self.request.source_fs, self.request.target_fs
        moves: list[Move] = []
        in_place = 0
        for claim in self.claims:
            standing = claim.present or (self.below is not None and claim.position == claim.path)
            if standing:
                in_place += claim.item.reading is not None
                continue
            entry = claim.item.entry
            group = claim.path.rpartition("/")[0]
            moves.append(
                Move(
                    self.verb,
                    Ref(source, entry.path),
                    Ref(target, claim.path),
                    entry.size,
                    Expect(hash=entry.hashes, mtime=entry.mtime_ns),
                    _reason(claim),
                    group,
                )
            )
        operations = order(moves, case_insensitive=self.request.target_capabilities.case_insensitive)
        self._list_left_behind(moves)
        operations += self._sweep(moves)
        capabilities = {source: self.request.source_capabilities, target: self.request.target_capabilities}
        if self.options.cloud_only:
            _refuse_passing(operations, capabilities)
        return seal(Plan(self._header(operations, capabilities, in_place), tuple(operations), self._skipped()))

    def _skipped(self) -> tuple[Skipped, ...]:
        return tuple(self.skipped[path] for path in sorted(self.skipped))

    def _list_left_behind(self, moves: Sequence[Move]) -> None:
        """Name what stays in directories that lose music: it may be missed there."""
        left = {move.src.path.rpartition("/")[0] for move in moves}
        left_or_above = {place for directory in left for place in (directory, *above(directory))}
        keeping = self._directories_that_keep_music(moves)
        for companion in self.companions:
            if companion.kind not in {Kind.OTHER, Kind.AMBIGUOUS}:
                continue
            home = companion.home
            if home in left or (home in left_or_above and home not in keeping):
                path = companion.item.entry.path
                if companion.kind is Kind.AMBIGUOUS:
                    reason = "its folder feeds several albums, or an album that shares its directory: it stays"
                    self.skipped[path] = Skipped(path, "ambiguous-sidecar", reason)
                else:
                    self.skipped[path] = Skipped(path, "other", "neither music nor a known companion of music: it stays")

    def _directories_that_keep_music(self, moves: Sequence[Move]) -> set[str]:
        leaving = {move.src.path for move in moves}
        kept = [item.entry.path for item in self.request.items if item.reading is not None and item.entry.path not in leaving]
        return set(_all_above([*kept, *self._arriving(moves)]))

    def _arriving(self, moves: Sequence[Move]) -> list[str]:
        """Destinations that lie in the source, as paths of the source."""
        below = self.below
        if below is None:
            return []
        return [move.dst.path[len(below) :] for move in moves if move.dst.path.startswith(below)]

    def _sweep(self, moves: Sequence[Move]) -> list[Operation]:
        """Clutter goes to quarantine where nothing else keeps an emptied directory alive."""
        if self.verb is Verb.COPY or not self.clutter:
            return []
        leaving = {move.src.path for move in moves}
        clutter = {item.entry.path for item in self.clutter}
        remaining = (path for item in self.request.items if (path := item.entry.path) not in leaving and path not in clutter)
        alive = set(_all_above([*remaining, *self._arriving(moves)]))
        left = set(_all_above(leaving))
        operations = []
        for item in self.clutter:
            path = item.entry.path
            doomed = False
            for directory in above(path):
                if not directory or directory in alive:
                    break
                if directory in left:
                    doomed = True
                    break
            if doomed:
                operations.append(self._quarantine(item))
        return operations

    def _quarantine(self, item: Item) -> Operation:
        ref = Ref(self.request.source_fs, item.entry.path)
        return Operation(
            id=operation_id(Verb.QUARANTINE, ref, ref),
            verb=Verb.QUARANTINE,
            src=ref,
            dst=ref,
            size=item.entry.size,
            expect=Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns),
            reason="clutter in a directory that is otherwise emptied",
            group=item.entry.path.rpartition("/")[0],
        )

    def _header(self, operations: Sequence[Operation], capabilities: dict[str, Capabilities], in_place: int) -> Header:
        counts = Counter(str(operation.verb) for operation in operations)
        counts.update(f"skipped.{skipped.code}" for skipped in self.skipped.values())
        counts.update({"files": len(self.request.items), "music": self.music, "in_place": in_place})
        options: dict[str, Any] = msgspec.to_builtins(self.options)
        options["rules"] = [msgspec.to_builtins(rule) for rule in self.layout.rules]
        return Header(
            tool_version=self.request.tool_version,
            created=self.request.created,
            source=self.request.source_fs,
            target=self.request.target_fs,
            options=options,
            config_sha256=self.request.config_sha256,
            capabilities={fs: msgspec.to_builtins(capability) for fs, capability in capabilities.items()},
            counts=dict(sorted(counts.items())),
            estimate=estimate(operations, capabilities),
        )


def _reason(claim: Claim) -> str:
    owner = claim.owner
    if claim.number > 1:
        return f"collision: number {claim.number} of {claim.stem}{claim.extension}"
    if isinstance(owner, Companion):
        return "goes with its track" if owner.kind is Kind.TRACK else "goes with its album"
    if owner is None:
        return "untagged"
    return "respelled" if collision_key(claim.position) == collision_key(claim.path) else "layout"


def _all_above(paths: Iterable[str]) -> Iterable[str]:
    seen: set[str] = set()
    for path in paths:
        for directory in above(path):
            if directory in seen:
                break
            seen.add(directory)
    return seen


def _path_limit(request: OrganizeRequest) -> int | None:
    """Bytes that a path below the target's root may have."""
    capabilities = request.target_capabilities
    if capabilities.max_path_bytes is None:
        return None
    root = location_prefix(request.target_fs)
    root = root if root.startswith("/") else root.partition(":")[2]
    if capabilities.remote_type in _BUCKETS:
        root = root.partition("/")[2]
    return capabilities.max_path_bytes - len(root.encode())


def _refuse_passing(operations: Iterable[Operation], capabilities: dict[str, Capabilities]) -> None:
    passing = [operation for operation in operations if passes_through(operation, capabilities)]
    if passing:
        named = ", ".join(f"{operation.verb} {operation.src.path} -> {operation.dst.path}" for operation in passing[:3])
        raise UsageError(f"--cloud-only: {len(passing)} operations would bring content through this machine, the first: {named}")
