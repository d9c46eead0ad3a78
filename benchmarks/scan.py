"""(a) Reading tags from S3, 40 ms away: our scan against mutagen over `rclone mount`, with 1 and with 8 threads.

    python -m benchmarks.scan [--files 2000] [--rtt 40] [--mounted 80] [--messy 1000] [--profile]

The alternative is slow, so it reads only a sample of the same files (`--mounted` for one thread, five times that for eight).
Our figure includes the listing, its figure does not. What a file costs us apart from the network (its tags, and the
catalogue) is measured with the same files on the disk, by one reader. `--profile` writes a profile of this time to
benchmarks/scan-profile.txt.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

import mutagen

from benchmarks import measure
from benchmarks.file_server import file_server
from benchmarks.measure import say
from benchmarks.music import make_music
from benchmarks.servers import REMOTE, can_mount, counts, mount, write_config
from orchestrator.catalogue.reading import read_entry
from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.update import ScanResult, scan
from orchestrator.garbage_collection import collect_garbage_seldom
from orchestrator.rclone.binary import Binary, find_rclone
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from orchestrator.tags.formats import is_audio
from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from tests.library import make_library
from tests.servers.remotes import BUCKET

LOCATION = f"{REMOTE}:{BUCKET}"
PROFILE = Path(__file__).with_name("scan-profile.txt")


class Scanned(NamedTuple):
    """One first scan with a new catalogue."""

    result: ScanResult
    seconds: float
    policy: Policy
    """The policy of the remote's profile, unless one was given."""
    ours_s: float
    """Processor time of this process."""
    rclone_s: float
    """Processor time of rclone, without the listing, which is a process of its own."""

    @property
    def speed(self) -> float:
        """Files per second."""
        return self.result.files_read / self.seconds


def _scan(
    binary: Binary, config: Path, work: Path, policy: Policy | None = None, *, fs: str = LOCATION, readers: int | None = None
) -> Scanned:
    catalogue_file = work / "catalogue.sqlite3"
    with Rclone(binary, config=config) as rclone:
        storage = RcloneStorage(rclone, fs)
        chosen = policy or (FEW_REQUESTS if storage.profile.policy == "few-requests" else FEW_BYTES)
        child = int(rclone.client.call("core/pid")["pid"])
        started, ours, rclones = time.perf_counter(), time.process_time(), measure.cpu_s(child)
        with Catalogue(catalogue_file) as catalogue:
            result = scan(RetryingStorage(storage), catalogue, Selection(now_ns=time.time_ns()), policy=chosen, readers=readers)
        seconds = time.perf_counter() - started
        found = Scanned(result, seconds, chosen, time.process_time() - ours, measure.cpu_s(child) - rclones)
    for file in work.glob("catalogue.sqlite3*"):
        file.unlink()
    return found


def _profile(binary: Binary, work: Path, root: Path) -> None:
    """Write a profile of the processor time of one reader that reads all files of the library from a server without latency."""
    profile, text = cProfile.Profile(time.process_time), io.StringIO()
    with file_server(root, 0) as (port, _):
        write_config(work / "profile.conf", port)
        with Rclone(binary, config=work / "profile.conf") as rclone:
            storage = RetryingStorage(RcloneStorage(rclone, LOCATION))
            entries = [entry for entry in storage.list() if is_audio(entry.path)]
            with profile:
                for entry in entries:
                    read_entry(storage, entry, FEW_BYTES)
    text.write(f"python -m benchmarks.scan --profile: {len(entries)} files, one reader, no latency\n")
    statistics = pstats.Stats(profile, stream=text).strip_dirs().sort_stats("tottime")
    statistics.print_stats(30)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    PROFILE.write_text("\n".join(line for line in lines if line) + "\n")
    say(f"  profile written to {PROFILE}")


def _read(path: Path) -> bool:
    try:
        return mutagen.File(path) is not None
    except Exception:  # mutagen raises errors of many types
        return False


def _mounted(binary: Binary, config: Path, work: Path, paths: list[str], threads: int) -> float:
    """Files per second that mutagen reads over a mount of its own."""
    point = work / "mount"
    with mount(binary, config, point, work / "mount.log"):
        for directory, _, _ in os.walk(point):  # what every scanner does first; not timed
            assert directory
        started = time.perf_counter()
        if threads == 1:
            read = sum(_read(point / path) for path in paths)
        else:
            with ThreadPoolExecutor(threads) as pool:
                read = sum(pool.map(_read, [point / path for path in paths]))
        seconds = time.perf_counter() - started
    say(f"  mutagen over rclone mount, {threads} thread(s): {len(paths)} files in {seconds:.1f} s ({read} with tags)")
    return len(paths) / seconds


def _compared(binary: Binary, config: Path, work: Path, paths: list[str], count: int) -> tuple[float, float] | None:
    """Files per second that mutagen reads over the mount: with one thread, which reads `count` files, and with eight."""
    if not count:
        say("not compared (--mounted 0)")
    elif not can_mount():
        say("CANNOT COMPARE: a mount needs /dev/fuse and fusermount3 (Debian package fuse3)")
    else:
        sample = Random(1).sample(paths, min(len(paths), 5 * count))
        try:
            return _mounted(binary, config, work, sample[:count], 1), _mounted(binary, config, work, sample, 8)
        except OSError as error:
            say(f"CANNOT COMPARE: {error}")
    return None


def _say_bounds(found: Scanned, servers_s: float) -> None:
    """Print what limits the scan: the processor time that a file takes in three programs."""
    count, cores = found.result.files_read, os.cpu_count() or 1
    ours, rclones, servers = (1000 * seconds / count for seconds in (found.ours_s, found.rclone_s, servers_s))
    most = min(1000 * cores / (ours + rclones + servers), 1000 / ours)
    say(
        f"  processor, ms a file: ours {ours:.2f}, rclone {rclones:.2f}, the server {servers:.2f}: at most {most:.0f} files/s on "
        f"{cores} cores; ours alone could do {1000 / ours:.0f}, because Python uses one core"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rtt", type=float, default=40.0, help="milliseconds")
    parser.add_argument("--mounted", type=int, default=80, help="files that one thread reads over the mount; 0: no mount")
    parser.add_argument("--messy", type=int, default=1000, help="files of the tests' messy library; 0: none")
    parser.add_argument("--profile", action="store_true", help="also write a profile")
    options = parser.parse_args()
    collect_garbage_seldom()  # as the program does
    binary = find_rclone(None)
    say(f"{measure.machine()}, rclone {binary.version}, round trip {options.rtt:g} ms")
    with measure.workspace() as work:
        config = work / "rclone.conf"
        root = work / "served" / BUCKET
        paths = make_music(root, options.files)
        size = sum((root / path).stat().st_size for path in paths)
        say(f"{len(paths)} files, {size / len(paths) / 1024:.0f} KiB on average")
        with file_server(root, options.rtt) as (port, server):
            write_config(config, port)
            before = measure.cpu_s(server)
            first = _scan(binary, config, work)
            result, ours, servers_s = first.result, first.speed, measure.cpu_s(server) - before
            say(
                f"  our scan: {result.files_read} files in {first.seconds:.2f} s = {ours:.0f} files/s; "
                f"{len(result.unreadable)} unreadable, {len(result.failures)} failed"
            )
            _say_bounds(first, servers_s)
            ranges, kib = result.requests / result.files_read, result.bytes_read / result.files_read / 1024
            asked = counts(port)
            say(
                f"  at the server, a file: {asked['range'] / result.files_read:.2f} ranges, "
                f"{asked['head'] / result.files_read:.2f} look-ups added by rclone"
            )
            say(f"  {ranges:.2f} ranges and {kib:.0f} KiB a file")
            other = _scan(binary, config, work, FEW_BYTES if first.policy == FEW_REQUESTS else FEW_REQUESTS)
            say(
                f"  (the other policy: {other.speed:.0f} files/s, {other.result.requests / other.result.files_read:.2f} ranges, "
                f"{other.result.bytes_read / other.result.files_read / 1024:.0f} KiB a file)"
            )
            mounted = _compared(binary, config, work, paths, options.mounted)
        alone = min(_scan(binary, config, work, FEW_BYTES, fs=str(root), readers=1).ours_s for _ in range(3)) / len(paths)
        if options.profile:
            _profile(binary, work, root)
        measure.verdict("scan", ours, 500, at_least=True, unit=" files/s")
        measure.verdict("our processor time a file: tags and catalogue", 1000 * alone, 1.5, at_least=False, unit=" ms")
        if mounted is not None:
            measure.verdict("against mutagen over rclone mount", ours / mounted[0], 40, at_least=True, unit=" times")
            measure.verdict("against the same with 8 threads", ours / mounted[1], 6, at_least=True, unit=" times")
        measure.verdict("ranges a file", ranges, 2, at_least=False)
        measure.verdict("read a file", kib, 256, at_least=False, unit=" KiB")
    if options.messy:
        _messy(binary, options.rtt, options.messy)


def _messy(binary: Binary, rtt_ms: float, count: int) -> None:
    """The same for the messy library of the tests: small files with every oddity."""
    with measure.workspace() as work:
        facts = make_library(work / "served" / BUCKET, count=count)
        with file_server(work / "served" / BUCKET, rtt_ms) as (port, _):
            write_config(work / "rclone.conf", port)
            messy = _scan(binary, work / "rclone.conf", work)
        result = messy.result
        say(f"the tests' messy library ({len(facts.files)} small files): {messy.speed:.0f} audio files/s")
        measure.verdict("ranges a file", result.requests / result.files_read, 2, at_least=False)
        measure.verdict("read a file", result.bytes_read / result.files_read / 1024, 256, at_least=False, unit=" KiB")


if __name__ == "__main__":
    main()
