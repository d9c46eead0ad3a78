"""What an emulated Google Drive writes and reads: items as JSON, errors, multipart uploads."""

from __future__ import annotations

import json
import re
from collections.abc import Set as AbstractSet
from typing import Any

from tests.servers.drive_files import DriveError, DriveTree, Item

DEFAULT_FIELDS = frozenset({"kind", "id", "name", "mimeType"})
"""The fields that Drive returns when a client names none."""
EXPORTS = {"application/vnd.google-apps.document": ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]}
"""Types of Google's own documents -> the types that they can be exported as."""


def shown(item: Item, tree: DriveTree, wanted: AbstractSet[str]) -> dict[str, Any]:
    """The requested fields of an item."""
    known: dict[str, Any] = {
        "kind": "drive#file",
        "id": item.id,
        "name": item.name,
        "mimeType": item.mime_type,
        "trashed": tree.in_trash(item),
        "explicitlyTrashed": item.trashed,
        "modifiedTime": item.modified,
        "createdTime": item.created,
        **item.more,
    }
    if item.parent is not None:
        known["parents"] = [item.parent]
    if item.content is not None and wanted & {"size", "md5Checksum", "sha1Checksum", "sha256Checksum", "*"}:
        known |= {"size": str(item.content.size), **item.content.hashes}
    elif item.mime_type in EXPORTS:
        known["exportLinks"] = {
            kind: f"https://www.googleapis.com/drive/v3/files/{item.id}/export?mimeType={kind}"
            for kind in EXPORTS[item.mime_type]
        }
    return known if "*" in wanted else {name: value for name, value in known.items() if name in wanted}


def multipart(content_type: str, body: bytes) -> tuple[dict[str, Any], str | None, bytes]:
    """The metadata, content type and content of a multipart/related upload."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if boundary is None:
        raise DriveError(400, "badContent", "Malformed multipart body.")
    mark = b"--" + boundary[1].encode()
    first, _, rest = body.removeprefix(mark).partition(b"\r\n" + mark)
    second = rest.rpartition(b"\r\n" + mark + b"--")[0]
    metadata = first.partition(b"\r\n\r\n")[2]
    head, _, media = second.partition(b"\r\n\r\n")
    media_type = re.search(rb"(?i)content-type:\s*([^\r\n]+)", head)
    return dict(json.loads(metadata)), media_type[1].decode() if media_type else None, media


def error_body(error: DriveError) -> dict[str, Any]:
    """An error in Google's form."""
    detail = {"message": error.message, "domain": "global", "reason": error.reason}
    return {"error": {"code": error.status, "message": error.message, "errors": [detail]}}
