"""A process that applies a plan and kills itself on the way: `python -m tests.apply.killed_apply REQUEST` (a JSON file)."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.settings import Settings
from orchestrator.plan.model import Plan
from orchestrator.rclone.binary import find_rclone
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.protocol import Call, CallResult, StatCall
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage


class Request(msgspec.Struct):
    """What to apply, and when to kill the process."""

    plan: Plan
    journal: str
    config: str
    batch: int
    """Die at this batch of changing calls (from 1)."""
    delay_s: float | None
    """Seconds after it was sent; None: right after its answer."""


def die() -> None:
    """Kill this process, as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(ForwardingStorage):
    """Kills the process at a batch; the batches of all storages are counted together."""

    left = 0
    delay_s: float | None = None

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """Count the batch and forward it; kill the process when its turn comes."""
        if not all(isinstance(call, StatCall) for call in calls):
            Dying.left -= 1
            if not Dying.left and self.delay_s is not None:
                threading.Timer(self.delay_s, die).start()
        outcomes = super().batch(calls, concurrency=concurrency)
        if not Dying.left and not all(isinstance(call, StatCall) for call in calls) and self.delay_s is None:
            die()
        return outcomes


def main(file: str) -> None:
    """Apply the plan; the process kills itself on the way."""
    request = msgspec.json.decode(Path(file).read_bytes(), type=Request)
    Dying.left, Dying.delay_s = request.batch, request.delay_s
    with Rclone(find_rclone(None), config=Path(request.config)) as rclone, Journal(Path(request.journal)) as journal:
        locations = {ref.fs for operation in request.plan.operations for ref in (operation.src, operation.dst)}
        storages = {fs: Dying(RcloneStorage(rclone, fs)) for fs in locations}
        apply_plan(request.plan, storages, journal, settings=Settings(window=3, transfers=2))
    if Dying.left <= 0:
        signal.pause()  # the run ended before the timer: die now


if __name__ == "__main__":
    main(sys.argv[1])
