"""rclone's backends: their names and options, as rclone describes them itself."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from orchestrator.profiles import DEFAULT, all_profiles
from orchestrator.wording import repeated

_FOR_RCLONE = frozenset({"override", "global"})
"""An option of a remote that begins so sets one of rclone's own, while it uses the remote."""


class Backend(msgspec.Struct, frozen=True):
    """One backend."""

    names: tuple[str, ...]
    """Its types in an rclone config; the first is the usual one."""
    options: frozenset[str]
    passwords: frozenset[str]
    """The options that an rclone config holds obscured."""
    of_rclone: frozenset[str] = frozenset()
    """The options of rclone itself, which each remote takes after `override.` or `global.`."""

    @property
    def signs_in(self) -> bool:
        """Whether a browser gives it its token (OAuth): `rclone config reconnect` then renews that."""
        return {"token", "auth_url"} <= self.options

    def unknown_option(self, option: str) -> str | None:
        """What is wrong with the name of an option; None if the backend, or rclone itself, has it."""
        name = option.lower().replace("-", "_")  # as in the name of the variable that gives it to rclone
        begin, dot, rest = name.partition(".")
        if dot and begin in _FOR_RCLONE:
            owner, known, asked, listed = "rclone", self.of_rclone, rest, "rclone help flags"
        else:
            owner, known, asked, listed = f"rclone's {self.names[0]}", self.options, name, f"rclone help backend {self.names[0]}"
            begin = dot = ""
        if asked in known:
            return None
        near = difflib.get_close_matches(asked, sorted(known), n=1)
        hint = f"did you mean {begin}{dot}{near[0]}?" if near else f"`{listed}` lists all"
        return f"{owner} has no option {repeated(option)}; {hint}"


class Backends:
    """All backends of one rclone."""

    def __init__(self, providers: Iterable[Mapping[str, Any]], of_rclone: Iterable[Mapping[str, Any]]) -> None:
        """`providers`: the answer of rclone's `config/providers`; `of_rclone`: what `options/info` says of rclone itself."""
        names = frozenset(option["Name"] for option in of_rclone)
        self._all = [
            Backend(
                tuple(dict.fromkeys((one["Name"], one["Prefix"], *(one.get("Aliases") or ())))),
                frozenset(option["Name"] for option in one["Options"]),
                frozenset(option["Name"] for option in one["Options"] if option.get("IsPassword")),
                names,
            )
            for one in providers
        ]

    @cached_property
    def _by_name(self) -> dict[str, Backend]:
        return {name: backend for backend in reversed(self._all) for name in reversed(backend.names)}

    def find(self, type: str) -> Backend | None:  # noqa: A002 rclone's word
        """The backend of a type; None if this rclone has none."""
        return self._by_name.get(type)

    def unknown_type(self, type: str) -> str | None:  # noqa: A002 rclone's word
        """What is wrong with the type of a remote; None if there is such a backend."""
        return None if self.find(type) is not None else unknown_backend(type, self._by_name)


def known_backends() -> frozenset[str]:
    """The names that rclone-python or our profiles know for backends, without asking rclone."""
    from rclone_python.remote_types import RemoteTypes  # noqa: PLC0415 - only a check of the config needs it

    ours = {name for profile in all_profiles() for name in (profile.type, *profile.aliases) if profile.type != DEFAULT}
    return frozenset(ours | {str(one.value) for one in RemoteTypes})


def unknown_backend(name: str, known: Collection[str], otherwise: str = "`rclone help backends` lists all") -> str:
    """What to say of a name that no backend has."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"there is no provider {repeated(name)!r}; {f'did you mean {near[0]}?' if near else otherwise}"
