"""rclone dies with the program, the program survives rclone, and no other process sees what they exchange."""

from __future__ import annotations

import logging
import os
import resource
import select
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestrator.errors import TransientError, UsageError
from orchestrator.rclone import daemon, rc_bodies
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.listing import ListRequest
from orchestrator.rclone.rc_client import RcClient
from orchestrator.rclone.runtime import Rclone
from orchestrator.rclone.secret_command import printed_by
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, DeleteCall, StatCall
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.servers.http import Hold, HttpProxy, http_proxy
from tests.servers.remotes import RemoteServer

REPOSITORY = Path(__file__).parents[2]


def ends_within(pid: int, seconds: float) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def program(found_rclone: Binary) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], int]]]:
    """Runs Python code, with `rclone` an Rclone, in its own process; returns the process and the number that it prints."""
    running: list[subprocess.Popen[str]] = []

    def start(code: str) -> tuple[subprocess.Popen[str], int]:
        head = f"""
            import os, sys, threading
            from pathlib import Path
            from orchestrator.rclone.binary import Binary
            from orchestrator.rclone.listing import ListRequest
            from orchestrator.rclone.runtime import Rclone
            rclone = Rclone(Binary(Path({str(found_rclone.path)!r}), {found_rclone.version!r}))
        """
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=REPOSITORY,
                start_new_session=True,
            )
        )
        assert running[-1].stdout is not None
        return running[-1], int(running[-1].stdout.readline())

    yield start
    for process in running:
        process.kill()
        process.communicate()


DAEMON = """
    print(rclone.client.call("core/pid")["pid"], flush=True)
    sys.stdin.read()
"""


def test_the_daemon_ends_when_the_program_is_killed(program: Callable[[str], tuple[subprocess.Popen[str], int]]) -> None:
    process, rclone = program(DAEMON)
    process.kill()
    assert ends_within(rclone, 2)


def test_the_daemon_ends_when_its_supervisor_is_killed(program: Callable[[str], tuple[subprocess.Popen[str], int]]) -> None:
    _, rclone = program(DAEMON)
    os.kill(parent_of(rclone), signal.SIGKILL)
    assert ends_within(rclone, 2)


def test_a_daemon_that_ignores_sigterm_ends_too(program: Callable[[str], tuple[subprocess.Popen[str], int]]) -> None:
    process, rclone = program(DAEMON)
    os.kill(rclone, signal.SIGSTOP)  # a stopped process does not handle SIGTERM
    process.kill()
    assert ends_within(rclone, 2)


@pytest.mark.parametrize("killed", ["program", "watcher"])
def test_a_listing_ends_with_the_program(
    program: Callable[[str], tuple[subprocess.Popen[str], int]], tmp_path: Path, killed: str
) -> None:
    endless = tmp_path / "rclone"
    endless.write_text('#!/bin/sh\necho "["; echo "{\\"Path\\":\\"$$\\",\\"Size\\":1},"; exec sleep 1000\n')
    endless.chmod(0o700)
    process, lister = program(
        f"""
        rclone = Rclone(Binary(Path({str(endless)!r}), ""))
        entries = rclone.list(ListRequest(fs="/"))
        print(next(entries).path, flush=True)
        sys.stdin.read()
        """
    )
    os.kill(process.pid if killed == "program" else parent_of(lister), signal.SIGKILL)
    assert ends_within(lister, 2)


def test_interrupt_from_the_terminal_does_not_reach_rclone(program: Callable[[str], tuple[subprocess.Popen[str], int]]) -> None:
    process, rclone = program(
        """
        import signal
        caught = threading.Event()
        signal.signal(signal.SIGINT, lambda *_: caught.set())
        print(rclone.client.call("core/pid")["pid"], flush=True)
        caught.wait()
        print(rclone.client.call("core/pid")["pid"], flush=True)
        rclone.close()
        """
    )
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout is not None
    assert int(process.stdout.readline()) == rclone
    assert ends_within(rclone, 2)


def test_rclone_starts_from_a_program_with_more_than_a_thousand_open_files(found_rclone: Binary, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    (tmp_path / "a.mp3").write_bytes(b"a")
    (tmp_path / "rclone.conf").write_text("[linked]\ntype = local\n")
    try:
        with ExitStack() as stack:
            while stack.enter_context(Path(os.devnull).open()).fileno() < 1024:
                pass
            printing = [sys.executable, "-c", "import time; time.sleep(0.1); print('secret')"]
            assert printed_by(printing) == b"secret\n"
            with Rclone(found_rclone, config=tmp_path / "rclone.conf", follow_links=["linked"]) as rclone:
                assert {entry.path for entry in RcloneStorage(rclone, str(tmp_path)).list()} == {"a.mp3", "rclone.conf"}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_close_leaves_nothing_behind(found_rclone: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Rclone(found_rclone) as rclone:
        pid = rclone.client.call("core/pid")["pid"]
        (directory,) = tmp_path.iterdir()
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert len(os.fsencode(directory / "rc")) < 100
        descriptor = os.pidfd_open(pid)
    try:
        assert select.select([descriptor], [], [], 0)[0]
    finally:
        os.close(descriptor)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TransientError):
        rclone.client.call("rc/noop")


def test_nothing_starts_before_it_is_needed(found_rclone: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Rclone(found_rclone) as rclone:
        RcloneStorage(rclone, "/srv")
        assert list(tmp_path.iterdir()) == []


def test_a_long_runtime_directory_is_not_used(found_rclone: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    with Rclone(found_rclone) as rclone:
        rclone.client.call("rc/noop")
        assert list(deep.iterdir()) == []


def test_an_rclone_that_is_too_old_is_not_used(found_rclone: Binary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "FLOOR", (99, 0, 0))  # as if a script started another one than it did when it was asked
    with Rclone(found_rclone) as rclone, pytest.raises(UsageError, match=f"rclone {found_rclone.version} is too old"):
        rclone.client.call("rc/noop")


def test_killed_rclone_is_replaced(found_rclone: Binary, tmp_path: Path) -> None:
    with Rclone(found_rclone) as rclone:
        first = rclone.client.call("core/pid")["pid"]
        os.kill(first, signal.SIGKILL)
        assert call_until_answered(rclone) != first


def test_the_run_gives_up_when_rclone_keeps_dying(found_rclone: Binary) -> None:
    with Rclone(found_rclone) as rclone:
        for _ in range(6):
            os.kill(call_until_answered(rclone), signal.SIGKILL)
        with pytest.raises(TransientError, match="died"):
            call_until_answered(rclone)


def call_until_answered(rclone: Rclone) -> int:
    """The process id. The call that finds the process dead may fail, the next must not."""
    try:
        return int(rclone.client.call("core/pid")["pid"])
    except TransientError:
        return int(rclone.client.call("core/pid")["pid"])


@pytest.fixture
def held(found_rclone: Binary, s3_serve: RemoteServer) -> Iterator[tuple[RcloneStorage, HttpProxy]]:
    """A storage with two files behind a proxy, and its own rclone."""
    with http_proxy(s3_serve.port) as proxy, Rclone(found_rclone) as rclone:
        rclone.define_remote("held", "s3", s3_serve.options_at(proxy.port))
        storage = RcloneStorage(rclone, s3_serve.fs("held", name="held"))
        for name in "ab":
            storage.write(name, b"1")
        yield storage, proxy


def kill_in_mid_call(
    storage: RcloneStorage, proxy: HttpProxy, method: str, calls: Sequence[Call]
) -> Sequence[CallResult] | TransientError:
    """The result of a batch whose rclone is killed while the server holds its first request of that method."""
    hold = Hold()
    proxy.when(lambda seen: seen.method == method, hold, times=1)
    pid = storage.rclone.client.call("core/pid")["pid"]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(storage.batch, calls)
        assert hold.held.wait(30)
        os.kill(pid, signal.SIGKILL)
        try:
            return running.result(30)
        except TransientError as error:
            return error
        finally:
            hold.release.set()


def test_a_change_fails_when_rclone_is_killed(held: tuple[RcloneStorage, HttpProxy]) -> None:
    storage, proxy = held
    assert isinstance(kill_in_mid_call(storage, proxy, "DELETE", [DeleteCall("a"), DeleteCall("none")]), TransientError)
    assert isinstance(kill_in_mid_call(storage, proxy, "DELETE", [DeleteCall("b")]), TransientError)
    storage.exists("a")  # the next call is answered


def test_a_stat_is_repeated_with_the_next_rclone(held: tuple[RcloneStorage, HttpProxy]) -> None:
    storage, proxy = held
    outcomes = kill_in_mid_call(storage, proxy, "HEAD", [StatCall("a"), StatCall("b")])
    assert not isinstance(outcomes, TransientError)
    assert [entry.path for entry in outcomes if isinstance(entry, Entry)] == ["a", "b"]


def test_a_silent_server_times_out(held: tuple[RcloneStorage, HttpProxy]) -> None:
    storage, proxy = held
    endpoint = storage.rclone.client._endpoint
    hold = Hold()
    proxy.when(lambda seen: seen.method == "HEAD", hold)
    client = RcClient(endpoint, timeout_s=0.2)
    look = rc_bodies.stat(storage.fs, "a", mtime=False, hashes=())
    with pytest.raises(TransientError, match="no answer"):
        client.call("operations/stat", look)
    with pytest.raises(TransientError, match="no answer"):
        client.get_range(storage.fs, "a", 0, 1)
    hold.release.set()
    client.close()


def test_argv_holds_no_path_and_no_secret(found_rclone: Binary, tmp_path: Path) -> None:
    secret, bandwidth = "TOPSECRET", "17M"
    with Rclone(found_rclone, config=tmp_path / "my.conf", bandwidth=bandwidth) as rclone:
        rclone.define_remote("mine", "s3", {"provider": "Other", "secret_access_key": secret})
        pid = rclone.client.call("core/pid")["pid"]
        for process in (pid, parent_of(pid)):
            line = Path(f"/proc/{process}/cmdline").read_text()
            assert secret not in line
            assert str(tmp_path) not in line
        assert rclone.client.call("core/bwlimit")["rate"] == "17Mi"


@pytest.mark.parametrize(("rate", "up", "down"), [("2M", 2 << 20, 2 << 20), ("1M:100k", 1 << 20, 100 << 10)])
def test_bandwidth_limits_uploads_and_downloads(found_rclone: Binary, rate: str, up: int, down: int) -> None:
    with Rclone(found_rclone, bandwidth=rate) as rclone:
        limits = rclone.client.call("core/bwlimit")
    assert (limits["bytesPerSecondTx"], limits["bytesPerSecondRx"]) == (up, down)


def test_refusals_are_logged_as_answers_and_without_secrets(found_rclone: Binary, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Rclone(found_rclone) as rclone, pytest.raises(UsageError):
        rclone.client.call("operations/fsinfo", {"fs": "nope,secret_key=TOPSECRET:x"})
    (answer,) = (record for record in caplog.records if "operations/fsinfo" in record.getMessage())
    assert (answer.levelno, abs(answer.created - time.time()) < 60) == (logging.DEBUG, True)
    assert "TOPSECRET" not in caplog.text


def test_unusable_settings_are_reported(found_rclone: Binary, tmp_path: Path) -> None:
    with Rclone(found_rclone, bandwidth="a lot") as rclone, pytest.raises(UsageError, match="bandwidth"):
        rclone.client.call("rc/noop")
    broken = tmp_path / "broken.conf"
    broken.write_text("[[[ not a config\n")
    with Rclone(found_rclone, config=broken) as rclone, pytest.raises(UsageError, match=r"broken\.conf"):
        rclone.remotes()


def test_inherited_settings_change_nothing(found_rclone: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RCLONE_DRY_RUN", "RCLONE_RC_NO_AUTH", "RCLONE_IGNORE_EXISTING"):
        monkeypatch.setenv(name, "true")
    (tmp_path / "a").write_bytes(b"1")
    with Rclone(found_rclone) as rclone:
        RcloneStorage(rclone, str(tmp_path)).move("a", "b")
    assert (tmp_path / "b").exists()


def test_remotes_are_listed_without_secrets(found_rclone: Binary, tmp_path: Path) -> None:
    config = tmp_path / "rclone.conf"
    config.write_text("[My Drive]\ntype = webdav\npass = TOPSECRET\nurl = http://127.0.0.1:1\n")
    with Rclone(found_rclone, config=config) as rclone:
        assert rclone.remotes() == {"My Drive": "webdav"}
        rclone.define_remote("Cloud-1", "s3", {"secret_access_key": "TOPSECRET"})
        assert rclone.remotes() == {"My Drive": "webdav", "Cloud-1": "s3"}
        assert rclone.remote_type("Cloud-1:bucket") == "s3"
        assert rclone.remote_type("nope:") == "unknown"
        with pytest.raises(UsageError, match="no remote"):
            RcloneStorage(rclone, "nope:x").capabilities.move  # noqa: B018 the question is the test


def test_a_wrong_binary_is_an_error_not_a_hang(tmp_path: Path) -> None:
    for text in ("exit 3", "echo hello"):
        script = tmp_path / "rclone"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o700)
        with Rclone(Binary(script, "")) as rclone:
            with pytest.raises(TransientError, match="did not start"):
                rclone.client.call("rc/noop")
            with pytest.raises(TransientError):
                list(rclone.list(ListRequest(fs="/")))
