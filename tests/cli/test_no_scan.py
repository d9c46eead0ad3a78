"""`plan --no-scan`: layouts tried out on the catalogue while the remote is unreachable; the plan can be applied as usual."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.program import Program
from tests.servers.remotes import webdav


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    for number in (1, 2, 3):
        track = Track(
            title=(f"Song {number}",), artist=("Band",), album_artist=("Band",), album=("Album",), track=number, date="2001"
        )
        make_track(root / "in" / f"{number}.flac", "flac", track, serial=number)
    (root / "in" / "cover.jpg").write_bytes(b"picture")
    return root


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


def destinations(plan: Path) -> set[str]:
    return {json.loads(line)["dst"]["path"] for line in plan.read_text().splitlines()[1:]}


def test_a_plan_made_while_the_remote_is_away_is_applied_when_it_is_back(
    music: Path, program: Program, tmp_path: Path, rclone_binary: Path
) -> None:
    config = tmp_path / "rclone.conf"
    program.environment["RCLONE_CONFIG"] = str(config)
    music = music.rename(tmp_path / "served")
    with webdav(rclone_binary, tmp_path) as server:
        config.write_text(server.section())
        place = server.fs()
        program("scan", place)
        usual = tmp_path / "usual.jsonl"
        program("plan", place, "--layout", "plex", "-o", str(usual))
    for preset in ("by-class", "plex"):
        program("plan", place, "--no-scan", "--layout", preset, "-o", str(tmp_path / f"{preset}.jsonl"))
    chosen = tmp_path / "plex.jsonl"
    assert chosen.read_text().splitlines()[1:] == usual.read_text().splitlines()[1:]
    assert destinations(chosen) == {
        "Band/Album/01 - Song 1.flac",
        "Band/Album/02 - Song 2.flac",
        "Band/Album/03 - Song 3.flac",
        "Band/Album/cover.jpg",
    }
    (music / "in" / "2.flac").write_bytes(b"something else")
    with webdav(rclone_binary, tmp_path) as server:
        config.write_text(server.section())
        applied = program("apply", str(chosen), "--yes", codes=(3,))
    assert [error["path"] for error in applied.errors] == ["in/2.flac"], "apply looks at every file again"
    assert (music / "in" / "2.flac").read_bytes() == b"something else"
    assert (music / "Band" / "Album" / "01 - Song 1.flac").exists()


def test_the_age_of_the_catalogue_is_reported_and_nothing_is_listed(music: Path, program: Program) -> None:
    program("scan", str(music))
    with sqlite3.connect(program.state / "catalogue.sqlite3") as catalogue:
        catalogue.execute("UPDATE location SET scanned_ns = scanned_ns - 7200 * 1000000000")
    catalogue.close()
    music.rename(music.with_name("elsewhere"))
    planned = program("plan", str(music), "--no-scan")
    assert (planned.summary["files_seen"], planned.summary["files_read"], planned.summary["ops_planned"]) == (4, 0, 4)
    (note,) = (event["message"] for event in planned.events if event["type"] == "note")
    assert "the catalogue of 2 h" in note
    assert "nothing was listed" in note


def test_a_location_that_was_never_scanned_is_reported_with_the_remedy(music: Path, program: Program) -> None:
    ended = program("plan", str(music), "--no-scan", codes=(2,))
    assert f"music-orchestrator scan {music}" in ended.errors[0]["message"]
    program("scan", str(music))
    ended = program("plan", str(music), str(music.parent / "target"), "--no-scan", codes=(2,))
    assert "target has not been scanned" in ended.errors[0]["message"]


def test_files_that_no_scan_has_read_are_skipped_and_counted(music: Path, program: Program) -> None:
    program("scan", str(music))
    with sqlite3.connect(program.state / "catalogue.sqlite3") as catalogue:
        catalogue.execute("UPDATE entry SET reader = 1 WHERE path = CAST('in/2.flac' AS BLOB)")
    catalogue.close()
    planned = program("plan", str(music), "--no-scan")
    assert {event["path"] for event in planned.events if event["type"] == "skipped"} == {"in/2.flac"}
    (warning,) = (event["message"] for event in planned.events if event["type"] == "warning")
    assert "skipped 1 file that no scan has read yet" in warning


def test_options_that_select_files_work_as_usual(music: Path, program: Program) -> None:
    program("scan", str(music))
    planned = program("plan", str(music), "--no-scan", "--exclude", "2.flac")
    assert {event["src"]["path"] for event in planned.events if event["type"] == "operation"} == {
        "in/1.flac",
        "in/3.flac",
        "in/cover.jpg",
    }
