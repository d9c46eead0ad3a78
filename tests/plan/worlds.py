"""Small libraries for planner tests: their files, a plan for them, and a pretend storage that carries plans out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import md5
from random import Random
from typing import Any

import msgspec

from orchestrator.paths import collision_key, location_prefix
from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.model import ENTRIES_WITHOUT_FILE, Operation, Plan, Verb
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import Mirror, OrganizeRequest, OrganizeSettings
from orchestrator.records import Capabilities, Entry, Item
from orchestrator.track import AudioIdentity, Reading, Status, Strength, Track

LOCAL = Capabilities(move=True, copy=True, hashes=("md5",), local=True, remote_type="local")
FOLDING = msgspec.structs.replace(LOCAL, case_insensitive=True)
BUCKET = Capabilities(copy=True, hashes=("md5",), empty_directories=False, max_path_bytes=1024, remote_type="s3")
_TEXTS = frozenset({"title", "artist", "album_artist", "album", "release_type", "genre", "composer"})


def track(**fields: Any) -> Track:
    """A Track; fields with several values can be given as one text."""
    return Track(**{name: (value,) if name in _TEXTS and isinstance(value, str) else value for name, value in fields.items()})


def song(path: str, content: str | None = None, **fields: Any) -> Item:
    """A tagged audio file."""
    return tagged(path, track(**fields), content)


def tagged(path: str, tags: Track, content: str | None = None) -> Item:
    content = path if content is None else content
    reading = Reading(Status.TAGGED, tags, AudioIdentity("pcm-md5", content, Strength.SURE))
    return Item(entry(path, content), reading)


def entry(path: str, content: str | None = None) -> Entry:
    content = path if content is None else content
    return Entry(path, len(content), 1_600_000_000_000_000_000, {"md5": content})


def plain(path: str, content: str | None = None) -> Item:
    """A file that is not music."""
    return Item(entry(path, content))


def listing(path: str, content: bytes) -> Item:
    """A playlist or cue sheet."""
    return Item(Entry(path, len(content), 0, hashed(content)), content=content)


def hashed(content: bytes) -> dict[str, str]:
    return {"md5": md5(content, usedforsecurity=False).hexdigest()}


def untagged(path: str) -> Item:
    return Item(entry(path), Reading(Status.UNTAGGED, Track()))


def unreadable(path: str) -> Item:
    return Item(entry(path), Reading(Status.UNREADABLE, reason="cut"))


def plan(
    items: Sequence[Item],
    *,
    source: str = "/music",
    target: str | None = None,
    there: Sequence[Item] = (),
    capabilities: Capabilities = LOCAL,
    foreign_folders: Sequence[str] = (),
    litter: Sequence[Item] = (),
    external_lists: Sequence[ExternalList] = (),
    elsewhere: frozenset[str] = frozenset(),
    mirrors: Sequence[Mirror] = (),
    target_capabilities: Capabilities | None = None,
    **options: Any,
) -> Plan:
    """The plan for these files; other keywords are fields of OrganizeSettings."""
    return plan_organize(
        OrganizeRequest(
            source_fs=source,
            target_fs=target or source,
            items=items,
            target_items=there,
            foreign_folders=foreign_folders,
            litter=litter,
            external_lists=external_lists,
            elsewhere=elsewhere,
            source_capabilities=capabilities,
            target_capabilities=target_capabilities or capabilities,
            mirrors=mirrors,
            target_has_buckets=capabilities.remote_type == "s3",
            options=OrganizeSettings(**options),
            tool_version="1.0",
            created="2026-01-01T00:00:00Z",
        )
    )


def moved(made: Plan) -> dict[str, str]:
    """Old path -> new path; a move in two steps is one."""
    halfway = {
        operation.dst.path: operation.src.path for operation in made.operations if operation.dst.path.startswith(".music-o")
    }
    return {
        halfway.get(operation.src.path, operation.src.path): operation.dst.path
        for operation in made.operations
        if operation.dst.path not in halfway
    }


def skips(made: Plan) -> dict[str, str]:
    """Path -> code. Lists with entries that name no file are not skipped for that."""
    return {one.path: one.code for one in made.skipped if one.code != ENTRIES_WITHOUT_FILE}


class Done(msgspec.Struct, frozen=True):
    """What the journal has of one operation."""

    operation: Operation
    destination: Any
    entry: Entry | None


class PretendStorage:
    """Files by absolute path. It refuses what a disk would refuse, and overwriting.

    With `folding` it ignores case, and a directory keeps the spelling that it was made with.
    A directory is gone when its last file is.
    """

    def __init__(self, files: Mapping[str, Item], *, folding: bool = False) -> None:
        self.folding = folding
        self.files: dict[str, Item] = {}
        for path in sorted(files):
            self.put(path, files[path])

    @classmethod
    def holding(cls, root: str, items: Iterable[Item], *, folding: bool = False) -> PretendStorage:
        return cls({location_prefix(root) + item.entry.path: item for item in items}, folding=folding)

    def _key(self, path: str) -> str:
        return collision_key(path) if self.folding else path

    def put(self, path: str, item: Item) -> None:
        keys = {self._key(known): known for known in self.files}
        directories: dict[str, str] = {}
        for known in self.files:
            parts = known.split("/")
            for depth in range(1, len(parts)):
                directories["/".join(parts[:depth])] = known
        spelled = {self._key(directory): directory for directory in directories}
        assert self._key(path) not in keys, f"{path} is overwritten"
        assert self._key(path) not in spelled, f"{path} is a directory"
        parts = path.split("/")
        assert all(len(part.encode()) <= 255 for part in parts), f"{path} is too long"
        above = ""
        for depth, part in enumerate(parts[:-1]):
            above = f"{above}/{part}" if depth else part
            assert self._key(above) not in keys, f"{above} is a file, on the way to {path}"
            above = spelled.get(self._key(above), above)
        self.files[f"{above}/{parts[-1]}"] = item

    def carry_out(self, made: Plan, seed: int = 0, run: str = "run") -> list[Done]:
        """Carry out the operations in some order that `depends` allows."""
        random = Random(seed)
        waiting = {operation.id: set(operation.depends) for operation in made.operations}
        by_id = {operation.id: operation for operation in made.operations}
        done: list[Done] = []
        while waiting:
            ready = sorted(name for name, needs in waiting.items() if not needs)
            assert ready, "operations wait for each other"
            name = random.choice(ready)
            del waiting[name]
            for needs in waiting.values():
                needs.discard(name)
            done.append(self._do(by_id[name], run))
        return done

    def _do(self, operation: Operation, run: str) -> Done:
        src = location_prefix(operation.src.fs) + operation.src.path
        item = self.files[src]
        if (content := operation.content_bytes()) is not None:
            written = Item(Entry(operation.dst.path, len(content), 0, hashed(content)), content=content)
            self.put(location_prefix(operation.dst.fs) + operation.dst.path, written)
            return Done(operation, operation.dst, written.entry)
        assert item.entry.size == operation.size
        assert item.entry.hashes.items() <= operation.expect.hash.items()
        now = operation.dst
        if operation.verb is not Verb.COPY:
            del self.files[src]
        if operation.verb is Verb.QUARANTINE:
            now = msgspec.structs.replace(now, path=f".music-orchestrator/quarantine/{run}/{now.path}")
        self.put(location_prefix(now.fs) + now.path, item)
        return Done(operation, now, msgspec.structs.replace(item.entry, path=now.path))

    def tree(self, root: str) -> dict[str, str]:
        """Path below `root` -> content, without our own directory."""
        return {item.entry.path: item.entry.hashes["md5"] for item in self.list(root)}

    def list(self, root: str) -> list[Item]:
        prefix = location_prefix(root)
        return [
            msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path=path[len(prefix) :]))
            for path, item in sorted(self.files.items())
            if path.startswith(prefix) and not path.startswith(f"{prefix}.music-orchestrator/")
        ]

    def contents(self) -> list[str]:
        """Every content, including our own directory."""
        return sorted(item.entry.hashes["md5"] for item in self.files.values())
