"""The remotes that are configured, and what each can do."""

from __future__ import annotations

from typing import Any

from orchestrator.actions.location_check import inspect
from orchestrator.actions.session import Session
from orchestrator.config.options.remotes import RemotesCheckOptions
from orchestrator.errors import ConfigError, UsageError
from orchestrator.report.location_view import facts_text
from orchestrator.report.reporter import Column


def list_remotes(session: Session) -> dict[str, str]:
    """List every remote of the rclone config and of ours with its type."""
    remotes = dict(sorted(session.remotes.items()))
    rows = [{"name": name, "backend": kind} for name, kind in remotes.items()]
    columns = [Column("name", "remote"), Column("backend", "type")]
    session.reporter.table("remote", columns, rows, empty="no remotes; `rclone config` creates one")
    return remotes


def check_remote(options: RemotesCheckOptions, session: Session) -> dict[str, Any]:
    """Connect to a remote or a location, try it with a file of ours, and report what it can do.

    Raises UsageError, TransientError, RateLimitError and AuthError.
    """
    remote = options.remote
    without_colon = _is_remote(session, remote)
    try:
        (location,) = session.locations(f"{remote}:" if without_colon else remote)
    except UsageError as error:
        if not without_colon or isinstance(error, ConfigError):
            raise
        raise UsageError(f"{error.message}; for a folder of this machine, write ./{remote}") from error
    facts = inspect(session, location)
    session.reporter.document("capabilities", facts_text(facts), facts)
    return facts


def _is_remote(session: Session, text: str) -> bool:
    """Whether a remote was named without its colon."""
    return not any(mark in text for mark in "/:=") and text not in (".", "..", "~") and text not in session.config.locations
