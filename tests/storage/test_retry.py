"""Retries: what is retried, what never is, and the waits."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from orchestrator.errors import AuthError, NotFoundError, OrchestratorError, RateLimitError, TransientError
from orchestrator.retry_times import RATE_LIMIT_GROWTH, RATE_LIMIT_WAIT_S
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import MoveCall, StatCall, Storage
from orchestrator.storage.wrappers.retry import RetryingStorage

READS: dict[str, Callable[[Storage], object]] = {
    "list": lambda storage: [entry.path for entry in storage.list()],
    "stat": lambda storage: storage.stat("a.mp3"),
    "exists": lambda storage: storage.exists("a.mp3"),
    "size": lambda storage: storage.size("a.mp3"),
    "mtime": lambda storage: storage.mtime("a.mp3"),
    "hash": lambda storage: storage.hash("a.mp3", "md5", download=True),
    "read": lambda storage: b"".join(storage.read("a.mp3")),
    "read_range": lambda storage: storage.read_range("a.mp3", 1, 2),
    "entries": lambda storage: storage.entries(""),
    "quota": lambda storage: storage.quota(),
}
CHANGES: dict[str, Callable[[Storage], object]] = {
    "write": lambda storage: storage.write("b.mp3", b"b"),
    "copy": lambda storage: storage.copy("a.mp3", "b.mp3"),
    "move": lambda storage: storage.move("a.mp3", "b.mp3"),
    "delete": lambda storage: storage.delete("a.mp3"),
    "make_directory": lambda storage: storage.make_directory("dir"),
    "remove_directory": lambda storage: storage.remove_directory("dir"),
    "move_directory": lambda storage: storage.move_directory("folder", "dir"),
}


@pytest.fixture
def memory() -> MemoryStorage:
    storage = MemoryStorage()
    storage.put("a.mp3", b"abcdef")
    storage.put("folder/c.mp3", b"c")
    return storage


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def storage(memory: MemoryStorage, waits: list[float]) -> RetryingStorage:
    return RetryingStorage(memory, attempts=4, first_wait_s=1, longest_wait_s=3, sleep=waits.append, random=Random(1))


@pytest.mark.parametrize("name", READS)
def test_a_read_that_fails_temporarily_is_tried_again(
    memory: MemoryStorage, storage: RetryingStorage, waits: list[float], name: str
) -> None:
    expected = READS[name](memory)
    memory.fail(memory.calls_made + 1, TransientError("connection reset"))
    memory.fail(memory.calls_made + 2, TransientError("connection reset"))

    assert READS[name](storage) == expected
    assert len(waits) == 2


@pytest.mark.parametrize("name", READS)
def test_a_read_is_given_up_after_a_number_of_tries(
    memory: MemoryStorage, storage: RetryingStorage, waits: list[float], name: str
) -> None:
    errors = [TransientError(f"connection reset {number}") for number in range(20)]
    for number, error in enumerate(errors):
        memory.fail(number + 1, error)

    with pytest.raises(TransientError, match="reset 3"):
        READS[name](storage)
    assert len(waits) == 3


def test_the_first_try_counts_even_if_the_server_has_answered_before(
    memory: MemoryStorage, storage: RetryingStorage, waits: list[float]
) -> None:
    assert storage.stat("a.mp3") is not None
    for number in range(20):
        memory.fail(memory.calls_made + number + 1, TransientError(f"connection reset {number}"))
    with pytest.raises(TransientError, match="reset 3"):
        storage.stat("a.mp3")
    assert len(waits) == 3


def test_a_server_that_never_answered_is_given_up_soon_and_one_that_did_is_not(memory: MemoryStorage, waits: list[float]) -> None:
    storage = RetryingStorage(memory, attempts=4, first_contact_s=0.0, sleep=waits.append)
    memory.fail(1, TransientError("connection refused"))
    with pytest.raises(TransientError):
        storage.stat("a.mp3")
    assert waits == []
    memory.fail(memory.calls_made + 1, RateLimitError("429"))
    assert storage.stat("a.mp3") is not None, "who asks for patience is there"
    assert len(waits) == 1
    memory.fail(memory.calls_made + 1, TransientError("connection reset"))
    assert storage.stat("a.mp3") is not None
    assert len(waits) == 2


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_never_tried_again(memory: MemoryStorage, storage: RetryingStorage, waits: list[float], name: str) -> None:
    memory.fail(1, TransientError("connection reset"), counting="changes")
    with pytest.raises(TransientError):
        CHANGES[name](storage)
    assert memory.changes_made == 1
    assert waits == []


@pytest.mark.parametrize("error", [NotFoundError("gone"), AuthError("refused")])
def test_permanent_errors_are_not_tried_again(
    memory: MemoryStorage, storage: RetryingStorage, waits: list[float], error: OrchestratorError
) -> None:
    memory.fail(1, error)
    with pytest.raises(type(error)):
        storage.stat("a.mp3")
    assert waits == []


def test_waits_grow_up_to_a_limit_and_vary(memory: MemoryStorage, waits: list[float]) -> None:
    storage = RetryingStorage(memory, attempts=7, first_wait_s=1, longest_wait_s=5, sleep=waits.append, random=Random(1))
    for number in range(1, 7):
        memory.fail(number, TransientError("503"))

    storage.stat("a.mp3")

    for wait, longest in zip(waits, (1, 2, 4, 5, 5, 5), strict=True):
        assert longest / 2 <= wait <= longest
    assert len(set(waits)) == len(waits)


def test_a_stated_delay_is_respected_and_said(memory: MemoryStorage, waits: list[float]) -> None:
    said: list[tuple[str, float]] = []

    def hear(reason: str, seconds: float) -> None:
        said.append((reason, seconds))

    storage = RetryingStorage(memory, first_wait_s=1, longest_wait_s=3, sleep=waits.append, on_wait=hear)
    memory.fail(1, RateLimitError("429", retry_after=17))
    memory.fail(2, RateLimitError("429"))
    storage.stat("a.mp3")
    assert said == [(f"{memory.fs}: 429", wait) for wait in waits]
    assert 17 < waits[0] < 19
    assert waits[1] <= 3


@pytest.mark.parametrize("name", ["list", "read"])
def test_a_broken_stream_is_not_restarted(memory: MemoryStorage, storage: RetryingStorage, waits: list[float], name: str) -> None:
    memory.put("b.mp3", b"b")
    memory.fail(1, TransientError("connection reset"), when="between")
    with pytest.raises(TransientError):
        READS[name](storage)
    assert waits == []


def test_a_batch_is_sent_once(memory: MemoryStorage, storage: RetryingStorage, waits: list[float]) -> None:
    """The caller of a batch looks at its results, and retries by itself."""
    memory.fail(1, TransientError("503"))
    stat, other = storage.batch([StatCall("a.mp3"), StatCall("b.mp3")], concurrency=1)
    assert isinstance(stat, TransientError)
    assert other is None
    memory.fail(memory.calls_made + 1, TransientError("the daemon died"), whole_batch=True)
    with pytest.raises(TransientError, match="daemon"):
        storage.batch([MoveCall("a.mp3", "b.mp3", "trash"), StatCall("a.mp3")])
    assert memory.call_counts == {"stat": 2, "move": 1}
    assert waits == []


def test_without_a_stated_delay_the_wait_is_some_seconds(memory: MemoryStorage, waits: list[float]) -> None:
    storage = RetryingStorage(memory, sleep=waits.append, random=Random(1))
    memory.fail(1, RateLimitError("503 SlowDown"))
    memory.fail(2, RateLimitError("503 SlowDown"))
    storage.stat("a.mp3")
    for wait, longest in zip(waits, (RATE_LIMIT_WAIT_S, RATE_LIMIT_GROWTH * RATE_LIMIT_WAIT_S), strict=True):
        assert longest / 2 <= wait <= longest


def test_a_remote_that_asks_for_a_day_is_not_waited_for(
    memory: MemoryStorage, storage: RetryingStorage, waits: list[float]
) -> None:
    memory.fail(1, RateLimitError("429", retry_after=86_400))
    with pytest.raises(RateLimitError):
        storage.stat("a.mp3")
    assert waits == []
