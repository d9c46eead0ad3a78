"""What every benchmark needs: a working directory, time and memory of process trees, and one way to print."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.02


@dataclass
class Usage:
    """The time and memory that a command took, and its result."""

    wall_s: float
    peak_tree_mb: float
    """Peak resident memory of the process and its descendants together."""
    peak_root_mb: float
    """Peak resident memory of the process alone."""
    output: str
    exit_code: int


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
                found.setdefault(parent, []).append(int(process.name))
    return found


def _resident_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


class _Watcher(threading.Thread):
    """Samples the memory of a process tree until `done` is set."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.peak_tree_mb = self.peak_root_mb = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(_SAMPLE_S):
            children, pids, waiting = _children(), [], [self.root]
            while waiting:
                pid = waiting.pop()
                pids.append(pid)
                waiting += children.get(pid, ())
            sizes = [_resident_mb(pid) for pid in pids]
            self.peak_root_mb = max(self.peak_root_mb, sizes[0])
            self.peak_tree_mb = max(self.peak_tree_mb, sum(sizes))


def run(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, watch: bool = True) -> Usage:
    """Run a command to its end. `watch` samples memory, which costs a little time."""
    words = [str(word) for word in command]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        watcher = _Watcher(process.pid)
        if watch:
            watcher.start()
        code = process.wait()
        wall = time.perf_counter() - started
        watcher.done.set()
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Usage(wall, watcher.peak_tree_mb, watcher.peak_root_mb, text, code)


def must_run(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, watch: bool = True) -> Usage:
    """Like `run`, but end the benchmark if the command fails."""
    usage = run(command, environment=environment, watch=watch)
    if usage.exit_code != 0:
        raise SystemExit(f"{command} ended with {usage.exit_code}:\n{usage.output[-3000:]}")
    return usage


def cpu_s(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A directory that is removed afterwards, in BENCHMARK_DIR (default: the temporary directory)."""
    directory = Path(tempfile.mkdtemp(prefix="benchmark-", dir=os.environ.get("BENCHMARK_DIR")))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def say(text: str = "") -> None:
    """Print one line immediately."""
    print(text, flush=True)


def verdict(claim: str, measured: float, wanted: float, *, at_least: bool, unit: str = "") -> bool:
    """Print whether a claim holds."""
    holds = measured >= wanted if at_least else measured <= wanted
    sign = ">=" if at_least else "<="
    say(f"{'holds ' if holds else 'MISSED'}  {claim}: {measured:.2f}{unit} (wanted {sign} {wanted:g}{unit})")
    return holds


def machine() -> str:
    """A description of this machine, for the top of the output."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, Python {sys.version.split()[0]}"


PROGRAM: tuple[str, ...] = (sys.executable, "-c", "import sys; from orchestrator.cli.main import main; sys.exit(main())")
"""The command line of the program; it need not be installed."""
