"""When not to look for garbage, and how rarely otherwise."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 20_000
"""So many new objects (by default 700) before the newest are looked at: imports and listings make many, and no garbage."""


def collect_garbage_seldom() -> None:
    """For the whole program; otherwise a short command spends a twentieth of its time on it."""
    gc.set_threshold(SELDOM)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Around what makes many small objects and no garbage: looking for it would take up to a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
