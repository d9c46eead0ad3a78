"""Keys of a bucket that rclone lists and cannot reach, and remotes whose options make looks lie."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.faulty import Library
from tests.forked import Forks
from tests.places import Place, bucket
from tests.servers.remotes import BUCKET, RemoteServer

UNREACHABLE = {
    "/x.flac": "/x.flac",
    "./y.flac": "\uff0e/y.flac",
    "a/../y.flac": "a/\uff0e\uff0e/y.flac",
    "a//z.flac": "a//z.flac",
}
"""Key -> the path by which it is listed. A request for "/x.flac" reaches "x.flac"."""


def song(tmp_path: Path, name: str, title: str) -> bytes:
    tags = Track(title=(title,), artist=("Band",), album_artist=("Band",), album=("Album",), track=1, date="2001")
    return make_track(tmp_path / name, "flac", tags, seconds=0.2, serial=len(title))


@pytest.fixture
def odd(s3_moto: RemoteServer, forks: Forks, tmp_path: Path) -> tuple[Library, Any, dict[str, bytes]]:
    """A library with such keys on a remote with `no_head_object`, a client of its server, and key -> content."""
    config = tmp_path / "rclone.conf"
    config.write_text(s3_moto.section("remote").rstrip() + "\nno_head_object = true\n")
    config.chmod(0o600)
    keys = {"x.flac": song(tmp_path, "good.flac", "Good")}
    keys |= {key: song(tmp_path, f"{number}.flac", f"Odd {number}") for number, key in enumerate(UNREACHABLE)}
    keys["folder/"] = b"what a tool left for a folder"
    client = bucket(s3_moto)
    for key, content in keys.items():
        client.put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/{key}", Body=content)
    place = Place(s3_moto.fs(tmp_path.name, name="remote"), None, s3_moto, tmp_path.name)
    return Library(place, forks, tmp_path, {"RCLONE_CONFIG": str(config)}), client, keys


@pytest.mark.parametrize("command", [("scan",), ("organize", "--copy"), ("dedup", "--dedup", "quarantine")])
def test_keys_that_cannot_be_reached_are_named_once_and_left_alone(
    odd: tuple[Library, Any, dict[str, bytes]], command: tuple[str, ...], tmp_path: Path
) -> None:
    music, _, keys = odd
    before = music.place.tree()
    target = [str(tmp_path / "target")] if "organize" in command else []
    ended = music(*command, music.place.location, *target, codes=(3,))
    assert sorted(error["path"] for error in ended.errors) == sorted([*UNREACHABLE.values(), "folder/"])
    assert {error["code"] for error in ended.errors} == {"unsupported-name"}
    assert ended.summary["files_seen"] == ended.summary["files_read"] == 1
    assert music.place.tree() == before
    if target:
        (copied,) = (path for path in Path(target[0]).rglob("*.flac"))
        assert copied.read_bytes() == keys["x.flac"], "of its own size, which a look on such a remote gives as 0"
        assert hashlib.sha256(keys["x.flac"]).hexdigest() in before.values()
