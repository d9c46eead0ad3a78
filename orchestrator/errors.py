"""The error tree and the one table error -> exit code.

    OrchestratorError
    ├── UsageError                  the command line, or something that it names
    │   └── ConfigError             the config file; the message has file and line
    ├── RemoteError                 a storage refused or failed
    │   ├── TransientError          try again: connection lost, 5xx
    │   │   ├── NotStartedError     not sent, because the run was stopped first
    │   │   └── InUseError          another request holds the lock of a folder
    │   ├── RateLimitError          try again later, with fewer requests
    │   ├── AuthError               credentials refused, or clocks differ
    │   │   └── NoCredentialsError  none are set
    │   ├── QuotaError              no space left: no more writes there
    │   ├── NotFoundError           the file, directory or bucket does not exist
    │   ├── DestinationExistsError  a file lies at the destination
    │   ├── CorruptTransferError    the copy differs from what was sent
    │   ├── TooManyFilesError       a listing shows more files than were asked for
    │   └── PermanentError          this item never works: name, permission, kind
    │       ├── UnsupportedError    the storage has no such operation
    │       ├── NotWithThisKeyError the password of a crypt does not open the file
    │       ├── NotEmptyError       a folder still holds something
    │       ├── BelowFileError      a folder on the way is a file
    │       ├── ArchivedError       this file must be restored to another storage class first
    │       ├── OtherRegionError    the bucket is in another region
    │       ├── MisplacedError      the server reported success, but the file is not where it was to be
    │       └── AccessDeniedError   the right to do this is missing
    │           └── PartialListingError    some folders could not be listed; all others were
    ├── StalePlanError              the files have changed since the plan was made
    ├── SafetyLimitError            a limit that protects the library would be exceeded
    │   └── UndecryptableError      a crypt can decrypt nothing of what it holds
    ├── LockedError                 another run holds the lock
    ├── IntegrityError              a damaged plan, journal or transfer
    └── InterruptedRunError         stopped by a signal; resumable

A message is one line: it names the item and the remedy, and contains no secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from orchestrator.retry_times import LONGEST_RETRY_AFTER_S


class ExitCode(IntEnum):
    """The exit codes of the program (contract)."""

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


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.UNEXPECTED: "unexpected error",
    ExitCode.USAGE: "usage or configuration",
    ExitCode.SOME_FAILED: "some items failed or were skipped",
    ExitCode.STALE: "files have changed since the plan was made",
    ExitCode.UNREACHABLE: "a remote cannot be reached",
    ExitCode.AUTH: "credentials refused",
    ExitCode.SAFETY_LIMIT: "a limit was reached",
    ExitCode.LOCKED: "another run holds the lock",
    ExitCode.INTEGRITY: "a damaged plan, journal or transfer",
    ExitCode.PENDING: "changes are pending",
    ExitCode.INTERRUPTED: "interrupted",
}
"""What each means, in few words."""


class OrchestratorError(Exception):
    """The root. `path` is the item that the error concerns, if any."""

    exit_code: ExitCode = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class UsageError(OrchestratorError):
    """The command line, or something that it names, cannot be used."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """The config file is invalid; the message names file and line."""

    more: tuple[ConfigError, ...] = ()
    """The other mistakes in it."""


class RemoteError(OrchestratorError):
    """A storage refused or failed. Subclasses say what the caller can do about it."""

    exit_code = ExitCode.SOME_FAILED


class TransientError(RemoteError):
    """May work on another try: connection refused or lost, timeout, 5xx."""

    exit_code = ExitCode.UNREACHABLE


class NoAnswerError(TransientError):
    """No answer came in the time that a request was given."""


class OutageError(TransientError):
    """The remote has not answered for longer than an outage is waited for: no request is sent to it for now."""


class NotStartedError(TransientError):
    """The call was not sent, because the run was stopped first."""


class InUseError(TransientError):
    """Another request, often one of ours, holds the lock of a folder (423): try again with no other request beside it."""


class RateLimitError(RemoteError):
    """The remote wants fewer requests. `retry_after` is the delay that it stated in seconds, None for none."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, message: str, *, path: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, path=path)
        self.retry_after = retry_after

    @property
    def out_of_reach(self) -> bool:
        """Whether the stated delay is too long to wait for; a later run may succeed."""
        return (self.retry_after or 0.0) > LONGEST_RETRY_AFTER_S


class AuthError(RemoteError):
    """Credentials refused or expired, or the clocks differ too much: nothing on that remote will work."""

    exit_code = ExitCode.AUTH


class NoCredentialsError(AuthError):
    """Nothing was refused: no credentials are set."""


class QuotaError(RemoteError):
    """No space left: no more writes to that remote."""

    exit_code = ExitCode.SAFETY_LIMIT


class NotFoundError(RemoteError):
    """The file, directory or bucket does not exist."""


class DestinationExistsError(RemoteError):
    """A file already lies at the destination."""


class CorruptTransferError(RemoteError):
    """The copy differs from what was sent."""

    exit_code = ExitCode.INTEGRITY


class TooManyFilesError(RemoteError):
    """There are more files than a listing was to show."""


class PermanentError(RemoteError):
    """This item never works, because of its name, permissions or kind."""


class UnsupportedError(PermanentError):
    """The storage has no such operation."""


class NotWithThisKeyError(PermanentError):
    """A crypt cannot decrypt the content of a file: another password encrypted it, or none."""


class NotEmptyError(PermanentError):
    """The folder cannot be removed, because it still holds something."""


class BelowFileError(PermanentError):
    """A folder on the way is a file, so nothing can be there."""


class ArchivedError(PermanentError):
    """The file is in an archive: it can be neither read nor copied before it is restored to another storage class."""


class OtherRegionError(PermanentError):
    """The bucket is in another region. `region` is which one, if the server said so."""

    def __init__(self, message: str, *, path: str | None = None, region: str | None = None) -> None:
        super().__init__(message, path=path)
        self.region = region


class AccessDeniedError(PermanentError):
    """The right to do this is missing. What that means for a whole location is up to the caller."""


class PartialListingError(AccessDeniedError):
    """Some folders may not be listed; everything else was listed. Raised after the last file."""

    def __init__(self, message: str, *, closed: Iterable[str]) -> None:
        self.closed = tuple(closed)
        """Their paths, and those of files that may not be looked at."""
        super().__init__(message, path=self.closed[0])


class MisplacedError(PermanentError):
    """The server reported success, but the file is neither where it was nor where it was to be."""

    exit_code = ExitCode.INTEGRITY


class StalePlanError(OrchestratorError):
    """The files have changed since the plan was made."""

    exit_code = ExitCode.STALE


class SafetyLimitError(OrchestratorError):
    """A limit that protects the library would be exceeded."""

    exit_code = ExitCode.SAFETY_LIMIT


class UndecryptableError(SafetyLimitError):
    """A crypt can decrypt nothing of what it holds: its password or a setting is wrong, and it only seems to be empty."""


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
    ExitCode.UNEXPECTED,
    ExitCode.AUTH,
    ExitCode.SAFETY_LIMIT,
    ExitCode.UNREACHABLE,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.USAGE,
    ExitCode.PENDING,
    ExitCode.SOME_FAILED,
)


def worst(codes: Iterable[int]) -> ExitCode:
    """The exit code for several codes together; 0 when there are none."""
    seen = {ExitCode(code) for code in codes}
    return next((code for code in PRECEDENCE if code in seen), ExitCode.DONE)
