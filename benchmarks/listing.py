"""(b) Listing 100,000 objects: the program's listing and its whole scan, against the fastest plain `rclone lsjson`.

    python -m benchmarks.listing [--objects 100000] [--rounds 3]

They take turns, and the best time of each counts. Our listing is timed from the call to the last entry; that includes the
start of the rclone that lists, as it does for the plain one. The time of the whole program, with the start of Python and of
rclone's daemon, is printed as well. The server only lists, as fast as it can. The plain listing has the same columns: path,
size and hash.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import measure
from benchmarks.listing_server import listing_server
from benchmarks.measure import say
from benchmarks.servers import REMOTE, write_config
from orchestrator.rclone.binary import Binary, find_rclone
from tests.servers.remotes import BUCKET

_PROGRAM = """
import sys, time
from pathlib import Path
from orchestrator.rclone.binary import find_rclone
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.rclone_backed.storage import RcloneStorage
config, fs = sys.argv[1:]
with Rclone(find_rclone(None), config=Path(config)) as rclone:
    storage = RcloneStorage(rclone, fs)
    storage.capabilities
    started = time.perf_counter()
    count = sum(1 for _ in storage.list())
    print(count, time.perf_counter() - started)
"""


def plain_commands(binary: Binary, config: Path, fs: str) -> dict[str, list[str | Path]]:
    """The ways in which rclone itself can list with hashes."""
    flags = ("--files-only", "--no-modtime", "--no-mimetype", "--hash")
    common: list[str | Path] = [binary.path, "--config", config, "lsjson", "-R", *flags, fs]
    return {
        "rclone lsjson -R": common,
        "rclone lsjson -R --fast-list": [*common, "--fast-list"],
        "rclone lsjson -R --checkers 64": [*common, "--checkers", "64"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    binary = find_rclone(None)
    say(f"{measure.machine()}, rclone {binary.version}, {options.objects} objects")
    with measure.workspace() as work, listing_server(options.objects) as port:
        config, fs = work / "rclone.conf", f"{REMOTE}:{BUCKET}"
        write_config(config, port)
        commands = plain_commands(binary, config, fs)
        ours: list[str | Path] = [sys.executable, "-c", _PROGRAM, config, fs]
        times: dict[str, list[measure.Usage]] = {}
        for _ in range(options.rounds):
            for name, command in {**commands, "this program's listing": ours}.items():
                times.setdefault(name, []).append(measure.must_run(command))
            times.setdefault("this program's scan", []).append(_scan(work, config, fs))
        for name, usages in times.items():
            best = min(usages, key=lambda usage: usage.wall_s)
            memory = max(usage.peak_tree_mb for usage in usages)
            say(f"  {name}: {best.wall_s:.2f} s, {memory:.0f} MB at peak")
        listed = times["this program's listing"]
        answers = [usage.output.split()[-2:] for usage in listed]
        assert {count for count, _ in answers} == {str(options.objects)}, answers
        fastest = min(usage.wall_s for name in commands for usage in times[name])
        alone = min(float(seconds) for _, seconds in answers)
        whole = min(usage.wall_s for usage in listed)
        say(f"  the listing alone: {alone:.2f} s; the whole process takes {whole / fastest:.2f} times as long as the plain one")
        measure.verdict("listing against the fastest plain lsjson", alone / fastest, 1.3, at_least=False, unit=" times")
        peak = max(usage.peak_tree_mb for usage in listed)
        measure.verdict("program and rclone together", peak, 220, at_least=False, unit=" MB")


def _scan(work: Path, config: Path, fs: str) -> measure.Usage:
    """A first scan that reads no tags, because this server has no files: list, compare, store."""
    command: list[str | Path] = [*measure.PROGRAM, "scan", fs, "--exclude", "*"]
    command += ["--state-dir", work / "state", "--rclone-config", config]
    usage = measure.must_run(command)
    for file in (work / "state").glob("catalogue*"):
        file.unlink()
    return usage


if __name__ == "__main__":
    main()
