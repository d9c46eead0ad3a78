"""Bring the catalogue up to date: list, compare, read the tags of new and changed files, save."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from time import monotonic

import msgspec

from orchestrator.catalogue.compare import AllowGone, Difference, NewListing
from orchestrator.catalogue.database import FOREIGN_FOLDERS
from orchestrator.catalogue.expected_reads import Expectation, OnExpected
from orchestrator.catalogue.reading import Readers, reader_count
from orchestrator.catalogue.rows import Unread
from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import AccessDeniedError, InterruptedRunError, PartialListingError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.paths import is_ours, is_rclone_debris, parent_of, path_problem
from orchestrator.plan.scan_estimate import ExpectedReads
from orchestrator.progress import NoProgress, Progress
from orchestrator.records import Capabilities, Entry, Ref
from orchestrator.storage.protocol import Storage
from orchestrator.tags.policy import FEW_BYTES, Policy
from orchestrator.track import Reading, Status
from orchestrator.wording import counted

_LISTING_BATCH = 2000
_LISTING_BATCH_S = 0.5
"""After this time a smaller batch is saved: people see that the listing goes on."""
_SAVE_EVERY = 256
_SAVE_AFTER_S = 1.0


class ScanResult(msgspec.Struct, kw_only=True):
    """What a scan found and did."""

    files_seen: int = 0
    """All files of the location, without rclone's debris and our own directory."""
    audio_seen: int = 0
    files_read: int = 0
    """Audio files that this scan read, including unreadable ones."""
    lists_read: int = 0
    """Playlists and cue sheets whose content this scan read."""
    requests: int = 0
    """Ranges requested."""
    bytes_read: int = 0
    difference: Difference
    """What has changed since the last scan."""
    selection: Selection = Selection()
    """Which files the options select, for `Catalogue.entries`."""
    unreadable: list[tuple[str, str]] = []
    """(path, reason) of each file that is not readable as audio, including files from earlier scans."""
    suspect: list[tuple[str, str]] = []
    """(path, reason) of each file whose sound seems to be cut or damaged, including files from earlier scans."""
    vanished: list[str] = []
    """Files that were listed, but were gone when they were read."""
    folders_may_hide: bool = False
    """Folders can share a name too, and a look then finds the files of only one of them."""
    failures: list[tuple[str, str]] = []
    """(path, reason) of each file that the storage failed to deliver; the next scan tries again."""
    sharing_names: dict[str, int] = {}
    """Path -> how many files have it, for paths of several files."""
    indistinguishable: dict[str, int] = {}
    """Those of them whose files nothing distinguishes: a request for the name returns either. Not all of them are read."""
    rclone_debris: list[str] = []
    """Unfinished transfers that a killed rclone left behind; skipped."""
    unreachable: list[tuple[str, str]] = []
    """(path, reason) of each selected file that is listed by a name under which a request would find nothing, or another file
    (`/x`, `./x`, `a//x` in a bucket). It is never read nor looked at, and the catalogue does not have it."""
    closed: list[tuple[str, str]] = []
    """(path, reason) of each folder that could not be listed and that `exclude` does not cover."""
    own_directories: list[str] = []
    """The OWN_DIRECTORY of each location inside this one, as far as it has one."""
    foreign_folders: list[str] = []
    """The folders of other programs; skipped, and not looked into."""
    thrown_away: int = 0
    """Files whose own names say that they were thrown away, or are not complete; skipped."""
    links_left_out: int = 0
    """Links that the listing did not follow, where the remote tells."""
    undecryptable: Sequence[str] = ()
    """Encrypted paths that the listing left out, because their names cannot be decrypted."""

    @property
    def changed(self) -> bool:
        """Whether the catalogue has changed."""
        return self.difference.any or self.files_read + self.lists_read > 0 or bool(self.vanished)

    @property
    def complete(self) -> bool:
        """Whether every file could be read; otherwise the run ends with 3."""
        left_out = self.unreadable or self.vanished or self.failures or self.closed or self.unreachable
        return not (left_out or self.difference.listed_twice or self.indistinguishable)


def scan(
    storage: Storage,
    catalogue: Catalogue,
    selection: Selection,
    *,
    hidden: HiddenFolders = ALL_HIDDEN,
    readers: int | None = None,
    policy: Policy = FEW_BYTES,
    progress: Progress | None = None,
    allow_emptied: bool = False,
    allow_gone: AllowGone | None = None,
    on_expected: OnExpected | None = None,
    stop: threading.Event | None = None,
    read: bool = True,
) -> ScanResult:
    """List `storage`, read the tags of every audio file that is new or changed (unless not `read`), and save it in `catalogue`.

    `readers` is how many files are read at once; None chooses by the kind of storage. `on_expected` gets what was listed and is
    going to be read, as soon as that can be told; what it raises ends the scan.

    The catalogue always holds the whole listing, without what is `hidden`; `selection` only says whose tags are read. A
    file is read again when its content may have changed (see `orchestrator.catalogue.compare`), or when a newer version of the
    reader is in use. Playlists and cue sheets are always read, whole: their entries may point at files that move.

    Files in folders that may not be listed stay in the catalogue as they were last seen, and are not selected.

    Raises the storage's error when the listing breaks off, and then has changed nothing; SafetyLimitError when all music is gone,
    or half of it and more, unless `allow_emptied` or `allow_gone` permits that; AuthError, TransientError and
    InterruptedRunError (`stop` was set) from the reading, and then keeps what was read.
    """
    progress = progress or NoProgress()
    aside = _Aside()
    closed: dict[str, str] = {}
    folders: set[str] = set()
    with NewListing(catalogue, storage.fs, hidden.hides) as listing:
        progress.stage("listing", at=(storage.fs,))
        for batch in _batches(_as_far_as_open(storage, hidden, closed), hidden, aside):
            listing.add(batch)
            if on_expected is not None:
                folders.update(parent_of(entry.path) for entry in batch)
            progress.advance(len(batch))
            if stop is not None and stop.is_set():
                raise InterruptedRunError("interrupted while listing; nothing was changed")
        listing.keep_known(closed)
        difference = listing.commit(selection.now_ns, allow_emptied=allow_emptied, allow_gone=allow_gone)
    selection = msgspec.structs.replace(selection, closed=tuple(closed))
    result = ScanResult(
        files_seen=difference.seen,
        audio_seen=difference.audio,
        difference=difference,
        selection=selection,
        closed=[(folder, reason) for folder, reason in closed.items() if not selection.excludes(folder)],
        rclone_debris=aside.rclone_debris,
        unreachable=_problems(aside.unreachable, selection),
        own_directories=sorted(aside.own_directories),
        foreign_folders=sorted(aside.foreign_folders),
        thrown_away=aside.thrown_away,
        links_left_out=storage.links_left_out,
        undecryptable=storage.undecryptable,
    )
    _save_for_plans(catalogue, storage, result.foreign_folders)
    if not read:
        return result
    lists = catalogue.unread_lists(storage.fs)
    waiting = catalogue.unread_count(storage.fs, by_id=storage.capabilities.by_id) + len(lists)
    if waiting:
        progress.stage("reading tags", waiting if selection.everything else None, at=(storage.fs,))
        expectation = None
        if on_expected is not None:
            to_read = chain(lists, _audio_to_read(catalogue, storage, selection))
            expectation = Expectation(to_read, policy, difference.seen, len(folders), on_expected)
        files = chain(lists, _audio_to_read(catalogue, storage, selection))
        with (
            storage.reading(policy.piece, files=waiting, listed=difference.seen),
            Readers(storage, files, policy, reader_count(storage, readers), stop, waiting=waiting) as results,
        ):
            refused = _save_results(results, catalogue, storage.fs, result, progress, expectation=expectation)
        if len(refused) >= difference.audio > 0 and not storage.capabilities.local:
            raise AccessDeniedError(
                f"it was listed, but none of its {counted(difference.audio, 'file')} may be read: {refused[0].message}"
            )
    elif on_expected is not None:
        on_expected(ExpectedReads(listed=difference.seen, folders=len(folders)))
    add_known_problems(catalogue, storage.fs, result, storage.capabilities)
    return result


def add_known_problems(catalogue: Catalogue, fs: str, result: ScanResult, capabilities: Capabilities) -> None:
    """Add the files that share a name, cannot be read or are suspect, as far as the catalogue knows them."""
    if capabilities.duplicate_names:
        result.folders_may_hide = True
        result.sharing_names = catalogue.sharing_names(fs, result.selection)
        result.indistinguishable = result.sharing_names
    if capabilities.by_id:
        result.indistinguishable = catalogue.sharing_names(fs, result.selection, only_indistinguishable=True)
    for path, reading in catalogue.unreadable_or_suspect(fs, result.selection):
        if reading.status is Status.UNREADABLE:
            result.unreadable.append((path, reading.reason or "unreadable"))
        elif reading.suspect is not None:
            result.suspect.append((path, reading.suspect))


def _save_for_plans(catalogue: Catalogue, storage: Storage, foreign_folders: Sequence[str]) -> None:
    """Save what a plan made from the catalogue alone needs: what the storage can do, and the folders of other programs."""
    with catalogue.writing() as connection:
        values = (msgspec.json.encode(storage.capabilities), storage.fs)
        connection.execute("UPDATE location SET capabilities = ? WHERE fs = ?", values)
        connection.execute(FOREIGN_FOLDERS)
        connection.execute("DELETE FROM foreign_folder WHERE fs = ?", (storage.fs,))
        rows = ((storage.fs, folder.encode()) for folder in foreign_folders)
        connection.executemany("INSERT OR IGNORE INTO foreign_folder VALUES (?, ?)", rows)


def _as_far_as_open(storage: Storage, hidden: HiddenFolders, closed: dict[str, str]) -> Iterator[Entry]:
    """The listing, without an error for folders that may not be listed: they are added to `closed`, with the reason."""
    try:
        yield from storage.list(hidden=hidden)
    except PartialListingError as error:
        closed |= dict.fromkeys((path for path in error.closed if not is_ours(path)), error.message)


def _problems(unreachable: Sequence[Entry], selection: Selection) -> list[tuple[str, str]]:
    """Those that the options do not leave out, with the reason."""
    skip_reason = selection.compiled().skip_reason
    return [
        (entry.path, problem)
        for entry in unreachable
        if (problem := path_problem(entry.path)) is not None and skip_reason(entry, 0) is None
    ]


class _Aside:
    """What is listed, but is no file of the location: see ScanResult."""

    def __init__(self) -> None:
        self.rclone_debris: list[str] = []
        self.own_directories: list[str] = []
        self.foreign_folders: list[str] = []
        self.thrown_away = 0
        self.unreachable: list[Entry] = []


def _batches(entries: Iterator[Entry], hidden: HiddenFolders, aside: _Aside) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    due = monotonic() + _LISTING_BATCH_S
    for entry in entries:
        path = entry.path
        if path.endswith("/") and entry == Entry(path):
            aside.foreign_folders.append(path[:-1])
        elif path_problem(path) is not None:
            aside.unreachable.append(entry)
        elif is_rclone_debris(path):
            aside.rclone_debris.append(path)
        elif is_ours(path):
            aside.own_directories.append(path)
        elif hidden.hides_name(path):
            aside.thrown_away += 1
        else:
            batch.append(entry)
            if len(batch) == _LISTING_BATCH or monotonic() > due:
                yield batch
                batch, due = [], monotonic() + _LISTING_BATCH_S
    yield batch


def _audio_to_read(catalogue: Catalogue, storage: Storage, selection: Selection) -> Iterator[Unread]:
    """The selected audio files to read. Runs in the readers' threads, in one at a time."""
    waiting = catalogue.unread(storage.fs, by_id=storage.capabilities.by_id)
    if selection.everything:
        yield from waiting
        return
    skip_reason = selection.compiled().skip_reason
    for unread in waiting:
        if skip_reason(unread.entry, unread.since_ns) is None:
            yield unread


def _save_results(
    results: Readers,
    catalogue: Catalogue,
    fs: str,
    result: ScanResult,
    progress: Progress,
    *,
    expectation: Expectation | None,
) -> list[AccessDeniedError]:
    """Save readings as they come, and count every file. Returns the refusals."""
    refused: list[AccessDeniedError] = []
    read: list[tuple[Unread, Reading]] = []
    lists: list[tuple[Unread, bytes]] = []
    gone: list[Ref] = []
    saved_at = monotonic()
    try:
        for outcome in results:
            path = outcome.unread.entry.path
            if outcome.reading is not None:
                read.append((outcome.unread, outcome.reading))
                result.files_read += 1
                result.requests += outcome.reading.requests
                result.bytes_read += outcome.reading.bytes_read
                progress.advance(1, outcome.reading.bytes_read)
                if expectation is not None:
                    expectation.note(outcome.unread, outcome.reading)
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
                    result.failures.append((path, outcome.error.message.removeprefix(f"{path}: ")))
                    if isinstance(outcome.error, AccessDeniedError):
                        refused.append(outcome.error)
            waiting = len(read) + len(lists)
            if waiting >= _SAVE_EVERY or (waiting and monotonic() - saved_at > _SAVE_AFTER_S):
                catalogue.save_readings(read)
                catalogue.save_contents(lists)
                read, lists = [], []
                saved_at = monotonic()
    finally:
        # Even when the reading breaks off, so that nothing is read twice. The error of a full disk here hides no other error.
        catalogue.save_readings(read)
        catalogue.save_contents(lists)
    catalogue.forget(gone)
    return refused
