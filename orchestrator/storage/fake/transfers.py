"""How the in-memory storage renames and copies files and gives them their names, as rclone does it on each kind of provider."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

from orchestrator.errors import CorruptTransferError, DestinationExistsError, NotFoundError, UnsupportedError
from orchestrator.records import Capabilities, Entry
from orchestrator.storage.fake.faults import FaultyCalls, Killed, RecordedCall
from orchestrator.storage.fake.objects import SECOND_NS, Objects, StoredFile, digest
from orchestrator.storage.protocol import CopyCall, GiveCall, MoveCall, Naming, Storage
from orchestrator.storage.wrappers.forwarding import unwrapped


class Transfers(FaultyCalls):
    """The transfers of one in-memory storage. The lock is held while files are changed."""

    def __init__(self, fs: str, capabilities: Capabilities, objects: Objects, naming: Naming | None) -> None:
        super().__init__()
        self._fs = fs
        self._capabilities = capabilities
        self._objects = objects
        self._naming = naming or usual_naming(capabilities)
        self._naming_known = False
        self.bytes_through = 0
        """Bytes of copies that passed through this machine because the remote cannot copy by itself."""

    def naming(self) -> Naming:
        """See Storage. Not counted as a call: how many it takes differs between servers."""
        self._naming_known = True
        return self._naming

    def _move(self, call: MoveCall) -> None:
        objects = self._objects
        other = self if call.source is None else _memory_storage(call.source)
        within = other is self
        with self._lock, other._lock:  # noqa: SLF001 - of our own kind
            recorded, change = self._begin("move", call.src, call.dst)
            file = other._objects.find(call.src, call.id)  # noqa: SLF001 - as above
            objects.check_name(call.dst, beside_folder=self._capabilities.by_id)
            if within and objects.key(call.src) == objects.key(call.dst):
                file.path = call.dst  # the same file: at most its spelling changes
                self._done(recorded, change)
                return
            if not self._capabilities.by_id and self._clear_way(call.src if within else None, call.dst, call.trash):
                self._reach(recorded, change, "between")
            if self._capabilities.move:
                other._objects.drop(file)  # noqa: SLF001 - as above
                objects.add(call.dst, file)
            else:
                objects.store(call.dst, file.content, file.mtime_ns)
                self._count_through(len(file.content))
                self._reach(recorded, change, "between")
                other._objects.drop(file)  # noqa: SLF001 - as above
            self._done(recorded, change)

    def _copy(self, call: CopyCall) -> None:
        fetched = None if call.source is None else self._download(call.source, call.src)
        objects = self._objects
        with self._lock:
            recorded, change = self._begin("copy", call.src, call.dst)
            src = None if fetched else call.src
            if fetched is None:
                file = objects.find(call.src)
                fetched = file.content, file.mtime_ns
                self._count_through(len(file.content))
            if call.replaces is not None:
                self._replace(call, fetched, recorded, change)
            elif src is None or objects.key(src) != objects.key(call.dst):
                if self._naming_known and self._naming is Naming.UPLOAD and call.source is not None:
                    self._check_unused(call.dst)
                elif self._clear_way(src, call.dst, call.trash):
                    self._reach(recorded, change, "between")
                elif call.source is not None and self._capabilities.remote_type == "webdav":
                    objects.store(call.dst, fetched[0][: len(fetched[0]) // 2], fetched[1])
                    self._reach(recorded, change, "between")
                objects.store(call.dst, fetched[0], fetched[1] if self._capabilities.mtime_precision_ns else None)
                self._check_upload(call, fetched[0])
            self._done(recorded, change)

    def _replace(self, call: CopyCall, content: tuple[bytes, int | None], recorded: RecordedCall, change: int) -> None:
        """The old content is there until the new one is; rclone deletes what does not pass its check."""
        there = self._objects.find(call.dst)
        if call.replaces is not None and not call.replaces(self._entry(there)):
            raise DestinationExistsError(f"{self._fs}: {call.dst!r} has changed", path=call.dst)
        try:
            self._reach(recorded, change, "between")
        except CorruptTransferError:
            self._objects.drop(there)
            raise
        self._objects.store(call.dst, *content)
        self._check_upload(call, content[0])

    def _check_upload(self, call: CopyCall, sent: bytes) -> None:
        """What differs from the source is deleted by rclone: it compares sizes with a disk, hashes or sizes with a remote."""
        source = None if call.source is None else unwrapped(call.source)
        if not isinstance(source, Transfers):
            return
        with suppress(NotFoundError):  # sent whole before it vanished
            now = source._objects.find(call.src).content  # noqa: SLF001 - of our own kind
            if len(now) != len(sent) or (source.capabilities.hashes and now != sent):
                self._objects.drop(self._objects.find(call.dst))
                raise CorruptTransferError(f"{call.dst}: corrupted on transfer: hashes differ", path=call.dst)

    def _give(self, call: GiveCall) -> None:
        objects = self._objects
        with self._lock:
            recorded, change = self._begin("give", call.staged, call.dst)
            if self._naming is Naming.REPLACES:
                raise UnsupportedError(f"{self._fs}: can neither move nor copy", path=call.staged)
            file = objects.find(call.staged)
            objects.check_name(call.dst)
            self._check_unused(call.dst)
            if self._naming is Naming.EXCLUSIVE:  # by a link, then without the old name
                objects.add(call.dst, StoredFile(call.dst, file.content, file.mtime_ns, file.id))
                self._reach(recorded, change, "between")
                objects.drop(file)
            else:
                self._reach(recorded, change, "between")
                if self._naming is not Naming.TWINS:
                    self._clear_way(call.staged, call.dst, call.trash)
                objects.drop(file)
                objects.add(call.dst, file)
            self._done(recorded, change)

    def _check_unused(self, path: str) -> None:
        if self._objects.files.get(self._objects.key(path)):
            raise DestinationExistsError(f"{self._fs}: {path!r} already exists", path=path)

    def _download(self, source: Storage, path: str) -> tuple[bytes, int | None]:
        """The content from another storage, read without our lock: two storages may copy to each other."""
        if self._faults.dead:
            raise Killed(f"copy {path}: the process is dead")
        content = b"".join(source.read(path))
        self.bytes_through += len(content)
        found = source.stat(path)
        return content, found.mtime_ns if found else None

    def _clear_way(self, src: str | None, dst: str, trash: str) -> bool:
        """Move a file at `dst` to the trash, as rclone's BackupDir does. True when there was one."""
        objects = self._objects
        taken = objects.files.get(objects.key(dst))
        if not taken:
            return False
        if trash and not (self._capabilities.move or self._capabilities.copy):
            raise UnsupportedError(f"{self._fs}: a remote that can neither move nor copy has no trash", path=dst)
        same_but_for_form = src is not None and unicodedata.normalize("NFC", src) == unicodedata.normalize("NFC", dst)
        objects.drop(taken[0])
        if trash and not same_but_for_form:
            kept = f"{trash}/{dst}"
            for older in objects.files.get(objects.key(kept), ()):
                objects.drop(older)
            objects.add(kept, taken[0])
        return True

    def _count_through(self, size: int) -> None:
        if not self._capabilities.copy:
            self.bytes_through += size

    def _rounded(self, mtime_ns: int) -> int:
        precision = self._capabilities.mtime_precision_ns
        if precision is None:
            return mtime_ns - mtime_ns % SECOND_NS
        rounded = mtime_ns + precision // 2 if self._capabilities.remote_type == "dropbox" else mtime_ns
        return rounded - rounded % precision

    def _entry(self, file: StoredFile) -> Entry:
        return Entry(
            path=file.path,
            size=len(file.content),
            mtime_ns=self._rounded(file.mtime_ns) if self._capabilities.mtime else None,
            hashes={name: digest(name, file.content) for name in self._capabilities.hashes},
            id=file.id if self._capabilities.duplicate_names else None,
        )


def usual_naming(can: Capabilities) -> Naming:
    """How a provider with these capabilities gives names."""
    if not (can.move or can.copy):
        return Naming.REPLACES
    if can.by_id:
        return Naming.TWINS
    if not can.move:
        return Naming.UPLOAD if can.remote_type == "s3" else Naming.CAUGHT
    return Naming.EXCLUSIVE


def _memory_storage(storage: Storage) -> Transfers:
    """The in-memory storage inside wrappers: a rename happens within one server."""
    inner = unwrapped(storage)
    if not isinstance(inner, Transfers):
        raise UnsupportedError(f"{storage.fs}: not in memory, so nothing can be renamed from there")
    return inner
