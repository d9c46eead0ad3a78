"""Which server and folder a location really is, by the options of its remote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.rclone.location_identity import identity_of

REMOTES = {
    "disk": {"type": "local"},
    "al": {"type": "alias", "remote": "disk:/srv/lib"},
    "folder": {"type": "alias", "remote": "/srv/lib"},
    "again": {"type": "alias", "remote": "al:sub/"},
    "loop": {"type": "alias", "remote": "loop:"},
    "one": {"type": "s3", "endpoint": "http://127.0.0.1:9/", "access_key_id": "k"},
    "two": {"type": "s3", "provider": "Other", "endpoint": "127.0.0.1:9", "access_key_id": "k"},
    "theirs": {"type": "s3", "endpoint": "127.0.0.1:9", "access_key_id": "other"},
    "aws": {"type": "s3", "access_key_id": "k", "region": "eu-west-1"},
    "aws2": {"type": "s3", "access_key_id": "other", "endpoint": "s3.us-east-1.amazonaws.com"},
    "dav": {"type": "webdav", "url": "https://h/x/", "user": "me"},
    "dav2": {"type": "webdav", "url": "https://h/x", "user": "me", "vendor": "other"},
    "box": {"type": "dropbox"},
    "box2": {"type": "dropbox"},
}


def place(fs: str) -> str:
    return identity_of(fs, lambda name: REMOTES.get(name, {}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/srv/lib", "disk:/srv/lib"),
        ("/srv/lib/sub", "al:sub"),
        ("/srv/lib", "al:"),
        ("folder:a", "al:a"),
        ("again:x", "/srv/lib/sub/x"),
        ("one:bucket/x", "two:bucket/x"),
        ("aws:bucket/x", "aws2:bucket/x"),
        ("dav:a/b", "dav2:a/b"),
    ],
)
def test_two_names_of_one_location(one: str, other: str) -> None:
    assert place(one) == place(other)
    assert place(f"{one.rstrip('/')}/y").startswith(place(other)), "locations inside it have the same beginning"


@pytest.mark.parametrize(("one", "other"), [("one:bucket/x", "theirs:bucket/x"), ("box:a", "box2:a"), ("one:a", "aws:a")])
def test_two_locations(one: str, other: str) -> None:
    assert place(one) != place(other)


def test_an_unknown_remote_is_identified_by_its_name() -> None:
    assert place("gone:a/b") == "gone:a/b"
    assert place("loop:a").startswith("loop:")
    assert place("") == ""


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert place(f"{tmp_path}/link/x") == place(f"disk:{tmp_path}/link/x") == os.path.realpath(tmp_path / "a" / "x")
