"""What is wrong in a config file: all of it at once, because who corrects one mistake would otherwise meet the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestrator.errors import ConfigError

Key = tuple[str, ...]


class Problem(NamedTuple):
    """A key that cannot be used as it is."""

    key: Key
    """Part by part."""
    where: str
    """File, line and key, or the variable of the environment: how the message begins."""
    reason: str
    """How the message goes on, with its own `: `. Repeats no value that could be a secret."""

    @property
    def message(self) -> str:
        """The whole line."""
        return f"{self.where}{self.reason}"


def without_consequences(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without those of a whole section in which a key has one: what is missing may be the key that is wrong."""
    found = list(dict.fromkeys(problems))
    return [one for one in found if not any(_inside(other.key, one.key) for other in found)]


def _inside(key: Key, section: Key) -> bool:
    return len(key) > len(section) and key[: len(section)] == section


_DECIDING = frozenset({"provider", "type", "mode", "sync_mode", "credentials_env", "credentials_path", "options", "secrets"})
"""Keys by which others in the same mapping are judged."""


def may_cause(unread: Key, key: Key) -> bool:
    """Whether a problem of a key may come from another key that was left out, because it cannot be read."""
    above = unread[:-1]
    decides = unread[-1:] == () or unread[-1] in _DECIDING
    return unread[: len(key)] == key or (decides and key[: len(above)] == above and bool(above))


def part_of(key: Key) -> Key:
    """What of the file a key is checked together with: where one of its keys is left out, the others cannot be judged."""
    return key[:2] if key[:1] in {("remotes",), ("jobs",), ("locations",)} else key[:1]


def refuse(problems: Sequence[Problem], begin: str = "") -> None:
    """Raise ConfigError if there are problems: the first one, which has the others with it."""
    if problems:
        first, *others = (ConfigError(f"{begin}{one.message}") for one in problems)
        first.more = tuple(others)
        raise first
