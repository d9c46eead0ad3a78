"""(a) Reading tags from S3, 40 ms away: our scan against mutagen over `rclone mount`, by itself and with 8 threads.

    python -m benchmarks.scan [--files 1500] [--rtt 40] [--mounted 80] [--messy 1000]

The alternative reads a sample of the same files (`--mounted` for one thread, five times that for eight), because it is slow. It
is spared the listing, which our figure contains.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import mutagen

from benchmarks import measure
from benchmarks.file_server import file_server
from benchmarks.measure import say
from benchmarks.music import make_music
from benchmarks.servers import REMOTE, can_mount, counts, mount, write_config
from orchestrator.catalogue.scan import ScanResult, scan
from orchestrator.catalogue.store import Catalogue
from orchestrator.rclone.binary import Binary, find_rclone
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.rclone import RcloneStorage
from orchestrator.storage.retry import RetryingStorage
from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from tests.library import make_library
from tests.servers.remotes import BUCKET


def _scan(binary: Binary, config: Path, work: Path, policy: Policy | None = None) -> tuple[ScanResult, float, Policy]:
    """One first scan with a new catalogue; result, seconds, and the policy that the remote's profile asks for."""
    catalogue_file = work / "catalogue.sqlite3"
    with Rclone(binary, config=config) as rclone:
        storage = RcloneStorage(rclone, f"{REMOTE}:{BUCKET}")
        chosen = policy or (FEW_REQUESTS if storage.profile.policy == "few-requests" else FEW_BYTES)
        started = time.perf_counter()
        with Catalogue(catalogue_file) as catalogue:
            result = scan(RetryingStorage(storage), catalogue, policy=chosen, now_ns=time.time_ns())
        seconds = time.perf_counter() - started
    for file in work.glob("catalogue.sqlite3*"):
        file.unlink()
    return result, seconds, chosen


def _read(path: Path) -> bool:
    try:
        return mutagen.File(path) is not None
    except Exception:  # mutagen raises whatever it comes across
        return False


def _mounted(binary: Binary, config: Path, work: Path, paths: list[str], threads: int) -> float:
    """Files a second that mutagen reads over a mount of its own."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--rtt", type=float, default=40.0, help="milliseconds")
    parser.add_argument("--mounted", type=int, default=80, help="files that one thread reads over the mount; 0: no mount")
    parser.add_argument("--messy", type=int, default=1000, help="files of the tests' messy library; 0: leave it out")
    options = parser.parse_args()
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
            before = (time.process_time(), measure.cpu_s(server))
            result, seconds, policy = _scan(binary, config, work)
            ours = result.files_read / seconds
            say(
                f"  our scan: {result.files_read} files in {seconds:.2f} s = {ours:.0f} files/s; {len(result.unreadable)} "
                f"unreadable, {len(result.failures)} failed; processor: ours {time.process_time() - before[0]:.1f} s, "
                f"the server's {measure.cpu_s(server) - before[1]:.1f} s"
            )
            ranges, kib = result.requests / result.files_read, result.bytes_read / result.files_read / 1024
            asked = counts(port)
            say(
                f"  at the server, a file: {asked['range'] / result.files_read:.2f} ranges, "
                f"{asked['head'] / result.files_read:.2f} look-ups that rclone adds"
            )
            say(f"  {ranges:.2f} ranges and {kib:.0f} KiB a file")
            other = FEW_BYTES if policy == FEW_REQUESTS else FEW_REQUESTS
            second, seconds, _ = _scan(binary, config, work, other)
            say(
                f"  (the other policy: {second.files_read / seconds:.0f} files/s, "
                f"{second.requests / second.files_read:.2f} ranges, "
                f"{second.bytes_read / second.files_read / 1024:.0f} KiB a file)"
            )
            single = threaded = None
            if not options.mounted:
                say("not compared: no mount was wanted")
            elif not can_mount():
                say("CANNOT COMPARE: a mount needs /dev/fuse and fusermount3 (Debian package fuse3)")
            else:
                sample = Random(1).sample(paths, min(len(paths), 5 * options.mounted))
                try:
                    single = _mounted(binary, config, work, sample[: options.mounted], 1)
                    threaded = _mounted(binary, config, work, sample, 8)
                except OSError as error:
                    say(f"CANNOT COMPARE: {error}")
        measure.verdict("scan", ours, 300, at_least=True, unit=" files/s")
        if single and threaded:
            measure.verdict("against mutagen over rclone mount", ours / single, 40, at_least=True, unit=" times")
            measure.verdict("against the same with 8 threads", ours / threaded, 6, at_least=True, unit=" times")
        measure.verdict("ranges a file", ranges, 2, at_least=False)
        measure.verdict("read of a file", kib, 256, at_least=False, unit=" KiB")
    if options.messy:
        _messy(binary, options.rtt, options.messy)


def _messy(binary: Binary, rtt_ms: float, count: int) -> None:
    """The same for the messy library of the tests: small files, every oddity."""
    with measure.workspace() as work:
        facts = make_library(work / "served" / BUCKET, count=count)
        with file_server(work / "served" / BUCKET, rtt_ms) as (port, _):
            write_config(work / "rclone.conf", port)
            result, seconds, _ = _scan(binary, work / "rclone.conf", work)
        say(f"the tests' messy library ({len(facts.files)} small files): {result.files_read / seconds:.0f} audio files/s")
        measure.verdict("ranges a file", result.requests / result.files_read, 2, at_least=False)
        measure.verdict("read of a file", result.bytes_read / result.files_read / 1024, 256, at_least=False, unit=" KiB")


if __name__ == "__main__":
    main()
