"""Check what the config says of remotes against what rclone knows: names of remotes, backends, options."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from orchestrator.config.problems import Key, Problem
from orchestrator.location import CLOUD_REMOTE
from orchestrator.profiles import backend_type, load_profile, profile_for_environment_remote
from orchestrator.wording import repeated

if TYPE_CHECKING:
    from orchestrator.config.loading import LoadedConfig
    from orchestrator.config.model import Cloud, Config, Remote
    from orchestrator.rclone.backends import Backends


def needs_rclone(config: Config) -> bool:
    """Whether only rclone can say if a config is right."""
    schemes = config.schemes
    named = any(getattr(schemes, scheme) is not None for scheme in schemes.__struct_fields__)
    cloud = config.cloud
    return bool(config.remotes) or named or (cloud is not None and bool(cloud.options or cloud.secrets or _of_a_kind(cloud)))


def _of_a_kind(cloud: Cloud) -> dict[str, str]:
    """The keys that only some backends have, and are given -> the option that they set. S3 has them all."""
    kind = backend_type(cloud.provider or "")
    given = {"region": load_profile(kind).new_remote.region_option, "endpoint": "endpoint"}
    return {} if kind in {"", "s3"} else {key: option for key, option in given.items() if getattr(cloud, key) is not None}


def idle_settings(loaded: LoadedConfig, backends: Backends) -> Iterator[str]:
    """One sentence for each key of `cloud` that its provider does not have."""
    cloud = loaded.config.cloud
    backend = backends.find(backend_type(cloud.provider)) if cloud is not None and cloud.provider is not None else None
    if cloud is None or backend is None:
        return
    for key, option in _of_a_kind(cloud).items():
        if backend.unknown_option(option):
            yield f"{loaded.label('cloud', key)} has no effect: {backend.names[0]} has no {key}; leave it out"


def remote_problems(loaded: LoadedConfig, known: Mapping[str, str], backends: Backends) -> Iterator[Problem]:
    """What of the remotes in the config has no effect. `known`: the remotes that rclone knows -> their types."""
    config = loaded.config
    ours = {name: settings.type for name, settings in config.remotes.items() if settings.type is not None}
    for name, settings in config.remotes.items():
        kind = settings.type or known.get(name)
        if kind is not None:
            yield from option_problems(loaded, name, kind, backends)
        elif name != CLOUD_REMOTE and profile_for_environment_remote(name) is None:
            reason = f": there is no such remote, and nothing here takes effect: {_correct(name, known)}, or give it a `type`"
            yield loaded.problem(("remotes", name), reason)
    if config.cloud is not None and config.cloud.provider is not None:
        yield from option_problems(loaded, CLOUD_REMOTE, backend_type(config.cloud.provider), backends)
    for scheme in config.schemes.__struct_fields__:
        remote = (getattr(config.schemes, scheme) or "").rstrip(":")
        if remote and remote not in {*known, *ours} and not (remote == CLOUD_REMOTE and config.cloud is not None):
            reason = f": there is no remote {repeated(remote)}: {_correct(remote, {**known, **ours})}; `rclone config` makes one"
            yield loaded.problem(("schemes", scheme), reason)


def _correct(name: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}" if near else "correct the name"


def option_problems(loaded: LoadedConfig, name: str, kind: str, backends: Backends) -> Iterator[Problem]:
    """The options and secrets in the config of one remote that its backend does not have, or why it has no backend."""
    for key, settings in _sections(loaded.config, name):
        backend = backends.find(kind)
        if backend is None:
            named = "type" if key[0] == "remotes" else "provider"
            yield loaded.problem((*key, named), f": {backends.unknown_type(kind)}")
            continue
        for given, options in (("options", settings.options), ("secrets", settings.secrets)):
            for option in options:
                if reason := backend.unknown_option(option):
                    yield loaded.problem((*key, given, option), f": {reason}")


def _sections(config: Config, name: str) -> Iterator[tuple[Key, Remote | Cloud]]:
    """What of the config speaks of a remote with this name."""
    if name == CLOUD_REMOTE and config.cloud is not None:
        yield ("cloud",), config.cloud
    elif name in config.remotes:
        yield ("remotes", name), config.remotes[name]
