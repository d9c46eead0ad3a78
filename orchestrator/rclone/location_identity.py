"""The identity of a location: which server and folder it really is. Two remotes of the user may lead to the same one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from orchestrator.profiles import Identity, load_profile

MAX_ALIASES = 8
"""How many remotes may lead to one another."""

Options = Callable[[str], Mapping[str, str]]
"""Remote -> its options, including `type`; an empty mapping for an unknown remote."""


def identity_of(fs: str, options: Options) -> str:
    """A text that is equal for all names of one location, and a prefix of the identities of the locations inside it.

    For comparing, not for showing. Follows symlinks, remotes of the type local and aliases; for a server, its address counts and
    not the name of the remote.
    """
    for _ in range(MAX_ALIASES):
        if fs.startswith("/"):
            return os.path.realpath(fs)
        name, _, path = fs.partition(":")
        remote = options(name)
        match remote.get("type", ""):
            case "local":
                fs = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path.absolute keeps ".."
            case "alias":
                fs = _joined(remote.get("remote", ""), path)
            case backend:
                profile = load_profile(backend)
                if profile.identity is None:
                    return fs
                server = " ".join([backend, *_server(profile.identity, remote)])
                return f"{server}:{path.rstrip('/') if profile.absolute_paths else path.strip('/')}"
    return fs


def _joined(start: str, path: str) -> str:
    if ":" not in start.partition("/")[0]:
        start = os.path.abspath(os.path.expanduser(start))  # noqa: PTH100, PTH111 - as above
    return f"{start}{'' if start.endswith((':', '/')) else '/'}{path.lstrip('/')}".rstrip("/") or "/"


def _server(identity: Identity, remote: Mapping[str, str]) -> list[str]:
    """The values that say which server and account it is."""
    endpoint = remote.get("endpoint", "")
    if identity.worldwide is not None and (not endpoint or identity.worldwide in endpoint):
        return []
    values = []
    for option in identity.options:
        value = remote.get(option) or os.environ.get(identity.variables.get(option, ""), "")
        if option == "endpoint":
            value = value.partition("://")[2] or value  # rclone takes it with a scheme and without
        values.append(value.rstrip("/").replace(":", "|"))
    return values
