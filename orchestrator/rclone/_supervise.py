"""Runs one command that must not outlive the program that started it: `python -I -S _supervise.py FD COMMAND...`.

FD is the read end of a pipe; only that program holds the write end. When it closes - on purpose, or because the program died -
the command gets SIGTERM and, half a second later, SIGKILL. If this process is killed instead, Linux kills the command
(PR_SET_PDEATHSIG, bound to the thread that forks: our only one). Exits with the command's own exit code.

Imports little, and only from the standard library: every listing starts one of these processes.
"""

from __future__ import annotations

import os
import select
import sys

try:
    import _signal as signal  # type: ignore[import-not-found] # without the enums of `signal`, which took a third of the start
except ImportError:  # not in every Python
    import signal

GRACE_MS = 500
PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (on Linux; elsewhere only the pipe works)."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 because only the child needs it

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def start(command: list[str], lifeline: int) -> int:
    """Start the command and return its process id."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        die_with_parent(parent)
        os.close(lifeline)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606 because a shell is what we avoid
    except OSError as error:
        os.write(2, f"CRITICAL: cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def main(arguments: list[str]) -> int:
    """Start the command, watch it, and return its exit code."""
    lifeline, command = int(arguments[0]), arguments[1:]
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake)
    child = start(command, lifeline)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # only the command holds its output, so the stream ends when the command does
        os.dup2(nowhere, number)

    poll, timeout, ending = select.poll(), None, False  # `select` takes no descriptor above 1023
    for descriptor in (lifeline, woken):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in poll.poll(timeout)]
        if woken in ready:
            os.read(woken, 64)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        if lifeline in ready:
            poll.unregister(lifeline)
            timeout, ending = GRACE_MS, True
            os.kill(child, signal.SIGTERM)
        elif ending and not ready:
            timeout = None
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # there is nothing to flush or to clean up
