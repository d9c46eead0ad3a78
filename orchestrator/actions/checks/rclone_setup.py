"""rclone, its config file, and the remotes in it. Nothing is contacted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orchestrator.actions.checks.places import contacted, unknown_types
from orchestrator.actions.remote_check import idle_settings, needs_rclone, remote_problems
from orchestrator.actions.session import Session
from orchestrator.errors import ExitCode
from orchestrator.rclone.config_password import is_encrypted
from orchestrator.report.finding import Finding
from orchestrator.wording import counted

_MOUNTS = Path("/proc/self/mountinfo")


def check_rclone(session: Session) -> Iterator[Finding]:
    """Find rclone and its config file. Raises UsageError for an rclone that cannot be used, and for a config it cannot read."""
    binary = session.binary
    yield Finding("rclone", ok=True, message=f"{binary.version} ({binary.path})")
    file = session.rclone.config_file()
    if not file.exists() and os.environ.get("RCLONE_CONFIG") and session.rclone_config is None:
        remedy = "correct the variable, or leave it out to use rclone's own file"
        message = f"RCLONE_CONFIG names {file}, which does not exist"
        yield Finding("rclone config", ok=False, message=message, remedy=remedy, code=ExitCode.USAGE)
        return
    if not file.exists():
        yield Finding("rclone config", ok=True, message=f"{file}: no file, so only the config and the environment define remotes")
        return
    if file.stat().st_mode & 0o077 and not is_encrypted(file):
        yield Finding(
            "rclone config", ok=False, message=f"others can read {file}, and the passwords in it", remedy=f"`chmod 600 {file}`"
        )
    refreshed = session.rclone.refreshed()  # the first request: raises what is wrong with the file
    if refreshed and (why := _why_not_replaceable(file)):
        names = ", ".join(f"{name}:" for name in sorted(refreshed))
        yield Finding(
            "rclone config",
            ok=False,
            message=f"rclone cannot store the tokens of {names} again when it refreshes them: {why}",
            remedy="let it write there, or move the file to a folder of its own and name it with `rclone_config`",
            code=ExitCode.SOME_FAILED,
        )
    else:
        yield Finding("rclone config", ok=True, message=str(file))


def _why_not_replaceable(file: Path) -> str | None:
    """Why rclone cannot put a new file in the place of this one, which is how it writes it."""
    real = file.resolve()
    if not os.access(real.parent, os.W_OK | os.X_OK):
        return f"this user may not write to the folder {real.parent}, or its disk is read-only"
    with suppress(OSError):
        if any(line.split()[4] == str(real) for line in _MOUNTS.read_text().splitlines()):
            return f"{real} alone is mounted (as into a container), so it cannot be replaced; mount its folder"
    return None


_NO_REMOTES = "none yet, only folders of this machine; `rclone config` adds one"


def check_remotes(session: Session) -> Iterator[Finding]:
    """Check what the rclone config and ours say of remotes."""
    known = session.remotes
    shown = ", ".join(f"{name}: ({kind})" for name, kind in sorted(known.items()))
    yield Finding("remotes", ok=True, message=f"{counted(len(known), 'remote')}: {shown}" if known else _NO_REMOTES)
    if others := sorted(known.keys() - contacted(session)):
        yield Finding(
            "other remotes",
            ok=True,
            message=f"not contacted, because the config does not name them: {', '.join(f'{name}:' for name in others)}",
            remedy=f"`music-orchestrator remotes check {others[0]}:` tries one",
        )
    for name in sorted(unknown_types(session)):
        yield Finding(
            f"remote {name}",
            ok=False,
            message=session.rclone.backends.unknown_type(known[name]) or "",
            remedy=f"correct its `type` in {session.rclone.config_file()}",
            code=ExitCode.USAGE,
        )
    for name in sorted(session.rclone.without_type()):
        yield Finding(
            f"remote {name}",
            ok=False,
            message=f"has no `type` in {session.rclone.config_file()}, so rclone does not know it",
            remedy="add the type there, or make the remote again with `rclone config`",
            code=ExitCode.USAGE,
        )
    for name, host in sorted(session.rclone.hosts_without_tls().items()):
        yield Finding(
            f"remote {name}",
            ok=False,
            message=f"is at http://{host}, without TLS: others on the way can read and change the files",
            remedy=f"give {name} an address with https://, if its server has one",
        )
    if needs_rclone(session.config):
        for problem in remote_problems(session.loaded_config, known, session.rclone.backends):
            yield Finding("config", ok=False, message=problem.message, code=ExitCode.USAGE)
        for sentence in idle_settings(session.loaded_config, session.rclone.backends):
            yield Finding("config", ok=False, message=sentence)
