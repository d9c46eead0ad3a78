"""The S3 server of the benchmarks, and the distance to it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import serving
from tests.servers.remotes import ACCESS_KEY, BUCKET, SECRET_KEY

REMOTE = "bench"


@contextlib.contextmanager
def s3_server(rclone: Path, directory: Path) -> Iterator[tuple[int, Path, subprocess.Popen[bytes]]]:
    """`rclone serve s3` over a directory: its port, the bucket's directory, the process.

    It keeps the hashes (`hasher`), which it would else compute anew for every listing: S3 has them at hand. The directory must
    not change while it serves.
    """
    bucket = directory / "served" / BUCKET
    bucket.mkdir(parents=True, exist_ok=True)
    environment = {
        "RCLONE_CONFIG_SERVED_TYPE": "hasher",
        "RCLONE_CONFIG_SERVED_REMOTE": str(bucket.parent),
        "RCLONE_CONFIG_SERVED_HASHES": "md5",
        "RCLONE_CONFIG_SERVED_MAX_AGE": "off",
        "RCLONE_CACHE_DIR": str(directory / "server-cache"),
        "RCLONE_CONFIG": str(directory / "server.conf"),
    }

    def command(port: int) -> list[str]:
        return [
            *(str(rclone), "serve", "s3", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--addr", f"127.0.0.1:{port}"),
            *("--vfs-cache-mode", "off", "--dir-cache-time", "24h", "served:"),
        ]

    with serving(command, directory / "server.log", environment=environment) as (port, process):
        write_config(directory / "warm.conf", port)
        warm = [
            str(rclone),
            "--config",
            str(directory / "warm.conf"),
            "lsjson",
            "-R",
            "--hash",
            "--no-modtime",
            f"{REMOTE}:{BUCKET}",
        ]
        subprocess.run(warm, check=True, stdout=subprocess.DEVNULL)
        yield port, bucket, process


@contextlib.contextmanager
def distance(port: int, rtt_ms: float) -> Iterator[tuple[int, int]]:
    """A proxy that is `rtt_ms` away from whoever asks it: its port and its process id."""
    command = [sys.executable, "-m", "tests.servers.tcp", str(port), str(rtt_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()


def write_config(file: Path, port: int) -> None:
    """An rclone.conf with the one remote REMOTE."""
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
