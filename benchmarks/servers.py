"""How rclone reaches the benchmarks' servers."""

from __future__ import annotations

from pathlib import Path

from tests.servers.remotes import ACCESS_KEY, SECRET_KEY

REMOTE = "bench"


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
