"""A location inside another one: its quarantine is neither music of the outer one, nor touched by commands on it."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.faulty import Library
from tests.nightly import some_at_night
from tests.program import Ended

KINDS = some_at_night(("local", "s3_serve", "webdav", "sftp"), night={"webdav", "sftp"})
DEDUP = ("dedup", "--dedup", "quarantine")
OWN = ".music-orchestrator"


def copies(music: Library, *paths: str) -> str:
    """The same song at each path; gives its content's hash."""
    tags = Track(title=("Song",), artist=("Band",), album_artist=("Band",), album=("Album",), track=1, date="2001")
    content = hashlib.sha256(make_track(music.root / paths[0], "flac", tags, seconds=0.2, serial=1)).hexdigest()
    for path in paths[1:]:
        (music.root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(music.root / paths[0], music.root / path)
    return content


def notes(ended: Ended) -> str:
    return " ".join(event["message"] for event in ended.events if event["type"] == "note")


@pytest.mark.parametrize("kind", KINDS)
def test_emptying_the_quarantines_of_nested_locations_leaves_the_music(library: Callable[..., Library], kind: str) -> None:
    """Fault case 39: what the inner location has quarantined never counts as a copy that the outer one keeps."""
    music = library(kind)
    content = copies(music, "A/x.flac", "Inbox/x.flac", "Inbox/y.flac")
    outer, inner = music.place.location, f"{music.place.location}/Inbox"
    music(*DEDUP, inner)
    (quarantined,) = (music.root / "Inbox" / OWN / "quarantine").rglob("*.flac")
    done = music(*DEDUP, outer)
    assert done.summary["files_seen"] == 2
    assert f"quarantine list {inner}`" in notes(done)
    assert quarantined.exists()
    listed = music("quarantine", "list", outer)
    assert [event["path"] for event in listed.events if event["type"] == "quarantined"] == ["Inbox/x.flac"]
    assert f"quarantine list {inner}`" in notes(listed)
    music("quarantine", "empty", outer)
    assert quarantined.exists(), "the quarantine of the inner location is not that of the outer one"
    music("quarantine", "empty", inner)
    assert music.place.tree() == {"A/x.flac": content}


@pytest.mark.parametrize("kind", ["s3_serve", "webdav"])
def test_organizing_around_a_nested_location_leaves_its_quarantine(library: Callable[..., Library], kind: str) -> None:
    """The folder that only holds it is not an empty one; undo restores everything around it."""
    music = library(kind)
    copies(music, "Inbox/x.flac", "Inbox/y.flac")
    music(*DEDUP, f"{music.place.location}/Inbox")
    before = music.place.tree()
    ours = {path: content for path, content in before.items() if OWN in path}
    assert len(ours) == 1
    done = music("organize", music.place.location)
    after = music.place.tree()
    assert ours.items() <= after.items()
    assert len(after) == 2
    assert not (music.root / "Inbox" / "x.flac").exists()
    music("undo", done.run)
    assert music.place.tree() == before


def test_a_source_inside_its_target_under_another_name_is_no_copy_of_it(library: Callable[..., Library]) -> None:
    """It is planned as the folder that it is, and nothing in it is a duplicate of itself."""
    music = library("local")
    copies(music, "Inbox/x.flac")
    copies(music, "Inbox/y.flac")
    config = music.home / "rclone.conf"
    config.write_text(f"[al]\ntype = alias\nremote = {music.root}/Inbox\n[own]\ntype = alias\nremote = {music.root}\n")
    music.environment["RCLONE_CONFIG"] = str(config)
    before = sorted(music.tree().values())
    for source, target in (("al:", music.place.location), (f"{music.root}/Inbox", "own:"), ("al:", "own:")):
        done = music("organize", source, target, "--move", "--dedup", "quarantine")
        assert done.summary["ops_planned"] <= 2
        assert len(music.place.tree()) == 2
        music("undo", done.run)
        assert sorted(music.tree().values()) == before


def test_a_union_of_a_folder_and_one_inside_it_shows_each_file_twice(library: Callable[..., Library]) -> None:
    music = library("local")
    copies(music, "sub/x.flac", "sub/y.flac", "z.flac")
    config = music.home / "rclone.conf"
    config.write_text(f"[both]\ntype = union\nupstreams = {music.root} {music.root}/sub\n")
    music.environment["RCLONE_CONFIG"] = str(config)
    done = music("dedup", "both:", "--delete", "--yes")
    assert "2 files with a second name" in notes(done)
    assert len(music.place.tree()) == 1
    before = music.place.tree()
    assert music("dedup", "both:", "--delete").summary["ops_planned"] == 0
    music("organize", "both:", "--dry-run")
    assert music.place.tree() == before


def test_a_location_inside_our_own_folder_is_refused(library: Callable[..., Library]) -> None:
    music = library("local")
    copies(music, "x.flac", "y.flac")
    music(*DEDUP, music.place.location)
    before = music.place.tree()
    (music.home / "link").symlink_to(music.root / OWN)
    for inside in (str(music.root / OWN), str(music.root / OWN / "quarantine"), str(music.home / "link" / "quarantine")):
        for command in (("scan",), ("stats",), DEDUP, ("organize",), ("quarantine", "empty"), ("quarantine", "list")):
            refused = music(*command, inside, codes=(2,))
            assert "belongs to the program" in refused.errors[0]["message"], command
        music("organize", music.place.location, inside, "--copy", codes=(2,))
    music("organize", music.place.location, "--leftovers", f"x/{OWN}", codes=(2,))
    assert music.place.tree() == before


def test_an_older_catalogue_that_knows_a_nested_quarantine_does_not_miss_it(library: Callable[..., Library]) -> None:
    """Versions before listed it as music: that it is not listed now is no emptied library."""
    music = library("local")
    copies(music, "x.flac", *(f"Inbox/{number}.flac" for number in range(12)))
    music("scan", music.place.location)
    with sqlite3.connect(Path(music.home / "state" / "catalogue.sqlite3")) as catalogue:
        for row, path in catalogue.execute("SELECT id, path FROM entry WHERE instr(path, CAST('Inbox/' AS BLOB))").fetchall():
            inner = path.replace(b"Inbox/", f"Inbox/{OWN}/quarantine/1/".encode())
            catalogue.execute("UPDATE entry SET path = ? WHERE id = ?", (inner, row))
    (music.root / "Inbox").rename(music.root / "old")
    (music.root / "Inbox" / OWN / "quarantine").mkdir(parents=True)
    (music.root / "old").rename(music.root / "Inbox" / OWN / "quarantine" / "1")
    done = music("scan", music.place.location)
    (found,) = (event for event in done.events if event["type"] == "scan")
    assert (found["files_seen"], found["gone"]) == (1, 0)
