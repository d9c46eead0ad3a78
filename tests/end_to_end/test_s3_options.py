"""Encryption, storage classes, acceleration, requester pays as an S3 server sees them, and the rights that each command needs."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.audio import make_many
from tests.places import bucket as boto
from tests.program import Ended, Program
from tests.rights import documented, of_s3
from tests.servers.connect_proxy import connect_proxy
from tests.servers.http import HttpProxy, Refuse, Retag, Seen, http_proxy
from tests.servers.remotes import ACCESS_KEY, BUCKET, SECRET_KEY, RemoteServer, with_remotes

KEY = base64.b64encode(b"0123456789abcdef" * 2).decode()
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/mine"


@pytest.fixture
def proxy(s3_moto: RemoteServer) -> Iterator[HttpProxy]:
    """In front of an S3 server that keeps storage classes and KMS keys, and ignores what else is asked of it."""
    with http_proxy(s3_moto.port) as proxy:
        yield proxy


class Cloud:
    """The program with a cloud of its own behind the proxy, and a folder with two songs."""

    def __init__(self, tmp_path: Path, options: dict[str, str], *, bucket: str = BUCKET, **environment: str) -> None:
        tmp_path.mkdir(exist_ok=True)
        self.library = str(tmp_path / "library")
        make_many(tmp_path / "library", 2)
        self._config = tmp_path / "config.yaml"
        lines = "".join(f"    {name}: '{value}'\n" for name, value in options.items())
        where = f"bucket: {bucket}\n  region: us-east-1\n  remote_path: {tmp_path.name}"
        self._config.write_text(f"cloud:\n  provider: s3\n  {where}\n  options:\n{lines}")
        (tmp_path / "rclone.conf").touch()
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        self._program = Program(tmp_path / "state", {"RCLONE_CONFIG": str(tmp_path / "rclone.conf"), **keys, **environment})

    def add(self, lines: str) -> None:
        """More of its section."""
        self._config.write_text(self._config.read_text() + lines)

    def forget(self, tmp_path: Path) -> None:
        """All that it knows."""
        self._program.state = tmp_path / "other state"

    def __call__(self, *words: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self._program(*words, "--yes", "--config", str(self._config), codes=codes)


def beyond(allowed: set[str], seen: Seen) -> bool:
    """Whether a request needs more rights than these."""
    return not of_s3(seen) <= allowed


def kinds(proxy: HttpProxy) -> dict[str, list[dict[str, str]]]:
    """The headers of all requests for music, by kind of request."""
    found: dict[str, list[dict[str, str]]] = {}
    for seen in proxy.requests:
        if ".mp3" in seen.path:
            kind = "copy" if "x-amz-copy-source" in seen.headers else seen.method
            found.setdefault(kind, []).append(dict(seen.headers))
    return found


def test_a_key_of_ones_own_is_in_every_request_and_no_command_needs_more_rights_than_documented(
    tmp_path: Path, proxy: HttpProxy
) -> None:
    """SSE-C with a key by reference, a storage class and requester pays. Everything beyond the rights of docs is refused."""
    encrypted = {"force_path_style": "true", "sse_customer_algorithm": "AES256"}
    cloud = Cloud(tmp_path, {**encrypted, "storage_class": "STANDARD_IA", "requester_pays": "true"})
    cloud.add(f"  endpoint: http://127.0.0.1:{proxy.port}\n")
    (tmp_path / "key").write_text(f"{KEY}\n")
    cloud.add(f"  secrets: {{sse_customer_key_base64: {{file: {tmp_path}/key}}}}\n")
    for words, row in (
        (("organize", cloud.library, "cloud:"), "organize"),
        (("scan", "cloud:"), "scan"),
        (("stats", "cloud:"), "stats"),
        (("dedup", "cloud:"), "dedup without an action"),
        (("organize", "cloud:", "--layout", "{{ title }}"), "organize"),
        (("sync", cloud.library, "cloud:synced"), "sync"),
        (("remotes", "check", "cloud:"), "remotes check"),
    ):
        proxy.when(partial(beyond, documented(row)), Refuse(403))
        if words[0] == "scan":
            cloud.forget(tmp_path)
        ended = cloud(*words)
        assert not ended.errors
        assert [seen.path for seen in proxy.requests if seen.status == 403] == [], words
        if words[0] == "remotes":
            assert next(event for event in ended.events if event["type"] == "capabilities")["hashes"] == []
        sent = kinds(proxy)
        proxy.reset()
        for kind, requests in sent.items():
            for headers in requests:
                assert headers["x-amz-request-payer"] == "requester"
                if kind != "DELETE":
                    assert headers["x-amz-server-side-encryption-customer-key"] == KEY, kind
                if kind == "copy":
                    assert headers["x-amz-copy-source-server-side-encryption-customer-key"] == KEY
                if kind in {"PUT", "copy"}:
                    assert headers["x-amz-storage-class"] == "STANDARD_IA"
        if words[0] == "organize":
            assert ended.summary["ops_done"] == 2
            assert {"HEAD", "PUT" if cloud.library in words else "copy"} <= sent.keys()
        if words[0] == "scan":
            assert "GET" in sent


def test_kms_is_in_every_upload_and_copy_and_its_etags_are_no_md5(
    tmp_path: Path, s3_moto: RemoteServer, proxy: HttpProxy
) -> None:
    """Over the accelerated endpoint, which has the bucket in its name."""
    host = f"{BUCKET}.s3-accelerate.amazonaws.com"
    with connect_proxy(host) as line:
        options = {"server_side_encryption": "aws:kms", "sse_kms_key_id": KMS_KEY, "use_accelerate_endpoint": "true"}
        through = {"HTTPS_PROXY": line.url(proxy.port), "RCLONE_CA_CERT": str(line.ca_cert)}
        cloud = Cloud(tmp_path, {**options, "force_path_style": "false"}, **through)
        proxy.when(lambda _: True, Retag())
        assert cloud("organize", cloud.library, "cloud:").summary["ops_done"] == 2
        assert cloud("organize", "cloud:", "--layout", "{{ title }}").summary["ops_done"] == 2
        facts = next(event for event in cloud("remotes", "check", "cloud:").events if event["type"] == "capabilities")
    assert facts["hashes"] == []
    assert {seen.headers["host"] for seen in proxy.requests} == {host}
    sent = kinds(proxy)
    for headers in (*sent["PUT"], *sent["copy"]):
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == KMS_KEY


def test_a_bucket_that_encrypts_with_kms_by_default_is_recognized(tmp_path: Path, proxy: HttpProxy) -> None:
    """rclone takes each ETag for an MD5 until it is told: the check and a run say which option to set; no source is removed."""
    cloud = Cloud(tmp_path, {"force_path_style": "true"})
    cloud.add(f"  endpoint: http://127.0.0.1:{proxy.port}\n")
    proxy.when(lambda _: True, Retag())
    assert "set `server_side_encryption: aws:kms`" in str(cloud("remotes", "check", "cloud:").events)
    before = {path.name: path.read_bytes() for path in Path(cloud.library).rglob("*.mp3")}
    ended = cloud("organize", cloud.library, "cloud:", "--move", codes=(9,))
    assert all("set `server_side_encryption: aws:kms`" in error["message"] for error in ended.errors)
    assert {path.name: path.read_bytes() for path in Path(cloud.library).rglob("*.mp3")} == before


def error_of_s3(status: int, code: str, message: str = "Access Denied") -> Refuse:
    """An error as S3 words it."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Refuse(status, {"Content-Type": "application/xml"}, body.encode())


DENIED = error_of_s3(403, "AccessDenied")
REGION = error_of_s3(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-1'")


MOVED = Refuse(
    301, {"x-amz-bucket-region": "eu-west-1"} | dict(error_of_s3(301, "").headers), error_of_s3(301, "PermanentRedirect").body
)


class Refused(NamedTuple):
    """What S3 refuses, and what the program says."""

    applies: Callable[[Seen], bool]
    answer: Refuse
    words: tuple[str, ...]
    code: int
    says: str


def is_listing(seen: Seen) -> bool:
    """Whether this lists the bucket."""
    return seen.method == "GET" and "prefix=" in seen.path


NEW = ("organize", "LIBRARY", "cloud:new")
REFUSED = {
    "another region": Refused(
        lambda _: True, REGION, ("scan", "cloud:"), 2, "in the region eu-west-1: set `cloud.region: eu-west-1`"
    ),
    "another region, by a redirect": Refused(
        lambda _: True, MOVED, NEW, 2, "in the region eu-west-1: set `cloud.region: eu-west-1`"
    ),
    "another region, which is not said": Refused(
        lambda _: True, error_of_s3(301, "PermanentRedirect"), ("scan", "cloud:"), 2, "curl -sI https://music.s3.amazonaws.com"
    ),
    "requester pays": Refused(lambda _: True, DENIED, ("scan", "cloud:"), 6, "the option `requester_pays: 'true'`"),
    "no right to read": Refused(
        lambda seen: seen.method in {"GET", "HEAD"} and not is_listing(seen), DENIED, ("scan", "cloud:"), 6, "none of its 2 files"
    ),
    "no right to look": Refused(lambda seen: seen.method == "HEAD", DENIED, NEW, 6, "grant these credentials the right"),
    "no right to write": Refused(
        lambda seen: seen.method == "PUT", DENIED, ("organize", "cloud:"), 6, "lacks the right to write (s3:PutObject)"
    ),
    "no right to write anew": Refused(lambda seen: seen.method == "PUT", DENIED, NEW, 6, "right to write (s3:PutObject)"),
    "retention": Refused(
        lambda seen: seen.method == "DELETE" and ".mp3" in seen.path, DENIED, ("organize", "cloud:"), 6, "under retention"
    ),
}


def test_what_s3_refuses_as_a_whole_is_said_once_with_the_remedy_and_loses_nothing(
    tmp_path: Path, s3_moto: RemoteServer, proxy: HttpProxy
) -> None:
    storage = boto(s3_moto)
    for name, case in REFUSED.items():
        here = tmp_path / name.replace(" ", "-")
        cloud = Cloud(here, {"force_path_style": "true"})
        cloud.add(f"  endpoint: http://127.0.0.1:{proxy.port}\n")
        contents = {path.read_bytes() for path in here.rglob("*.mp3")}
        for number, content in enumerate(sorted(contents)):
            storage.put_object(Bucket=BUCKET, Key=f"{here.name}/in/{number}.mp3", Body=content)
        proxy.when(case.applies, case.answer)
        ended = cloud(*(cloud.library if word == "LIBRARY" else word for word in case.words), codes=(case.code,))
        proxy.reset()
        (error,) = (error for error in ended.errors if error["path"] is None)
        assert case.says in error["message"]
        assert "\n" not in error["message"]
        for number, content in enumerate(sorted(contents)):
            assert storage.get_object(Bucket=BUCKET, Key=f"{here.name}/in/{number}.mp3")["Body"].read() == content, name
    cloud = Cloud(tmp_path / "missing", {"force_path_style": "true"}, bucket="no-such-bucket")
    cloud.add(f"  endpoint: http://127.0.0.1:{proxy.port}\n")
    for words in (("scan",), ("organize", cloud.library), ("sync", cloud.library), ("remotes", "check"), ("quarantine", "list")):
        (error,) = cloud(*words, "cloud:", codes=(2,)).errors
        assert "cloud: there is no bucket no-such-bucket: check the name" in error["message"], words
    assert "no-such-bucket" not in str(storage.list_buckets())


@pytest.mark.parametrize(
    ("provider", "storage_class"),
    [("AWS", "GLACIER"), pytest.param("TencentCOS", "DEEP_ARCHIVE", marks=pytest.mark.nightly), ("Other", "GLACIER")],
)
def test_nothing_is_asked_of_an_archived_object(
    tmp_path: Path, s3_moto: RemoteServer, proxy: HttpProxy, provider: str, storage_class: str
) -> None:
    """Of a provider whose classes rclone does not show in listings, it takes a few requests, and the same words."""
    cloud = Cloud(tmp_path, {"force_path_style": "true", "provider": provider})
    cloud.add(f"  endpoint: http://127.0.0.1:{proxy.port}\n")
    for kind, path in zip((storage_class, "STANDARD"), sorted(Path(cloud.library).rglob("*.mp3")), strict=True):
        key = f"{tmp_path.name}/{kind}.mp3"
        boto(s3_moto).put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes(), StorageClass=kind)
    ended = cloud("scan", "cloud:", codes=(3,))
    assert [(error["path"], error["message"]) for error in ended.errors] == [
        (
            f"{storage_class}.mp3",
            f"archived ({storage_class}): it can be read and moved once it was restored to another storage class",
        )
    ]
    assert ended.summary["files_read"] == 1
    asked = [seen.method for seen in proxy.requests if storage_class in seen.path]
    assert bool(asked) == (provider == "Other")
    assert len(asked) <= 8
    facts = cloud("remotes", "check", "cloud:").events[0]
    assert (facts["readable"], facts["not_readable"]) == (True, None)


@pytest.mark.nightly
def test_nothing_is_asked_of_an_archived_blob(tmp_path: Path, azure: RemoteServer, rclone_binary: Path) -> None:
    make_many(tmp_path / "library", 2)
    with http_proxy(azure.port) as proxy:
        environment = with_remotes(tmp_path, azure.section("here", port=proxy.port))
        program = Program(tmp_path / "state", environment)
        location = azure.fs(tmp_path.name, name="here")
        program("organize", str(tmp_path / "library"), location, "--layout", "{{ title }}", "--yes")
        settier = [str(rclone_binary), "settier", "Archive", location, "--include", "*00000000.mp3"]
        subprocess.run(settier, env={**os.environ, **environment}, check=True)
        proxy.reset()
        program.state = tmp_path / "other state"
        (error,) = program("scan", location, codes=(3,)).errors
        assert "archived (Archive): it can be read and moved once it was restored" in error["message"]
        assert not [seen.path for seen in proxy.requests if "00000000.mp3" in seen.path]
