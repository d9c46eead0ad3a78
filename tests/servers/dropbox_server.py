"""An emulated Dropbox: the calls of the v2 API that rclone's dropbox backend makes, over plain HTTP/1.1, in threads.

    with dropbox_server() as dropbox:
        dropbox.tree.put("music/a.mp3", b"...")     # see `dropbox_files` for what tests may do without the API
        ...
        assert dropbox.calls == {"files/list_folder": 3, "files/download": 20}

Clients insist on TLS to Dropbox's hosts, so they connect through a `ConnectProxy`. Put an `HttpProxy` in front to make chosen
requests fail (`refusal` makes Dropbox's answers); every call is a POST, so choose calls by their paths.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.servers.content import Content
from tests.servers.dropbox_files import DropboxError, DropboxTree
from tests.servers.emulated import EmulatedHandler, EmulatedServer
from tests.servers.http import Refuse

HOSTS = ("api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com", "www.dropbox.com", "api.dropbox.com")
CHANGES = frozenset(
    {
        *("files/move_v2", "files/copy_v2", "files/delete_v2", "files/create_folder_v2", "files/upload"),
        *("files/upload_session/finish", "files/upload_session/finish_batch_v2"),
    }
)
"""The calls that change something."""
_SINCE = re.compile(r"since (\d+) (.*)")
"""A cursor for what changes from now on: how many changes there were, and the key of the folder."""


def refusal(reason: str, *, retry_after: int = 1) -> Refuse:
    """An error of Dropbox's for an `HttpProxy`.

    "too_many_requests", "too_many_write_operations" (429), "invalid_access_token", "expired_access_token" (401),
    "insufficient_space" (409, of a move or a copy), "internal" (500).
    """
    headers = {"Content-Type": "application/json"}
    error: dict[str, Any]
    if reason.startswith("too_many_"):
        error = {"error_summary": f"{reason}/...", "error": {"reason": {".tag": reason}, "retry_after": retry_after}}
        return Refuse(429, {**headers, "Retry-After": str(retry_after)}, json.dumps(error).encode())
    if reason.endswith("_access_token"):
        error = {"error_summary": f"{reason}/...", "error": {".tag": reason}}
        return Refuse(401, headers, json.dumps(error).encode())
    if reason == "internal":
        return Refuse(500, {"Content-Type": "text/plain"}, b"Internal Server Error")
    return Refuse(409, headers, json.dumps(error_body(DropboxError("to", reason))).encode())


def error_body(error: DropboxError) -> dict[str, Any]:
    """An error in Dropbox's form: each tag holds the next one under its own name, or under the name after its colon."""
    *outer, inner = error.tags
    said: dict[str, Any] = {".tag": inner, **error.details}
    for tag, _, name in (one.partition(":") for one in reversed(outer)):
        said = {".tag": tag, name or tag: said}
    return {"error_summary": "/".join(tag.partition(":")[0] for tag in error.tags) + "/...", "error": said}


@dataclass
class _Session:
    received: bytearray = field(default_factory=bytearray)
    closed: bool = False


class DropboxServer(EmulatedServer):
    """See the module. A call's kind is its path below /2/."""

    def __init__(self) -> None:
        self.tree = DropboxTree()
        self.page_limit = 2000
        """The largest page, whatever the client asks for."""
        self.cursors: dict[str, tuple[list[str], int]] = {}
        """Cursor -> (keys left to list, entries per page)."""
        self.sessions: dict[str, _Session] = {}
        super().__init__(_Handler, "dropbox")

    @property
    def changes(self) -> int:
        """How many calls since `reset` changed something."""
        return sum(number for kind, number in self.calls.items() if kind in CHANGES)


class _Handler(EmulatedHandler):
    """One connection."""

    server_of: DropboxServer

    def answer(self) -> None:
        self.tree = self.server_of.tree
        kind = self.path.partition("?")[0].removeprefix("/2/")
        call = _ROUTES.get(kind)
        try:
            carried = self.headers.get("Dropbox-API-Arg")
            self.given: dict[str, Any] = json.loads(carried or self.body or b"null") or {}
            self.server_of.note(kind if call else "unknown", str(self.given.get("path") or self.given.get("from_path") or ""))
            if call is None:
                self.send(400, f"Unknown API function: {kind}".encode(), {"Content-Type": "text/plain"})
                return
            call(self)
        except DropboxError as error:
            self.send_json(error_body(error), error.status)

    # Calls that read.

    def list_folder(self) -> None:
        if self.given["path"] == "/":
            message = 'Error in call to API function "files/list_folder": path: Specify the root folder as an empty string'
            self.send(400, message.encode(), {"Content-Type": "text/plain"})
            return
        with self.tree.lock:
            key, item = self.tree.get(self.given["path"])
            if not item.is_folder:
                raise DropboxError("path", "not_folder")
            keys = [*self.tree.below(key)] if self.given.get("recursive") else self.tree.children(key)
        self._page(keys, min(self.given.get("limit") or 500, self.server_of.page_limit))

    def list_folder_continue(self) -> None:
        if (found := _SINCE.fullmatch(self.given["cursor"])) is not None:
            with self.tree.lock:
                changed = self.tree.changed(found[2], int(found[1]))
                entries = [self._shown(key) if key in self.tree.items else _deleted(path) for key, path in changed.items()]
                cursor = f"since {len(self.tree.changes)} {found[2]}"
            self.send_json({"entries": entries, "cursor": cursor, "has_more": False})
            return
        try:
            keys, limit = self.server_of.cursors.pop(self.given["cursor"])
        except KeyError:
            raise DropboxError("reset") from None
        self._page(keys, limit)

    def latest_cursor(self) -> None:
        with self.tree.lock:
            key, _ = self.tree.get(self.given["path"])
            self.send_json({"cursor": f"since {len(self.tree.changes)} {key}"})

    def longpoll(self) -> None:
        """Wait until something changes in the folder of the cursor, or the time is over."""
        found = _SINCE.fullmatch(self.given["cursor"])
        if found is None:
            raise DropboxError("reset")
        with self.tree.lock:
            self.tree.lock.wait_for(lambda: self.tree.changed(found[2], int(found[1])), self.given.get("timeout", 30))
            self.send_json({"changes": bool(self.tree.changed(found[2], int(found[1])))})

    def get_metadata(self) -> None:
        if not self.given["path"].strip("/"):
            message = 'Error in call to API function "files/get_metadata": path: The root folder is unsupported.'
            self.send(400, message.encode(), {"Content-Type": "text/plain"})
            return
        with self.tree.lock:
            self.send_json(self._shown(self.tree.get(self.given["path"])[0]))

    def download(self) -> None:
        path = self.given["path"]
        with self.tree.lock:
            item = self.tree.revision(path.removeprefix("rev:")) if path.startswith("rev:") else self.tree.get(path)[1]
            if item.content is None:
                raise DropboxError("path", "not_file")
        result = {"name": item.name, "id": item.id, "rev": item.rev, "size": item.content.size}
        headers = {"Content-Type": "application/octet-stream", "Dropbox-API-Result": json.dumps(result)}
        self.send_content(item.content, headers)

    def space_usage(self) -> None:
        self.send_json({"used": self.tree.used, "allocation": {".tag": "individual", "allocated": self.tree.limit}})

    def current_account(self) -> None:
        name = {"given_name": "T", "surname": "T", "familiar_name": "T", "display_name": "T", "abbreviated_name": "T"}
        account = {
            "account_id": "dbid:tester",
            "name": name,
            "email": "tester@example.com",
            "email_verified": True,
            "disabled": False,
            "locale": "en",
            "referral_link": "",
            "is_paired": False,
            "account_type": {".tag": "basic"},
            "root_info": {".tag": "user", "root_namespace_id": "1", "home_namespace_id": "1"},
        }
        self.send_json(account)

    # Calls that change something.

    def create_folder(self) -> None:
        with self.tree.lock:
            self.send_json({"metadata": self._shown(self.tree.create_folder(self.given["path"]))})

    def move(self) -> None:
        with self.tree.lock:
            self.send_json({"metadata": self._shown(self.tree.move(self.given["from_path"], self.given["to_path"]))})

    def copy(self) -> None:
        with self.tree.lock:
            self.send_json({"metadata": self._shown(self.tree.copy(self.given["from_path"], self.given["to_path"]))})

    def delete(self) -> None:
        display, item = self.tree.delete(self.given["path"])
        self.send_json({"metadata": {".tag": "folder" if item.is_folder else "file", **_metadata(item, display)}})

    def upload(self) -> None:
        with self.tree.lock:
            self.send_json(self._shown(self._commit(self.given, self.body, "path:reason")))

    def session_start(self) -> None:
        session_id = f"session{next(self.server_of.numbers)}"
        self.server_of.sessions[session_id] = _Session(bytearray(self.body), bool(self.given.get("close")))
        self.send_json({"session_id": session_id})

    def session_append(self) -> None:
        session = self._session(self.given["cursor"])
        if session.closed:
            raise DropboxError("closed")
        session.received += self.body
        session.closed = bool(self.given.get("close"))
        self.send_json(None)

    def session_finish(self) -> None:
        with self.tree.lock:
            session = self._session(self.given["cursor"], "lookup_failed")
            key = self._commit(self.given["commit"], bytes(session.received) + self.body, "path")
            self.send_json(self._shown(key))

    def session_finish_batch(self) -> None:
        entries: list[dict[str, Any]] = []
        with self.tree.lock:
            for entry in self.given["entries"]:
                try:
                    session = self._session(entry["cursor"], "lookup_failed")
                    key = self._commit(entry["commit"], bytes(session.received), "path")
                    entries.append({**self._shown(key), ".tag": "success"})
                except DropboxError as error:
                    entries.append({".tag": "failure", "failure": error_body(error)["error"]})
        self.send_json({"entries": entries})

    # Shared by the calls.

    def _page(self, keys: list[str], limit: int) -> None:
        cursor = f"cursor{next(self.server_of.numbers)}"
        self.server_of.cursors[cursor] = keys[limit:], limit
        with self.tree.lock:
            entries = [self._shown(key) for key in keys[:limit] if key in self.tree.items]
        self.send_json({"entries": entries, "cursor": cursor, "has_more": len(keys) > limit})

    def _session(self, cursor: dict[str, Any], *tags: str) -> _Session:
        session = self.server_of.sessions.get(cursor["session_id"])
        if session is None:
            raise DropboxError(*tags, "not_found")
        if cursor.get("offset", 0) != len(session.received):
            raise DropboxError(*tags, "incorrect_offset", correct_offset=len(session.received))
        return session

    def _commit(self, commit: dict[str, Any], content: bytes, write: str) -> str:
        mode = commit.get("mode") or "add"
        overwrite = (mode if isinstance(mode, str) else mode[".tag"]) != "add"
        modified = commit.get("client_modified")
        return self.tree.upload(commit["path"], Content(content), overwrite=overwrite, client_modified=modified, write=write)

    def _shown(self, key: str) -> dict[str, Any]:
        item = self.tree.items[key]
        return {".tag": "folder" if item.is_folder else "file", **_metadata(item, self.tree.display(key))}


def _deleted(path: str) -> dict[str, Any]:
    return {".tag": "deleted", "name": path.rpartition("/")[2], "path_lower": path.lower(), "path_display": path}


def _metadata(item: Any, display: str) -> dict[str, Any]:
    known: dict[str, Any] = {"name": item.name, "path_lower": display.lower(), "path_display": display, "id": item.id}
    if item.content is not None:
        known |= {
            "client_modified": item.client_modified,
            "server_modified": item.server_modified,
            "rev": item.rev,
            "size": item.content.size,
            "is_downloadable": True,
            "content_hash": item.content.dropbox_hash,
        }
    return known


_ROUTES: dict[str, Callable[[_Handler], None]] = {
    "files/list_folder": _Handler.list_folder,
    "files/list_folder/continue": _Handler.list_folder_continue,
    "files/list_folder/get_latest_cursor": _Handler.latest_cursor,
    "files/list_folder/longpoll": _Handler.longpoll,
    "files/get_metadata": _Handler.get_metadata,
    "files/download": _Handler.download,
    "files/create_folder_v2": _Handler.create_folder,
    "files/move_v2": _Handler.move,
    "files/copy_v2": _Handler.copy,
    "files/delete_v2": _Handler.delete,
    "files/upload": _Handler.upload,
    "files/upload_session/start": _Handler.session_start,
    "files/upload_session/append_v2": _Handler.session_append,
    "files/upload_session/finish": _Handler.session_finish,
    "files/upload_session/finish_batch_v2": _Handler.session_finish_batch,
    "users/get_space_usage": _Handler.space_usage,
    "users/get_current_account": _Handler.current_account,
}


@contextlib.contextmanager
def dropbox_server() -> Iterator[DropboxServer]:
    """A DropboxServer that runs during the block."""
    server = DropboxServer()
    try:
        yield server
    finally:
        server.close()
