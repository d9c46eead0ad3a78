"""Counts requests by their kind at the server's side, as the price lists of the providers count them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qs

from tests.servers.http import Seen

_DROPBOX = {
    "list_folder": "list",
    "continue": "list",
    "get_metadata": "look",
    "get_current_account": "look",
    "download": "read",
    "copy_v2": "copy",
    "delete_v2": "delete",
}
_WEBDAV = {"PROPFIND": "look", "GET": "read", "HEAD": "look", "COPY": "copy", "DELETE": "delete"}


def kinds_of(kind: str, requests: Iterable[Seen]) -> Counter[str]:
    """Kind of request (see `orchestrator.prices`) -> its number, on a server of that kind."""
    name = {"s3_moto": _s3, "s3_serve": _s3, "drive": _drive, "dropbox": _dropbox, "gcs": _drive, "azure": _azure}.get(
        kind, _webdav
    )
    return Counter(name(seen) for seen in requests)


def _s3(seen: Seen) -> str:
    if seen.method == "GET":
        path, _, query = seen.path.partition("?")
        return "list" if "list-type" in query or "prefix" in query or path.count("/") < 2 else "read"
    if seen.method in ("PUT", "POST"):
        return "copy" if "x-amz-copy-source" in seen.headers else "write"
    return {"HEAD": "look", "DELETE": "delete"}[seen.method]


def _azure(seen: Seen) -> str:
    if seen.method == "PUT":
        return "copy" if "x-ms-copy-source" in seen.headers else "write"
    if seen.method == "GET":
        return "list" if "comp=list" in seen.path else "read"
    return {"HEAD": "look", "DELETE": "delete", "POST": "write"}[seen.method]


def _drive(seen: Seen) -> str:
    path, _, query = seen.path.partition("?")
    if seen.method == "GET":
        if "media" in parse_qs(query).get("alt", ()):
            return "read"
        return "list" if path.endswith(("/files", "/o")) else "look"
    if seen.method == "POST" and ("/copy" in path or "/rewriteTo/" in path):
        return "copy"
    return "delete" if seen.method == "DELETE" else "write"


def _dropbox(seen: Seen) -> str:
    return _DROPBOX.get(seen.path.partition("?")[0].rpartition("/")[2], "write")


def _webdav(seen: Seen) -> str:
    if seen.method == "PROPFIND" and seen.headers.get("depth") == "1":
        return "list"
    return _WEBDAV.get(seen.method, "write")
