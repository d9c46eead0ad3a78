"""Do one step of a job: call the action of its command with the options of the step."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from orchestrator.actions.job_check import locations_in
from orchestrator.actions.session import Session
from orchestrator.config.fields import fields_of
from orchestrator.config.jobs import JobStep
from orchestrator.config.options.declare import Options
from orchestrator.config.options.dedup import DedupOptions, DedupStep
from orchestrator.config.options.organize import OrganizeOptions, OrganizeStep
from orchestrator.config.options.quarantine import QuarantineEmptyOptions
from orchestrator.config.options.scan import ScanOptions, ScanStep
from orchestrator.config.options.sync import SyncOptions, SyncStep
from orchestrator.config.options.verify import VerifyOptions
from orchestrator.errors import ExitCode

_LABEL = re.compile(r"(?P<job>.*?), step \d+ of \d+ \(", re.DOTALL)

OptionsT = TypeVar("OptionsT", bound=Options)


def do_step(step: JobStep, session: Session) -> ExitCode:
    """Do it, and return its exit code. Raises what its action raises."""
    # ruff: noqa: PLC0415 - an action is imported when a step needs it
    (options,) = step.commands.values()
    match options:
        case OrganizeStep():
            from orchestrator.actions.organize import organize

            return organize(_as(OrganizeOptions, options), session).exit_code
        case SyncStep():
            from orchestrator.actions.sync import sync

            return sync(_as_sync(options), session).exit_code
        case DedupStep():
            from orchestrator.actions.dedup import dedup

            return dedup(_as(DedupOptions, options), session).exit_code
        case ScanStep():
            from orchestrator.actions.scan import scan

            return scan(_as(ScanOptions, options), session).exit_code
        case VerifyOptions():
            from orchestrator.actions.verify import verify

            return verify(options, session).exit_code
        case QuarantineEmptyOptions():
            from orchestrator.actions.quarantine import empty

            return empty(options, session).exit_code
        case _:
            raise AssertionError(f"no action for {type(options).__name__}")


def check_step(step: JobStep, session: Session) -> None:
    """Raise UsageError for a location that does not exist by its name, and for a direction that cannot be."""
    (options,) = step.commands.values()
    named = [session.named(text) for _, text in locations_in(options)]
    if isinstance(options, SyncStep):
        from orchestrator.actions.sync_direction import way_of

        way_of(_as_sync(options), session, (named[0][0], named[1][0]))


def names_of_pairs(step: JobStep, session: Session) -> frozenset[str]:
    """What the pairs of locations are called that a step syncs: see `names_of_pair`. Sends no requests."""
    from orchestrator.actions.waiting import names_of_pair

    (options,) = step.commands.values()
    if isinstance(options, SyncStep):
        a, b = session.named(options.a, options.b)
        return names_of_pair(session, a.fs, b.fs)
    if isinstance(options, OrganizeStep):
        organized, *mirrors = session.named(options.target or options.source, *options.mirrors)
        return frozenset[str]().union(*(names_of_pair(session, organized.fs, mirror.fs) for mirror in mirrors))
    return frozenset()


def max_delete_of(step: JobStep) -> str | None:
    """The limit that a step sets for itself, as on the command line."""
    (options,) = step.commands.values()
    limit = getattr(options, "max_delete", None)
    return None if limit is None else str(limit)


def label_of(job: str, number: int, steps: int, step: JobStep) -> str:
    """What messages, and the record of problems, call a step of a job."""
    return f"{beginning_of_labels(job)}{number} of {steps} ({described(step)})"


def beginning_of_labels(job: str) -> str:
    """How the labels of all steps of a job begin."""
    return f"{job}, step "


def job_of(label: str) -> str | None:
    """The job that a label is of; None if it is not that of a step."""
    found = _LABEL.match(label)
    return found["job"] if found else None


def described(step: JobStep) -> str:
    """A step in short, for people: `organize gdrive:Inbox library`."""
    ((command, options),) = step.commands.items()
    words = [command.replace("_", " ")]
    for field in fields_of(type(options)):
        if field.spelling.positional:
            value = getattr(options, field.name)
            words += [value] if isinstance(value, str) else value or ()
    return " ".join(words)


def _as_sync(step: SyncStep) -> SyncOptions:
    ways = {"to_cloud": step.mode == "to-cloud", "to_local": step.mode == "to-local"}
    return _as(SyncOptions, step, **ways, bidirectional=step.mode == "bidirectional")


def _as(kind: type[OptionsT], step: Options, **more: bool) -> OptionsT:
    """The options of a command from those of its step, which have the same names."""
    names = {field.name for field in msgspec.structs.fields(kind)}
    return kind(**{name: value for name, value in msgspec.structs.asdict(step).items() if name in names} | more)
