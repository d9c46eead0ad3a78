"""The password of an encrypted rclone config, from the program that `RCLONE_PASSWORD_COMMAND` names.

rclone would run it in each of its processes, and wait for it as long as it takes. We run it once, and not longer than any other
program that prints a secret.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import AuthError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.secret_command import printed_by
from orchestrator.rclone.supervisor import Supervised

VARIABLE = "RCLONE_PASSWORD_COMMAND"
_ENCRYPTED = b"RCLONE_ENCRYPT_V"


def config_password(binary: Binary, environment: Mapping[str, str], config: Path | None) -> str | None:
    """The password; None if no program is named, or the config is not encrypted. Raises AuthError.

    `environment`: of rclone's processes; `config`: the file, if not the one that rclone finds.
    """
    command = environment.get(VARIABLE)
    if not command or not is_encrypted(config or config_file_of(binary, environment)):
        return None
    try:
        text = printed_by(next(csv.reader([command], delimiter=" ")))  # as rclone reads it
    except AuthError as error:
        raise AuthError(f"{VARIABLE}, for the password of the rclone config: {error.message}") from None
    return text.decode("utf-8", "surrogateescape").strip("\r\n") or None


def config_file_of(binary: Binary, environment: Mapping[str, str]) -> Path:
    """The config file that rclone finds; it need not exist."""
    with Supervised((str(binary.path), "config", "file"), environment, stdout=subprocess.PIPE) as asked:
        assert asked.process.stdout is not None  # noqa: S101 because we asked for a pipe
        return Path(asked.process.stdout.read().decode("utf-8", "surrogateescape").strip().rpartition("\n")[2])


def is_encrypted(file: Path) -> bool:
    """Whether a config file is encrypted: rclone looks for this line as well, below comments."""
    try:
        with file.open("rb") as lines:
            return any(line.startswith(_ENCRYPTED) for line in lines)
    except OSError:  # rclone reports it
        return False
