"""One changing run at a time: kernel locks on the state directory and on local directories.

A kernel lock ends with its process, so no lock is ever left behind by one that was killed.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

import msgspec

from orchestrator.errors import IntegrityError, LockedError, UsageError

LOCK_FILE = "run.lock"

GRACE_S = 1.0
"""Twice the time that rclone gets to end after the program that started it has died."""


class ProcessInfo(msgspec.Struct, frozen=True):
    """The process that holds, or last held, a lock or a marker. For locks it is information only: the kernel decides."""

    pid: int
    host: str
    boot_id: str
    """Changes with every start of the machine; empty if the system has none."""
    started: int
    """When the process started, in the kernel's ticks since boot; 0 if the system does not say."""
    since: float
    """When it took the lock or wrote the marker, seconds since 1970, UTC."""
    command: str = ""
    namespace: str = ""
    """The namespace of its process id: each container has its own. Empty if the system does not say."""

    def describe(self) -> str:
        """For a message: "process 123 on host (organize), since 2026-01-01 12:00:00"."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        what = f" ({self.command})" if self.command else ""
        return f"process {self.pid} on {self.host}{what}, since {since}"


class RunLock:
    """The lock of a state directory; a context manager, which takes it on entry unless it is held already.

    Raises IntegrityError if it cannot be written (a full disk), and LockedError, which describes the holder, at once if another
    process has it. If the last holder died without releasing it, `recovered` says so, for a warning, and taking the lock waits
    `grace_s` seconds: rclone, started by that process, may live on for so long, and so may a move in progress.
    """

    def __init__(self, state_directory: Path, *, command: str = "", grace_s: float = GRACE_S) -> None:
        self._path = state_directory / LOCK_FILE
        self._command = command
        self._grace_s = grace_s
        self._descriptor: int | None = None
        self.recovered: str | None = None

    def acquire(self) -> None:
        """Take the lock."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not inheritable (Python's default): a child that outlives us must not keep the lock.
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"cannot open the lock {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(descriptor)
            os.close(descriptor)
            who = holder.describe() if holder else "another process"
            raise LockedError(
                f"another run is in progress ({who}): try again when it has ended (jobs can wait for it: `run --wait 10m`)"
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise UsageError(f"cannot lock {self._path}: {error.strerror}; use a --state-dir on a local disk") from error
        last = _read(descriptor)
        if last is not None:
            who = last.describe()
            self.recovered = f"the last run did not release its lock ({who}): it was killed, or the machine went down"
            if last.boot_id == boot_id():
                time.sleep(self._grace_s)  # its child processes may still be running, and nothing shows when they end
        try:
            _write(descriptor, msgspec.json.encode(this_process(self._command)))
        except OSError as error:  # without it the next run would not notice that this one was killed
            os.close(descriptor)
            raise IntegrityError(f"cannot write the lock {self._path}: {error.strerror}; nothing was started") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            _write(self._descriptor, b"")
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> RunLock:
        if self._descriptor is None:
            self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def holder_of(state_directory: Path) -> ProcessInfo | None:
    """The process that holds the lock of a state directory, as it wrote there; None if it has ended."""
    try:
        descriptor = os.open(state_directory / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        holder = _read(descriptor)
    finally:
        os.close(descriptor)
    return None if holder is None or is_dead(holder) else holder


def this_process(command: str = "") -> ProcessInfo:
    """This process."""
    return ProcessInfo(os.getpid(), socket.gethostname(), boot_id(), start_ticks(os.getpid()), time.time(), command, _namespace())


def is_dead(process: ProcessInfo) -> bool:
    """Whether a process of this machine has certainly ended."""
    if not process.boot_id or not boot_id():
        return False
    if process.boot_id != boot_id():
        return True
    if not process.namespace or process.namespace != _namespace():
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it belongs to another user
    return start_ticks(process.pid) not in {0, process.started}


@contextmanager
def locked_directories(roots: Iterable[str]) -> Iterator[None]:
    """Keep other runs of this machine, with any state directory, out of these directories and those in or around them.

    Takes an exclusive lock on each directory (on the nearest existing parent if it is missing), and shared locks on all parents.
    Writes nothing. Raises LockedError if another process has one of them. Does nothing on a file system without locks, or where
    a directory cannot be opened.
    """
    wanted = {Path(root).resolve() for root in roots}
    own = {_nearest_existing(directory) for directory in wanted if wanted.isdisjoint(directory.parents)}
    with ExitStack() as held:
        for directory in sorted(own | {above for one in own for above in one.parents}):
            try:
                descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, (fcntl.LOCK_EX if directory in own else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(f"{directory}: another run is in progress there or in a folder in it: wait for it") from None
            except OSError:
                continue
        yield


def _nearest_existing(directory: Path) -> Path:
    return next((one for one in (directory, *directory.parents) if os.path.isdir(one)), directory)  # noqa: PTH112 - pathlib's raises


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def boot_id() -> str:
    """The kernel's id of this boot, empty if it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def start_ticks(pid: int) -> int:
    """When a process started, in ticks since boot; 0 if it is gone or the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return 0
    # The second field is the name in brackets, which may contain spaces and brackets; the 22nd field is the start time.
    return int(text.rpartition(")")[2].split()[19])


def _read(descriptor: int) -> ProcessInfo | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 64 * 1024, 0), type=ProcessInfo)
    except msgspec.MsgspecError:
        return None  # empty, or incomplete because its writer died: it is for information only


def _write(descriptor: int, content: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)
