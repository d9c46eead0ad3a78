"""How a job is monitored: `status`, messages, health checks, the file for Prometheus; and if a server does not answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.actions import config_file, schedule_install
from orchestrator.actions.session import open_session
from orchestrator.actions.waiting import intention_to_sync, put
from orchestrator.apply.guard.lock import RunLock
from orchestrator.cli.main import run
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.job_history.store import HISTORY_FILE, JobHistory
from orchestrator.notify import apprise_messages, delivery
from orchestrator.plan.planners.sync.records import Direction
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


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How many seconds the clock is ahead."""
    seconds, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds[0])
    return seconds


def test_a_failure_that_lasts_is_one_message_until_it_changes_a_week_has_passed_or_it_ends(
    machine: Machine, ahead: list[float]
) -> None:
    def night(*, code: int) -> list[str]:
        """What is heard of the next one."""
        ahead[0] += DAY
        machine.server.calls.clear()
        assert machine("run", "-q")[0] == code
        return [message["title"].partition(": ")[2] for message in machine.messages()]

    machine.jobs = f"nightly: [{{scan: {{location: {machine.home}/nowhere}}}}]"
    assert night(code=2) == ["nightly failed (2: usage or configuration)"]
    assert night(code=2) == []
    machine.jobs = f"nightly: [{{scan: {{location: {machine.home}/elsewhere}}}}]"
    assert night(code=2) == ["nightly still fails (2: usage or configuration)"], "for another reason"
    assert [night(code=2) for _ in range(6)] == [[]] * 6
    assert night(code=2) == ["nightly still fails (2: usage or configuration)"], "after a week"
    assert machine.messages()[0]["message"].splitlines()[0].startswith("9 runs before this one failed, since 20")
    assert night(code=2) == []
    (machine.home / "elsewhere").mkdir()
    assert night(code=0) == ["nightly is back to normal after 11 failed runs"]
    assert machine.messages()[0]["type"] == "success"
    assert night(code=0) == []
    (machine.home / "elsewhere").rmdir()
    assert night(code=2) == ["nightly failed (2: usage or configuration)"]
    machine.notify = machine.notify[:-1] + ", on: [news]}"
    (machine.home / "elsewhere").mkdir()
    assert night(code=0) == [], "who does not hear of failures does not hear of their ends"


def test_a_message_that_could_not_be_sent_is_sent_by_the_next_run(machine: Machine, ahead: list[float]) -> None:
    """To each address by itself, in order, and with its time; a failure that lasts does not pile up."""
    there = f"json://127.0.0.1:{machine.server.port}"
    machine.notify = f"{{urls: ['{there}/away', '{there}/well']}}"
    machine.server.answer = lambda path, _number: Answer(503 if path == "/away" else 200)
    machine.add("1.mp3")
    warning = "warning: notify.urls.0: Failed to send JSON POST notification: Servers are overloaded., error=503.\n"

    def heard(path: str) -> list[str]:
        calls = [json.loads(body)["title"] for _, asked, body in machine.server.calls if asked == path]
        return [title.partition(": ")[2] for title in calls]

    code, _, err = machine("run", "-q")
    assert (code, err) == (0, warning), err
    assert heard("/well") == ["nightly done: 1 change"]
    machine.jobs = f"nightly: [{{scan: {{location: {machine.home}/nowhere}}}}]"
    for _ in range(3):
        ahead[0] += DAY
        assert "notify.urls" not in machine("run", "-q")[2], "cron has mailed it"
    (broken,) = [one for one in machine.status() if one["type"] == "broken-report"]
    assert (broken["label"], broken["age_s"] // DAY) == ("notify.urls.0", 3)
    machine.server.calls.clear()
    machine.server.answer = lambda _path, _number: Answer()
    assert machine("run", "-q")[0] == 2
    done, failed = heard("/away")
    assert done.startswith("nightly done: 1 change (of 20")
    assert failed.startswith("nightly failed (2: usage or configuration) (of 20")
    assert heard("/well") == []
    machine.server.calls.clear()
    machine("run", "-q")
    assert machine.messages() == []
    assert [one["type"] for one in machine.status()] == ["job"]


def test_a_message_that_is_always_rejected_holds_back_no_other(machine: Machine, ahead: list[float]) -> None:
    """It waits until another one shows that the address is right; then it is given up, which is said once."""
    machine.notify = f"{{urls: ['json://127.0.0.1:{machine.server.port}/topic']}}"
    machine.add("1.mp3")
    machine.server.answer = lambda _path, _number: Answer(400)
    code, _, err = machine("run", "-q")
    assert (code, err.count("\n"), "no message was taken, all of them wait: " in err) == (0, 1, True), err
    machine.add("2.mp3", Track(title=("Other",), artist=("Band",), album=("Album",), track=2, date="2001"))
    numbers = iter([400, 200])
    machine.server.answer = lambda _path, _number: Answer(next(numbers))
    machine.server.calls.clear()
    ahead[0] += DAY
    code, _, err = machine("run", "-q")
    assert (code, "a message was given up: " in err) == (0, True), err
    first, second = [message["title"].partition(": ")[2] for message in machine.messages()]
    assert first.startswith("nightly done: 1 change (of 20")
    assert second == "nightly done: 1 change"
    machine.server.calls.clear()
    machine.server.answer = lambda _path, _number: Answer()
    ahead[0] += DAY
    assert machine("run", "-q") == (0, "", "")
    assert machine.messages() == []


def test_what_waited_in_the_queue_is_a_part_of_the_job_that_syncs_it(machine: Machine, ahead: list[float]) -> None:
    """Its changes are those of the job: in messages, the history, and `--json`; without such a job, of the first one."""
    machine.add("1.mp3")
    machine.jobs = (
        f"other: {{scan: {{location: inbox}}}}\n  nightly: {{sync: {{a: inbox, b: {machine.home}/copy, mode: to-cloud}}}}"
    )
    (machine.home / "copy").mkdir()

    def queue() -> None:
        with open_session(CommonOptions(state_dir=str(machine.state))) as session:
            inbox, copy = session.locations(str(machine.inbox), f"{machine.home}/copy")
            options = SyncOptions(a=inbox.fs, b=copy.fs, to_cloud=True)
            put(session, intention_to_sync(session, (inbox, copy), Direction.A_TO_B, options), "it was away")
        ahead[0] += 3600

    queue()
    code, out, _ = machine("run", "--json")
    steps = [one for one in map(json.loads, out.splitlines()) if one["type"] == "step"]
    assert (code, [(one["job"], one["number"], one["command"]) for one in steps]) == (
        0,
        [("nightly", 0, "queue"), ("other", 1, "scan"), ("nightly", 1, "sync")],
    )
    (message,) = machine.messages()
    assert message["title"].endswith(": nightly done: 1 change")
    (other, nightly) = machine.status()
    assert (other["changed"], nightly["changed"], nightly["runs"]) == (0, 1, [steps[0]["run"]])
    machine.server.calls.clear()
    machine.add("2.mp3")
    queue()
    assert machine("run", "other", "-q")[0] == 0
    assert [one["title"].partition(": ")[2] for one in machine.messages()] == ["other done: 1 change"]


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
    code, out, err = machine("run", "good", "-q")
    assert (code, err) == (0, "")
    assert out.startswith("good is back to normal after 1 failed run, since 20")
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
    labels = ["log_file", "notify.healthcheck", *(f"notify.urls.{number}" for number in range(4)), "prometheus"]
    assert [line.split(": ")[1] for line in warnings] == labels
    shown = [one["label"] for one in machine.status() if one["type"] == "broken-report"]
    assert shown == labels, "as long as they do not work"
    assert machine("status", "-q") == (0, "", "")
    assert "hush" not in err
    assert (machine.home / "music/Band/Album (2001)").is_dir()
    assert machine("config", "validate")[0] == 0, "by its form, an address may be right"
    machine.notify = "{urls: [hushhush], healthcheck: 'ftp://hushhush', on: [news]}"
    code, _, err = machine("config", "validate")
    assert code == 2
    assert "notify.urls.0: not an address of apprise" in err
    assert "notify.healthcheck: not an address that begins with https://" in err
    assert "hush" not in err


def test_a_server_that_is_away_for_long_is_reported_once_a_week(machine: Machine, ahead: list[float]) -> None:
    machine.notify = f"{{healthcheck: '{machine.server.url('uuid')}'}}"
    machine.jobs = "nightly: {scan: {location: inbox}}"
    warning = "warning: notify.healthcheck: the server answered 403\n"
    machine.server.answer = lambda _path, _number: Answer(403)
    assert machine("run", "-q") == (0, "", warning)
    assert machine("run", "-q") == (0, "", ""), "cron has mailed it"
    assert warning.removeprefix("warning: ") in machine("run")[1], "a person sees it"
    assert "notify.healthcheck did not work at the last run: the server answered 403" in machine("doctor")[1]
    machine.server.answer = lambda _path, _number: Answer(404)
    assert machine("run", "-q") == (0, "", warning.replace("403", "404")), "another reason"
    assert machine("run", "-q") == (0, "", "")
    machine.server.answer = lambda _path, _number: Answer(403)
    assert machine("run", "-q") == (0, "", warning)
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
    machine.add("2.mp3", Track(title=("Other",), artist=("Band",), album=("Album",), track=2, date="2001"))
    assert machine("run", "-q")[2] == "", "cron has mailed it"
    monkeypatch.setattr(apprise_messages, "installed", lambda: True)
    machine.notify = f"{{urls: ['json://127.0.0.1:{machine.server.port}/1', 'json://127.0.0.1:{machine.server.port}/2']}}"
    assert machine("run", "-q") == (0, "", "")
    assert len(machine.messages()) == 4, "two that waited, to each address"
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
    install_into(machine, monkeypatch)
    machine.jobs = "nightly: {scan: {location: inbox}}"
    assert (machine.status()[0]["next_start"], machine.status()[0]["started"]) == (None, None)
    install_timer(machine, "nightly", "04:10")
    (job,) = machine.status()
    assert ("04:10:00" in job["next_start"], job["started"]) == (True, True)


def test_a_job_that_nothing_starts_is_not_said_to_start(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    install_into(machine, monkeypatch)
    now = [time.mktime((2026, 11, 30, 16, 0, 0, 0, 0, -1))]
    monkeypatch.setattr(time, "time", lambda: now[0])
    machine.jobs = "nightly: {at: '02:30', steps: [{scan: {location: inbox}}]}"
    said = machine("status")[1]
    assert "02:30" not in said
    assert "nothing installed" in said
    assert "`music-orchestrator schedule nightly --install`, unless something of yours starts it" in said
    (job,) = machine.status()
    assert ("02:30:00" in job["next_start"], job["started"]) == (True, False)

    now[0] += 13 * 3600  # 5:00: too late to have been started by a timer or cron
    machine("run", "-q")
    assert (machine.status()[0]["started"], machine.status()[0]["overdue"]) == (False, False)
    now[0] += DAY - 2.4 * 3600  # 2:36
    machine("run", "-q")
    assert "2026-12-03 02:30" in machine("status")[1], "something else starts it"

    now[0] += 2 * DAY
    install_timer(machine, "nightly", "02:30")
    monkeypatch.setattr(schedule_install, "why_not_started", lambda _: ("the timer is not switched on", "`switch it on`"))
    assert "nightly: the timer is not switched on; `switch it on`" in machine("status")[1]


def install_into(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for schedules below the machine's home."""
    for kept in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(kept, str(machine.home))
    monkeypatch.setattr(systemd, "SYSTEM_FOLDER", machine.home / "systemd/user")
    monkeypatch.setattr(crontab, "SYSTEM_FOLDER", machine.home / "cron.d")
    (machine.home / "cron.d").mkdir()
    (machine.home / "systemd/user").mkdir(parents=True)


def install_timer(machine: Machine, job: str, at: str) -> None:
    (machine.home / f"systemd/user/{systemd.unit_name(job)}.timer").write_text(marked(["#"], 1, job, [at]))


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
