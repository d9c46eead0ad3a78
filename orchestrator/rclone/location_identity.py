"""The identity of a location: which server and folder it really is. Two remotes of the user may lead to the same one."""

from __future__ import annotations

import csv
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from orchestrator.profiles import Identity, load_profile

MAX_REMOTES = 8
"""How many remotes may lead to one another."""

Options = Callable[[str], Mapping[str, str]]
"""Remote -> its options, including `type`; an empty mapping for an unknown remote."""

EncryptedPath = Callable[[str, str], str | None]
"""(remote of the type crypt, path of a directory on it) -> the same directory on the remote below; None if it cannot be had."""

_REMOTE = re.compile(
    r"""(?P<name>:?[\w.+@\ -]+)(?P<given>(?:,(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^:"',])*)*):(?P<path>.*)""", re.DOTALL | re.VERBOSE
)
"""`name:path`, `name,option=value:path` and `:type,option=value:path`."""
_OPTION = re.compile(r""",(?P<name>\w+)(?:=(?P<value>"(?:[^"]|"")*"|'(?:[^']|'')*'|[^,]*))?""")
_UNION_MODE = re.compile(r":(?:ro|nc|writeback)\Z")


class Place(NamedTuple):
    """A folder of a server or a disk."""

    fs: str
    """As rclone reaches it: an absolute path, or `remote:path` of a remote that leads to no other one."""
    identity: str
    """Equal for all names of one folder, and a prefix of the identities of the folders in it. For comparing, not for showing."""

    virtual: bool = False
    """It is one folder of several that the location only shows together: the root of a `combine`."""

    crypts: tuple[str, ...] = ()
    """The remotes of the type `crypt` on the way to it, the outermost first: the paths below it are encrypted by them."""
    read_only: bool = False
    """A union that it belongs to never writes there."""

    @property
    def encrypted(self) -> bool:
        """Whether the paths below it are encrypted ones."""
        return bool(self.crypts)

    @property
    def named(self) -> bool:
        """Whether its `fs` is short enough to be used: without options, which may be secret."""
        return not self.fs.startswith(":") and "," not in self.fs.partition(":")[0]


def places_of(fs: str, options: Options, encrypted: EncryptedPath) -> tuple[Place, ...]:
    """Where the files of a location really are: one folder, or several for a union (and for the root of a combine).

    Follows symlinks, and every remote that leads to others (see `Profile.wraps`).
    """
    return tuple(dict.fromkeys(_places(fs, options, encrypted, MAX_REMOTES))) or (Place(fs, fs),)


def local_place(path: str) -> Place:
    """The place of an absolute path on this machine."""
    return Place(os.path.realpath(path), os.path.realpath(path))


def _places(fs: str, options: Options, encrypted: EncryptedPath, left: int) -> Iterator[Place]:
    remote = None if fs.startswith("/") else _REMOTE.fullmatch(fs)
    if remote is None:
        yield local_place(fs) if fs.startswith("/") else Place(fs, fs)
        return
    name, path = remote["name"], remote["path"]
    known = {"type": name[1:]} if name.startswith(":") else {**options(name)}
    known |= {one["name"]: _unquoted(one["value"] or "true") for one in _OPTION.finditer(remote["given"])}
    if known.get("type") == "local":
        yield local_place(_absolute(path))
        return
    profile = load_profile(known.get("type", ""))
    if profile.wraps is not None and left:
        root_of_several = profile.wraps == "combine" and not path.strip("/")
        for below, read_only in _below(profile.wraps, name, path, known, encrypted):
            for place in _places(below, options, encrypted, left - 1):
                yield place._replace(
                    virtual=place.virtual or root_of_several,
                    read_only=place.read_only or read_only,
                    crypts=(name, *place.crypts) if profile.wraps == "crypt" else place.crypts,
                )
        return
    if profile.identity is None:
        yield Place(fs, f"{name}:{path}")
        return
    server = " ".join([known["type"], *_server(profile.identity, known)])
    yield Place(fs, f"{server}:{path.rstrip('/') if profile.absolute_paths else path.strip('/')}")


def _below(wraps: str, name: str, path: str, known: Mapping[str, str], encrypted: EncryptedPath) -> Iterator[tuple[str, bool]]:
    """The locations that a location on a remote of remotes leads to, and whether it only reads there."""
    inside = path.strip("/")
    match wraps:
        case "union":
            yield from (
                (_joined(_UNION_MODE.sub("", one), inside), one.endswith(":ro")) for one in _list(known.get("upstreams", ""))
            )
        case "combine":
            for one in _list(known.get("upstreams", "")):
                folder, _, start = one.partition("=")
                if not inside or inside == folder or inside.startswith(f"{folder}/"):
                    yield _joined(start, inside[len(folder) :]), False
        case "crypt" if inside:
            below = encrypted(name, inside)
            # An unknown folder there is at least not mixed up with one whose name is not encrypted.
            yield _joined(known.get("remote", ""), below if below is not None else f"{name}:{inside}"), False
        case _:
            yield _joined(known.get("remote", ""), path), False


def _list(text: str) -> list[str]:
    """A list in rclone's config: separated by spaces, with double quotes around what contains some."""
    return [one for row in csv.reader([text], delimiter=" ") for one in row if one]


def _joined(start: str, path: str) -> str:
    if ":" not in start.partition("/")[0]:
        start = _absolute(start)
    return f"{start}{'' if start.endswith((':', '/')) else '/'}{path.lstrip('/')}".rstrip("/") or "/"


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path.absolute keeps ".."


def _unquoted(value: str) -> str:
    quote = value[:1]
    return value[1:-1].replace(quote * 2, quote) if quote in {'"', "'"} and len(value) > 1 else value


def _server(identity: Identity, remote: Mapping[str, str]) -> list[str]:
    """The values that say which server and account it is."""
    endpoint = remote.get("endpoint", "")
    if identity.worldwide is not None and (not endpoint or identity.worldwide in endpoint):
        return []
    values = []
    for option in identity.options:
        value = remote.get(option) or os.environ.get(identity.variables.get(option, ""), "") or identity.defaults.get(option, "")
        if option == "endpoint":
            value = value.partition("://")[2] or value  # rclone takes it with a scheme and without
        if option in {"endpoint", "url", "host"}:
            value = _THIS_HOST.sub(r"\g<before>localhost", value)
        values.append(value.rstrip("/").replace(":", "|"))
    return values


_THIS_HOST = re.compile(
    rf"\A(?P<before>(?:\w+://)?)(?:localhost|127(?:\.\d+){{3}}|\[?::1\]?|{re.escape(socket.gethostname())})(?=[:/]|\Z)",
    re.IGNORECASE,
)
"""The names that mean this machine on every machine, and its own name."""
