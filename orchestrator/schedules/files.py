"""Writes, finds and removes the files of schedules. What is not ours, or was edited since, is only replaced if told to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from orchestrator.atomic_file import write_atomically
from orchestrator.errors import UsageError
from orchestrator.schedules import crontab, launchd, systemd
from orchestrator.schedules.marks import Mark, mark_of
from orchestrator.schedules.records import NAME, Form, ScheduleFile

_ENDINGS: Mapping[Form, tuple[str, ...]] = {"systemd": (".service", ".timer"), "cron": ("",), "launchd": (".plist",)}


class Installed(Struct, frozen=True):
    """A file of ours that exists."""

    form: Form
    path: Path | None
    """None: it is a part of the user's crontab."""
    text: str
    mark: Mark


def folders(home: str, configuration: str | None, *, system: bool) -> dict[Form, Path]:
    """Where files of each form belong; without a folder for cron, they are lines of the user's crontab.

    `configuration`: $XDG_CONFIG_HOME.
    """
    if system:
        found: dict[Form, Path] = {"systemd": systemd.SYSTEM_FOLDER, "launchd": launchd.SYSTEM_FOLDER}
        return found | ({"cron": crontab.SYSTEM_FOLDER} if crontab.SYSTEM_FOLDER.is_dir() else {})
    return {
        "systemd": Path(configuration or f"{home}/.config") / "systemd" / "user",
        "launchd": Path(home) / "Library" / "LaunchAgents",
    }


def installed(places: Mapping[Form, Path]) -> Iterator[Installed]:
    """The files of ours in these folders."""
    for form, folder in places.items():
        for path in sorted(folder.glob(f"{NAME}*")):
            if not path.name.endswith(_ENDINGS[form]) or path.is_symlink() or not path.is_file():
                continue
            text = _read(path)
            if text is not None and (mark := mark_of(text)) is not None:
                yield Installed(form, path, text, mark)


def to_write(wanted: Sequence[ScheduleFile], *, force: bool) -> list[tuple[Path, str]]:
    """The files that differ from what is there, with their texts. Raises UsageError for one that must not be replaced."""
    found: list[tuple[Path, str]] = []
    for file in wanted:
        if file.path is None:
            continue
        if file.path.is_symlink() or (file.path.exists() and not file.path.is_file()):
            raise UsageError(f"{file.path} is no plain file: remove it first")
        there = _read(file.path) if file.path.exists() else None
        if there == file.text:
            continue
        if file.path.exists() and not force:
            refuse_others(file.path, mark_of(there) if there is not None else None)
        found.append((file.path, file.text))
    return found


def refuse_others(path: Path, mark: Mark | None) -> None:
    """Raise UsageError for a file that is not ours, or that somebody has edited."""
    if mark is None:
        raise UsageError(f"{path} was not written by `schedule`: it stays as it is; --force replaces it")
    if not mark.intact:
        raise UsageError(f"{path} was edited: it stays as it is; put your changes elsewhere (`systemctl edit`), or add --force")


def write(files: Iterable[tuple[Path, str]]) -> None:
    """Write them, each at once as a whole. Raises UsageError."""
    for path, text in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, [text.encode("utf-8", "surrogateescape")], 0o644)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def remove(paths: Iterable[Path | None]) -> None:
    """Remove them. Raises UsageError."""
    for path in paths:
        if path is None:
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{path}: cannot be removed: {error.strerror}") from error


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
