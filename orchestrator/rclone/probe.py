"""Finds out why a file cannot be read: `--rc-serve` and the VFS say "Not Found" or nothing, whatever the remote said."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping

from orchestrator.errors import NotFoundError, OrchestratorError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.classify import classify
from orchestrator.rclone.daemon import COMMON_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.supervisor import Supervised

_REMOTE = "MOREAD"
_TAIL = 64 * 1024


def why_unread(binary: Binary, environment: Mapping[str, str], fs: str, path: str) -> OrchestratorError | None:
    """What rclone says when it reads the first byte of a file that is not empty; None when it can.

    A process of its own: 75 ms and a request or two.
    """
    with tempfile.NamedTemporaryFile() as names, tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        names.write(path.encode() + b"\n")  # rclone shows control characters in names as others
        names.flush()
        variables = {
            **environment,
            **remote_variables(_REMOTE, {"type": "alias", "remote": fs}),
            "RCLONE_FILES_FROM_RAW": names.name,
        }
        command = (str(binary.path), "cat", "--count=1", "--no-traverse", *COMMON_FLAGS, f"{_REMOTE}:")
        with Supervised(command, variables, stdout=given, stderr=said) as reader:
            code = reader.wait()
        said.seek(max(0, said.seek(0, 2) - _TAIL))
        lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if "ERROR" in line or "CRITICAL" in line]
        byte = given.seek(0, 2)
    if code == 0 and not lines:  # it says nothing of a file that is not there
        return None if byte else NotFoundError(f"{path}: not found", path=path)
    reason = lines[0].partition(": ")[2] if lines else f"rclone ended with {code}"
    return classify(reason.removeprefix(f"{path}: "), path=path, names=(path, fs))
