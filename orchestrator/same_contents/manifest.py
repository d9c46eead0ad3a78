"""The manifest of `verify`: one JSON line a file of the source, sorted by path. The same files give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.atomic_file import check_replaceable, write_atomically
from orchestrator.errors import UsageError
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Proof, Wanted

FORMAT = "music-orchestrator-manifest/1"


def write_manifest(file: Path, source: str, target: str, found: Matching, read: tuple[float, float] | None) -> None:
    """Write it; it appears complete or not at all. Raises UsageError.

    `source` and `target` are the locations. `read`: when the first and the last file was read (seconds since 1970), if any was.
    """
    try:
        check_replaceable(file, "manifest")
        write_atomically(file, (msgspec.json.encode(line) + b"\n" for line in _lines(source, target, found, read)))
    except OSError as error:
        raise UsageError(f"cannot write the manifest {file}: {error.strerror}") from error


def _lines(source: str, target: str, found: Matching, read: tuple[float, float] | None) -> Iterator[dict[str, Any]]:
    files = found.source
    proved = sum(file.proof is not None for file in files)
    header = {"format": FORMAT, "source": source, "target": target, "files": len(files), "proved": proved}
    yield header if read is None else header | {"read": [*map(_time, read)]}
    for file in files:
        yield line_of(file)


def line_of(file: Wanted) -> dict[str, Any]:
    """What the manifest says of a file: the proof and the path at the target, otherwise the reason; and its hashes."""
    line: dict[str, Any] = {"path": file.path}
    if file.shares_name:
        line["id"] = file.entry.id
    line |= {"size": file.entry.size, "proof": file.proof}
    if file.proof is None:
        line["reason"] = file.reason
    elif file.twin is not None:
        line["target"] = file.twin.path
    hashes = file.hashes
    if file.proof is Proof.SOUND and file.reading is not None and file.reading.identity is not None:
        line["sound"] = f"{file.reading.identity.kind}:{file.reading.identity.value}"
        line["whole"] = file.whole
    elif file.proof is not None and file.twin is not None:
        theirs = file.twin.hashes  # those that are the proof
        hashes = {kind: value for kind, value in hashes.items() if kind in theirs}
    line["hash"] = dict(sorted(hashes.items()))
    sides = {"source": file, "target": file.twin if file.proof is not None else None}
    if before := {side: _time(one.read_before) for side, one in sides.items() if one is not None and one.read_before is not None}:
        line["read"] = before
    return line


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
