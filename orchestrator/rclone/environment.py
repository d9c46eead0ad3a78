"""The environment of rclone's processes: an allow-list, so that nothing inherited changes what rclone does.

An inherited `RCLONE_DRY_RUN`, `RCLONE_BACKUP_DIR`, `RCLONE_MAX_DELETE` or `RCLONE_RC_NO_AUTH` would. rclone gets only the user's
config of rclone and its password, the proxies, limits of memory, and the variables that the profiles name for their providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.profiles import all_profiles

_NAMES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP", "SHELL"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "DBUS_SESSION_BUS_ADDRESS"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("RCLONE_CONFIG", "RCLONE_PASSWORD_COMMAND", "RCLONE_CA_CERT"),
        *("GOGC", "GOMEMLIMIT"),  # how much memory it may use before it collects garbage (rclone's FAQ advises GOGC=20)
    }
)
_PREFIXES = ("LC_", "XDG_", "RCLONE_CONFIG_")


def child_environment(
    inherited: Mapping[str, str],
    *,
    config: Path | None = None,
    remotes: Mapping[str, Mapping[str, str]] | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment of one rclone process.

    `config` replaces the user's own `RCLONE_CONFIG`; `remotes` are remotes of ours (name -> options, including `type`);
    `extra` comes last.
    """
    providers = [profile.environment for profile in all_profiles()]
    passed = [name for provider in providers for name in provider.inherit]
    names = _NAMES.union(passed)
    prefixes = (*_PREFIXES, *(name.removesuffix("*") for name in passed if name.endswith("*")))
    environment = {name: value for name, value in inherited.items() if name in names or name.startswith(prefixes)}
    environment["TZ"] = "UTC"
    for provider in providers:
        environment.update(provider.set)
    if config is not None:
        environment["RCLONE_CONFIG"] = str(config)
    for name, options in (remotes or {}).items():
        environment.update(remote_variables(name, options))
    # A variable for one remote (RCLONE_CONFIG_X_NO_HEAD_OBJECT) would win over that for its type (RCLONE_S3_NO_HEAD_OBJECT).
    fixed = tuple("_" + name.split("_", 2)[2] for provider in providers for name in provider.set)
    environment = {
        name: value
        for name, value in environment.items()
        if not (fixed and name.startswith("RCLONE_CONFIG_") and name.endswith(fixed))
    }
    environment.update(extra or {})
    return environment


def remote_variables(name: str, options: Mapping[str, str]) -> dict[str, str]:
    """The variables that define a remote that is in no config file."""
    # rclone keeps the dashes in the name of a remote, and turns those in the name of an option into underscores.
    return {f"RCLONE_CONFIG_{name.upper()}_{key.upper().replace('-', '_')}": value for key, value in options.items()}
