"""A run on real storages, with a real rclone, killed with SIGKILL; then `resume`."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from orchestrator.errors import ExitCode
from orchestrator.plan.model import Plan, Verb
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.protocol import Storage
from tests.apply.killed_apply import Request
from tests.apply.plans import depending, move, operation, plan, run, run_again, through_temporary_name
from tests.nightly import NIGHTLY, some_at_night

ROOT = Path(__file__).parents[2]
KINDS = some_at_night(("local", "s3_moto", "webdav", "sftp"), night={"local", "sftp", "s3_moto"})
KILLS: list[tuple[int, float | None]] = [(1, 0.0), (2, None), (4, 0.002)]
if NIGHTLY:
    KILLS += [(3, 0.008), (4, None)]


def scene(storage: Storage, other: Storage) -> Plan:
    for name in "abcdefgh":
        storage.write(f"in/{name}.mp3", f"content of {name}".encode() * 2000)
    other.write("new/z.mp3", b"content of z")
    a1, a2 = through_temporary_name(storage, "in/a.mp3", "in/b.mp3")
    b = move(storage, "in/b.mp3", "in/a.mp3", depends=[a1])
    return plan(
        a1,
        b,
        depending(a2, a1, b),
        *[move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "cd"],
        operation(Verb.QUARANTINE, storage, "in/e.mp3", storage, "in/e.mp3"),
        operation(Verb.MOVE, storage, "in/f.mp3", other, "new/f.mp3"),
        operation(Verb.COPY, storage, "in/g.mp3", other, "new/g.mp3"),
        operation(Verb.MOVE, other, "new/z.mp3", storage, "out/z.mp3"),
        move(storage, "in/h.mp3", "out/h.mp3"),
        source=storage.fs,
    )


def tree(*storages: Storage) -> list[dict[str, bytes]]:
    """All files; in the quarantine without the id of the run."""
    found: list[dict[str, bytes]] = []
    for storage in storages:
        files = {entry.path: b"".join(storage.read(entry.path)) for entry in storage.list()}
        kept = f"{OWN_DIRECTORY}/quarantine"
        if any(run_directory(storage, kept)):
            files |= {
                "quarantine/" + path.split("/", 3)[3]: b"".join(storage.read(path)) for path in run_directory(storage, kept)
            }
        found.append(files)
    return found


def run_directory(storage: Storage, prefix: str) -> list[str]:
    from orchestrator.errors import NotFoundError  # noqa: PLC0415

    try:
        return [entry.path for entry in storage.list(prefix)]
    except NotFoundError:
        return []


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_is_finished_by_resume(
    kind: str, open_storage: Callable[[str], Storage], rclone_config: Path, tmp_path: Path
) -> None:
    storage, other = open_storage(kind), open_storage("local")
    done = run(scene(storage, other), tmp_path / "unkilled", storage, other)
    assert done.exit_code == ExitCode.DONE, done.problems
    expected = tree(storage, other)
    for index, (batch, delay_s) in enumerate(KILLS):
        storage, other = open_storage(kind), open_storage("local")
        made = scene(storage, other)
        journal = tmp_path / f"journal{index}"
        request = Request(made, str(journal), str(rclone_config), batch, delay_s)
        (tmp_path / "request").write_bytes(msgspec.json.encode(request))
        ended = subprocess.run(
            [sys.executable, "-m", "tests.apply.killed_apply", str(tmp_path / "request")], cwd=ROOT, timeout=60, check=False
        )
        assert ended.returncode == -signal.SIGKILL
        result = run_again(journal, storage, other)
        assert result.exit_code == ExitCode.DONE, (batch, delay_s, result.problems)
        assert tree(storage, other) == expected, (batch, delay_s)
