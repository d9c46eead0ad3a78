"""Reads parts of a file: the address under which rclone serves it, its answers, and the short way for files on this disk."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from urllib.parse import quote

from orchestrator.errors import NotFoundError, OrchestratorError, PermanentError, TransientError
from orchestrator.rclone import rc_bodies

# rclone shows control characters, `/`, `.` and `..` in names, and bytes that are no UTF-8, by these; its quote is U+201B.
_MAPPED = re.compile("[\x00-\x1f\x7f\u201b\u2400-\u2421\uff0e\uff0f]")
_SHOWN = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.IGNORECASE)
_PART = re.compile(rb"^content-range: *bytes (\d+)-(\d+)/\d+", re.IGNORECASE | re.MULTILINE)


def address(fs: str, path: str) -> str:
    """The path of the GET under which rclone serves a file."""
    # The server takes the location up to the first "]": one that holds such a bracket is served from the root of its remote.
    if "]" in fs:
        fs, below = rc_bodies.split_root(fs)
        path = f"{below}/{path}"
    return f"/{quote(f'[{fs}]', safe='')}{served_address(path)}"


def served_address(path: str) -> str:
    """The same below a location that is served by itself (see `served`)."""
    return f"/{quote(path.translate(_SHOWN))}"


def header(wanted: Sequence[tuple[int, int]]) -> str:
    """The Range header that asks for these (offset, length)."""
    return "bytes=" + ",".join(f"{offset}-{offset + length - 1}" for offset, length in wanted)


def pieces(status: int, content_range: str, content: bytes, wanted: Sequence[tuple[int, int]]) -> list[bytes] | None:
    """What an answer gives of each (offset, length) that was asked for, less only where the file ends; None: it gives no bytes.

    A file that rclone found and could not open is answered with 404 and the range that it would have been: None, too.
    """
    span = _CONTENT_RANGE.match(content_range)
    if status == 200:  # an empty file, or ranges that are more than the whole of it
        return [content[offset : offset + length] for offset, length in wanted]
    if status == 206 and span is not None:
        found = {int(span[1]): content}
    elif status == 206:
        found = _parts(content)
    elif status == 416 or (status == 404 and span is not None and all(offset >= int(span[3]) for offset, _ in wanted)):
        return [b""] * len(wanted)  # beyond the end
    else:
        return None
    return [found.get(offset, b"")[:length] for offset, length in wanted]


def _parts(content: bytes) -> dict[int, bytes]:
    """Offset -> bytes of a multipart/byteranges body. Each part says its length, so its content is never searched."""
    found = {}
    position = 0
    while (end_of_head := content.find(b"\r\n\r\n", position)) >= 0:
        head = _PART.search(content[position:end_of_head])
        if head is None:
            break
        start, last = int(head[1]), int(head[2])
        position = end_of_head + 4 + last + 1 - start
        found[start] = content[end_of_head + 4 : position]
    return found


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
