"""Small servers of providers that give credentials, or show which ones a request has; their storages are empty.

`metadata`: the instance role of a machine at AWS. `google`: tokens for service accounts, and an empty bucket. `azure`: an empty
container.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from urllib.parse import parse_qs

from tests.servers.emulated import EmulatedHandler, EmulatedServer


class _Metadata(EmulatedHandler):
    def answer(self) -> None:
        server: MetadataServer = self.server_of
        server.note(self.command, self.path)
        if self.command == "PUT" and self.path == "/latest/api/token":
            self.send(200, b"session", {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "60"})
        elif self.path.rstrip("/") == "/latest/meta-data/iam/security-credentials":
            self.send(200, b"music-orchestrator")
        elif self.path == "/latest/meta-data/iam/security-credentials/music-orchestrator":
            key, secret = server.keys
            self.send_json(
                {
                    "Code": "Success",
                    "Type": "AWS-HMAC",
                    "LastUpdated": "2026-01-01T00:00:00Z",
                    "AccessKeyId": key,
                    "SecretAccessKey": secret,
                    "Token": "of-the-role",
                    "Expiration": "2099-01-01T00:00:00Z",
                }
            )
        else:
            self.send(404, b"")


class MetadataServer(EmulatedServer):
    """The metadata endpoint of a machine whose role has these keys."""

    def __init__(self, keys: tuple[str, str]) -> None:
        super().__init__(_Metadata, "metadata")
        self.keys = keys


class _Google(EmulatedHandler):
    def answer(self) -> None:
        if self.path == "/token":
            assertion = parse_qs(self.body.decode())["assertion"][0].split(".")[1]
            account = json.loads(base64.urlsafe_b64decode(assertion + "=="))["iss"]
            self.server_of.note("token", account)
            self.send_json({"access_token": f"for-{account}", "token_type": "Bearer", "expires_in": 3600})
            return
        self.server_of.note("list", self.headers.get("Authorization", "").removeprefix("Bearer "))
        self.send_json({"kind": "storage#objects", "items": []})


class _Azure(EmulatedHandler):
    def answer(self) -> None:
        self.server_of.note("list", self.headers.get("Authorization", "").partition(":")[0])
        empty = b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs></Blobs><NextMarker/></EnumerationResults>'
        self.send(200, empty, {"Content-Type": "application/xml"})


@contextlib.contextmanager
def metadata(keys: tuple[str, str]) -> Iterator[MetadataServer]:
    """See `MetadataServer`."""
    with contextlib.closing(MetadataServer(keys)) as server:
        yield server


@contextlib.contextmanager
def google() -> Iterator[EmulatedServer]:
    """Each call `token` is noted with its service account, each call `list` with its token."""
    with contextlib.closing(EmulatedServer(_Google, "google")) as server:
        yield server


@contextlib.contextmanager
def azure() -> Iterator[EmulatedServer]:
    """Each call is noted with `SharedKey ACCOUNT`."""
    with contextlib.closing(EmulatedServer(_Azure, "azure")) as server:
        yield server
