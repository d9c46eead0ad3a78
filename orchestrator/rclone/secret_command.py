"""Runs the program that prints a secret."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import AuthError
from orchestrator.rclone.supervisor import Supervised

LONGEST_S = 60
"""How long such a program may take: a hardware key may wait to be touched."""
_BY_HAND = (
    "it must print the secret without a question; unlock the password manager first, and run the command by hand to see why"
)


def printed_by(command: Sequence[str]) -> bytes:
    """What a program prints. It has no terminal, so it cannot ask. Raises AuthError; what it printed is in no message."""
    program = shutil.which(Path(command[0]).expanduser())
    if program is None:
        raise AuthError(f"{command[0]} is not an executable program")
    with Supervised((program, *command[1:]), os.environ, stdout=subprocess.PIPE) as running:
        try:
            output, _ = running.process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            raise AuthError(f"{command[0]} did not end within {LONGEST_S} s: {_BY_HAND}") from None
        code = running.wait()
    if code != 0:
        raise AuthError(f"{command[0]} failed with exit code {code}: {_BY_HAND}")
    return output
