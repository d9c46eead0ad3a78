"""(f) The cost of safety: a journaled and checked plan against the same moves by bare `operations/movefile` calls.

    python -m benchmarks.safety [--files 1000] [--rounds 3] [--transfers 8]

Both sides use the same resident rclone and the same number of requests at a time. The bare calls check nothing before or
after, keep no journal, and overwrite any file at the destination. Ours include the journal, the protection of files at the
destination, every check, and the listing after the run. Rounds alternate, and the best of each side counts. The servers run
on this machine too, and slow down both sides.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from benchmarks import measure
from benchmarks.measure import say
from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.settings import Settings
from orchestrator.errors import NotFoundError, RateLimitError, TransientError
from orchestrator.plan.model import Expect, Header, Operation, Plan, Verb, operation_id
from orchestrator.rclone.binary import Binary, find_rclone
from orchestrator.rclone.rc_bodies import transfer
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.servers.http import Seen, http_proxy
from tests.servers.remotes import RemoteServer, s3_serve, webdav

WANTED = {"local": 0.6, "webdav": 0.5, "s3": 0.5}
"""The least share of the bare calls' rate that ours must reach."""
_MOST_REQUESTS = 8
_SIZE = 4096
_TRIES = 3
_SERVER_ERROR = 500
_LISTING, _OF_THE_RUN = "listing", "marker"


def _names(count: int) -> list[tuple[str, str]]:
    return [
        (f"Inbox/rip {n // 12}/{n % 12:02}.mp3", f"Artist {n // 60}/Album {n // 12}/{n % 12:02} Title.mp3") for n in range(count)
    ]


def _fill(directory: Path, count: int) -> None:
    for number, (name, _) in enumerate(_names(count)):
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(number.to_bytes(4, "big") * (_SIZE // 4))


@contextlib.contextmanager
def _library_on(kind: str, binary: Binary, work: Path) -> Iterator[tuple[Path, str, RemoteServer | None]]:
    """A library's directory, its location, and its server (None for the local disk)."""
    if kind == "local":
        directory = work / "library"
        directory.mkdir(parents=True)
        yield directory, str(directory), None
        return
    serve = s3_serve if kind == "s3" else webdav
    with serve(binary.path, work / "server") as server:
        assert server.directory is not None
        yield server.directory, server.fs(), server


def _bare(rclone: Rclone, fs: str, count: int, transfers: int) -> float:
    # By itself rclone retries passing faults; our daemon is started so that it leaves retries to us.
    again = Retrying(
        retry=retry_if_exception_type((TransientError, RateLimitError)), stop=stop_after_attempt(_TRIES), reraise=True
    )

    def move(names: tuple[str, str]) -> None:
        body = transfer(fs, names[0], fs, names[1], trash=None)
        body.pop("_config")
        with contextlib.suppress(
            NotFoundError
        ):  # moved, but rclone's WebDAV server did not find it at once: directories were made meanwhile
            again(rclone.client.call, "operations/movefile", body)

    started = time.perf_counter()
    with ThreadPoolExecutor(transfers) as pool:
        for _ in pool.map(move, _names(count)):
            pass
    return time.perf_counter() - started


def _plan(storage: RcloneStorage, count: int) -> Plan:
    listed: dict[str, Entry] = {entry.path: entry for entry in storage.list()}
    operations = []
    for src, dst in _names(count):
        entry, source, target = listed[src], Ref(storage.fs, src), Ref(storage.fs, dst)
        operations.append(
            Operation(
                id=operation_id(Verb.MOVE, source, target),
                verb=Verb.MOVE,
                src=source,
                dst=target,
                size=entry.size,
                expect=Expect(entry.hashes, entry.mtime_ns),
                reason="benchmark",
                group="",
                depends=(),
            )
        )
    header = Header(
        tool_version="0",
        created="2026-01-01T00:00:00Z",
        source=storage.fs,
        target=storage.fs,
        locations=(storage.fs,),
        options={},
        config_sha256="",
        capabilities={},
        counts={"files": count},
        estimate={},
    )
    return Plan(header, tuple(operations))


def _safe(rclone: Rclone, fs: str, count: int, transfers: int) -> float:
    storage = RcloneStorage(rclone, fs)
    plan = _plan(storage, count)
    with measure.workspace() as state, Journal(state / "journal.sqlite3") as journal:
        started = time.perf_counter()
        result = apply_plan(plan, {fs: storage}, journal, settings=Settings(transfers=transfers, fresh=True, marker=True))
        seconds = time.perf_counter() - started
    if result.done != count:
        raise SystemExit(f"{result.done} of {count} moved: {result.problems[:3]}")
    return seconds


def _seconds(side: str, kind: str, binary: Binary, count: int, transfers: int, *, counter: Counter[str] | None = None) -> float:
    """How long one side takes for a new library. `counter` counts the requests that reach the server, by method."""
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(measure.workspace())
        directory, fs, server = stack.enter_context(_library_on(kind, binary, work))
        _fill(directory, count)
        proxy = stack.enter_context(http_proxy(server.port)) if server is not None and counter is not None else None
        config = work / "rclone.conf"
        config.write_text(server.section(port=proxy.port if proxy else None) if server is not None else "")
        rclone = stack.enter_context(Rclone(binary, config=config, transfers=transfers))
        rclone.client.call("core/version")
        seconds = (_bare if side == "bare" else _safe)(rclone, fs, count, transfers)
        if proxy is not None and counter is not None:
            # If the server fails (5xx, here about one copy in a hundred), rclone itself repeats the request, on both sides.
            counter.update(_kind(seen) for seen in proxy.requests if seen.status is None or seen.status < _SERVER_ERROR)
    return seconds


def _kind(seen: Seen) -> str:
    """The method of a request. Listings and the run's marker are separate kinds: their number does not grow with the files."""
    if "list-type" in seen.path:
        return _LISTING
    return _OF_THE_RUN if OWN_DIRECTORY in seen.path else seen.method


def _compare(kind: str, binary: Binary, count: int, rounds: int, transfers: int) -> None:
    best = dict.fromkeys(("bare", "safe"), float("inf"))
    for _ in range(rounds):
        for side in best:
            best[side] = min(best[side], _seconds(side, kind, binary, count, transfers))
    say(f"{kind}: bare {count / best['bare']:.0f} moves/s, journaled and checked {count / best['safe']:.0f} moves/s")
    measure.verdict(f"rate on {kind} against bare moves", best["bare"] / best["safe"], WANTED[kind], at_least=True)
    if kind == "local":
        return
    asked = {side: Counter[str]() for side in best}
    for side, counter in asked.items():
        _seconds(side, kind, binary, count, transfers, counter=counter)
        each = ", ".join(f"{number / count:.2f} {method}" for method, number in counter.most_common())
        say(f"  {side}, requests a file at the server: {each}")
    if kind == "s3":
        del asked["safe"][_LISTING], asked["safe"][_OF_THE_RUN]
        measure.verdict(
            "requests a file on S3 without listings and marker", asked["safe"].total() / count, _MOST_REQUESTS, at_least=False
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each side")
    parser.add_argument("--transfers", type=int, default=8, help="requests at a time, on both sides")
    parser.add_argument("--only", choices=tuple(WANTED), help="only this kind of location")
    options = parser.parse_args()
    binary = find_rclone(None)
    say(f"{measure.machine()}, rclone {binary.version}, {options.files} files, {options.transfers} at a time")
    for kind in WANTED:
        if options.only in {None, kind}:
            _compare(kind, binary, options.files, options.rounds, options.transfers)


if __name__ == "__main__":
    main()
