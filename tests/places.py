"""Locations of a library, inspected on the server's side, without the program under test and without rclone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from orchestrator.rclone.binary import find_rclone
from tests.library import LibraryFacts
from tests.servers import remotes
from tests.servers.content import Content
from tests.servers.remotes import ACCESS_KEY, BUCKET, PASSWORD, SECRET_KEY, DriveRemote, DropboxRemote, RemoteServer

OWN = ".music-orchestrator/"
_NO_FOLDER = 3
"""rclone's exit code where there is no such folder; stores of objects have none without files."""


@dataclass
class Place:
    """One location: what the user types, and the files that are really on the server."""

    location: str
    directory: Path | None
    """Where the server keeps the files; None for those in memory: a bucket of moto, our Drive or our Dropbox."""
    server: RemoteServer | None = None
    prefix: str = ""

    def fill(self, library: LibraryFacts) -> None:
        """Copy a library there, with its times. A server that caches directories must not have listed it yet."""
        if isinstance(self.server, DriveRemote | DropboxRemote):
            self.server.tree.preload(library.root, self.prefix, files=library.files)
            return
        for path in library.files:
            source = library.root / path
            if self.directory is None:
                self.put(path, source.read_bytes())
            else:
                target = self.directory / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def put(self, path: str, content: bytes) -> None:
        """Write one file there."""
        if isinstance(self.server, DriveRemote | DropboxRemote):
            self.server.tree.put(f"{self.prefix}/{path}", content)
        elif self.directory is None:
            self.bucket.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{path}", Body=content)
        else:
            target = self.directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def remove(self, path: str) -> None:
        """Delete one file there: on a disk, behind a server of this machine, or in a bucket."""
        assert not isinstance(self.server, DriveRemote | DropboxRemote)
        if self.directory is None:
            self.bucket.delete_object(Bucket=BUCKET, Key=f"{self.prefix}/{path}")
        else:
            (self.directory / path).unlink()

    def edit(self, path: str, content: bytes) -> None:
        """Write another content into a file, which keeps its id."""
        if isinstance(self.server, DriveRemote):
            tree = self.server.tree
            tree.update(tree.at(f"{self.prefix}/{path}").id, {}, content=Content(content))
        else:
            self.put(path, content)

    def tree(self) -> dict[str, str]:
        """Path -> sha256 of every file there, `.music-orchestrator` included. The second file of one name is called `path#2`."""
        if isinstance(self.server, DriveRemote):
            there = self.server.tree.tree(self.prefix).items()
            return {f"{path}#{number}" if number > 1 else path: one for path, all_ in there for number, one in enumerate(all_, 1)}
        if isinstance(self.server, DropboxRemote):
            return self.server.tree.tree(self.prefix)
        if self.directory is None:
            return dict(self._bucket_tree())
        found = {}
        for folder, _, names in os.walk(self.directory):
            for name in names:
                path = Path(folder, name)
                found[path.relative_to(self.directory).as_posix()] = digest(path.read_bytes())
        return found

    @cached_property
    def bucket(self) -> Any:
        """The S3 client of its server."""
        assert self.server is not None
        return bucket(self.server)

    def _bucket_tree(self) -> Iterable[tuple[str, str]]:
        for page in self.bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.prefix}/"):
            for item in page.get("Contents", ()):
                content = self.bucket.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
                yield item["Key"][len(self.prefix) + 1 :], digest(content)


def bucket(server: RemoteServer) -> Any:
    """An S3 client for a server, without rclone."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
    )


def place_on(server: RemoteServer, name: str, *, remote: str = "remote") -> Place:
    """A new folder on a running server, whose remote is called `remote`; tests see it without a proxy that may be before it."""
    location = server.fs(name, name=remote)
    place = Place(location, server.directory and server.directory / name, server, name)
    if isinstance(server, DriveRemote | DropboxRemote):
        server.tree.folder(name)
    elif place.directory is not None:
        place.directory.mkdir(parents=True)
    elif server.type != "s3":
        place = PlaceThroughRclone(location, None, server, name, seen=server.fs(name))
        if server.type not in {"google cloud storage", "azureblob"}:
            place.rclone("mkdir", place.seen)
    return place


def digest(content: bytes) -> str:
    """Identifies a content."""
    return hashlib.sha256(content).hexdigest()


def visible(tree: dict[str, str]) -> dict[str, str]:
    """A tree without our own files."""
    return {path: content for path, content in tree.items() if not path.startswith(OWN)}


@contextlib.contextmanager
def places(
    kind: str, home: Path, rclone: Path, config: Path, contents: Mapping[str, LibraryFacts | None]
) -> Iterator[dict[str, Place]]:
    """A server with a location for each name, filled before its first listing (None: empty).

    The server's remote, named after its kind and `home`, is added to the rclone `config`.
    """
    if kind == "crypt":
        remote, vault = f"crypt-{home.name}", home / "vault"
        vault.mkdir()
        with config.open("a") as file:
            file.write(crypt_section(rclone, remote, str(vault)))
        command = (str(rclone), "--config", str(config))
        hidden = {name: PlaceThroughRclone(f"{remote}:{name}", vault, command=command) for name in contents}
        for name, library in contents.items():
            hidden[name].rclone("mkdir", hidden[name].location)
            if library is not None:
                hidden[name].fill(library)
        yield dict(hidden)
        return
    with contextlib.ExitStack() as stack:
        server: RemoteServer | None = None
        made: dict[str, Place] = {}
        if kind == "s3_moto":
            server = stack.enter_context(remotes.s3_moto(home))
        if kind == "drive":
            server = stack.enter_context(remotes.drive())
        if kind == "dropbox":
            server = stack.enter_context(remotes.dropbox())
        served = {"local": home, "s3_serve": home / "served" / BUCKET}.get(kind, home / "served")
        remote = f"{kind}-{home.name}"
        for name, library in contents.items():
            made[name] = Place("", None if server else served / name, server, name)
            if isinstance(server, DriveRemote | DropboxRemote):
                server.tree.folder(name)
            elif not server:
                (served / name).mkdir(parents=True)
            if library is not None:
                made[name].fill(library)
        match kind:
            case "s3_serve":
                server = stack.enter_context(remotes.s3_serve(rclone, home))
            case "webdav":
                server = stack.enter_context(remotes.webdav(rclone, home))
            case "sftp":
                server = stack.enter_context(remotes.sftp(rclone, home))
            case "wsgidav":
                server = stack.enter_context(remotes.wsgidav(home))
            case "openssh":
                server = stack.enter_context(remotes.openssh(home))
            case "ftp":
                server = stack.enter_context(remotes.ftp(rclone, home))
        if server:
            with config.open("a") as file:
                file.write(server.section(remote))
        for name, place in made.items():
            place.server = server
            place.location = server.fs(name, name=remote) if server else str(served / name)
        yield made


@dataclass
class PlaceThroughRclone(Place):
    """A location that only rclone can read: an encrypted one, or on a server without a client here."""

    seen: str = ""
    """What tests call the location; as the user by default."""
    command: tuple[str, ...] = ()
    """rclone with its config; by default with that of the test session."""

    def __post_init__(self) -> None:
        self.seen = self.seen or self.location
        self.command = self.command or (str(find_rclone(None).path),)

    def rclone(self, *arguments: str, content: bytes | None = None, codes: tuple[int, ...] = (0,)) -> bytes:
        """Run rclone; its exit code must be one of `codes`."""
        ended = subprocess.run([*self.command, *arguments], input=content, capture_output=True, check=False)
        assert ended.returncode in codes, (arguments, ended.stderr)
        return ended.stdout

    def fill(self, library: LibraryFacts) -> None:
        """Copy a library there, with its times."""
        self.rclone("copy", "--files-from-raw", "-", str(library.root), self.seen, content="\n".join(library.files).encode())

    def put(self, path: str, content: bytes) -> None:
        """Write one file there."""
        self.rclone("rcat", f"{self.seen}/{path}", content=content)

    def remove(self, path: str) -> None:
        """Delete one file there."""
        self.rclone("deletefile", f"{self.seen}/{path}")

    def tree(self) -> dict[str, str]:
        """Path -> sha256 of every file there, `.music-orchestrator` included: by a copy of it."""
        with tempfile.TemporaryDirectory() as found:
            self.rclone("copy", "--no-unicode-normalization", self.seen, found, codes=(0, _NO_FOLDER))
            return Place("", Path(found)).tree()


def crypt_section(rclone: Path, name: str, remote: str, **options: str) -> str:
    """A crypt over a location, as a section of rclone.conf."""
    given = {"type": "crypt", "remote": remote, "password": remotes.obscured(rclone, PASSWORD), **options}
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in given.items())


def upload_in_parts(client: Any, key: str, content: bytes) -> None:
    """As other programs upload large files: then S3 lists no hash of them."""
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    part = client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=content)["ETag"]
    client.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}
    )
