"""Read one file and explain how: each range that was requested, and why. The catalogue is neither used nor changed."""

from __future__ import annotations

import posixpath

import msgspec

from orchestrator.actions.locations import reaching
from orchestrator.actions.session import Session
from orchestrator.catalogue.reading import read_entry
from orchestrator.config.options.scan import ScanOptions
from orchestrator.errors import ExitCode, UsageError
from orchestrator.location import Location
from orchestrator.report.reading_view import Explanation, text
from orchestrator.tags.formats import is_audio
from orchestrator.tags.policy import FEW_REQUESTS
from orchestrator.tags.trace import Trace

_STREAM = frozenset(("duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless", "video"))
"""The fields of a Track that are not tags."""


class Explanations(msgspec.Struct, frozen=True):
    """What was explained."""

    exit_code: ExitCode
    """3 when a file could not be read as audio."""
    files: tuple[Explanation, ...]


def explain(options: ScanOptions, session: Session) -> Explanations:
    """Read each file of `options.explain`: paths below `options.location` or, without one, locations themselves.

    Raises UsageError when there is no such file, and for options that only a scan has.
    """
    if options.include or options.exclude or options.settle or options.allow_empty:
        raise UsageError(
            "--explain reads only the given files: --include, --exclude, --settle and --allow-empty cannot be combined with it"
        )
    code = ExitCode.DONE
    explanations = []
    for file in options.explain:
        found, path = _find(session, options.location, file)
        explanation = _read(session, found, path, options.reading)
        explanations.append(explanation)
        session.summary.files_read += 1
        session.summary.bytes_read += explanation.bytes_read
        session.reporter.document("explanation", text(explanation), msgspec.to_builtins(explanation))
        if explanation.reason is not None:
            session.reporter.error("unreadable", explanation.reason, path)
            session.summary.ops_skipped += 1
            code = ExitCode.SOME_FAILED
    return Explanations(code, tuple(explanations))


def _find(session: Session, location: str | None, file: str) -> tuple[Location, str]:
    """The location of a file, and its path there."""
    if location is None:
        location, path = _split(file)
        return session.locations(location)[0], path
    (found,) = session.locations(location)
    for root in (found.fs, "" if location in session.config.locations else location):
        prefix = root if root.endswith((":", "/")) else f"{root}/"
        if root and file.startswith(prefix):
            file = file.removeprefix(prefix)
            break
    path = posixpath.normpath(file)
    if path.startswith(("/", "../")) or path in ("", ".", ".."):
        raise UsageError(f"{file}: not the path of a file in {found.typed}")
    return found, path


def _split(file: str) -> tuple[str, str]:
    """The folder of a file that was typed as a location, and its name."""
    end = max(file.rfind("/"), file.find(":") if "/" not in file else -1) + 1
    folder, name = file[:end], file[end:]
    if not folder or name in ("", ".", ".."):
        raise UsageError(f"--explain {file}: write LOCATION --explain PATH, or the file as a location (./{name or 'x.mp3'})")
    return (folder.rstrip("/") or "/") if not folder.endswith("://") else folder, name


def _read(session: Session, location: Location, path: str, reading: str | None) -> Explanation:
    """Read the file as a scan does. Raises UsageError when there is no such file."""
    storage, policy, trace = session.storage(location), session.reading_policy(location, reading), Trace()
    with reaching(session, location):
        entry = storage.stat(path)
    if entry is None:
        raise UsageError(f"{path}: there is no such file in {location.typed}")
    with storage.reading(policy.piece, files=1):
        result = read_entry(storage, entry, policy, trace)
    track = msgspec.to_builtins(result.track) if result.track is not None else {}
    return Explanation(
        location=location.fs,
        path=path,
        size=entry.size or 0,  # read_entry has refused a file of unknown size
        scanned=is_audio(path),
        policy="few-requests" if policy is FEW_REQUESTS else "few-bytes",
        way=session.rclone_storage(location).read_method(path),
        container=trace.container,
        recognised_by=trace.recognised_by,
        requests=trace.asked,
        skipped=trace.skipped(),
        bytes_read=result.bytes_read,
        status=result.status,
        reason=result.reason,
        tags={name: value for name, value in track.items() if name not in _STREAM},
        stream={name: value for name, value in track.items() if name in _STREAM},
        identity=result.identity,
        suspect=result.suspect,
        covers=result.covers,
    )
