"""SIGINT, SIGTERM and SIGHUP: a command ends at once; a plan that is being carried out ends in good order, and soon.

The first signal lets the files in flight finish, names them, and begins no other. What is not finished after FINISH_S, or at a
second signal, is cut off. Either way the journal has everything, and `resume` looks at what was cut.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from orchestrator.actions.session import Session
from orchestrator.errors import InterruptedRunError, OrchestratorError
from orchestrator.progress import Transfer
from orchestrator.wording import counted, size_text

FINISH_S = 10.0
"""How long files in flight may take to finish after the first signal; docs/commands.md names it."""
_RECORD_S = 3.0
"""How long a run may then take to look at what arrived, to record it, and to remove its markers; 1 s after a second signal."""
_LOOK_S = 0.1
_NAMED = 20
_AFTERWARDS = {
    None: "",
    False: "; nothing was changed",
    True: "; nothing is lost: `music-orchestrator resume` does the rest",
}
"""By whether the command had begun to carry out a plan."""


@contextmanager
def signals_handled(session: Session) -> Iterator[None]:
    """Handle them during the block. A third signal ends even a run that does not answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping = _Stopping(session)
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup the run continues without its terminal
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, stopping.handle) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stopping:
    """How far the stop of one session has come."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cut_now = threading.Event()

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Called in the main thread between two of its instructions, so it must take no lock: threads do the work."""
        session = self._session
        if session.closing:
            return
        first = not session.stop.is_set()
        session.stop.set()
        if not session.applying or self._cut_now.is_set():
            raise InterruptedRunError(f"interrupted{_AFTERWARDS[session.begun]}")
        if first:
            for work in (self._name_transfers, self._cut_in_time):
                threading.Thread(target=work, name="stop", daemon=True).start()
        else:
            self._cut_now.set()

    def _name_transfers(self) -> None:
        """Say what is under way. rclone may take its time to answer, so this is a thread of its own."""
        rclone = self._session.running_rclone
        try:
            activity = rclone.activity.look() if rclone is not None else None
        except OrchestratorError:
            activity = None
        transfers = activity.under_way if activity is not None else ()
        left = sum(map(_bytes_left, transfers))
        what = f"{counted(len(transfers), 'transfer')}, {size_text(left)} left" if transfers else "what is under way"
        self._session.reporter.warning(f"finishing {what}; Ctrl-C again to stop now")
        for transfer in transfers[:_NAMED]:
            self._session.reporter.warning(f"{size_text(_bytes_left(transfer))} left", transfer.name)

    def _cut_in_time(self) -> None:
        rclone = self._session.running_rclone
        if self._ended_within(FINISH_S, self._cut_now):
            return
        if rclone is not None:
            rclone.cut()
        if not self._ended_within(1.0 if self._cut_now.is_set() else _RECORD_S) and rclone is not None:
            rclone.close()
        if not self._ended_within(_RECORD_S):  # it waits for something else than rclone: a disk, a listing
            self._cut_now.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _ended_within(self, seconds: float, early: threading.Event | None = None) -> bool:
        """Wait until the plan is no longer being carried out, at most so long, or until `early`; whether it ended."""
        until = time.monotonic() + seconds
        while self._session.applying and time.monotonic() < until and not (early and early.is_set()):
            time.sleep(_LOOK_S)
        return not self._session.applying


def _bytes_left(transfer: Transfer) -> int:
    return max(0, transfer.size - transfer.done)
