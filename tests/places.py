"""Places that a library can lie in, looked at from the server's side, past the program under test and past rclone."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.servers.remotes import ACCESS_KEY, BUCKET, SECRET_KEY, RemoteServer

PLACES = ("local", "s3_serve", "s3_moto", "webdav", "sftp")


@dataclass
class Place:
    """One place: its location as typed, and its files as they really lie on the server."""

    location: str
    directory: Path | None
    """Where the server keeps the files; None: a bucket of moto's."""
    server: RemoteServer | None = None
    prefix: str = ""

    @classmethod
    def local(cls, directory: Path) -> Place:
        """A folder on the disk."""
        directory.mkdir(parents=True, exist_ok=True)
        return cls(str(directory), directory)

    @classmethod
    def of(cls, kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
        """An empty place on a kind of PLACES, named for the test that asks."""
        if kind == "local":
            return cls.local(tmp_path / name)
        server: RemoteServer = request.getfixturevalue(kind)
        path = f"{tmp_path.name}-{name}"
        directory = server.directory / path if server.directory is not None else None
        if directory is not None:
            directory.mkdir(parents=True)
        return cls(server.fs(path), directory, server, path)

    def fill(self, root: Path, paths: Iterable[str]) -> None:
        """Put the files below `root` there, times kept."""
        if self.directory is None:
            bucket = self._bucket()
            for path in paths:
                bucket.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{path}", Body=(root / path).read_bytes())
            return
        for path in paths:
            place = self.directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, place)

    def tree(self) -> dict[str, str]:
        """Path -> sha256 of every file there, ours under `.music-orchestrator` too."""
        if self.directory is None:
            return dict(self._bucket_tree())
        found = {}
        for folder, _, names in os.walk(self.directory):
            for name in names:
                path = Path(folder, name)
                found[path.relative_to(self.directory).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def _bucket(self) -> Any:
        assert self.server is not None
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.server.port}",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
        )

    def _bucket_tree(self) -> Iterable[tuple[str, str]]:
        bucket = self._bucket()
        for page in bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.prefix}/"):
            for item in page.get("Contents", ()):
                content = bucket.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
                yield item["Key"][len(self.prefix) + 1 :], hashlib.sha256(content).hexdigest()
