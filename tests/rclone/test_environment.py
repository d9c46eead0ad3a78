"""What rclone inherits from the environment of the program."""

from __future__ import annotations

from pathlib import Path

from orchestrator.rclone.environment import child_environment


def test_rclone_inherits_no_settings() -> None:
    names = ("RCLONE_DRY_RUN", "RCLONE_BACKUP_DIR", "RCLONE_MAX_DELETE", "RCLONE_RC_NO_AUTH", "RCLONE_INPLACE", "RCLONE_RC_USER")
    assert not child_environment(dict.fromkeys((*names, "LD_PRELOAD"), "x")).keys() & {*names, "LD_PRELOAD"}


def test_rclone_inherits_config_credentials_proxies_and_how_much_memory_it_may_use() -> None:
    names = (
        *("RCLONE_CONFIG", "RCLONE_CONFIG_PASS", "RCLONE_PASSWORD_COMMAND", "RCLONE_CONFIG_MINE_TYPE", "RCLONE_CA_CERT"),
        *("GOGC", "GOMEMLIMIT"),
        *("HTTPS_PROXY", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT", "HOME", "SSH_AUTH_SOCK"),
    )
    assert child_environment(dict.fromkeys(names, "x")).items() >= dict.fromkeys(names, "x").items()


def test_our_config_file_wins() -> None:
    assert child_environment({"RCLONE_CONFIG": "/theirs"}, config=Path("/ours"))["RCLONE_CONFIG"] == "/ours"


def test_a_remote_does_not_overrule_what_rclone_always_gets() -> None:
    inherited = {"RCLONE_CONFIG_MINE_TYPE": "s3", "RCLONE_CONFIG_MINE_NO_HEAD_OBJECT": "true"}
    environment = child_environment(inherited, remotes={"ours": {"type": "s3", "no_head_object": "true"}})
    assert environment["RCLONE_S3_NO_HEAD_OBJECT"] == "false"
    assert environment["RCLONE_CONFIG_MINE_TYPE"] == environment["RCLONE_CONFIG_OURS_TYPE"] == "s3"
    assert not {name for name in environment if name.startswith("RCLONE_CONFIG_") and name.endswith("NO_HEAD_OBJECT")}


def test_our_remotes_are_spelled_as_rclone_reads_them() -> None:
    environment = child_environment({}, remotes={"my-aws": {"type": "s3", "storage-class": "IA"}}, extra={"RCLONE_BWLIMIT": "1M"})
    assert environment["RCLONE_CONFIG_MY-AWS_TYPE"] == "s3"
    assert environment["RCLONE_CONFIG_MY-AWS_STORAGE_CLASS"] == "IA"
    assert environment["RCLONE_BWLIMIT"] == "1M"
