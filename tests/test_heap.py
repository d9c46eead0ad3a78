"""Many threads share one heap of the C library."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, threading
from orchestrator.heap import share_one_heap
{call}
ready, ended = threading.Barrier(9), threading.Event()
def work():
    memory = bytearray(50_000)
    ready.wait()
    ended.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
ready.wait()
ctypes.CDLL(None).malloc_stats()
ended.set()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has several heaps")
@pytest.mark.parametrize(("call", "several"), [("", True), ("share_one_heap()", False)], ids=["default", "shared"])
def test_threads_share_one_heap(call: str, several: bool) -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, text=True, check=True)
    assert "Arena 0:" in ended.stderr
    assert ("Arena 1:" in ended.stderr) is several
