"""How a batch of transfers is sent so that a stop takes effect between them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from orchestrator.errors import NotStartedError, TransientError
from orchestrator.storage.protocol import Call, CallResult, CopyCall
from orchestrator.storage.rclone_backed.lanes import Lanes

COPIES = [CopyCall(str(number), f"to/{number}", ".trash") for number in range(20)]


class Recorder:
    """A storage's two ways to send calls."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop = threading.Event()
        self.stop_at = stop_at
        self.one_by_one: list[Call] = []
        self.together: list[int] = []
        self.lanes = Lanes(self.stop, self._one, self._all)

    def _one(self, call: Call) -> CallResult:
        self.one_by_one.append(call)
        if self.stop_at is not None and len(self.one_by_one) >= self.stop_at:
            self.stop.set()
        if call == COPIES[3]:
            raise TransientError("lost")
        return None

    def _all(self, calls: Sequence[Call], concurrency: int) -> Sequence[CallResult]:
        assert concurrency == 4
        self.together.append(len(calls))
        return [None] * len(calls)


def test_after_a_stop_nothing_more_is_sent() -> None:
    sent = Recorder(stop_at=6)
    results = sent.lanes.send(COPIES, 4)
    begun = len(sent.one_by_one)
    assert 6 <= begun < 6 + 4, "each of the four lanes may just have begun one"
    assert sum(isinstance(result, NotStartedError) for result in results) == len(COPIES) - begun
    assert isinstance(results[3], TransientError)
    assert all(isinstance(result, NotStartedError) for result in sent.lanes.send(COPIES, 4))
    assert len(sent.one_by_one) == begun


def test_batches_that_take_a_moment_are_sent_as_one() -> None:
    """Moves on a disk are twice as fast so; whether they are quick is known after the first batch."""
    sent = Recorder()
    sent.lanes.send(COPIES, 4)
    assert [result for result in sent.lanes.send(COPIES, 4) if result is not None] == []
    assert (len(sent.one_by_one), sent.together) == (len(COPIES), [len(COPIES)])


def test_the_result_of_a_copy_is_passed_on_while_another_one_is_under_way() -> None:
    """So that its caller can look at it meanwhile."""
    passed_on: list[CallResult] = []
    seen = threading.Event()

    def note(result: CallResult) -> None:
        passed_on.append(result)
        seen.set()

    def one(call: Call) -> CallResult:
        if call == COPIES[0]:
            assert seen.wait(30), "only passed on when all copies had ended"
            return None
        raise TransientError("lost")

    lanes = Lanes(threading.Event(), one, lambda _calls, _concurrency: [])
    results = lanes.send([COPIES[0], CopyCall("1", "to/1", ".trash", ended=note)], 2)
    assert results[0] is None
    assert passed_on == [results[1]]
    assert isinstance(results[1], TransientError)
