"""What of a remote that the config makes cannot be given to rclone, which gets it as variables of its environment.

References to secrets are checked as well, but not what they lead to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from orchestrator.config.references import reference_problem

if TYPE_CHECKING:
    from orchestrator.config.model import Cloud, Config, Remote

_BREAKS = ("\n", "\r")


def text_problems(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    """The keys of remotes, and references to secrets, that cannot be used, and why; no value is repeated."""
    for name, remote in config.remotes.items():
        if reason := _name_problem(name):
            yield ("remotes",), f"the name of a remote {reason}"
        yield from _of_section(("remotes", name), remote, remote.options)
    if config.cloud is not None:
        yield from _of_section(("cloud",), config.cloud, config.cloud.options)
    if config.rclone_config_password is not None and (reason := reference_problem(config.rclone_config_password)):
        yield ("rclone_config_password",), reason


def _of_section(
    where: tuple[str, ...], section: Cloud | Remote, options: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in section.__struct_fields__:
        value = getattr(section, key)
        if isinstance(value, str) and any(one in value for one in ("\0", *_BREAKS)):
            yield (*where, key), "must not contain line breaks or NUL"
    for option, value in options.items():
        if reason := _name_problem(option):
            yield (*where, "options"), f"the name of an option {reason}"
        if "\0" in value:  # a line break may be part of a key in PEM or JSON
            yield (*where, "options", option), "must not contain NUL"
    for option, reference in section.secrets.items():
        if reason := _name_problem(option):
            yield (*where, "secrets"), f"the name of an option {reason}"
        elif option in options:
            yield (*where, "secrets", option), "leave it out here or under `options`: only one can count"
        elif reason := reference_problem(reference):
            yield (*where, "secrets", option), reason


def _name_problem(name: str) -> str | None:
    if not name:
        return "must not be empty"
    return "must not contain =, line breaks or NUL" if any(one in name for one in ("=", "\0", *_BREAKS)) else None
