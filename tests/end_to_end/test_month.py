"""A month of cron: sixty runs of a job on an emulated Google Drive and S3, and what a sysadmin hears of them.

Mails (what `run -q` prints), exit codes, messages, health checks and `status` are written down night by night. The clock of the
program moves by twelve hours from run to run; the servers keep theirs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.places import digest
from tests.processes import rclones_below
from tests.program import dated
from tests.servers import remotes
from tests.servers.calls import CallServer, call_server
from tests.servers.http import Drop, Hold, HttpProxy, Refuse, Seen, Then, http_proxy
from tests.servers.remotes import BUCKET, DriveRemote

RUNS = 60
NO_TAGS = track_bytes("mp3", Track(), seconds=0.2, serial=9999)
HALF_A_DAY = 12 * 3600
REVOKED = Refuse(
    401,
    {"Content-Type": "application/json"},
    json.dumps({"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}}).encode(),
)


def every(_: Seen) -> bool:
    return True


class Month:
    """The machine, its servers, and what was heard."""

    def __init__(self, home: Path, drive: DriveRemote, to_drive: HttpProxy, to_s3: HttpProxy, calls: CallServer) -> None:
        self.home, self.drive, self.to_drive, self.to_s3, self.calls = home, drive, to_drive, to_s3, calls
        self.inbox = home / "inbox"
        self.inbox.mkdir()
        self.number = 0
        self.contents: Counter[str] = Counter()
        self.albums = 0

    # What happens between two runs.

    def outage(self) -> None:
        """Nobody reaches S3 any more."""
        self.album()
        self.to_s3.when(every, Drop())

    def revoke(self) -> None:
        """Google takes the token back."""
        self.album()
        self.to_drive.when(every, REVOKED)

    def fill(self) -> None:
        """The Drive is full."""
        self.drive.tree.limit = self.drive.tree.used
        self.album()

    def all_is_well(self) -> None:
        """All that is mended."""
        self.to_s3.end_faults()
        self.to_drive.end_faults()
        self.drive.tree.limit = None

    def kill_at(self, line: HttpProxy) -> None:
        """The machine goes down at the second change that is sent there."""
        self.album()
        line.at(line.changing + 2, Then(self._kill))

    def _kill(self) -> None:
        for pid in [self.process.pid, *rclones_below(self.process.pid)]:
            os.kill(pid, signal.SIGKILL)

    def album(self, *, songs: int = 3) -> None:
        self.albums += 1
        for track in range(1, songs + 1):
            tags = Track(title=(f"Song {track}",), artist=("Band",), album=(f"Album {self.albums:02}",), track=track, date="2001")
            self.put(f"{self.albums}-{track}.mp3", track_bytes("mp3", tags, seconds=0.2, serial=100 * self.albums + track))

    def put(self, name: str, content: bytes) -> None:
        (self.inbox / name).write_bytes(content)
        self.contents[digest(content)] += 1

    def command(self, *words: str, state: str = "state") -> tuple[int, str, str]:
        """Run the program on the clock of this run, perhaps killed."""
        started = subprocess.Popen(
            [*dated(self.number * HALF_A_DAY), *words, "--state-dir", str(self.home / state)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "MUSIC_ORCHESTRATOR_CONFIG": str(self.home / "config.yaml"),
                "RCLONE_CONFIG": str(self.home / "rclone.conf"),
            },
        )
        if state == "state":
            self.process = started
        out, err = started.communicate(timeout=170)
        return started.returncode, out, err

    def run(self) -> Heard:
        """What cron starts."""
        self.number += 1
        code, out, err = self.command("run", "nightly", "-q")
        titles = [json.loads(body)["title"].partition(": ")[2] for method, _, body in self.calls.calls if method == "POST"]
        pings = [path for path in self.calls.paths() if path.startswith("/uuid")]
        return Heard(code, out + err, titles, pings)

    def status(self) -> tuple[int, str]:
        code, out, err = self.command("status")
        return code, out + err

    def everything(self) -> Counter[str]:
        """The contents of the inbox and the library, its quarantine and trash."""
        found = Counter(digest(path.read_bytes()) for path in self.inbox.rglob("*") if path.is_file())
        for sha in self.drive.tree.tree("music").values():
            found.update(sha)
        return found


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    with ExitStack() as stack:
        drive = stack.enter_context(remotes.drive())
        s3 = stack.enter_context(remotes.s3_moto(tmp_path / "s3"))
        to_drive, to_s3 = (stack.enter_context(http_proxy(server.port)) for server in (drive, s3))
        calls = stack.enter_context(call_server())
        (tmp_path / "rclone.conf").write_text(drive.section("gdrive", port=to_drive.port) + s3.section("s3", port=to_s3.port))
        (tmp_path / "rclone.conf").chmod(0o600)
        drive.tree.folder("music")
        made = Month(tmp_path, drive, to_drive, to_s3, calls)
        (tmp_path / "config.yaml").write_text(f"""
locations: {{inbox: {made.inbox}, library: "gdrive:music", backup: "s3:{BUCKET}/music"}}
notify: {{urls: ["json://127.0.0.1:{calls.port}/topic"], healthcheck: "{calls.url("uuid")}"}}
jobs:
  nightly:
    at: ["03:00", "15:00"]
    steps:
      - organize: {{source: inbox, target: library, move: true, dedup: quarantine}}
      - sync: {{a: library, b: backup, mode: to-cloud}}
""")
        yield made


class Heard(NamedTuple):
    """What one run of cron came to."""

    code: int
    mail: str
    titles: list[str]
    """Of the messages."""
    pings: list[str]


def silence(heard: Heard) -> None:
    """Nothing happened, or it was told before."""
    assert heard == Heard(0, "", [], ["/uuid/start", "/uuid"])


def changed(changes: int) -> Callable[[Heard], None]:
    """Music arrived: the totals, and nothing else."""

    def check(heard: Heard) -> None:
        assert (heard.code, heard.titles, heard.pings) == (0, [f"nightly done: {changes} changes"], ["/uuid/start", "/uuid"])
        [line] = heard.mail.splitlines()
        assert f"{changes} changes made" in line

    return check


def well_again(failed: int, changes: int) -> Callable[[Heard], None]:
    """It is done after so many failed runs, and has done what they could not: one message, one mail."""

    def check(heard: Heard) -> None:
        title = f"nightly is back to normal after {failed} failed runs: {changes} changes"
        assert (heard.code, heard.titles, heard.pings) == (0, [title], ["/uuid/start", "/uuid"])
        [back, line] = heard.mail.splitlines()
        assert back.startswith(f"nightly is back to normal after {failed} failed runs, since 20")
        assert f"{changes} changes made" in line

    return check


def failed(code: int, title: str, *said: str) -> Callable[[Heard], None]:
    """Something new went wrong: one message, one mail that says what and what to do."""

    def check(heard: Heard) -> None:
        assert (heard.code, heard.titles) == (code, [f"nightly {title}"])
        assert heard.pings == ["/uuid/start", "/uuid" if code == 3 else f"/uuid/{code}"]
        assert all(text in heard.mail for text in said), heard.mail
        assert heard.mail.count("error: ") == 1

    return check


def still(code: int) -> Callable[[Heard], None]:
    """It still goes wrong: the monitor sees it, and nobody gets another mail or message."""

    def check(heard: Heard) -> None:
        assert heard == Heard(code, "", [], ["/uuid/start", f"/uuid/{code}"])

    return check


def killed(heard: Heard) -> None:
    assert heard == Heard(-signal.SIGKILL, "", [], ["/uuid/start"])


def after_a_kill(changes: int) -> Callable[[Heard], None]:
    """The next run finishes what was left, and says that one was killed."""

    def check(heard: Heard) -> None:
        title = "nightly was killed before, and is done now"
        assert (heard.code, heard.titles, heard.pings) == (0, [title], ["/uuid/start", "/uuid"])
        assert f"{changes} changes made" in heard.mail
        assert heard.mail.count("was killed") == 1
        assert "error: " not in heard.mail

    return check


def two_machines(month: Month) -> None:
    """Another machine has the same job: while one works, the other one says so and changes nothing."""
    month.album()
    hold = Hold()
    month.to_drive.at(month.to_drive.changing + 2, hold)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(month.run)
        assert hold.held.wait(60)
        code, out, err = month.command("run", "nightly", "-q", state="of another machine")
        hold.release.set()
        assert (code, "another run is in progress" in out + err) == (8, True), out + err
        assert first.result().code == 0


Night = tuple[Callable[[Month], object], Callable[[Heard], None]]


def nothing(_: Month) -> None:
    pass


NIGHTS: dict[int, Night] = {
    1: (lambda month: month.album(), changed(6)),
    3: (lambda month: month.put("untagged.mp3", NO_TAGS), failed(3, "done, with problems", "untagged.mp3: no usable tags")),
    5: (lambda month: month.album(), changed(6)),
    8: (Month.outage, failed(5, "failed (5: a remote cannot be reached)", "backup cannot be reached")),
    9: (nothing, still(5)),
    10: (nothing, still(5)),
    11: (nothing, still(5)),
    12: (Month.all_is_well, well_again(4, 3)),
    20: (Month.revoke, failed(6, "failed (6: credentials refused)", "rclone config reconnect gdrive:")),
    21: (nothing, still(6)),
    22: (Month.all_is_well, well_again(2, 6)),
    30: (Month.fill, failed(7, "failed (7: a limit was reached)", "but only 0 are free")),
    31: (nothing, still(7)),
    32: (Month.all_is_well, well_again(2, 6)),
    40: (lambda month: month.kill_at(month.to_drive), killed),
    41: (nothing, after_a_kill(6)),
    44: (lambda month: month.kill_at(month.to_s3), killed),
    45: (nothing, after_a_kill(3)),
    50: (lambda month: month.album(), changed(6)),
    60: (lambda month: month.album(), changed(6)),
}


@pytest.mark.nightly
@pytest.mark.timeout(1200)
def test_what_a_sysadmin_hears_in_a_month(month: Month) -> None:
    for number in range(1, RUNS + 1):
        before, check = NIGHTS.get(number, (nothing, silence))
        before(month)
        heard = month.run()
        with (month.home / "transcript.txt").open("a") as transcript:  # to be read by a person
            transcript.write(f"run {number}: {heard.code} {heard.pings} {heard.titles}\n{heard.mail}")
        try:
            check(heard)
        except AssertionError as error:
            raise AssertionError(f"run {number}: {error}") from error
    two_machines(month)
    assert not month.contents - month.everything(), "nothing is lost"
    code, shown = month.status()
    assert code == 0
    assert "\tdone\t" in shown
