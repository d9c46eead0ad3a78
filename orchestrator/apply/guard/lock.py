"""One changing run at a time: kernel locks, on the state directory and on places of this disk. They die with their holder."""

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
"""Twice what rclone gets for its end when the program that started it has died."""


class Holder(msgspec.Struct, frozen=True):
    """A process: who holds, or last held, the lock (for people only, the kernel decides), or is at work on a remote."""

    pid: int
    host: str
    boot_id: str
    """Changes with every start of the machine; empty where the system has none."""
    started: int
    """When the process began, in the kernel's ticks since boot; 0 where the system does not tell."""
    since: float
    """When it took the lock, seconds since 1970, UTC."""
    command: str = ""
    namespace: str = ""
    """In which process ids mean the same: two containers have one each. Empty where the system does not tell."""

    def describe(self) -> str:
        """For a message: "process 123 on host (organize), since 2026-01-01 12:00:00"."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        what = f" ({self.command})" if self.command else ""
        return f"process {self.pid} on {self.host}{what}, since {since}"


class RunLock:
    """The lock of a state directory; a context manager, taken on entry.

    Raises IntegrityError where it cannot be written (a full disk), and LockedError, which names the holder, when another process
    has it: there is no waiting. When the last holder died without giving it back, `recovered` says so, for a warning, and taking
    the lock lasts `grace_s` seconds: so long may what
    that process had started - rclone, and with it a move that was under way - outlive it.
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
            raise LockedError(f"another run is at work ({who}): wait for it, or use another --state-dir") from None
        except OSError as error:
            os.close(descriptor)
            raise UsageError(f"cannot lock {self._path}: {error.strerror}; use a --state-dir on a local disk") from error
        last = _read(descriptor)
        if last is not None:
            who = last.describe()
            self.recovered = f"the last run ended without giving back its lock ({who}): it was killed, or the machine went down"
            if last.boot_id == boot_id():
                time.sleep(self._grace_s)  # nothing tells when the orphans are gone
        try:
            _write(descriptor, msgspec.json.encode(this_process(self._command)))
        except OSError as error:  # without it the next run could not tell that this one was killed
            os.close(descriptor)
            raise IntegrityError(f"cannot write the lock {self._path}: {error.strerror}; nothing was begun") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            _write(self._descriptor, b"")
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> RunLock:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def this_process(command: str = "") -> Holder:
    """Who we are."""
    return Holder(os.getpid(), socket.gethostname(), boot_id(), start_ticks(os.getpid()), time.time(), command, _namespace())


def is_dead(process: Holder) -> bool:
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
        pass  # of another user
    return start_ticks(process.pid) not in {0, process.started}


@contextmanager
def locked_places(roots: Iterable[str]) -> Iterator[None]:
    """Keep other runs of this machine off these directories, off those in them and around them, whatever their state directory.

    The lock is one on the directory itself (for a missing one, on what there is above it), and a shared one on all above it.
    Nothing is written. Raises LockedError when another process has them. Where the file system has no locks, or we may not look,
    there is none.
    """
    places = {Path(root).resolve() for root in roots}
    own = {_existing(place) for place in places if places.isdisjoint(place.parents)}
    with ExitStack() as held:
        for directory in sorted(own | {above for place in own for above in place.parents}):
            try:
                descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, (fcntl.LOCK_EX if directory in own else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(f"{directory}: another run is at work there, or in a directory in it: wait for it") from None
            except OSError:
                continue
        yield


def _existing(place: Path) -> Path:
    return next((one for one in (place, *place.parents) if os.path.isdir(one)), place)  # noqa: PTH112 - pathlib's raises


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def boot_id() -> str:
    """The kernel's id of this boot, empty where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def start_ticks(pid: int) -> int:
    """When a process began, in ticks since boot; 0 when it is gone or the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return 0
    # The second field is the name in brackets, which may hold spaces and brackets; the 22nd field is the start time.
    return int(text.rpartition(")")[2].split()[19])


def _read(descriptor: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 64 * 1024, 0), type=Holder)
    except msgspec.MsgspecError:
        return None  # empty, or its writer died in the middle: it is for information only


def _write(descriptor: int, content: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)
