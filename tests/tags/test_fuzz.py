"""Thousands of damaged files: each gives a reading quickly, and reads little of the file and uses little memory.

A nightly run reads 200,000 of them, including other projects' test files:

    pytest tests/tags/test_fuzz.py --hypothesis-profile=nightly --timeout=0
"""

from __future__ import annotations

import resource
from time import process_time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.track import Reading, Status
from tests.nightly import NIGHTLY
from tests.tags.mutations import mutated
from tests.tags.ranges import BITS_OF_REASON_FOR_PROGRAMMERS, read
from tests.virtual_file import VirtualFile

MIB = 1024 * 1024
EXAMPLES = 200_000 if NIGHTLY else 1_000
MOST_CPU_S = 1.0
MOST_MEMORY = 256 * MIB


def peak_memory() -> int:
    """The peak resident memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def timed(name: str, content: VirtualFile, policy: Policy) -> tuple[Reading, float]:
    """The reading, and the seconds of processor time that it took."""
    started = process_time()
    return read(name, content, policy), process_time() - started


@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**63))
def test_damage_gives_a_reading_quickly_and_cheaply(seed: int) -> None:
    name, content = mutated(seed, with_corpus=NIGHTLY)
    for policy in (FEW_BYTES,) if seed % 4 else (FEW_REQUESTS,):
        before = peak_memory()
        reading, spent = timed(name, content, policy)
        if spent > MOST_CPU_S:  # Python's garbage collection of 200,000 examples takes a second, at any moment
            reading, spent = timed(name, content, policy)
        assert spent <= MOST_CPU_S, (name, spent)
        assert peak_memory() - before <= MOST_MEMORY, name
        assert reading.bytes_read <= 2 * MIB, name
        assert reading.requests <= policy.requests, name
        if reading.status is Status.UNREADABLE:
            assert reading.track is None
            assert reading.reason, name
            assert not any(bit in reading.reason for bit in BITS_OF_REASON_FOR_PROGRAMMERS), (name, reading.reason)
        else:
            assert reading.track is not None
