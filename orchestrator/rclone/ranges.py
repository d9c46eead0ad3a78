"""Reads a part of a file: the address under which rclone serves it, and the short way for files on this disk."""

from __future__ import annotations

import errno
import os
import re
import stat
from urllib.parse import quote

from orchestrator.errors import NotFoundError, OrchestratorError, PermanentError, TransientError
from orchestrator.rclone import requests

# rclone shows control characters, `/`, `.` and `..` in names, and bytes that are no UTF-8, by these; its quote is U+201B.
_MAPPED = re.compile("[\x00-\x1f\x7f\u201b\u2400-\u2421\uff0e\uff0f]")
_SHOWN = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


def address(fs: str, path: str) -> str:
    """The path of the GET under which rclone serves a file."""
    # The server takes the location up to the first "]": one that holds such a bracket is served from the root of its remote.
    if "]" in fs:
        fs, below = requests.split_root(fs)
        path = f"{below}/{path}"
    return f"/{quote(f'[{fs}]', safe='')}/{quote(path.translate(_SHOWN))}"


def readable_directly(path: str) -> bool:
    """Whether rclone's name of a local file is its name on the disk."""
    return _MAPPED.search(path) is None


def read_local(root: str, path: str, offset: int, length: int) -> bytes:
    """`length` bytes of a file of this disk; follows no link and waits for no pipe."""
    try:
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _local_error(error, path) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermanentError(f"{path}: not a regular file", path=path)
        parts = []
        while length > 0 and (part := os.pread(descriptor, length, offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
    except OSError as error:
        raise _local_error(error, path) from error
    finally:
        os.close(descriptor)


def _local_error(error: OSError, path: str) -> OrchestratorError:
    message = f"{path}: {os.strerror(error.errno or 0)}"
    if error.errno == errno.ENOENT and "\ufffd" in path:
        return PermanentError(f"{path}: the name on the disk is not UTF-8, so rclone cannot reach it; rename the file", path=path)
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
        return NotFoundError(message, path=path)
    if error.errno in {errno.EIO, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT}:
        return TransientError(message, path=path)
    return PermanentError(message, path=path)
