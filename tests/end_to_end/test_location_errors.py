"""An error of a location as a whole ends every command with one line, before anything is done; a closed folder stops nothing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.audio import make_many
from tests.faulty import Library
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import OWN, Place
from tests.program import COMMAND, Ended
from tests.servers.http import HttpProxy, Refuse, Seen
from tests.servers.process import system_program
from tests.servers.remotes import RemoteServer

REFUSED, MISTAKEN = (6,), (2,)


def of_s3(status: int, code: str, message: str = "no") -> Refuse:
    """An S3 error."""
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Refuse(status, {"Content-Type": "application/xml"}, body.encode())


def of_dropbox(reason: str) -> Refuse:
    """A Dropbox error."""
    body = {"error_summary": f"{reason}/...", "error": {".tag": reason}}
    return Refuse(403, {"Content-Type": "application/json"}, json.dumps(body).encode())


def listing(seen: Seen) -> bool:
    """A listing of S3."""
    return seen.method == "GET" and ("prefix" in seen.path or "delimiter" in seen.path)


def any_request(_: Seen) -> bool:
    """Every request."""
    return True


WHOLE: dict[str, tuple[str, Callable[[Seen], bool], Refuse, tuple[int, ...], str]] = {
    "S3, no right to list": ("s3_moto", listing, of_s3(403, "AccessDenied"), REFUSED, "right to list"),
    "S3, no right at all": ("s3_moto", any_request, of_s3(403, "AccessDenied"), REFUSED, "right to list"),
    "S3, another region": ("s3_moto", any_request, of_s3(301, "PermanentRedirect"), MISTAKEN, "region"),
    "S3, named region": (
        *("s3_moto", any_request),
        of_s3(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
        *(MISTAKEN, "`rclone config update remote region eu-west-1`"),
    ),
    "WebDAV, refused": ("webdav", any_request, Refuse(403), REFUSED, "right to list"),
    "WebDAV, no WebDAV there": ("webdav", any_request, Refuse(405), MISTAKEN, "address"),
    "WebDAV, nothing there": ("webdav", any_request, Refuse(404), MISTAKEN, ""),
    "Dropbox, app without the right": ("dropbox", any_request, of_dropbox("no_permission"), REFUSED, "rclone config reconnect"),
}


@pytest.fixture
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], tuple[RemoteServer, HttpProxy]]]:
    """A function: kind of server -> the server, and the proxy through which the remote "remote" reaches it."""
    proxies: list[HttpProxy] = []

    def of(kind: str) -> tuple[RemoteServer, HttpProxy]:
        server: RemoteServer = request.getfixturevalue(kind)
        proxies.append(HttpProxy(server.port))
        (tmp_path / "rclone.conf").write_text(server.section("remote", port=proxies[0].port))
        (tmp_path / "rclone.conf").chmod(0o600)
        return server, proxies[0]

    yield of
    for proxy in proxies:
        proxy.close()


ALWAYS = ("S3, no right to list", "S3, another region", "WebDAV, no WebDAV there", "Dropbox, app without the right")


@pytest.mark.parametrize("case", WHOLE if NIGHTLY else ALWAYS)
def test_an_error_of_the_whole_location_is_one_line(
    case: str, behind: Callable[[str], tuple[RemoteServer, HttpProxy]], forks: Forks, tmp_path: Path
) -> None:
    kind, applies, answer, codes, remedy = WHOLE[case]
    server, proxy = behind(kind)
    make_many(tmp_path / "local", 2)
    location = server.fs("lib", name="remote")
    proxy.when(applies, answer)
    settings: dict[str, Any] = {"environment": {"RCLONE_CONFIG": str(tmp_path / "rclone.conf")}}
    commands = [("scan", location), ("organize", str(tmp_path / "local"), location)]
    if NIGHTLY or case == ALWAYS[0]:
        commands += [("dedup", location), ("quarantine", "list", location)]
    if NIGHTLY:
        commands += [("organize", location), ("stats", location)]
    for number, words in enumerate(commands):
        ended = forks.run(*words, state=tmp_path / f"state{number}", codes=codes, **settings)
        (error,) = ended.errors
        assert "\n" not in error["message"]
        assert remedy in error["message"]
        assert location in error["message"] or "remote:" in error["message"]
        assert ended.summary["run"] is None, "no run was begun"
    assert not [seen for seen in proxy.requests if seen.change and kind != "dropbox"]


def test_a_missing_folder_is_named_with_what_lists_the_others(webdav: RemoteServer, forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "rclone.conf").write_text(webdav.section("remote"))
    (tmp_path / "rclone.conf").chmod(0o600)
    for path, above in (("no", "remote:"), ("no/such", "remote:no"), ("a b/c", "'remote:a b'")):
        (error,) = forks.run(
            *("scan", f"remote:{path}"),
            state=tmp_path / "state",
            environment={"RCLONE_CONFIG": str(tmp_path / "rclone.conf")},
            codes=(2,),
        ).errors
        assert f"remote:{path}: there is no such folder: check the name (`rclone lsd {above}` lists" in error["message"]


@pytest.mark.parametrize("option", ["versions = true", "version_at = 2026-01-01"])
def test_a_remote_that_shows_old_versions_is_refused(option: str, s3_moto: RemoteServer, forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "rclone.conf").write_text(f"{s3_moto.section('remote').rstrip()}\n{option}\n")
    (tmp_path / "rclone.conf").chmod(0o600)
    make_many(tmp_path / "local", 1)
    location = s3_moto.fs("lib", name="remote")
    for words in (("scan", location), ("organize", location), ("organize", str(tmp_path / "local"), location)):
        (error,) = forks.run(
            *words, state=tmp_path / "state", environment={"RCLONE_CONFIG": str(tmp_path / "rclone.conf")}, codes=(2,)
        ).errors
        assert option.partition(" ")[0] in error["message"]


def test_a_plan_is_not_begun_where_the_location_refuses(
    behind: Callable[[str], tuple[RemoteServer, HttpProxy]], forks: Forks, tmp_path: Path
) -> None:
    server, proxy = behind("webdav")
    assert server.directory is not None
    make_many(server.directory / tmp_path.name, 3)
    settings: dict[str, Any] = {"state": tmp_path / "state", "environment": {"RCLONE_CONFIG": str(tmp_path / "rclone.conf")}}
    location = server.fs(tmp_path.name, name="remote")
    forks.run("plan", location, "-o", str(tmp_path / "plan"), **settings)
    proxy.when(any_request, Refuse(403))
    ended = forks.run("apply", str(tmp_path / "plan"), codes=(6,), **settings)
    assert len(ended.errors) == 1
    assert ended.summary["run"] is None


# One closed folder.


def closed(ended: Ended) -> list[str]:
    """The folders that were named as closed."""
    return [error["path"] for error in ended.errors if error["code"] == "closed"]


def test_a_closed_folder_on_a_server_is_named_and_the_rest_goes_on(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    """What was seen in it before does not count as deleted, and is no copy that another one may be removed for."""
    library, proxy = proxied("webdav")
    make_many(library.root / "open", 3)
    make_many(library.root / "own: #recycle", 3)
    library("scan", library.place.location)
    before = library.tree()
    refused = lambda seen: seen.method == "PROPFIND" and "recycle" in seen.path  # noqa: E731
    proxy.when(refused, Refuse(403))
    again = library("scan", library.place.location, codes=(3,))
    assert closed(again) == ["own: #recycle"]
    (found,) = [event for event in again.events if event["type"] == "scan"]
    assert (found["gone"], found["files_seen"]) == (0, 6)
    doubles = library("dedup", library.place.location, "--dedup", "quarantine", codes=(3,))
    assert doubles.summary["ops_planned"] == 0, "the twins of the open files could not be seen"
    excluded = ("--exclude", "own: #recycle/")
    assert not library("scan", library.place.location, *excluded).errors
    moved = library("organize", library.place.location, codes=(3,))
    assert closed(moved) == ["own: #recycle"]
    assert moved.summary["ops_done"] == 3
    assert not library("organize", library.place.location, *excluded).errors
    proxy.reset()
    after = library.tree()
    assert sorted(after.values()) == sorted(before.values())
    assert {path for path in after if path.startswith("own")} == {path for path in before if path.startswith("own")}


def test_a_closed_folder_on_a_disk_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Also for root without its rights over files."""
    make_many(tmp_path / "music" / "open", 3)
    make_many(tmp_path / "music" / "closed", 3)
    music, there = Place("", tmp_path / "music"), tmp_path / "music" / "closed"
    limited: tuple[str, ...] = ()
    if os.geteuid() == 0:
        limited = (system_program("setpriv", package="util-linux"), "--bounding-set=-dac_override,-dac_read_search")

    def run(*arguments: str) -> tuple[int, list[str]]:
        there.chmod(0)
        try:
            command = [*limited, *COMMAND, *arguments, "--json", "--yes", "--state-dir", str(tmp_path / "state")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        finally:
            there.chmod(0o755)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, [event["path"] for event in events if event["type"] == "error"]

    quarantine_of_another_user = tmp_path / "music" / "open" / OWN.rstrip("/")
    quarantine_of_another_user.mkdir()
    quarantine_of_another_user.chmod(0)
    before = music.tree()
    assert run("organize", str(tmp_path / "music")) == (3, ["closed"])
    assert run("organize", str(tmp_path / "music"), "--exclude", "closed/**") == (0, [])
    assert run("organize", str(tmp_path / "music"), str(tmp_path / "target"), "--exclude", "/closed") == (0, [])
    assert sorted(music.tree().values()) == sorted(before.values())
    tmp_path.joinpath("music").chmod(0)
    try:
        assert run("scan", str(tmp_path / "music" / "open"))[0] == 2
    finally:
        tmp_path.joinpath("music").chmod(0o755)
