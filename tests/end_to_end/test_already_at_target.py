"""What is at the target already while the source still has it: counted, and quarantined only when it is proved to be there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.audio_frames import flac, tagged
from tests.faulty import Library
from tests.nightly import some_at_night
from tests.program import Ended

HOME = "Ann/Blue (1990)"
LARGE = 17 << 20
"""Too much for a companion to be compared without a hash."""


class Sides(NamedTuple):
    """A library and where it is organized to; each with its folder on this machine."""

    library: Library
    source: str
    source_root: Path
    target: str
    target_root: Path
    free_hashes: bool
    """One side lists hashes, and the other one is a disk."""

    def organize(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.library("organize", self.source, self.target, *options, "--yes", codes=codes)


@pytest.fixture(
    params=some_at_night(
        ("s3_serve to local", "local to webdav", "local to s3_serve"), night={"s3_serve to local", "local to s3_serve"}
    )
)
def sides(request: pytest.FixtureRequest, library: Callable[..., Library], tmp_path: Path) -> Sides:
    """An album with a cover, lyrics and a log. The listings of rclone's WebDAV and of a disk have no hashes."""
    one, _, other = request.param.partition(" to ")
    music = library(other if one == "local" else one)
    here = tmp_path / "here"
    here.mkdir()
    there = music.place.location, music.root
    sides = Sides(music, *(str(here), here, *there) if one == "local" else (*there, str(here), here), other != "webdav")
    for number in (1, 2, 3):
        said = {"title": (f"S{number}",), "artist": ("Ann",), "album": ("Blue",), "track": number, "disc": 1, "date": "1990"}
        put(sides.source_root / f"in/{number}.mp3", track_bytes("mp3", Track(**said), seconds=0.2, serial=number))
    put(sides.source_root / "in/cover.jpg", b"front")
    put(sides.source_root / "in/1.lrc", b"la la")
    put(sides.source_root / "in/rip.log", b"all well")
    return sides


MUSIC, OTHERS = 3, 3


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def contents(root: Path) -> dict[str, str]:
    """Path -> sha256, without what is ours and what an rclone server adds."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and ".music-orchestrator/" not in f"{path.relative_to(root)}"
    }


def at_target(ended: Ended) -> tuple[int, int]:
    """The plan's counts of files that are at the target, and of those that are only known to be alike."""
    (plan,) = (event for event in ended.events if event["type"] == "plan")
    return plan["counts"].get("at_target", 0), plan["counts"].get("alike_at_target", 0)


def counts(sides: Sides, music: int, others: int) -> tuple[int, int]:
    """What `at_target` says: without --checksum, music is not compared in full where that takes a download."""
    return (music + others, 0) if sides.free_hashes else (others, music)


def test_a_second_run_counts_what_is_there_and_a_moving_one_quarantines_it(sides: Sides) -> None:
    before = contents(sides.source_root)
    sides.organize("--copy")
    organized = contents(sides.target_root)
    assert sorted(organized.values()) == sorted(before.values())
    for verb in ("--copy", "--move"):
        again = sides.organize(verb)
        assert (at_target(again), again.summary["ops_planned"]) == (counts(sides, MUSIC, OTHERS), 0)
        assert contents(sides.source_root) == before
    if not sides.free_hashes:
        assert at_target(sides.organize("--copy", "--checksum")) == (MUSIC + OTHERS, 0)
    # Another cover of equal size is not the same: it gets a name of its own.
    put(sides.source_root / "in/cover.jpg", b"tnorf")
    other = {f"{HOME}/cover (2).jpg": contents(sides.source_root)["in/cover.jpg"]}
    assert at_target(sides.organize("--move")) == counts(sides, MUSIC, OTHERS - 1)
    assert contents(sides.target_root) == {**organized, **other}
    left = contents(sides.source_root)
    away = sides.organize("--move", "--dedup", "quarantine")
    assert away.summary["ops_done"] == MUSIC + OTHERS - 1
    assert (contents(sides.source_root), contents(sides.target_root)) == ({}, {**organized, **other})
    sides.library("undo", away.run)
    assert (contents(sides.source_root), contents(sides.target_root)) == (left, {**organized, **other})


@pytest.mark.parametrize(
    "sides", ["local to webdav", pytest.param("s3_serve to local", marks=pytest.mark.nightly)], indirect=True
)
def test_a_damaged_file_of_the_same_size_and_sound_is_not_taken_for_the_copy(sides: Sides) -> None:
    """Its tail is lost, which neither its headers nor its size show."""
    said = Track(title=("S4",), artist=("Ann",), album=("Blue",), track=4, disc=1, date="1990")
    good = tagged(flac(40, 4), said)
    put(sides.source_root / "in/4.flac", good)
    sides.organize("--copy")
    whole = contents(sides.target_root)
    put(sides.target_root / f"{HOME}/04 S4.flac", good[:-2000] + bytes(2000))
    ended = sides.organize("--copy")
    assert [event["dst"]["path"] for event in ended.events if event["type"] == "operation"] == [f"{HOME}/04 S4 (2).flac"]
    assert "one of the two may be damaged" in next(event["reason"] for event in ended.events if event["type"] == "operation")
    after = contents(sides.target_root)
    assert after[f"{HOME}/04 S4 (2).flac"] == whole[f"{HOME}/04 S4.flac"]
    assert at_target(sides.organize("--copy")) == counts(sides, MUSIC + 1, OTHERS)
    assert contents(sides.target_root) == after


@pytest.mark.parametrize(
    "sides", ["local to webdav", pytest.param("local to s3_serve", marks=pytest.mark.nightly)], indirect=True
)
def test_what_is_too_large_to_be_read_for_it_stays_and_is_named(sides: Sides) -> None:
    put(sides.source_root / "in/booklet.pdf", bytes(LARGE))
    sides.organize("--copy")
    organized = contents(sides.target_root)
    put(sides.source_root / "in/booklet.pdf", bytes(LARGE - 1) + b"x")
    ended = sides.organize("--copy", codes=(0,) if sides.free_hashes else (3,))
    conflicts = [event["path"] for event in ended.errors if event["code"] == "conflict"]
    assert conflicts == ([] if sides.free_hashes else ["in/booklet.pdf"])
    if not sides.free_hashes:
        assert contents(sides.target_root) == organized
        sides.organize("--copy", "--checksum")
    assert contents(sides.target_root).keys() - organized.keys() == {f"{HOME}/booklet (2).pdf"}
