"""(d) A run with nothing to do: `organize` over 100,000 catalogued objects of a bucket, against plainly listing them; and a job
that organizes 10,000 files on a disk, as cron starts it.

    python -m benchmarks.nothing [--objects 100000] [--files 10000] [--rounds 2]

The catalogue of the bucket is filled directly, as if every object had been read before, and every object is already where the
layout wants it. The files on the disk are organized by the first call of the job.
"""

from __future__ import annotations

import argparse
import json
import resource
from pathlib import Path

from benchmarks import measure
from benchmarks.listing import plain_commands
from benchmarks.listing_server import entry_of, listing_server, track_of
from benchmarks.measure import say
from benchmarks.servers import REMOTE, write_config
from orchestrator.actions.session import CATALOGUE_FILE
from orchestrator.catalogue.compare import NewListing
from orchestrator.catalogue.rows import Unread
from orchestrator.catalogue.store import Catalogue
from orchestrator.rclone.binary import find_rclone
from orchestrator.track import Reading, Status, Track
from tests.audio import track_bytes
from tests.servers.remotes import BUCKET


def _fill(file: Path, fs: str, count: int) -> None:
    """Fill the catalogue as a scan of everything would."""
    with Catalogue(file) as catalogue:
        with NewListing(catalogue, fs) as listing:
            for start in range(0, count, 2000):
                listing.add([entry_of(number) for number in range(start, min(start + 2000, count))])
            listing.commit(1)
        batch: list[tuple[Unread, Reading]] = []
        for unread in catalogue.unread(fs):
            number = (unread.entry.size or 0) - 20_000_000
            batch.append((unread, Reading(Status.TAGGED, track_of(number), requests=1, bytes_read=65_536)))
            if len(batch) == 2000:
                catalogue.save_readings(batch)
                batch = []
        catalogue.save_readings(batch)


def _library(root: Path, count: int) -> None:
    """Small files, ten to an album, where the default layout wants them."""
    for number in range(count):
        album, track = divmod(number, 10)
        tags = Track(title=(f"Song {track}",), artist=("Band",), album=(f"Album {album}",), track=track + 1, date="2001")
        folder = root / "Band" / f"Album {album} (2001)"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{track + 1:02} Song {track}.mp3").write_bytes(track_bytes("mp3", tags, seconds=0.1, serial=number + 1))


def _job(work: Path, count: int, rounds: int) -> None:
    """The CPU time of `run` over a library on a disk, with all its child processes."""
    _library(work / "music", count)
    config = work / "config.yaml"
    config.write_text(f"jobs: {{nightly: [{{organize: {{source: {work / 'music'}}}}}]}}\n")
    command: list[str | Path] = [*measure.PROGRAM, "run", "-q", "--config", config, "--state-dir", work / "disk-state"]
    measure.must_run(command)
    took = []
    for _ in range(rounds + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert measure.must_run(command).output == "", "nothing was done"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    say(f"  a job over {count} files on a disk: {min(took):.2f} s of CPU")
    measure.verdict("a job with nothing to do", min(took), 1.5, at_least=False, unit=" s of CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    binary = find_rclone(None)
    say(f"{measure.machine()}, rclone {binary.version}, {options.objects} catalogued objects")
    with measure.workspace() as work, listing_server(options.objects) as port:
        config, fs, state = work / "rclone.conf", f"{REMOTE}:{BUCKET}", work / "state"
        write_config(config, port)
        _fill(state / CATALOGUE_FILE, fs, options.objects)
        command: list[str | Path] = [*measure.PROGRAM, "organize", fs, "--yes", "--json", "--state-dir", state]
        command += ["--rclone-config", config]
        plain: list[float] = []
        runs: list[measure.Usage] = []
        for _ in range(options.rounds):
            plain += [measure.must_run(other).wall_s for other in plain_commands(binary, config, fs).values()]
            usage = measure.must_run(command)
            summary = json.loads(usage.output.strip().splitlines()[-1])
            assert (summary["files_seen"], summary["files_read"], summary["ops_planned"]) == (options.objects, 0, 0), summary
            runs.append(usage)
        best = min(runs, key=lambda usage: usage.wall_s)
        say(f"  the fastest plain rclone lsjson: {min(plain):.2f} s")
        say(
            f"  organize with nothing to do: {best.wall_s:.2f} s, {best.peak_root_mb:.0f} MB at peak "
            f"({best.peak_tree_mb:.0f} MB with rclone)"
        )
        measure.verdict("beyond the listing", best.wall_s - min(plain), 5, at_least=False, unit=" s")
        _job(work, options.files, options.rounds)


if __name__ == "__main__":
    main()
