"""Bring the catalogue up to date: list, compare, read the tags of what is new, store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from time import monotonic

import msgspec

from orchestrator.catalogue.compare import AllowGone, Difference, Staging
from orchestrator.catalogue.reading import Readers, reader_count
from orchestrator.catalogue.rows import Unread
from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import InterruptedRunError
from orchestrator.paths import is_ours, is_rclone_debris
from orchestrator.progress import NoProgress, Progress
from orchestrator.records import Capabilities, Entry, Ref
from orchestrator.storage.protocol import Storage
from orchestrator.tags.policy import FEW_BYTES, Policy
from orchestrator.track import Reading, Status

_LISTING_BATCH = 2000
_SAVE_EVERY = 256
_SAVE_AFTER_S = 1.0


class ScanResult(msgspec.Struct, kw_only=True):
    """What a scan found and did."""

    files_seen: int = 0
    """All files of the location but leftovers and our own directory."""
    audio_seen: int = 0
    files_read: int = 0
    """Audio files whose tags this scan read, the unreadable ones included."""
    lists_read: int = 0
    """Playlists and cue sheets whose content this scan read."""
    requests: int = 0
    """Ranges asked for."""
    bytes_read: int = 0
    difference: Difference
    """What is new since the last scan."""
    selection: Selection = Selection()
    """What the run's options leave in: to be handed to `Catalogue.entries`."""
    unreadable: list[tuple[str, str]] = []
    """(path, reason) of each file whose content cannot be read as audio, those known from earlier scans included."""
    suspect: list[tuple[str, str]] = []
    """(path, why) of each file that was read and whose sound is thought to be cut or damaged, the known ones included."""
    vanished: list[str] = []
    """Files that were listed and then gone."""
    folders_may_hide: bool = False
    """Folders can share a name there too, and hide from a look what lies in one another."""
    failures: list[tuple[str, str]] = []
    """(path, reason) of each file that the storage did not give; the next scan tries again."""
    sharing_names: dict[str, int] = {}
    """Path -> how many files carry that name."""
    nameless: dict[str, int] = {}
    """Those of them that nothing tells apart: whoever asks for the name gets one, and cannot say which. They are not all read."""
    leftovers: list[str] = []
    """What rclone left behind when it was killed: ignored."""

    @property
    def changed(self) -> bool:
        """Whether the catalogue says anything else than before."""
        return self.difference.any or self.files_read + self.lists_read > 0 or bool(self.vanished)

    @property
    def complete(self) -> bool:
        """Whether every file could be looked at; else the run ends with 3."""
        return not (self.unreadable or self.vanished or self.failures or self.difference.twice or self.nameless)


def scan(
    storage: Storage,
    catalogue: Catalogue,
    *,
    readers: int | None = None,
    policy: Policy = FEW_BYTES,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    settle_s: float = 0.0,
    now_ns: int,
    progress: Progress | None = None,
    allow_emptied: bool = False,
    allow_gone: AllowGone | None = None,
    stop: threading.Event | None = None,
) -> ScanResult:
    """List `storage`, read the tags of every audio file that is new or changed, and keep all that in `catalogue`.

    `readers` is how many files are read at once; None leaves it to the kind of storage.

    The catalogue always holds the whole listing; the options only say whose tags are read. A file is read again when its content
    may have changed (see `orchestrator.catalogue.compare`) or the reader has. Playlists and cue sheets are read
    whole, whatever the options say: their entries may lead to files that move.

    Raises the storage's error when the listing breaks off, and then has changed nothing; SafetyLimitError when all music is gone,
    or half of it and more, unless `allow_emptied` or `allow_gone`; AuthError, TransientError and InterruptedRunError (`stop` was
    set) from the reading, and then keeps what was read.
    """
    progress = progress or NoProgress()
    selection = Selection(tuple(include), tuple(exclude), int(settle_s * 1e9), now_ns)
    leftovers: list[str] = []
    with Staging(catalogue, storage.fs) as staging:
        progress.stage("listing")
        for batch in _batches(storage.list(), leftovers):
            staging.add(batch)
            progress.advance(len(batch))
            if stop is not None and stop.is_set():
                raise InterruptedRunError("interrupted while listing; nothing was changed")
        difference = staging.commit(now_ns, allow_emptied=allow_emptied, allow_gone=allow_gone)
    result = ScanResult(
        files_seen=difference.seen, audio_seen=difference.audio, difference=difference, selection=selection, leftovers=leftovers
    )
    _remember(catalogue, storage)
    lists = catalogue.unread_lists(storage.fs)
    waiting = catalogue.unread_count(storage.fs, by_id=storage.capabilities.by_id) + len(lists)
    if waiting:
        progress.stage("reading tags", waiting if selection.everything else None)
        files = chain(lists, _chosen(catalogue, storage, selection))
        with (
            storage.reading(policy.piece),
            Readers(storage, files, policy, reader_count(storage, readers), stop, waiting=waiting) as outcomes,
        ):
            _keep(outcomes, catalogue, storage.fs, result, progress)
    name_trouble(catalogue, storage.fs, result, storage.capabilities)
    return result


def name_trouble(catalogue: Catalogue, fs: str, result: ScanResult, capabilities: Capabilities) -> None:
    """Put into `result` what the catalogue knows of files that share a name, cannot be read or are suspect."""
    if capabilities.duplicate_names:
        result.folders_may_hide = True
        result.sharing_names = catalogue.sharing_names(fs, result.selection)
        result.nameless = result.sharing_names
    if capabilities.by_id:
        result.nameless = catalogue.sharing_names(fs, result.selection, nameless=True)
    for path, reading in catalogue.troubled(fs, result.selection):
        if reading.status is Status.UNREADABLE:
            result.unreadable.append((path, reading.reason or "unreadable"))
        elif reading.suspect is not None:
            result.suspect.append((path, reading.suspect))


def _remember(catalogue: Catalogue, storage: Storage) -> None:
    """Keep what the storage can do: whoever plans from the catalogue alone has to know it."""
    with catalogue.writing() as connection:
        values = (msgspec.json.encode(storage.capabilities), storage.fs)
        connection.execute("UPDATE location SET capabilities = ? WHERE fs = ?", values)


def _batches(entries: Iterator[Entry], leftovers: list[str]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        if is_rclone_debris(entry.path):
            leftovers.append(entry.path)
        elif not is_ours(entry.path):
            batch.append(entry)
            if len(batch) == _LISTING_BATCH:
                yield batch
                batch = []
    yield batch


def _chosen(catalogue: Catalogue, storage: Storage, selection: Selection) -> Iterator[Unread]:
    """What is to be read. Runs in the readers' threads, in one at a time."""
    waiting = catalogue.unread(storage.fs, by_id=storage.capabilities.by_id)
    if selection.everything:
        yield from waiting
        return
    why_not = selection.compiled().why_not
    for unread in waiting:
        if why_not(unread.entry, unread.since_ns) is None:
            yield unread


def _keep(outcomes: Readers, catalogue: Catalogue, fs: str, result: ScanResult, progress: Progress) -> None:
    """Store readings as they come, and account for every file."""
    read: list[tuple[Unread, Reading]] = []
    lists: list[tuple[Unread, bytes]] = []
    gone: list[Ref] = []
    saved_at = monotonic()
    try:
        for outcome in outcomes:
            path = outcome.unread.entry.path
            if outcome.reading is not None:
                read.append((outcome.unread, outcome.reading))
                result.files_read += 1
                result.requests += outcome.reading.requests
                result.bytes_read += outcome.reading.bytes_read
                progress.advance(1, outcome.reading.bytes_read)
            elif outcome.content is not None:
                lists.append((outcome.unread, outcome.content))
                result.lists_read += 1
                result.requests += 1
                result.bytes_read += len(outcome.content)
                progress.advance(1, len(outcome.content))
            else:
                progress.advance()
                if outcome.vanished:
                    result.vanished.append(path)
                    gone.append(Ref(fs, path, outcome.unread.entry.id or msgspec.UNSET))
                elif outcome.error is not None:
                    result.failures.append((path, outcome.error.message))
            waiting = len(read) + len(lists)
            if waiting >= _SAVE_EVERY or (waiting and monotonic() - saved_at > _SAVE_AFTER_S):
                catalogue.save_readings(read)
                catalogue.save_contents(lists)
                read, lists = [], []
                saved_at = monotonic()
    finally:
        # Also when the reading breaks off: nothing is read twice. A full disk here hides no other error: it would be raised anew.
        catalogue.save_readings(read)
        catalogue.save_contents(lists)
    catalogue.forget(gone)
