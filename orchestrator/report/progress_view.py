"""What the live lines say of a stage: how far it is, how fast, how long it will take, what is on its way, what it waits for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Mapping

from orchestrator.paths import is_local
from orchestrator.progress import Activity, Transfer
from orchestrator.report.live_lines import end_fitted, fitted
from orchestrator.report.reporter import duration_text, printable
from orchestrator.wording import size_text

_RATE_OVER_S = 30.0
"""Rates are means over the last so many seconds: in a move, copies alternate with checks and deletes, which send no bytes."""
_SILENT_S = 10.0
"""After so long without any sign of a remote, say so."""
_MOST_FILES = 8
BAR, ASCII_BAR = "━┄", "#."
_LONGEST_BAR = 30
_SHORTEST_BAR = 8


class _Stage:
    """One stage, and how far it is."""

    def __init__(self, name: str, total: int | None, sizes: Mapping[str, int] | None, at: Collection[str], now: float) -> None:
        self.name = name
        self.total = total
        self.planned = sum((sizes or {}).values())
        self.changes = sizes is not None
        self.at = sorted(at)
        self.began = self.last_sign = now
        self.items = self.bytes = 0
        self.base: Activity | None = None
        """The activity when items or bytes were last counted: what it shows since then is not in them yet."""
        self.now: Activity | None = None
        self.history: deque[tuple[float, int, int]] = deque()
        """(when, items, bytes) of the last seconds, from the first look on: a resumed run begins with much that is done."""
        self.sent = 0
        """Bytes over the line since the stage began."""
        self.old_names: frozenset[str] = frozenset()


class ProgressView:
    """See the module. `now` is always a time in seconds that only grows. Safe for several threads."""

    def __init__(self, bar: str = BAR) -> None:
        """`bar`: the characters for what is done and what is left."""
        self._bar = bar
        self._lock = threading.Lock()
        self._stage: _Stage | None = None
        self._activity: Activity | None = None
        self._wait: tuple[str, float] | None = None
        self._mute = False
        """Whether rclone itself did not answer the last question."""

    def begin(self, name: str, total: int | None, sizes: Mapping[str, int] | None, at: Collection[str], now: float) -> None:
        """A stage begins."""
        with self._lock:
            self._stage = _Stage(name, total, sizes, at, now)
            self._wait = None

    def end(self) -> None:
        """Nothing is under way."""
        with self._lock:
            self._stage = None

    def advance(self, items: int, size: int, now: float) -> None:
        """So much more of the stage is done."""
        with self._lock:
            if self._stage is not None:
                self._stage.items += items
                self._stage.bytes += size
                self._stage.base = self._stage.now
                self._stage.last_sign = now
                self._wait = None

    def wait(self, reason: str, seconds: float, now: float) -> None:
        """Something is tried again later."""
        with self._lock:
            self._wait = (reason, now + seconds)

    def note_mute(self) -> None:
        """Rclone did not say what it does."""
        with self._lock:
            self._mute = True

    def note(self, activity: Activity, now: float) -> None:
        """What rclone does now."""
        with self._lock:
            self._mute = False
            stage, before, self._activity = self._stage, self._activity, activity
            if stage is None:
                return
            if before is None or activity.signs != before.signs:
                stage.last_sign = now
            if before is not None and activity.bytes < before.bytes:  # another rclone was started
                stage.base = activity
            stage.sent += max(0, activity.bytes - (before.bytes if before is not None else activity.bytes))
            stage.old_names = frozenset(one.name for one in before.under_way) if before is not None else frozenset()
            stage.now = activity
            if stage.base is None:
                stage.base = activity

    def lines(self, columns: int, rows: int, now: float) -> list[str]:
        """What to show in a window of this size; nothing if no stage is under way."""
        with self._lock:
            stage = self._stage
            if stage is None:
                return []
            items, done = _items(stage), _bytes(stage)
            stage.history.append((now, items, done if stage.planned else stage.sent))
            while len(stage.history) > 2 and now - stage.history[1][0] >= _RATE_OVER_S:
                stage.history.popleft()
            width = columns - 1
            waits = self._waits(stage, now)
            lines = [_head(stage, items, done, width, now, moves=not waits, bar=self._bar)]
            lines += _files(stage, width, max(0, min(_MOST_FILES, rows // 3 - 1)))
            if waits:
                lines.append(fitted(waits, width))
                stage.history.clear()  # when it goes on, its rate is measured from there
            return lines[: max(1, rows - 1)]

    def _waits(self, stage: _Stage, now: float) -> str:
        if self._wait is not None and self._wait[1] > now:
            return f"trying again in {self._wait[1] - now:.0f} s: {printable(self._wait[0])}"
        silent_s = now - stage.last_sign
        if silent_s < _SILENT_S or not stage.at:
            return ""
        remotes = sorted({fs.partition(":")[0] + ":" for fs in stage.at if not is_local(fs)}) or stage.at
        silent = ["rclone"] if self._mute else map(printable, remotes)
        return f"no answer from {' or '.join(silent)} for {_time_text(silent_s)}"


def _items(stage: _Stage) -> int:
    """The items that are done, with those that rclone has finished since they were last counted."""
    if not stage.changes or stage.base is None or stage.now is None:
        return stage.items
    copied, renamed = stage.now.copied - stage.base.copied, stage.now.renamed - stage.base.renamed
    total = stage.total or 0
    # Between locations, a file is copied first and then given its name. rclone also counts small files of our own.
    ended = min(copied, total * _bytes(stage) // stage.planned - stage.items) if stage.planned else max(copied, renamed)
    return min(stage.items + max(0, ended), max(stage.items, total))


def _bytes(stage: _Stage) -> int:
    if not stage.planned or stage.base is None or stage.now is None:
        return stage.bytes
    return min(stage.bytes + max(0, stage.now.bytes - stage.base.bytes), max(stage.bytes, stage.planned))


def _rates(stage: _Stage) -> tuple[float, float]:
    """Items and bytes a second."""
    (first, first_items, first_bytes), (last, items, size) = stage.history[0], stage.history[-1]
    taken = last - first
    return ((items - first_items) / taken, (size - first_bytes) / taken) if taken > 0 else (0.0, 0.0)


def _left_s(stage: _Stage, items: int, done: int) -> float | None:
    """How long the rest takes at the present rate; None if that cannot be said."""
    of_items, of_bytes = _rates(stage)
    if stage.planned > done:
        return (stage.planned - done) / of_bytes if of_bytes > 0 else None
    if stage.total is not None and stage.total > items:
        return (stage.total - items) / of_items if of_items > 0 else None
    return None


def _head(stage: _Stage, items: int, done: int, width: int, now: float, *, moves: bool, bar: str) -> str:
    """The first line. In a narrow window, what matters least is left out first. No rate unless it `moves`."""
    of_items, of_bytes = _rates(stage)
    left_s = _left_s(stage, items, done)
    name = printable(stage.name)
    where = printable(" and ".join(stage.at)) if len(stage.at) == 1 and not stage.changes else ""
    count = f"{items:,} of {stage.total:,}" if stage.total is not None else f"{items:,} so far" if items else ""
    size = _of(done, stage.planned) if stage.planned else size_text(stage.bytes) if stage.bytes else ""
    rate = "" if not moves else f"{size_text(of_bytes)}/s" if of_bytes >= 1024 else f"{of_items:,.0f}/s" if of_items >= 1 else ""
    left = f"{_time_text(left_s)} left" if moves and left_s is not None else ""
    if stage.total is None:
        left = _time_text(now - stage.began)
    share = _share(stage, items, done)
    percent = "" if share is None else f"{share * 100:.0f} %"
    for parts in (
        (name, where, count, size, rate, left),
        (name, end_fitted(where, 24), count, size, rate, left),
        (name, count, size, rate, left),
        (name, count, rate, left),
        (name, count, percent, left),
        (name, count, left),
        (name, percent or count),
    ):
        line = "  ".join(filter(None, parts))
        if len(line) <= width:
            break
    room = min(_LONGEST_BAR, width - len(line) - 2)
    return f"{line}  {_drawn(share, room, bar)}" if share is not None and room >= _SHORTEST_BAR else fitted(line, width)


def _of(done: int, planned: int) -> str:
    """As in "1.2 of 3.4 GiB"."""
    number, unit = size_text(done).split(" ")
    whole = size_text(planned)
    return f"{number} of {whole}" if whole.endswith(f" {unit}") else f"{number} {unit} of {whole}"


def _share(stage: _Stage, items: int, done: int) -> float | None:
    """How much of the stage is done, from 0 to 1."""
    if stage.planned:
        return min(1.0, done / stage.planned)
    return min(1.0, items / stage.total) if stage.total else None


def _drawn(share: float, width: int, bar: str) -> str:
    done = int(share * width)
    return bar[0] * done + bar[1] * (width - done)


def _files(stage: _Stage, width: int, most: int) -> list[str]:
    """The files that were on their way a second ago too: others are too small to read their names."""
    now = stage.now.under_way if stage.now is not None else ()
    under_way = sorted((one for one in now if one.name in stage.old_names), key=lambda one: one.name)
    shown = under_way if len(under_way) <= most else under_way[: max(0, most - 1)]
    lines = [f"  {_part(one)}  {end_fitted(printable(one.name), width - 9)}" for one in shown]
    more = len(under_way) - len(shown)
    return [*lines, f"         and {more} more"] if more and most else lines


def _part(transfer: Transfer) -> str:
    return f"{min(100, transfer.done * 100 // transfer.size):>3} %" if transfer.size > 0 else "     "


def _time_text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else duration_text(seconds)
