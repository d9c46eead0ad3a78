"""The file for Prometheus: its text follows the grammar of the exposition format, and it is replaced as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.job_history.store import JobRun
from orchestrator.notify.prometheus import JobFacts, text_of, write

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf'({_NAME})\{{([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"\}} (-?[0-9]+(?:\.[0-9]+)?)')
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def parsed(text: str) -> dict[tuple[str, str], float]:
    """(metric, value of its label) -> value. Each metric has one HELP and one TYPE, before its samples, which stand together."""
    found: dict[tuple[str, str], float] = {}
    seen: list[str] = []
    assert text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if described := re.fullmatch(rf"# HELP ({_NAME}) [^\\\n]+", line):
            assert described[1] not in seen
            seen.append(described[1])
        elif line.startswith("# "):
            assert line == f"# TYPE {seen[-1]} gauge"
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert sample[1] == seen[-1]
            assert sample[2] == ("location" if sample[1] == "music_orchestrator_problems" else "name")
            label = re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], sample[3])
            assert (sample[1], label) not in found
            found[sample[1].removeprefix("music_orchestrator_job_"), label] = float(sample[4])
    return found


def test_the_text_follows_the_grammar_whatever_jobs_are_called() -> None:
    hostile = 'a"b\\c\nd{é}'
    done = JobRun(job="x", began=1e9, ended=1e9 + 9, exit_code=0, duration_s=9.5, changed=4, skipped=2, bytes_moved=10**12)
    failed = JobRun(job="y", began=1.5, ended=2.5, exit_code=130)
    killed = JobRun(job="z", began=7.0, killed=True)
    found = parsed(
        text_of(
            [
                JobFacts(hostile, done, 1e9 + 9),
                JobFacts("y", failed, None),
                JobFacts("z", killed, 5.0),
                JobFacts("new", None, None),
            ],
            {'nas:Mu"sic': 3},
        )
    )
    assert {name: value for (name, label), value in found.items() if label == hostile} == {
        "last_start_timestamp_seconds": 1e9,
        "last_end_timestamp_seconds": 1e9 + 9,
        "last_success_timestamp_seconds": 1e9 + 9,
        "last_duration_seconds": 9.5,
        "last_exit_code": 0,
        "last_failed": 0,
        "last_changes": 4,
        "last_problems": 2,
        "last_moved_bytes": 10**12,
    }
    assert (found["last_exit_code", "y"], found["last_failed", "y"], found["last_failed", "z"]) == (130, 1, 1)
    assert ("last_end_timestamp_seconds", "z") not in found
    assert found["music_orchestrator_problems", 'nas:Mu"sic'] == 3
    assert not any(label == "new" for _, label in found)


def test_the_file_is_replaced_and_everybody_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "jobs.prom"
    old = "# HELP music_orchestrator_job_last_failed Old.\n"
    file.write_text(old)
    file.chmod(0o600)
    with file.open() as reader:
        write(file, "new\n")
        assert reader.read() == old, "who reads it at this moment reads all of the old one"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new\n", 0o644)
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.prom"]
    with pytest.raises(UsageError, match=r"cannot write /no/such/x\.prom: No such file or directory"):
        write(Path("/no/such/x.prom"), "new\n")
