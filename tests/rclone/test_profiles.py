"""What is known of providers, and how it refines what rclone says."""

from __future__ import annotations

from pathlib import Path

import pytest
from rclone_python.hash_types import HashTypes
from rclone_python.remote_types import RemoteTypes

from orchestrator.errors import UsageError
from orchestrator.plan.layout.names import RULES
from orchestrator.rclone import profiles
from orchestrator.rclone.profiles import Profile, load_profile, merge, profile_names


@pytest.mark.parametrize("name", profile_names())
def test_each_profile_speaks_rclones_vocabulary(name: str) -> None:
    profile = load_profile(name)
    assert profile.type == name
    assert profile.names in RULES
    assert name == "default" or name in {kind.value for kind in RemoteTypes}
    assert set(profile.free_hashes or ()) <= {kind.value for kind in HashTypes}


def test_those_that_we_promise_are_there() -> None:
    assert {"default", "local", "s3", "webdav", "sftp"} <= set(profile_names())


@pytest.mark.parametrize(
    ("name", "policy", "names"),
    [
        ("s3", "few-bytes", "remote"),
        ("google cloud storage", "few-bytes", "remote"),
        ("azureblob", "few-bytes", "remote"),
        ("drive", "few-requests", "remote"),
        ("dropbox", "few-requests", "dropbox"),
        ("onedrive", "few-requests", "onedrive"),
    ],
)
def test_what_costs_with_each_provider_is_saved(name: str, policy: str, names: str) -> None:
    profile = load_profile(name)
    assert (profile.type, profile.policy, profile.names) == (name, policy, names)
    if policy == "few-bytes":
        assert profile.read == "rclone", "the VFS reads whole pieces"


def test_an_unknown_type_has_the_default() -> None:
    assert load_profile("pikpak").type == "default"
    assert load_profile("../../etc/passwd").type == "default"


def test_an_unknown_key_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd.yaml").write_text("type: s3\nfree_hases: [md5]\n")
    monkeypatch.setattr(profiles, "_directory", lambda: tmp_path)
    with pytest.raises(UsageError, match=r"odd\.yaml.*free_hases"):
        load_profile("odd")


def test_slow_hashes_and_times_are_not_free() -> None:
    info = {"Features": {"SlowHash": True, "SlowModTime": True, "Move": True}, "Hashes": ["md5"], "Precision": 1}
    slow = merge(Profile(type="x"), "x", info)
    assert (slow.hashes, slow.mtime, slow.move) == ((), False, True)
    told = merge(Profile(type="x", free_hashes=("md5", "sha1"), free_mtime=True), "x", info)
    assert (told.hashes, told.mtime) == (("md5",), True)


def test_remotes_without_times_have_no_precision() -> None:
    assert merge(Profile(type="x"), "x", {"Features": {}, "Precision": 3153600000000000000}).mtime_precision_ns is None
    assert merge(Profile(type="x"), "x", {"Features": {}, "Precision": 10**9}).mtime_precision_ns == 10**9


def test_a_directory_is_removed_as_one_only_where_what_lies_in_it_unseen_survives() -> None:
    kinds = {name: load_profile(name) for name in ("local", "sftp", "drive", "webdav", "dropbox", "pikpak")}
    recursive = {name for name, profile in kinds.items() if merge(profile, name, {}).rmdir_is_recursive}
    assert recursive == {"webdav", "dropbox", "pikpak"}
    assert merge(kinds["drive"], "drive", {}, use_trash="false").rmdir_is_recursive
    assert not merge(kinds["drive"], "drive", {}, use_trash="true").rmdir_is_recursive
    assert not merge(load_profile("default"), "x", {"Features": {"CanHaveEmptyDirectories": False}}).rmdir_is_recursive


def test_a_make_of_server_may_hold_less_than_its_protocol() -> None:
    s3 = load_profile("s3")
    assert merge(s3, "s3", {}, "AWS").max_path_bytes == merge(s3, "s3", {}).max_path_bytes == 1024
    assert merge(s3, "s3", {}, "Rclone").max_path_bytes == 500
