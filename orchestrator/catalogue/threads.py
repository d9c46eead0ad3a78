"""The same work for many files, in threads that an interrupt need not wait for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from time import monotonic
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_JOIN_S = 2.0
"""How long an abandoned work may take to end by itself; a server that does not answer is not waited for."""


def in_threads(
    items: Sequence[ItemT], work: Callable[[ItemT], ResultT], count: int
) -> Generator[tuple[ItemT, ResultT], None, None]:
    """Do it in `count` threads; each item with its result, as they come. Close the generator to abandon what is left.

    The first error of `work` is raised.
    """
    # Daemon threads, and not a pool, which the program would wait for at its end.
    waiting: queue.SimpleQueue[ItemT] = queue.SimpleQueue()
    results: queue.SimpleQueue[tuple[ItemT, ResultT] | BaseException] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    abandoned = threading.Event()
    settings = (waiting, work, results, abandoned)
    threads = [threading.Thread(target=_go_on, args=settings, name="work", daemon=True) for _ in range(min(count, len(items)))]
    for thread in threads:
        thread.start()
    try:
        for _ in items:
            found = results.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        abandoned.set()
        deadline = monotonic() + _JOIN_S
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))


def _go_on(
    waiting: queue.SimpleQueue[ItemT],
    work: Callable[[ItemT], ResultT],
    results: queue.SimpleQueue[tuple[ItemT, ResultT] | BaseException],
    abandoned: threading.Event,
) -> None:
    while not abandoned.is_set():
        try:
            item = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            results.put((item, work(item)))
        except BaseException as error:  # the thread that iterates raises it
            results.put(error)
