"""How many requests of each kind (see `orchestrator.prices`) the operations of a plan take, by what the storage can do.

Counted at proxies before S3 (moto, `rclone serve s3`), fake-gcs-server, Azurite, WebDAV (`rclone serve webdav`) and emulations of
Google Drive and Dropbox, with the plans of tests/end_to_end/test_estimates.py, which also holds them to it. All looks before and
after are included.
"""

from __future__ import annotations

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
    "PROPFIND": ("list", "look"),
    "MOVE": ("write",),
    "MKCOL": ("write",),
    "COPY": ("copy",),
}
_METHODS_OF_GOOGLE_CLOUD = {"GET": ("list", "read", "look"), "POST": ("copy", "write"), "DELETE": ("delete",)}
_METHODS_OF_DRIVE = {"GET": ("read", "look", "list"), "POST": ("copy", "write"), "PATCH": ("write",), "DELETE": ("delete",)}
_METHODS_OF_DROPBOX = {"POST": ("read", "copy", "write", "look", "list")}


class RequestRates(msgspec.Struct, frozen=True, kw_only=True):
    """The requests at one storage."""

    rename: Requests
    """A move or quarantine of one file within it; in a bucket, that is a copy and a deletion."""
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
    replace: Requests = {}
    """A file from elsewhere that takes the place of another one at once, which the server has copied to the trash."""
    kept: Requests = {}
    """The looks at the copy that is kept, before its duplicate is removed."""
    folder_moved: Requests = {}
    """A folder with everything in it."""
    folder_made: Requests = {}
    folder_emptied: Requests = {}
    """It is removed, or moved to our trash."""
    methods: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: _METHODS)
    """HTTP method -> the kinds of requests that use it, the one that errors and retries are most likely of last."""
    run: Requests = {}
    """Once for each run: is it there, who else works there, does it refuse taken names, what does it hold in the end?"""


_DISK = RequestRates(
    rename={"look": 2, "write": 1},
    copy={"look": 3, "read": 1, "write": 2},
    upload={"look": 3, "write": 2},
    download={"look": 2, "read": 1},
    leave={"look": 3, "read": 1, "delete": 1},
    rewrite={"look": 3, "write": 2},
)
_BUCKET = RequestRates(
    rename={"look": 7, "copy": 1, "delete": 1},
    copy={"look": 5, "copy": 1},
    upload={"look": 4, "write": 1},
    download={"look": 2, "read": 1},
    leave={"look": 4, "read": 1, "delete": 1},
    rewrite={"look": 4, "write": 1},
    replace={"look": 6, "write": 1, "copy": 1, "list": 1},
    kept={"look": 4},
    run={"look": 17, "write": 2, "list": 2, "delete": 2},
)
"""Uploads refuse taken names: a file is uploaded at once to its name (moto; AWS)."""
_STAGED_BUCKET = msgspec.structs.replace(_BUCKET, upload={"look": 8.1, "write": 1, "copy": 1, "delete": 1})
"""They do not: a file is uploaded to a name of ours, copied to its own one and deleted (`rclone serve s3`)."""
_GOOGLE_BUCKET = msgspec.structs.replace(
    _STAGED_BUCKET, upload={"look": 6, "write": 1, "copy": 1, "delete": 1}, methods=_METHODS_OF_GOOGLE_CLOUD
)
_AZURE_BUCKET = msgspec.structs.replace(
    _STAGED_BUCKET,
    rename={"look": 9, "copy": 1, "delete": 1},
    copy={"look": 6, "copy": 1},
    upload={"look": 9.1, "write": 1, "copy": 1, "delete": 1},
    leave={"look": 5, "read": 1, "delete": 1},
)
"""rclone looks at a blob once more before it copies it, and once before it deletes it."""
_SERVER = RequestRates(
    rename={"look": 6, "write": 2},
    copy={"look": 8, "copy": 1, "write": 5},
    upload={"look": 6, "write": 4},
    download={"look": 3, "read": 1},
    leave={"look": 12, "read": 1, "write": 3, "delete": 1},
    rewrite={"look": 5, "write": 2},
    kept={"look": 3},
    folder_made={"look": 2.6, "list": 0.3, "write": 3},
    folder_emptied={"look": 1, "list": 5, "write": 1},
    run={"look": 18, "list": 1, "delete": 1},
)
"""WebDAV, and what else renames and does not count requests."""
_DRIVE = RequestRates(
    methods=_METHODS_OF_DRIVE,
    rename={"list": 3, "write": 1},
    copy={"list": 4, "look": 1, "copy": 1, "write": 1},
    upload={"list": 4, "look": 1, "write": 2},
    download={"list": 1.3, "read": 1},
    leave={"list": 8, "look": 1, "read": 1, "write": 2},
    rewrite={"list": 3, "look": 1, "write": 1},
    replace={"list": 4, "look": 2, "write": 1, "copy": 1},
    kept={"list": 1.5},
    folder_moved={"list": 24, "write": 2},
    folder_made={"list": 3.2, "write": 1},
    folder_emptied={"list": 7.2, "write": 1},
    run={"list": 30, "write": 4},
)
_DROPBOX = RequestRates(
    methods=_METHODS_OF_DROPBOX,
    rename={"look": 1.1, "list": 0.1, "write": 1},
    copy={"look": 2, "copy": 1, "write": 1},
    upload={"look": 1, "list": 0.1, "write": 3.4},
    download={"look": 1, "read": 1},
    leave={"look": 4, "read": 1, "write": 2},
    rewrite={"look": 1, "write": 3},
    replace={"look": 3, "write": 3, "copy": 1},
    folder_moved={"list": 5, "look": 5, "write": 1},
    folder_made={"list": 0.5, "look": 0.5, "write": 0.5},
    folder_emptied={"list": 5.5, "look": 1.3, "write": 0.2},
    run={"look": 8, "list": 3, "write": 3},
)
"""Whose renames refuse taken names, and whose listings take one request for each folder."""


def request_rates(storage: Capabilities) -> RequestRates:
    """The rates of a storage."""
    if storage.local:
        return _DISK
    if storage.remote_type == "google cloud storage":
        return _GOOGLE_BUCKET
    if storage.remote_type == "azureblob":
        return _AZURE_BUCKET
    if not storage.move:
        return _BUCKET if storage.refuses_taken_uploads else _STAGED_BUCKET
    if storage.by_directory:
        return _DRIVE if storage.flat_listing else _DROPBOX
    return _SERVER


MOVE_IN_BUCKET = _BUCKET.rename
"""For prices of buckets whose storage is not known."""
MOVE_AT_FLAT_RATE = _DRIVE.rename
"""For providers with a flat rate; Dropbox takes half as many."""


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
