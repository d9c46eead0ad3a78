"""What a user types, and which location it means."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from orchestrator.config.model import Cloud, Config, Remote, Schemes
from orchestrator.errors import UsageError
from orchestrator.location import RemoteDefinition, config_remotes, path_below, resolve

REMOTES = {"gdrive": "drive", "My Drive": "drive", "box": "dropbox", "nas": "sftp", "my-aws": "s3"}
CONFIG = Config(
    locations={"library": "my-aws:music/lib/", "twice": "library", "loop": "loop"},
    schemes=Schemes(azure="my-aws"),
    remotes={"made": Remote(type="s3", options={"provider": "Other"})},
)
HOME = {"HOME": "/home/me"}


def never() -> NoReturn:
    raise AssertionError("rclone was asked for its remotes")


@pytest.mark.parametrize(
    ("typed", "fs"),
    [
        ("gdrive:Music", "gdrive:Music"),
        ("gdrive:/Music//New/./x/../", "gdrive:Music/New"),
        ("gdrive:", "gdrive:"),
        ("My Drive:a b", "My Drive:a b"),
        ("nas:/srv/music/", "nas:/srv/music"),
        ("nas:music", "nas:music"),
        ("library", "my-aws:music/lib"),
        ("twice", "my-aws:music/lib"),
        ("azure://container/p", "my-aws:container/p"),
        ("dropbox://p/q/", "box:p/q"),
        ("made:bucket/x", "made:bucket/x"),
        ("gdrive:a:b", "gdrive:a:b"),
    ],
)
def test_locations_on_remotes(typed: str, fs: str) -> None:
    found = resolve(typed, CONFIG, REMOTES, HOME)
    assert (found.fs, found.typed, found.local) == (fs, typed, False)
    assert resolve(found.fs, CONFIG, REMOTES, HOME).fs == fs, "printed locations can be typed again"


@pytest.mark.parametrize(
    ("typed", "fs"),
    [
        ("/srv/music/", "/srv/music"),
        ("//srv//music/../x", "/srv/x"),
        ("/", "/"),
        ("/a:b/c", "/a:b/c"),
        ("~/Music", "/home/me/Music"),
        ("~", "/home/me"),
        ("./x:y", f"{Path.cwd()}/x:y"),
        (".", str(Path.cwd())),
        ("../x", f"{Path.cwd().parent}/x"),
    ],
)
def test_folders_of_this_machine_need_no_rclone(typed: str, fs: str) -> None:
    found = resolve(typed, CONFIG, never, HOME)
    assert (found.fs, found.local, found.remote) == (fs, True, None)


def test_urls_without_a_remote_take_the_providers_environment() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "k", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-1"}
    found = resolve("s3://bucket/p/", Config(), never, environment)
    assert found.fs == "s3env:bucket/p"
    assert found.definition is not None
    assert found.definition.type == "s3"
    assert found.definition.options["env_auth"] == "true"
    assert found.definition.options["endpoint"] == "http://127.0.0.1:9"
    assert "k" not in found.definition.options.values(), "rclone takes the key from the environment itself"
    again = resolve(found.fs, Config(), never, environment)
    assert again.definition == found.definition
    assert resolve("gs://b/p", Config(), never, {}).fs == "gsenv:b/p"
    azure = resolve("azure://c/p", Config(), never, {"AZURE_STORAGE_ACCOUNT": "me"})
    assert azure.definition is not None
    assert azure.definition.options["account"] == "me"


def test_the_cloud_section_makes_a_remote() -> None:
    config = Config(cloud=Cloud(provider="s3", bucket="my-music", region="eu-west-1", remote_path="/music"))
    found = resolve("cloud:Inbox", config, never, {})
    assert found.fs == "cloud:my-music/music/Inbox"
    assert found.definition is not None
    assert found.definition.options["region"] == "eu-west-1"
    assert resolve("cloud:", config, never, {}).fs == "cloud:my-music/music"
    assert resolve(found.fs, config, never, {}).fs == found.fs
    with pytest.raises(UsageError, match=r"config set cloud\.provider"):
        resolve("cloud:", Config(cloud=Cloud(bucket="x")), never, {})


def test_a_scheme_can_mean_the_cloud() -> None:
    config = Config(cloud=Cloud(provider="s3", bucket="mine", remote_path="/music"), schemes=Schemes(s3="cloud"))
    found = resolve("s3://mine/music/New", config, never, {})
    assert found.fs == "cloud:mine/music/New"
    assert resolve(found.fs, config, never, {}).fs == found.fs
    with pytest.raises(UsageError, match="outside of mine/music"):
        resolve("s3://mine/other", config, never, {})


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("Music", r"write \./Music for a folder"),
        ("Music/New", r"write \./Music/New for a folder, and names with spaces in quotes"),
        ("gdrive", r"write gdrive: for the remote, or \./gdrive for a folder"),
        ("gdrive/Music", "write gdrive:Music for the remote"),
        ("a/b:c", r"write \./a/b:c"),
        ("absent:x", r"no such remote .* My Drive:, box:, gdrive:"),
        ("gdrvie:x", "no such remote .*did you mean gdrive:"),
        ("", "must not be empty"),
        (":s3,access_key_id=A,secret_access_key=SECRET:bucket", "made on the fly"),
        (":local:/x", "made on the fly"),
        ("my-aws,secret_access_key=SECRET:bucket", "options inside a location are refused"),
        ("http://x/y", "unknown; use azure://"),
        ("s3://", "bucket is missing"),
        ("s3://KEY:SECRET@bucket/p", "no user name or password"),
        ("s3://KEY:SEC/SECRET@bucket/p", "no user name or password"),
        ("s3://KEY:SECRET/p", "no user name or password"),
        ("gdrive://me:SECRET/x@p", "no user name or password"),
        ("s3,secret_access_key=ab/SECRET:bucket", "options inside a location are refused"),
        ("s3,secret_access_key=SECRET", "options inside a location are refused"),
        ("s3,secret_access_key=SECRET,endpoint=http://x:bucket", "options inside a location are refused"),
        ("my-aws=SECRET:bucket", "options inside a location are refused"),
        ("https://me:SECRET@host/x", "no user name or password"),
        ("a/me:SECRET@host", "no user name or password"),
        ("gdrive://p", "several remotes .* My Drive:p"),
        ("loop", "leads to itself"),
        ("gdrive:../x", "leads out of the remote"),
        ("azure:x", "no such remote"),
    ],
)
def test_unusable_locations_are_refused_with_a_remedy(typed: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        resolve(typed, CONFIG, REMOTES, {})
    assert "SECRET" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_name_is_refused_without_rclone_as_well() -> None:
    def no_rclone() -> NoReturn:
        raise UsageError("rclone was not found")

    with pytest.raises(UsageError, match=r"Music: no such name under `locations:` .*write \./Music for a folder"):
        resolve("Music", Config(), no_rclone, {})


def test_a_url_without_a_remote_is_reported() -> None:
    with pytest.raises(UsageError, match="no remote of type dropbox"):
        resolve("dropbox://p", Config(), {}, {})


def test_the_config_makes_remotes() -> None:
    config = Config(remotes=CONFIG.remotes | {"gdrive": Remote(options={"chunk_size": "8Mi"})}, cloud=Cloud(provider="b2"))
    assert [(remote.name, remote.type) for remote in config_remotes(config)] == [("made", "s3"), ("cloud", "b2")]
    assert list(config_remotes(Config(cloud=Cloud(bucket="x")))) == []


def test_the_config_adds_options_to_remotes_of_rclone() -> None:
    config = Config(remotes={"gdrive": Remote(options={"chunk_size": "8Mi"})})
    found = resolve("gdrive:x", config, REMOTES, HOME)
    assert found.definition == RemoteDefinition("gdrive", "drive", {"chunk_size": "8Mi"})
    assert resolve("box:x", config, REMOTES, HOME).definition is None


@pytest.mark.parametrize(
    ("inner", "outer", "below"),
    [
        ("/a/b", "/a", "b"),
        ("/a", "/a", ""),
        ("/a", "/", "a"),
        ("/ab", "/a", None),
        ("/a", "/a/b", None),
        ("gdrive:Music/New", "gdrive:Music", "New"),
        ("gdrive:Music", "gdrive:", "Music"),
        ("gdrive:Music2", "gdrive:Music", None),
        ("box:Music/New", "gdrive:Music", None),
        ("/a", "gdrive:a", None),
        ("nas:/a/b", "nas:a", "b"),
        ("nas:/a", "nas:a", None),
        ("gdrive:", "gdrive:", ""),
    ],
)
def test_locations_inside_locations(inner: str, outer: str, below: str | None) -> None:
    assert path_below(inner, outer) == below
