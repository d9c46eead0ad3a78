"""The queue of syncs and mirrors that wait for a remote: list it, try again, forget."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import msgspec

from orchestrator.actions.change import ChangeResult, agreed
from orchestrator.actions.runs import resume
from orchestrator.actions.session import Session
from orchestrator.actions.sync import sync
from orchestrator.actions.waiting import (
    all_waiting,
    identities_of_pair,
    interrupted_syncs,
    local_time,
    name_of,
    name_of_intention,
    names_of_pair,
    open_queue,
)
from orchestrator.apply.journal.records import Run
from orchestrator.config.options.queue import QueueDropOptions, QueueFlushOptions
from orchestrator.config.options.runs import ResumeOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import ExitCode, InterruptedRunError, OrchestratorError, UsageError, worst
from orchestrator.report.reporter import Column, error_code
from orchestrator.sync_queue.store import Waiting, pair_names
from orchestrator.wording import counted


def list_queue(session: Session) -> list[Waiting]:
    """List what waits, the syncs that stopped half-way first. Returns the rows of the queue."""
    now = time.time()
    with open_queue(session) as queue:
        rows = all_waiting(session, queue)
    columns = [
        Column("number", "", right=True, text=lambda row: "" if row["number"] is None else str(row["number"])),
        Column("kind", "kind", text=lambda row: row["kind"] if row["run"] is None else f"run {row['run']}"),
        Column("a", "pair", text=lambda row: name_of(row["a"], row["b"], row["direction"])),
        Column("since", "since", text=lambda row: _short(row["since"])),
        Column("attempts", "tries", right=True),
        Column("next_try", "next try", text=lambda row: "now" if row["due"] else _short(row["next_try"])),
        Column("reason", "reason"),
    ]
    records = [*map(_run_row, interrupted_syncs(session)), *(_row(row, now) for row in rows)]
    session.reporter.table("queued", columns, records, empty="the queue is empty")
    return rows


def _short(time_text: str) -> str:
    """A time as people read it: on this machine, to the minute."""
    return time_text[: len("2026-12-01 09:43")]


Part = Callable[[frozenset[str]], AbstractContextManager[list[ExitCode]]]
"""A block in which one pair of locations is synced, which gets the exit code. The argument: all that the pair is called."""


def _alone(_names: frozenset[str]) -> AbstractContextManager[list[ExitCode]]:
    return nullcontext([])


def flush(options: QueueFlushOptions, session: Session, part: Part = _alone) -> ExitCode:
    """Finish the syncs that stopped half-way, and sync each pair that waits. One that fails does not stop the next.

    `part`: what is around each of them. Returns the worst exit code. Raises InterruptedRunError.
    """
    session.need_consent("queue flush")
    codes = []
    for run in interrupted_syncs(session):
        with part(names_of_pair(session, run.source, run.target)) as codes_of_part:
            code, _ = _tried(session, f"run {run.id}", partial(resume, ResumeOptions(run=run.id), session))
            codes_of_part.append(code)
        codes.append(code)
        if session.stop.is_set():
            return worst(codes)
    now = time.time()
    with open_queue(session) as queue:
        rows = [row for row in all_waiting(session, queue) if row.due(now) or not options.due]
    for row in rows:
        with part(row.intention.names) as codes_of_part:
            code, reason = _tried(
                session, name_of_intention(row.intention), partial(_sync, session, row), (row.reason, row.since)
            )
            codes_of_part.append(code)
        if reason and not session.options.dry_run and code not in (ExitCode.UNREACHABLE, ExitCode.LOCKED):
            with open_queue(session) as queue:  # `sync` itself does it where a remote is away
                queue.failed(row.number or 0, reason, time.time())
        codes.append(code)
        if session.stop.is_set():
            return worst(codes)
    if not codes:
        session.reporter.note("nothing is due" if options.due else "the queue is empty")
    return worst(codes)


def drop(options: QueueDropOptions, session: Session) -> int:
    """Forget what waits for some pairs; how many. Raises UsageError when nothing waits for one of them."""
    session.need_consent("queue drop")
    with open_queue(session) as queue:
        chosen = _chosen(options.pair, queue.rows(), session)
        if not chosen:
            session.reporter.note("the queue is empty")
        for row in chosen:
            session.reporter.note(f"{row.number}: {name_of_intention(row.intention)}")
        if session.options.dry_run or not chosen or not agreed(session, f"Forget {counted(len(chosen), 'queued pair')}?"):
            return 0
        for row in chosen:
            queue.drop(row.number or 0)
            session.problems.succeeded(name_of_intention(row.intention))
    session.reporter.note(f"forgot {counted(len(chosen), 'queued pair')}")
    return len(chosen)


def _row(row: Waiting, now: float) -> dict[str, Any]:
    wanted = row.intention
    return {
        "number": row.number,
        "run": None,
        "kind": wanted.kind,
        "a": wanted.a,
        "b": wanted.b,
        "direction": wanted.direction,
        "options": {**wanted.options, **wanted.common},
        "since": local_time(row.since),
        "attempts": row.attempts,
        "next_try": local_time(row.next_try),
        "due": row.due(now),
        "reason": row.reason,
    }


def _run_row(run: Run) -> dict[str, Any]:
    return {
        "number": None,
        "run": run.id,
        "kind": "sync",
        "a": run.source,
        "b": run.target,
        "direction": run.header.options["sync"]["direction"],
        "options": {},
        "since": local_time(run.created),
        "attempts": run.starts,
        "next_try": None,
        "due": True,
        "reason": "stopped half-way",
    }


def _tried(
    session: Session, name: str, work: Callable[[], ChangeResult], before: tuple[str, float] | None = None
) -> tuple[ExitCode, str | None]:
    """The exit code of a part of the flush, and why it failed as a whole, if it did, which is reported.

    `before`: why it failed the last time, and since when it fails.
    """
    session.reporter.note(f"{name}: trying again")
    try:
        result = work()
    except InterruptedRunError:  # it ends the whole flush
        raise
    except OrchestratorError as error:
        if session.stop.is_set():
            raise
        session.problems.failed(name, error_code(error), error.message, error.path, before=before)
        return error.exit_code, error.message
    else:
        session.problems.succeeded(name)
        return result.exit_code, None


def _sync(session: Session, row: Waiting) -> ChangeResult:
    """Sync a pair as it was wanted. Raises UsageError when that is not possible any more."""
    wanted = row.intention
    given = {name: value for name, value in wanted.common.items() if getattr(session.options, name) is None}
    try:
        options = msgspec.convert({**wanted.options, "a": wanted.a, "b": wanted.b}, SyncOptions)
        common = msgspec.structs.replace(session.options, **given)
    except (msgspec.ValidationError, TypeError) as error:
        raise UsageError(f"its options are no longer valid ({error}): {_again(row)}") from error
    with session.part(common) as part:
        a, b = part.locations(wanted.a, wanted.b)
        if not wanted.names & pair_names(identities_of_pair(part, a.fs, b.fs)):
            raise UsageError(f"{wanted.a} or {wanted.b} leads to another folder than when it was queued: {_again(row)}")
        return sync(options, part, wanted.kind)


def _again(row: Waiting) -> str:
    return f"run the sync again, and `music-orchestrator queue drop {row.number}`"


def _chosen(wanted: tuple[str, ...], rows: list[Waiting], session: Session) -> list[Waiting]:
    if wanted == ("all",):
        return rows
    if all(text.isdecimal() for text in wanted):
        numbers = {int(text) for text in wanted}
        missing = numbers - {row.number for row in rows}
        if missing:
            raise UsageError(f"{min(missing)}: nothing with this number is queued; `music-orchestrator queue list` shows what is")
        return [row for row in rows if row.number in numbers]
    if len(wanted) != 2:
        raise UsageError("name a pair by its number from `music-orchestrator queue list`, by its two locations, or say all")
    names: frozenset[str] = frozenset()
    with contextlib.suppress(UsageError):  # a location that no longer exists can be dropped by the text that was typed
        a, b = session.locations(*wanted)
        names = names_of_pair(session, a.fs, b.fs)
    found = [row for row in rows if row.intention.names & names or {row.intention.a, row.intention.b} == set(wanted)]
    if not found:
        raise UsageError(f"nothing is queued for {wanted[0]} and {wanted[1]}; `music-orchestrator queue list` shows what is")
    return found
