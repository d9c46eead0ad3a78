"""Only one of two changing runs proceeds; the lock of a dead process is free, that of a live one is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.guard.lock import LOCK_FILE, ProcessInfo, RunLock, boot_id, locked_directories, start_ticks, this_process
from orchestrator.errors import ExitCode, LockedError

HOLD = """
import sys
from pathlib import Path
from orchestrator.apply.guard.lock import RunLock
from orchestrator.errors import LockedError
try:
    with RunLock(Path(sys.argv[1]), command="organize"):
        print("held", flush=True)
        sys.stdin.readline()
except LockedError:
    print("locked", flush=True)
"""


def holder(state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=20)


def test_a_live_holder_is_reported_and_keeps_its_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    try:
        assert answer(process) == "held"
        with pytest.raises(LockedError) as refused:
            RunLock(tmp_path).acquire()
        assert refused.value.exit_code == ExitCode.LOCKED
        assert f"process {process.pid}" in refused.value.message
        assert "(organize)" in refused.value.message
    finally:
        end(process)
    with RunLock(tmp_path) as lock:
        assert lock.recovered is None


def test_the_lock_of_a_killed_process_is_recovered_with_a_warning(tmp_path: Path) -> None:
    process = holder(tmp_path)
    assert answer(process) == "held"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    with RunLock(tmp_path, grace_s=0) as lock:
        assert lock.recovered is not None
        assert f"process {process.pid}" in lock.recovered
    with RunLock(tmp_path) as lock:
        assert lock.recovered is None


def test_a_reused_process_id_does_not_matter(tmp_path: Path) -> None:
    """The file names a live process (this one) that never held the lock: only the kernel decides."""
    stale = ProcessInfo(os.getpid(), "host", "another boot", 1, 0.0)
    (tmp_path / LOCK_FILE).write_bytes(msgspec.json.encode(stale))
    with RunLock(tmp_path, grace_s=0) as lock:
        assert lock.recovered is not None
    assert this_process().boot_id == boot_id()
    assert start_ticks(os.getpid()) == this_process().started


def test_exactly_one_of_many_gets_the_lock(tmp_path: Path) -> None:
    processes = [holder(tmp_path) for _ in range(6)]
    answers = [answer(process) for process in processes]
    for process in processes:
        end(process)
    assert sorted(answers) == ["held", *["locked"] * 5]


def test_garbage_in_the_lock_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_bytes(b"\xff\x00 not json")
    with RunLock(tmp_path) as lock:
        assert lock.recovered is None


def test_the_lock_file_is_private(tmp_path: Path) -> None:
    with RunLock(tmp_path / "state"):
        assert (tmp_path / "state" / LOCK_FILE).stat().st_mode & 0o777 == 0o600


def test_only_one_run_at_a_time_changes_a_directory_whatever_the_state_directories(tmp_path: Path) -> None:
    music, other = tmp_path / "music", tmp_path / "other"
    for directory in (music / "in", other):
        directory.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(music)
    with locked_directories([str(music), str(music / "in")]):
        for place in (music, link, music / "in", music / "not there yet", tmp_path):
            with pytest.raises(LockedError) as refused, locked_directories([str(place)]):
                pass
            assert refused.value.exit_code == ExitCode.LOCKED
        with locked_directories([str(other)]):
            pass
    with locked_directories([str(tmp_path)]):
        pass


def test_a_directory_that_does_not_exist_yet_is_locked_too(tmp_path: Path) -> None:
    with (
        locked_directories([str(tmp_path / "new/deep")]),
        pytest.raises(LockedError),
        locked_directories([str(tmp_path / "new/deep")]),
    ):
        pass
    assert not (tmp_path / "new").exists()
