"""Leaves links and shortcuts out, as on a disk: otherwise one file would be listed under two names.

An option in a location does not reach a remote below an alias, a crypt or a combine, so rclone gets variables. One variable
(`RCLONE_SFTP_SKIP_LINKS`) holds for all remotes of a type, and rclone obeys it before anything that is said of a single remote.
So if the links of one remote are to be followed, each other remote gets a variable of its own instead.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping

from orchestrator.errors import TransientError
from orchestrator.profiles import all_profiles
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.classify import classify
from orchestrator.rclone.daemon import READING_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.supervisor import Supervised

Remotes = Mapping[str, Mapping[str, str]]
"""Remote -> its options, including `type`."""


def links_left_out(follow: Collection[str], remotes: Callable[[], Remotes]) -> dict[str, str]:
    """The variables that make rclone leave out links and shortcuts, but for the remotes `follow` and those that they wrap.

    `remotes` gives all remotes; it is called only if there is anything to follow.
    """
    options = {profile.type: profile.link_option for profile in all_profiles() if profile.link_option}
    if not follow:
        return {f"RCLONE_{type_.upper()}_{option.upper()}": "true" for type_, option in options.items()}
    known = remotes()
    followed = with_wrapped(follow, known)
    variables: dict[str, str] = {}
    for name, given in known.items():
        option = options.get(given.get("type", ""))
        if option is not None and name.lower() not in followed:
            variables |= remote_variables(name, {option: "true"})
    return variables


def with_wrapped(follow: Collection[str], known: Remotes) -> set[str]:
    """These remotes, and all that their options name as `remote:path`, in lower case: variables name remotes in any case."""
    by_name = {name.lower(): [value.lower() for value in given.values()] for name, given in known.items()}
    found: set[str] = set()
    waiting = {name.lower() for name in follow}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {other for other in by_name for value in by_name.get(name, ()) if _names(value, other)} - found
    return found


def _names(value: str, remote: str) -> bool:
    """Whether an option names a location on a remote: `remote = nas:music`, `upstreams = a=nas:x "b=my drive:y"`."""
    return any(f"{before}{remote}:" in f" {value}" for before in (" ", '"', "=", "'"))


def configured(binary: Binary, environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """All remotes of the rclone config and of the environment. Holds secrets. Raises what rclone says of a config it refuses."""
    with (
        tempfile.TemporaryFile() as log,
        Supervised((str(binary.path), "config", "dump", *READING_FLAGS), environment, stdout=subprocess.PIPE, stderr=log) as dump,
    ):
        assert dump.process.stdout is not None  # noqa: S101 because we asked for a pipe
        text = dump.process.stdout.read()
        if dump.wait() != 0:
            log.seek(0)
            raise classify(log.read().decode("utf-8", "replace"))
    try:
        found = {name: dict(given) for name, given in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise TransientError(
            "the output of `rclone config dump` cannot be read: check it, or remove `follow_links` from the config"
        ) from error
    for variable, value in environment.items():
        if variable.startswith("RCLONE_CONFIG_") and variable.endswith("_TYPE"):
            found.setdefault(variable.removeprefix("RCLONE_CONFIG_").removesuffix("_TYPE").lower(), {})["type"] = value
    return found
