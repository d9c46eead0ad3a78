"""How many requests of each kind (see `orchestrator.prices`) the operations of a plan take, by what the storage can do.

Counted at proxies before S3 (moto, `rclone serve s3`), fake-gcs-server, Azurite, WebDAV (`rclone serve webdav`) and emulations of
Google Drive and Dropbox, with the plans of tests/end_to_end/test_estimates.py, which also holds them to it. All looks before and
after are included.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from orchestrator.prices import REQUEST_KINDS
from orchestrator.records import Capabilities

Requests = Mapping[str, float]
"""Kind of request -> number."""

_METHODS = {
    "HEAD": ("look",),
    "GET": ("list", "read"),
    "PUT": ("copy", "write"),
    "POST": ("write",),
    "DELETE": ("delete",),
}
_METHODS_OF_WEBDAV = {
    "PROPFIND": ("look", "list"),
    "GET": ("read",),
    "PUT": ("write",),
    "MOVE": ("write",),
    "MKCOL": ("write",),
    "COPY": ("copy",),
    "DELETE": ("delete",),
}
_METHODS_OF_GOOGLE_CLOUD = {"GET": ("list", "read", "look"), "POST": ("copy", "write"), "DELETE": ("delete",)}
_METHODS_OF_DRIVE = {"GET": ("read", "look", "list"), "POST": ("copy", "write"), "PATCH": ("write",), "DELETE": ("delete",)}
_METHODS_OF_DROPBOX = {"POST": ("read", "copy", "delete", "write", "look", "list")}


class RequestRates(msgspec.Struct, frozen=True, kw_only=True):
    """The requests at one storage."""

    rename: Requests
    """A move or quarantine of one file within it; in a bucket, that is a copy and a deletion."""
    own_looks: Requests = {}
    """Those of `rename` that listings can stand for. Halfway between a plan that is carried out at once and one that waits."""
    copy: Requests
    """A copy of one file within it."""
    upload: Requests
    """A file that comes from elsewhere."""
    download: Requests
    """A file that is read for a copy elsewhere."""
    leave: Requests
    """The same, and the file is deleted here afterwards."""
    rewrite: Requests
    """A text of ours, without its final name."""
    moved_there: Requests = {}
    """Beside those of an upload, if its source is deleted afterwards: the copy is looked at once more."""
    replace: Requests = {}
    """A file from elsewhere that takes the place of another one at once, which the server has copied to the trash. Where uploads
    cannot do that: beside those of an upload, and of the rename of the old one."""
    kept: Requests = {}
    """The looks at the copy that is kept, before its duplicate is removed."""
    folder_moved: Requests = {}
    """A folder with everything in it."""
    folder_made: Requests = {}
    folder_emptied: Requests = {}
    """It is removed, or moved to our trash."""
    methods: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: _METHODS)
    """HTTP method -> the kinds of requests that use it, the one that errors and retries are most likely of last."""
    final_look: Requests = msgspec.field(default_factory=lambda: {"look": 1})
    """For each path of the final check, where it looks at single files."""
    run: Requests = {}
    """Once for each run: is it there, who else works there?"""
    run_that_reads: Requests = {}
    """The same where nothing changes."""
    uploads: Requests = {}
    """Once for each run that uploads: does it refuse taken names?"""
    full_read: Requests = msgspec.field(default_factory=lambda: {"look": 2, "read": 1})
    """A file that is read in full to be compared."""


_DISK = RequestRates(
    rename={"look": 2, "write": 1},
    copy={"look": 3, "read": 1, "write": 2},
    upload={"look": 3, "write": 2},
    download={"look": 2, "read": 1},
    leave={"look": 3, "read": 1, "delete": 1},
    rewrite={"look": 3, "write": 2},
)
_BUCKET = RequestRates(
    rename={"look": 6, "copy": 1, "delete": 1},
    own_looks={"look": 3},
    copy={"look": 4, "copy": 1},
    upload={"look": 3, "write": 1},
    download={"look": 2, "read": 1},
    leave={"look": 3, "read": 1, "delete": 1},
    rewrite={"look": 3, "write": 1},
    moved_there={"look": 1},
    replace={"look": 6, "write": 1, "copy": 1},
    kept={"look": 2},
    run={"look": 17, "list": 1, "write": 1, "delete": 1},
    run_that_reads={"look": 12},
    uploads={"look": 1, "list": 1, "read": 1, "write": 3, "delete": 2},
)
"""Uploads refuse taken names: a file is uploaded at once to its name (moto; AWS)."""
_STAGED_BUCKET = msgspec.structs.replace(
    _BUCKET,
    upload={"look": 7.1, "write": 1, "copy": 1, "delete": 1},
    moved_there={"look": 2},
    uploads={"look": 2, "read": 1, "list": 2, "write": 4, "delete": 5},
)
"""They do not: a file is uploaded to a name of ours, copied to its own one and deleted (`rclone serve s3`)."""
_GOOGLE_BUCKET = msgspec.structs.replace(
    _STAGED_BUCKET,
    leave={"look": 4, "read": 1, "delete": 1},
    upload={"look": 5, "write": 1, "copy": 1, "delete": 1},
    replace={"look": 1},
    uploads={"look": 6, "read": 1, "list": 2, "write": 2, "delete": 1},
    methods=_METHODS_OF_GOOGLE_CLOUD,
)
_AZURE_BUCKET = msgspec.structs.replace(
    _STAGED_BUCKET,
    rename={"look": 7, "copy": 1, "delete": 1},
    copy={"look": 5, "copy": 1},
    upload={"look": 8.1, "write": 1, "copy": 1, "delete": 1},
    replace={"look": 1},
    uploads={"look": 1, "read": 1, "list": 2, "write": 2, "delete": 1},
)
"""rclone looks at a blob once more before it copies it."""
_SERVER = RequestRates(
    methods=_METHODS_OF_WEBDAV,
    rename={"look": 6.1, "write": 2},
    copy={"look": 7, "copy": 1, "write": 5},
    upload={"look": 5.1, "write": 4},
    download={"look": 3, "read": 1},
    leave={"look": 9.1, "read": 1, "write": 2, "delete": 1},
    rewrite={"look": 4, "write": 2},
    moved_there={"look": 2.3, "write": 0.5},
    kept={"look": 1.3, "list": 0.6, "write": 0.25},
    folder_made={"write": 2.8},
    folder_emptied={"list": 3.2},
    run={"look": 25, "delete": 1},
    run_that_reads={"look": 11},
    uploads={"list": 3, "read": 1, "delete": 3},
    full_read={"look": 2, "read": 1},
)
"""What renames and does not count requests, and WebDAV below a crypt or an alias: files are looked at one by one."""
_WEBDAV = msgspec.structs.replace(
    _SERVER,
    rename={"look": 3.3, "list": 0.34, "write": 2},
    upload={"look": 4, "list": 0.1, "write": 4},
    download={"look": 1, "list": 0.2, "read": 1},
    leave={"look": 5.1, "list": 0.37, "read": 1, "write": 2, "delete": 1},
    moved_there={"look": -0.3, "list": 0.3, "write": 0.5},
    replace={"look": 4.2, "list": 0.8},
    kept={"look": 0.1, "list": 0.6, "write": 0.25},
    folder_emptied={"list": 3.2, "look": -1.5},
    final_look={"list": 0.1},
)
_DRIVE = RequestRates(
    methods=_METHODS_OF_DRIVE,
    rename={"list": 1, "write": 1},
    copy={"list": 4, "look": 1, "copy": 1, "write": 1},
    upload={"list": 3.8, "look": 1, "write": 2.1},
    download={"list": 1.3, "read": 1},
    leave={"list": 3.5, "read": 1, "write": 2.1},
    rewrite={"list": 3, "look": 1, "write": 1},
    moved_there={"list": 0.2},
    replace={"list": 5, "write": 1, "copy": 1},
    kept={"list": 0.3},
    folder_moved={"list": 3.75, "write": 1},
    folder_made={"list": 1.6, "write": 0.9},
    folder_emptied={"list": 5.3, "write": 1},
    final_look={"list": 1},
    run={"list": 15, "write": 3},
    run_that_reads={"list": 27},
    uploads={"list": 50, "look": 2, "read": 1, "write": 3},
)
_DRIVE_BY_FILE = RequestRates(
    methods=_METHODS_OF_DRIVE,
    rename={"list": 5.4, "write": 1},
    copy={"list": 7, "copy": 1, "write": 1},
    upload={"list": 8.5, "write": 2.1},
    download={"list": 3.7, "read": 1},
    leave={"list": 13, "read": 1, "write": 2},
    rewrite={"list": 5, "write": 2},
    moved_there={"list": 6},
    replace={"list": 12, "write": 1.5, "copy": 1},
    kept={"list": 1.5},
    folder_made={"list": 2.7, "write": 1.4},
    folder_emptied={"list": 10, "write": 0.5},
    final_look={"list": 1.5},
    run={"list": 4},
    run_that_reads={"list": 1},
    uploads={"look": 3, "read": 2},
    full_read={"list": 2.2, "read": 1},
)
"""Below a crypt or an alias: files are looked at one by one."""
_DROPBOX = RequestRates(
    methods=_METHODS_OF_DROPBOX,
    rename={"look": 1, "list": 0.1, "write": 1.1},
    copy={"look": 2, "copy": 1, "write": 1},
    upload={"look": 0.95, "write": 3.3},
    download={"look": 1, "read": 1},
    leave={"look": 3.2, "list": 0.1, "read": 1, "write": 1.1, "delete": 1},
    rewrite={"look": 1, "write": 3},
    replace={"look": 5, "list": 1, "write": 2.4, "copy": 1},
    kept={"list": 0.2},
    folder_moved={"list": 1.75, "look": 1, "write": 1},
    folder_made={"list": 0.6, "look": 0.6, "write": 0.1},
    folder_emptied={"list": 2, "look": 0.2},
    final_look={"list": 0.1},
    run={"look": 6, "list": 1, "write": 1, "delete": 1},
    run_that_reads={"look": 11, "list": 12},
    uploads={"list": 5, "read": 1, "delete": 2},
)
"""Whose renames refuse taken names, and whose listings take one request for each folder."""
_DROPBOX_BY_FILE = RequestRates(
    methods=_METHODS_OF_DROPBOX,
    rename={"look": 5.1, "write": 1.1},
    copy={"look": 5, "copy": 1, "write": 1},
    upload={"look": 4.1, "write": 3.3},
    download={"look": 3, "read": 1},
    leave={"look": 8.4, "read": 1, "write": 1.2, "delete": 1},
    rewrite={"look": 4, "write": 3},
    moved_there={"look": 1.5, "write": 0.5},
    replace={"look": 8.3, "write": 2.6, "copy": 1},
    kept={"look": 1, "list": 0.5},
    folder_made={"write": 0.2},
    folder_emptied={"look": 2.2, "list": 3, "write": 0.2},
    run={"look": 10, "write": 3, "delete": 1},
    run_that_reads={"look": 11},
    uploads={"list": 3, "read": 2, "delete": 2},
    full_read={"look": 2.2, "read": 1},
)


def _encrypted(bucket: RequestRates, server: str) -> RequestRates:
    """Through a crypt: rclone looks once more before a read, and once after a write.

    On S3, also for times; on Azure, before it deletes. There are no hashes, so listings cannot stand for looks.
    """
    more = {"upload": 1.1, "download": 1, "leave": 1.2, "moved_there": -0.8, "rename": 1}
    if server == "s3":
        more |= {"rename": 2, "leave": 2.3}
    if server == "azureblob":
        more |= {"rename": 2, "leave": 2.2}
    rates = {name: {**getattr(bucket, name), "look": getattr(bucket, name)["look"] + looks} for name, looks in more.items()}
    return msgspec.structs.replace(bucket, **rates)


LOOKS_PER_PAGE = 12
"""A page of a listing costs as much as so many looks, at Amazon, Google and Microsoft: 5 and 0.4 dollars a million."""

_FEW_LOOKS = 200
"""So many looks cost less than a listing, which may take a request for each folder."""

_LISTED_FILES_PER_LOOK = 10
"""Listing this many files costs about as much as one look."""

_FEW_LOOKS_IN_FOLDERS = 20
_LISTED_FILES_PER_LOOK_IN_FOLDER = 50
"""The same two for Google Drive: a look also asks for its folder, and a request lists 50 folders or 1,000 files."""


def looks_cost_less(storage: Capabilities, looks: int, listed: int | None) -> bool:
    """Whether the final check costs less by so many single looks than by a listing, of about `listed` files."""
    if storage.current_listings and storage.flat_listing and listed is not None:
        return looks <= LOOKS_PER_PAGE * pages_of(storage, listed)
    if storage.by_directory and storage.flat_listing:
        few, files_per_look = _FEW_LOOKS_IN_FOLDERS, _LISTED_FILES_PER_LOOK_IN_FOLDER
    else:
        few, files_per_look = _FEW_LOOKS, _LISTED_FILES_PER_LOOK
    return looks <= few or (listed is not None and looks * files_per_look < listed)


def files_a_page(storage: Capabilities) -> int:
    """How many files a page of a bucket's listing shows."""
    return reading_rates(storage, "rclone").files_a_page


def worth_listing(storage: Capabilities, looks: int) -> int:
    """Up to how many files a listing of a bucket costs less than so many looks; 0: it never does."""
    return files_a_page(storage) * (max(0, looks - 1) // LOOKS_PER_PAGE)


def pages_of(storage: Capabilities, files: int) -> int:
    """How many pages a listing of so many files in a bucket has."""
    return max(1, math.ceil(files / files_a_page(storage)))


class ReadingRates(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of scans at one storage."""

    head: Requests
    """The first range of a file."""
    range: Requests
    """Each other one."""
    folder: Requests = {}
    """Whose files are read."""
    listed: Requests = {}
    """For each file of the listing."""
    scan: Requests = {}
    """Once: is it there, does it have a quarantine?"""
    files_a_page: int = 1000
    """Of the listing."""
    folders_a_page: float = 0
    """0: a page has files of any folders."""
    first_folders: int = 0
    """So many have a page each."""


def reading_rates(storage: Capabilities, way: str) -> ReadingRates:
    """The rates of a storage; `way`: how files are read there (see `Profile.read`)."""
    server = storage.server_type or storage.remote_type
    if way == "vfs":
        rates = ReadingRates(head={"read": 1}, range={"read": 1}, folder={"list": 1}, scan={"look": 2, "list": 2})
    else:
        looked_at = {"look": 1, "read": 1}
        rates = ReadingRates(head={"read": 1} if way == "heads" else looked_at, range=looked_at, scan={"look": 3})
    if server == "azureblob":
        return msgspec.structs.replace(rates, files_a_page=5000)
    if server == "s3" and storage.encrypted_names is not None:  # whose listings have no times of its files
        return msgspec.structs.replace(rates, listed={"look": 1})
    if not storage.flat_listing:
        return msgspec.structs.replace(rates, folders_a_page=1)
    return msgspec.structs.replace(rates, folders_a_page=50, first_folders=8) if server == "drive" else rates


def listing_requests(storage: Capabilities, files: int, folders: int) -> dict[str, float]:
    """What it takes to list so many files in so many folders."""
    rates = reading_rates(storage, "vfs")
    looks = {kind: number * files for kind, number in rates.listed.items()}
    if rates.folders_a_page:
        alone = min(folders, rates.first_folders)
        pages = alone + math.ceil((folders - alone) / rates.folders_a_page)
    else:
        pages = math.ceil(files / rates.files_a_page)
    return {"list": max(1, pages), **looks}


def request_rates(storage: Capabilities) -> RequestRates:
    """The rates of a storage."""
    if storage.local:
        return _DISK
    server = storage.server_type or storage.remote_type
    if storage.by_directory:
        return _DRIVE if storage.flat_listing else _DROPBOX
    if storage.remote_type == "webdav":
        return _WEBDAV
    bucket = {"google cloud storage": _GOOGLE_BUCKET, "azureblob": _AZURE_BUCKET}.get(server)
    if bucket is None and not storage.move:
        bucket = _BUCKET if storage.refuses_taken_uploads else _STAGED_BUCKET
    if bucket is not None:
        return bucket if storage.encrypted_names is None else _encrypted(bucket, server)
    return {"drive": _DRIVE_BY_FILE, "dropbox": _DROPBOX_BY_FILE}.get(server, _SERVER)


MOVE_IN_BUCKET = _BUCKET.rename
"""For prices of buckets whose storage is not known."""
MOVE_AT_FLAT_RATE: Requests = {"list": 2.5, "write": 1}
"""For providers with a flat rate: Google Drive, file by file, each with its share of the looks at folders. Dropbox takes 2.7."""


def kinds_of(methods: Mapping[str, int], expected: Mapping[str, float], storages: Iterable[Capabilities]) -> dict[str, int]:
    """Requests that were counted by HTTP method, by kind; `expected`: what the operations that were done should have taken.

    Where a method stands for several kinds, those that the operations determine are believed, and the rest are of the last kind.
    """
    tables = [request_rates(storage).methods for storage in storages if not storage.local]
    left = {kind: max(0, round(expected.get(kind, 0))) for kind in REQUEST_KINDS}
    found: Counter[str] = Counter()
    for method, number in methods.items():
        *determined, rest = dict.fromkeys(kind for table in tables for kind in table.get(method, ())) or ("look",)
        for kind in determined:
            believed = min(left[kind], number)
            found[kind] += believed
            left[kind] -= believed
            number -= believed  # noqa: PLW2901 - what is left of it
        found[rest] += number
    return {kind: found[kind] for kind in REQUEST_KINDS if found[kind]}
