"""What the program needs of this machine: names of files, open files, a temporary folder."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator

from orchestrator.actions.session import Session
from orchestrator.errors import ExitCode, UsageError
from orchestrator.rclone.binary import NO_TEMPORARY_FOLDER
from orchestrator.report.finding import Finding
from orchestrator.wording import size_text

LITTLE_SPACE = 100 * 1024 * 1024
"""Bytes: with less, the journal and the catalogue, or what passes through the temporary folder, may not fit."""

FEW_OPEN_FILES = 256
"""macOS allows so many by default, which is enough: each transfer and each reader of tags holds a few."""

_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""The variables that Python reads, in its order."""


def check_machine(session: Session) -> Iterator[Finding]:  # noqa: ARG001 - every check takes it
    """Check what no setting of ours changes."""
    yield _names()
    yield _open_files()
    yield from _temporary_folder()


def names_are_utf8() -> bool:
    """Whether every name of a file can be used."""
    return sys.getfilesystemencoding().lower() in {"utf-8", "utf8"}


def _names() -> Finding:
    encoding = sys.getfilesystemencoding()
    if names_are_utf8():
        return Finding("file names", ok=True, message=f"read as {encoding}")
    return Finding(
        "file names",
        ok=False,
        message=f"read as {encoding}, because of LC_ALL, LC_CTYPE, LANG or PYTHONUTF8: names with other letters cannot be used",
        remedy="set LC_ALL=C.UTF-8, and leave PYTHONUTF8 and PYTHONCOERCECLOCALE out",
        code=ExitCode.USAGE,
    )


def _open_files() -> Finding:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed == resource.RLIM_INFINITY or allowed >= FEW_OPEN_FILES:
        return Finding("open files", ok=True, message="enough are allowed")
    return Finding(
        "open files",
        ok=False,
        message=f"only {allowed} are allowed at the same time, and a run may need {FEW_OPEN_FILES}",
        remedy="`ulimit -n 1024` before the command, or LimitNOFILE=1024 in its unit",
        code=ExitCode.SOME_FAILED,
    )


def _temporary_folder() -> Iterator[Finding]:
    try:
        folder = tempfile.gettempdir()
    except OSError:
        raise UsageError(NO_TEMPORARY_FOLDER) from None
    named = next((one for one in _TEMPORARY if os.environ.get(one)), None)
    if named is not None and not os.path.isdir(os.environ[named]):  # noqa: PTH112 - as Python does
        yield Finding(
            "temporary files",
            ok=False,
            message=f"${named} is {os.environ[named]}, which is no folder: {folder} is used instead",
            remedy=f"make this folder, or correct {named}",
        )
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE:
        yield Finding(
            "temporary files",
            ok=False,
            message=f"only {size_text(free)} are free in {folder}",
            remedy="free some space there, or set TMPDIR to another folder",
            code=ExitCode.SAFETY_LIMIT,
        )
    else:
        yield Finding("temporary files", ok=True, message=f"in {folder}, {size_text(free)} free")
