"""What `verify` reads where the listings prove nothing: whole files to hash them, or what music says about its sound.

Always a new read: what an earlier command has read says nothing about the bytes that are there now. Only what a `verify` of these
locations has read that did not come to its end counts, if the file has not changed since.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from orchestrator.actions.compare_with_target import MOST_DOWNLOADED
from orchestrator.actions.reading_bill import bill_of_full_reads, bill_of_scan
from orchestrator.actions.session import Session
from orchestrator.catalogue.content_hashes import EqualSizes, HashedSide
from orchestrator.catalogue.file_ends import END
from orchestrator.catalogue.kept_reads import KeptReads
from orchestrator.catalogue.known_readings import expected_reads, reading_with_end
from orchestrator.catalogue.reading import OutageWatch, read_list, reader_count
from orchestrator.catalogue.threads import in_threads
from orchestrator.deadline import StopOrDeadline
from orchestrator.errors import AuthError, InterruptedRunError, NotFoundError, RemoteError, SafetyLimitError
from orchestrator.location import Location
from orchestrator.plan.companions.playlists.format import MAX_BYTES
from orchestrator.plan.companions.playlists.formats import may_be_list
from orchestrator.rclone.ranges import NOT_UTF8, is_not_utf8
from orchestrator.records import Item
from orchestrator.same_contents.lists import ReadList, match_lists
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Known, Proof, Reason, Wanted
from orchestrator.storage.protocol import Storage
from orchestrator.tags.all_tags import edges_of_sound
from orchestrator.tags.formats import is_audio
from orchestrator.tags.proof import Proof as SoundProof
from orchestrator.tags.proof import ProofResult, prove
from orchestrator.track import AudioIdentity, Reading, Status, Strength

FileT = TypeVar("FileT", bound=Known)

_SOUND, _WHOLE = "sound", "whole"
"""Kinds of reads that are kept, beside hashes: what a file says of its sound, and what the checksums of all of it show."""


class Sides(NamedTuple):
    """The two locations, and what is known of their files."""

    session: Session
    source: Location
    target: Location
    found: Matching
    reads: KeptReads

    @property
    def here(self) -> Storage:
        """The storage of the source."""
        return self.session.storage(self.source)

    @property
    def there(self) -> Storage:
        """That of the target."""
        return self.session.storage(self.target)


def compare(sides: Sides, *, download: bool, of: Callable[[Known], bool] = lambda _: True) -> None:
    """Hash the files that are not proved, and those of the target with their sizes, and match again. `of`: only such files.

    Without `download` only files on disks of this machine are read, if that is all that a comparison takes. Otherwise what lacks
    the hash of the others is read in full.
    """
    here, there = sides.here.capabilities.local, sides.there.capabilities.local
    by_size: dict[int, list[Wanted]] = defaultdict(list)
    for file in sides.found.unproven:
        if file.readable and of(file) and (download or here or file.hashes):
            by_size[file.entry.size or 0].append(file)
    files: list[Wanted] = []
    others: list[Known] = []
    for size, group in by_size.items():
        same_size = [one for one in _readable(sides.found.of_size.get(size, ())) if of(one)]
        copies = same_size if download or there else [one for one in same_size if here and one.hashes]
        if copies:
            files += group
            others += copies
    if files:
        _hash(sides, files, others, download=download)
        sides.found.match_hashes()


def compare_small_companions(sides: Sides) -> None:
    """Read covers, lyrics and other files that are no music, as long as they are small: nothing less proves them."""
    compare(sides, download=True, of=lambda file: not is_audio(file.path) and (file.entry.size or 0) <= MOST_DOWNLOADED)


def compare_in_spite_of_hashes(sides: Sides) -> None:
    """Read files of equal size on both sides although the listings state different hashes.

    Some servers state others: the ETag in a bucket that encrypts with KMS is no MD5.
    """
    if sides.here.capabilities.local and sides.there.capabilities.local:
        return  # nothing was stated: both were read
    used = sides.found.used
    by_size: dict[int, list[Wanted]] = defaultdict(list)
    for file in _readable(sides.found.unproven):
        if file.hashes:
            by_size[file.entry.size or 0].append(file)
    files: list[Wanted] = []
    others: list[Known] = []
    for size, group in by_size.items():
        copies = [one for one in _readable(sides.found.of_size.get(size, ())) if one.hashes and id(one) not in used]
        if copies:
            files += group
            others += copies
    if files:
        _hash(sides, files, others, download=True, stated=False)
        sides.found.match_hashes()


def _readable(files: Sequence[FileT]) -> list[FileT]:
    return [one for one in files if one.readable]


def _hash(sides: Sides, files: Sequence[Wanted], others: Sequence[Known], *, download: bool, stated: bool = True) -> None:
    """Read what has to be read to compare them. Not `stated`: no hash of a listing counts."""
    session = sides.session
    groups: tuple[Sequence[Known], Sequence[Known]] = (files, others)
    storages = (sides.here, sides.there)
    hashed = [
        HashedSide(storage, [_item(one, stated=stated) for one in group]) for storage, group in zip(storages, groups, strict=True)
    ]
    sizes = EqualSizes(hashed, session.catalogue, download=download, of=lambda _item: True, reads=sides.reads)
    downloads = sizes.downloads()
    bill_of_full_reads(session, downloads, f"to compare {sides.source.typed} with {sides.target.typed}", priced=True)
    session.summary.bytes_read += sum(size for _, size in downloads)
    at_a_time = None if sides.here.capabilities.local and sides.there.capabilities.local else session.transfers
    with _stopping(session) as stop:
        failures = {(one.fs, one.path): one.error for one in sizes.compute(session.reporter, stop, at_a_time=at_a_time)}
    for location, storage, group, items in zip((sides.source, sides.target), storages, groups, sizes.items(), strict=True):
        for one, item in zip(group, items, strict=True):
            one.computed = {kind: value for kind, value in item.entry.hashes.items() if not (stated and kind in one.entry.hashes)}
            error = failures.get((location.fs, one.path))
            if error is not None:
                _note_failure(storage, one, error)


def _item(one: Known, *, stated: bool) -> Item:
    return Item(replace(one.entry, hashes={**one.computed, **one.entry.hashes} if stated else {}))


def _note_failure(storage: Storage, one: Known, error: RemoteError) -> None:
    unreachable = is_not_utf8(one.path) and storage.capabilities.local  # what rclone has listed so is not found by this name
    one.gone = isinstance(error, NotFoundError) and not unreachable
    one.failure = NOT_UTF8 if unreachable else error.message


def hear(sides: Sides) -> None:
    """Read what the music that is not proved says of its sound, and the music of the target, until it is found there.

    First the files of the target that prove no other file; then the others, which may be what was kept of duplicates.
    """
    music = _music(sides.found.target)
    waiting = _music(sides.found.unproven) if music else []
    _hear(sides, sides.source, waiting)
    used = sides.found.used
    for proves_another in (False, True):
        sounds = {file.reading.identity for file in waiting if file.proof is None and file.reading is not None} - {None}
        if not sounds:
            return
        candidates = [one for one in music if (id(one) in used) is proves_another]
        _hear(sides, sides.target, [one for one in candidates if _may_be_one_of(sides, one, sounds)])
        sides.found.match_sounds()


def _music(files: Sequence[FileT]) -> list[FileT]:
    return [one for one in _readable(files) if is_audio(one.path)]


def read_lists(sides: Sides) -> None:
    """Read the playlists, cue sheets and lists of checksums that are not proved, and those of the target that prove nothing."""
    used = sides.found.used
    ours = [file for file in sides.found.unproven if _may_be_list(file)]
    theirs = [one for one in sides.found.target if id(one) not in used and _may_be_list(one)] if ours else []
    if ours and theirs:
        found = [_contents(sides, location, files) for location, files in ((sides.source, ours), (sides.target, theirs))]
        match_lists(sides.found, sides.source.fs, sides.target.fs, *found)


def _may_be_list(file: Known) -> bool:
    return file.readable and may_be_list(file.path) and (file.entry.size or 0) <= MAX_BYTES


def _contents(sides: Sides, location: Location, files: Sequence[Known]) -> list[ReadList]:
    session, storage = sides.session, sides.session.storage(location)
    if not location.local:
        why = f"of {location.typed}: playlists, cue sheets and checksums"
        bill_of_full_reads(session, [(storage, file.entry.size or 0) for file in files], why)
    found: list[ReadList] = []

    def read(file: Known) -> None:
        found.append(ReadList(file, read_list(storage, file.entry)))

    _each(sides, storage, f"reading the playlists of {location.typed}", files, read, at_a_time=reader_count(storage, None))
    session.summary.bytes_read += sum(len(one.content) for one in found)
    return sorted(found, key=lambda one: one.file.path)


def _may_be_one_of(sides: Sides, one: Known, sounds: Collection[AudioIdentity | None]) -> bool:
    """Whether it has to be read, as far as the catalogue knows. Of a disk, it knows no edit that keeps size and time."""
    known = None if sides.there.capabilities.local else sides.session.catalogue.reading(sides.target.fs, one.entry)
    return known is None or known.identity is None or known.identity in sounds


def _hear(sides: Sides, location: Location, files: Sequence[Known]) -> None:
    session, storage = sides.session, sides.session.storage(location)
    for one in files:
        if (kept := sides.reads.find(storage, one.entry, _SOUND)) is not None:
            one.reading = msgspec.json.decode(kept, type=Reading)
    files = [one for one in files if one.reading is None]
    if not files:
        return
    if not location.local:
        bill_of_scan(session, location, expected_reads([one.entry for one in files]))

    def read(one: Known) -> str | None:
        reading, _ = reading_with_end(storage, session.catalogue, one.entry, read_again=True)
        one.reading = _with_edges(storage, one, reading)
        return None if reading.status is Status.UNREADABLE else msgspec.json.encode(one.reading).decode()

    with storage.reading(END, files=len(files)):
        stage = f"reading what the music of {location.typed} says of its sound"
        _each(sides, storage, stage, files, read, at_a_time=reader_count(storage, None), kind=_SOUND)
    readings = [one.reading for one in files if one.reading is not None]
    session.summary.files_read += len(readings)
    session.summary.bytes_read += sum(reading.bytes_read for reading in readings)


def _with_edges(storage: Storage, one: Known, reading: Reading) -> Reading:
    """For music that says nothing of its sound, as an MP3 without a header of its encoder: its length, beginning and end."""
    if reading.identity is not None or reading.suspect is not None or reading.status is Status.UNREADABLE:
        return reading
    edges = edges_of_sound(one.path, one.entry.size or 0, lambda offset, length: storage.read_range(one.path, offset, length))
    return reading if edges is None else replace(reading, identity=AudioIdentity("edges", edges, Strength.HINT))


def read_copies(sides: Sides) -> None:
    """Read the files of the target that are proved by their sound alone in full, and check it by their own checksums."""
    session, storage = sides.session, sides.there
    files = [file for file in sides.found.source if file.proof is Proof.SOUND and file.twin is not None]
    copies = {id(file.twin): file.twin for file in files if file.twin is not None}
    results = {}
    for key, one in copies.items():
        if (kept := sides.reads.find(storage, one.entry, _WHOLE)) is not None:
            results[key] = msgspec.json.decode(kept, type=SoundProof)
    waiting = [one for key, one in copies.items() if key not in results]
    if not storage.capabilities.local:
        downloads = [(storage, one.entry.size or 0) for one in waiting]
        bill_of_full_reads(session, downloads, f"of {sides.target.typed} to check their sound", priced=True)
        session.summary.bytes_read += sum(size for _, size in downloads)

    def read(one: Known) -> str | None:
        results[id(one)] = found = prove(storage.read(one.path))
        return None if found.result is ProofResult.DAMAGED else msgspec.json.encode(found).decode()

    _each(sides, storage, "checking sounds in full", waiting, read, at_a_time=session.transfers, kind=_WHOLE)
    for file in files:
        found = results.get(id(file.twin))
        if found is None:
            file.proof, file.reason = None, Reason.UNREADABLE
            file.why = f"its copy could not be read: {file.twin.failure if file.twin is not None else ''}"
        elif found.result is ProofResult.DAMAGED:
            file.proof, file.reason, file.why = None, Reason.DIFFERS, f"its copy is damaged: {found.why}"
        else:
            file.whole = found.result is ProofResult.PROVED


def _each(
    sides: Sides,
    storage: Storage,
    stage: str,
    files: Sequence[FileT],
    read: Callable[[FileT], str | None],
    *,
    at_a_time: int,
    kind: str | None = None,
) -> None:
    """Read each of these files, so many at a time; what cannot be read is noted. With a `kind`, what `read` returns is kept.

    Raises AuthError, the last network error when the remote seems unreachable, InterruptedRunError, and SafetyLimitError when the
    time is up.
    """
    sides.session.reporter.stage(stage, len(files))

    def one(file: FileT) -> tuple[str | None, str | None] | RemoteError:
        if stop.is_set():
            raise InterruptedRunError("interrupted while reading; nothing was changed")
        stamp = sides.reads.stamp(storage, file.entry)
        try:
            return stamp, read(file)
        except AuthError:
            raise
        except RemoteError as error:
            _note_failure(storage, file, error)
            return error

    watch = OutageWatch()
    with _stopping(sides.session) as stop, closing(in_threads(files, one, at_a_time)) as results:
        try:
            for file, found in results:
                sides.session.reporter.advance(1)
                watch.note(found if isinstance(found, RemoteError) else None)
                if kind is not None and not isinstance(found, RemoteError):
                    stamp, value = found
                    sides.reads.keep(storage, file.entry, kind, value, stamp)
        finally:
            sides.reads.save()


@contextmanager
def _stopping(session: Session) -> Iterator[threading.Event]:
    """The event that is set when the block is to end: the program is to stop, or the time is up."""
    try:
        yield StopOrDeadline(session.stop, session.deadline) if session.deadline is not None else session.stop
    except InterruptedRunError:
        if session.stop.is_set() or session.deadline is None:
            raise
        raise SafetyLimitError(f"{session.deadline}; what was read is kept, and the next verify goes on from there") from None
