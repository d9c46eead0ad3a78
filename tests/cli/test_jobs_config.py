"""`jobs:` in the config: how jobs may be written, and what is wrong with them, all at once, with the line and what was meant."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from orchestrator.cli.main import run
from orchestrator.config.calendar import Calendar, parse_calendar
from orchestrator.config.jobs import Job, as_job
from orchestrator.config.loading import parse
from orchestrator.errors import UsageError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_CONFIG", str(path))
    return path


RIGHT = """\
locations: {library: /srv/music, inbox: "gdrive:Inbox"}
jobs:
  list:
    - organize: {source: inbox, target: library, mirror: "nas:Music", max_delete: 10%}
    - quarantine_empty: {location: library, older_than: 30d}
  only_step: {scan: {location: library, settle: 5m}}
  with_settings:
    at: 02:30
    keep_going: true
    wait: 10m
    max_duration: 4h
    max_transfer: 10G
    max_cost: 0.50
    steps: [{sync: {a: library, b: "gdrive:Music", mode: to-cloud}}]
  one_step_with_settings:
    at: ["Mon..Fri 6,18:00", "*-*-1 04:00"]
    steps: {dedup: {locations: [library], dedup: quarantine}}
"""


def test_a_job_is_a_list_of_steps_or_its_only_step_or_has_settings(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(RIGHT)
    assert run(["config", "validate"]) == 0
    jobs = {name: as_job(job) for name, job in parse(RIGHT.encode(), file).jobs.items()}
    steps = {name: [command for step in job.steps for command in step.commands] for name, job in jobs.items()}
    assert steps == {
        "list": ["organize", "quarantine_empty"],
        "only_step": ["scan"],
        "with_settings": ["sync"],
        "one_step_with_settings": ["dedup"],
    }
    found = jobs["with_settings"]
    assert (found.at, found.keep_going, found.wait, found.max_cost) == ("02:30", True, "10m", "0.50")
    capsys.readouterr()
    assert run(["config", "get", "jobs.list.1.quarantine_empty.older_than"]) == 0
    assert capsys.readouterr().out == "30d\n", "a job is shown as it was written"
    assert run(["config", "schema", "--json"]) == 0
    schema = json.loads(capsys.readouterr().out.splitlines()[0])["schema"]
    assert {"steps", "keep_going", "at", "wait"} <= schema["$defs"]["Job"]["properties"].keys()
    assert {"organize", "sync", "dedup", "scan", "verify", "quarantine_empty"} == schema["$defs"]["JobStep"]["properties"].keys()


WRONG = """\
locations: {library: /srv/music}
jobs:
  a: [{organise: {source: library}}]
  b: [{organize: {source: library, max-delete: 3}}]
  c: [{organize: {source: librari}}]
  d: [{quarantine_empty: {location: library, older_than: 30}}]
  e: {keep_going: maybe, steps: [{scan: {location: library}}]}
  f: {keep_going: true, scan: {location: library}}
  g: {stesp: [{scan: {location: library}}]}
  h: []
  i: {at: soon, wait: 5, max_transfer: much, max_cost: a lot, max_duration: long, steps: [{scan: {location: library}}]}
  j: [{scan: {location: ./x, include: ["/"]}}]
  k: [{scan: {location: ./x}, dedup: {locations: [./y]}}]
  l: [{dedup: {locations: [library, ./y], delete: true, dedup: report}}]
  m: [{sync: {a: library, b: cluod}}]
  n: {at: "*-2-30 04:00", steps: [{sync: {a: library, b: ./x}}]}
  o: [{organize: {source: ":s3,secret_access_key=hush:x"}}]
  p: [{organize: {source: library, layout: plexx}}]
"""


def test_every_mistake_in_jobs_is_named_with_its_line_and_what_was_meant(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(WRONG)
    assert run(["config", "validate"]) == 2
    err = capsys.readouterr().err
    found = [line.removeprefix(f"error: {file}:") for line in err.splitlines()]
    for begin in (
        "3: unknown key `jobs.a.0.organise`; did you mean `organize`?",
        "4: unknown key `jobs.b.0.organize.max-delete`; did you mean `max_delete`?",
        "5: jobs.c.0.organize.source: no location librari under `locations:`; did you mean library?",
        "6: jobs.d.0.quarantine_empty.older_than 30: write a time such as",
        "7: jobs.e.keep_going: expected true or false",
        "8: jobs.f.scan: beside the settings of a job, its steps are written under `steps:`",
        "9: unknown key `jobs.g.stesp`; did you mean `steps`?",
        "10: jobs.h: a job needs at least one step",
        "11: jobs.i.at soon: write a time such as 02:30",
        "11: jobs.i.wait 5: write a time such as",
        "11: jobs.i.max_transfer much: write a size",
        "11: jobs.i.max_cost a lot: write an amount",
        "11: jobs.i.max_duration long: write a time",
        "12: jobs.j.0.scan.include: the glob '/' is empty",
        "13: jobs.k: a step is one command (organize, sync, dedup, scan, verify, quarantine_empty)",
        "14: jobs.l.0.dedup.delete: cannot be combined",
        "15: jobs.m.0.sync.b: no location cluod under `locations:`; write ./cluod for a folder",
        "16: jobs.n.at *-2-30 04:00: there is no such day",
        "17: jobs.o.0.organize.source: remotes made on the fly",
        "18: jobs.p.0.organize.layout: ",
    ):
        assert any(one.startswith(begin) for one in found), (begin, found)
    assert len(found) == 20
    assert "hush" not in err


def test_addresses_of_a_job_are_not_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(
        "jobs: {n: {html: /tmp/report.html, notify: {urls: ['x://secret/hush']}, steps: [{scan: {location: ./x}}]}}\n"
    )
    assert run(["config", "validate"]) == 0
    assert run(["config", "show"]) == 0
    assert "secret" not in "".join(capsys.readouterr())


def test_a_wrong_job_keeps_no_other_command_from_working(file: Path) -> None:
    file.write_text("jobs: {n: [{scan: {location: nowhere}}]}\n")
    assert run(["scan", str(file.parent), "--state-dir", str(file.parent / "state")]) == 0


@pytest.mark.parametrize(
    ("text", "weekdays", "days", "hours", "minutes"),
    [
        ("02:30", (), (), (2,), (30,)),
        ("6,18:00", (), (), (6, 18), (0,)),
        ("Mon..Fri 7:05", (0, 1, 2, 3, 4), (), (7,), (5,)),
        ("sat,Sunday 7:05", (5, 6), (), (7,), (5,)),
        ("*-*-1,15 4:00", (), (1, 15), (4,), (0,)),
        ("*/6:15", (), (), (0, 6, 12, 18), (15,)),
        ("3:0/20", (), (), (3,), (0, 20, 40)),
        ("hourly", (), (), tuple(range(24)), (0,)),
        ("daily", (), (), (0,), (0,)),
        ("Weekly", (0,), (), (0,), (0,)),
        ("monthly", (), (1,), (0,), (0,)),
    ],
)
def test_times_of_jobs(
    text: str, weekdays: tuple[int, ...], days: tuple[int, ...], hours: tuple[int, ...], minutes: tuple[int, ...]
) -> None:
    assert parse_calendar(text) == Calendar(weekdays, days, hours, minutes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25:00",
        "7:60",
        "7",
        "0 2 * * *",
        "Fri..Mon 7:00",
        "Mond 7:00",
        "*-*-0 7:00",
        "*/0:00",
        "7:,",
        "9..7:00",
        "2026-1-1 7:00",
        "7:00:30",
    ],
)
def test_what_is_no_time_of_a_job(text: str) -> None:
    with pytest.raises(UsageError, match="write a time such as"):
        parse_calendar(text)


def test_a_job_is_the_same_in_each_form() -> None:
    forms = (
        "{scan: {location: ./x}}",
        "[{scan: {location: ./x}}]",
        "{steps: [{scan: {location: ./x}}]}",
        "{steps: {scan: {location: ./x}}}",
    )
    jobs = [as_job(parse(f"jobs: {{n: {form}}}".encode(), Path("c.yaml")).jobs["n"]) for form in forms]
    assert all(isinstance(job, Job) for job in jobs)
    assert len({msgspec.json.encode(job) for job in jobs}) == 1
