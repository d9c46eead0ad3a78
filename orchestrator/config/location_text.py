"""What the text of a location alone says: whether it is a path, and whether it may hold a secret."""

from __future__ import annotations

import re

from orchestrator import profiles
from orchestrator.errors import UsageError

_PASSWORD = re.compile(r"[^/]*:.*@", re.DOTALL)


def check_form(text: str) -> None:
    """Refuse what may hold a secret before anything else, and repeat none of it. Raises UsageError."""
    if is_path(text):
        return
    if text.startswith(":"):
        raise UsageError(
            "remotes made on the fly (`:backend,option=...:`) are refused, because logs would show their secrets; "
            "make a remote with `rclone config`, or name one under `remotes:` in the config"
        )
    head, colon, rest = text.partition(":")
    if "=" in head or (colon and "," in head):
        raise UsageError(
            "options inside a location are refused, because logs would show their secrets; "
            "put them under `remotes:` in the config, and write ./ before the name of a folder"
        )
    if rest.startswith("//") and _has_credentials(head.lower(), rest[2:]):
        raise UsageError(
            f"{head.lower()}://: no user name or password in a location; use the provider's environment variables or a remote"
        )
    if "/" in head and "@" in rest:
        raise UsageError("no user name or password in a location; write ./ before the name of a folder")


def _has_credentials(scheme: str, rest: str) -> bool:
    if _PASSWORD.match(rest):
        return True
    first = rest.partition("/")[0]
    profile = profiles.profile_for_url(scheme) if ":" in first or "@" in first else None
    return profile is not None and profile.has_buckets  # no bucket has such a name


def is_path(text: str) -> bool:
    """Whether a location is a path on this machine. A bare word never is: it is a name of the config."""
    return text.startswith(("/", "./", "../", "~/")) or text in (".", "..", "~")


def is_relative(text: str) -> bool:
    """Whether a path on this machine depends on the folder in which the program is started."""
    return text.startswith(("./", "../")) or text in (".", "..")
