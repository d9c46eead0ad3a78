"""The problems that stand: list them, with what to do, and ignore some of them."""

from __future__ import annotations

import difflib
import shlex
import time
from collections.abc import Iterable
from typing import Any

from orchestrator.actions.ignored_files import IgnoredFiles
from orchestrator.actions.job_steps import job_of
from orchestrator.actions.session import CATALOGUE_FILE, Session
from orchestrator.actions.waiting import local_time
from orchestrator.apply.journal.records import Run
from orchestrator.config.options.problems import ProblemsIgnoreOptions, ProblemsListOptions
from orchestrator.errors import UsageError
from orchestrator.known_problems.store import PROBLEMS_FILE, KnownProblems, StandingProblem
from orchestrator.location import Location, path_below
from orchestrator.paths import join_location, parent_of
from orchestrator.rclone.ranges import NOT_UTF8
from orchestrator.report.plan_outline import by_folder
from orchestrator.report.reporter import Column, age_text, printable
from orchestrator.wording import counted

REMEDIES = {
    "untagged": "tag it; or use --names-as-tags auto, or --untagged DIR",
    "unreadable": "replace or delete it: it is damaged, or no music",
    "unclear": "correct the album tags in this folder",
    "doubtful-text": "set tags.legacy_encoding in the config, or tag it again",
    "unsupported-name": "rename it; `convmv` corrects the encoding of many names at once",
    "conflict": "keep one of the two files",
    "duplicate-name": "rename one of them",
    "closed": "fix its permissions, or use --exclude",
    "link": "put a file or folder in its place, or use --exclude",
    "other-name": "choose a side: sync --keep-names a or b",
    "undecryptable": "remove what is not encrypted, or allow it in the config",
    "duplicates": "dedup lists them; with --dedup quarantine, it moves them away",
    "failed": "see its reason; the next run tries it again",
}
"""Code of a problem -> what to do, where its reason does not say it."""

_COLUMNS = (
    Column("age_s", "age", right=True, text=lambda row: age_text(row["age_s"])),
    Column("path", "file", text=lambda row: join_location(row["location"], row["path"]) if row["location"] else row["path"]),
    Column("reason", "problem", heading=True),
    Column("remedy", "what to do", heading=True),
)


def _check_known(session: Session, location: Location) -> None:
    """Raise UsageError for a location that no scan has seen and the config does not name: it may be mistyped."""
    from orchestrator.catalogue.last_scan import scanned_locations  # noqa: PLC0415 - loads what reads tags

    file = session.state / CATALOGUE_FILE
    scanned = scanned_locations(session.catalogue) if file.exists() else []
    if any(path_below(one, location.fs) is not None or path_below(location.fs, one) is not None for one in scanned):
        return
    named = {text: name for name, text in session.config.locations.items()}
    if location.typed in session.config.locations or location.typed in named or location.fs in named:
        session.reporter.note(f"{location.typed} was never scanned, so nothing is known of it")
        return
    near = difflib.get_close_matches(location.fs, [*scanned, *named], n=1)
    hint = f"did you mean {near[0]}?" if near else f"`music-orchestrator scan {shlex.quote(location.typed)}` looks at it"
    raise UsageError(f"{location.typed} was never scanned, and is not in the config: {hint}")


def list_problems(options: ProblemsListOptions, session: Session) -> list[StandingProblem]:
    """List the problems that stand in a location. Returns them. Raises UsageError for a location that nobody knows."""
    asked = None if options.location is None else session.named(options.location)[0]
    where = None if asked is None else asked.fs
    stored, patterns = _stored(session)
    since = {**dict.fromkeys(session.config.ignore), **patterns}
    ignored = IgnoredFiles(since)
    found = [one for one in stored if where is None or concerns(one, where)]
    if asked is not None and not found:
        _check_known(session, asked)
    chosen = [one for one in found if ignored.match(one.location, one.path) == options.ignored]
    now = time.time()
    empty = "no problem is ignored now" if options.ignored else "no problems"
    rows = [_row(one, now, ignored=options.ignored) for one in chosen]
    if not session.options.json and not session.options.verbose:
        rows = _by_folder(rows)
    session.reporter.table("problem", _COLUMNS, rows, empty=empty)
    if options.ignored:
        patterns_ignored = [
            {"pattern": pattern, "since": None if at is None else local_time(at), "config": pattern in session.config.ignore}
            for pattern, at in since.items()
        ]
        columns = [
            Column("pattern", "ignored"),
            Column("since", "since", text=lambda row: (row["since"] or "(in the config)")[:16]),
        ]
        session.reporter.table("ignored", columns, patterns_ignored, empty="nothing is ignored")
    elif hidden := len(found) - len(chosen):
        session.reporter.note(
            f"{counted(hidden, 'problem')} not listed, because {'it is' if hidden == 1 else 'they are'} ignored"
        )
    return chosen


def standing(session: Session) -> list[StandingProblem]:
    """The problems that stand, without those that are ignored."""
    stored, patterns = _stored(session)
    ignored = IgnoredFiles({*session.config.ignore, *patterns})
    return [one for one in stored if not ignored.match(one.location, one.path)]


def left_by(session: Session, run: Run) -> list[StandingProblem]:
    """The files that the command of a run leaves as they are, as far as that was reported and still stands."""
    command = _command_of(run)
    if command is None or not (session.state / PROBLEMS_FILE).exists():
        return []
    with KnownProblems(session.state / PROBLEMS_FILE) as problems:
        found = problems.of_command(command, run.header.locations or (run.source, run.target))
        ignored = IgnoredFiles({*session.config.ignore, *problems.ignored()})
    return [one for one in found if not ignored.match(one.location, one.path)]


def _command_of(run: Run) -> str | None:
    """The command that has looked for problems: of a plan that was applied, the one that made it."""
    if run.command != "apply":
        return run.command
    options = run.header.options
    return "organize" if "rules" in options else "sync" if "sync" in options else "dedup" if "keep" in options else None


def show_left_by(session: Session, run: Run) -> bool:
    """Show what the command of a run leaves as it is, by reason and folder. Returns whether there is any."""
    alike: dict[tuple[str, str], list[StandingProblem]] = {}
    for one in left_by(session, run):
        alike.setdefault((one.code, one.reason), []).append(one)
    for (code, reason), found in alike.items():
        remedy = REMEDIES.get(code, "")
        where = by_folder((join_location(one.location, one.path), "") for one in found)
        digits = len(str(max(one.number for one in where)))
        lines = [f"{counted(len(found), 'file')}: {reason}", *([f"  ({remedy})"] if remedy else [])]
        lines += [f"  {one.number:>{digits}}  {one.name}" for one in where]
        fields = {"code": code, "reason": reason, "remedy": remedy, "files": [[one.location, one.path] for one in found]}
        session.reporter.document("run-left", "\n".join(map(printable, lines)), fields)
    return bool(alike)


def ignore(options: ProblemsIgnoreOptions, session: Session) -> int:
    """Ignore the problems of these files from now on, or with `undo` no longer; returns how many that are now.

    Raises UsageError for an invalid pattern, and for one to undo that is not ignored.
    """
    if not options.files:
        raise UsageError("problems ignore: name a file or a pattern")
    wanted = IgnoredFiles(options.files)
    stored, patterns = _stored(session)
    if options.undo and (unknown := [one for one in options.files if one not in patterns]):
        in_config = unknown[0] in session.config.ignore
        why = "stands in the config, under `ignore:`" if in_config else "is not ignored; `problems list --ignored` shows what is"
        raise UsageError(f"{unknown[0]} {why}")
    concerned = [one for one in stored if wanted.match(one.location, one.path)]
    if not session.options.dry_run:
        with KnownProblems(session.state / PROBLEMS_FILE) as problems:
            if options.undo:
                problems.ignore_no_longer(options.files)
            else:
                problems.ignore(options.files, time.time())
    names = ", ".join(options.files)
    done = f"no longer ignored: {names}" if options.undo else f"ignored from now on: {names}"
    if session.options.dry_run:
        done = f"would be {done}"
    session.reporter.note(f"{done} ({counted(len(concerned), 'problem')} there now)")
    return len(concerned)


def _stored(session: Session) -> tuple[list[StandingProblem], dict[str, float]]:
    """All that stand, without those of jobs that the config no longer has; and the patterns that are ignored."""
    file = session.state / PROBLEMS_FILE
    if not file.exists():
        return [], {}
    with KnownProblems(file) as problems:
        jobs = session.config.jobs
        stand = [one for one in problems.all() if one.location or (job := job_of(one.path)) is None or job in jobs]
        return stand, problems.ignored()


def concerns(problem: StandingProblem, where: str) -> bool:
    """Whether a problem is in a location, also where that is only a part of the one in which the problem was found."""
    return bool(problem.location) and path_below(join_location(problem.location, problem.path), where) is not None


def _by_folder(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with those of a folder in one whose names cannot be written: they are renamed together."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        alone = row["reason"] != NOT_UTF8
        where = row["path"] if alone else parent_of(row["path"])
        found.setdefault((row["location"], where, row["code"], row["reason"]), []).append(row)
    return [
        members[0]
        if len(members) == 1
        else {
            **members[0],
            "path": f"{where}/ ({counted(len(members), 'file')})".lstrip("/"),
            "age_s": max(one["age_s"] for one in members),
        }
        for (_, where, *_), members in found.items()
    ]


def _row(problem: StandingProblem, now: float, *, ignored: bool) -> dict[str, Any]:
    return {
        "location": problem.location,
        "path": problem.path,
        "code": problem.code,
        "reason": problem.reason,
        "remedy": REMEDIES.get(problem.code, ""),
        "since": local_time(problem.since),
        "age_s": max(0, round(now - problem.since)),
        "ignored": ignored,
    }
