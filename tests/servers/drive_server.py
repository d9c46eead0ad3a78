"""An emulated Google Drive: the calls of the v3 API that rclone's drive backend makes, over plain HTTP/1.1, in threads.

    with drive_server() as drive:
        drive.tree.preload(library)             # see `drive_files` for what tests may do without the API
        ...
        assert drive.calls == {"files.list": 3, "files.media": 20}

Clients insist on TLS to www.googleapis.com, so they connect through a `ConnectProxy`. Put an `HttpProxy` in front to make chosen
requests fail (`refusal` makes Google's answers), or a `TcpProxy` to add latency.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import drive_query
from tests.servers.content import Content
from tests.servers.drive_answers import DEFAULT_FIELDS, EXPORTS, error_body, multipart, shown
from tests.servers.drive_files import DriveError, DriveTree, Item
from tests.servers.emulated import EmulatedHandler, EmulatedServer
from tests.servers.http import Refuse

_STATUS = {"rateLimitExceeded": 403, "userRateLimitExceeded": 403, "storageQuotaExceeded": 403, "dailyLimitExceeded": 403}


def refusal(reason: str, status: int | None = None, **headers: str) -> Refuse:
    """An error of Google's for an `HttpProxy` ("rateLimitExceeded", "userRateLimitExceeded", "storageQuotaExceeded")."""
    code = status or _STATUS[reason]
    body = json.dumps(error_body(DriveError(code, reason, f"Ordered: {reason}."))).encode()
    return Refuse(code, {"Content-Type": "application/json; charset=UTF-8", **headers}, body)


class DriveServer(EmulatedServer):
    """See the module. Kinds of calls are such as "files.list", "files.update", "upload.multipart"."""

    def __init__(self) -> None:
        self.tree = DriveTree()
        self.page_limit = 1000
        """The largest page, whatever the client asks for."""
        self.pages: dict[str, list[Item]] = {}
        self.uploads: dict[str, _Upload] = {}
        super().__init__(_Handler, "drive")


class _Upload:
    """A running resumable upload."""

    def __init__(self, finish: Callable[[bytes], Item], fields: str | None) -> None:
        self.finish = finish
        self.fields = fields
        self.received = bytearray()


class _Handler(EmulatedHandler):
    """One connection."""

    server_of: DriveServer

    def answer(self) -> None:
        url = urlsplit(self.path)
        self.query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.tree = self.server_of.tree
        try:
            for method, pattern, kind, call in _ROUTES:
                if method == self.command and (found := re.fullmatch(pattern, url.path)):
                    self.server_of.note(kind(self.query) if callable(kind) else kind, self.path)
                    call(self, *found.groups())
                    return
            self.server_of.note("unknown", f"{self.command} {self.path}")
            raise DriveError(404, "notFound", f"No such method: {self.command} {url.path}")  # noqa: TRY301 because it is answered like all others
        except DriveError as error:
            self.send_json(error_body(error), error.status)

    # The API calls.

    def list_files(self) -> None:
        size = min(int(self.query.get("pageSize", "100")), self.server_of.page_limit)
        if token := self.query.get("pageToken"):
            try:
                found = self.server_of.pages.pop(token)
            except KeyError:
                raise DriveError(400, "invalid", "Invalid Value: pageToken") from None
        else:
            with self.tree.lock:
                found = drive_query.parse(self.query.get("q", "trashed = true or trashed = false")).find(self.tree)
        answer: dict[str, Any] = {"kind": "drive#fileList", "incompleteSearch": False}
        if len(found) > size:
            answer["nextPageToken"] = f"page{next(self.server_of.numbers)}"
            self.server_of.pages[answer["nextPageToken"]] = found[size:]
        self.send_json({**answer, "files": [self._shown(item) for item in found[:size]]})

    def get_file(self, item_id: str) -> None:
        item = self.tree.get(item_id)
        if self.query.get("alt") != "media":
            self.send_json(self._shown(item))
        elif item.content is None:
            raise DriveError(403, "fileNotDownloadable", "Only files with binary content can be directly downloaded.")
        else:
            item.check("download")
            self.send_content(item.content, {"Content-Type": item.mime_type})

    def create_file(self) -> None:
        self.send_json(self._shown(self.tree.create(self._metadata())))

    def update_file(self, item_id: str) -> None:
        self.send_json(self._shown(self._update(item_id, self._metadata())))

    def copy_file(self, item_id: str) -> None:
        self.send_json(self._shown(self.tree.copy(item_id, self._metadata())))

    def delete_file(self, item_id: str) -> None:
        self.tree.delete(item_id)
        self.send(204, b"")

    def export_file(self, item_id: str) -> None:
        self.send(200, b"exported " + self.tree.get(item_id).name.encode(), {"Content-Type": self.query["mimeType"]})

    def upload(self, item_id: str | None = None) -> None:
        if "upload_id" in self.query:
            self.upload_chunk()
            return
        if item_id is not None:
            self.tree.get(item_id)
        if self.query.get("uploadType") == "resumable":
            metadata, media_type = self._metadata(), self.headers.get("X-Upload-Content-Type")
        else:
            metadata, media_type, media = multipart(self.headers.get("Content-Type", ""), self.body)

        def store(content: bytes) -> Item:
            if item_id is None:
                return self.tree.create(metadata, Content(content), media_type)
            return self._update(item_id, metadata, Content(content))

        if self.query.get("uploadType") == "resumable":
            upload_id = f"upload{next(self.server_of.numbers)}"
            self.server_of.uploads[upload_id] = _Upload(store, self.query.get("fields"))
            path = urlsplit(self.path).path
            location = f"https://{self.headers['Host']}{path}?uploadType=resumable&upload_id={upload_id}"
            self.send(200, b"", {"Location": location})
        else:
            self.send_json(self._shown(store(media)))

    def upload_chunk(self) -> None:
        upload = self.server_of.uploads.get(self.query.get("upload_id", ""))
        if upload is None:
            raise DriveError(404, "notFound", "No such upload.")
        span, _, total = self.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        if span and span != "*" and int(span.partition("-")[0]) != len(upload.received):
            raise DriveError(400, "invalid", "Invalid Value: Content-Range")
        upload.received += self.body
        if span and total != str(len(upload.received)):
            reached = {"Range": f"bytes=0-{len(upload.received) - 1}"} if upload.received else {}
            self.send(308, b"", reached)
            return
        del self.server_of.uploads[self.query["upload_id"]]
        if upload.fields:
            self.query["fields"] = upload.fields
        self.send_json(self._shown(upload.finish(bytes(upload.received))))

    def about(self) -> None:
        usage = {"usage": str(self.tree.used), "usageInDrive": str(self.tree.used), "usageInDriveTrash": "0"}
        if self.tree.limit is not None:
            usage["limit"] = str(self.tree.limit)
        user = {"kind": "drive#user", "displayName": "Tester", "emailAddress": "tester@example.com", "permissionId": "1"}
        self.send_json(
            {"kind": "drive#about", "user": user, "storageQuota": usage, "exportFormats": EXPORTS, "importFormats": {}}
        )

    def list_drives(self) -> None:
        self.send_json({"kind": "drive#driveList", "drives": []})

    def start_token(self) -> None:
        self.send_json({"kind": "drive#startPageToken", "startPageToken": str(len(self.tree.changes))})

    def list_changes(self) -> None:
        with self.tree.lock:
            changed = dict.fromkeys(self.tree.changes[int(self.query["pageToken"]) :])
            token = str(len(self.tree.changes))
        self.send_json({"newStartPageToken": token, "changes": [self._change(item_id) for item_id in changed]})

    def token(self) -> None:
        self.send_json({"access_token": "t", "token_type": "Bearer", "expires_in": 10**9})

    # Shared by the calls.

    def _change(self, item_id: str) -> dict[str, Any]:
        item = self.tree.items.get(item_id)
        seen = shown(item, self.tree, {"id", "name", "mimeType", "parents"}) if item else None
        return {"fileId": item_id, "removed": item is None, **({"file": seen} if seen else {})}

    def _update(self, item_id: str, metadata: dict[str, Any], content: Content | None = None) -> Item:
        add, remove = self._named("addParents"), self._named("removeParents")
        return self.tree.update(item_id, metadata, add=add, remove=remove, content=content)

    def _named(self, parameter: str) -> list[str]:
        """The ids listed in a query parameter."""
        return [item_id for item_id in self.query.get(parameter, "").split(",") if item_id]

    def _metadata(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.body)) if self.body.strip() else {}
        except ValueError:
            raise DriveError(400, "parseError", "Parse Error") from None

    def _shown(self, item: Item) -> dict[str, Any]:
        fields = self.query.get("fields")
        return shown(item, self.tree, set(re.findall(r"[\w*]+", fields)) if fields else DEFAULT_FIELDS)


def _uploading(query: dict[str, str]) -> str:
    return "upload.chunk" if "upload_id" in query else "upload." + query.get("uploadType", "simple")


def _getting(query: dict[str, str]) -> str:
    return "files.media" if query.get("alt") == "media" else "files.get"


_FILES = r"/drive/v3/files"
_ID = r"/([\w-]+)"
_ROUTES: list[tuple[str, str, str | Callable[[dict[str, str]], str], Callable[..., None]]] = [
    ("GET", _FILES, "files.list", _Handler.list_files),
    ("POST", _FILES, "files.create", _Handler.create_file),
    ("GET", _FILES + _ID, _getting, _Handler.get_file),
    ("PATCH", _FILES + _ID, "files.update", _Handler.update_file),
    ("DELETE", _FILES + _ID, "files.delete", _Handler.delete_file),
    ("POST", _FILES + _ID + "/copy", "files.copy", _Handler.copy_file),
    ("GET", _FILES + _ID + "/export", "files.export", _Handler.export_file),
    ("POST", "/upload" + _FILES, _uploading, _Handler.upload),
    ("PATCH", "/upload" + _FILES + _ID, _uploading, _Handler.upload),
    ("PUT", "/upload" + _FILES + r"(?:/[\w-]+)?", _uploading, _Handler.upload_chunk),
    ("GET", "/drive/v3/about", "about.get", _Handler.about),
    ("GET", "/drive/v3/drives", "drives.list", _Handler.list_drives),
    ("GET", "/drive/v3/changes/startPageToken", "changes.start", _Handler.start_token),
    ("GET", "/drive/v3/changes", "changes.list", _Handler.list_changes),
    ("POST", "/token", "token", _Handler.token),
]


@contextlib.contextmanager
def drive_server() -> Iterator[DriveServer]:
    """A DriveServer that runs during the block."""
    server = DriveServer()
    try:
        yield server
    finally:
        server.close()
