"""The remotes that are configured, and what each can do."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.actions.locations import reaching
from orchestrator.actions.session import Session
from orchestrator.config.options.remotes import RemotesCheckOptions
from orchestrator.report.reporter import Column


def list_remotes(session: Session) -> dict[str, str]:
    """List every remote of the rclone config and of ours with its type."""
    remotes = dict(sorted(session.remotes.items()))
    rows = [{"name": name, "backend": kind} for name, kind in remotes.items()]
    columns = [Column("name", "remote"), Column("backend", "type")]
    session.reporter.table("remote", columns, rows, empty="no remotes; `rclone config` creates one")
    return remotes


def check_remote(options: RemotesCheckOptions, session: Session) -> dict[str, Any]:
    """Connect to a remote or a location, and report what it can do. Raises the errors of the storage."""
    remote = options.remote
    (location,) = session.locations(f"{remote}:" if _is_remote(session, remote) else remote)
    storage = session.rclone_storage(location)
    with reaching(session, location):
        capabilities = msgspec.to_builtins(storage.capabilities)
        quota = storage.quota() if storage.capabilities.quota else None
        # The capabilities need no answer from the server; a listing does.
        first = next((entry for entry in storage.list() if not entry.path.endswith("/")), None)
    facts = {
        "location": location.fs,
        "profile": storage.profile.type,
        "reachable": True,
        "empty": first is None,
        **capabilities,
        "without_tls": session.rclone.hosts_without_tls().get(location.remote or ""),
        "quota": msgspec.to_builtins(quota) if quota else None,
    }
    width = max(map(len, facts))
    text = "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in facts.items())
    session.reporter.document("capabilities", text, facts)
    return facts


def _is_remote(session: Session, text: str) -> bool:
    """Whether a remote was named without its colon."""
    return not any(mark in text for mark in "/:=") and text not in (".", "..", "~") and text not in session.config.locations


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return "-" if value is None else str(value)
