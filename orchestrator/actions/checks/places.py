"""The locations that the config and its jobs name: each is tried, all at the same time, and compared with the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any, NamedTuple

from orchestrator.actions.checks.machine import names_are_utf8
from orchestrator.actions.checks.mounts import why_not_mounted
from orchestrator.actions.checks.uses import check_pair, only_read, pair_of
from orchestrator.actions.job_check import locations_in
from orchestrator.actions.location_check import all_well, inspect_all
from orchestrator.actions.locations import check_folder, where_defined
from orchestrator.actions.session import CATALOGUE_FILE, Session
from orchestrator.apply.guard.marker import FRESH_S
from orchestrator.apply.guard.surroundings import MARKER
from orchestrator.config.jobs import placed_steps
from orchestrator.config.location_text import is_path
from orchestrator.errors import (
    AccessDeniedError,
    AuthError,
    ConfigError,
    ExitCode,
    NotFoundError,
    OrchestratorError,
    TransientError,
    UsageError,
)
from orchestrator.location import CLOUD_REMOTE, Location
from orchestrator.report.finding import Finding
from orchestrator.report.location_view import state_text
from orchestrator.report.reporter import age_text
from orchestrator.wording import counted

WITHIN_S = 15.0
"""How long the locations may take to answer, all together."""

CLOCK_S = 60.0
"""Seconds: S3 refuses requests at 15 minutes, and a sync that compares times is wrong about files edited in between."""


class _Named(NamedTuple):
    """A location that the config names."""

    check: str
    text: str
    made: bool = False
    """Whether a job makes it if it does not exist."""


def check_locations(session: Session) -> Iterator[Finding]:
    """Try each of them; one that does not answer does not hold up the others."""
    if not names_are_utf8():
        yield Finding("locations", ok=True, message="not tried, because names of files cannot be used (see above)")
        return
    broken = unknown_types(session)
    wanted: dict[str, Location] = {}
    made: set[str] = set()
    by_config = _named_by_config(session)
    for named in by_config or _of_rclone(session):
        try:
            (location,) = session.locations(named.text)
            check_folder(location)
        except OrchestratorError as error:
            more = error.more if isinstance(error, ConfigError) else ()
            for one in (error, *more):
                yield Finding(named.check, ok=False, message=one.message, code=one.exit_code)
            continue
        if location.remote not in broken and all(location.fs != other.fs for other in wanted.values()):
            wanted[named.check] = location
            made |= {named.check} if named.made else set()
    read_only = only_read(session)
    for check, found in inspect_all(session, wanted, WITHIN_S, write=bool(by_config)).items() if wanted else ():
        if check in made and isinstance(found, UsageError) and isinstance(found.__cause__, NotFoundError):
            yield Finding(check, ok=True, message=f"{wanted[check].typed} does not exist yet: its job makes it")
        else:
            yield _of_location(session, check, wanted[check], found, may_be_read_only=wanted[check].fs in read_only)
            yield from _of_run(session, check, found)
    yield from _together(session, wanted)


def _named_by_config(session: Session) -> list[_Named]:
    """What is tried, each once. A remote of which a location is tried needs no check of its own."""
    config = session.config
    found = [_Named(f"location {name}", name) for name in config.locations]
    if config.cloud is not None:
        found.append(_Named("cloud", f"{CLOUD_REMOTE}:"))
    for placed in placed_steps(config.jobs):
        for options in placed.step.commands.values():
            for option, text in locations_in(options):
                if text not in config.locations and (is_path(text) or ":" in text):  # another one is a problem of the config
                    found.append(_Named(f"job {placed.job}", text, made=option in {"target", "mirror"}))
    found += [_Named("dedup.reference", text) for text in config.dedup.reference if text not in config.locations]
    found += [_Named("playlists", text) for text in config.playlists if text not in config.locations]
    used = {config.locations.get(one.text, one.text).partition(":")[0] for one in found}
    schemes = (getattr(config.schemes, scheme) for scheme in config.schemes.__struct_fields__)
    remotes = dict.fromkeys([*config.remotes, *(remote.rstrip(":") for remote in schemes if remote is not None)])
    found += [_Named(f"remote {name}", f"{name}:") for name in remotes if name not in used and name in session.remotes]
    return _numbered(found)


def _of_rclone(session: Session) -> list[_Named]:
    """All remotes: those of a user without a config, who names them on the command line. Nothing is written there."""
    return [_Named(f"remote {name}", f"{name}:") for name in sorted(session.remotes)]


def _numbered(found: Sequence[_Named]) -> list[_Named]:
    """Each text once, under a name of its own."""
    texts: set[str] = set()
    checks: set[str] = set()
    once = []
    for one in found:
        if one.text in texts:
            continue
        texts.add(one.text)
        check = one.check if one.check not in checks else f"{one.check} {one.text}"
        checks.add(check)
        once.append(one._replace(check=check))
    return once


def contacted(session: Session) -> set[str]:
    """The remotes that `check_locations` tries."""
    texts = (one.text for one in _named_by_config(session) or _of_rclone(session))
    return {session.config.locations.get(text, text).partition(":")[0] for text in texts}


def unknown_types(session: Session) -> set[str]:
    """The remotes of the rclone config of which this rclone knows no backend."""
    ours = {name for name, settings in session.config.remotes.items() if settings.type is not None}
    return {name for name, kind in session.remotes.items() if name not in ours and session.rclone.backends.find(kind) is None}


def _of_location(
    session: Session, check: str, location: Location, found: Mapping[str, Any] | Exception, *, may_be_read_only: bool
) -> Finding:
    empty = isinstance(found, Mapping) and bool(found["empty"])
    unmounted = why_not_mounted(location.fs, empty=empty) if location.local else None
    if unmounted is not None:
        code = ExitCode.SAFETY_LIMIT if unmounted.certain else ExitCode.DONE
        return Finding(check, ok=False, message=f"{location.fs}: {unmounted.message}", remedy=unmounted.remedy, code=code)
    if isinstance(found, Exception):
        return _of_failure(session, check, location, found)
    message, remedy, code = f"{location.fs} {state_text(found)}", "", ExitCode.SOME_FAILED
    if empty and (known := _known_files(session, location)):
        message = f"{location.fs} is empty, but the last scan saw {counted(known, 'file')} there"
        remedy = "mount its disk, or correct the address; if all was removed on purpose, scan it once more"
        code = ExitCode.SAFETY_LIMIT
    elif not all_well(found):
        remedy = "" if found["readable"] and found["not_deletable"] is None else "grant these rights"
    elif abs(found["clock_s"] or 0.0) > CLOCK_S:
        remedy = "set the clock that is wrong, such as with `timedatectl set-ntp true`"
    elif found["writable"] is False and not may_be_read_only and location.path.strip("/"):
        remedy = "grant the right to write there; if it is only read, nothing has to be done"
    else:
        return Finding(check, ok=True, message=message)
    return Finding(check, ok=False, message=message, remedy=remedy, code=code)


def _of_run(session: Session, check: str, found: Mapping[str, Any] | Exception) -> Iterator[Finding]:
    """What the marker of a run shows that is not in our journal: another machine, or another state directory, works there."""
    if isinstance(found, Exception) or found["run"] is None:
        return
    host, run, age_s = found["run"]["host"], found["run"]["run"], time.time() - found["run"]["heartbeat"]
    with suppress(OrchestratorError):  # of the journal, which is checked by itself
        if any(one.id == run for one in session.journal.runs()):
            return
    if abs(age_s) < FRESH_S:
        yield Finding(check, ok=True, message=f"{found['location']}: {host} has a run in progress there ({run})")
        return
    yield Finding(
        check,
        ok=False,
        message=f"{found['location']}: {host} began the run {run} there {age_text(abs(age_s))} ago, and has not finished it",
        remedy=f"`music-orchestrator resume {run}` on {host}; if that is impossible, delete {MARKER} there",
        code=ExitCode.SOME_FAILED,
    )


def _of_failure(session: Session, check: str, location: Location, error: Exception) -> Finding:
    if isinstance(error, AuthError) and isinstance(error.__cause__, AccessDeniedError) and not location.path.strip("/"):
        # Credentials for one bucket may not list all of them.
        remedy = f"`music-orchestrator remotes check {location.fs}FOLDER` checks a folder or bucket"
        return Finding(check, ok=True, message=f"{location.fs} may not be listed as a whole", remedy=remedy)
    if not isinstance(error, OrchestratorError):
        raise error
    remedy = ""
    if isinstance(error, TransientError) and not location.local:  # its message only says why
        remedy = f"start the server, or check its address {where_defined(session, location)}"
    return Finding(check, ok=False, message=error.message, remedy=remedy, code=error.exit_code)


def _known_files(session: Session, location: Location) -> int:
    """How many files the last scan saw in a location."""
    if not (session.state / CATALOGUE_FILE).exists():
        return 0
    try:
        return session.catalogue.count(location.fs)
    except OrchestratorError:  # reported with the state directory
        return 0


def _together(session: Session, wanted: Mapping[str, Location]) -> Iterator[Finding]:
    """Locations that share a folder: what jobs refuse is a problem, anything else worth knowing."""
    told: set[frozenset[str]] = set()
    for placed in placed_steps(session.config.jobs):
        for options in placed.step.commands.values():
            if (pair := pair_of(session, options)) is None:
                continue
            told.add(frozenset(location.fs for location in pair))
            try:
                check_pair(session, options, *pair)
            except UsageError as error:
                yield Finding(f"job {placed.job}", ok=False, message=error.message, remedy="name others", code=error.exit_code)
    for (check, one), (other_check, other) in combinations(wanted.items(), 2):
        if not check.startswith("location ") or not other_check.startswith("location ") or frozenset({one.fs, other.fs}) in told:
            continue
        name, other_name = check.partition(" ")[2], other_check.partition(" ")[2]
        below, above = session.path_below(one, other), session.path_below(other, one)
        same = "" in (below, above) or os.path.realpath(one.fs) == os.path.realpath(other.fs)
        if same or session.overlap(one, other):
            inner, outer = (name, other_name) if below is not None else (other_name, name)
            how = f"{name} and {other_name} are the same folder" if same else f"{inner} lies inside {outer}"
            if not same and below is None and above is None:
                how = f"{name} and {other_name} have a folder in common"
            yield Finding(
                f"locations {name}",
                ok=False,
                message=f"{how}: what changes one changes the other",
                remedy="never sync or compare them with each other",
            )
