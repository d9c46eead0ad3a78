"""Remembers the version of the rclone binary: to ask it takes a tenth of a second of CPU, for each command."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from orchestrator.atomic_file import write_atomically

VERSION_FILE = "rclone-version.json"


class _Known(msgspec.Struct, frozen=True):
    path: str
    stamp: str
    """Changes whenever the binary is another one."""
    version: str


def known_version(file: Path, binary: Path) -> str | None:
    """The version that this binary reported, if it has not changed since. `file`: where that is remembered."""
    try:
        known = msgspec.json.decode(file.read_bytes(), type=_Known)
    except (OSError, msgspec.MsgspecError):
        return None
    return known.version if (known.path, known.stamp) == (str(binary), _stamp(binary)) else None


def remember_version(file: Path, binary: Path, version: str) -> None:
    """Remember it, if the folder of the file exists and is closed to others: an open one may not be ours yet.

    Not of a script: it may start another rclone the next time.
    """
    with suppress(OSError):  # it is asked again the next time
        if (stamp := _stamp(binary)) is not None and not file.parent.stat().st_mode & 0o077:
            write_atomically(file, [msgspec.json.encode(_Known(str(binary), stamp, version))])


def _stamp(binary: Path) -> str | None:
    """None for a script, and for what cannot be looked at."""
    try:
        with binary.open("rb") as program:
            if program.read(2) == b"#!":
                return None
        seen = binary.stat()
    except OSError:
        return None
    return f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"
