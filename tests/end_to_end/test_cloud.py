"""The section `cloud:` at real servers: which credentials, regions and sizes reach them, and that no secret shows on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from orchestrator.actions.session import open_session
from orchestrator.config.options.common import CommonOptions
from orchestrator.rclone.binary import find_rclone
from orchestrator.retry_times import FIRST_WAIT_S
from orchestrator.storage.wrappers.retry import RetryingStorage
from orchestrator.track import Track
from tests.audio import make_many, make_track
from tests.nightly import some_at_night
from tests.program import Program
from tests.servers import credentials
from tests.servers.http import HttpProxy, Refuse, http_proxy
from tests.servers.process import free_port
from tests.servers.remotes import ACCESS_KEY, BUCKET, SECRET_KEY, RemoteServer, obscured
from tests.watched import Watched, everything

PAIR = f"{ACCESS_KEY}:{SECRET_KEY}"
WRONG = {"AWS_ACCESS_KEY_ID": "AKIAOFANOTHERACCOUNT", "AWS_SECRET_ACCESS_KEY": "another-secret-of-the-environment"}
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null"}


@pytest.fixture
def proxy(s3_serve: RemoteServer) -> Iterator[HttpProxy]:
    """In front of an S3 server that checks signatures."""
    with http_proxy(s3_serve.port) as proxy:
        yield proxy


def configured(tmp_path: Path, port: int, *lines: str, options: str = "") -> Path:
    """A config whose cloud is a folder of its own behind the proxy."""
    file = tmp_path / "config.yaml"
    known = "force_path_style: 'true', provider: Rclone"
    file.write_text(
        f"cloud:\n  provider: s3\n  bucket: {BUCKET}\n  remote_path: /{tmp_path.name}\n  endpoint: http://127.0.0.1:{port}\n"
        f"  options: {{{known}{', ' if options else ''}{options}}}\n" + "".join(f"  {line}\n" for line in lines)
    )
    return file


def only_here(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment with no remotes and no other source of credentials."""
    (tmp_path / "rclone.conf").touch(mode=0o600)
    return {"RCLONE_CONFIG": str(tmp_path / "rclone.conf"), "HOME": str(tmp_path), **NOBODY, **more}


class Given(NamedTuple):
    """Credentials, and what else is around."""

    lines: list[str]
    environment: dict[str, str]


WAYS = ("credentials_env", "credentials_path", "variables", "instance role")


@pytest.fixture
def role() -> Iterator[credentials.MetadataServer]:
    """A machine with a role that may use the bucket."""
    with credentials.metadata((ACCESS_KEY, SECRET_KEY)) as server:
        yield server


@pytest.fixture
def ways(tmp_path: Path, role: credentials.MetadataServer) -> dict[str, Given]:
    """Every way to give the credentials of the bucket."""
    (tmp_path / "keys").write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    here = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{role.port}"}
    return {
        "credentials_env": Given(["credentials_env: MY_KEYS"], WRONG | {"MY_KEYS": PAIR}),
        "credentials_path": Given([f"credentials_path: {tmp_path}/keys"], WRONG),
        "variables": Given([], {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}),
        "instance role": Given([], here),
    }


@pytest.mark.parametrize("way", some_at_night(WAYS, night={"credentials_env", "variables"}))
def test_every_way_to_give_credentials_works_alone(
    tmp_path: Path, proxy: HttpProxy, role: credentials.MetadataServer, ways: dict[str, Given], way: str
) -> None:
    make_many(tmp_path / "library", 2)
    config = configured(tmp_path, proxy.port, *ways[way].lines)
    program = Program(tmp_path / "state", only_here(tmp_path, **ways[way].environment))
    ended = program("organize", str(tmp_path / "library"), "cloud:", "--yes", "--config", str(config))
    assert ended.summary["ops_done"] == 2
    assert (role.calls["GET"] > 0) == (way == "instance role")
    signed = {seen.headers["authorization"].partition("Credential=")[2].partition("/")[0] for seen in proxy.requests}
    assert signed == {ACCESS_KEY}
    buckets = [seen.path for seen in proxy.requests if seen.method == "PUT" and "/" not in seen.path.strip("/")]
    assert buckets == [], "no bucket is ever created"
    if way == "credentials_env":  # files that may be there already are compared, by a remote that the config makes
        make_many(tmp_path / "library" / "more", 3)
        assert program("organize", str(tmp_path / "library"), "cloud:", "--yes", "--config", str(config)).summary["ops_done"] == 3


@pytest.mark.parametrize("way", some_at_night(WAYS, night={*WAYS} - {"credentials_env"}))
def test_no_way_to_give_credentials_shows_a_secret(tmp_path: Path, proxy: HttpProxy, ways: dict[str, Given], way: str) -> None:
    make_many(tmp_path / "library", 2)
    config = configured(tmp_path, proxy.port, *ways[way].lines)
    program = Watched(tmp_path / "state", only_here(tmp_path, **ways[way].environment), alone=True)
    program.watch(proxy)
    log = ("--config", str(config), "-vv", "--log-file", str(tmp_path / "run.log"))
    ended = [
        program("doctor", *log),
        program("config", "show", *log),
        program("plan", str(tmp_path / "library"), "cloud:", "-o", str(tmp_path / "x.plan"), *log),
        program("apply", str(tmp_path / "x.plan"), "--yes", *log),
    ]
    assert ended[-1].summary["ops_done"] == 2
    assert program.processes > 5
    for secret in (SECRET_KEY.encode(), WRONG["AWS_SECRET_ACCESS_KEY"].encode()):
        assert secret not in everything(tmp_path, program, *ended)
        assert secret not in program.arguments
    assert b"MY_KEYS=" not in program.environments, "rclone gets what it needs of it, under its own names"


def test_credentials_that_are_missing_or_refused_are_6_and_stop_nothing_else(tmp_path: Path, proxy: HttpProxy) -> None:
    make_many(tmp_path / "library", 1)
    config = configured(tmp_path, proxy.port, "credentials_env: MY_KEYS")
    program = Program(tmp_path / "state", only_here(tmp_path, **WRONG))
    ended = program("scan", "cloud:", "--config", str(config), codes=(6,))
    assert "MY_KEYS is not set" in ended.errors[0]["message"]
    assert program("scan", str(tmp_path / "library"), "--config", str(config)).summary["files_seen"] == 1
    program("remotes", "--config", str(config))
    assert "MY_KEYS is not set" in program("doctor", "--config", str(config), codes=(6,)).failed_checks[0]["message"]
    assert not proxy.requests
    program.environment |= {"MY_KEYS": f"{ACCESS_KEY}:not-the-secret"}
    ended = program("scan", "cloud:", "--config", str(config), codes=(6,))
    assert "correct the variable MY_KEYS" in ended.errors[0]["message"]
    assert "not-the-secret" not in str(ended.events) + ended.stderr


@pytest.mark.parametrize(
    ("lines", "environment", "region"),
    [
        (["region: eu-west-1"], {"AWS_REGION": "eu-north-1"}, "eu-west-1"),
        ([], {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-north-1"),
        pytest.param([], {"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2", marks=pytest.mark.nightly),
    ],
)
def test_requests_are_signed_for_the_region(
    tmp_path: Path, proxy: HttpProxy, lines: list[str], environment: dict[str, str], region: str
) -> None:
    config = configured(tmp_path, proxy.port, "credentials_env: MY_KEYS", *lines)
    program = Program(tmp_path / "state", only_here(tmp_path, MY_KEYS=PAIR, **environment))
    program("scan", "cloud:", "--config", str(config))
    assert {seen.headers["authorization"].split("Credential=")[1].split("/")[2] for seen in proxy.requests} == {region}


def in_force(tmp_path: Path, config: Path, *locations: str, **options: Any) -> tuple[int, int, int]:
    """What rclone and the program use: bytes per second, transfers of rclone, and of the program."""
    common = CommonOptions(config=str(config), state_dir=str(tmp_path / "state"), **options)
    with open_session(common) as session:
        session.rclone.client.call("rc/noop")  # it runs before the location is known
        session.locations(*locations)
        rate = session.rclone.client.call("core/bwlimit")["bytesPerSecond"]
        return rate, session.rclone.client.call("options/get")["main"]["Transfers"], session.transfers


def test_limits_are_in_bytes_and_the_command_line_wins(tmp_path: Path, proxy: HttpProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEYS", PAIR)
    limits = ("bandwidth_limit: 1048576", "max_concurrent_uploads: 4", "credentials_env: MY_KEYS")
    config = configured(tmp_path, proxy.port, *limits)
    assert in_force(tmp_path, config, "cloud:") == (1048576, 4, 4)
    assert in_force(tmp_path, config, "cloud:", bandwidth="2M", transfers=3) == (2097152, 3, 3)
    hidden = {"CRYPTED_TYPE": "crypt", "CRYPTED_REMOTE": "cloud:music", "CRYPTED_PASSWORD": obscured(find_rclone(None).path, "x")}
    for name, value in hidden.items():
        monkeypatch.setenv(f"RCLONE_CONFIG_{name}", value)
    assert in_force(tmp_path, config, "crypted:") == (1048576, 4, 4), "the files are in the cloud"
    assert in_force(tmp_path, config, str(tmp_path)) == (-1, 8, 8), "nothing but this cloud is limited"


def test_chunk_size_is_the_size_of_parts_and_not_from_when_on_there_are_any(
    tmp_path: Path, proxy: HttpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEYS", PAIR)
    (tmp_path / "large").write_bytes(bytes(14 * 1024 * 1024))

    def uploads(options: str) -> Counter[int]:
        proxy.reset()
        config = configured(tmp_path, proxy.port, "credentials_env: MY_KEYS", "chunk_size: 8388608", options=options)
        with open_session(CommonOptions(config=str(config), state_dir=str(tmp_path / "state"))) as session:
            (location,) = session.locations("cloud:")
            body = {"srcFs": str(tmp_path), "srcRemote": "large", "dstFs": location.fs, "dstRemote": options or "plain"}
            session.rclone.client.call("operations/copyfile", body)
        sizes = (
            seen.headers.get("x-amz-decoded-content-length") or seen.body_bytes for seen in proxy.requests if seen.method == "PUT"
        )
        return Counter(map(int, sizes))

    assert uploads("") == {14 * 1024 * 1024: 1}
    assert uploads("upload_cutoff: 10Mi") == {8388608: 1, 14 * 1024 * 1024 - 8388608: 1}


def test_retry_attempts_count_the_tries_of_a_change(tmp_path: Path, proxy: HttpProxy) -> None:
    make_track(tmp_path / "library" / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    sent = {}
    for attempts in (1, 2):
        proxy.reset()
        proxy.when(lambda seen: seen.method == "PUT" and ".flac" in seen.path, Refuse(500))
        lines = (f"retry_attempts: {attempts}", "retry_delay: 0", "credentials_env: MY_KEYS")
        config = configured(tmp_path, proxy.port, *lines)
        program = Program(tmp_path / f"state{attempts}", only_here(tmp_path, MY_KEYS=PAIR))
        program("organize", str(tmp_path / "library"), "cloud:", "--yes", "--config", str(config), codes=(5,))
        sent[attempts] = sum(seen.method == "PUT" and ".flac" in seen.path for seen in proxy.requests)
    assert sent[2] == 2 * sent[1] > 0


def test_retry_delay_is_the_first_wait(tmp_path: Path, proxy: HttpProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the wrapper, whose waits have tests of their own: the SDK in rclone waits as well, and at random."""
    monkeypatch.setenv("MY_KEYS", PAIR)
    for lines, wait_s in ((("retry_delay: 1.5",), 1.5), ((), FIRST_WAIT_S)):
        config = configured(tmp_path, proxy.port, *lines, "credentials_env: MY_KEYS")
        with open_session(CommonOptions(config=str(config), state_dir=str(tmp_path / "state"))) as session:
            storage = session.storage(*session.locations("cloud:"))
            assert isinstance(storage, RetryingStorage)
            assert storage._first_wait_s == wait_s


@pytest.fixture(scope="module")
def service_account() -> dict[str, str]:
    """What Google gives as the file of a service account, for a token server of ours."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"type": "service_account", "client_id": "1", "private_key_id": "1", "private_key": key.private_bytes(*form).decode()}


@pytest.mark.parametrize("way", ["path", "JSON", "credentials_path", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_google_cloud_storage_gets_a_token_for_the_account_that_is_meant(
    tmp_path: Path, service_account: dict[str, str], way: str
) -> None:
    with credentials.google() as server:
        uri = f"http://127.0.0.1:{server.port}/token"
        for name in ("meant", "other"):
            (tmp_path / name).write_text(json.dumps(service_account | {"client_email": f"{name}@x", "token_uri": uri}))
        # Line breaks as a shell leaves them in a variable.
        text = (tmp_path / "meant").read_text().replace("\\n", "\n")
        lines, environment = {
            "path": ("  credentials_env: SA\n", {"SA": str(tmp_path / "meant")}),
            "JSON": ("  credentials_env: SA\n", {"SA": text}),
            "credentials_path": (f"  credentials_path: {tmp_path}/meant\n", {}),
            "GOOGLE_APPLICATION_CREDENTIALS": ("", {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "meant")}),
        }[way]
        config = tmp_path / "config.yaml"
        config.write_text(
            f"cloud:\n  provider: gcs\n  bucket: b\n  endpoint: http://127.0.0.1:{server.port}/storage/v1/\n{lines}"
        )
        other = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "other")}
        program = Program(tmp_path / "state", only_here(tmp_path, **(other | environment)))
        assert program("scan", "cloud:", "--config", str(config)).summary["files_seen"] == 0
        asked = {details for kind, details in server.requests if kind == "token"}
        listed = {details for kind, details in server.requests if kind == "list"}
    assert (asked, listed) == ({"meant@x"}, {"for-meant@x"})


@pytest.mark.parametrize("way", ["credentials_env", "variables", "connection string"])
def test_azure_gets_the_account_that_is_meant(tmp_path: Path, way: str) -> None:
    with credentials.azure() as server:
        here = f"http://127.0.0.1:{server.port}/meant"
        other = {"AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": "b3RoZXI="}
        string = f"DefaultEndpointsProtocol=http;AccountName=meant;AccountKey=bWVhbnQ=;BlobEndpoint={here};"
        lines, environment = {
            "credentials_env": (f"  endpoint: {here}\n  credentials_env: AZ\n", other | {"AZ": "meant:bWVhbnQ="}),
            "variables": (f"  endpoint: {here}\n", {"AZURE_STORAGE_ACCOUNT": "meant", "AZURE_STORAGE_KEY": "bWVhbnQ="}),
            "connection string": ("", other | {"AZURE_STORAGE_CONNECTION_STRING": string}),
        }[way]
        config = tmp_path / "config.yaml"
        config.write_text(f"cloud:\n  provider: azure\n  bucket: b\n{lines}")
        program = Program(tmp_path / "state", only_here(tmp_path, **environment))
        assert program("scan", "cloud:", "--config", str(config)).summary["files_seen"] == 0
        assert {details for _, details in server.requests} == {"SharedKey meant"}


@pytest.mark.parametrize("provider", ["dropbox", "gdrive"])
def test_a_token_is_taken_from_the_variable(tmp_path: Path, request: pytest.FixtureRequest, provider: str) -> None:
    server: RemoteServer = request.getfixturevalue({"gdrive": "drive"}.get(provider, provider))
    options = server.options
    token, proxy, authority = (options.pop(name) for name in ("token", "override.http_proxy", "override.ca_cert"))
    config = tmp_path / "config.yaml"
    config.write_text(
        f"cloud:\n  provider: {provider}\n  credentials_env: TOKEN\n  chunk_size: 8388608\n  options: {json.dumps(options)}\n"
    )
    program = Program(tmp_path / "state", only_here(tmp_path, TOKEN=token, HTTPS_PROXY=proxy, RCLONE_CA_CERT=authority))
    make_many(tmp_path / "library", 1)
    ended = program("organize", str(tmp_path / "library"), f"cloud:{tmp_path.name}", "--yes", "--config", str(config))
    assert ended.summary["ops_done"] == 1
    assert (tmp_path / "rclone.conf").read_text() == "", "the token is not stored"


def test_an_unreachable_cloud_is_given_up_after_the_attempts_that_are_set(tmp_path: Path) -> None:
    config = configured(tmp_path, free_port(), "credentials_env: MY_KEYS", "retry_attempts: 1")
    program = Program(tmp_path / "state", only_here(tmp_path, MY_KEYS=PAIR))
    assert "cannot be reached" in program("scan", "cloud:", "--config", str(config), codes=(5,)).errors[0]["message"]


def test_remotes_of_rclone_without_tls_are_reported(tmp_path: Path, webdav: RemoteServer) -> None:
    environment = only_here(tmp_path)
    config = tmp_path / "rclone.conf"
    config.write_text(webdav.section("here") + "[nas]\ntype = webdav\nurl = http://me:hush@nas.lan/dav\n")
    (tmp_path / "config.yaml").write_text("remotes: {here: {}}\n")
    program = Program(tmp_path / "state", environment | {"MUSIC_ORCHESTRATOR_CONFIG": str(tmp_path / "config.yaml")})
    ended = program("doctor")
    rows = {event["check"]: event for event in ended.events if event["type"] == "check"}
    assert "http://nas.lan, without TLS" in rows["remote nas"]["message"]
    assert "TLS" not in rows["remote here"]["message"]
    assert "hush" not in str(ended.events)
    assert program("remotes", "check", "here:").events[0]["without_tls"] is None
