"""Which server and folder a location really is, by the options of its remote."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from orchestrator.location import overlap, path_below_all
from orchestrator.rclone.location_identity import Place, places_of

REMOTES = {
    "disk": {"type": "local"},
    "al": {"type": "alias", "remote": "disk:/srv/lib"},
    "folder": {"type": "alias", "remote": "/srv/lib"},
    "again": {"type": "alias", "remote": "al:sub/"},
    "loop": {"type": "alias", "remote": "loop:"},
    "one": {"type": "s3", "endpoint": "http://127.0.0.1:9/", "access_key_id": "k"},
    "two": {"type": "s3", "provider": "Other", "endpoint": "127.0.0.1:9", "access_key_id": "k"},
    "here": {"type": "s3", "endpoint": "localhost:9", "access_key_id": "k"},
    "theirs": {"type": "s3", "endpoint": "127.0.0.1:9", "access_key_id": "other"},
    "aws": {"type": "s3", "access_key_id": "k", "region": "eu-west-1"},
    "aws2": {"type": "s3", "access_key_id": "other", "endpoint": "s3.us-east-1.amazonaws.com"},
    "dav": {"type": "webdav", "url": "https://h/x/", "user": "me"},
    "dav2": {"type": "webdav", "url": "https://h/x", "user": "me", "vendor": "other"},
    "box": {"type": "dropbox"},
    "box2": {"type": "dropbox"},
    "nas": {"type": "sftp", "host": "nas", "user": "me"},
    "nas2": {"type": "sftp", "host": "nas", "user": "me", "port": "22"},
    "self": {"type": "sftp", "host": socket.gethostname(), "user": "me"},
    "self2": {"type": "sftp", "host": "::1", "user": "me"},
    "chunks": {"type": "chunker", "remote": "nas:music"},
    "hashes": {"type": "hasher", "remote": "chunks:lib"},
    "given": {"type": "alias", "remote": "nas,set_modtime=false:music/lib"},
    "quoted": {"type": "alias", "remote": ":sftp,host='nas',user=\"me\":music/lib"},
    "secret": {"type": "crypt", "remote": "nas:enc"},
    "secret2": {"type": "crypt", "remote": "al:"},
    "both": {"type": "union", "upstreams": 'nas:music:ro "/srv/my lib" one:bucket/x:nc'},
    "parts": {"type": "combine", "upstreams": 'a=nas:music "b c=/srv/lib" ab=one:bucket'},
    "top": {"type": "alias", "remote": "parts:"},
}


def encrypted(remote: str, path: str) -> str | None:
    return None if "gone" in path else "/".join(f"{remote}<{part}>" for part in path.split("/"))


def places(fs: str) -> tuple[Place, ...]:
    return places_of(fs, lambda name: REMOTES.get(name, {}), encrypted)


def identities(fs: str) -> list[str]:
    return [place.identity for place in places(fs)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/srv/lib", "disk:/srv/lib"),
        ("/srv/lib/sub", "al:sub"),
        ("/srv/lib", "al:"),
        ("folder:a", "al:a"),
        ("again:x", "/srv/lib/sub/x"),
        ("one:bucket/x", "two:bucket/x"),
        ("one:bucket/x", "here:bucket/x"),
        ("aws:bucket/x", "aws2:bucket/x"),
        ("dav:a/b", "dav2:a/b"),
        ("nas:music", "nas2:music"),
        ("self:music", "self2:music"),
        ("chunks:lib", "nas:music/lib"),
        ("hashes:", "nas:music/lib"),
        ("given:", "nas:music/lib"),
        ("quoted:a", "nas:music/lib/a"),
        ("secret:", "nas:enc"),
        ("secret:a/b", "nas:enc/secret<a>/secret<b>"),
        ("secret2:", "/srv/lib"),
        ("parts:a", "nas:music"),
        ("parts:a/x", "nas:music/x"),
        ("parts:b c/x", "al:x"),
        ("parts:ab/x", "one:bucket/x"),
    ],
)
def test_two_names_of_one_location(one: str, other: str) -> None:
    assert identities(one) == identities(other)
    assert path_below_all(identities(f"{one}/y".replace(":/", ":")), identities(other)) in {"y", "secret<y>", "secret2<y>"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("one:bucket/x", "theirs:bucket/x"), ("box:a", "box2:a"), ("one:a", "aws:a"), ("secret:gone", "nas:enc/gone")],
        *[("secret:a", "secret2:a"), ("parts:a", "parts:ab"), ("nas:music", "self:music")],
    ],
)
def test_two_locations(one: str, other: str) -> None:
    assert identities(one) != identities(other)
    assert not overlap(identities(one), identities(other))


def test_a_union_is_several_folders() -> None:
    assert identities("both:sub") == [*identities("nas:music/sub"), "/srv/my lib/sub", *identities("one:bucket/x/sub")]
    assert path_below_all(identities("both:sub"), identities("both:")) == "sub"
    assert path_below_all(identities("both:"), identities("both:")) == ""
    for part in ("nas:music", "nas:music/a", "nas:"):
        assert overlap(identities(part), identities("both:"))
        assert path_below_all(identities(part), identities("both:")) is None
        assert path_below_all(identities("both:"), identities(part)) is None


def test_the_root_of_a_combine_only_shows_folders() -> None:
    for fs in ("parts:", "top:"):
        assert [place.fs for place in places(fs)] == ["nas:music", "/srv/lib", "one:bucket"]
        assert all(place.virtual for place in places(fs))
    assert not any(place.virtual for fs in ("parts:a", "top:a", "both:") for place in places(fs))


def test_an_unknown_remote_is_identified_by_its_name() -> None:
    assert identities("gone:a/b") == ["gone:a/b"]
    assert identities("loop:a")[0].startswith("loop:")
    assert identities("parts:nowhere") == ["parts:nowhere"]


def test_only_places_without_options_are_used_by_their_name() -> None:
    assert [place.named for fs in ("nas:x", "/srv", "given:", "quoted:") for place in places(fs)] == [True, True, False, False]


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert identities(f"disk:{tmp_path}/link/x") == [f"{os.path.realpath(tmp_path)}/real/x"]
