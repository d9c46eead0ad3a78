"""The rclone config and mount for the servers of the benchmarks."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.rclone.binary import Binary
from tests.servers.remotes import ACCESS_KEY, BUCKET, SECRET_KEY

REMOTE = "bench"


def write_config(file: Path, port: int) -> None:
    """Write an rclone.conf with one remote, REMOTE."""
    options = {
        "type": "s3",
        "provider": "Rclone",
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
        "region": "us-east-1",
        "endpoint": f"http://127.0.0.1:{port}",
        "force_path_style": "true",
    }
    file.write_text(f"[{REMOTE}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()))


def can_mount() -> bool:
    """Whether this machine has what `rclone mount` needs."""
    return Path("/dev/fuse").exists() and shutil.which("fusermount3") is not None


@contextlib.contextmanager
def mount(binary: Binary, config: Path, point: Path, log: Path) -> Iterator[int]:
    """Run `rclone mount` with its defaults; gives its process id. Raises OSError if this machine cannot mount."""
    point.mkdir()
    process = subprocess.Popen(
        [
            *(binary.path, "--config", config, "mount", f"{REMOTE}:{BUCKET}", point),
            *("--read-only", "--log-file", log),
        ],
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not os.path.ismount(point):
            if process.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"cannot mount here: {log.read_text(errors='replace')[-500:] if log.exists() else 'no log'}")
            time.sleep(0.05)  # nothing reports that a mount is ready
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)
        point.rmdir()


def counts(port: int) -> dict[str, int]:
    """The requests to the file server so far, by kind."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/_counts")
        answer: dict[str, int] = json.loads(connection.getresponse().read())
    return answer
