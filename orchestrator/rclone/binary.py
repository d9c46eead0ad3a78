"""Finds the rclone binary and makes sure that it is new enough."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from orchestrator.errors import UsageError
from orchestrator.rclone.known_version import known_version, remember_version
from orchestrator.user_paths import user_path

FLOOR = (1, 75, 1)
"""Older versions let others in through the rc interface, or write outside the destination (CVE-2026-71311 to -71313, -88044)."""

VARIABLE = "MUSIC_ORCHESTRATOR_RCLONE"
INSTALL = "install rclone from https://rclone.org/install/ or run: pip install 'music-orchestrator[rclone]'"
NO_TEMPORARY_FOLDER = "no temporary folder can be written: set TMPDIR to a folder that can"
_PATH_LOCK = threading.Lock()


class Binary(msgspec.Struct, frozen=True):
    """An rclone that is new enough."""

    path: Path
    version: str
    """As rclone prints it, without the leading "v": "1.75.2"."""


def find_rclone(explicit: str | None = None, origin: str = "--rclone", remembered: Path | None = None) -> Binary:
    """The rclone to use: `explicit` (from the option or key `origin`), or from the environment, `PATH` or the `rclone` extra.

    If the user named one, no other is tried; if the one on `PATH` is too old, the extra is used. `remembered`: the file that
    remembers its version. Raises UsageError, which says what to do, when there is none or it is too old.
    """
    problem: UsageError | None = None
    for path, found_by in _candidates(explicit, origin):
        try:
            return _checked(path, found_by, remembered)
        except UsageError as error:
            problem = problem or error
    raise problem or UsageError(f"rclone not found; {INSTALL}")


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The three numbers in texts like "1.75.2" and "v1.76.0-beta.9"; None when there are none."""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _candidates(explicit: str | None, explicit_origin: str) -> Iterator[tuple[Path, str]]:
    for text, origin in ((explicit, explicit_origin), (os.environ.get(VARIABLE), f"${VARIABLE}")):
        if text:
            named = shutil.which(user_path(text))
            if named is None:
                raise UsageError(f"{text} ({origin}) {_why_not(user_path(text))}, or leave it out to search PATH")
            yield Path(named).absolute(), origin
            return
    for found, origin in (
        (shutil.which("rclone"), "PATH"),
        (shutil.which("rclone", path=sysconfig.get_path("scripts")), "the rclone extra"),
    ):
        if found is not None:
            yield Path(found).absolute(), origin


def _why_not(path: Path) -> str:
    """Why this is no program, and what to do about it."""
    if os.path.isdir(path):  # noqa: PTH112 - `Path` raises where a folder above may not be read
        return "is a folder, not a program: name the program in it"
    if os.path.isfile(path):  # noqa: PTH113
        return f"is not an executable program: `chmod +x {path}`, or correct it"
    return "is not an executable program, because no such file is there: correct it"


def _interpreter(path: Path) -> str | None:
    """The program that runs a script, if it cannot be started; a shell would silently take another rclone instead."""
    try:
        with path.open("rb") as script:
            first = script.readline(256)
    except OSError:  # it may be executable all the same
        return None
    named = first[2:].split()[:1] if first.startswith(b"#!") else []
    return next((os.fsdecode(one) for one in named if not os.access(one, os.X_OK)), None)


def _checked(path: Path, origin: str, remembered: Path | None) -> Binary:
    if (interpreter := _interpreter(path)) is not None:
        raise UsageError(f"{path} ({origin}) is a script for {interpreter}, which cannot be started; correct its first line")
    known = known_version(remembered, path) if remembered is not None else None
    version = known or _version(path)
    number = parse_version(version or "")
    if version is None or number is None:
        raise UsageError(f"{path} ({origin}) does not answer like rclone; {INSTALL}")
    if number < FLOOR:
        floor = ".".join(map(str, FLOOR))
        raise UsageError(
            f"{path} ({origin}) is rclone {version}; at least {floor} is needed: run `rclone selfupdate`, or {INSTALL}"
        )
    if remembered is not None and known is None:
        remember_version(remembered, path, version)
    return Binary(path, version)


def _version(path: Path) -> str | None:
    """The version that the binary reports, through rclone-python; None when it is not rclone."""
    from rclone_python import rclone  # noqa: PLC0415 because it imports rich, which is slow
    from rclone_python.utils import RcloneException  # noqa: PLC0415

    with _only_on_path(path):
        if not rclone.is_installed():
            return None
        try:
            text = rclone.version()
        except (RcloneException, IndexError, OSError):  # it failed, printed nothing, or could not be started
            return None
    return str(text).strip().removeprefix("v")


@contextlib.contextmanager
def _only_on_path(path: Path) -> Iterator[None]:
    """Make the binary the first `rclone` on PATH, without inherited settings.

    rclone-python builds shell commands, so it must never get a path.
    """
    with _PATH_LOCK, _temporary_folder() as directory:
        (Path(directory) / "rclone").symlink_to(path)
        changed = {"PATH": os.environ.get("PATH")} | {name: os.environ[name] for name in os.environ if name.startswith("RCLONE_")}
        for name in changed:
            os.environ.pop(name, None)
        os.environ["PATH"] = directory + os.pathsep + (changed["PATH"] or os.defpath)
        try:
            yield
        finally:
            del os.environ["PATH"]
            os.environ.update({name: value for name, value in changed.items() if value is not None})


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="music-orchestrator-")
    except OSError as error:
        raise UsageError(NO_TEMPORARY_FOLDER) from error
