"""`scan --explain`: read one file afresh, and say what was asked for and why. The catalogue is neither asked nor told."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from orchestrator.errors import ExitCode, TransientError, UsageError

if TYPE_CHECKING:
    from orchestrator.actions.session import Session
    from orchestrator.location import Location
    from orchestrator.report.reading_view import Explanation

_STREAM = frozenset(("duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless"))
"""The fields of a Track that are no tags."""


def explain(session: Session, location: str | None, files: Sequence[str], wished: str | None = None) -> ExitCode:
    """Explain each of `files`, paths below `location` or, without one, locations of their own. `wished` is a policy.

    Raises UsageError for what is no file there.
    """
    from orchestrator.report.reading_view import text  # noqa: PLC0415 - heavy

    code = ExitCode.DONE
    for file in files:
        place, path = _find(session, location, file)
        found = _read(session, place, path, wished)
        session.summary.files_read += 1
        session.summary.bytes_read += found.bytes_read
        session.reporter.document("explanation", text(found), msgspec.to_builtins(found))
        if found.reason is not None:
            session.reporter.error("unreadable", found.reason, path)
            session.summary.ops_skipped += 1
            code = ExitCode.SOME_FAILED
    return code


def _find(session: Session, location: str | None, file: str) -> tuple[Location, str]:
    """The library and the path in it that are meant."""
    if location is None:
        location, path = _split(file)
        return session.places(location)[0], path
    (place,) = session.places(location)
    for root in (place.fs, "" if location in session.config.locations else location):
        prefix = root if root.endswith((":", "/")) else f"{root}/"
        if root and file.startswith(prefix):
            file = file.removeprefix(prefix)
            break
    path = posixpath.normpath(file)
    if path.startswith(("/", "../")) or path in ("", ".", ".."):
        raise UsageError(f"{file}: no path of a file below {place.typed}")
    return place, path


def _split(file: str) -> tuple[str, str]:
    """The folder of a file that was typed as a location, and its name."""
    end = max(file.rfind("/"), file.find(":") if "/" not in file else -1) + 1
    folder, name = file[:end], file[end:]
    if not folder or name in ("", ".", ".."):
        raise UsageError(f"--explain {file}: write LOCATION --explain PATH, or the file as a location (./{name or 'x.mp3'})")
    return (folder.rstrip("/") or "/") if not folder.endswith("://") else folder, name


def _read(session: Session, place: Location, path: str, wished: str | None) -> Explanation:
    """Read the file as a scan would. Raises UsageError where there is none."""
    from orchestrator.catalogue.reading import read_entry  # noqa: PLC0415 - heavy
    from orchestrator.report.reading_view import Explanation  # noqa: PLC0415
    from orchestrator.tags.formats import is_audio  # noqa: PLC0415
    from orchestrator.tags.policy import FEW_REQUESTS  # noqa: PLC0415
    from orchestrator.tags.trace import Trace  # noqa: PLC0415

    storage, policy, trace = session.storage(place), session.policy(place, wished), Trace()
    try:
        entry = storage.stat(path)
    except TransientError as error:
        error.message = f"{place.typed} cannot be reached: {error.message}"
        raise
    if entry is None:
        raise UsageError(f"{path}: there is no such file in {place.typed}")
    with storage.reading(policy.piece):
        reading = read_entry(storage, entry, policy, trace)
    track = msgspec.to_builtins(reading.track) if reading.track is not None else {}
    return Explanation(
        location=place.fs,
        path=path,
        size=entry.size or 0,  # an unknown one was refused above
        scanned=is_audio(path),
        policy="few-requests" if policy is FEW_REQUESTS else "few-bytes",
        way=session.direct(place).way_of_reading(path),
        container=trace.container,
        recognised_by=trace.recognised_by,
        requests=trace.asked,
        skipped=trace.skipped(),
        bytes_read=reading.bytes_read,
        status=reading.status,
        reason=reading.reason,
        tags={name: value for name, value in track.items() if name not in _STREAM},
        stream={name: value for name, value in track.items() if name in _STREAM},
        identity=reading.identity,
        suspect=reading.suspect,
        covers=reading.covers,
    )
