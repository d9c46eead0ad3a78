"""The error tree and the one table error -> exit code.

    OrchestratorError
    ├── UsageError                  the command line, or what it names
    │   └── ConfigError             the config file: file and line in the message
    ├── RemoteError                 a storage said no
    │   ├── TransientError          worth another try: connection lost, 5xx
    │   ├── RateLimitError          worth another try, later and slower
    │   ├── AuthError               credentials refused, or clocks apart
    │   ├── QuotaError              no space left: writes there stop
    │   ├── NotFoundError           the file, directory or bucket is not there
    │   ├── DestinationExistsError  something is in the way
    │   ├── CorruptTransferError    what arrived is not what was sent
    │   └── PermanentError          this item will never work: name, permission, kind
    │       └── UnsupportedError    the storage cannot do that at all
    ├── StalePlanError              what the plan was made from has changed
    ├── SafetyLimitError            a limit that protects the library would be passed
    ├── LockedError                 another run holds the lock
    ├── IntegrityError              a damaged plan, journal or transfer
    └── InterruptedRunError         stopped by a signal; resumable

A message is one line that names the thing and the remedy and carries no secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the program ends with (contract)."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    SOME_FAILED = 3
    STALE = 4
    UNREACHABLE = 5
    AUTH = 6
    SAFETY_LIMIT = 7
    LOCKED = 8
    INTEGRITY = 9
    PENDING = 10
    INTERRUPTED = 130


class OrchestratorError(Exception):
    """The root. `path` is the item that the error is about, where there is one."""

    exit_code: ExitCode = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class UsageError(OrchestratorError):
    """The command line, or something that it names, cannot be used."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """The config file is wrong; the message names file and line."""


class RemoteError(OrchestratorError):
    """A storage refused or failed. Subclasses say what the caller can do about it."""

    exit_code = ExitCode.SOME_FAILED


class TransientError(RemoteError):
    """May work when tried again: refused or lost connection, time-out, 5xx."""

    exit_code = ExitCode.UNREACHABLE


RATE_LIMIT_WAIT_S = 4.0
"""A remote that wants fewer requests and does not say when to come back is left alone for so long at first. rclone hands on what
Dropbox says; what S3 and WebDAV say stands in a header, which never gets into its error's text."""

LONGEST_RETRY_AFTER_S = 900.0
"""A remote that asks for more is out of reach."""


class RateLimitError(RemoteError):
    """The remote wants fewer requests. `retry_after` is in seconds, None when it did not say."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, message: str, *, path: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, path=path)
        self.retry_after = retry_after

    @property
    def out_of_reach(self) -> bool:
        """Whether it asks for more patience than anybody has: another run may come when the time is up."""
        return (self.retry_after or 0.0) > LONGEST_RETRY_AFTER_S


class AuthError(RemoteError):
    """Credentials refused, expired, or clocks too far apart: nothing on that remote will work."""

    exit_code = ExitCode.AUTH


class QuotaError(RemoteError):
    """No space left: no further write to that remote."""

    exit_code = ExitCode.SAFETY_LIMIT


class NotFoundError(RemoteError):
    """The file, directory or bucket does not exist."""


class DestinationExistsError(RemoteError):
    """Something already lies at the destination."""


class CorruptTransferError(RemoteError):
    """What arrived differs from what was sent."""

    exit_code = ExitCode.INTEGRITY


class PermanentError(RemoteError):
    """This item cannot work: its name, its permission or its kind forbids it."""


class UnsupportedError(PermanentError):
    """The storage has no such operation."""


class StalePlanError(OrchestratorError):
    """What the plan was made from has changed."""

    exit_code = ExitCode.STALE


class SafetyLimitError(OrchestratorError):
    """A limit that protects the library would be passed."""

    exit_code = ExitCode.SAFETY_LIMIT


class LockedError(OrchestratorError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED


class IntegrityError(OrchestratorError):
    """A plan, a journal or a transfer is damaged."""

    exit_code = ExitCode.INTEGRITY


class InterruptedRunError(OrchestratorError):
    """Stopped by a signal; `resume` continues."""

    exit_code = ExitCode.INTERRUPTED


# Where several apply, the first one wins (contract).
PRECEDENCE: tuple[ExitCode, ...] = (
    ExitCode.INTERRUPTED,
    ExitCode.INTEGRITY,
    ExitCode.AUTH,
    ExitCode.SAFETY_LIMIT,
    ExitCode.UNREACHABLE,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.PENDING,
    ExitCode.SOME_FAILED,
)


def worst(codes: Iterable[int]) -> ExitCode:
    """The exit code to end with when these apply together; 0 when there are none.

    Usage and unexpected errors end a program at once and so never meet another code; they win if they do.
    """
    seen = {ExitCode(code) for code in codes}
    for code in (ExitCode.USAGE, ExitCode.UNEXPECTED, *PRECEDENCE):
        if code in seen:
            return code
    return ExitCode.DONE
