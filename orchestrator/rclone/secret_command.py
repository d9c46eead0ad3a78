"""Runs the program that prints a secret."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence

from orchestrator.config.references import LONGEST
from orchestrator.errors import AuthError
from orchestrator.rclone.supervisor import Supervised

LONGEST_S = 60
"""How long such a program may take: a hardware key may wait to be touched."""
_LOOK_S = 0.1
_BY_HAND = (
    "it must print the secret without a question; unlock the password manager first, and run the command by hand to see why"
)


def printed_by(command: Sequence[str]) -> bytes:
    """What a program prints, up to what no secret is as long as. It has no terminal, so it cannot ask.

    Raises AuthError; what it printed is in no message.
    """
    program = shutil.which(os.path.expanduser(command[0]))  # noqa: PTH111 - leaves an unknown ~NAME as it is
    if program is None:
        raise AuthError(f"{command[0]} is not an executable program")
    with Supervised((program, *command[1:]), os.environ, stdout=subprocess.PIPE) as running:
        output = _read(running)
        if output is None or len(output) > LONGEST:
            with contextlib.suppress(ProcessLookupError):  # all of it has ended
                os.killpg(running.process.pid, signal.SIGKILL)  # with what it has started
        else:
            code = running.wait()
    if output is None:
        raise AuthError(f"{command[0]} did not end within {LONGEST_S} s: {_BY_HAND}")
    if len(output) <= LONGEST and code != 0:
        raise AuthError(f"{command[0]} failed with exit code {code}: {_BY_HAND}")
    return output


def _read(running: Supervised) -> bytes | None:
    """What a program prints until it ends, or until it is too much; None if it takes too long.

    What it leaves running in the background may hold its output open: nothing is waited for after its end.
    """
    stream = running.process.stdout
    assert stream is not None  # noqa: S101 - it is a pipe
    os.set_blocking(stream.fileno(), False)
    more = select.poll()  # `select` takes no descriptor above 1023
    more.register(stream, select.POLLIN)
    last = time.monotonic() + LONGEST_S
    output = b""
    while len(output) <= LONGEST:
        ended = not running.running  # looked at first: then all that it has printed can be read
        chunk = stream.read(LONGEST + 1)
        left = last - time.monotonic()
        if chunk:
            output += chunk
        elif ended:
            break
        elif left <= 0:
            return None
        elif chunk is None:
            more.poll(min(left, _LOOK_S) * 1000)
        else:  # it has closed its output
            running.ends_within(left)
    return output
