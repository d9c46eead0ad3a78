"""The environment of rclone's processes: an allow-list, so that nothing inherited changes what rclone does.

An inherited `RCLONE_DRY_RUN`, `RCLONE_BACKUP_DIR`, `RCLONE_MAX_DELETE` or `RCLONE_RC_NO_AUTH` would. The user's configuration,
its password, the proxies and the providers' own credential variables pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_NAMES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP", "SHELL"),
        *("SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5_CONFIG", "KRB5CCNAME", "DBUS_SESSION_BUS_ADDRESS"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("RCLONE_CONFIG", "RCLONE_PASSWORD_COMMAND", "RCLONE_CA_CERT"),
    }
)
_PREFIXES = (
    *("LC_", "XDG_", "RCLONE_CONFIG_"),
    *("AWS_", "GOOGLE_", "CLOUDSDK_", "GCE_", "AZURE_", "MSI_", "IDENTITY_", "B2_", "OS_", "ST_", "OCI_", "ALICLOUD_"),
)

# Buckets are the user's to make: without these, a typing error in a bucket's name creates a bucket, and credentials that may
# not create buckets fail on the first write.
_ALWAYS = {
    "RCLONE_S3_NO_CHECK_BUCKET": "true",
    "RCLONE_GCS_NO_CHECK_BUCKET": "true",
    "RCLONE_AZUREBLOB_NO_CHECK_CONTAINER": "true",
    "TZ": "UTC",
}


def child_environment(
    inherited: Mapping[str, str],
    *,
    config: Path | None = None,
    remotes: Mapping[str, Mapping[str, str]] | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment for one rclone process.

    `config` stands for the user's own `RCLONE_CONFIG`; `remotes` are remotes of ours (name -> options, `type` among them);
    `extra` comes last.
    """
    environment = {name: value for name, value in inherited.items() if name in _NAMES or name.startswith(_PREFIXES)}
    environment.update(_ALWAYS)
    if config is not None:
        environment["RCLONE_CONFIG"] = str(config)
    for name, options in (remotes or {}).items():
        environment.update(remote_variables(name, options))
    environment.update(extra or {})
    return environment


def remote_variables(name: str, options: Mapping[str, str]) -> dict[str, str]:
    """The variables by which rclone knows a remote that no config file names."""
    # rclone keeps the dashes of the remote's name and turns those of the option's into underscores.
    return {f"RCLONE_CONFIG_{name.upper()}_{key.upper().replace('-', '_')}": value for key, value in options.items()}
