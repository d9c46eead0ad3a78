"""`remotes`: what is configured, what it can do, its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.remotes import RemotesCheckOptions, RemotesListOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("remotes", default="list")
def remotes_command() -> None:
    """Show the remotes of the rclone config and of ours. Without a command: list."""


@command("list", RemotesListOptions, parent=remotes_command, title="remotes")
def list_command(session: Session, _options: RemotesListOptions) -> int:
    """List every remote with its type."""
    from orchestrator.report.reporter import Column  # noqa: PLC0415 - the rooms are imported when a command runs

    session.places()
    rows = [{"name": name, "backend": kind} for name, kind in sorted(session.remotes.items())]
    columns = [Column("name", "remote"), Column("backend", "type")]
    session.reporter.table("remote", columns, rows, empty="no remotes; `rclone config` makes one")
    return ExitCode.DONE


@command("check", RemotesCheckOptions, parent=remotes_command, title="remotes check")
def check_command(session: Session, options: RemotesCheckOptions) -> int:
    """Reach REMOTE (a location) and say what it can do."""
    import msgspec  # noqa: PLC0415 - the rooms are imported when a command runs

    from orchestrator.actions.scan import reaching  # noqa: PLC0415

    remote = options.remote
    (place,) = session.places(f"{remote}:" if _is_remote(session, remote) else remote)
    storage = session.direct(place)
    with reaching(session, place):
        facts = msgspec.to_builtins(storage.capabilities)
        quota = storage.quota() if storage.capabilities.quota else None
        # Asking what it can do needs no answer from the server; a listing does.
        first = next(iter(storage.list()), None)
    fields = {
        "location": place.fs,
        "profile": storage.profile.type,
        "reachable": True,
        "empty": first is None,
        **facts,
        "quota": msgspec.to_builtins(quota) if quota else None,
    }
    width = max(map(len, fields))
    text = "\n".join(f"{name:<{width}}  {_word(value)}" for name, value in fields.items())
    session.reporter.document("capabilities", text, fields)
    return ExitCode.DONE


def _is_remote(session: Session, text: str) -> bool:
    """`remotes check NAME` may leave out the colon."""
    return not any(mark in text for mark in "/:=") and text not in (".", "..", "~") and text not in session.config.locations


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return "-" if value is None else str(value)
