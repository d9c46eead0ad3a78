"""What a terminal shows while work goes on: how far it is, how fast, what it waits for, in every window."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence

import pytest

from orchestrator.errors import TransientError
from orchestrator.progress import Activity, Transfer
from orchestrator.report.live_lines import LiveLines
from orchestrator.report.live_progress import LiveProgress
from orchestrator.report.output import Output
from orchestrator.report.progress_view import ProgressView

MIB = 1024 * 1024


def activity(sent: int, copied: int = 0, renamed: int = 0, *, under_way: Sequence[Transfer] = (), answers: int = 0) -> Activity:
    return Activity(sent, copied, renamed, sent + copied + renamed + answers, under_way)


def copying(seconds: int = 10) -> ProgressView:
    """1 MiB a second of 100 MiB in 20 files, for so many seconds."""
    view = ProgressView()
    view.begin("copying", 20, {"gdrive:Music": 100 * MIB}, ("/m", "gdrive:Music"), 0.0)
    for second in range(seconds + 1):
        long = Transfer(f"Ночной Поезд/{'椎名ミカ ' * 30}/01\x1b[2J.mp3", 40 * MIB, second * MIB)
        view.note(activity(second * MIB, copied=second // 5, under_way=[long, Transfer(f"small {second}", 10, 5)]), float(second))
        view.lines(80, 24, float(second))
    return view


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (80, "copying  2 of 20  10.0 of 100.0 MiB  1.0 MiB/s  1 min 30 s left  ━┄┄┄┄┄┄┄┄┄┄┄"),
        (60, "copying  2 of 20  1.0 MiB/s  1 min 30 s left"),
        (40, "copying  2 of 20  10 %  1 min 30 s left"),
        (20, "copying  10 %"),
    ],
)
def test_a_transfer_is_counted_in_bytes_before_its_files_have_ended(columns: int, head: str) -> None:
    first, file = copying().lines(columns, 24, 10.0)
    assert first.startswith(head)
    assert re.fullmatch(r"   25 %  ….*b\[2J\.mp3", file)


def test_what_rclone_counts_and_what_is_recorded_is_not_counted_twice() -> None:
    view = copying()
    view.advance(2, 10 * MIB, 10.0)
    assert view.lines(80, 24, 10.0)[0].startswith("copying  2 of 20  10.0 of 100.0 MiB")
    view.note(activity(12 * MIB, copied=2), 11.0)
    assert view.lines(80, 24, 11.0)[0].startswith("copying  2 of 20  12.0 of 100.0 MiB")
    view.note(activity(0), 12.0)  # rclone died, and another one was started
    assert view.lines(80, 24, 12.0)[0].startswith("copying  2 of 20  10.0 of 100.0 MiB")


def test_a_resumed_run_is_not_called_fast_for_what_was_done_before() -> None:
    view = ProgressView()
    view.begin("renaming", 1000, {}, ("/m",), 0.0)
    view.advance(900, 0, 0.0)
    for second in range(11):
        view.lines(80, 24, float(second))
        view.advance(2, 0, float(second))
    assert "renaming  922 of 1,000  2/s  37 s left" in view.lines(80, 24, 10.5)[0]


def test_a_listing_says_how_many_it_has_seen_and_where() -> None:
    view = ProgressView()
    view.begin("listing", None, None, ("gdrive:Music",), 0.0)
    assert view.lines(80, 24, 1.0) == ["listing  gdrive:Music  1 s"]
    view.advance(1500, 0, 2.0)
    assert view.lines(80, 24, 2.0) == ["listing  gdrive:Music  1,500 so far  1,500/s  2 s"]
    assert view.lines(40, 24, 2.0) == ["listing  1,500 so far  1,500/s  2 s"]


def test_a_remote_that_is_silent_is_named_until_it_answers() -> None:
    view = copying()
    view.note(activity(10 * MIB, copied=2), 35.0)
    assert view.lines(80, 24, 35.0)[-1] == "no answer from gdrive: for 25 s"
    assert "left" not in view.lines(80, 24, 35.0)[0]
    view.note_mute()
    assert view.lines(80, 24, 36.0)[-1] == "no answer from rclone for 26 s"
    view.note(activity(10 * MIB, copied=2, answers=1), 36.0)
    assert "answer" not in view.lines(80, 24, 36.0)[-1]
    view.begin("planning", None, None, (), 40.0)
    assert view.lines(80, 24, 80.0) == ["planning  40 s"]


def test_a_wait_for_another_try_is_counted_down_with_its_reason() -> None:
    view = copying()
    view.wait("gdrive:Music: slow down\n", 12.0, 10.0)
    assert view.lines(80, 24, 14.0)[-1] == r"trying again in 8 s: gdrive:Music: slow down\n"
    assert "again" not in view.lines(80, 24, 23.0)[-1]


class Window(Output):
    def __init__(self, columns: int) -> None:
        super().__init__(io.StringIO())
        self.columns = columns

    def window(self) -> tuple[int, int]:
        return self.columns, 24


def test_lines_that_a_narrower_window_has_wrapped_are_all_removed() -> None:
    window = Window(80)
    lines = LiveLines(window)
    lines.draw(["x" * 70, "椎" * 50])  # the second is cut to 79 cells
    window.columns = 40  # two rows each
    before = len(window.stream.getvalue())  # type: ignore[attr-defined]
    lines.remove()
    assert window.stream.getvalue()[before:] == "\r\x1b[3A\x1b[J"  # type: ignore[attr-defined]


def test_what_is_printed_goes_above() -> None:
    window = Window(80)
    lines = LiveLines(window)
    lines.draw(["one", "two"])
    with lines.above():
        window.line("a note")
    drawn = "\r\x1b[J\x1b[?7lone\ntwo\x1b[?7h"
    assert window.stream.getvalue() == f"{drawn}\r\x1b[1A\x1b[Ja note\n{drawn}"  # type: ignore[attr-defined]


def test_nothing_is_drawn_after_the_end_although_rclone_hangs() -> None:
    window = Window(80)
    asked, answered = threading.Event(), threading.Event()

    def hanging() -> Activity | None:
        asked.set()
        answered.wait(30)
        raise TransientError("no answer")

    live = LiveProgress(window)
    live.watch(hanging)
    live.stage("copying", 3, {}, ("gdrive:",))
    assert asked.wait(30)
    live.advance(1, 0)
    live.end()
    thread = next(one for one in threading.enumerate() if one.name == "progress")
    answered.set()
    thread.join(30)
    assert window.stream.getvalue() == ""  # type: ignore[attr-defined]
