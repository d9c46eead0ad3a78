"""The real program, forked from a process that has already imported all of it, which can be killed at a write of its journal.

A start takes a tenth of the usual time, so that a test can afford hundreds of them: the imports are done, and the version of
rclone is known. Run as a module, this is the process to fork from: `python -m tests.forked` reads one JSON line for each program
to start.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import msgspec

from orchestrator.errors import UsageError
from tests.processes import rclones_below
from tests.program import Ended

ROOT = Path(__file__).parents[1]
VICTIMS = ("program", "rclone", "both", "nobody")
_LATE = ("jinja2.sandbox", "mutagen.flac", "mutagen.mp3", "platformdirs")
"""What `orchestrator` imports only when it needs it."""


class Death(msgspec.Struct, frozen=True):
    """SIGKILL around a write of the journal."""

    write: int
    """The number of the write, from 1."""
    committed: bool
    """Just after its commit; otherwise just before."""
    victims: str
    """One of VICTIMS."""


class Order(msgspec.Struct, frozen=True):
    """One program to start."""

    arguments: list[str]
    directory: str
    """Where it runs."""
    environment: dict[str, str]
    output: str
    """stdout and stderr go to this path with ".out" and ".err"; ".writes" gets a byte for each write of the journal."""
    death: Death | None = None
    syncs: str | None = None
    """A line for each fsync of the program is written to this path: the time (nanoseconds of CLOCK_MONOTONIC) and the file."""
    hasty: bool = True
    """Shorten the waits between two tries to a twentieth, that for an outage to a thirtieth, but not those after a rate limit."""
    restless: bool = False
    """Ask a silent server after a tenth of the usual time, and ten times as often."""


class Started:
    """A running program."""

    def __init__(self, forks: Forks, pid: int, output: Path) -> None:
        self.pid = pid
        self._forks = forks
        self._output = output

    def printed(self) -> tuple[int, str, str]:
        """Wait until it ends; returns its exit code, stdout and stderr."""
        code = self._forks.end()
        return code, self._output.with_suffix(".out").read_text(), self._output.with_suffix(".err").read_text()

    def end(self) -> Ended:
        """Wait until it ends."""
        code, out, err = self.printed()
        # A killed program may leave half a line.
        lines = out.splitlines() if code >= 0 else out[: out.rfind("\n") + 1].splitlines()
        return Ended(code, [json.loads(line) for line in lines], err)

    @property
    def writes(self) -> int:
        """How often it has written its journal."""
        return len(self._output.with_suffix(".writes").read_bytes())


class Forks:
    """The process to fork from. One program at a time; a context manager."""

    def __init__(self, directory: Path) -> None:
        """`directory`: for the output of the programs."""
        self._directory = directory
        self._count = 0
        self._running: int | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def start(
        self,
        *arguments: str,
        state: Path,
        environment: dict[str, str] | None = None,
        death: Death | None = None,
        syncs: Path | None = None,
        hasty: bool = True,
        restless: bool = False,
        options: tuple[str, ...] = ("--json", "--yes"),
    ) -> Started:
        """Start it, also with these options."""
        if self._running is not None:  # a test that failed has left it behind
            kill(self._running, "both")
            self.end()
        self._count += 1
        output = self._directory / f"program{self._count}"
        for end in (".out", ".err", ".writes"):
            output.with_suffix(end).touch()  # it may be killed before it opens them
        words = [*arguments, *options, "--state-dir", str(state)]
        everywhere = {**os.environ, **(environment or {})}
        order = Order(words, str(Path.cwd()), everywhere, str(output), death, str(syncs) if syncs else None, hasty, restless)
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        self._running = self._next_number()
        return Started(self, self._running, output)

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,), **settings: Any) -> Ended:
        """Run it to its end; its exit code must be one of `codes`."""
        ended = self.start(*arguments, **settings).end()
        if ended.code not in codes:
            raise AssertionError(f"{arguments}: exit code {ended.code}\n{ended.stderr}\n{ended.events[-5:]}")
        return ended

    def say(self, *arguments: str, state: Path) -> CompletedProcess[str]:
        """Run it as people do, to its end, but not at a terminal."""
        return CompletedProcess(arguments, *self.start(*arguments, state=state, options=()).printed())

    def end(self) -> int:
        """Wait until the program ends; returns its exit code, or -n if signal n has killed it."""
        code = self._next_number()
        self._running = None
        return code

    def _next_number(self) -> int:
        """The next number that the process prints: a process id, or the exit status of that process."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@cache
def shared() -> Forks:
    """The process from which all tests fork that need no other. It ends with this one."""
    home = tempfile.TemporaryDirectory(prefix="programs-")
    forks = Forks(Path(home.name))
    atexit.register(home.cleanup)
    atexit.register(forks.__exit__)
    return forks


def kill(pid: int, victims: str) -> None:
    """SIGKILL the program with that id, its rclone, both or neither; rclone first, so that the program cannot stop it cleanly."""
    doomed = [*(rclones_below(pid) if victims in {"rclone", "both"} else []), *([pid] if victims in {"program", "both"} else [])]
    for one in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


# From here on: the process to fork from, and the programs.


def serve() -> None:
    """Fork a program for each line; in the program, run its command line."""
    from orchestrator.cli import main  # noqa: PLC0415 - only needed in the process to fork from

    _load_all()
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        pid = os.fork()
        if not pid:
            _prepare(order)
            sys.argv[1:] = order.arguments
            _run_and_leave(main.main)
        _tell(pid)
        _tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _run_and_leave(program: Callable[[], None]) -> None:
    """Run the program and end as Python does, but do not take apart what was imported: that took longer than many a run."""
    try:
        program()
    except SystemExit as end:
        threading._shutdown()  # type: ignore[attr-defined] # as multiprocessing ends its forks
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


def _load_all() -> None:
    """Import what a run imports at some time, and fill the caches that each run fills with the same."""
    from orchestrator.config.environment import environment_names  # noqa: PLC0415 - as above
    from orchestrator.plan.layout.templates import compile_layout  # noqa: PLC0415
    from orchestrator.profiles import all_profiles  # noqa: PLC0415
    from orchestrator.rclone import binary  # noqa: PLC0415

    for module in pkgutil.walk_packages(sys.modules["orchestrator"].__path__, "orchestrator."):
        if not module.name.rpartition(".")[2].startswith("_"):
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)
    binary._version = cache(binary._version)
    with contextlib.suppress(UsageError):
        binary.find_rclone()
    environment_names()
    all_profiles()
    compile_layout(None, ())  # with the arguments that `organize` gives, or it is not found
    gc.collect()
    gc.freeze()  # or each program copies the memory when it collects garbage


def _tell(number: int) -> None:
    os.write(1, b"%d\n" % number)


def _prepare(order: Order) -> None:
    os.chdir(order.directory)
    os.environ.clear()
    os.environ.update(order.environment)
    for descriptor, end in ((0, None), (1, ".out"), (2, ".err")):
        file = os.devnull if end is None else order.output + end
        opened = os.open(file, os.O_RDONLY if end is None else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    _watch_the_journal(os.open(f"{order.output}.writes", os.O_WRONLY | os.O_CREAT, 0o600), order.death)
    if order.hasty:
        _hurry()
    if order.restless:
        _ask_soon()
    if order.syncs is not None:
        _watch_syncs(os.open(order.syncs, os.O_WRONLY | os.O_CREAT, 0o600))


def _hurry() -> None:
    from orchestrator.actions import execution, session  # noqa: PLC0415 - as above

    for waiting in (execution, session):  # each passes it on, so the defaults of what waits are not used
        vars(waiting)["FIRST_WAIT_S"] /= 20
    session.OUTAGE_S /= 30


def _ask_soon() -> None:
    from orchestrator.storage.wrappers import outage  # noqa: PLC0415 - as above

    for name in ("_SILENT_S", "_QUESTION_S", "_FIRST_PAUSE_S", "_LONGEST_PAUSE_S"):
        vars(outage)[name] /= 10


def _watch_syncs(log: int) -> None:
    sync = os.fsync

    def noted(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - it must accept bytes that are not UTF-8
        sync(descriptor)
        os.write(log, f"{time.monotonic_ns()} {path}\n".encode())

    os.fsync = noted


def _watch_the_journal(count: int, death: Death | None) -> None:
    from orchestrator.apply.journal import journal  # noqa: PLC0415 - as above

    def reached(write: int, *, committed: bool) -> None:
        if death is not None and (write, committed) == (death.write, death.committed):
            kill(os.getpid(), death.victims)

    class MortalJournal(journal.Journal):
        writes = 0

        @contextmanager
        def _transaction(self) -> Iterator[Any]:
            self.writes += 1
            os.write(count, b".")
            with super()._transaction() as database:
                yield database
                reached(self.writes, committed=False)
            reached(self.writes, committed=True)

    journal.Journal = MortalJournal  # type: ignore[misc]


if __name__ == "__main__":
    serve()
