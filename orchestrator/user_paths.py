"""The paths on this machine that users write in options, variables and the config."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from orchestrator.errors import UsageError


def user_path(text: str | Path) -> Path:
    """What a path leads to: `~` stands for the home folder of this user, `~NAME` for that of another one.

    Not made absolute. Raises UsageError where there is no such folder, and for what no path can be.
    """
    if "\0" in str(text):
        raise UsageError(f"{text}: no path can hold this character: write the path without it")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        name = Path(text).parts[0][1:]
        missing = f"there is no user {name} on this machine" if name else "this user has no home folder, and HOME is not set"
        raise UsageError(f"{text}: {missing}: write the whole path, from / on") from error
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{text}: this is too long for a path: write a shorter one") from error
    return path


def read_user_file(file: Path) -> bytes:
    """The content of a file that a user has named. Raises OSError, and UsageError for a device, which may have no end.

    /dev/null is an empty file.
    """
    if (file.is_char_device() or file.is_block_device()) and not file.samefile(os.devnull):
        raise UsageError(f"{file} is a device, not a file: name a file")
    return file.read_bytes()
