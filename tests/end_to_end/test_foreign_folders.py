"""Bins, old versions, snapshots and thumbnails of other programs are no part of the library, whatever is in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.plan.plan_file import read_plan, write_plan
from tests.faulty import Library
from tests.forked import Forks
from tests.library import LibraryFacts
from tests.nightly import some_at_night
from tests.places import places
from tests.program import Ended

KINDS = some_at_night(("local", "s3_serve", "webdav", "sftp"), night={"webdav", "sftp"})
DEDUP = ("dedup", "--dedup", "quarantine", "--keep", "oldest")
FOREIGN = {
    "#recycle": "in/1.mp3",
    "in/@eaDir": "1.mp3/SYNOAUDIO_01APIC_03.jpg",
    "in/.stversions": "1~20200101-000000.mp3",
    ".Trash-1000": "files/Album/1.mp3",
    "Usb/$Recycle.Bin": "S-1-5-21/$R1.mp3",
    "Usb/RECYCLER": "S-1-5-21-1/Dc1.mp3",
    "Usb/System Volume Information": "1.mp3",
    "Usb/LOST+FOUND": "#123/1.mp3",
    ".zfs": "snapshot/daily/in/1.mp3",
    "work/.git": "annex/objects/1.mp3",
}
"""A folder of another program -> a file in it."""


def notes(ended: Ended) -> list[str]:
    return [event["message"] for event in ended.events if event["type"] == "note" and "of other programs" in event["message"]]


def fill(music: Library) -> dict[str, str]:
    """Two songs, and in every foreign folder an older copy of the first. Returns what is in those."""
    for number in (1, 2):
        music.track(f"in/{number}.mp3", number)
    for folder, name in FOREIGN.items():
        put(music, f"{folder}/{name}")
    return {path: content for path, content in music.tree().items() if path not in {"in/1.mp3", "in/2.mp3"}}


def put(music: Library, *paths: str) -> None:
    """The first song at each path, as an old file."""
    for path in paths:
        (music.root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(music.root / "in/1.mp3", music.root / path)
        os.utime(music.root / path, (1_000_000_000, 1_000_000_000))


@pytest.mark.parametrize("kind", KINDS)
def test_no_copy_in_them_is_kept_moved_or_counted(library: Callable[..., Library], kind: str) -> None:
    """The copy in the bin is the oldest, and the library's own is kept all the same."""
    music = library(kind)
    foreign = fill(music)
    before = music.tree()
    scanned = music("scan", music.place.location)
    assert (scanned.summary["files_seen"], scanned.summary["foreign_folders"]) == (2, len(FOREIGN))
    (note,) = notes(scanned)
    assert f"skipped {len(FOREIGN)} folders of other programs" in note
    assert music(*DEDUP, music.place.location).summary["ops_planned"] == 0
    (statistics,) = [event for event in music("stats", music.place.location).events if event["type"] == "stats"]
    assert (statistics["files"], statistics["other_files"], statistics["duplicates"]) == (2, 0, 0)
    done = music("organize", music.place.location, "--dedup", "quarantine")
    assert done.summary["ops_done"] == 2
    assert len(notes(done)) == 1
    assert foreign.items() <= music.tree().items()
    music("undo", done.run)
    assert music.tree() == before


@pytest.mark.parametrize("kind", KINDS)
def test_thumbnails_do_not_keep_an_emptied_folder_but_bins_and_versions_do(library: Callable[..., Library], kind: str) -> None:
    music = library(kind)
    for number, folder in enumerate(("thumbs", "desktop", "bin", "versions", "both"), 1):
        music.track(f"{folder}/{number}.mp3", number)
    music.track("in/1.mp3", 1)
    going = {
        "thumbs/@eaDir/1.mp3/SYNOAUDIO.jpg",
        "thumbs/.AppleDouble/1.mp3",
        "thumbs/Thumbs.db",
        *(f"desktop/{name}" for name in ("desktop.ini", ".nomedia", ".directory", "Thumbs.db")),
    }
    staying = {
        *("bin/#recycle/old.mp3", "bin/@eaDir/1.mp3/x.jpg", "versions/.stversions/3~1.mp3", "versions/Thumbs.db"),
        *("both/__MACOSX/._4.mp3", "both/notes.bin", "both/.DS_Store"),
    }
    put(music, *going, *staying)
    before = music.tree()
    done = music("organize", music.place.location)
    after = music.tree()
    assert {path for path in after if not path.startswith("Band/")} == staying
    assert sorted(music.place.tree().values()) == sorted(before.values())
    if kind != "s3_serve":
        assert sorted(path.name for path in music.root.iterdir() if path.name[0] != ".") == ["Band", "bin", "both", "versions"]
    again = music("organize", music.place.location)
    assert again.summary["ops_planned"] == 0
    music("undo", done.run)
    assert music.tree() == before


def test_a_location_inside_one_is_a_location(library: Callable[..., Library]) -> None:
    """The table applies below the root that the user names."""
    music = library("local")
    music.track("#recycle/.Trash-1000/files/in/1.mp3", 1)
    put_in = music.root / "#recycle/.Trash-1000/files"
    (put_in / "@eaDir").mkdir()
    (put_in / "@eaDir/2.mp3").write_bytes(b"thumbnail")
    done = music("organize", str(put_in), str(music.root), "--move")
    assert music.tree().keys() == {"Band/Album (2001)/01 Song 1.mp3", "#recycle/.Trash-1000/files/@eaDir/2.mp3"}
    assert (done.summary["files_seen"], done.summary["foreign_folders"]) == (1, 2)
    assert len(notes(done)) == 2, "one for each location"


def test_dedup_says_that_it_does_not_search_one_inside_another_location(library: Callable[..., Library]) -> None:
    music = library("local")
    music.track("in/1.mp3", 1)
    put(music, "#recycle/1.mp3")
    both = (str(music.root), str(music.root / "#recycle"))
    ended = music(*DEDUP, *both)
    assert ended.summary["ops_planned"] == 0
    assert [event["message"].partition(": ")[0] for event in ended.events if event["type"] == "warning"] == [
        f"{both[1]} is not searched"
    ]


def test_the_config_opens_them_and_excludes_others_for_ever(library: Callable[..., Library], tmp_path: Path) -> None:
    music = library("webdav")
    fill(music)
    put(music, "Podcasts/#recycle/1.mp3", "Podcasts/1.mp3")
    config = tmp_path / "config.yaml"

    def scanned(text: str, *options: str) -> set[str]:
        """The music that a plan would touch."""
        config.write_text(text)
        ended = music("plan", music.place.location, "--layout", "X/{{ title }}", "--config", str(config), *options)
        return {event["src"]["path"] for event in ended.events if event["type"] == "operation"}

    library_itself, podcasts = {"in/1.mp3", "in/2.mp3"}, {"Podcasts/#recycle/1.mp3", "Podcasts/1.mp3"}
    assert scanned("exclude: [Podcasts]\n") == library_itself
    assert scanned('include: ["#recycle/**"]\nexclude: [Podcasts/]\n') == {*library_itself, "#recycle/in/1.mp3"}
    assert scanned('include: ["*RECYCLE*", "in/*"]\n') == library_itself, "nothing is opened by a wildcard, and both restrict"
    assert scanned('include: ["#Recycle"]\n') == {
        *library_itself,
        *podcasts,
        "#recycle/in/1.mp3",
    }
    assert scanned("exclude: [Podcasts]\n", "--include", "#Recycle/**") == {"#recycle/in/1.mp3"}
    assert scanned('include: ["#recycle", "*/2.mp3"]\n', "--exclude", "Podcasts") == {"in/2.mp3", "#recycle/in/1.mp3"}


def test_what_an_older_scan_saw_in_them_vanishes_and_does_not_count_as_gone(
    library: Callable[..., Library], tmp_path: Path
) -> None:
    """Nine of eleven songs: without this, half of the music would seem to be gone. A plan from the catalogue forgets them too."""
    music = library("local")
    fill(music)
    config = tmp_path / "open.yaml"
    config.write_text("include: [" + ", ".join(f'"{folder}"' for folder in FOREIGN) + "]\n")
    for forgetting in (("scan",), ("plan", "--no-scan"), ("dedup", "--dedup", "quarantine"), ("stats", "--no-scan")):
        opened = music("scan", music.place.location, "--config", str(config))
        assert opened.summary["files_seen"] == len(FOREIGN) + 2
        then = music(*forgetting, music.place.location)
        assert then.summary["files_seen"] == 2
        assert not then.errors
        assert not [event for event in then.events if event["type"] == "scan" and event["gone"]]
        assert not [
            event
            for event in then.events
            if event["type"] == "operation" and event["src"]["path"] not in {"in/1.mp3", "in/2.mp3"}
        ]


def test_a_plan_from_the_catalogue_knows_those_of_the_last_scan(library: Callable[..., Library]) -> None:
    """The bin keeps its folder alive, so the clutter beside it stays."""
    music = library("local")
    music.track("in/1.mp3", 1)
    put(music, "in/#recycle/old.mp3", "in/Thumbs.db")
    music("scan", music.place.location)
    planned = music("plan", music.place.location, "--no-scan")
    assert [event["src"]["path"] for event in planned.events if event["type"] == "operation"] == ["in/1.mp3"]


def test_a_plan_that_takes_files_out_of_them_is_refused(library: Callable[..., Library], tmp_path: Path) -> None:
    """Versions that did not know these folders have made such plans, which did not say what was opened."""
    music = library("local")
    fill(music)
    before, file = music.tree(), tmp_path / "opened.plan"
    music("plan", music.place.location, "--include", "#recycle", "--layout", "{{ title }}", "-o", str(file))
    made = read_plan(file)
    options = {name: value for name, value in made.header.options.items() if name != "opened"}
    old = tmp_path / "old.plan"
    write_plan(replace(made, header=replace(made.header, options=options)), old)
    ended = music("apply", str(old), codes=(2,))
    assert "1 file in folders of other programs, such as #recycle/in/1.mp3" in ended.errors[0]["message"]
    assert music.tree() == before
    music("apply", str(file))
    assert "#recycle/in/1.mp3" not in music.tree()


@pytest.mark.parametrize("kind", some_at_night(("drive", "s3_moto"), night={"s3_moto"}))
def test_folders_of_one_name_and_flat_listings(
    forks: Forks, tmp_path: Path, rclone_binary: Path, kind: str, library: Callable[..., Library]
) -> None:
    """On Google Drive and Amazon's S3, where one listing shows everything."""
    made = library("local")
    foreign = fill(made)
    config = tmp_path / "remote.conf"
    config.write_text("")
    config.chmod(0o600)
    facts = LibraryFacts(made.root)
    facts.files.update(made.tree())
    with places(kind, tmp_path / "server", rclone_binary, config, {"music": facts}) as there:
        music = Library(there["music"], forks, tmp_path / "remote", {"RCLONE_CONFIG": str(config)})
        done = music("organize", music.place.location, "--dedup", "quarantine", "--keep", "oldest")
        assert (done.summary["ops_done"], done.summary["foreign_folders"]) == (2, len(FOREIGN))
        assert foreign.items() <= music.tree().items()
        music("undo", done.run)
        assert music.tree() == made.tree()
