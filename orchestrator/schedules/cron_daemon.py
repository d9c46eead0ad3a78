"""Whether a program runs that starts what is in crontabs. Without one, a crontab is only a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_DAEMONS = frozenset({"cron", "crond", "fcron", "bcron-sched", "mcron", "cronie"})
"""The names of the processes: Debian's cron; cronie, dcron and busybox; the others by their own names."""
_BY_SYSTEMD = (Path("/usr/lib/systemd/system/cron.target"), Path("/lib/systemd/system/cron.target"))
"""systemd-cron makes timers of crontabs, and needs no daemon."""


def cron_is_missing(processes: Path = Path("/proc")) -> bool:
    """Whether no such program runs; False where that cannot be seen: without /proc, or where it hides the processes of others."""
    if any(file.exists() for file in _BY_SYSTEMD) or not _name(processes / "1"):
        return False
    return not any(_name(process) in _DAEMONS for process in processes.glob("[0-9]*"))


def _name(process: Path) -> str:
    """The name of a process; empty for one that has ended, or is hidden."""
    with suppress(OSError, UnicodeDecodeError):
        return (process / "comm").read_text("utf-8").strip()
    return ""
