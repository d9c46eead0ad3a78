"""Every command line of the document that this project started from, spelled as there, with what its author expected of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.audio import make_many
from tests.program import Ended, Program
from tests.servers.remotes import ACCESS_KEY, SECRET_KEY, RemoteServer

BUCKETS = ("my-bucket", "bucket", "source", "target", "my-music-library")


class World:
    """The machine and the buckets that the commands speak of."""

    def __init__(self, tmp_path: Path, server: RemoteServer) -> None:
        self.root = tmp_path
        endpoint = f"http://127.0.0.1:{server.port}"
        exported = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "us-east-1"}
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
        )
        (tmp_path / "rclone.conf").touch()
        environment = {
            **exported,
            "AWS_ENDPOINT_URL": endpoint,
            "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
            "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        }
        self.program = Program(tmp_path / "state", environment)

    def run(self, line: str, *more: str) -> Ended:
        """Run a line of the document; paths of its machine are below our root."""
        words = [f"{self.root}{word}" if word.startswith("/") else word for word in shlex.split(line)]
        return self.program(*words, *more)

    def songs_at(self, directory: str) -> Path:
        """A folder with two songs."""
        make_many(self.root / directory, 2)
        return self.root / directory

    def songs_in(self, bucket: str) -> None:
        """Two songs in the folder `music` of a bucket."""
        folder = self.songs_at(f"of-{bucket}")
        for file in folder.rglob("*.*"):
            self.client.put_object(Bucket=bucket, Key=f"music/{file.relative_to(folder)}", Body=file.read_bytes())

    def keys(self, bucket: str) -> list[str]:
        """Its objects."""
        return [row["Key"] for row in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.fixture
def world(tmp_path: Path, s3_moto: RemoteServer) -> Iterator[World]:
    there = World(tmp_path, s3_moto)
    for bucket in BUCKETS:
        there.client.create_bucket(Bucket=bucket)
    yield there
    for bucket in BUCKETS:
        for key in there.keys(bucket):
            there.client.delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize(
    ("line", "local", "bucket"),
    [
        ("sync /local/music --to-cloud s3://my-bucket/music", "local/music", "my-bucket"),
        ("sync /local/music s3://my-bucket/music --bidirectional", "local/music", "my-bucket"),
        ("sync /local/music s3://bucket/music --bandwidth 10M", "local/music", "bucket"),
        ("sync /music s3://bucket/music", "music", "bucket"),
    ],
)
def test_sync_local_library_to_cloud(world: World, line: str, local: str, bucket: str) -> None:
    folder = world.songs_at(local)
    names = {f"music/{file.relative_to(folder)}" for file in folder.rglob("*") if file.is_file()}
    world.run(line, "--yes")
    assert {key for key in world.keys(bucket) if "/.music-orchestrator/" not in key} == names
    assert len(names) == 2


def test_sync_from_cloud_to_local(world: World) -> None:
    world.songs_in("my-bucket")
    (world.root / "local" / "music").mkdir(parents=True)
    world.run("sync s3://my-bucket/music --to-local /local/music", "--yes")
    assert len([*(world.root / "local" / "music").rglob("*track*")]) == 2


def test_organize_directly_in_cloud_without_a_local_download(world: World) -> None:
    world.songs_in("source")
    ended = world.run("organize s3://source/music s3://target/music --cloud-only", "--yes")
    assert ended.summary["ops_done"] == 2
    assert len([key for key in world.keys("target") if "/.music-orchestrator/" not in key]) == 2


def test_preview_sync_changes(world: World) -> None:
    world.songs_at("local/music")
    ended = world.run("sync /local/music s3://bucket/music --dry-run")
    assert ended.summary["ops_planned"] == 2
    assert world.keys("bucket") == []


def test_set_cloud_settings_and_use_them(world: World) -> None:
    for line in ("config set cloud.provider s3", "config set cloud.bucket my-music-library", "config set cloud.region us-east-1"):
        world.run(line)
    world.songs_in("my-music-library")
    assert world.run("scan cloud:music").summary["files_seen"] == 2


FILE = """\
{
    "provider": "s3",
    "bucket_name": "my-music-library",
    "region": "us-east-1",
    "credentials_env": "AWS_CREDENTIALS",
    "remote_path": "/music",
    "chunk_size": 8388608,
    "max_concurrent_uploads": 4,
    "retry_attempts": 3
}
"""
"""config/cloud/s3.json of the document."""

MODEL = {
    "retry_delay": 1.0,
    "sync_mode": "upload",
    "delete_after_sync": True,
    "bandwidth_limit": 104857600,
}
"""The keys of its model that this file does not have; `credentials_path` excludes `credentials_env`."""


def test_its_file_is_used_as_it_stands(world: World) -> None:
    folder = world.songs_at("library")
    (world.root / "s3.json").write_text(FILE)
    world.program.environment |= {"AWS_CREDENTIALS": f"{ACCESS_KEY}:{SECRET_KEY}", "AWS_ACCESS_KEY_ID": "of another account"}
    songs = {f"music/{file.relative_to(folder)}" for file in folder.rglob("*") if file.is_file()}
    world.run("sync /library cloud: --config /s3.json", "--yes")
    assert {key for key in world.keys("my-music-library") if "/.music-orchestrator/" not in key} == songs


@pytest.mark.parametrize("credentials", ["credentials_env", "credentials_path"])
def test_every_key_of_its_model_works_with_all_the_others(world: World, credentials: str) -> None:
    """An upload that deletes its source: the songs are in the bucket, and no longer here."""
    folder = world.songs_at("library")
    document = json.loads(FILE) | MODEL
    del document["credentials_env"]
    (world.root / "keys").write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    document[credentials] = str(world.root / "keys") if credentials == "credentials_path" else "AWS_CREDENTIALS"
    (world.root / "s3.json").write_text(json.dumps({"cloud_storage": document}))
    world.program.environment |= {"AWS_CREDENTIALS": f"{ACCESS_KEY}:{SECRET_KEY}", "AWS_ACCESS_KEY_ID": "of another account"}
    world.run("config validate /s3.json")
    world.run("sync /library cloud: --config /s3.json", "--yes")
    assert len([key for key in world.keys("my-music-library") if key.startswith("music/") and "track" in key]) == 2
    assert not [file for file in folder.rglob("*track*") if file.is_file()]


def test_its_credentials_in_a_file_are_refused_with_the_way_that_it_recommends(world: World) -> None:
    (world.root / "s3.json").write_text(json.dumps({"provider": "s3", "credentials": {"access_key": "...", "secret_key": "..."}}))
    ended = world.program("scan", "cloud:", "--config", f"{world.root}/s3.json", codes=(2,))
    assert "name it with `credentials_env: AWS_CREDENTIALS`" in ended.errors[0]["message"]
