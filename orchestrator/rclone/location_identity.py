"""Where a location lies in truth: two remotes of the user's may lead to one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

MAX_ALIASES = 8
"""So many remotes may lead to one another."""

_BUCKETS = frozenset({"s3", "google cloud storage"})
_SERVERS = {
    "google cloud storage": ("endpoint",),
    "webdav": ("url", "user"),
    "sftp": ("host", "port", "user"),
    "ftp": ("host", "port", "user"),
    "smb": ("host", "port", "user"),
}
"""Backend type -> the options that say which server it is, and whose view of it."""

Options = Callable[[str], Mapping[str, str]]
"""Remote -> its options, the type among them; nothing for one that is unknown."""


def identity_of(fs: str, options: Options) -> str:
    """A text that is the same for all names of a place, and begins those of the places in it. For comparing, not for showing.

    Links, remotes of the type local and aliases are followed; of a server, its address counts and not the remote's name.
    """
    for _ in range(MAX_ALIASES):
        if fs.startswith("/"):
            return os.path.realpath(fs)
        name, _, path = fs.partition(":")
        known = options(name)
        match known.get("type"):
            case "local":
                fs = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path.absolute keeps ".."
            case "alias":
                fs = _joined(known.get("remote", ""), path)
            case kind:
                server = _server(kind or "", known)
                return fs if server is None else f"{server}:{path.strip('/') if kind in _BUCKETS else path.rstrip('/')}"
    return fs


def _joined(start: str, path: str) -> str:
    if ":" not in start.partition("/")[0]:
        start = os.path.abspath(os.path.expanduser(start))  # noqa: PTH100, PTH111 - as above
    return f"{start}{'' if start.endswith((':', '/')) else '/'}{path.lstrip('/')}".rstrip("/") or "/"


def _server(kind: str, known: Mapping[str, str]) -> str | None:
    """Which server a remote speaks to, in one word; None where its options do not tell."""
    if kind == "s3":
        endpoint = known.get("endpoint", "").partition("://")[2] or known.get("endpoint", "")
        if not endpoint or "amazonaws.com" in endpoint:
            parts = []  # at Amazon a bucket's name is its own all over the world
        else:
            # Elsewhere two accounts may each have a bucket of that name.
            parts = [endpoint, known.get("access_key_id") or os.environ.get("AWS_ACCESS_KEY_ID", "")]
    elif kind in _SERVERS:
        parts = [known.get(option, "") for option in _SERVERS[kind]]
    else:
        return None
    return " ".join([kind, *(part.rstrip("/").replace(":", "|") for part in parts)])
