"""Runs one command that must not outlive the program that asked for it: `python -I -S _supervise.py FD COMMAND...`.

FD is the read end of a pipe whose write end only the asking program holds. When that closes - on purpose, or because the program
died - the command gets SIGTERM and, half a second later, SIGKILL. Should this process be killed instead, Linux kills the command
(PR_SET_PDEATHSIG, bound to the thread that forks: our only one). Ends with the command's own exit code.

Only the standard library, and little of it: this is a process for every listing.
"""

from __future__ import annotations

import os
import select
import signal
import sys

GRACE_S = 0.5
PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (Linux; elsewhere the pipe alone must do)."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 only the child pays for it

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def start(command: list[str], lifeline: int) -> int:
    """Start the command; its process id."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        die_with_parent(parent)
        os.close(lifeline)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606 no shell is the point
    except OSError as error:
        os.write(2, f"CRITICAL: cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def main(arguments: list[str]) -> int:
    """Start, watch, end."""
    lifeline, command = int(arguments[0]), arguments[1:]
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake)
    child = start(command, lifeline)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # the command alone holds its output, so that its end is the end of the stream
        os.dup2(nowhere, number)

    watched, timeout, ending = [lifeline, woken], None, False
    while True:
        ready, _, _ = select.select(watched, [], [], timeout)
        if woken in ready:
            os.read(woken, 64)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        if lifeline in ready:
            watched, timeout, ending = [woken], GRACE_S, True
            os.kill(child, signal.SIGTERM)
        elif ending and not ready:
            timeout = None
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
