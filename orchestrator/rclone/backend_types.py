"""The names of rclone's backends, as far as they are known without asking rclone."""

from __future__ import annotations

from orchestrator.profiles import all_profiles


def known_backends() -> frozenset[str]:
    """The backend types that rclone-python or our profiles know, and our other names for them."""
    from rclone_python.remote_types import RemoteTypes  # noqa: PLC0415 - only a check of the config needs it

    ours = {name for profile in all_profiles() for name in (profile.type, *profile.aliases)}
    return frozenset(ours | {str(one.value) for one in RemoteTypes})
