"""Writes a file so that it appears complete or not at all: under a temporary name beside it, flushed, then renamed.

A device or a pipe is written to as it is. A file that a person names may be one of their music by mistake, so what is there is
only replaced, and a log only added to, if it is of the same kind.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

METRICS: Final = "text file of metrics"
_BEGINNINGS: Final = {
    "plan": b'{"format":"music-orchestrator-plan/',
    "web page": b"<!doctype html>",
    "manifest": b'{"format":"music-orchestrator-manifest/',
    METRICS: b"# HELP music_orchestrator_",
}
"""Kind of file that we write where a person says -> what it begins with."""

_LINE_OF_LOG: Final = re.compile(rb'^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \[\d+\] |\{"time": ")', re.MULTILINE)
"""How the lines of our log begin, as text and as JSON (see report.log)."""
_LOOKED_AT: Final = 1 << 16


def check_addable(file: Path) -> None:
    """Raise FileExistsError if lines of our log may not be added to a file: it is neither empty nor such a log.

    Its first lines may be others, such as the rest of a traceback where the log was cut.
    """
    if file.is_file():
        with file.open("rb") as stream:
            begins = stream.read(_LOOKED_AT)
        if begins and (b"\0" in begins or not _LINE_OF_LOG.search(begins)):
            raise FileExistsError(errno.EEXIST, "a file is there that is no log of music-orchestrator; name a new file")


def check_replaceable(file: Path, kind: str) -> None:
    """Raise FileExistsError if a file is there that is neither empty nor of this kind (see _BEGINNINGS)."""
    if file.is_file():
        beginning = _BEGINNINGS[kind]
        with file.open("rb") as stream:
            begins = stream.read(len(beginning))
        if begins and begins != beginning:
            raise FileExistsError(errno.EEXIST, f"a file is there that is no {kind}")


def write_atomically(file: Path, content: Iterable[bytes], mode: int = 0o600) -> None:
    """Replace the file; `mode` is the mode of the new one. Raises OSError; then the old file is unchanged and no other one left.

    The temporary name begins with a dot and does not end as the file does, so that who reads a folder by suffix passes it by.
    """
    if file.exists() and not file.is_file():
        with file.open("wb") as stream:
            stream.writelines(content)
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.writelines(content)
            stream.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # the file is complete; some file systems flush no folders
        _flush_folder(file.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
