"""Reading parts of a file: the address at which rclone serves it, its answers, and the shortcut for files on this disk."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from orchestrator.errors import AccessDeniedError, NotFoundError, OrchestratorError, PermanentError, QuotaError, TransientError
from orchestrator.rclone import rc_bodies

# What rclone shows instead of control characters, `/`, `.`, `..` and bytes that are not UTF-8 in names; its quote is U+201B.
_MAPPED = re.compile("[\x00-\x1f\x7f\u201b\u2400-\u2421\uff0e\uff0f]")
_SHOWN = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.IGNORECASE)
_PART = re.compile(rb"^content-range: *bytes (\d+)-(\d+)/\d+", re.IGNORECASE | re.MULTILINE)


def file_address(fs: str, path: str) -> str:
    """The URL path at which `--rc-serve` serves a file."""
    # The location ends at the first "]" for that server. If it contains one, start from the root of the remote.
    if "]" in fs:
        fs, below = rc_bodies.split_root(fs)
        path = f"{below}/{path}"
    return f"/{_quoted_location(fs)}{address_in_served(path)}"


@lru_cache
def _quoted_location(fs: str) -> str:
    return quote(f"[{fs}]", safe="")


def address_in_served(path: str) -> str:
    """The URL path of a file below a location with a server of its own (see `vfs_reads`)."""
    return f"/{quote(path.translate(_SHOWN))}"


def header(wanted: Sequence[tuple[int, int]]) -> str:
    """The Range header for these (offset, length)."""
    return "bytes=" + ",".join(f"{offset}-{offset + length - 1}" for offset, length in wanted)


def parts_of_answer(status: int, content_range: str, content: bytes, wanted: Sequence[tuple[int, int]]) -> list[bytes] | None:
    """The bytes of each (offset, length) asked for, fewer only where the file ends; None if the answer has no content.

    When rclone found a file but could not open it, it answers 404 with the range it would have sent: None as well.
    """
    span = _CONTENT_RANGE.match(content_range)
    if status == 200:  # an empty file, or ranges that cover more than all of it
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
    """Offset -> bytes of a multipart/byteranges body. Each part states its length, so we never search in its content."""
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
    """Whether rclone shows the name of a local file as it is on the disk."""
    return _MAPPED.search(path) is None


def read_local(root: str, path: str, offset: int, length: int) -> bytes:
    """`length` bytes of a file on this disk. Follows no symlink and does not block on a pipe."""
    try:
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise local_error(error, path) from error
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
        raise local_error(error, path) from error
    finally:
        os.close(descriptor)


NOT_UTF8 = "name on the disk is not UTF-8, so rclone cannot reach it"


def is_not_utf8(path: str) -> bool:
    """Whether rclone shows the path of a file on a disk with signs in place of bytes that are not UTF-8."""
    return "\ufffd" in path


HAS_QUOTE = "name has the sign \u201b (U+201B), with which rclone cannot reach it"


def has_quote(path: str) -> bool:
    """Whether rclone shows a path with its own quote twice, in place of one: then it looks for a name that has two."""
    return "\u201b\u201b" in path


def local_error(error: OSError, path: str) -> OrchestratorError:
    """The typed error for one of the system's about a file on this disk."""
    message = f"{path}: {os.strerror(error.errno or 0)}"
    if error.errno == errno.ENOENT and is_not_utf8(path):
        return PermanentError(f"{path}: {NOT_UTF8}", path=path)
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
        return NotFoundError(message, path=path)
    if error.errno in {errno.EIO, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT}:
        return TransientError(message, path=path)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return QuotaError(message, path=path)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return AccessDeniedError(message, path=path)
    return PermanentError(message, path=path)
