"""Where the state on this machine is kept: catalogue, journal, locks and logs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.user_paths import user_path

APPLICATION = "music-orchestrator"
SYSTEM_DIRECTORY = Path("/var/lib") / APPLICATION
"""Where systemd makes the directory of a service of the system (`StateDirectory=`)."""


def state_directory(option: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """The state directory, created if needed, accessible only to its owner (0700).

    `option` (command line, environment or config) comes first, then the first entry of systemd's STATE_DIRECTORY, then the
    platform's default; for root, if that does not exist, the directory of the services of the system. Raises UsageError when it
    cannot be created or holds other files.
    """
    environment = os.environ if environment is None else environment
    chosen = chosen_directory(option, environment)
    try:
        if chosen.exists() and not chosen.is_dir():
            raise UsageError(f"the state directory {chosen} is a file: choose another with --state-dir")
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        if chosen.stat().st_mode & 0o077:
            if not _is_ours(chosen):
                raise UsageError(
                    f"the state directory {chosen} holds other files and others can read it: choose another with --state-dir"
                )
            chosen.chmod(0o700)
    except OSError as error:
        raise UsageError(f"cannot use the state directory {chosen}: {error.strerror}; choose another with --state-dir") from error
    if not os.access(chosen, os.R_OK | os.W_OK | os.X_OK):
        raise UsageError(f"cannot write to the state directory {chosen}: fix its permissions, or choose another with --state-dir")
    return chosen


def _is_ours(directory: Path) -> bool:
    """Whether it is empty or already ours: otherwise closing it could lock others out (`--state-dir /tmp`)."""
    names = {entry.name for entry in directory.iterdir()}
    return not names or bool(names & {"catalogue.sqlite3", "journal.sqlite3"})


def chosen_directory(option: str | Path | None, environment: Mapping[str, str]) -> Path:
    """The state directory, which need not exist."""
    if option:
        return user_path(option).absolute()
    from_systemd = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if from_systemd:
        return Path(from_systemd).absolute()
    import platformdirs  # noqa: PLC0415 - kept out of --help

    own = Path(platformdirs.user_state_dir(APPLICATION, appauthor=False))
    # What root's systemd services did must be seen, undone and resumed by hand as well.
    return SYSTEM_DIRECTORY if os.geteuid() == 0 and not own.exists() and SYSTEM_DIRECTORY.is_dir() else own
