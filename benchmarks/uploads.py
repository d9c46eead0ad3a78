"""(i) Uploads that replace nothing: copies that are staged, verified and then named, against bare `operations/copyfile` calls.

    python -m benchmarks.uploads [--files 400] [--rounds 3] [--transfers 8] [--only webdav]

All sides copy from a disk, with the same resident rclone and the same number of requests at a time. The bare calls check nothing
before or after, keep no journal, and overwrite any file at the destination. "unstaged" is our plan with copies straight to their
final names: the difference to "ours" is what it costs that a copy has no final name before it was verified, and that it replaces
nothing. Rounds alternate, and the best of each side counts. The servers run on this machine too, and slow down all sides.
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
from orchestrator.errors import CorruptTransferError, RateLimitError, TransientError
from orchestrator.paths import parent_of
from orchestrator.plan.model import Expect, Header, Operation, Plan, Verb, operation_id
from orchestrator.rclone.binary import Binary, find_rclone
from orchestrator.rclone.rc_bodies import transfer
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import Ref
from orchestrator.storage.protocol import Naming, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.servers.http import http_proxy
from tests.servers.remotes import RemoteServer, s3_moto, sftp, webdav

WANTED = {"local": 0.7, "webdav": 0.5, "sftp": 0.5, "s3": 0.9}
"""The least share of the unstaged rate that ours must reach."""
_TRIES = 5
_WITH_REQUESTS = ("webdav", "s3")
_SIZE = 64 * 1024
_SIDES = ("bare", "unstaged", "ours")


class _Unstaged(ForwardingStorage):
    def naming(self) -> Naming:
        return Naming.REPLACES


def _names(count: int) -> list[str]:
    return [f"Artist {n // 60}/Album {n // 12}/{n % 12:02} Title.mp3" for n in range(count)]


def _fill(directory: Path, count: int) -> None:
    for number, name in enumerate(_names(count)):
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(number.to_bytes(4, "big") * (_SIZE // 4))


@contextlib.contextmanager
def _target(kind: str, binary: Binary, work: Path) -> Iterator[tuple[str, RemoteServer | None]]:
    """A location to copy to, and its server (None for the local disk)."""
    if kind == "local":
        yield str(work / "target"), None
        return
    serving = s3_moto(work) if kind == "s3" else {"webdav": webdav, "sftp": sftp}[kind](binary.path, work / "server")
    with serving as server:
        yield server.fs("target"), server


def _bare(rclone: Rclone, source: str, target: str, count: int, transfers: int) -> None:
    # By itself rclone retries passing faults; our daemon is started so that it leaves retries to us.
    again = Retrying(
        retry=retry_if_exception_type((TransientError, CorruptTransferError, RateLimitError)),
        stop=stop_after_attempt(_TRIES),
        reraise=True,
    )

    def copy(name: str) -> None:
        body = transfer(source, name, target, name, trash=None)
        body.pop("_config")
        again(rclone.client.call, "operations/copyfile", body)

    with ThreadPoolExecutor(transfers) as pool:
        for _ in pool.map(copy, _names(count)):
            pass


def _plan(source: Storage, target: Storage) -> Plan:
    operations = []
    for entry in sorted(source.list(), key=lambda entry: entry.path):
        src, dst = Ref(source.fs, entry.path), Ref(target.fs, entry.path)
        expect = Expect(entry.hashes, entry.mtime_ns)
        identity = operation_id(Verb.COPY, src, dst)
        operations.append(Operation(identity, Verb.COPY, src, dst, entry.size, expect, reason="benchmark", group=""))
    header = Header(
        tool_version="0",
        created="2026-01-01T00:00:00Z",
        source=source.fs,
        target=target.fs,
        locations=(source.fs, target.fs),
        options={},
        config_sha256="",
        capabilities={},
        counts={"files": len(operations)},
        estimate={},
    )
    return Plan(header, tuple(operations))


def _seconds(side: str, kind: str, binary: Binary, count: int, transfers: int, *, counter: Counter[str] | None = None) -> float:
    """How long one side takes. `counter` counts the requests that reach the server, by method."""
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(measure.workspace())
        _fill(work / "source", count)
        target, server = stack.enter_context(_target(kind, binary, work))
        proxy = stack.enter_context(http_proxy(server.port)) if server is not None and counter is not None else None
        config = work / "rclone.conf"
        config.write_text(server.section(port=proxy.port if proxy else None) if server is not None else "")
        rclone = stack.enter_context(Rclone(binary, config=config, transfers=transfers))
        rclone.client.call("core/version")
        storages: list[Storage] = [RcloneStorage(rclone, str(work / "source")), RcloneStorage(rclone, target)]
        if side == "unstaged":
            storages[1] = _Unstaged(storages[1])
        plan = _plan(*storages)
        for directory in sorted({parent_of(name) for name in _names(count)}):
            storages[1].make_directory(
                directory
            )  # `rclone serve webdav` fails when two uploads make one directory at the same time
        journal = stack.enter_context(Journal(work / "journal.sqlite3"))
        started = time.perf_counter()
        if side == "bare":
            _bare(rclone, str(work / "source"), target, count, transfers)
        else:
            settings = Settings(transfers=transfers, fresh=True, marker=True)
            result = apply_plan(plan, {storage.fs: storage for storage in storages}, journal, settings=settings)
            if result.done != count:
                raise SystemExit(f"{result.done} of {count} copied: {result.problems[:3]}")
        seconds = time.perf_counter() - started
        if proxy is not None and counter is not None:
            counter.update(seen.method for seen in proxy.requests)
    return seconds


def _compare(kind: str, binary: Binary, count: int, rounds: int, transfers: int) -> None:
    best = dict.fromkeys(_SIDES, float("inf"))
    for _ in range(rounds):
        for side in best:
            best[side] = min(best[side], _seconds(side, kind, binary, count, transfers))
    say(f"{kind}: " + ", ".join(f"{side} {count / seconds:.0f} files/s" for side, seconds in best.items()))
    say(f"  rate of ours against bare: {best['bare'] / best['ours']:.2f}")
    measure.verdict(f"rate on {kind} against unstaged copies", best["unstaged"] / best["ours"], WANTED[kind], at_least=True)
    for side in _SIDES if kind in _WITH_REQUESTS else ():
        counter = Counter[str]()
        _seconds(side, kind, binary, count, transfers, counter=counter)
        each = ", ".join(f"{number / count:.2f} {method}" for method, number in counter.most_common())
        say(f"  {side}, requests a file at the server: {counter.total() / count:.2f} ({each})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each side")
    parser.add_argument("--transfers", type=int, default=8, help="requests at a time, on all sides")
    parser.add_argument("--only", choices=tuple(WANTED), help="only this kind of target")
    options = parser.parse_args()
    binary = find_rclone(None)
    say(f"{measure.machine()}, rclone {binary.version}, {options.files} files, {options.transfers} at a time")
    for kind in WANTED:
        if options.only in {None, kind}:
            _compare(kind, binary, options.files, options.rounds, options.transfers)


if __name__ == "__main__":
    main()
