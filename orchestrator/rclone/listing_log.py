"""What the log of a listing says: why it failed, which folders are closed to us or excluded, what else was left out.

It is JSON (`FLAGS`), because in rclone's plain log nothing tells a path that contains ": " from the reason after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import IO

import msgspec

from orchestrator.errors import AccessDeniedError, NotFoundError, OrchestratorError, PartialListingError, TransientError
from orchestrator.rclone.classify import classify
from orchestrator.rclone.ranges import HAS_QUOTE, has_quote

FLAGS = ("--use-json-log",)
NAME_EXCLUDED = ("--log-level=DEBUG",)
"""Then rclone names each folder that its filters leave out."""
VANISHED = "vanished while it was listed"
"""What the error says of a folder that was shown and then not found."""
_EXCLUDED = "Excluded"
_UNDECRYPTABLE = ("Skipping undecryptable file name", "Skipping undecryptable dir name")
_MOST_LINES = 20_000
"""Of more messages only the last ones are read; then they do not say all that is closed."""
_EXIT_DIRECTORY_NOT_FOUND = 3
_LAST_WORDS = "Failed to lsjson"
_DEBUG = b'"level":"debug"'
_ERRORS = frozenset({"error", "critical", "fatal", "emergency", "alert"})


class _Line(msgspec.Struct):
    level: str = ""
    msg: str = ""
    object: str = ""
    """The path that it is about; "" for the root."""


def failure(fs: str, code: int, log: IO[bytes], *, complete: bool) -> OrchestratorError | None:
    """Why the listing of `fs` failed; None when the log does not say. `complete`: the listing has its end.

    PartialListingError when all that failed are folders that may not be listed. rclone lists everything else, but where the
    backend leaves the error to rclone's core it writes no end: then its last words show that it was not killed.
    """
    lines = deque(_lines(log), maxlen=_MOST_LINES)
    whole = len(lines) < _MOST_LINES
    last_words = [line.msg for line in lines if _LAST_WORDS in line.msg]
    errors = [line for line in lines if line.level in _ERRORS]
    below_root = any(line.object for line in errors)
    if code == _EXIT_DIRECTORY_NOT_FOUND and (errors or last_words) and not below_root:
        return NotFoundError(f"{fs}: no such folder or bucket", path=fs)
    all_listed = whole and (complete or bool(last_words))
    closed: dict[str, str] = {}
    for line in errors:
        error = _error(fs, line)
        if not (all_listed and line.object and isinstance(error, AccessDeniedError)):
            return error  # the first one is the cause, later ones count and repeat
        closed.setdefault(line.object, error.message)
    if closed:
        return PartialListingError(next(iter(closed.values())), closed=closed)
    return classify(last_words[-1], path=fs, names=(fs,)) if last_words else None


def _error(fs: str, line: _Line) -> OrchestratorError:
    reason = f"{line.object}: {line.msg}" if line.object else line.msg
    error = classify(reason, path=fs, names=(fs, line.object))
    if line.object and isinstance(error, NotFoundError) and has_quote(line.object):
        return AccessDeniedError(f"its {HAS_QUOTE}", path=fs)
    if line.object and isinstance(error, NotFoundError):
        return TransientError(f"{fs}: {line.object}: {VANISHED}", path=fs)
    return error


def lines_that_end_in(log: IO[bytes], text: str) -> int:
    """How many messages end so."""
    return sum(line.msg.endswith(text) for line in _lines(log))


def undecryptable_names(log: IO[bytes]) -> Iterator[str]:
    """What a crypt has left out because it cannot decrypt the name: the encrypted paths."""
    return (line.object for line in _lines(log) if line.msg.startswith(_UNDECRYPTABLE))


def excluded_folders(log: IO[bytes]) -> Iterator[str]:
    """The folders that the filters have left out; with NAME_EXCLUDED only."""
    return (line.object for line in _lines(log, debug=True) if line.msg == _EXCLUDED and line.object)


def _lines(log: IO[bytes], *, debug: bool = False) -> Iterator[_Line]:
    """The messages; those for developers only with `debug`, which gives no others."""
    log.seek(0)
    decode = msgspec.json.Decoder(_Line).decode
    for line in log:
        if (_DEBUG in line) != debug:
            continue
        try:
            yield decode(line)
        except msgspec.DecodeError:  # a panic, for example
            yield _Line("critical" if b"panic" in line else "", line.decode("utf-8", "replace").strip())
