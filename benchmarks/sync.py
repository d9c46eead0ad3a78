"""(j) Sync: nothing to do over 100,000 files, a first upload, and a reorganized library, beside rclone's own sync and bisync.

    python -m benchmarks.sync [--files 100000] [--uploads 2000] [--tracks 1000] [--only nothing]

- nothing: a disk and a bucket that are alike, against listing both with plain `rclone lsjson`. The state is filled directly,
  as if both had been in sync. The files of the disk are sparse, and the server only lists.
- upload: the first sync of files of 1 MB to an empty bucket, against `rclone sync` with the same number of transfers, over a
  line of 40 ms and 10 MB/s (the latency is a proxy's, the rate is rclone's own limit on both sides), and without a line.
- renames: a library is organized on the disk (`organize`), another one is renamed by hand; then both are synced. Counts the
  bytes that reach the server, beside `rclone sync --track-renames` and `rclone bisync` with the same changes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from benchmarks import measure
from benchmarks.listing import plain_commands
from benchmarks.listing_server import MODIFIED_NS, PLACE_ID, entry_of, listing_server
from benchmarks.measure import say
from benchmarks.servers import REMOTE, write_config
from orchestrator.actions.common_states import STATE_FILE
from orchestrator.common_state.store import CommonState, Pair
from orchestrator.plan.planners.sync.records import File, Inode, Link
from orchestrator.rclone.binary import Binary, find_rclone
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.audio import make_many
from tests.servers.http import http_proxy
from tests.servers.remotes import BUCKET, RemoteServer, s3_moto
from tests.servers.tcp import TcpProxy

PARTS = ("nothing", "upload", "renames")
_PLACE_A = "a" * 32
_RTT_S = 0.04
_RATE = "10M"
_MB = 1_000_000
_MOST_MB = 300
_SLACK_S = 5
_OWN_BYTES = 20_000
"""The marker of the run, which is written again as long as it works."""


def _sparse_library(root: Path, count: int) -> None:
    for number in range(count):
        entry = entry_of(number)
        file = root / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            stream.truncate(entry.size)
    own = root / OWN_DIRECTORY
    own.mkdir()
    (own / "place-id").write_text(f"{_PLACE_A}\n")


def _fill_state(state: Path, binary: Binary, root: Path, fs: str, count: int) -> None:
    """As after a sync of everything."""
    state.mkdir(mode=0o700)
    with Rclone(binary) as rclone:
        here = {entry.path: entry for entry in RcloneStorage(rclone, str(root)).list()}
    pair = Pair((_PLACE_A, PLACE_ID), (str(root), fs))
    links = []
    for number in range(count):
        there = msgspec.structs.replace(entry_of(number), mtime_ns=MODIFIED_NS)
        path = there.path
        status = (root / path).stat()
        a = File(here[path], Inode(status.st_ino, status.st_ctime_ns, status.st_nlink))
        links.append(Link(None, (path, path), (a, File(there))))
    with CommonState(state / STATE_FILE) as database:
        database.remember_places(pair)
        database.record(pair, links)


def nothing(binary: Binary, count: int) -> None:
    """A sync with nothing to do."""
    with measure.workspace() as work, listing_server(count) as port:
        config, root, fs, state = work / "rclone.conf", work / "A", f"{REMOTE}:{BUCKET}", work / "state"
        write_config(config, port)
        root.mkdir()
        _sparse_library(root, count)
        _fill_state(state, binary, root, fs, count)
        there = min(measure.must_run(command).wall_s for command in plain_commands(binary, config, fs).values())
        local: list[str | Path] = [binary.path, "lsjson", "-R", "--files-only", "--no-mimetype", root]
        here = measure.must_run(local).wall_s
        command: list[str | Path] = [*measure.PROGRAM, "sync", root, fs, "--yes", "--json", "--state-dir", state]
        runs = [measure.must_run([*command, "--rclone-config", config]) for _ in range(2)]
        for usage in runs:
            summary = json.loads(usage.output.strip().splitlines()[-1])
            assert (summary["ops_planned"], summary["run"]) == (0, None), summary
        best = min(runs, key=lambda usage: usage.wall_s)
        say(f"nothing to do over {count} files: {best.wall_s:.2f} s; plain listings: disk {here:.2f} s, bucket {there:.2f} s")
        say(f"  {best.peak_root_mb:.0f} MB at peak, {best.peak_tree_mb:.0f} MB with rclone")
        measure.verdict("beyond the two listings", best.wall_s - here - there, _SLACK_S, at_least=False, unit=" s")
        measure.verdict("memory of this program", best.peak_root_mb, _MOST_MB, at_least=False, unit=" MB")


@contextlib.contextmanager
def _bucket(work: Path, *, rtt_s: float = 0) -> Iterator[tuple[RemoteServer, Path]]:
    """An empty bucket and the rclone.conf that leads to it."""
    config = work / "rclone.conf"
    with s3_moto(work) as server, contextlib.ExitStack() as stack:
        port = server.port
        if rtt_s:
            proxy = TcpProxy(port, rtt_s=rtt_s)
            stack.callback(proxy.close)
            port = proxy.port
        config.write_text(server.section(port=port))
        yield server, config


def _ours(config: Path, work: Path, transfers: int, a: Path, b: str, *more: str) -> measure.Usage:
    command: list[str | Path] = [*measure.PROGRAM, "sync", a, b, "--yes", "--json", "--state-dir", work / "state", *more]
    return measure.must_run([*command, "--transfers", str(transfers), "--rclone-config", config])


def _theirs(binary: Binary, config: Path, transfers: int, *words: str | Path) -> measure.Usage:
    return measure.must_run([binary.path, "--config", config, "--transfers", str(transfers), *words])


def upload(binary: Binary, count: int, transfers: int) -> None:
    """The first upload."""
    for line in ({"rtt_s": _RTT_S}, {"rtt_s": 0.0}):
        rate = _RATE if line["rtt_s"] else None
        with measure.workspace() as work, _bucket(work, **line) as (server, config):
            root = work / "A"
            for number in range(count):
                file = root / f"Artist {number // 60}/Album {number // 12}/{number % 12:02} Title.mp3"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(os.urandom(_MB))
            theirs = _theirs(
                binary, config, transfers, "sync", root, server.fs("theirs"), *(("--bwlimit", rate) if rate else ())
            ).wall_s
            ours = _ours(config, work, transfers, root, server.fs("ours"), *(("--bandwidth", rate) if rate else ())).wall_s
            name = f"{line['rtt_s'] * 1000:.0f} ms and {rate}/s" if rate else "loopback"
            say(f"first upload of {count} files of 1 MB, {name}: ours {ours:.1f} s, rclone sync {theirs:.1f} s")
            if rate:
                measure.verdict("rate against rclone sync", theirs / ours, 0.9, at_least=True)
            else:
                say(f"  rate against rclone sync: {theirs / ours:.2f}")


def _organize(root: Path, work: Path) -> None:
    measure.must_run([*measure.PROGRAM, "organize", root, "--yes", "--json", "--state-dir", work / "state"])


def _by_hand(root: Path, _: Path) -> None:
    """Every folder gets another parent, and every file another name."""
    for number, folder in enumerate(sorted({file.parent for file in root.rglob("*.*") if OWN_DIRECTORY not in file.parts})):
        to = root / "By hand" / f"Album {number}"
        to.mkdir(parents=True)
        for file in sorted(folder.iterdir()):
            if file.is_file():
                file.rename(to / f"renamed {file.name}")


def renames(binary: Binary, count: int, transfers: int) -> None:
    """The bytes that reach the server after renames on the disk."""
    for how, change in {"organize": _organize, "mv": _by_hand}.items():
        with measure.workspace() as work:
            sent = _sent_after(change, binary, count, transfers, work)
        say(
            f"{count} tracks renamed by {how}, bytes sent: "
            + ", ".join(f"{name} {size / _MB:.2f} MB" for name, size in sent.items())
        )
        measure.verdict(f"bytes of a sync after {how}, beside our marker", sent["ours"], _OWN_BYTES, at_least=False)


def _sent_after(change: Callable[[Path, Path], None], binary: Binary, count: int, transfers: int, work: Path) -> dict[str, int]:
    with _bucket(work) as (server, config), http_proxy(server.port) as proxy:
        config.write_text(server.section(port=proxy.port))
        root = work / "A"
        make_many(root, count, size=20_000)

        def sync(name: str, *, first: bool) -> None:
            if name == "ours":
                _ours(config, work, transfers, root, server.fs(name))
            else:
                _theirs(binary, config, transfers, *_RCLONE[name], root, server.fs(name), *_options(name, work, first=first))

        _theirs(binary, config, transfers, "touch", server.fs("rclone bisync/anchor"))
        sent = {}
        for name in ("ours", *_RCLONE):
            sync(name, first=True)
        change(root, work)
        for name in ("ours", *_RCLONE):
            proxy.reset()
            sync(name, first=False)
            sent[name] = sum(seen.body_bytes for seen in proxy.requests if seen.method == "PUT")
    return sent


_RCLONE = {"rclone sync": ("sync", "--track-renames"), "rclone bisync": ("bisync",)}


def _options(name: str, work: Path, *, first: bool) -> tuple[str | Path, ...]:
    apart: tuple[str | Path, ...] = ("--exclude", f"{OWN_DIRECTORY}/**")
    if name != "rclone bisync":
        return apart
    return (*apart, "--workdir", work / "bisync", "--resync" if first else "--force")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--uploads", type=int, default=2000)
    parser.add_argument("--tracks", type=int, default=1000)
    parser.add_argument("--transfers", type=int, default=8)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    binary = find_rclone(None)
    say(f"{measure.machine()}, rclone {binary.version}, {options.transfers} transfers at a time")
    if options.only in {None, "nothing"}:
        nothing(binary, options.files)
    if options.only in {None, "upload"}:
        upload(binary, options.uploads, options.transfers)
    if options.only in {None, "renames"}:
        renames(binary, options.tracks, options.transfers)


if __name__ == "__main__":
    main()
