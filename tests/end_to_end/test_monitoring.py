"""How a job is monitored: `status`, messages, health checks, the file for Prometheus; and if a server does not answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.actions import config_file
from orchestrator.apply.guard.lock import RunLock
from orchestrator.cli.main import run
from orchestrator.job_history.store import HISTORY_FILE, JobHistory
from orchestrator.notify import apprise_messages, delivery
from orchestrator.schedules import crontab, systemd
from orchestrator.schedules.marks import marked
from orchestrator.track import Track
from tests.audio import track_bytes
from tests.notify.test_prometheus import parsed
from tests.servers.calls import Answer, CallServer, call_server
from tests.servers.disk import small_disk

DAY = 86400.0

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise imports it


class Machine:
    """One job, which organizes an inbox; a server gets its messages and calls."""

    def __init__(self, home: Path, server: CallServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.server = server
        self.capsys = capsys
        self.state = home / "state"
        self.inbox = home / "inbox"
        self.inbox.mkdir()
        self.jobs = "nightly: {at: '02:30', steps: [{organize: {source: inbox, target: music, move: true}}]}"
        self.notify = f"{{urls: ['json://127.0.0.1:{server.port}/topic'], healthcheck: '{server.url('uuid')}'}}"
        self.more = ""

    def add(self, name: str, tags: Track | None = None) -> None:
        tags = tags or Track(title=("Song",), artist=("Band",), album=("Album",), track=1, date="2001")
        (self.inbox / name).write_bytes(track_bytes("mp3", tags, seconds=0.2, serial=7))

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Its exit code, and what it printed."""
        places = f"locations: {{inbox: {self.inbox}, music: {self.home}/music}}"
        (self.home / "config.yaml").write_text(f"{places}\nnotify: {self.notify}\n{self.more}\njobs:\n  {self.jobs}\n")
        self.capsys.readouterr()
        code = run([*words, "--config", str(self.home / "config.yaml"), "--state-dir", str(self.state)])
        return code, *self.capsys.readouterr()

    def status(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """The objects of `status`, without the summary."""
        found, out, _ = self("status", *words, "--json")
        assert found == code
        return [json.loads(line) for line in out.splitlines()][:-1]

    def messages(self) -> list[dict[str, str]]:
        """What was sent since the last time."""
        return [json.loads(body) for method, _, body in self.server.calls if method == "POST"]


@pytest.fixture
def machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    with call_server() as server:
        yield Machine(tmp_path, server, capsys)


def test_a_job_that_changes_something_is_reported_everywhere_and_then_there_is_silence(machine: Machine) -> None:
    machine.more = f"prometheus: {machine.home}/jobs.prom"
    machine.add("1.mp3")
    assert machine("run", "-q")[0] == 0
    (message,) = machine.messages()
    assert message["type"] == "info"
    assert message["title"].endswith(": nightly done: 1 change")
    first, run_id, folder = message["message"].splitlines()
    assert first.startswith("1 change, ")
    assert folder == "Band/Album (2001): 1 change"
    assert [path for _, path, _ in machine.server.calls if "uuid" in path] == ["/uuid/start", "/uuid"]
    (job,) = machine.status()
    assert (job["result"], job["exit_code"], job["changed"], job["overdue"]) == ("done", 0, 1, False)
    assert run_id == f"run {job['runs'][0]}"
    assert job["next_start"] is not None
    assert 0 <= job["age_s"] < 60
    facts = parsed((machine.home / "jobs.prom").read_text())
    assert (facts["last_changes", "nightly"], facts["last_failed", "nightly"]) == (1, 0)
    machine.server.paths()
    assert machine("run", "-q") == (0, "", "")
    assert machine.server.paths() == ["/uuid/start", "/uuid"], "nothing happened: no message"
    assert machine("status", "-q") == (0, "", "")
    assert [one["type"] for one in machine.status("nightly")] == ["job", "job-run", "job-run"]


def test_a_job_that_fails_is_reported_with_its_code_and_the_reason(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses come from elsewhere. A job that is not in order is reported, too, though it never begins."""
    monkeypatch.setenv("TOPIC", f"json://127.0.0.1:{machine.server.port}/hushhush")
    (machine.home / "uuid").write_text(machine.server.url("uuid?c={code}&s={status}"))
    machine.notify = f"{{urls: [{{env: TOPIC}}], healthcheck: {{command: [cat, {machine.home}/uuid]}}, on: [failure]}}"
    machine.jobs = f"nightly: [{{scan: {{location: {machine.home}/nowhere}}}}]"
    assert machine("run", "-q")[0] == 2
    (message,) = machine.messages()
    assert message["type"] == "failure"
    assert message["title"].endswith(": nightly failed (2: usage or configuration)")
    assert f"{machine.home}/nowhere" in message["message"]
    assert [path for path in machine.server.paths() if "uuid" in path] == ["/uuid?c=0&s=start", "/uuid?c=2&s=failure"]
    machine.jobs = "nightly: [{scan: {location: nowhere}}]"
    assert machine("run", "-q")[0] == 2
    (message,) = machine.messages()
    assert "no location nowhere" in message["message"]
    assert [path for path in machine.server.paths() if "uuid" in path] == ["/uuid?c=2&s=failure"]
    assert [one["result"] for one in machine.status()] == ["failed"]


def test_of_two_jobs_with_one_health_check_each_failure_counts(machine: Machine) -> None:
    machine.jobs = f"bad: [{{scan: {{location: {machine.home}/nowhere}}}}]\n  good: [{{scan: {{location: inbox}}}}]"
    assert machine("run", "-q")[0] == 2
    assert [path for path in machine.server.paths() if "uuid" in path] == ["/uuid/start", "/uuid/2"]
    with RunLock(machine.state):
        assert machine("run", "-q")[0] == 8
    assert [message["title"].partition(": ")[2] for message in machine.messages()] == [
        "bad, good failed (8: another run holds the lock)"
    ]
    assert [path for path in machine.server.paths() if "uuid" in path] == ["/uuid/8"]
    machine.jobs = machine.jobs.replace("good: [", "good: {notify: {}, steps: [").replace("inbox}}]", "inbox}}]}")
    assert machine("run", "good", "-q") == (0, "", "")
    assert machine.server.paths() == [], "its own `notify` names nobody"


def test_a_run_that_was_killed_is_reported_by_the_next_one(machine: Machine) -> None:
    machine.state.mkdir(mode=0o700)
    with JobHistory(machine.state / HISTORY_FILE) as history:
        history.begin("nightly", time.time() - 600)
    assert machine.status()[0]["result"] == "killed"
    with RunLock(machine.state):
        assert machine.status()[0]["result"] == "under way"
    machine.jobs += "\n  other: {scan: {location: inbox}}"
    assert machine("run", "other", "-q") == (0, "", "")
    assert machine.messages() == [], "that job was not killed"
    assert machine("run", "-q") == (0, "", "")
    (message,) = machine.messages()
    assert message["type"] == "failure"
    assert message["title"].endswith("nightly was killed before, and is done now")
    assert [one["result"] for one in machine.status("nightly")] == ["done", "done", "killed"]
    machine.server.paths()
    assert machine("run", "-q") == (0, "", "")
    assert machine.messages() == [], "once"


def test_a_dry_run_is_not_reported(machine: Machine) -> None:
    machine.add("1.mp3")
    assert machine("run", "--dry-run")[0] == 0
    assert machine.server.calls == []
    assert [one["result"] for one in machine.status()] == ["never"]


def test_a_server_that_does_not_answer_keeps_no_job_from_being_done(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hangs, one that refuses, an address that is wrong, a secret that is not there: warnings without addresses."""
    monkeypatch.setattr(delivery, "LONGEST_S", 3.0)
    release = threading.Event()
    machine.server.answer = lambda path, _number: Answer(hold=release) if "hangs" in path else Answer(403)
    there = f"127.0.0.1:{machine.server.port}"
    urls = f"['json://{there}/hangs-hushhush', 'json://u:hushhush@{there}/refused', 'nosuch://hushhush', {{env: NO_SUCH}}]"
    machine.notify = f"{{urls: {urls}, healthcheck: '{machine.server.url('hangs-hushhush')}'}}"
    machine.more = f"prometheus: {machine.home}/no/folder/jobs.prom\nlog_file: {machine.home}/no/folder/log"
    machine.add("1.mp3")
    began = time.monotonic()
    code, _, err = machine("run", "-q")
    release.set()
    assert time.monotonic() - began < 20
    assert code == 0, err
    warnings = sorted(err.splitlines())
    assert [line.split(": ")[1] for line in warnings] == [
        f"cannot write the log file {machine.home}/no/folder/log",
        "notify.healthcheck",
        "notify.urls.0",
        "notify.urls.1",
        "notify.urls.2",
        "notify.urls.3",
        "the file for Prometheus is not written",
    ]
    assert "hush" not in err
    assert (machine.home / "music/Band/Album (2001)").is_dir()
    assert machine("config", "validate")[0] == 0, "by its form, an address may be right"
    machine.notify = "{urls: [hushhush], healthcheck: 'ftp://hushhush', on: [news]}"
    code, _, err = machine("config", "validate")
    assert code == 2
    assert "notify.urls.0: not an address of apprise" in err
    assert "notify.healthcheck: not an address that begins with https://" in err
    assert "hush" not in err


def test_a_server_that_is_away_for_long_is_reported_once_a_week(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = [0.0]
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead[0])
    machine.notify = f"{{healthcheck: '{machine.server.url('uuid')}'}}"
    machine.jobs = "nightly: {scan: {location: inbox}}"
    warning = "warning: notify.healthcheck: the server answered 403\n"
    machine.server.answer = lambda _path, _number: Answer(403)
    assert machine("run", "-q") == (0, "", warning)
    assert machine("run", "-q") == (0, "", ""), "cron has mailed it"
    assert warning.removeprefix("warning: ") in machine("run")[1], "a person sees it"
    ahead[0] = 8 * DAY
    assert machine("run", "-q") == (0, "", warning)
    machine.server.answer = lambda _path, _number: Answer()
    assert machine("run", "-q") == (0, "", "")
    machine.server.answer = lambda _path, _number: Answer(403)
    assert machine("run", "-q") == (0, "", warning), "it was there in between"


def test_without_apprise_one_line_says_what_to_install(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise_messages, "installed", lambda: False)
    machine.notify = "{urls: ['json://a/1', 'json://a/2']}"
    machine.add("1.mp3")
    code, _, err = machine("run", "-q")
    needed = "messages need apprise: pip install 'music-orchestrator[notify]'\n"
    assert (code, err) == (0, f"warning: notify.urls: {needed}")
    monkeypatch.setattr(config_file, "installed", lambda: False)
    assert machine("config", "validate")[::2] == (0, f"warning: {needed}")


def test_a_job_is_overdue_when_it_has_not_begun_in_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only after a time since it is known; a clock that was wrong makes it neither overdue for ever nor never."""
    now = [time.mktime((2026, 11, 30, 16, 0, 0, 0, 0, -1))]
    monkeypatch.setattr(time, "time", lambda: now[0])
    machine.jobs = "nightly: {at: '02:30', wait: 30m, steps: [{scan: {location: inbox}}]}"
    assert machine.status()[0]["overdue"] is False, "it has never run, and no time has passed"
    now[0] += 12.9 * 3600  # 4:54: two hours and the time that it may wait are not over
    assert machine.status()[0]["overdue"] is False
    now[0] += 0.2 * 3600
    (job, *_) = machine.status(code=3)
    assert (job["overdue"], job["result"], job["age_s"]) == (True, "never", None)
    code, out, err = machine("status", "-q")
    assert (code, out) == (3, "")
    assert err == "warning: nightly is overdue: it was to start at 2026-12-01 02:30, and it has never begun\n"
    with RunLock(machine.state):
        assert machine("run", "-q", "--wait", "0.1s")[0] == 8
    assert machine.status(code=3)[0]["exit_code"] == 8, "a run that found the lock taken is not the one that was due"
    now[0] += 30 * DAY
    assert machine("run", "-q")[0] == 0, "the clock is a month ahead"
    assert machine.status()[0]["overdue"] is False
    now[0] -= 30 * DAY
    (job, *_) = machine.status()
    assert (job["overdue"], job["age_s"]) == (False, 0)
    now[0] += DAY
    assert machine.status(code=3)[0]["overdue"] is True, "though that run said that it was in the future"
    assert machine("run", "-q")[0] == 0
    assert machine.status()[0]["overdue"] is False
    assert machine("status", "nigthly")[0] == 2


def test_a_schedule_says_when_a_job_starts_where_the_config_does_not(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.jobs = "nightly: {scan: {location: inbox}}"
    assert machine.status()[0]["next_start"] is None
    for kept in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(kept, str(machine.home))
    monkeypatch.setattr(systemd, "SYSTEM_FOLDER", machine.home / "systemd/user")
    monkeypatch.setattr(crontab, "SYSTEM_FOLDER", machine.home / "cron.d")
    (machine.home / "systemd/user").mkdir(parents=True)
    (machine.home / f"systemd/user/{systemd.unit_name('nightly')}.timer").write_text(marked(["#"], 1, "nightly", ["04:10"]))
    assert "04:10:00" in machine.status()[0]["next_start"]


def test_a_full_state_directory_is_an_error_that_is_reported(machine: Machine, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4_000_000) as disk:
        machine.state = disk.root / "state"
        assert machine("run", "-q") == (0, "", "")
        machine.server.paths()
        machine.add("1.mp3")
        disk.leave(0)
        code, _, err = machine("run", "-q")
        assert code == 9, err
        assert "No space left" in err or "no space left" in err
        assert [path for path in machine.server.paths() if "uuid" in path][-1] == "/uuid/9"
        assert (machine.inbox / "1.mp3").exists()
        disk.free()
        assert machine("run", "-q")[0] == 0


def test_a_bug_of_ours_in_a_report_ends_no_job(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    machine.more = f"prometheus: {machine.home}/jobs.prom"
    for place in ("job_history.store.JobHistory.mark_killed", "notify.prometheus.text_of", "actions.announcements.message_of"):
        monkeypatch.setattr(f"orchestrator.{place}", broken)
    machine.add("1.mp3")
    code, _, err = machine("run", "-q")
    assert (code, err.count("unexpected ZeroDivisionError"), err.count("\n")) == (0, 2, 2), err
    assert (machine.home / "music/Band/Album (2001)").is_dir()
