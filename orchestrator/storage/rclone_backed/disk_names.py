"""Renames on a disk of this machine that never replace a file.

The kernel refuses a taken name where the file system can do that (RENAME_NOREPLACE on Linux, RENAME_EXCL on macOS). Elsewhere
(NFS, some FUSE file systems) the file gets a second name by link(2), which refuses as well, and then loses the first; a process
that is killed in between leaves one file with two names. Where links fail too (exFAT by FUSE), it is a look and a rename: a file
that another program creates in between, within microseconds, is replaced.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.errors import (
    BelowFileError,
    DestinationExistsError,
    NotFoundError,
    NotStartedError,
    OrchestratorError,
    PermanentError,
)
from orchestrator.paths import case_key, join_location
from orchestrator.rclone.ranges import local_error, readable_directly
from orchestrator.storage.protocol import Call, CallResult, GiveCall, MoveCall
from orchestrator.storage.rclone_backed.lanes import begins

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4
_NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.EMLINK, errno.EXDEV, *_NOT_SUPPORTED})
"""EPERM and EACCES also where links to the files of other users are forbidden; then a rename may still be allowed."""
_FIRST = 4
_SLOW_S = 0.002
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY})


class OtherDeviceError(PermanentError):
    """A rename does not lead from one of these file systems to the other."""


class DiskNames:
    """The renames within one location on a disk, or into it from another one on a disk."""

    def __init__(
        self, root: str, stop: threading.Event, through_rclone: Callable[[Sequence[Call], int], Sequence[CallResult]]
    ) -> None:
        """`through_rclone` moves from one file system to another, which is a copy and a delete. None begins after `stop`."""
        self._root = root
        self._stop = stop
        self._through_rclone = through_rclone

    def reaches(self, call: MoveCall | GiveCall) -> bool:
        """Whether both names are spelled on the disk as rclone spells them, and on this machine's disk."""
        src, dst = self._names(call)
        return src.startswith("/") and readable_directly(src) and readable_directly(dst)

    def batch(self, calls: Sequence[MoveCall | GiveCall], concurrency: int) -> list[CallResult]:
        """The results in the order of the calls."""
        results = self._all(calls, concurrency)
        other = [
            number
            for number, (call, result) in enumerate(zip(calls, results, strict=True))
            if isinstance(result, OtherDeviceError) and isinstance(call, MoveCall)
        ]
        moved = self._through_rclone([calls[number] for number in other], concurrency) if other else ()
        for number, result in zip(other, moved, strict=True):
            results[number] = result
        return results

    def _all(self, calls: Sequence[MoveCall | GiveCall], concurrency: int) -> list[CallResult]:
        """One by one, which is fastest on a disk; at the same time where the first ones show that each takes a while (SSHFS)."""
        began = time.monotonic()
        results = [self._one(call) for call in calls[:_FIRST]]
        rest = calls[_FIRST:]
        if time.monotonic() - began < _FIRST * _SLOW_S or concurrency < 2:
            return [*results, *map(self._one, rest)]
        with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="rename") as pool:
            return [*results, *pool.map(self._one, rest)]

    def _one(self, call: MoveCall | GiveCall) -> CallResult:
        if self._stop.is_set() and begins(call):
            return NotStartedError("not begun, because the run was stopped")
        staged = call.staged if isinstance(call, GiveCall) else call.src
        return rename(*self._names(call), staged, call.dst)

    def _names(self, call: MoveCall | GiveCall) -> tuple[str, str]:
        if isinstance(call, GiveCall):
            return join_location(self._root, call.staged), join_location(self._root, call.dst)
        root = self._root if call.source is None else call.source.fs
        return join_location(root, call.src), join_location(self._root, call.dst)


def rename(src: str, dst: str, path: str, target: str) -> OrchestratorError | None:
    """Rename the regular file `src` to `dst`, both absolute, and make the directories above `dst`. The result, or the error.

    Errors name `path` and `target`, which the user knows. DestinationExistsError where anything lies at `dst`, OtherDeviceError
    where a copy would be needed.
    """
    try:
        kind = os.lstat(src).st_mode
        if not stat.S_ISREG(kind):
            return _not_a_file(kind, path)
        _in_directory(dst, lambda: _rename(src, dst))
    except OSError as error:
        if error.errno in _TAKEN:
            return DestinationExistsError(f"{target}: already exists", path=target)
        if error.errno == errno.EXDEV:
            return OtherDeviceError(f"{path}: {target} is on another file system", path=path)
        if error.errno == errno.ENOTDIR and os.path.lexists(src):
            return BelowFileError(f"{target}: a folder above it is a file: not a directory", path=path)
        return local_error(error, path)
    return None


def _not_a_file(kind: int, path: str) -> OrchestratorError:
    if stat.S_ISDIR(kind):
        return PermanentError(f"{path}: is a directory not a file", path=path)
    return NotFoundError(f"{path}: not a regular file", path=path)


def _in_directory(dst: str, change: Callable[[], None]) -> None:
    """Make the directories only where they turn out to be missing: most exist, and another look at each costs time.

    Another thread may make them at the same moment, so what is missing then is shown by the second try alone.
    """
    try:
        change()
    except FileNotFoundError:
        parent = os.path.dirname(dst)  # noqa: PTH120 - pathlib is ten times slower
        try:
            os.makedirs(parent, exist_ok=True)  # noqa: PTH103 - as above
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), parent) from error
        change()


def _rename(src: str, dst: str) -> None:
    try:
        _exclusive(src, dst)
    except OSError as error:
        if error.errno == errno.EEXIST and _is_one_name(src, dst):
            os.rename(src, dst)  # noqa: PTH104 - only its spelling changes
        elif error.errno in _NOT_SUPPORTED:
            _link(src, dst)
        else:
            raise


def _link(src: str, dst: str) -> None:
    try:
        os.link(src, dst, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EEXIST and _is_one_name(src, dst):
            os.rename(src, dst)  # noqa: PTH104 - as above
            return
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(dst):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), dst) from error
        os.rename(src, dst)  # noqa: PTH104 - as above
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(src)  # noqa: PTH108 - as above


def _is_one_name(src: str, dst: str) -> bool:
    """Whether the file system takes both for one name (it ignores case, or the form of Unicode)."""
    if case_key(src) != case_key(dst):
        return False
    one, other = os.lstat(src), os.lstat(dst)
    return (one.st_dev, one.st_ino, one.st_nlink) == (other.st_dev, other.st_ino, 1)


def _exclusive(src: str, dst: str) -> None:
    """Rename, and let the kernel refuse a taken name. Raises OSError."""
    source, target = os.fsencode(src), os.fsencode(dst)
    if _renameat2 is not None:
        failed = _renameat2(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE)
    elif _renamex_np is not None:
        failed = _renamex_np(source, target, _RENAME_EXCL)
    else:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), src, None, dst)


_libc = ctypes.CDLL(None, use_errno=True)
_renameat2 = getattr(_libc, "renameat2", None) if sys.platform == "linux" else None  # not in every C library
if _renameat2 is not None:
    _renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_renamex_np = getattr(_libc, "renamex_np", None) if sys.platform == "darwin" else None
if _renamex_np is not None:
    _renamex_np.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint)
