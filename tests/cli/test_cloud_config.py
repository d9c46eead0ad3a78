"""The section `cloud:`: every key of it, how it is written, what it means for the remote, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.config import loading, model
from orchestrator.config.references import Reference
from orchestrator.errors import AuthError, ConfigError
from orchestrator.location import cloud_definition, resolve
from orchestrator.profiles import load_profile

SEED = """\
{
    "provider": "s3",
    "bucket_name": "my-music-library",
    "region": "us-east-1",
    "credentials_env": "AWS_CREDENTIALS",
    "remote_path": "/music",
    "chunk_size": 8388608,
    "max_concurrent_uploads": 4,
    "retry_attempts": 3
}
"""
KEYS = {
    "provider": ("s3", "s3"),
    "bucket": ("my-music-library", "my-music-library"),
    "region": ("us-east-1", "us-east-1"),
    "credentials_env": ("AWS_CREDENTIALS", "AWS_CREDENTIALS"),
    "remote_path": ("/music", "/music"),
    "endpoint": ("https://s3.example.org", "https://s3.example.org"),
    "allow_http": ("true", True),
    "chunk_size": ("8388608", 8388608),
    "max_concurrent_uploads": ("4", 4),
    "retry_attempts": ("3", 3),
    "retry_delay": ("1.0", 1.0),
    "bandwidth_limit": ("1048576", 1048576),
    "sync_mode": ("upload", "upload"),
    "delete_after_sync": ("true", True),
    "options": ("{storage_class: STANDARD_IA}", {"storage_class": "STANDARD_IA"}),
    "secrets": ("{sse_customer_key: {file: /run/sse}}", {"sse_customer_key": Reference(file="/run/sse")}),
}
"""Each key of the section -> as `config set` gets it, as it is read. `credentials_path` excludes `credentials_env`."""
KEY_PAIR = {"AWS_CREDENTIALS": "AKIAEXAMPLE:se/cr+et=="}


def cloud_in(text: str) -> model.Cloud:
    found = loading.parse(text.encode(), Path("c.yaml")).cloud
    assert found is not None
    return found


def options_of(text: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    return cloud_definition(cloud_in(text), environment or {}).options


def test_every_key_can_be_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert KEYS.keys() | {"credentials_path"} == {*model.Cloud.__struct_fields__}
    file = tmp_path / "c.yaml"
    for key, (value, _) in KEYS.items():
        assert run(["config", "set", f"cloud.{key}", value, "--config", str(file)]) == 0, key
    found = loading.load(file, {}).config.cloud
    assert {key: getattr(found, key) for key in KEYS} == {key: value for key, (_, value) in KEYS.items()}
    capsys.readouterr()
    for key in KEYS.keys() - {"options", "secrets"}:  # these two are hidden
        assert run(["config", "get", f"cloud.{key}", "--config", str(file)]) == 0
        assert capsys.readouterr().out == f"{KEYS[key][1]}\n"


def test_the_file_of_the_seed_is_read_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "s3.json"
    file.write_text(SEED)
    config = loading.load(file, {}).config
    there = resolve("cloud:", config, {}, KEY_PAIR)
    assert there.fs == "cloud:my-music-library/music"
    assert there.definition is not None
    assert there.definition.options == {
        "provider": "AWS",
        "region": "us-east-1",
        "access_key_id": "AKIAEXAMPLE",
        "secret_access_key": "se/cr+et==",
        "chunk_size": "8388608B",
    }
    assert config.cloud is not None
    assert (config.cloud.max_concurrent_uploads, config.cloud.retry_attempts) == (4, 3)
    assert cloud_in(f"cloud_storage: {SEED}") == config.cloud


def test_the_model_of_the_seed_is_read_by_its_own_names() -> None:
    model_of_the_seed = {
        "provider": "gdrive",
        "bucket_name": "b",
        "region": None,
        "credentials_path": None,
        "credentials_env": None,
        "remote_path": "/music",
        "chunk_size": 8 * 1024 * 1024,
        "max_concurrent_uploads": 4,
        "retry_attempts": 3,
        "retry_delay": 1.0,
        "sync_mode": "bidirectional",
        "delete_after_sync": False,
        "bandwidth_limit": None,
    }
    for provider in ("s3", "gcs", "azure", "dropbox", "gdrive"):
        for mode in ("upload", "download", "bidirectional"):
            given = model_of_the_seed | {"provider": provider, "sync_mode": mode}
            found = cloud_in(json.dumps({"cloud_storage": given}))
            assert {
                ("bucket_name" if key == "bucket" else key): getattr(found, key) for key in found.__struct_fields__
            }.items() >= given.items()


def test_setting_a_key_of_the_seeds_file_keeps_it_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "s3.json"
    file.write_text(SEED)
    for key, value in (("cloud.region", "eu-west-1"), ("cloud.bucket", "other"), ("cloud_storage.retry_delay", "1.5")):
        assert run(["config", "set", key, value, "--config", str(file)]) == 0
    written = json.loads(file.read_text())
    assert written == json.loads(SEED) | {"region": "eu-west-1", "bucket_name": "other", "retry_delay": 1.5}
    capsys.readouterr()
    assert run(["config", "get", "cloud_storage.bucket_name", "--config", str(file)]) == 0
    assert capsys.readouterr().out == "other\n"
    before = file.read_text()
    assert run(["config", "set", "transfers", "4", "--config", str(file)]) == 2
    assert "this file holds only the section `cloud`" in capsys.readouterr().err
    assert file.read_text() == before
    assert run(["config", "set", "options.secret_access_key", "hush", "--config", str(file)]) == 2
    assert "not written: the option secret_access_key is a secret" in capsys.readouterr().err
    wrong = json.dumps(json.loads(SEED) | {"transfers": 3})
    file.write_text(wrong)
    assert run(["config", "set", "transfers", "4", "--config", str(file)]) == 2
    assert file.read_text() == wrong


def test_set_uses_the_spelling_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("cloud_storage:  # ours\n  bucket_name: a\n  provider: s3\n")
    assert run(["config", "set", "cloud.bucket", "b", "--config", str(file)]) == 0
    assert file.read_text() == "cloud_storage:  # ours\n  bucket_name: b\n  provider: s3\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("provider: s3\nlocations: {a: b}\n", "c.yaml:2: unknown key `locations`: this file holds only the section `cloud`"),
        ("cloud: {bucket: a, bucket_name: b}\n", "cloud: bucket and bucket_name are the same key"),
        ("cloud: {}\ncloud_storage: {}\n", "c.yaml:2: cloud and cloud_storage are the same key"),
        (
            "cloud:\n  credentials: {access_key: AKIASECRET, secret_key: SECRET}\n",
            "of the environment, and name it with `credentials_env: AWS_CREDENTIALS`",
        ),
        ("provider: s3\ncredentials:\n  access_key: AKIASECRET\n", "c.yaml:2: cloud.credentials: secrets do not belong"),
        (
            "cloud: {provider: s3, credentials_env: 'AKIASECRET:SECRET'}\n",
            "c.yaml:1: cloud.credentials_env: is the name of a variable",
        ),
        ("cloud: {provider: s3, credentials_env: A, credentials_path: b}\n", "leave out one of credentials_path and"),
        ("cloud: {credentials_env: A}\n", "cloud.credentials_env: needs a provider"),
        ("cloud: {provider: sftp, credentials_env: A}\n", "cloud.credentials_env: the provider sftp has no credentials in one"),
        ("cloud: {provider: dropbox, credentials_path: a}\n", "cloud.credentials_path: the provider dropbox has no file"),
        (
            "cloud: {provider: s3, credentials_env: A, options: {secret_access_key: SECRET}}\n",
            "cloud.options: leave out secret_access_key",
        ),
        ("cloud: {provider: dropbox, credentials_env: A, options: {token: SECRET}}\n", "cloud.options: leave out token"),
        (
            "cloud: {provider: s3, chunk_size: 5242879}\n",
            "cloud.chunk_size: 5242879 bytes: a part of an upload to S3 has 5",
        ),
        ("cloud: {provider: s3, chunk_size: 5368709121}\n", "cloud.chunk_size: 5368709121 bytes: a part of an upload to S3"),
        (
            "cloud: {provider: gdrive, chunk_size: 300000}\n",
            "chunk_size: 300000 bytes: a part of an upload to Google Drive",
        ),
        (
            "cloud: {provider: gdrive, chunk_size: 131072}\n",
            "chunk_size: 131072 bytes: a part of an upload to Google Drive",
        ),
        ("cloud: {provider: b2, chunk_size: 5242879}\n", "5242879 bytes: a part of an upload to B2 has 5 MiB"),
        ("cloud: {provider: dropbox, chunk_size: 157286400}\n", "157286400 bytes: a part of an upload to Dropbox has less than"),
        ("cloud: {provider: aws, bucket: b}\n", "c.yaml:1: cloud.provider: there is no provider 'aws': write s3"),
        ("cloud: {provider: Amazon S3}\n", "there is no provider 'Amazon S3': write s3"),
        ("cloud: {provider: wasabi}\n", "there is no provider 'wasabi': write s3, and the address of the server as `endpoint`"),
        ("cloud: {provider: s3, bucket: 's3://my-music/'}\n", "c.yaml:1: cloud.bucket: write it without s3://, as my-music"),
        ("cloud: {provider: s3, remote_path: ../other/music}\n", "cloud.remote_path: leads out of the remote"),
        ("cloud: {provider: s3, bucket: 's3://KEY:SECRET@music'}\n", "cloud.bucket: write it without s3://, as music"),
        ("cloud: {provider: s3, bucket: 'https://b.s3.example.org'}\n", "cloud.bucket: is the name of the bucket alone"),
        ("cloud: {chunk_size: 8M}\n", "cloud.chunk_size: expected a number, got `8M`"),
        ("cloud: {provider: s3, chunk_size: 8388608, options: {chunk_size: 8M}}\n", "cloud.options: leave out chunk_size"),
        ("cloud: {max_concurrent_uploads: 0}\n", "cloud.max_concurrent_uploads: must be at least 1"),
        ("cloud: {retry_attempts: 13}\n", "cloud.retry_attempts: must be at most 12"),
        ("cloud: {retry_delay: 30.5}\n", "cloud.retry_delay: must be at most 30"),
        ("cloud: {retry_delay: 1e999}\n", "cloud.retry_delay: expected a number, got `1e999`"),
        ("cloud: {retry_delay: soon}\n", "cloud.retry_delay: expected a number, got `soon`"),
        ("cloud: {bandwidth_limit: 0}\n", "cloud.bandwidth_limit: must be at least 1"),
        ("cloud: {bandwidth_limit: fast}\n", "cloud.bandwidth_limit: fast: write a rate"),
        (
            "cloud: {provider: s3, endpoint: 'http://nas.lan:9000'}\n",
            "cloud.endpoint: http://nas.lan is on another host and has no TLS",
        ),
        ("cloud: {provider: s3, endpoint: 'HTTP://127.0.0.1.example.org'}\n", "has no TLS"),
        ("cloud: {provider: s3, endpoint: 'http://localhost@nas.lan'}\n", "http://nas.lan is on another host"),
        (
            "cloud: {provider: webdav, options: {url: 'http://10.0.0.2/dav'}}\n",
            "options: url: http://10.0.0.2 is on another",
        ),
        (
            "cloud: {provider: azure, options: {connection_string: 'BlobEndpoint=http://x.lan/a;AccountKey=SECRET'}}\n",
            "cloud.options: connection_string: http://x.lan is on another host",
        ),
        ('cloud: {region: "SECRET\\0"}\n', "c.yaml:1: cloud.region: must not contain line breaks or NUL"),
        ('cloud: {provider: "s3\\nSECRET"}\n', "cloud.provider: must not contain line breaks"),
        ('cloud: {options: {a: "SECRET\\0"}}\n', "cloud.options.a: must not contain NUL"),
        ("cloud: {options: {a=SECRET: b}}\n", "cloud.options: the name of an option must not contain ="),
        ('cloud: {options: {"": SECRET}}\n', "cloud.options: the name of an option must not be empty"),
        ('remotes: {r: {type: s3, options: {"a\\n": SECRET}}}\n', "remotes.r.options: the name of an option must not"),
        ('remotes: {"a=": {type: s3}}\n', "c.yaml:1: remotes: the name of a remote must not contain ="),
        ("cloud: {options: SECRET}\n", "cloud.options: expected a mapping, got another value"),
        ("notify: {urls: SECRET}\n", "notify.urls: expected a list, got another value"),
        ("cloud: {chunk_size: " + "9" * 5000 + "}\n", "got `" + "9" * 80 + "… (5000 characters)`"),
        ("cloud: {bandwidth_limit: " + "9" * 5000 + "}\n", "cloud.bandwidth_limit: "),
        ("[" * 5000, "c.yaml: nested too deep"),
        ("cloud: " + "{a: " * 5000, "c.yaml: nested too deep"),
    ],
)
def test_what_cannot_work_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loading.load_text(text.encode(), Path("c.yaml"), {})
    assert says in caught.value.message
    assert caught.value.message.startswith("c.yaml:")
    assert "SECRET" not in caught.value.message
    assert len(caught.value.message) < 400


def test_the_password_of_an_endpoint_is_hidden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("cloud: {provider: s3, endpoint: 'https://AKIA:SEC/RET@s3.example.org:9000'}\n")
    for command in (["config", "get", "cloud.endpoint"], ["config", "show"]):
        assert run([*command, "--config", str(file)]) == 0
        shown = capsys.readouterr().out
        assert "https://(hidden)@s3.example.org:9000" in shown
        assert "AKIA" not in shown


def test_http_is_for_this_machine_or_allowed() -> None:
    for endpoint in ("http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000", "https://nas.lan", "nas.lan:9000"):
        assert options_of(f"cloud: {{provider: s3, endpoint: '{endpoint}'}}\n")["endpoint"] == endpoint
    text = "cloud: {provider: s3, endpoint: 'http://nas.lan', allow_http: true}\n"
    assert options_of(text)["endpoint"] == "http://nas.lan"
    proxied = "cloud: {provider: webdav, options: {url: 'https://x.org', http_proxy: 'http://proxy.lan:3128'}}\n"
    assert options_of(proxied)["http_proxy"] == "http://proxy.lan:3128"
    with pytest.raises(ConfigError, match=r"AWS_ENDPOINT_URL_S3: http://nas\.lan is on another host"):
        options_of("cloud: {provider: s3}\n", {"AWS_ENDPOINT_URL": "http://nas.lan"})


def test_a_variable_of_the_config_is_checked_like_the_file() -> None:
    environment = {"MUSIC_ORCHESTRATOR_CLOUD_PROVIDER": "s3", "MUSIC_ORCHESTRATOR_CLOUD_CHUNK_SIZE": "1"}
    with pytest.raises(ConfigError, match="MUSIC_ORCHESTRATOR_CLOUD_CHUNK_SIZE: 1 bytes: a part of an upload to S3"):
        loading.load_text(None, Path("c.yaml"), environment)


@pytest.mark.parametrize(
    ("provider", "value", "options"),
    [
        ("s3", "AKIA:se/cr+et=", {"access_key_id": "AKIA", "secret_access_key": "se/cr+et="}),
        ("s3", " AKIA:s:to/ken==\n", {"access_key_id": "AKIA", "secret_access_key": "s", "session_token": "to/ken=="}),
        ("azure", "mine:a2V5==", {"account": "mine", "key": "a2V5=="}),
        ("b2", "id:key", {"account": "id", "key": "key"}),
        ("dropbox", '{"access_token": "t"}', {"token": '{"access_token": "t"}'}),
        ("gdrive", '{"access_token": "t"}', {"token": '{"access_token": "t"}'}),
        (
            "gcs",  # as an .env file gives it: the line breaks of the key are real ones
            '{"type": "service_account",\n "private_key": "-----BEGIN\nabc\n"}',
            {"service_account_credentials": '{"type": "service_account", "private_key": "-----BEGIN\\nabc\\n"}'},
        ),
    ],
)
def test_credentials_are_read_from_the_variable_that_is_named(provider: str, value: str, options: dict[str, str]) -> None:
    # What the environment holds besides is not mixed in.
    around = {"X": value, "AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": "other", "AWS_ACCESS_KEY_ID": "other"}
    found = options_of(f"cloud: {{provider: {provider}, credentials_env: X}}\n", around)
    assert found.items() >= options.items()
    assert "other" not in found.values()
    assert "env_auth" not in found, "rclone must not look for credentials elsewhere"


@pytest.mark.parametrize(
    ("provider", "value", "says"),
    [
        ("s3", "", "cloud.credentials_env: X is not set: put ACCESS_KEY:SECRET or ACCESS_KEY:SECRET:TOKEN into"),
        ("s3", "HUSH", "does not hold ACCESS_KEY:SECRET"),
        ("s3", "a:HUSH:c:d", "with no other colons"),
        ("s3", "a:", "does not hold"),
        ("s3", "'a:HUSH'", "without quotes"),
        ("azure", "a:HUSH:c", "does not hold ACCOUNT:KEY"),
        ("gcs", "/nowhere/SA.json", "there is no such file"),
        ("gcs", "HUSH" * 100, "there is no such file"),  # a key in base64
        ("gcs", '{"a":' + "[" * 20000, "does not hold"),
        ("gcs", "{HUSH", "does not hold the path or the JSON of a service account"),
        ("gcs", '{"token": "HUSH"}', "does not hold the path or the JSON"),
        ("dropbox", "HUSH", "does not hold the JSON of a token"),
        ("dropbox", "[]", "does not hold the JSON of a token"),
    ],
)
def test_unusable_credentials_are_6_and_never_repeated(provider: str, value: str, says: str) -> None:
    with pytest.raises(AuthError) as caught:
        options_of(f"cloud: {{provider: {provider}, credentials_env: X}}\n", {"X": value})
    assert says in caught.value.message
    assert "cloud.credentials_env: X" in caught.value.message
    assert "HUSH" not in caught.value.message


def test_files_of_credentials(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = str(tmp_path / "file")
    expected = {
        "s3": {"shared_credentials_file": path, "profile": "default", "env_auth": "true"},
        "gcs": {"service_account_file": path},
        "gdrive": {"service_account_file": path},
        "azure": {"service_principal_file": path},
    }
    for provider, options in expected.items():
        text = f"cloud: {{provider: {provider}, credentials_path: ~/file}}\n"
        found = options_of(text, {"HOME": str(tmp_path), "AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": "other"})
        assert found.items() >= options.items()
        assert "other" not in found.values()
    chosen = options_of(f"cloud: {{provider: s3, credentials_path: {path}, options: {{profile: mine}}}}\n")
    assert chosen["profile"] == "mine"
    assert options_of("cloud: {provider: gcs, credentials_env: X}\n", {"X": path})["service_account_file"] == path
    with pytest.raises(AuthError, match=r"cloud\.credentials_path: /nowhere: there is no such file"):
        options_of("cloud: {provider: s3, credentials_path: /nowhere}\n")


def test_without_a_reference_the_providers_variables_count() -> None:
    text = "cloud: {provider: s3, bucket: b}\n"
    assert options_of(text, {"AWS_DEFAULT_REGION": "eu-west-1"})["region"] == "eu-west-1"
    assert options_of(text, {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-north-1"})["region"] == "eu-north-1"
    assert options_of(text, {})["env_auth"] == "true"
    fixed = "cloud: {provider: s3, region: us-west-2, endpoint: 'https://a'}\n"
    given = options_of(fixed, {"AWS_REGION": "eu-north-1", "AWS_ENDPOINT_URL": "https://b"})
    assert (given["region"], given["endpoint"], given["provider"]) == ("us-west-2", "https://a", "Other")
    azure = "cloud: {provider: azure, bucket: b}\n"
    account = {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_KEY": "k"}
    account_only = {"account": "a", "key": "k"}
    assert options_of(azure, account) == account_only
    assert options_of(azure, account | {"AZURE_STORAGE_CONNECTION_STRING": "c"}) == {"connection_string": "c"}
    token = {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=x%3D"}
    assert options_of(azure, token) == {"sas_url": "https://a.blob.core.windows.net/?sv=1&sig=x%3D"}
    assert options_of(azure, account | token) == account_only
    elsewhere = "cloud: {provider: azure, endpoint: 'https://a.blob.core.chinacloudapi.cn/'}\n"
    assert options_of(elsewhere, token) == {"sas_url": "https://a.blob.core.chinacloudapi.cn/?sv=1&sig=x%3D"}
    assert options_of("cloud: {provider: azure, options: {sas_url: 'https://s'}}\n", account) == {"sas_url": "https://s"}
    assert options_of("cloud: {provider: gcs, region: eu}\n", {}) == {"env_auth": "true", "location": "eu"}


def test_providers_that_take_credentials_say_how() -> None:
    for provider in ("s3", "gcs", "azure", "dropbox", "gdrive"):
        new = load_profile(provider).new_remote
        assert new.credentials_text is not None, provider
