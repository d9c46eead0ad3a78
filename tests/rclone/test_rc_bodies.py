"""The bodies of rc calls, and the addresses of reads."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from orchestrator.rclone import ranges, rc_bodies


@pytest.mark.parametrize(
    ("fs", "root", "below"),
    [("s3:bucket/x", "s3:", "bucket/x"), ("/srv/m", "/", "srv/m"), ("sftp:/srv/m", "sftp:/", "srv/m"), ("r:", "r:", "")],
)
def test_roots(fs: str, root: str, below: str) -> None:
    assert rc_bodies.split_root(fs) == (root, below)


def test_moves_keep_what_they_would_replace() -> None:
    body = rc_bodies.transfer("r:m", "a", "r:m", "b", trash=".music-orchestrator/trash/1")
    assert body["_config"] == {"BackupDir": "r:m/.music-orchestrator/trash/1", "IgnoreTimes": True}
    assert rc_bodies.transfer("r:m", "a", "r:m", "b", trash=None)["_config"] == {"IgnoreTimes": True}


def test_a_directory_moves_as_a_whole_or_not_at_all() -> None:
    """rclone checks the BackupDir only when it would move file by file, and refuses one that equals the source."""
    body = rc_bodies.directory_move("r:m", "a/b", "c")
    assert body.pop("_group") not in (rc_bodies.GROUP, ""), "errors of other calls are not its own"
    assert body == {"srcFs": "r:m/a/b", "dstFs": "r:m/c", "_config": {"BackupDir": "r:m/a/b", "IgnoreTimes": True}}


def test_a_folder_in_a_combine_ends_in_a_slash_so_that_rclone_does_not_ask_what_it_is() -> None:
    assert rc_bodies.as_folder("my drive:", "a b/c") == ':combine,upstreams="""m=my drive:""":m/a b/c/'
    assert rc_bodies.as_folder("r:", "") == ':combine,upstreams="""m=r:""":m/'


def test_stat_asks_only_for_what_is_free() -> None:
    assert rc_bodies.stat("s3:b", "x", mtime=False, hashes=())["opt"] == {
        "filesOnly": True,
        "noMimeType": True,
        "noModTime": True,
    }
    assert rc_bodies.stat("s3:b", "x", mtime=False, hashes=["md5"])["opt"]["hashTypes"] == ["md5"]


def test_addresses_are_fully_quoted() -> None:
    address = ranges.file_address("r:b", "50% [x]?#;\n.mp3")
    assert address.startswith("/%5Br%3Ab%5D/")
    assert not set("?#;[]\n ") & set(address)
    assert unquote(address) == "/[r:b]/50% [x]?#;\u240a.mp3"


def test_a_bracket_in_the_location_is_served_from_the_root() -> None:
    assert unquote(ranges.file_address("r:a]b/c", "x")) == "/[r:]/a]b/c/x"
    assert unquote(ranges.file_address("/srv/a]b", "x")) == "/[/]/srv/a]b/x"


@pytest.mark.parametrize(
    ("fs", "opened", "remote"),
    [
        ("az:box/music", "az,no_head_object=true:", "box/music/a/b.mp3"),
        ("az:", "az,no_head_object=true:", "a/b.mp3"),
        ("az:/box", "az,no_head_object=true:/", "box/a/b.mp3"),
    ],
)
def test_a_delete_without_a_look_begins_at_the_root_of_the_remote(fs: str, opened: str, remote: str) -> None:
    assert rc_bodies.delete_unseen(fs, "a/b.mp3", "no_head_object=true") == {"fs": opened, "remote": remote}
