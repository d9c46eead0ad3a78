"""The action `sync`, as users run it, between two in-memory storages: with faults, kills, lies, and users at work meanwhile."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Literal, NamedTuple

import pytest

from orchestrator.actions.change import ChangeResult
from orchestrator.actions.runs import resume, undo
from orchestrator.actions.session import Session
from orchestrator.actions.sync import sync
from orchestrator.apply.journal.journal import Journal
from orchestrator.catalogue.store import Catalogue
from orchestrator.common_state.store import CommonState
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.runs import ResumeOptions, UndoOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import ExitCode, OrchestratorError, PermanentError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.location import Location
from orchestrator.paths import case_key, directories_above, is_ours, parents_of
from orchestrator.plan.model import Plan, is_temporary
from orchestrator.rclone.location_identity import Place
from orchestrator.records import Entry
from orchestrator.report.log_reporter import LogReporter
from orchestrator.sqlite import Database
from orchestrator.storage.fake.faults import Killed, RecordedCall, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.fake.objects import StoredFile
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.apply.plans import WITHOUT_WAITS
from tests.plan.sync.worlds import START, ImpossibleError

WHENS: tuple[When, ...] = ("before", "between", "after")


class MemoryPlace:
    """One storage as its user sees it, by way of another program."""

    def __init__(self, storage: MemoryStorage) -> None:
        self.storage = storage
        self._objects = storage._objects
        self.touched: set[str] = set()
        """The paths of the current edit."""

    @property
    def tree(self) -> dict[str, str]:
        """What lies there, without our own folder; of two of one name, the second is called `path#2`."""
        return {path: content.decode() for path, content in self.storage.snapshot().items() if not is_ours(path)}

    def contents(self) -> set[str]:
        """Every content, the trash and all that waits for its name included."""
        return {content.decode() for content in self.storage.snapshot().values()}

    def put(self, path: str, content: str, mtime: int = START) -> None:
        self._check_free(path)
        self._store(path, content, mtime)

    def edit(self, path: str, content: str, mtime: int | None = None) -> None:
        self._store(path, content, self._find(path).mtime_ns if mtime is None else mtime)

    def rename(self, old: str, new: str, *, over: bool = False) -> None:
        file = self._find(old)
        self._objects.drop(file)
        if over:
            self._objects.drop(self._find(new))
        self._add(new, file)

    def rename_folder(self, old: str, new: str) -> None:
        inside = [path for path in self.tree if path.startswith(f"{old}/")]
        if f"{new}/".startswith(f"{old}/") or not self.storage.capabilities.directory_move or self._is_folder(new):
            for path in inside:
                self.rename(path, new + path[len(old) :])
            return
        self._check_free(new)
        self.storage.rename_elsewhere(old, new)
        self.touched |= {*inside, *(new + path[len(old) :] for path in inside)}

    def rotate(self, paths: Sequence[str]) -> None:
        files = [self._find(path) for path in paths]
        for file in files:
            self._objects.drop(file)
        for path, file in zip((*paths[1:], paths[0]), files, strict=True):
            self._add(path, file)

    def delete(self, path: str) -> None:
        self._objects.drop(self._find(path))

    def trying(self, act: Callable[[], None]) -> bool:
        files = {key: tuple(map(_copy, files)) for key, files in self._objects.files.items()}
        directories = dict(self._objects.directories)
        try:
            act()
        except (ImpossibleError, PermanentError):
            self._objects.files, self._objects.directories = files, directories
            return False
        for folder in sorted({above for path in self.touched for above in parents_of(path)}, reverse=True):
            self._objects.remove_directory(folder)  # users tidy up
        return True

    def _find(self, path: str) -> StoredFile:
        self.touched.add(path)
        try:
            return next(file for file in self._objects.files[self._objects.key(path)] if file.path == path)
        except (KeyError, StopIteration):
            raise ImpossibleError(path) from None

    def _store(self, path: str, content: str, mtime: int) -> None:
        self.touched.add(path)
        self._objects.store(path, content.encode(), mtime)

    def _add(self, path: str, file: StoredFile) -> None:
        self._check_free(path)
        self._objects.check_name(path)
        self._objects.add(path, file)

    def _is_folder(self, path: str) -> bool:
        key = self._objects.key(path)
        return key in {self._objects.key(above) for above in directories_above(self.tree)} or key in self._objects.directories

    def _check_free(self, path: str) -> None:
        self.touched.add(path)
        keys = self._objects.files.keys()
        if self._is_folder(path) or not keys.isdisjoint(map(self._objects.key, (path, *parents_of(path)))):
            raise ImpossibleError(path)


def _copy(file: StoredFile) -> StoredFile:
    copy = StoredFile(file.path, file.content, file.mtime_ns, file.id)
    copy.changed = file.changed
    return copy


class Lying(ForwardingStorage):
    """Its first listing leaves a file out, without a word."""

    def __init__(self, inner: Storage, hidden: str | None) -> None:
        super().__init__(inner)
        self._hidden = hidden

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """See Storage."""
        left_out = None
        if not prefix:
            left_out, self._hidden = self._hidden, None
        return (
            entry for entry in self.inner.list(prefix, hidden, on_folder=on_folder, at_most=at_most) if entry.path != left_out
        )


class Ended(NamedTuple):
    """What a command came to."""

    code: ExitCode
    plan: Plan | None
    message: str = ""


Act = Callable[[RecordedCall, int], BaseException | None]
"""What happens at a call to a side: an error, or something that others do."""


class Agitator:
    """Sees all calls of one run to both storages, and acts at some of them."""

    def __init__(self, storages: Sequence[MemoryStorage]) -> None:
        self.calls: list[tuple[int, RecordedCall]] = []
        """Side and call, in their order."""
        self._acts: dict[tuple[int, When], Act] = {}
        for side, storage in enumerate(storages):
            for when in WHENS:
                storage.fail_always(self._watch(side, when), self._trouble(side, when), when=when)

    def at(self, number: int, when: When, act: Act) -> None:
        """Act at the call of this number; at the last act of one moment only."""
        self._acts[number, when] = act

    def _watch(self, side: int, when: When) -> Callable[[RecordedCall], bool]:
        def watch(call: RecordedCall) -> bool:
            if when == "before":
                self.calls.append((side, call))
            return (len(self.calls), when) in self._acts

        return watch

    def _trouble(self, side: int, when: When) -> Callable[[RecordedCall], BaseException | None]:
        return lambda call: self._acts.pop((len(self.calls), when))(call, side)


class FakeSession(Session):
    """One start of the program, for which two in-memory storages are all the world."""

    def __init__(self, state: Path, storages: dict[str, Storage], max_delete: str | None) -> None:
        super().__init__(CommonOptions(yes=True, state_dir=str(state), transfers=1, max_delete=max_delete), LogReporter())
        self._storages = storages

    remotes: dict[str, str] = {}  # type: ignore[assignment]  # noqa: RUF012 - none, and nothing adds one

    def locations(self, *texts: str) -> list[Location]:
        """See Session."""
        return [Location(fs=text, typed=text) for text in texts]

    def places_of(self, fs: str) -> tuple[Place, ...]:
        """See Session."""
        return (Place(f":{fs}", fs),)


class Engine:
    """Two storages and a state directory."""

    def __init__(self, home: Path, kinds: tuple[str, str], random: Random) -> None:
        self.random = random
        self.state = home / "state"
        shutil.copytree(_empty_state(), self.state)
        self.storages = tuple(MemoryStorage.like(kind, f"{name}:{kind}") for name, kind in zip("ab", kinds, strict=True))
        self.places = tuple(map(MemoryPlace, self.storages))

    def sync(
        self,
        *,
        order: Literal[1, -1] = 1,
        hidden: tuple[str | None, str | None] = (None, None),
        max_delete: str | None = "100%",
        **options: object,
    ) -> Ended:
        """One sync; `hidden`: what the listing of each side leaves out. Raises Killed."""
        a, b = [storage.fs for storage in self.storages][::order]
        return self._run(lambda session: sync(SyncOptions(a=a, b=b, **options), session), hidden, max_delete)  # type: ignore[arg-type]

    def resume(self) -> Ended:
        """`resume`. Raises Killed."""
        return self._run(lambda session: resume(ResumeOptions(), session), (None, None), None)

    def die(self) -> None:
        """The process is killed now."""
        for storage in self.storages:
            storage._faults.dead = True
        raise Killed("killed")

    def undo(self) -> Ended:
        """`undo last`. Raises Killed."""
        return self._run(lambda session: undo(UndoOptions(run="last"), session), (None, None), None)

    def revive(self) -> None:
        """A new process, and storages that work."""
        for storage in self.storages:
            storage.revive()
            storage.closed = ()
            storage.forget_folders()

    def _run(
        self, command: Callable[[Session], ChangeResult], hidden: tuple[str | None, str | None], max_delete: str | None
    ) -> Ended:
        lying = {
            storage.fs: RetryingStorage(Lying(storage, path), sleep=lambda _: None)
            for storage, path in zip(self.storages, hidden, strict=True)
        }
        session = FakeSession(self.state, {**lying}, max_delete)
        try:
            result = command(session)
            return Ended(result.exit_code, result.plan)
        except OrchestratorError as error:
            return Ended(error.exit_code, None, error.message)
        finally:
            session.close()

    # What is there.

    def contents(self) -> set[str]:
        """Every content of both sides."""
        return self.places[0].contents() | self.places[1].contents()

    def shown(self) -> set[str]:
        """Every content that lies under a name."""
        return {content for place in self.places for content in place.tree.values()}

    def safe(self) -> set[str]:
        """Every content that lies under a name or in the trash: what has no name yet may be a copy that is swept."""
        snapshots = [storage.snapshot().items() for storage in self.storages]
        return {content.decode() for snapshot in snapshots for path, content in snapshot if not is_temporary(path)}

    def spelled(self) -> list[list[tuple[str, object]]]:
        """Both trees, whatever the case and Unicode form of their names; only sizes where one side may see no more."""
        blind = any(not (storage.capabilities.hashes or storage.capabilities.local) for storage in self.storages)
        return [
            sorted((case_key(path), len(content) if blind else content) for path, content in place.tree.items())
            for place in self.places
        ]

    @property
    def changes(self) -> int:
        """How many changing calls there were."""
        return sum(storage.changes_made for storage in self.storages)


@cache
def _empty_state() -> Path:
    """A state directory with empty databases."""
    home = Path(mkdtemp())
    with Journal(home / "journal.sqlite3"), Catalogue(home / "catalogue.sqlite3"), CommonState(home / "sync.sqlite3"):
        return home


def prepare(patch: pytest.MonkeyPatch, random: Random) -> None:
    """No waits and no chance but that of `random`: a history is replayed from its seed. Our fake disks have inodes."""
    connect = Database.connect

    def quick(database: Database) -> object:
        connection = connect(database)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def status(storage: Storage, path: str) -> SimpleNamespace | None:
        while isinstance(storage, ForwardingStorage):
            storage = storage.inner
        assert isinstance(storage, MemoryStorage)
        return storage.disk_status(path)

    patch.setattr(Database, "connect", quick)
    patch.setattr("orchestrator.actions.common_states.look_at_disk", lambda storage: partial(status, storage))
    patch.setattr("orchestrator.apply.local_disk.status_on_disk", status)
    patch.setattr("orchestrator.actions.sync_sides.reader_count", lambda *_: 1)
    patch.setattr("orchestrator.apply.guard.marker.is_dead", lambda _: True)  # what we call killed is this process
    patch.setattr("orchestrator.actions.execution._backoff", lambda _: WITHOUT_WAITS)
    patch.setattr(secrets, "token_hex", lambda length: random.randbytes(length).hex())
