"""What a location really is, and which locations are around it and in it: where a run locks, and where it looks for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from orchestrator.location import overlap
from orchestrator.paths import is_local, join_location, join_path, parent_of
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.local_path import local_path
from orchestrator.storage.protocol import Storage

MARKER_NAME = "run.json"
MARKER = f"{OWN_DIRECTORY}/{MARKER_NAME}"


class Spot(NamedTuple):
    """Where a marker is."""

    storage: Storage
    path: str = MARKER

    @property
    def location(self) -> str:
        """The location that it is about, for messages."""
        return join_location(self.storage.fs, parent_of(parent_of(self.path)))


class Surroundings(NamedTuple):
    """A location, whatever it is called."""

    identities: tuple[str, ...]
    """What is known of the servers and folders that it is (see `orchestrator.location.overlap`)."""
    folders: tuple[str, ...]
    """The directories on this machine that it is."""
    own: tuple[Spot, ...]
    """Where its marker is: more than one where other names of it hide that file, or it is several folders at once."""
    others: tuple[Spot, ...] = ()
    """Where the markers of the locations around it and in it are."""
    keys_only: bool = False
    """It is in an object store, where a path is a key and nothing leads from one to another."""

    def may_be(self, other: Surroundings) -> bool:
        """Whether nothing but a marker can show that one of the two is, or is in, the other: behind a link, a mount, a server."""
        if overlap(self.identities, other.identities):
            return False  # that was known when the plan was made
        one_store = self.keys_only and other.keys_only and _servers(self) == _servers(other)
        return not one_store

    def where_it_could_be(self, other: Surroundings) -> list[Spot]:
        """Where the marker of another location would be seen from here if that one lies in this one, by the end of its path."""
        storage, fs = self.own[0].storage, other.own[0].storage.fs
        parts = (fs if is_local(fs) else fs.partition(":")[2]).strip("/").split("/")
        return [Spot(storage, join_path("/".join(parts[start:]), MARKER)) for start in range(len(parts))]


SurroundingsOf = Callable[[Storage], Surroundings]


def alone(storage: Storage) -> Surroundings:
    """A location of which nothing but its name is known."""
    folder = local_path(storage, "")
    return Surroundings((storage.fs,), () if folder is None else (folder,), (Spot(storage),))


def _servers(location: Surroundings) -> set[str]:
    return {identity.partition(":")[0] for identity in location.identities}
