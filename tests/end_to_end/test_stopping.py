"""A stop over a slow line: no new file starts, those in flight are named and finish, or are cut; `resume` does the rest."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.audio import make_many
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import Place
from tests.program import COMMAND, Ended
from tests.servers.remotes import RemoteServer
from tests.servers.tcp import tcp_proxy

FILES = 12
SIZE = 400_000
TRANSFERS = 4
SECOND_S = 2.5
"""A second signal ends the program within this time, on a busy machine too."""


class Upload:
    """An upload of FILES files over a line of so many bytes a second, and the signals that it gets."""

    def __init__(self, request: pytest.FixtureRequest, kind: str, forks: Forks, tmp_path: Path) -> None:
        self.server: RemoteServer = request.getfixturevalue(kind)
        assert self.server.directory is not None
        make_many(tmp_path / "music", FILES, size=SIZE)
        self.music = Place("", tmp_path / "music").tree()
        self.there = Place("", self.server.directory / tmp_path.name)
        self.forks = forks
        self.home = tmp_path
        self.config = tmp_path / "rclone.conf"
        self.settings: dict[str, Any] = {"state": tmp_path / "state", "environment": {"RCLONE_CONFIG": str(self.config)}}

    def stopped(self, *rests_s: float, rate: str) -> tuple[Ended, float]:
        """Send a SIGTERM once uploads are under way, and another after each rest. How it ended, and how long after the last."""
        begun = threading.Event()
        with tcp_proxy(self.server.port) as line:
            self.config.write_text(self.server.section("remote", port=line.port))
            self.config.chmod(0o600)
            line.call_after(SIZE // 2, begun.set)
            target = self.server.fs(self.home.name, name="remote")
            started = self.forks.start(
                *("organize", str(self.home / "music"), target, "--move", "--bandwidth", rate, "--transfers", str(TRANSFERS)),
                **self.settings,
            )
            assert begun.wait(60)
            os.kill(started.pid, signal.SIGTERM)
            for rest_s in rests_s:
                time.sleep(rest_s)  # the time between two signals is what is tested
                os.kill(started.pid, signal.SIGTERM)
            last = time.monotonic()
            ended = started.end()
            took_s = time.monotonic() - last
            assert ended.code == 130, ended.stderr
            assert [error["code"] for error in ended.errors] == ["interrupted"], ended.errors
            return ended, took_s

    def resume(self) -> None:
        """Every content is at one of the two ends; `resume` ends with 0, and then all are at the target."""
        self.config.write_text(self.server.section("remote"))
        both = {*self.there.tree().values(), *Place("", self.home / "music").tree().values()}
        assert set(self.music.values()) <= both
        self.forks.run("resume", **self.settings)
        assert sorted(self.there.tree().values()) == sorted(self.music.values())


@pytest.mark.parametrize("kind", ["s3_serve", "webdav", "sftp"] if NIGHTLY else ["webdav"])
def test_files_in_flight_finish_and_no_other_starts(
    kind: str, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 36."""
    upload = Upload(request, kind, forks, tmp_path)
    ended, took_s = upload.stopped(rate="500k")
    said = [event for event in ended.events if event["type"] == "warning"]
    first = re.fullmatch(r"finishing (\d) transfers?, [\d.]+ [KM]iB left; Ctrl-C again to stop now", said[0]["message"])
    assert first
    named = {event["path"] for event in said[1:]}
    assert len(named) == int(first[1]) <= TRANSFERS
    assert named <= upload.music.keys()
    # Some may have ended just before the signal. On WebDAV one may meet the lock of its new folder (423): `resume` names it.
    assert len(named) - (kind == "webdav") <= ended.summary["ops_done"] < FILES
    assert took_s < 10
    assert re.search(r"`music-orchestrator resume \S+` does the rest; `runs abandon", ended.errors[0]["message"])
    upload.resume()


@pytest.mark.parametrize("kind", ["s3_serve", "webdav", "sftp"] if NIGHTLY else ["s3_serve"])
def test_a_second_signal_cuts_at_once(kind: str, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path) -> None:
    """Fault case 36."""
    upload = Upload(request, kind, forks, tmp_path)
    ended, took_s = upload.stopped(0.3, rate="100k")
    assert ended.summary["ops_done"] == 0
    assert took_s < SECOND_S
    upload.resume()


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["s3_serve", "sftp"])
def test_files_in_flight_are_cut_after_ten_seconds(
    kind: str, request: pytest.FixtureRequest, forks: Forks, tmp_path: Path
) -> None:
    """Fault case 36."""
    upload = Upload(request, kind, forks, tmp_path)
    ended, took_s = upload.stopped(rate="50k")
    assert ended.summary["ops_done"] == 0
    assert 10 <= took_s < 13
    upload.resume()


@pytest.mark.parametrize("module", ["click.types", "orchestrator.cli.framework", "orchestrator.actions.session"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_program_loads_ends_it_with_130(module: str, number: signal.Signals, tmp_path: Path) -> None:
    """Without a traceback, from our first line on: Python's own start is not ours."""
    (tmp_path / "music").mkdir()
    process = subprocess.Popen(
        [
            COMMAND[0],
            "-X",
            "importtime",
            *COMMAND[1:],
            "organize",
            str(tmp_path / "music"),
            "--state-dir",
            str(tmp_path / "state"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = [next(line for line in process.stderr if line.rstrip().endswith(module))]
    process.send_signal(number)
    _, rest = process.communicate(timeout=30)
    assert "Traceback" not in "".join([*said, rest])
    assert process.returncode == 130


def test_ctrl_c_at_the_question_changes_nothing_and_says_so(tmp_path: Path) -> None:
    make_many(tmp_path / "music", 3)
    before = Place("", tmp_path / "music").tree()
    ours, theirs = os.openpty()
    words = (*COMMAND, "organize", str(tmp_path / "music"), "--state-dir", str(tmp_path / "state"))
    # A session of its own, with this terminal: its kernel makes a SIGINT of a ^C.
    process = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one thread, and nothing but this call
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while block := os.read(ours, 4096):
            shown += block
            if b"[y" in shown and b"\x03" not in shown:
                os.write(ours, b"\x03")
                shown += b"\x03"
    os.close(ours)
    assert process.wait(30) == 130
    assert "interrupted; nothing was changed" in shown.decode()
    assert Place("", tmp_path / "music").tree() == before
