"""`scan --explain`: what was read for one file, in how many requests and bytes, and why."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from orchestrator.report.reading_view import WAYS, Explanation
from orchestrator.track import Track
from tests.audio import make_track
from tests.forked import shared
from tests.program import COMMAND, Ended, Program
from tests.servers.http import http_proxy
from tests.servers.remotes import RemoteServer

TAGS = Track(title=("Song",), artist=("Band",), album=("Album",), track=1, date="2001")
COVER = 1_000_000
EVIL = "a\x1b[31m\n\u202eb"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    make_track(root / "in" / "a.flac", "flac", TAGS, cover_bytes=COVER, seconds=30)
    make_track(root / "in" / "b.mp3", "mp3", TAGS, cover_bytes=COVER, seconds=30)
    return root


def explained(ended: Ended) -> list[dict[str, object]]:
    return [event for event in ended.events if event["type"] == "explanation"]


def say(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    return shared().say("scan", *arguments, state=state)


def test_json_has_one_object_for_each_file_with_every_key(music: Path, program: Program) -> None:
    ended = program("scan", str(music), "--explain", "in/a.flac", "--explain", "in/b.mp3")
    flac, mp3 = explained(ended)
    assert list(flac) == ["type", *(field.encode_name for field in msgspec.structs.fields(Explanation))]
    assert (flac["location"], flac["path"], flac["container"], flac["way"]) == (str(music), "in/a.flac", "FLAC", "direct")
    assert flac["requests"] == [{"offset": 0, "length": flac["bytes_read"], "why": "the head"}]
    assert flac["tags"] == {"title": ["Song"], "artist": ["Band"], "album": ["Album"], "track": 1, "date": "2001"}
    assert flac["stream"]["codec"] == "flac"  # type: ignore[index]
    assert flac["identity"]["strength"] == "sure"  # type: ignore[index]
    assert (flac["status"], flac["reason"], flac["suspect"], flac["scanned"]) == ("tagged", None, None, True)
    assert [(cover["kind"], cover["mime"], cover["size"]) for cover in mp3["covers"]] == [(3, "image/jpeg", COVER)]  # type: ignore[attr-defined]
    assert mp3["skipped"][0]["what"] == "a picture (APIC)"  # type: ignore[index]
    read = [int(str(one["bytes_read"])) for one in (flac, mp3)]
    assert (ended.summary["files_read"], ended.summary["bytes_read"]) == (2, sum(read))
    assert max(read) < COVER // 5
    assert program("scan", str(music)).summary["files_read"] == 2, "the catalogue was not changed"


@pytest.mark.parametrize("form", ["relative", "full", "without a location", "from inside"])
def test_a_file_can_be_given_in_several_ways(music: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(music / "in")
    full = str(music / "in" / "a.flac")
    arguments = {
        "relative": [str(music), "--explain", "./in//a.flac"],
        "full": [str(music), "--explain", full],
        "without a location": ["--explain", full],
        "from inside": ["--explain", "./a.flac"],
    }[form]
    shown = say(*arguments, state=tmp_path / "state")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert re.fullmatch(r"(in/)?a\.flac in .*/music(/in)?", lines[0])
    assert any(re.fullmatch(r" +1 +0 +16,384  the head", line) for line in lines)
    assert "total: 1 request and 16,384 bytes" in shown.stdout
    assert "identity  pcm-md5, sure:" in shown.stdout
    assert "front, image/jpeg, 1,000,000 bytes" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--explain", "in/none.flac"], "in/none.flac: there is no such file in"),
        (["--explain", "in"], "in: there is no such file in"),
        (["--explain", "../x.flac"], "not the path of a file in"),
        (["--explain", "."], "not the path of a file in"),
        (["--explain", "in/a.flac", "--exclude", "*.mp3"], "cannot be combined with it"),
    ],
)
def test_a_path_that_is_not_a_file_is_2_with_one_line(music: Path, program: Program, arguments: list[str], says: str) -> None:
    ended = program("scan", str(music), *arguments, codes=(2,))
    assert [event["type"] for event in ended.events] == ["error", "summary"]
    assert says in ended.errors[0]["message"]
    assert "\n" not in ended.errors[0]["message"]


def test_a_location_or_a_file_is_required(tmp_path: Path, program: Program) -> None:
    for arguments, says in (
        ([], "LOCATION is missing"),
        (["--explain", "a.flac"], "./a.flac"),
        (["--explain", "/music/"], "--explain"),
    ):
        ended = program("scan", *arguments, codes=(2,))
        assert says in ended.errors[0]["message"]
    assert not (tmp_path / "state" / "catalogue.sqlite3").exists()


def test_the_reason_why_a_file_is_unreadable_is_shown_and_is_3(music: Path, program: Program, tmp_path: Path) -> None:
    (music / "bad.flac").write_bytes(b"fLaC" + bytes(100))
    (music / "cover.jpg").write_bytes(b"picture")
    ended = program("scan", str(music), "--explain", "bad.flac", "--explain", "cover.jpg", codes=(3,))
    assert [one["status"] for one in explained(ended)] == ["unreadable", "unreadable"]
    assert [one["reason"] for one in explained(ended)] == [error["message"] for error in ended.errors]
    assert [one["scanned"] for one in explained(ended)] == [True, False]
    assert "a scan skips it" in say(str(music), "--explain", "cover.jpg", state=tmp_path / "state").stdout


def test_suspect_files_are_reported(music: Path, program: Program) -> None:
    cut = music / "in" / "a.flac"
    make_track(cut, "flac", TAGS, seconds=1)
    cut.write_bytes(cut.read_bytes()[:-15])
    (one,) = explained(program("scan", str(music), "--explain", "in/a.flac"))
    assert str(one["suspect"]).startswith("cut short")


def test_hostile_names_and_tags_are_harmless_on_a_terminal(tmp_path: Path) -> None:
    make_track(tmp_path / "music" / f"{EVIL}.flac", "flac", Track(title=(EVIL,), artist=("x" * 5000,)))
    shown = say(str(tmp_path / "music"), "--explain", f"{EVIL}.flac", state=tmp_path / "state")
    assert shown.returncode == 0
    assert not set(shown.stdout + shown.stderr) & {"\x1b", "\u202e"}
    assert "title   a\\x1b[31m\\n\\u202eb" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) < 500, "no tag fills the screen"
    as_json = subprocess.run(
        [
            *COMMAND,
            "scan",
            "--explain",
            str(tmp_path / "music" / f"{EVIL}.flac"),
            "--json",
            "--state-dir",
            str(tmp_path / "state"),
        ],
        capture_output=True,
        check=True,
    )
    assert as_json.stdout.isascii()
    assert json.loads(as_json.stdout.splitlines()[0])["tags"]["title"] == [EVIL]


def test_on_a_remote_the_ranges_are_those_that_the_server_saw(
    music: Path, program: Program, tmp_path: Path, s3_serve: RemoteServer
) -> None:
    assert s3_serve.directory is not None
    served = s3_serve.directory / tmp_path.name
    served.mkdir()
    for name in ("a.flac", "b.mp3"):
        (served / name).write_bytes((music / "in" / name).read_bytes())
    with http_proxy(s3_serve.port) as proxy:
        config = tmp_path / "rclone.conf"
        config.write_text(s3_serve.section("seen", port=proxy.port))
        program.environment = {"RCLONE_CONFIG": str(config)}
        ended = program("scan", "--explain", s3_serve.fs(f"{tmp_path.name}/b.mp3", name="seen"))
        (one,) = explained(ended)
        asked = [f"bytes={ask['offset']}-{ask['offset'] + ask['length'] - 1}" for ask in one["requests"]]  # type: ignore[attr-defined]
        seen = [request.headers["range"] for request in proxy.requests if request.method == "GET" and "range" in request.headers]
        assert sorted(seen) == sorted(asked)
        assert len(asked) > 1
        assert one["location"] == s3_serve.fs(tmp_path.name, name="seen")
        assert one["way"] in WAYS
        place = s3_serve.fs(tmp_path.name, name="seen")
        named = explained(program("scan", place, "--explain", "b.mp3", "--explain", f"{place}/a.flac"))
        assert [found["path"] for found in named] == ["b.mp3", "a.flac"]
        assert named[0] == one
        missing = program("scan", place, "--explain", "none.mp3", codes=(2,))
        assert "there is no such file" in missing.errors[0]["message"]


def test_on_a_server_that_is_read_over_the_vfs_the_output_says_so(
    music: Path, program: Program, tmp_path: Path, webdav: RemoteServer
) -> None:
    assert webdav.directory is not None
    served = webdav.directory / tmp_path.name / "in"
    served.mkdir(parents=True)
    (served / "b.mp3").write_bytes((music / "in" / "b.mp3").read_bytes())
    (remote,) = explained(program("scan", webdav.fs(tmp_path.name), "--explain", "in/b.mp3"))
    (local,) = explained(program("scan", str(music), "--explain", "in/b.mp3"))
    assert (remote["way"], remote["policy"]) == ("vfs", "few-requests")
    assert len(remote["requests"]) <= len(local["requests"])  # type: ignore[arg-type]
    same_keys = ("size", "container", "status", "tags", "stream", "identity", "suspect", "covers")
    assert {key: remote[key] for key in same_keys} == {key: local[key] for key in same_keys}
