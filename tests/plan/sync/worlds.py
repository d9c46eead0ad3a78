"""Two pretend locations and their common state: edits by users, syncs that succeed, fail in part, or are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from orchestrator.config.setting_syntax import Limit
from orchestrator.paths import case_key, directories_above, parents_of
from orchestrator.plan.model import Operation, Verb, is_temporary
from orchestrator.plan.planners.sync.planner import plan_sync
from orchestrator.plan.planners.sync.records import (
    SIDES,
    Answer,
    Change,
    Direction,
    File,
    FolderPair,
    Inode,
    Link,
    Row,
    Side,
    SideNumber,
    Sound,
    SyncPlan,
    SyncRequest,
    SyncSettings,
    change_of,
)
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Capabilities, Entry

DISK = Capabilities(move=True, copy=True, local=True, remote_type="local", names="posix")
BUCKET = Capabilities(copy=True, hashes=("md5",), mtime=False, mtime_precision_ns=1, remote_type="s3", names="remote")
DRIVE = Capabilities(move=True, copy=True, hashes=("md5",), mtime_precision_ns=10**6, remote_type="drive", names="remote")
BARE = Capabilities(move=True, copy=True, mtime=False, mtime_precision_ns=None, remote_type="webdav", names="remote")
"""Neither hashes nor modification times."""
SECOND = 10**9
DAY = 86_400 * SECOND
START = 1_790_000_000 * SECOND
"""2026-09-21."""


class ImpossibleError(AssertionError):
    """A storage refuses this."""


@dataclass(frozen=True)
class Stored:
    """One file: its content, which is its own hash, and what its place knows of it."""

    content: str
    mtime: int = START
    number: int = 0
    """Its inode, or the remote's id."""
    ctime: int = 0
    """Any later number after a change of any kind."""

    @property
    def sound(self) -> Sound | None:
        """Of music: `sound|tags`, where what follows a `#` is written by players."""
        identity, bar, tags = self.content.partition("|")
        return Sound(identity, tags, tags.partition("#")[0], sure=not identity.startswith("?")) if bar else None


@dataclass
class Place:
    """One location. It refuses what a storage refuses: no overwriting, no file where a folder is."""

    fs: str
    capabilities: Capabilities
    files: dict[str, Stored] = field(default_factory=dict)
    trash: list[str] = field(default_factory=list)
    hidden: Callable[[str], bool] = lambda _: False
    young: Callable[[str], bool] = lambda _: False
    unlisted: tuple[str, ...] = ()
    sounds: bool = False
    """Whether tags can be read."""
    damaged: dict[str, str] = field(default_factory=dict)
    """Content -> why it cannot be whole."""
    clock: int = 0
    renamed: dict[str, str] = field(default_factory=dict)
    """What our own runs have renamed since the last sync."""
    refused: set[str] = field(default_factory=set)
    """Names that the remote has refused before."""
    tells_changes: bool = True
    """Whether the disk has a time of change."""
    documents: frozenset[str] = frozenset()
    """The paths of those that only exist online: they have neither size nor hashes."""
    holds_both: bool = False
    """Whether a file and a folder can have one name, as in a bucket."""
    empty: frozenset[str] = frozenset()
    """Folders without files."""

    def put(self, path: str, content: str, mtime: int = START, number: int | None = None) -> None:
        self.clock += 1
        keys = {self._key(known) for known in self.files}
        if self._key(path) in keys:
            raise ImpossibleError(f"{self.fs}: {path} is overwritten")
        if self.holds_both:
            pass
        elif keys & {self._key(above) for above in parents_of(path)}:
            raise ImpossibleError(f"{self.fs}: a file is on the way to {path}")
        elif self._key(path) in {self._key(above) for above in directories_above(self.files)}:
            raise ImpossibleError(f"{self.fs}: {path} is a folder")
        self.files[path] = Stored(content, mtime, self.clock if number is None else number, self.clock)

    def _key(self, path: str) -> str:
        return case_key(path) if self.capabilities.case_insensitive else path

    def edit(self, path: str, content: str, mtime: int | None = None) -> None:
        self.clock += 1
        old = self.files[path]
        self.files[path] = Stored(content, old.mtime if mtime is None else mtime, old.number, self.clock)

    def rename(self, old: str, new: str, *, over: bool = False) -> None:
        stored = self.files.pop(old)
        if over:
            self.files.pop(new, None)
        self.put(new, stored.content, stored.mtime, stored.number)

    def rename_folder(self, old: str, new: str) -> None:
        for path in [path for path in sorted(self.files) if path.startswith(f"{old}/")]:
            self.rename(path, new + path[len(old) :])

    def rotate(self, paths: Sequence[str]) -> None:
        files = [self.files.pop(path) for path in paths]
        for path, stored in zip((*paths[1:], paths[0]), files, strict=True):
            self.put(path, stored.content, stored.mtime, stored.number)

    def delete(self, path: str) -> None:
        del self.files[path]

    def trying(self, act: Callable[[], None]) -> bool:
        before = dict(self.files)
        try:
            act()
        except ImpossibleError:
            self.files = before
            return False
        return True

    def listed(self, path: str, *, read: bool = False, looked: bool = False, heard: bool = False, all_tags: bool = False) -> File:
        """A file as the planner gets it; `read`: with its hash, `looked`: with its own time, `heard`: with its sound."""
        stored, can = self.files[path], self.capabilities
        entry = Entry(
            path,
            None if path in self.documents else len(stored.content.encode()),
            stored.mtime if can.mtime else None,
            {"md5": stored.content} if can.hashes and path not in self.documents else {},
            str(stored.number) if can.remote_type == "drive" else None,
        )
        return File(
            entry,
            Inode(stored.number, stored.ctime if self.tells_changes else None) if can.local else None,
            {"md5": stored.content} if read else {},
            self._sound(stored, all_tags=all_tags) if heard else None,
            stored.mtime if looked and can.mtime_precision_ns is not None else None,
            self.damaged.get(stored.content) if heard else None,
        )

    def _sound(self, stored: Stored, *, all_tags: bool) -> Sound | None:
        found = stored.sound if self.sounds and stored.content not in self.damaged else None
        return found if all_tags or not found else msgspec.structs.replace(found, lasting_tags=None)

    def side(
        self, read: Iterable[str] = (), looked: Iterable[str] = (), heard: Iterable[str] = (), all_tags: Iterable[str] = ()
    ) -> Side:
        read, looked, heard, all_tags = set(read), set(looked), {*heard, *all_tags}, set(all_tags)
        shown = [path for path in self.files if not any(f"{path}/".startswith(f"{folder}/") for folder in self.unlisted)]
        files = {
            path: self.listed(path, read=path in read, looked=path in looked, heard=path in heard, all_tags=path in all_tags)
            for path in shown
        }
        return Side(
            fs=self.fs,
            capabilities=self.capabilities,
            files=[file for path, file in files.items() if not self.hidden(path) and not self.young(path)],
            waiting=[file for path, file in files.items() if self.young(path)],
            left_out=[file for path, file in files.items() if self.hidden(path)],
            folders=directories_above([*self.files, *(f"{folder}/" for folder in self.empty)]) - {""},
            unlisted=self.unlisted,
            refused=sorted(self.refused),
            renamed=self.renamed,
            readable=self.capabilities.local,
        )

    @property
    def tree(self) -> dict[str, str]:
        return {path: stored.content for path, stored in sorted(self.files.items())}


class World:
    """Two places that are synced."""

    def __init__(
        self,
        a: Mapping[str, str] | None = None,
        b: Mapping[str, str] | None = None,
        *,
        kinds: tuple[Capabilities, Capabilities] = (DISK, BUCKET),
        sounds: bool = False,
    ) -> None:
        self.a, self.b = (Place(fs, kind, sounds=sounds) for fs, kind in zip(("/a", "r:b"), kinds, strict=True))
        self.places = (self.a, self.b)
        self.rows: dict[int, Row] = {}
        self.last_row = 0
        self.empty_folders: tuple[FolderPair, ...] = ()
        self.sent: Counter[str] = Counter()
        """Contents that went from one side to the other."""
        self.asked: set[str] = set()
        """The kinds of questions that the planner has asked."""
        for place, files in zip(self.places, (a or {}, b or {}), strict=True):
            for path, content in files.items():
                place.put(path, content)

    @classmethod
    def alike(cls, files: Mapping[str, str] | Iterable[str], **options: object) -> World:
        """Two places with the same files, which a sync has seen."""
        tree = dict(files) if isinstance(files, Mapping) else {path: f"content of {path}" for path in files}
        world = cls(tree, tree, **options)  # type: ignore[arg-type]
        assert not world.sync().plan.operations
        assert len(world.rows) == len(tree)
        return world

    def plan(self, *, conflicts: Mapping[tuple[str, str], Answer] = {}, **settings: object) -> SyncPlan:
        """The plan, after all questions were answered; deterministic whatever the order of the inputs."""
        known = SyncSettings(**settings)  # type: ignore[arg-type]
        answers = tuple(([], []) for _ in range(4))  # type: ignore[var-annotated]
        answered = False
        for _ in range(8):
            sides = tuple(place.side(*(known[side] for known in answers)) for side, place in zip(SIDES, self.places, strict=True))
            request = SyncRequest(
                sides=sides,  # type: ignore[arg-type]
                rows=list(self.rows.values()),
                empty_folders=self.empty_folders,
                settings=known,
                answers=conflicts,
                now_ns=START + 365 * DAY,
                answered=answered,
                tool_version="1",
                created="2026-01-01T00:00:00Z",
            )
            made = plan_sync(request)
            assert made == plan_sync(_shuffled(request)), "the order of the inputs makes a difference"
            if isinstance(made, SyncPlan):
                check_plan(made.plan)
                if not made.plan.operations:
                    assert made == plan_sync(_without_shortcut(request)), "that nothing has changed is seen where something has"
                return made
            answered = True
            self.asked.update(name for name in ("hashes", "times", "sounds", "lasting_tags") if getattr(made, name))
            for asked, known_now in zip((made.hashes, made.times, made.sounds, made.lasting_tags), answers, strict=True):
                for ref in asked:
                    side = 0 if ref.fs == self.a.fs else 1
                    answered &= ref.path in known_now[side]
                    known_now[side].append(ref.path)
        raise AssertionError("it asks again and again")

    def sync(self, *, fails: Callable[[Operation], bool] = lambda _: False, seed: int = 0, **settings: Any) -> SyncPlan:
        """Plan, carry out in some order that `depends` allows, and settle the state."""
        before = self.contents()
        made = self.plan(**settings)
        done = self.carry_out(made.plan.operations, fails, seed)
        self.settle(made.links, done)
        self.empty_folders = made.empty_folders
        assert self.contents() >= before, "content was lost"
        return made

    def carry_out(self, operations: Iterable[Operation], fails: Callable[[Operation], bool], seed: int) -> set[Change]:
        random = Random(seed)
        waiting = {operation.id: operation for operation in operations}
        done: set[Change] = set()
        failed: set[str] = set()
        while waiting:
            ready = sorted(name for name, operation in waiting.items() if not set(operation.depends) & waiting.keys())
            assert ready, "operations wait for each other"
            operation = waiting.pop(random.choice(ready))
            if failed & set(operation.depends) or fails(operation):
                failed.add(operation.id)
            else:
                self._do(operation)
                done.add(change_of(operation))
        self._bring_back(operations)
        return done

    def _bring_back(self, operations: Iterable[Operation]) -> None:
        """A rename whose second half failed: the user restores the file, under another name if its own was taken."""
        for operation in operations:
            for place in self.places:
                if is_temporary(operation.dst.path) and place.fs == operation.dst.fs and operation.dst.path in place.files:
                    stored = place.files.pop(operation.dst.path)
                    path = operation.src.path
                    while True:
                        try:
                            place.put(path, stored.content, stored.mtime, stored.number)
                            break
                        except ImpossibleError:
                            path += "~"

    def _do(self, operation: Operation) -> None:
        source, target = (self.a if ref.fs == self.a.fs else self.b for ref in (operation.src, operation.dst))
        stored = source.files[operation.src.path]
        assert len(stored.content.encode()) == operation.size
        assert all(stored.content == value for value in operation.expect.hash.values())
        if operation.verb is Verb.DELETE:
            source.trash.append(source.files.pop(operation.src.path).content)
            return
        if operation.finishes_move:
            assert target.files[operation.dst.path].content == stored.content, "what the target has is not the same"
            del source.files[operation.src.path]
            return
        if operation.verb is Verb.MOVE and source is target:
            source.rename(operation.src.path, operation.dst.path)
            return
        if source is not target:
            self.sent[stored.content] += 1
        if operation.verb is Verb.REPLACE:
            old = target.files.pop(operation.dst.path)
            assert operation.expect.replaced
            assert operation.expect.replaced.size == len(old.content.encode())
            target.trash.append(old.content)
            target.put(operation.dst.path, stored.content, stored.mtime, old.number)
        else:
            target.put(operation.dst.path, stored.content, stored.mtime)
            if operation.verb is Verb.MOVE:
                del source.files[operation.src.path]

    def settle(self, links: Iterable[Link], done: set[Change]) -> None:
        """What the state room does: only what was done is recorded."""
        for link in links:
            if not done.issuperset(link.changes):
                continue
            if link.row is not None:
                self.rows.pop(link.row, None)
            if link.paths is None:
                continue
            hashed = any(place.capabilities.hashes for place in self.places) or any(file and file.hashes for file in link.files)
            first, second = (
                gone if gone and gone.moved_away else place.listed(path, read=hashed)
                for place, path, gone in zip(self.places, link.paths, link.files, strict=True)
            )
            marked = (bool(file and file.renamed_there) for file in link.files)
            first, second = (
                msgspec.structs.replace(file, renamed_there=mark) for file, mark in zip((first, second), marked, strict=True)
            )
            files = (first, second)
            contents = {
                place.files[file.path].content for place, file in zip(self.places, files, strict=True) if not file.moved_away
            }
            assert len(contents) == 1, "the state says that different files are alike"
            for number, row in list(self.rows.items()):
                if any(row.files[side].path == files[side].path for side in SIDES):
                    del self.rows[number]
            number = self.last_row = 1 + max([self.last_row, *self.rows])  # a number is never used again
            self.rows[number] = Row(number, files)

    def contents(self) -> Counter[str]:
        """Every different content of both sides and their trash; how often does not matter."""
        everything = [*self.a.tree.values(), *self.b.tree.values(), *self.a.trash, *self.b.trash]
        return Counter(set(everything))

    @property
    def trees(self) -> tuple[dict[str, str], dict[str, str]]:
        return self.a.tree, self.b.tree

    def mirrored(self) -> World:
        """The same with A for B."""
        world = World(kinds=(self.b.capabilities, self.a.capabilities))
        for mine, theirs in zip(world.places, (self.b, self.a), strict=True):
            mine.files, mine.clock, mine.sounds = dict(theirs.files), theirs.clock, theirs.sounds
        world.rows = {number: Row(number, (row.files[1], row.files[0])) for number, row in self.rows.items()}
        return world


def _without_shortcut(request: SyncRequest) -> SyncRequest:
    """With a rename of what never was: the planner looks at every file then, also where all are as they were."""
    sides = tuple(msgspec.structs.replace(side, renamed={"never": "was", **side.renamed}) for side in request.sides)
    return msgspec.structs.replace(request, sides=sides)


def _shuffled(request: SyncRequest) -> SyncRequest:
    sides = tuple(msgspec.structs.replace(side, files=list(reversed(side.files))) for side in request.sides)
    return msgspec.structs.replace(request, sides=sides, rows=list(reversed(request.rows)))


def everything(**settings: object) -> dict[str, object]:
    """Settings under which no number of deletions is too many."""
    return {"max_delete": Limit(100, percent=True), **settings}


def direction_from(side: SideNumber) -> Direction:
    return (Direction.A_TO_B, Direction.B_TO_A)[side]
