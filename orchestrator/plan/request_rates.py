"""How many requests of each kind (see `orchestrator.prices`) the operations of a plan take, by what the storage can do.

Counted at proxies before S3 (moto, `rclone serve s3`), WebDAV (`rclone serve webdav`) and emulations of Google Drive and Dropbox,
with the plans of tests/end_to_end/test_estimates.py, which also holds them to it. All looks before and after are included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from orchestrator.prices import REQUEST_KINDS
from orchestrator.records import Capabilities

Requests = Mapping[str, float]
"""Kind of request -> number."""


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
    _STAGED_BUCKET, upload={"look": 6, "write": 1, "copy": 1, "delete": 1}, download={"look": 1, "read": 1}
)
"""As counted at fake-gcs-server."""
_SERVER = RequestRates(
    rename={"look": 6, "write": 2},
    copy={"look": 8, "copy": 1, "write": 5},
    upload={"look": 6, "write": 4},
    download={"look": 3, "read": 1},
    leave={"look": 12, "read": 1, "write": 3, "delete": 1},
    rewrite={"look": 5, "write": 2},
    kept={"look": 3},
    folder_made={"look": 2.6, "list": 1.5, "write": 3},
    folder_emptied={"look": 1, "list": 3.8, "write": 1},
    run={"look": 18, "list": 1, "delete": 1},
)
"""WebDAV, and what else renames and does not count requests."""
_DRIVE = RequestRates(
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
    if not storage.move:
        return _BUCKET if storage.refuses_taken_uploads else _STAGED_BUCKET
    if storage.by_directory:
        return _DRIVE if storage.flat_listing else _DROPBOX
    return _SERVER


MOVE_IN_BUCKET = _BUCKET.rename
"""For prices of buckets whose storage is not known."""
MOVE_AT_FLAT_RATE = _DRIVE.rename
"""For providers with a flat rate; Dropbox takes half as many."""


_BY_METHOD = {
    "HEAD": ("look",), "PROPFIND": ("look",), "DELETE": ("delete",), "COPY": ("copy",), "MOVE": ("write",), "MKCOL": ("write",),
    "PATCH": ("write",), "PUT": ("write", "copy"), "GET": ("read", "list", "look"), "POST": ("write", *REQUEST_KINDS),
}  # fmt: skip
"""HTTP method -> the kinds of requests that it may be."""


def kinds_of(methods: Mapping[str, int], expected: Mapping[str, float]) -> dict[str, int]:
    """Counted requests by kind. Where a method stands for several kinds, they are shared out as `expected`."""
    found: Counter[str] = Counter()
    for method, number in methods.items():
        kinds = list(dict.fromkeys(_BY_METHOD.get(method, ("look",))))
        total = sum(expected.get(kind, 0) for kind in kinds)
        shared = {kind: int(number * expected.get(kind, 0) / total) for kind in kinds} if total else {}
        likely = max(kinds, key=lambda kind: expected.get(kind, 0))
        found.update(shared)
        found[likely] += number - sum(shared.values())
    return {kind: found[kind] for kind in REQUEST_KINDS if found[kind]}
