"""Remotes of rclone that only change how another one is seen: encrypted, cut into chunks, under another name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.remotes import PASSWORD, RemoteServer, obscured


@dataclass
class Layer(RemoteServer):
    """A remote over a folder of another one, or of a disk; whatever serves that, serves this."""

    below: RemoteServer | None
    over: Callable[[str], dict[str, str]]
    """The options for the location below."""

    def section(self, name: str | None = None, *, port: int | None = None) -> str:
        """The remote and the one below it."""
        own = name or self.name
        if self.below is None:
            return super().section(own, port=port)
        options = self.over(self.below.fs(self.name, name=f"{own}-below"))
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        return self.below.section(f"{own}-below", port=port) + f"[{own}]\ntype = {self.type}\n{lines}\n"


def crypt(rclone: Path, below: RemoteServer) -> Layer:
    """Encrypts a folder of a server."""
    hidden = obscured(rclone, PASSWORD)
    return _over("crypt", below, lambda location: {"remote": location, "password": hidden})


def alias(directory: Path) -> Layer:
    """A folder of a disk under another name."""
    return _over("alias", directory, lambda location: {"remote": location})


def combine(directory: Path) -> Layer:
    """A folder of a disk as one of a tree of remotes."""
    return _over("combine", directory, lambda location: {"upstreams": f"music={location}"}, base="music")


def chunker(directory: Path) -> Layer:
    """Cuts the files of a folder of a disk into chunks."""
    return _over("chunker", directory, lambda location: {"remote": location, "chunk_size": "64Ki"})


def _over(kind: str, below: RemoteServer | Path, over: Callable[[str], dict[str, str]], base: str = "") -> Layer:
    if isinstance(below, RemoteServer):
        return Layer(kind, kind, below.port, base, None, below.process, lambda _: {}, below, over)
    return Layer(kind, kind, 0, base, None, None, lambda _: over(str(below)), None, over)
