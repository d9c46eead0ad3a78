"""What the jobs of the config do with locations: only read them, or use two of them together."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.actions.job_check import locations_in
from orchestrator.actions.locations import source_and_target
from orchestrator.actions.session import Session
from orchestrator.actions.sync_direction import check_sides
from orchestrator.config.jobs import placed_steps
from orchestrator.config.options.declare import Options
from orchestrator.config.options.dedup import DedupStep
from orchestrator.config.options.organize import OrganizeStep
from orchestrator.config.options.quarantine import QuarantineEmptyOptions
from orchestrator.config.options.sync import SyncStep
from orchestrator.errors import OrchestratorError
from orchestrator.location import Location


def only_read(session: Session) -> set[str]:
    """The locations (in canonical form) that jobs and the config only read."""
    read: set[str] = {*session.config.dedup.reference, *session.config.playlists}
    written: set[str] = set()
    for placed in placed_steps(session.config.jobs):
        for options in placed.step.commands.values():
            changed = set(_changed_by(options, session))
            written |= changed
            read |= {text for _, text in locations_in(options)} - changed
    return {location.fs for text in read - written if (location := _location(session, text)) is not None}


def pair_of(session: Session, options: Options) -> tuple[Location, Location] | None:
    """The two locations that a step uses together; None if it has one, or they cannot be found."""
    match options:
        case OrganizeStep(source=first, target=str(second)) | SyncStep(a=first, b=second):
            one, other = _location(session, first), _location(session, second)
            return None if one is None or other is None else (one, other)
        case _:
            return None


def check_pair(session: Session, options: Options, one: Location, other: Location) -> None:
    """Raise UsageError, as the step itself would, for locations that cannot be used together."""
    if isinstance(options, SyncStep):
        check_sides(session, one, other)
    else:
        source_and_target(session, one.typed, other.typed)


def _changed_by(options: Options, session: Session) -> Iterator[str]:
    """The locations that a step changes, as they are typed."""
    match options:
        case OrganizeStep():
            yield options.target or options.source
            yield from (options.mirror,) if isinstance(options.mirror, str) else options.mirror
            if options.move:
                yield options.source
        case SyncStep():
            yield from {options.a, options.b} - _kept_by(options, session)
        case DedupStep() if options.dedup == "quarantine" or options.delete:
            yield from options.locations
        case QuarantineEmptyOptions():
            yield options.location
        case _:
            pass


def _kept_by(options: SyncStep, session: Session) -> set[str]:
    """The side that a sync only reads: that which changes go away from, if one is on this machine and one is not."""
    sides = {text: _location(session, text) for text in (options.a, options.b)}
    here = {text for text, location in sides.items() if location is not None and location.local}
    if options.delete_after or len(here) != 1:
        return set()
    return {"to-cloud": here, "to-local": {*sides} - here}.get(options.mode or "", set())


def _location(session: Session, text: str) -> Location | None:
    try:
        return session.named(text)[0]
    except OrchestratorError:  # reported where it is tried
        return None
