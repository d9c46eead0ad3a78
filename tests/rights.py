"""The rights that requests need, as the providers document them, and those that our docs say each command needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.servers.http import Seen
from tests.servers.remotes import BUCKET

_DOCS = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()


def documented(command: str) -> set[str]:
    """The rights on S3 that docs/configuration.md grants to a command: the row of the table that names it, otherwise an error."""
    for line in _DOCS.splitlines():
        commands, _, rights = line.strip("| ").partition(" | ")
        if rights.startswith("`s3:") and command in commands.replace("`", "").split(", "):
            return set(re.findall(r"s3:\w+", rights))
    raise LookupError(command)


def policy() -> set[str]:
    """The rights of the JSON policy in docs/configuration.md."""
    return set(re.findall(r'"(s3:\w+)"', _DOCS))


def of_s3(seen: Seen) -> set[str]:
    """Of a request to S3."""
    path, _, query = seen.path.partition("?")
    at_bucket = seen.headers["host"].startswith(f"{BUCKET}.")
    key = path.strip("/") if at_bucket else path.strip("/").partition("/")[2]
    needed = {"s3:GetObjectTagging", "s3:PutObjectTagging"} if "x-amz-tagging" in seen.headers else set()
    if "x-amz-acl" in seen.headers:
        needed.add("s3:PutObjectAcl")
    if not key:
        known = {"GET": "s3:ListBucket", "HEAD": "s3:ListBucket", "PUT": "s3:CreateBucket"}
        return needed | {known.get(seen.method, seen.method) if "location" not in query else "s3:GetBucketLocation"}
    if seen.method == "DELETE":
        return needed | {"s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"}
    if seen.method in {"PUT", "POST"}:
        return needed | {"s3:PutObject"} | ({"s3:GetObject"} if "x-amz-copy-source" in seen.headers else set())
    return needed | {"s3:GetObject"}


def of_gcs(seen: Seen) -> set[str]:
    """Of a request to the JSON API of Google Cloud Storage."""
    path = seen.path.partition("?")[0]
    if path.startswith("/upload/storage/v1/b/"):
        return {"storage.objects.create"}
    bucket, _, rest = path.removeprefix("/storage/v1/b/").partition("/")
    if path.startswith(("/download/", f"/{BUCKET}/")):
        return {"storage.objects.get"}
    if not path.startswith("/storage/v1/b/") or not bucket or not rest:
        return {f"storage.buckets: {seen.method} {path}"}
    if rest == "o":
        return {"storage.objects.list"} if seen.method == "GET" else {"storage.objects.create"}
    if "/rewriteTo/" in rest or "/copyTo/" in rest:
        return {"storage.objects.get", "storage.objects.create"}
    known = {"GET": "storage.objects.get", "DELETE": "storage.objects.delete", "PATCH": "storage.objects.update"}
    return {known.get(seen.method, f"{seen.method} {path}")}


def of_azure(seen: Seen) -> set[str]:
    """Of a request to Azure Blob Storage."""
    path, _, query = seen.path.partition("?")
    container, _, blob = path.strip("/").partition("/")[2].partition("/")
    if not container or not blob:
        if "restype=container" in query and "comp=list" in query:
            return {"blobs/read"}
        return {f"containers: {seen.method} {path}?{query}"}
    known = {"GET": {"blobs/read"}, "HEAD": {"blobs/read"}, "PUT": {"blobs/write"}, "DELETE": {"blobs/delete"}}
    also = {"blobs/read"} if "x-ms-copy-source" in seen.headers else set()
    return known.get(seen.method, {f"{seen.method} {path}"}) | also


_GCS_VIEWER = {"storage.objects.get", "storage.objects.list"}
_GCS_USER = {*_GCS_VIEWER, *(f"storage.objects.{what}" for what in ("create", "delete", "update"))}
ROLES: dict[str, tuple[Callable[[Seen], set[str]], dict[str, set[str]]]] = {
    "gcs": (of_gcs, {"roles/storage.objectViewer": _GCS_VIEWER, "roles/storage.objectUser": _GCS_USER}),
    "azure": (
        of_azure,
        {
            "Storage Blob Data Reader": {"blobs/read"},
            "Storage Blob Data Contributor": {"blobs/read", "blobs/write", "blobs/delete"},
        },
    ),
}
"""Kind of server -> the rights of a request; the role to read and the one to change, with what they allow of objects."""


def allowed(kind: str, command: str) -> tuple[Callable[[Seen], set[str]], set[str]]:
    """The rights of a request to this kind of server, and those that the docs grant to a command."""
    if kind not in ROLES:
        return of_s3, documented(command)
    needed, roles = ROLES[kind]
    reads = "s3:PutObject" not in documented(command)
    name = [*roles][0 if reads else 1]
    assert f"`{name}`" in _DOCS
    return needed, roles[name]
