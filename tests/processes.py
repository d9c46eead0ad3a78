"""The descendants of a process, from /proc."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def processes_below(pid: int) -> Iterator[tuple[int, str]]:
    """Every descendant of a process and the name of its program."""
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended in the meantime
                head, _, tail = (entry / "stat").read_text().rpartition(")")
                children.setdefault(int(tail.split()[1]), []).append((int(entry.name), head.partition("(")[2]))
    waiting = [pid]
    while waiting:
        found = children.get(waiting.pop(), [])
        yield from found
        waiting += [child for child, _ in found]


def rclones_below(pid: int) -> list[int]:
    """Every rclone that a process has started."""
    return [child for child, name in processes_below(pid) if name == "rclone"]
