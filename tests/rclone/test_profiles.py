"""What the profiles say about providers, and how it refines what rclone says about a remote."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from rclone_python.hash_types import HashTypes

from orchestrator import profiles
from orchestrator.errors import UsageError
from orchestrator.plan.layout.names import RULES
from orchestrator.prices import GB
from orchestrator.profiles import ConditionalFacts, Profile, all_profiles, load_profile, price_lists, profile_names
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.capabilities import capabilities_of


@pytest.mark.parametrize("name", profile_names())
def test_each_profile_uses_words_that_rclone_and_the_name_rules_know(name: str) -> None:
    profile = load_profile(name)
    assert profile.type == name
    assert profile.names in RULES
    assert set(profile.free_hashes or ()) <= {kind.value for kind in HashTypes}


def test_each_profile_names_a_backend_and_options_that_rclone_has(found_rclone: Binary) -> None:
    output = subprocess.run([found_rclone.path, "config", "providers"], capture_output=True, check=True).stdout
    options = {backend["Name"]: {option["Name"] for option in backend["Options"]} for backend in json.loads(output)}
    for profile in all_profiles():
        if profile.type == "default":
            continue
        named = {*profile.new_remote.options, *profile.new_remote.with_endpoint, *profile.environment.options}
        named |= {option for credentials in profile.new_remote.credentials for option in credentials}
        named |= {option for prices in profile.prices.values() for option in prices.when}
        if (joined := profile.new_remote.joined) is not None:
            named = named - {*joined.parts} | {joined.option}
        named |= {condition.option for condition in profile.when} | set(profile.identity.options if profile.identity else ())
        assert named <= options[profile.type], profile.type


def test_no_two_profiles_claim_the_same_name_or_url() -> None:
    names = [name for profile in all_profiles() for name in (profile.type, *profile.aliases)]
    urls = [profile.url_scheme for profile in all_profiles() if profile.url_scheme]
    remotes = [profile.environment.remote for profile in all_profiles() if profile.environment.remote]
    for claimed in (names, urls, remotes):
        assert len(claimed) == len(set(claimed))


def test_backends_that_rclone_calls_bucket_based_hold_no_folders_at_the_top() -> None:
    """`rclone backend features` says BucketBased of these; no other backend of rclone 1.75 does."""
    found = {profile.type for profile in all_profiles() if profile.has_buckets}
    assert found == {
        *("azureblob", "b2", "google cloud storage", "internetarchive", "memory", "oracleobjectstorage"),
        *("qingstor", "s3", "smb", "storj", "swift"),
    }


def test_price_lists_have_one_name_each_and_say_when_and_where_they_were_looked_up() -> None:
    names = [name for profile in all_profiles() for name in profile.prices]
    assert len(names) == len(set(names))
    assert {"s3", "s3-ia", "r2", "b2", "wasabi", "gcs", "azure"} <= set(names)
    for prices in price_lists().values():
        assert prices.date
        assert prices.source.startswith("https://")
    for flat in ("drive", "dropbox", "onedrive"):
        quotas = load_profile(flat).quotas
        assert quotas is not None
        assert quotas.requests_per_second
        assert quotas.date
        assert quotas.source


@pytest.mark.parametrize(
    ("backend", "options", "name"),
    [
        ("s3", {"provider": "AWS"}, "s3"),
        ("s3", {"provider": "AWS", "storage_class": "standard_ia"}, "s3-ia"),
        ("s3", {"provider": "AWS", "storage_class": "GLACIER"}, None),
        ("s3", {"provider": "Cloudflare"}, "r2"),
        ("s3", {"provider": "Wasabi"}, "wasabi"),
        ("s3", {"provider": "Minio"}, None),
        ("s3", {"provider": "Rclone", "storage_class": "STANDARD_IA"}, None),
        ("s3", {"provider": "Cloudflare", "storage_class": "STANDARD_IA"}, "r2-ia"),
        ("s3", {}, None),
        ("b2", {}, "b2"),
        ("google cloud storage", {}, "gcs"),
        ("google cloud storage", {"endpoint": "http://127.0.0.1:1"}, None),
        ("google cloud storage", {"storage_class": "NEARLINE"}, None),
        ("azureblob", {"account": "a"}, "azure"),
        ("azureblob", {"use_emulator": "true"}, None),
        ("webdav", {}, None),
        ("drive", {}, None),
    ],
)
def test_the_provider_that_a_remote_names_decides_what_it_costs_and_an_unknown_one_has_no_price(
    backend: str, options: dict[str, str], name: str | None
) -> None:
    found = load_profile(backend).price_list(options.get)
    assert found == (price_lists()[name] if name else None)


def test_the_prices_of_the_seed_document() -> None:
    """10,000 songs, 50 GB on S3: 1.15 $ a month, 4.50 $ for a full download, 1,000 lists 0.005 $."""
    prices = price_lists()["s3"]
    assert prices.of_a_month(50 * GB) == pytest.approx(1.15)
    assert prices.of_bytes(50 * GB) == pytest.approx(4.50)
    assert prices.of_requests({"list": 1000}) == pytest.approx(0.005)
    assert price_lists()["wasabi"].of_a_month(50 * GB) == pytest.approx(7.99)  # at least a TB is charged for


def test_the_profiles_that_we_promise_exist() -> None:
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
def test_a_profile_saves_what_its_provider_charges_for(name: str, policy: str, names: str) -> None:
    profile = load_profile(name)
    assert (profile.type, profile.policy, profile.names) == (name, policy, names)
    if policy == "few-bytes":
        assert profile.read == "heads", "the VFS reads a whole chunk before any other range"


def test_an_unknown_type_has_the_default_profile() -> None:
    assert load_profile("pikpak").type == "default"
    assert load_profile("../../etc/passwd").type == "default"


def test_other_names_of_a_type_lead_to_its_profile() -> None:
    assert load_profile("tardigrade").type == "storj"
    assert profiles.backend_type("GCS") == "google cloud storage"
    assert profiles.backend_type("pikpak") == "pikpak"


def test_an_unknown_key_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd.yaml").write_text("type: s3\nfree_hases: [md5]\n")
    monkeypatch.setattr(profiles, "directory", lambda: tmp_path)
    with pytest.raises(UsageError, match=r"odd\.yaml.*free_hases"):
        load_profile("odd")


def test_missing_profiles_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "directory", lambda: tmp_path)
    with pytest.raises(UsageError, match="install"):
        load_profile("s3")


def test_slow_hashes_and_times_are_not_free() -> None:
    info = {"Features": {"SlowHash": True, "SlowModTime": True, "Move": True}, "Hashes": ["md5"], "Precision": 1}
    slow = capabilities_of(Profile(type="x"), "x", info)
    assert (slow.hashes, slow.mtime, slow.move) == ((), False, True)
    known = capabilities_of(Profile(type="x", free_hashes=("md5", "sha1"), free_mtime=True), "x", info)
    assert (known.hashes, known.mtime) == (("md5",), True)


def test_remotes_without_times_have_no_precision() -> None:
    assert capabilities_of(Profile(type="x"), "x", {"Features": {}, "Precision": 3153600000000000000}).mtime_precision_ns is None
    assert capabilities_of(Profile(type="x"), "x", {"Features": {}, "Precision": 10**9}).mtime_precision_ns == 10**9


def remote(name: str, **options: str) -> Profile:
    return load_profile(name).for_remote(options.get)


def test_a_directory_is_removed_in_one_call_only_where_unseen_files_in_it_survive() -> None:
    kinds = {name: remote(name) for name in ("local", "sftp", "drive", "webdav", "dropbox", "pikpak")}
    recursive = {name for name, profile in kinds.items() if capabilities_of(profile, name, {}).rmdir_is_recursive}
    assert recursive == {"webdav", "dropbox", "pikpak"}
    assert capabilities_of(remote("drive", use_trash="false"), "drive", {}).rmdir_is_recursive
    assert not capabilities_of(remote("drive", use_trash="True"), "drive", {}).rmdir_is_recursive
    no_directories = {"Features": {"CanHaveEmptyDirectories": False}}
    assert not capabilities_of(load_profile("default"), "x", no_directories).rmdir_is_recursive


def test_one_make_of_server_may_accept_less_than_its_protocol() -> None:
    assert remote("s3", provider="AWS").max_path_bytes == remote("s3").max_path_bytes == 1024
    assert remote("s3", provider="Rclone").max_path_bytes == 500


def test_copies_are_not_moved_again_where_that_fails_or_costs_a_fee() -> None:
    assert remote("s3").moves_copies
    assert remote("s3", storage_class="STANDARD").moves_copies
    assert not remote("s3", storage_class="deep_archive").moves_copies
    assert not remote("google cloud storage", storage_class="COLDLINE").moves_copies
    assert not remote("azureblob", access_tier="Archive").moves_copies


def test_a_later_condition_wins() -> None:
    first = ConditionalFacts(option="a", values=("1",), max_path_bytes=10, directory_delete="empty")
    second = ConditionalFacts(option="b", values=("",), max_path_bytes=20)
    found = Profile(type="x", when=(first, second)).for_remote({"a": "1"}.get)
    assert (found.max_path_bytes, found.directory_delete) == (20, "empty")
