"""Hides secrets where settings are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from orchestrator.config.fields import fields_of

_URL_USER = re.compile(r"(://)[^\s/:@]*:\S*@")
"""The user and password of a URL, to the last @: keys of S3 may contain slashes."""

_SECRET_WORDS = frozenset({"pass", "password", "password2", "passphrase", "secret", "token", "key", "credentials", "pem", "sas"})
_SECRET_NAMES = frozenset({"connection_string", "access_grant", "authorization", "cookies", "master_keys", "mnemonic"})
_NOT_SECRET = (
    *("_id", "_file", "_path", "_env", "_command", "_agent", "_md5", "_sha256", "_expiry", "_algorithms", "_exchange", "_blocks"),
    *("token_url", "auth_url", "ask_password", "client_credentials", "pin_host_key"),
)


def is_secret(option: str) -> bool:
    """Whether an option of a remote holds a secret, by its name in rclone.conf: `pass`, `secret_access_key`, `sas_url`."""
    name = option.lower()
    return name in _SECRET_NAMES or (not _SECRET_WORDS.isdisjoint(name.split("_")) and not name.endswith(_NOT_SECRET))


def masked(document: Mapping[str, Any], section: type[Struct]) -> dict[str, Any]:
    """The document with the values of secret keys replaced."""
    shown: dict[str, Any] = {}
    facts = {field.name: field for field in fields_of(section)}
    for key, value in document.items():
        field = facts[key]
        if field.secret:
            shown[key] = _hidden(value)
        elif field.section is not None and isinstance(value, Mapping):
            if field.closed:
                shown[key] = masked(value, field.section)
            else:
                inner = field.section
                shown[key] = {
                    name: masked(item, inner) if isinstance(item, Mapping) else _without_user(item)
                    for name, item in value.items()
                }
        else:
            shown[key] = _without_user(value)
    return shown


def _without_user(value: Any) -> Any:
    """A value without the user and password of a URL in it."""
    if isinstance(value, Mapping):
        return {key: _without_user(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_user(item) for item in value]
    return _URL_USER.sub(r"\1(hidden)@", value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict.fromkeys(value, "(hidden)")
    if isinstance(value, list):
        return ["(hidden)" for _ in value]
    return None if value is None else "(hidden)"
