"""The file for node_exporter's textfile collector: how each job last ended, in Prometheus's text format.

No sample has a time of its own: the collector refuses those. The label is `name`, because Prometheus uses `job` itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrator.atomic_file import METRICS, check_replaceable, write_atomically
from orchestrator.errors import UsageError
from orchestrator.job_history.store import JobRun


class JobFacts(NamedTuple):
    """What is known of one job."""

    name: str
    last: JobRun | None
    """Its last run that has ended."""
    last_success: float | None


_PREFIX = "music_orchestrator_job"
_PROBLEMS = "music_orchestrator_problems"
_HELP = {
    "last_start_timestamp_seconds": "When the job last began.",
    "last_end_timestamp_seconds": "When the job last ended.",
    "last_success_timestamp_seconds": "When the job was last done.",
    "last_duration_seconds": "How long the job took.",
    "last_exit_code": "The exit code of the job (3: done, with problems).",
    "last_failed": "Whether the job failed (1) or was done (0).",
    "last_changes": "Files that the job moved, copied, quarantined or deleted.",
    "last_problems": "Files that the job skipped or that failed.",
    "last_moved_bytes": "Bytes that the job moved.",
}


def text_of(jobs: Iterable[JobFacts], problems: Mapping[str, int]) -> str:
    """The content of the file: gauges, each with its help and type once. `problems`: how many stand, by location."""
    samples: dict[str, list[str]] = {name: [] for name in _HELP}
    for job in jobs:
        for name, value in _values(job):
            samples[name].append(f'{_PREFIX}_{name}{{name="{_escaped(job.name)}"}} {value}\n')
    standing = [f'{_PROBLEMS}{{location="{_escaped(where)}"}} {number}\n' for where, number in sorted(problems.items())]
    about_problems = f"# HELP {_PROBLEMS} Problems of files that stand.\n# TYPE {_PROBLEMS} gauge\n" if standing else ""
    return "".join(
        f"# HELP {_PREFIX}_{name} {_HELP[name]}\n# TYPE {_PREFIX}_{name} gauge\n{''.join(lines)}"
        for name, lines in samples.items()
        if lines
    ) + "".join([about_problems, *standing])


def _values(job: JobFacts) -> Iterator[tuple[str, str]]:
    if job.last_success is not None:
        yield "last_success_timestamp_seconds", f"{job.last_success:.3f}"
    run = job.last
    if run is None:
        return
    yield "last_start_timestamp_seconds", f"{run.began:.3f}"
    yield "last_failed", str(int(not run.succeeded))
    if run.exit_code is None or run.ended is None:  # it was killed
        return
    yield "last_end_timestamp_seconds", f"{run.ended:.3f}"
    yield "last_duration_seconds", f"{run.duration_s:.3f}"
    yield "last_exit_code", str(int(run.exit_code))
    yield "last_changes", str(run.changed)
    yield "last_problems", str(run.failed + run.skipped)
    yield "last_moved_bytes", str(run.bytes_moved)


def write(path: Path, text: str) -> None:
    """Replace the file as a whole; every user may read it. Raises UsageError."""
    try:
        check_replaceable(path, METRICS)
        write_atomically(path, [text.encode("utf-8")], 0o644)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
