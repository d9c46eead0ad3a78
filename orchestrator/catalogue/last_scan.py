"""What the last scan found, without another look: for planning where nothing is to be listed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.catalogue.compare import Difference
from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.update import ScanResult, name_trouble
from orchestrator.records import Capabilities


class Recalled(msgspec.Struct, frozen=True):
    """One location as the catalogue knows it."""

    result: ScanResult
    capabilities: Capabilities
    scanned_ns: int
    """When it was last listed, nanoseconds since 1970, UTC. What this program changed since is known as well."""
    unread: int
    """Audio files whose tags no reader of this version has read: they are not to be planned for."""


def recall(
    catalogue: Catalogue, fs: str, *, include: Sequence[str] = (), exclude: Sequence[str] = (), settle_s: float = 0.0, now_ns: int
) -> Recalled | None:
    """What the catalogue knows of `fs`; None when it was never scanned."""
    with catalogue.using() as connection:
        row = connection.execute("SELECT scanned_ns, capabilities FROM location WHERE fs = ?", (fs,)).fetchone()
    if row is None or row[0] is None or row[1] is None:
        return None
    capabilities = msgspec.json.decode(row[1], type=Capabilities)
    seen, audio = catalogue.count(fs), catalogue.audio_count(fs)
    result = ScanResult(
        files_seen=seen,
        audio_seen=audio,
        difference=Difference(seen=seen, audio=audio),
        selection=Selection(tuple(include), tuple(exclude), int(settle_s * 1e9), now_ns),
    )
    name_trouble(catalogue, fs, result, capabilities)
    return Recalled(result, capabilities, row[0], catalogue.unread_count(fs))
