"""A server as a child process: on a free port of 127.0.0.1, ready when it answers, stopped with the test process."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

_PR_SET_PDEATHSIG = 1
_STEP_S = 0.01


def system_program(name: str, *, package: str) -> str:
    """The path of a program that only a package of the system brings. Without it the test is skipped; in CI it fails."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    check_possible(found is not None, f"{name} is missing; install the package {package} to run this test")
    return str(found)


def packaged_program(package: str, name: str) -> str:
    """The path of a program that a Python package brings, by its pattern. Without it as `system_program`."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    found = next((path for folder in folders or () for path in Path(folder).rglob(name)), None)
    check_possible(found is not None, f"{name} is missing: no package {package} for this system")
    return str(found)


def npm_program(name: str, *, package: str) -> str:
    """The path of a program of npm, which `scripts/test` installs for the nightly run. Without it as `system_program`."""
    found = Path(sys.prefix, "node_modules", ".bin", name)
    check_possible(found.exists(), f"{name} is missing; install npm, or run `npm install --prefix {sys.prefix} {package}`")
    return str(found)


def check_possible(possible: bool, missing: str) -> None:
    """Skip a test that is not possible on this machine, and say what is missing. In CI it fails: there, all must run."""
    if not possible:
        explain = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        explain(f"left out: {missing}")


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def serving(
    command: Callable[[int], Sequence[str]], log: Path, *, environment: Mapping[str, str] | None = None, timeout_s: float = 60
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run `command(port)` during the block. Yields the port once the server listens, and the process.

    Its output goes to `log`. A process that ends at once (the port was taken in the meantime) is tried again on other ports.
    """
    for _ in range(3):
        port = free_port()
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*command(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one libc call; fixtures run before any thread is started
            )
        try:
            deadline = time.monotonic() + timeout_s
            while process.poll() is None and not _answers(port):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{process.args!r} does not listen on {port}: {log.read_text(errors='replace')[-2000:]}")
                time.sleep(_STEP_S)  # no event says that a server listens
            if process.poll() is None:
                yield port, process
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError(f"{process.args!r} ends at once: {log.read_text(errors='replace')[-2000:]}")
