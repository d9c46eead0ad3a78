"""Adding a provider takes one YAML file: everything that depends on the provider asks its profile."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from orchestrator import profiles
from orchestrator.actions.locations import check_bucket
from orchestrator.actions.session import open_session
from orchestrator.config.model import Cloud, Config
from orchestrator.errors import UsageError
from orchestrator.location import resolve
from orchestrator.profiles import load_profile
from orchestrator.rclone.capabilities import capabilities_of
from orchestrator.rclone.environment import child_environment
from orchestrator.rclone.location_identity import places_of

PEBBLE = """
type: pebble
aliases: [pebbles]
url_scheme: pb
top_level: buckets
environment:
  inherit: ["PEBBLE_*", STONE]
  set: {RCLONE_PEBBLE_NO_CHECK_BUCKET: "true"}
  remote: pebbleenv
  credentials: PEBBLE_KEY
  options: {endpoint: [PEBBLE_URL], zone: [PEBBLE_ZONE, STONE]}
new_remote:
  options: {env_auth: "true", flavor: pure}
  with_endpoint: {flavor: other}
  credentials: [[key, secret]]
  region_option: zone
identity:
  options: [endpoint, key]
  worldwide: pebble.example
free_hashes: [md5]
read: rclone
policy: few-bytes
requests_per_second: 5
names: remote
max_path_bytes: 900
when:
  - {option: flavor, is: [tiny], max_path_bytes: 90}
"""


@pytest.fixture(autouse=True)
def pebble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped profiles, and one more."""
    more = tmp_path / "profiles"
    shutil.copytree(profiles.directory(), more)
    (more / "pebble.yaml").write_text(PEBBLE)
    monkeypatch.setattr(profiles, "directory", lambda: more)


def never() -> NoReturn:
    raise AssertionError("rclone was asked for its remotes")


def test_its_urls_work() -> None:
    found = resolve("pb://bucket/Music/", Config(), never, {"PEBBLE_URL": "http://127.0.0.1:9", "STONE": "north"})
    assert found.fs == "pebbleenv:bucket/Music"
    assert found.definition is not None
    assert found.definition.type == "pebble"
    assert found.definition.options == {
        "env_auth": "true",
        "flavor": "other",
        "endpoint": "http://127.0.0.1:9",
        "zone": "north",
    }
    assert resolve(found.fs, Config(), never, {}).fs == found.fs, "a printed location may be typed again"
    with pytest.raises(UsageError, match="the bucket is missing"):
        resolve("pb://", Config(), never, {})
    with pytest.raises(UsageError, match="no user name or password"):
        resolve("pb://KEY:SECRET/x", Config(), never, {})
    with pytest.raises(UsageError, match="pb://"):
        resolve("typo://x", Config(), never, {})


def test_the_cloud_section_knows_it() -> None:
    cloud = Cloud(provider="Pebbles", bucket="b", region="north", options={"key": "k", "secret": "s"})
    found = resolve("cloud:", Config(cloud=cloud), never, {})
    assert found.definition is not None
    assert found.definition.type == "pebble"
    assert found.definition.options == {"flavor": "pure", "zone": "north", "key": "k", "secret": "s"}


def test_its_remotes_have_buckets_and_its_own_limits() -> None:
    assert load_profile("pebble").has_buckets
    assert resolve("mine:/b//x/", Config(), {"mine": "pebble"}).fs == "mine:b/x"
    tiny = load_profile("pebble").for_remote({"flavor": "tiny"}.get)
    capabilities = capabilities_of(tiny, "pebble", {"Hashes": ["md5", "sha1"], "Features": {}})
    assert (capabilities.hashes, capabilities.names, capabilities.max_path_bytes) == (("md5",), "remote", 90)


def test_its_top_level_is_refused_as_a_target() -> None:
    with open_session() as session, pytest.raises(UsageError, match=r"pebbleenv: holds buckets.*pebbleenv:my-bucket/Music"):
        check_bucket(session, resolve("pebbleenv:", Config(), never, {}))


def test_two_of_its_remotes_may_be_one() -> None:
    remotes = {
        "one": {"type": "pebble", "endpoint": "https://h:1/", "key": "k"},
        "two": {"type": "pebble", "endpoint": "h:1", "key": "k"},
        "theirs": {"type": "pebble", "endpoint": "h:1", "key": "other"},
        "world": {"type": "pebble", "key": "k"},
        "world2": {"type": "pebble", "key": "other", "endpoint": "eu.pebble.example"},
    }

    def identity(fs: str) -> str:
        return places_of(fs, lambda name: remotes[name], lambda _remote, _path: None)[0].identity

    assert identity("one:b/x") == identity("two:b/x") != identity("theirs:b/x")
    assert identity("world:b") == identity("world2:b") != identity("one:b")


def test_rclone_gets_its_variables() -> None:
    inherited = {"PEBBLE_KEY": "k", "STONE": "s", "STONES": "no", "RCLONE_DRY_RUN": "true"}
    environment = child_environment(inherited)
    assert environment.items() >= {"PEBBLE_KEY": "k", "STONE": "s", "RCLONE_PEBBLE_NO_CHECK_BUCKET": "true"}.items()
    assert not environment.keys() & {"STONES", "RCLONE_DRY_RUN"}
