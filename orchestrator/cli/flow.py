"""The way from locations to a plan, and from a plan to its end; `organize`, `plan`, `apply`, `resume` and `undo` share it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import orchestrator
from orchestrator.cli.options import parse_duration
from orchestrator.cli.session import Session
from orchestrator.errors import (
    AuthError,
    ExitCode,
    NotFoundError,
    OrchestratorError,
    RemoteError,
    SafetyLimitError,
    TransientError,
    UsageError,
    worst,
)
from orchestrator.location import Location, inside, same
from orchestrator.plan.model import Plan, Verb

if TYPE_CHECKING:
    from orchestrator.apply.records import Change, RunResult
    from orchestrator.catalogue.scan import ScanResult
    from orchestrator.plan.request import Item, OrganizeOptions
    from orchestrator.storage.base import Storage

SKIPS_THAT_COUNT = frozenset({"unreadable", "untagged", "unsupported-name"})
"""Music that had to be skipped makes a run end with 3. What is not music stays by the rules, and that is no failure."""

BUCKET_BACKENDS = frozenset(
    {"s3", "google cloud storage", "azureblob", "b2", "swift", "oracleobjectstorage", "qingstor", "storj"}
)
"""rclone's backends whose top level are buckets."""

GOES_ON = frozenset({ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE})
"""How an interrupted run may end that a command finishes first: the command's own work follows."""

WORDS_OF_CODES = {
    ExitCode.SOME_FAILED: "failed",
    ExitCode.STALE: "stale",
    ExitCode.UNREACHABLE: "unreachable",
    ExitCode.AUTH: "auth",
    ExitCode.SAFETY_LIMIT: "safety-limit",
    ExitCode.INTEGRITY: "integrity",
    ExitCode.INTERRUPTED: "interrupted",
}


class Wishes(NamedTuple):
    """What the options of `organize` and `plan` ask for."""

    layout: str | None = None
    copy: bool | None = None
    """True: copy; False: move; None: move in place, copy to another target."""
    cloud_only: bool = False
    untagged: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    settle: str | None = None
    reading: str | None = None
    """The policy of reading tags; None: as the config or the profile says."""


def places(session: Session, source_text: str, target_text: str | None) -> tuple[Location, Location]:
    """Source and target. Raises UsageError when the target lies inside the source, or where a bucket must be named."""
    found = session.places(*([source_text] if target_text is None else [source_text, target_text]))
    for place in found:
        _check_bucket(session, place)
    source, target = found[0], found[-1]
    if same(source, target):
        return source, source
    if inside(target, source):
        raise UsageError(
            f"the target {target.typed} lies inside the source {source.typed}: choose a folder outside, or organize in place"
        )
    return source, target


def _check_bucket(session: Session, place: Location) -> None:
    """An artist's folder at the top of an object store would be a bucket. Raises UsageError."""
    if place.remote is None or place.fs.partition(":")[2].strip("/"):
        return
    backend = place.definition.type if place.definition is not None else session.remotes.get(place.remote)
    if backend in BUCKET_BACKENDS:
        raise UsageError(f"{place.fs} holds buckets, not folders: name one, such as {place.fs}my-bucket/Music")


def scan_place(session: Session, place: Location, wishes: Wishes, *, allow_emptied: bool = False) -> ScanResult:
    """Bring the catalogue up to date.

    Raises UsageError for a folder that is not there, SafetyLimitError for one that is empty now, or has lost most of its music.
    """
    from orchestrator.catalogue.scan import scan  # noqa: PLC0415 - heavy

    settle_s = parse_duration(wishes.settle)
    storage = session.storage(place)
    try:
        result = scan(
            storage,
            session.catalogue,
            policy=session.policy(place, wishes.reading),
            include=wishes.include,
            exclude=wishes.exclude,
            settle_s=settle_s,
            now_ns=time.time_ns(),
            progress=session.reporter,
            allow_emptied=allow_emptied,
            allow_gone=session.max_delete.allows if session.max_delete else None,
            stop=session.stop,
        )
    except NotFoundError as error:
        raise UsageError(f"{place.typed}: there is no such folder ({error.message})") from error
    except TransientError as error:
        error.message = f"{place.typed} cannot be reached: {error.message}"
        raise
    except SafetyLimitError as error:
        remedy = f"If it was removed on purpose: music-orchestrator scan --allow-empty {place.typed}"
        raise SafetyLimitError(f"{error.message} {remedy}", path=error.path) from error
    session.summary.files_seen += result.files_seen
    session.summary.files_read += result.files_read
    session.summary.bytes_read += result.bytes_read
    return result


def items_of(session: Session, place: Location, result: ScanResult) -> list[Item]:
    """What the planner is told of a place."""
    from orchestrator.plan.request import Item  # noqa: PLC0415 - heavy
    from orchestrator.tags.formats import is_audio  # noqa: PLC0415

    items = []
    for one in session.catalogue.entries(place.fs, result.selection):
        # Music that the storage did not give is neither without tags nor somebody's companion.
        unread = "it could not be read" if one.reading is None and is_audio(one.entry.path) else None
        items.append(Item(one.entry, one.reading, one.left_alone or unread))
    return items


def target_items(session: Session, place: Location, reading: str | None) -> list[Item]:
    """What already lies at another target; nothing when it is not there yet. Raises UsageError for a bucket that is missing."""
    directories = session.storage(place).capabilities.empty_directories
    try:
        result = scan_place(session, place, Wishes(reading=reading), allow_emptied=True)
    except UsageError as error:
        # Without directories of its own a remote tells only of a missing bucket, and we make none.
        if directories and isinstance(error.__cause__, NotFoundError):
            return []
        raise
    return items_of(session, place, result)


def make_plan(session: Session, source: Location, target: Location, wishes: Wishes) -> tuple[Plan, ExitCode]:
    """Scan, plan, and report what could not be looked at; gives the plan and what the scan alone comes to."""
    from orchestrator.plan.organize import plan_organize  # noqa: PLC0415 - heavy
    from orchestrator.plan.request import OrganizeRequest  # noqa: PLC0415

    if session.config.dedup.action != "off":
        session.reporter.warning("`dedup` in the config is not used by this version: duplicates stay")
    in_place = source.fs == target.fs
    options = organize_options(session, wishes, in_place=in_place)
    result = scan_place(session, source, wishes)
    at_target = [] if in_place else target_items(session, target, wishes.reading)
    session.reporter.stage("planning")
    plan = plan_organize(
        OrganizeRequest(
            source_fs=source.fs,
            target_fs=target.fs,
            items=items_of(session, source, result),
            target_entries=at_target,
            source_capabilities=session.storage(source).capabilities,
            target_capabilities=session.storage(target).capabilities,
            options=options,
            tool_version=orchestrator.__version__,
            created=now_text(),
            config_sha256=session.loaded_config.sha256,
        )
    )
    code = worst([report_scan(session, result), report_skipped(session, plan)])
    session.summary.ops_planned += len(plan.operations)
    check_limit(session, plan)
    return plan, code


def now_text() -> str:
    """This moment, as plans have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def undo_plan(session: Session, run_id: str) -> Plan:
    """The plan that takes a run back. Raises UsageError for an unknown run."""
    from orchestrator.apply import undo  # noqa: PLC0415 - heavy

    return undo.undo_plan(session.journal, run_id, tool_version=orchestrator.__version__, created=now_text())


def organize_options(session: Session, wishes: Wishes, *, in_place: bool) -> OrganizeOptions:
    """The planner's options: the command line over the config. A layout on the command line stands for all rules."""
    from orchestrator.plan.layout import compile_layout  # noqa: PLC0415 - heavy
    from orchestrator.plan.request import LayoutRule, OrganizeOptions  # noqa: PLC0415

    config = session.config
    rules = () if wishes.layout else tuple(LayoutRule(rule.template, rule.when) for rule in config.layouts)
    layout = wishes.layout or config.layout
    # A wrong template is found before anything is listed.
    compile_layout(layout, rules)
    return OrganizeOptions(
        layout=layout,
        layouts=rules,
        copy=wishes.copy if wishes.copy is not None else not in_place,
        cloud_only=wishes.cloud_only,
        untagged=wishes.untagged,
        names=config.names,
    )


def report_scan(session: Session, result: ScanResult) -> ExitCode:
    """Name what is suspect and what could not be looked at, but for unreadable files and shared names: the plan names those."""
    for path, why in result.suspect:
        session.reporter.finding("suspect", why, path)
    for path in result.vanished:
        session.reporter.error("vanished", "was there when the folder was listed, and then was gone", path)
    for path, reason in result.failures:
        session.reporter.error("failed", reason, path)
    for path in result.difference.twice:
        session.reporter.error("duplicate-name", "listed more than once, and nothing tells the files apart", path)
    for path in result.leftovers:
        session.reporter.note(f"{path}: an unfinished transfer of rclone's; left alone")
    if not result.audio_seen:
        session.reporter.note("no music found")
    session.summary.ops_skipped += len(result.vanished) + len(result.failures) + len(result.difference.twice)
    return ExitCode.SOME_FAILED if result.vanished or result.failures or result.difference.twice else ExitCode.DONE


def report_skipped(session: Session, plan: Plan) -> ExitCode:
    """Name each file that had to be skipped."""
    counted = [one for one in plan.skipped if one.code in SKIPS_THAT_COUNT]
    for one in counted:
        session.reporter.error(one.code, one.reason, one.path)
    session.summary.ops_skipped += len(counted)
    return ExitCode.SOME_FAILED if counted else ExitCode.DONE


def check_limit(session: Session, plan: Plan) -> None:
    """Hold the plan against --max-delete. Raises SafetyLimitError."""
    limit = session.max_delete
    if limit is None:
        return
    removed = sum(1 for operation in plan.operations if operation.verb in (Verb.DELETE, Verb.QUARANTINE))
    files = plan.header.counts.get("files", 0)
    if not limit.allows(removed, files):
        raise SafetyLimitError(
            f"{removed} of {files} files would be removed, more than --max-delete {limit} allows; nothing was changed"
        )


def dry_end(session: Session, plan: Plan, code: ExitCode) -> ExitCode:
    """How a command ends that only looked."""
    if plan.operations and session.options.dry_run and session.options.exit_code:
        return worst([code, ExitCode.PENDING])
    return code


def carry_out(
    session: Session, plan: Plan, *, undoes: str | None = None, verify_full: bool = False, fresh: bool = False
) -> ExitCode:
    """Apply a plan under the lock that the caller holds; report and give the exit code.

    `fresh`: the plan was made from a listing taken under that lock.
    """
    from orchestrator.apply.executor import Settings, apply_plan  # noqa: PLC0415 - heavy

    storages = session.storages(*(fs for operation in plan.operations for fs in (operation.src.fs, operation.dst.fs)))
    if not fresh:
        _knock(storages, plan)
    with session.executing():
        result = apply_plan(
            plan,
            storages,
            session.journal,
            command=session.command,
            undoes=undoes,
            settings=Settings(
                transfers=session.transfers,
                verify="full" if verify_full else "fast",
                fresh=fresh,
                marker=True,
                ignore_marker=bool(session.options.ignore_marker),
            ),
            progress=session.reporter,
            on_changes=lambda changes: note_changes(session, changes),
            stop=session.stop,
        )
    return report_result(session, result)


def _knock(storages: Mapping[str, Storage], plan: Plan) -> None:
    """One look at each place before hundreds at once: a server that is away is one line. Raises TransientError, AuthError."""
    for fs, storage in storages.items():
        path = next(ref.path for operation in plan.operations for ref in (operation.src, operation.dst) if ref.fs == fs)
        try:
            storage.stat(path)
        except TransientError as error:
            error.message = f"{fs} cannot be reached: {error.message}"
            raise
        except AuthError:
            raise
        except RemoteError:
            # It answers; what is wrong with this one file is the executor's to say.
            continue


def finish_unfinished(session: Session, *wanted: Location) -> ExitCode:
    """Finish what earlier runs on these locations left undone, and say so.

    Raises the error of the first one that cannot be finished now: a second run over the same files would take them from it.
    """
    from orchestrator.apply.resume import unfinished_runs  # noqa: PLC0415 - heavy

    code = ExitCode.DONE
    for run in unfinished_runs(session.journal, {place.fs for place in wanted}):
        session.reporter.note(f"the run {run.id} ({run.command} {run.source}) was interrupted: finishing it first")
        code = worst([code, resume_run(session, run.id)])
        if session.stop.is_set():
            break
        if code in GOES_ON and session.journal.run(run.id).state.unfinished:
            raise SafetyLimitError(
                f"the run {run.id} could not be finished, so nothing new was begun: see to what stopped it, "
                f"then `music-orchestrator resume {run.id}`"
            )
    return code


def resume_run(session: Session, run_id: str) -> ExitCode:
    """Finish one run, under the lock that the caller holds."""
    from orchestrator.apply.executor import Settings  # noqa: PLC0415 - heavy
    from orchestrator.apply.resume import resume  # noqa: PLC0415

    plan = session.journal.plan(run_id)
    _knock(session.storages(*(fs for operation in plan.operations for fs in (operation.src.fs, operation.dst.fs))), plan)
    with session.executing():
        result = resume(
            run_id,
            lambda fs: session.storages(fs)[fs],
            session.journal,
            settings=Settings(transfers=session.transfers, marker=True, ignore_marker=bool(session.options.ignore_marker)),
            progress=session.reporter,
            on_changes=lambda changes: note_changes(session, changes),
            stop=session.stop,
        )
    _note_earlier(session, run_id)
    session.summary.ops_planned += result.planned
    return report_result(session, result)


def _note_earlier(session: Session, run_id: str) -> None:
    """Tell the catalogue what an earlier start of a run did and was killed before it could tell."""
    from orchestrator.apply.paths import place  # noqa: PLC0415 - heavy
    from orchestrator.catalogue.rows import Moved  # noqa: PLC0415

    facts = session.journal.facts(run_id, lambda operation: place(operation, run_id))
    taken = {fact.now for fact in facts}
    left = [fact for fact in facts if fact.operation.verb in (Verb.MOVE, Verb.QUARANTINE) and fact.operation.src not in taken]
    with _catalogue_kept(session):
        session.catalogue.moved([Moved(fact.operation.src, fact.now, fact.entry) for fact in left], only_known=True)


def note_changes(session: Session, changes: Sequence[Change]) -> None:
    """Tell the catalogue what was done, so that nothing is read again. No run stops for it: the next scan sees the same."""
    from orchestrator.catalogue.rows import Moved  # noqa: PLC0415 - heavy

    with _catalogue_kept(session):
        session.catalogue.moved([Moved(one.src, one.dst, one.entry, one.copied) for one in changes])


@contextmanager
def _catalogue_kept(session: Session) -> Iterator[None]:
    try:
        yield
    except OrchestratorError as error:
        session.reporter.warning(f"the catalogue could not be kept up to date, the next scan reads more: {error.message}")


def report_result(session: Session, result: RunResult) -> ExitCode:
    """Name every problem of a run and count it in the summary."""
    for problem in result.problems:
        session.reporter.error(WORDS_OF_CODES.get(problem.code, "unexpected"), problem.message, problem.path)
    summary = session.summary
    summary.run = result.run or summary.run
    summary.ops_done += result.done
    summary.ops_failed += result.failed
    summary.ops_skipped += result.skipped
    summary.bytes_moved += result.bytes_moved
    if result.exit_code == ExitCode.INTERRUPTED:
        session.reporter.error("interrupted", f"interrupted; `music-orchestrator resume {result.run}` finishes it")
    return result.exit_code
