"""On S3, objects that other tools uploaded in parts have no md5: a listing must not make one request for each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.places import upload_in_parts
from tests.servers.http import HttpProxy, http_proxy
from tests.servers.remotes import ACCESS_KEY, BUCKET, SECRET_KEY, RemoteServer

REMOTE = "s3parts"


@pytest.fixture(scope="module")
def bucket(s3_moto: RemoteServer, rclone_config: Path) -> Iterator[tuple[Any, HttpProxy]]:
    """The bucket without rclone in between, and a counting proxy in front of it."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3_moto.port}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
    )
    with http_proxy(s3_moto.port) as proxy:
        with rclone_config.open("a") as file:
            file.write(s3_moto.section(REMOTE, port=proxy.port))
        yield client, proxy


@pytest.mark.parametrize(("in_parts", "hashes"), [(20, False), (5, True)])
def test_the_listing_stays_cheap(bucket: tuple[Any, HttpProxy], rclone: Rclone, in_parts: int, hashes: bool) -> None:
    client, proxy = bucket
    prefix = f"parts{in_parts}"
    for index in range(in_parts):
        upload_in_parts(client, f"{prefix}/a{index:03}.flac", b"sound %d" % index)
    for index in range(20):
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/b{index:03}.mp3", Body=b"sound %d" % index)
    storage = RcloneStorage(rclone, f"{REMOTE}:{BUCKET}/{prefix}")
    assert storage.capabilities.mtime
    proxy.reset()
    listed = {entry.path: entry for entry in storage.list()}
    assert len(listed) == in_parts + 20
    assert proxy.counts["HEAD"] <= 32
    assert all(entry.mtime_ns for entry in listed.values()), "the time of upload costs nothing"
    single = listed["b000.mp3"]
    assert single.hashes == ({"md5": hashlib.md5(b"sound 0").hexdigest()} if hashes else {})  # noqa: S324
    seen = storage.stat("a000.flac")
    assert seen is not None
    assert seen.mtime_ns == listed["a000.flac"].mtime_ns, "a look and the listing give the same time"
