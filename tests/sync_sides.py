"""The two sides of a sync: a folder of this machine or of a server, what a user does there, and what is there in the end."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.records import OWN_DIRECTORY
from tests.forked import Death, Forks, Started
from tests.places import Place, PlaceThroughRclone, crypt_section, visible
from tests.program import Ended
from tests.servers.content import Content
from tests.servers.http import HttpProxy, Seen, http_proxy
from tests.servers.remotes import BUCKET, DriveRemote, DropboxRemote, GcsRemote, RemoteServer
from tests.stores import Bucket, Disk, Drive, Dropbox, Store, store_of

DAY_NS = 86_400 * 10**9
_MARKER = re.compile(r"/\.music-orchestrator/(run\.json|place-id|synced-[0-9a-f]+|naming-probe-\d+)\Z")
"""What a run writes for itself."""


class ThroughRclone(Store):
    """A folder that the user reaches from another machine with rclone: an encrypted one, or on a server without a client here."""

    def __init__(self, place: PlaceThroughRclone, home: Path) -> None:
        super().__init__(place)
        self._rclone = place.rclone
        self._home = home

    def put(self, path: str, content: bytes, mtime_ns: int) -> None:
        """Write a file with that time."""
        file = self._home / "written"
        file.write_bytes(content)
        os.utime(file, ns=(mtime_ns, mtime_ns))
        self._rclone("copyto", str(file), self._at(path), "--ignore-times")

    def create(self, path: str, content: bytes) -> bool:
        raise NotImplementedError("not used: `put` is enough")

    replace = create  # type: ignore[assignment]

    def delete(self, path: str) -> set[str] | None:
        self._rclone("deletefile", self._at(path))
        return set()

    def rename(self, old: str, new: str) -> bool:
        self._rclone("moveto", self._at(old), self._at(new))
        return True

    def read(self, path: str) -> bytes | None:
        return self._rclone("cat", self._at(path))

    def clear(self) -> None:
        self._rclone("purge", self.place.location)

    def _at(self, path: str) -> str:
        return f"{self.place.location}/{path}"


@dataclass
class Side:
    """One location, and the user who works in it."""

    kind: str
    store: Store
    proxy: HttpProxy | None
    """Between the program and its server; None for this machine."""
    server: str = ""
    """The kind of server, below a crypt as well."""

    @property
    def location(self) -> str:
        """What the user types."""
        return self.store.place.location

    @property
    def root(self) -> Path | None:
        """The folder, on this machine."""
        return self.store.place.directory if self.kind == "local" else None

    @property
    def dated(self) -> bool:
        """Whether a file has a time of its own there."""
        return self.kind != "webdav"

    @property
    def hashed(self) -> bool:
        """Whether it lists hashes, or can be read at once."""
        return self.kind not in {"webdav", "crypt"}

    def put(self, path: str, content: bytes, mtime_ns: int) -> None:
        """Write a file, or another content into one, as other programs do: ids and inodes stay."""
        place = self.store.place
        match self.store:
            case ThroughRclone():
                self.store.put(path, content, mtime_ns)
            case Disk():
                file = self.store.root / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                os.utime(file, ns=(mtime_ns, mtime_ns))
            case Bucket():
                dated = {"mtime": f"{mtime_ns / 1e9:.9f}"}
                place.bucket.put_object(Bucket=BUCKET, Key=f"{place.prefix}/{path}", Body=content, Metadata=dated)
            case Dropbox():
                assert isinstance(place.server, DropboxRemote)
                place.server.tree.put(f"{place.prefix}/{path}", content, mtime_ns=mtime_ns)
            case Drive():
                assert isinstance(place.server, DriveRemote)
                tree, full = place.server.tree, f"{place.prefix}/{path}"
                with contextlib.suppress(KeyError):
                    tree.update(tree.at(full).id, {}, content=Content(content))
                    tree.update(tree.at(full).id, {"modifiedTime": _google_time(mtime_ns)})
                    return
                tree.put(full, content, mtime_ns=mtime_ns)

    def rename(self, old: str, new: str) -> None:
        """Give a file or folder another name, which may be in a folder that is new."""
        if isinstance(self.store, Disk):
            (self.store.root / new).parent.mkdir(parents=True, exist_ok=True)
        assert self.store.rename(old, new), (old, new)

    def delete(self, path: str) -> None:
        """Delete a file."""
        assert self.store.delete(path) is not None, path

    def has_folder(self, path: str) -> bool:
        """Whether a folder is there that can be empty."""
        server, full = self.store.place.server, f"{self.store.place.prefix}/{path}"
        if isinstance(server, DriveRemote | DropboxRemote):
            return any(item.is_folder for name, item in server.tree.walk() if name == full)
        return isinstance(self.store, Disk) and (self.store.root / path).is_dir()

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder, if there is one."""
        if not self.has_folder(path):
            return
        if isinstance(self.store, Disk):
            (self.store.root / path).rmdir()
        elif isinstance(self.store.place.server, DropboxRemote):
            self.store.place.server.tree.delete(f"/{self.store.place.prefix}/{path}")
        else:
            self.store.delete(path)

    def everything(self) -> dict[str, str]:
        """Path -> sha256 of every file, our own included."""
        return self.store.place.tree()

    def tree(self) -> dict[str, str]:
        """The same without our own."""
        return visible(self.everything())

    def reset(self) -> None:
        """Count requests from now on."""
        if self.proxy is not None:
            self.proxy.reset()
        if isinstance(self.store.place.server, DropboxRemote):
            self.store.place.server.dropbox.reset()

    @property
    def changes(self) -> int:
        """Changing requests since `reset`."""
        if isinstance(self.store.place.server, DropboxRemote):
            return self.store.place.server.dropbox.changes
        return self.proxy.changing if self.proxy is not None else 0

    def uploads(self) -> list[Seen]:
        """The requests since `reset` that brought a file, on servers that tell them from others; without those that were refused.

        A WebDAV server refuses (423) what comes while it is still busy with the folder, and rclone then tries again.
        """
        requests = self.proxy.requests if self.proxy is not None and self.kind != "crypt" else []
        taken = [seen for seen in requests if seen.method == "PUT" and seen.status is not None and seen.status < 400]
        return [seen for seen in taken if "x-amz-copy-source" not in seen.headers and not _own(seen)]


def _own(seen: Seen) -> bool:
    return bool(_MARKER.search(seen.path.partition("?")[0]))


def _google_time(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat()


def contents_of(sides: Iterable[dict[str, str]]) -> set[str]:
    """All contents, but for the numbers that syncs leave on disks."""
    return {content for side in sides for path, content in side.items() if not path.startswith(f"{OWN_DIRECTORY}/synced-")}


class Synced:
    """Two locations, and the program that syncs them."""

    def __init__(self, sides: tuple[Side, Side], forks: Forks, home: Path) -> None:
        """`home` has the `rclone.conf` with both."""
        self.sides = sides
        self.forks = forks
        self.settings: dict[str, Any] = {
            "state": home / "state",
            "environment": {"RCLONE_CONFIG": str(home / "rclone.conf")},
        }

    def start(self, *options: str, death: Death | None = None) -> Started:
        """Start a sync."""
        return self.forks.start("sync", *(side.location for side in self.sides), *options, death=death, **self.settings)

    def __call__(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        """Sync; the exit code must be one of `codes`."""
        ended = self.start(*options).end()
        assert ended.code in codes, f"{ended.code}\n{ended.stderr}\n{ended.events[-3:]}"
        return ended

    def trees(self) -> tuple[dict[str, str], dict[str, str]]:
        """What is on both sides, without our own files."""
        return self.sides[0].tree(), self.sides[1].tree()

    def everything(self) -> tuple[dict[str, str], dict[str, str]]:
        """The same, our own files included."""
        return self.sides[0].everything(), self.sides[1].everything()

    def reset(self) -> None:
        """Count requests from now on."""
        for side in self.sides:
            side.reset()

    def does_nothing(self, *options: str, codes: tuple[int, ...] = (0,)) -> None:
        """Another sync changes nothing: no file, no record, no request."""
        before = self.everything()
        self.reset()
        ended = self(*options, codes=codes)
        assert (ended.summary["ops_planned"], ended.summary["run"]) == (0, None)
        assert [side.changes for side in self.sides] == [0, 0]
        assert self.everything() == before


@contextlib.contextmanager
def side_on(kind: str, name: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Side]:
    """An empty location: "local", a kind of server, "crypt" (on S3) or "crypt on" another; added to `rclone.conf` in `home`."""
    config = home / "rclone.conf"
    config.touch(mode=0o600)
    if kind == "local":
        (home / name).mkdir()
        yield Side(kind, store_of(Place(str(home / name), home / name)), None)
        return
    kind, _, below = kind.partition(" on ")
    below = below or ("s3_moto" if kind == "crypt" else kind)
    server: RemoteServer = request.getfixturevalue(below)
    prefix = f"{home.name}-{name}"
    with http_proxy(server.port) as proxy, config.open("a") as file:
        file.write(server.section(f"{name}-server", port=proxy.port))
        place = Place(server.fs(prefix, name=f"{name}-server"), server.directory and server.directory / prefix, server, prefix)
        if isinstance(server, DriveRemote | DropboxRemote):
            server.tree.folder(prefix)
        elif place.directory is not None:
            place.directory.mkdir(parents=True)
        if isinstance(server, GcsRemote):
            server.download_through(proxy.port)
        if kind == "crypt":
            file.write(crypt_section(request.getfixturevalue("rclone_binary"), f"{name}-crypt", place.location))
            place.location = f"{name}-crypt:music"
        file.flush()
        if kind in {"crypt", "gcs", "azure"}:
            command = (str(request.getfixturevalue("rclone_binary")), "--config", str(config))
            seen = PlaceThroughRclone(place.location, None, server, prefix, command=command)
            yield Side(kind, ThroughRclone(seen, home), proxy, below)
        else:
            yield Side(kind, store_of(place), proxy, below)
