"""Writes a file so that it appears complete or not at all: under a temporary name beside it, flushed, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write_atomically(file: Path, content: Iterable[bytes], mode: int = 0o600) -> None:
    """Replace the file; `mode` is the mode of the new one. Raises OSError; then the old file is unchanged and no other one left.

    The temporary name begins with a dot and does not end as the file does, so that who reads a folder by suffix passes it by.
    """
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
