"""What the catalogue knows about a location from its last scan: for plans without a new listing."""

from __future__ import annotations

import msgspec

from orchestrator.catalogue.compare import Difference
from orchestrator.catalogue.database import FOREIGN_FOLDERS
from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.update import ScanResult, add_known_problems
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.records import Capabilities


class LastScan(msgspec.Struct, frozen=True):
    """One location, as the catalogue knows it."""

    result: ScanResult
    capabilities: Capabilities
    scanned_ns: int
    """When it was last listed, nanoseconds since 1970, UTC. Our own changes since then are included."""
    unread: int
    """Audio files that this version of the reader has not read: plans must leave them out."""


def find_last_scan(catalogue: Catalogue, fs: str, selection: Selection, *, hidden: HiddenFolders = ALL_HIDDEN) -> LastScan | None:
    """What the catalogue knows about `fs`; None when it was never scanned."""
    with catalogue.writing() as connection:
        row = connection.execute("SELECT scanned_ns, capabilities FROM location WHERE fs = ?", (fs,)).fetchone()
        connection.execute(FOREIGN_FOLDERS)
        folders = [path.decode() for (path,) in connection.execute("SELECT path FROM foreign_folder WHERE fs = ?", (fs,))]
    if row is None or row[0] is None or row[1] is None:
        return None
    capabilities = msgspec.json.decode(row[1], type=Capabilities)
    catalogue.forget_hidden(fs, hidden.hides)
    seen, audio = catalogue.count(fs), catalogue.audio_count(fs)
    result = ScanResult(
        files_seen=seen,
        audio_seen=audio,
        difference=Difference(seen=seen, audio=audio),
        selection=selection,
        foreign_folders=[folder for folder in folders if hidden.folder_of(f"{folder}/_") == folder],
    )
    add_known_problems(catalogue, fs, result, capabilities)
    return LastScan(result, capabilities, row[0], catalogue.unread_count(fs))


def scanned_locations(catalogue: Catalogue) -> list[str]:
    """The locations (in canonical form) that were scanned to their end."""
    with catalogue.using() as connection:
        return [fs for (fs,) in connection.execute("SELECT fs FROM location WHERE scanned_ns IS NOT NULL")]
