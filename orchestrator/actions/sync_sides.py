"""One side of a sync: its listing, what the disk knows beyond it, and the answers to the planner's questions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, nullcontext
from itertools import chain

import msgspec

from orchestrator.actions.common_states import disk_look
from orchestrator.actions.locations import check_root, reaching
from orchestrator.actions.reading_bill import bill_of_full_reads
from orchestrator.actions.scan_reports import report_undecryptable
from orchestrator.actions.session import Session
from orchestrator.actions.spellings import ignores_case
from orchestrator.actions.sync_links import links_above
from orchestrator.actions.sync_missed import missed_by_listing
from orchestrator.actions.sync_sounds import with_lasting_tags, with_sound
from orchestrator.catalogue.content_hashes import hash_type_beside
from orchestrator.catalogue.content_stamps import identity_and_stamp
from orchestrator.catalogue.reading import reader_count
from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.threads import in_threads
from orchestrator.config.options.sync import SyncOptions
from orchestrator.config.setting_syntax import parse_duration
from orchestrator.errors import AuthError, ExitCode, InterruptedRunError, NotFoundError, PartialListingError, RemoteError, worst
from orchestrator.location import Location
from orchestrator.paths import is_ours, parents_of, remote_of
from orchestrator.plan.planners.sync.records import File, Inode, Questions, Side
from orchestrator.rclone.ranges import NOT_UTF8
from orchestrator.records import Entry, Ref
from orchestrator.storage.local_path import is_link, local_root
from orchestrator.storage.wrappers.ignoring_case import IgnoringCase
from orchestrator.wording import counted

_SHOWN_EVERY = 100
"""After so many files of a listing, people see that it goes on."""


class SideListing:
    """The files of one location, listed now."""

    def __init__(self, session: Session, location: Location, options: SyncOptions, *, may_be_missing: bool = False) -> None:
        """`may_be_missing`: a folder that does not exist is as an empty one. Raises UsageError for an invalid pattern or time."""
        self._may_be_missing = may_be_missing
        include, exclude, settle_s = options.include, options.exclude, parse_duration(options.settle)
        self._checked = options.checksum
        self.bytes_read = 0
        """Bytes of files on this remote that were read to compare them."""
        self._session = session
        self._location = location
        self._storage = session.storage(location)
        config = session.config
        globs = Selection(include=include, exclude=(*exclude, *config.exclude), always_include=tuple(config.include))
        young = msgspec.structs.replace(globs, settle_ns=int(settle_s * 1e9), now_ns=time.time_ns())
        self._takes_all = young.everything
        self._leaves_out, self._waits_for = globs.compiled(), young.compiled()
        self._look_at_disk: Callable[[str], Inode | None] = lambda _: None
        self._on_disk = False
        self._files: dict[str, File] = {}
        self._folders: set[str] = set()
        self._twice: list[File] = []
        """Files whose path another one has as well."""
        self._unlisted: list[str] = []
        self._asked: set[tuple[str, str]] = set()
        """What was asked before is not asked again: it could not be answered."""
        self._looked_for: set[str] = set()
        """Files that were not listed, and looked for."""
        self.renamed: Mapping[str, str] = {}
        """As in Side; so is `refused`."""
        self.refused: Sequence[str] = ()
        self._begun: Future[None] | None = None
        self._given_up = threading.Event()
        self._unreachable: list[Entry] = []
        """Files of this disk that do not have the name that rclone gives them."""

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Already begin to list it, in the background; `list` then waits for the end. Given up at the end of the block."""
        self._begun = begun = Future[None]()

        def fetch() -> None:
            try:
                self._fetch()
                begun.set_result(None)
            except BaseException as error:
                begun.set_exception(error)

        # A daemon, and not a pool: an interrupt must not wait for a server that does not answer.
        threading.Thread(target=fetch, name="listing", daemon=True).start()
        try:
            yield
        finally:
            self._given_up.set()

    def _fetch(self) -> None:
        """Fill in the files and folders. May run in another thread, so it reports nothing but progress."""
        _ = self._storage.capabilities
        self._look_at_disk, self._on_disk = disk_look(self._storage), local_root(self._storage) is not None
        self._storage.forget_folders()
        for number, entry in enumerate(self._storage.list(on_folder=self._folders.add), start=1):
            if self._given_up.is_set():
                return
            self._add(entry)
            if number % _SHOWN_EVERY == 0:
                self._session.reporter.advance(_SHOWN_EVERY)

    def list(self) -> ExitCode:
        """List it; 3 if folders may not be listed, which is reported. Raises what listing raises."""
        code = ExitCode.DONE
        with reaching(self._session, self._location):
            try:
                self._fetch() if self._begun is None else self._begun.result()
            except PartialListingError as error:
                for folder in error.closed:
                    self._report("closed", "may not be listed: nothing is done in it on either side", folder)
                self._unlisted += error.closed
                code = ExitCode.SOME_FAILED
            except NotFoundError:
                # A remote without empty folders reports only a missing bucket, and we make none.
                if not (self._may_be_missing and self._storage.capabilities.empty_directories):
                    raise
                check_root(self._session, self._location)
        code = worst([code, report_undecryptable(self._session, self._location, self._storage.undecryptable)])
        for entry in self._unreachable:
            self._report("unsupported-name", NOT_UTF8, entry.path)
            self._unlisted.append(entry.path)
            code = ExitCode.SOME_FAILED
        self._session.summary.files_seen += len(self._files)
        return code

    def _report(self, code: str, message: str, path: str) -> None:
        self._session.problems.report(code, message, path, location=self._location.fs)

    def _add(self, entry: Entry) -> None:
        if entry.path.endswith("/"):
            self._unlisted.append(entry.path.rstrip("/"))  # a folder of another program
        elif is_ours(entry.path):
            return  # of a location inside this one
        elif entry.path in self._files:
            self._twice.append(File(entry))
        else:
            inode = self._look_at_disk(entry.path)
            if inode is None and self._on_disk and self._leaves_out.skip_reason(entry, 0) is None:
                self._unreachable.append(entry)
            else:
                self._files[entry.path] = File(entry, inode)

    @property
    def remote(self) -> str:
        """As `remote_of`."""
        return remote_of(self._location.fs)

    @property
    def files(self) -> Iterable[File]:
        """Its files, also those that filters leave out."""
        return self._files.values()

    @property
    def by_path(self) -> Mapping[str, File]:
        """Path -> file, as far as one path has one file."""
        return self._files

    def lacks_any_of(self, paths: Iterable[str]) -> bool:
        """Whether any of these files may have been renamed: it is absent, or the remote shows nothing but sizes."""
        capabilities = self._storage.capabilities
        blind = not (capabilities.local or capabilities.hashes or capabilities.mtime)
        return blind or any(path not in self._files for path in paths)

    def avoid_links(self, synced: Iterable[File], others: Iterable[File]) -> ExitCode:
        """Do nothing where the path of a wanted file is a link here, or lies below one; 3 if there are any, which is reported.

        The listing skips links, so that what they hide seems to be deleted, and a copy through one would land elsewhere. On
        servers, only the paths of `synced` files are looked at, those of the files of the other side on disks as well.
        """
        if self._storage.capabilities.local:
            missing = self._missing(chain(synced, others))
            places = {place for path in missing for place in (path, *parents_of(path))}
            links = sorted(place for place in places if is_link(self._storage, place))
        else:
            with reaching(self._session, self._location):
                links = links_above(self._storage, self._missing(synced), self._files)
        for link in links:
            why = f"is a link or shortcut on {self._location.typed}: nothing is done with it, nor at this path on the other side"
            self._report("link", f"{why}; put a file or folder in its place, or use --exclude", link)
        self._unlisted += links
        return ExitCode.SOME_FAILED if links else ExitCode.DONE

    def _missing(self, wanted: Iterable[File]) -> set[str]:
        absent = (file.entry for file in wanted if file.path not in self._files)
        return {entry.path for entry in absent if self._leaves_out.skip_reason(entry, 0) is None}

    def spare_hidden(self, synced: Iterable[File]) -> None:
        """Do nothing with the synced files that are absent, and may be those whose names cannot be used.

        By their sizes, where a name cannot be opened. A name that cannot be decrypted may be that of any file or folder.
        """
        sizes = {entry.size for entry in self._unreachable}
        any_hidden = bool(self._storage.undecryptable)
        spared = [file.path for file in synced if file.path not in self._files and (any_hidden or file.size in sizes)]
        if spared and any_hidden:
            why = f"because {self._location.typed} holds names that cannot be decrypted"
            self._session.reporter.note(f"{counted(len(spared), 'missing file')} not counted as deleted, {why}")
        self._unlisted += spared

    def look_for(self, gone: Collection[str]) -> bool:
        """Look for files that were not listed and so seem to be deleted; whether one is there all the same, which is reported."""
        gone = {*gone} - self._looked_for
        if not gone:
            return False
        self._looked_for |= gone
        with reaching(self._session, self._location):
            found = missed_by_listing(self._storage, gone, self._files.keys())
        for entry in found:
            self._files[entry.path] = File(entry)
        if found:
            left_out = f"the listing of {self._location.typed} left out {counted(len(found), 'file')}, such as {found[0].path}"
            self._session.reporter.warning(f"{left_out}: they are there, so they are not counted as deleted")
        return bool(found)

    def notice_case(self, theirs: Collection[str]) -> None:
        """Find out whether this side ignores the case of names, if the other side has names that differ in that alone."""
        with reaching(self._session, self._location):
            known = self._storage.capabilities.case_insensitive
            if not known and ignores_case(self._storage, self._files.keys(), theirs):
                self._storage = IgnoringCase(self._storage)

    def side(self) -> Side:
        """What the planner gets."""
        chosen, left_out, waiting = self._filtered()
        capabilities = self._storage.capabilities
        return Side(
            fs=self._location.fs,
            capabilities=capabilities,
            files=[*self._twice, *chosen],
            left_out=left_out,
            waiting=waiting,
            folders=self._folders,
            unlisted=self._unlisted,
            refused=self.refused,
            renamed=self.renamed,
            readable=capabilities.local or self._checked,
            checked=self._checked,
        )

    def _filtered(self) -> tuple[Sequence[File], Sequence[File], Sequence[File]]:
        """The files that take part, those that are left out, and those that wait."""
        if self._takes_all:
            return [*self._files.values()], [], []
        chosen, left_out, waiting = [], [], []
        for file in self._files.values():
            if self._leaves_out.skip_reason(file.entry, 0) is not None:
                left_out.append(file)
            elif self._waits_for.skip_reason(file.entry, 0) is not None:
                waiting.append(file)
            else:
                chosen.append(file)
        return chosen, left_out, waiting

    def answer(self, questions: Questions, other: SideListing) -> bool:
        """Read and look at what is asked of this side; whether anything new is known now."""
        kind = hash_type_beside(self._storage, other._storage)
        if not self._storage.capabilities.local:
            sizes = [self._files[ref.path].size or 0 for ref in questions.hashes if ref.fs == self._location.fs]
            why = f"of {self._location.typed} to compare them (--checksum)"
            bill_of_full_reads(self._session, [(self._storage, size) for size in sizes], why)
            self.bytes_read += sum(sizes)
            self._session.summary.bytes_read += sum(sizes)

        asked = any(ref.fs == self._location.fs for ref in questions.hashes)
        known = self._session.catalogue.digests(self._location.fs) if asked else {}
        fresh: dict[tuple[str, str], tuple[str, str]] = {}

        def hashed(path: str) -> File:
            """By reading it, unless that was done before and it is the same since."""
            stamp = self._stamp(path)
            then, digest = known.get((path, kind), (None, None))
            if stamp is None or then != stamp:
                digest = self._storage.hash(path, kind, download=True)
                if digest is not None and stamp is not None and stamp == self._stamp(path):
                    fresh[path, kind] = stamp, digest
            return msgspec.structs.replace(self._files[path], read_hashes={} if digest is None else {kind: digest})

        def looked_at(path: str) -> File:
            return msgspec.structs.replace(self._files[path], own_mtime_ns=self._storage.mtime(path))

        def heard(path: str) -> File:
            return with_sound(self._storage, self._session.catalogue, self._files[path])

        def all_tags(path: str) -> File:
            return with_lasting_tags(self._storage, self._files[path])

        answers = [
            self._ask(questions.hashes, hashed, "comparing files"),
            self._ask(questions.times, looked_at, "looking at times"),
            self._ask(questions.sounds, heard, "reading tags"),
            self._ask(questions.lasting_tags, all_tags, "reading all tags"),
        ]
        if fresh:
            kept = {file: digest for file, digest in known.items() if file[0] in self._files} | fresh
            self._session.catalogue.save_digests(self._location.fs, [(*file, *digest) for file, digest in kept.items()])
        return any(answers)

    def _stamp(self, path: str) -> str | None:
        return identity_and_stamp(self._storage, self._files[path].entry)[1]

    def _ask(self, refs: Sequence[Ref], ask: Callable[[str], File], stage: str) -> int:
        """Ask about those files that are of this side; how many answers there are."""
        paths = [ref.path for ref in refs if ref.fs == self._location.fs and (stage, ref.path) not in self._asked]
        self._asked.update((stage, path) for path in paths)
        if not paths:
            return 0
        self._session.reporter.stage(stage, len(paths), at=(self._location.fs,))

        def one(path: str) -> File | None:
            if self._session.stop.is_set():
                raise InterruptedRunError("interrupted; nothing was changed")
            try:
                return ask(path)
            except AuthError:
                raise
            except RemoteError as error:
                self._session.reporter.warning(f"{path}: could not be read ({error.message})")
                return None

        answers = 0
        with closing(in_threads(paths, one, reader_count(self._storage, None))) as results:
            for path, answer in results:
                self._session.reporter.advance(1)
                if answer is not None and answer != self._files[path]:
                    self._files[path] = answer
                    answers += 1
        return answers


def list_both(a: SideListing, b: SideListing) -> ExitCode:
    """List both sides, at the same time unless they share a remote, whose limits they would share, or are both disks.

    Returns and raises what `SideListing.list` does.
    """
    with nullcontext() if a.remote == b.remote else b.in_background():
        return worst([a.list(), b.list()])
