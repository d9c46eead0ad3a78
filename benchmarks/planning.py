"""(h) Planning 100,000 tracks with duplicates among them, on one core: time and memory of the planner alone.

    python -m benchmarks.planning [--tracks 100000]

The library is made in memory: albums of twelve tracks. Every tenth album exists twice (with other tags), every tenth has
lossy copies, and there are loose files without a number or without tags, and compilations that share recordings. Nothing is
listed or read: the planner gets what the catalogue would give it, and that counts towards its memory. Each plan is made in a
process of its own, on one core.

- organize: the plan that moves every file to its destination.
- dedup: the plan that quarantines the duplicates.
- both: `organize --dedup quarantine`, compared with planning `organize` alone.
- A run over half of the library shows whether the time grows linearly or with the square.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import measure
from benchmarks.measure import say
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, plan_dedup
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest, OrganizeSettings
from orchestrator.records import Capabilities, Entry, Item
from orchestrator.track import AudioIdentity, Reading, Status, Strength, Track

KINDS = ("organize", "dedup", "both")
REMOTE = Capabilities(copy=True, hashes=("md5",), empty_directories=False, max_path_bytes=1024, remote_type="s3")
MADE_BY, MADE_AT = "0", "2026-01-01T00:00:00Z"
_WORDS = ("river", "glass", "night", "paper", "harbour", "winter", "engine", "moon", "garden", "north", "signal", "bird")


def library(tracks: int) -> Iterator[Item]:
    """That many files, always the same."""
    made = 0
    for album in range(tracks):
        for item in _album(album):
            yield item
            made += 1
            if made == tracks:
                return


def _album(album: int) -> Iterator[Item]:
    for number in range(1, 13):
        path = f"incoming/{album % 97}/{album}/{number:02} {_title(album, number)}"
        yield _file(f"{path}.flac", album, number, f"{album}-{number}")
        if album % 10 == 0:
            yield _file(f"backup/{album}/{number:02}.flac", album, number, f"{album}-{number}", genre=("Rock",))
        if album % 10 == 5:
            yield _file(f"phone/{album}/{number:02}.mp3", album, number, None)
        if album % 20 == 7 and number == 3:
            yield _file(f"desktop/{album} copy.flac", album, number, f"{album}-{number}", track=None)
            yield _file(f"desktop/{album}.flac", album, number, f"{album}-{number}", bare=True)
        if album % 25 == 9 and number < 3:
            best: dict[str, Any] = {
                "album": (f"Best of {album // 25 % 40}",),
                "track": album // 25 % 60 + 1,
                "compilation": True,
                "track_total": 60,
            }
            yield _file(f"best/{album}-{number}.flac", album, number, f"{album}-{number}", **best)


def _title(album: int, number: int) -> str:
    return f"{_WORDS[(album + number) % 12]} {_WORDS[album % 11]} {number}".title()


def _file(path: str, serial: int, number: int, sound: str | None, /, *, bare: bool = False, **other: Any) -> Item:
    artist = f"The {_WORDS[serial % 12].title()} {serial // 15}"
    stream: dict[str, Any] = {"codec": "mp3", "lossless": False, "bitrate": 320_000}
    if sound is not None:
        stream = {"codec": "flac", "lossless": True, "bitrate": 900_000}
    stream |= {"duration_s": 150.0 + (serial * 7 + number * 13) % 200, "sample_rate": 44_100, "channels": 2}
    tags: dict[str, Any] = {
        "title": (_title(serial, number),),
        "artist": (artist if number % 9 else f"{artist} feat. Somebody",),
        "album_artist": (artist,),
        "album": (f"{_WORDS[serial % 12]} {serial}".title(),),
        "track": number,
        "track_total": 12,
        "disc": 1,
        "disc_total": 1,
        "date": str(1960 + serial % 60),
    }
    track = Track(**(stream if bare else {**stream, **tags, **other}))
    identity = AudioIdentity("pcm-md5", f"{sound:0>32}", Strength.SURE) if sound is not None else None
    entry = Entry(path, 20_000_000 + len(path), None, {"md5": f"{hash(path) & (1 << 128) - 1:032x}"})
    return Item(entry, Reading(Status.UNTAGGED if bare else Status.TAGGED, track, identity))


def _plan(kind: str, items: list[Item]) -> Plan:
    if kind == "dedup":
        location = DedupLocation(fs="remote:music", items=items, capabilities=REMOTE)
        return plan_dedup(DedupRequest(locations=[location], tool_version=MADE_BY, created=MADE_AT))
    options = OrganizeSettings(dedup=DedupSettings() if kind == "both" else None)
    return plan_organize(
        OrganizeRequest(
            source_fs="remote:music",
            target_fs="remote:music",
            items=items,
            source_capabilities=REMOTE,
            target_capabilities=REMOTE,
            target_has_buckets=True,
            options=options,
            tool_version=MADE_BY,
            created=MADE_AT,
        )
    )


def _in_child(kind: str, tracks: int) -> None:
    """Make one plan and print what it took: run in a process of its own, which is measured."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    items = list(library(tracks))
    started = time.perf_counter()
    plan = _plan(kind, items)
    taken = time.perf_counter() - started
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    counts = plan.header.counts
    say(f"{taken} {memory_mb} {counts.get('quarantine', 0)} {counts.get('move', 0)}")


def _measure(kind: str, tracks: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.planning", "--in-child", kind, "--tracks", str(tracks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    seconds, memory, quarantined, moved = map(float, done.stdout.split())
    say(f"  {kind:10}{tracks:9} tracks {seconds:8.1f} s {memory:8.0f} MB   {moved:.0f} to move, {quarantined:.0f} to quarantine")
    return seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--in-child", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_child:
        _in_child(options.in_child, options.tracks)
        return
    say(measure.machine())
    whole = {kind: _measure(kind, options.tracks) for kind in KINDS}
    half, _ = _measure("both", options.tracks // 2)
    measure.verdict("seconds with duplicates", whole["both"][0], 12, at_least=False, unit=" s")
    measure.verdict("memory with duplicates", max(memory for _, memory in whole.values()), 600, at_least=False, unit=" MB")
    measure.verdict("organize --dedup against organize alone", whole["both"][0] / whole["organize"][0], 3, at_least=False)
    measure.verdict("twice the tracks take as long as", whole["both"][0] / half, 2.5, at_least=False)


if __name__ == "__main__":
    main()
