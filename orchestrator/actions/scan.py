"""From what was typed to what lies there: locations, their scan, and what the planners are told of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.actions.session import Session
from orchestrator.catalogue.selection import OUTSIDE
from orchestrator.config.values import parse_duration
from orchestrator.errors import AuthError, ExitCode, NotFoundError, SafetyLimitError, TransientError, UsageError
from orchestrator.location import CLOUD_REMOTE, Location
from orchestrator.profiles import load_profile, profile_for_environment_remote
from orchestrator.report.reporter import duration_text

if TYPE_CHECKING:
    from orchestrator.catalogue.update import ScanResult
    from orchestrator.plan.companions.playlists.external import ExternalList
    from orchestrator.records import Capabilities, Item


class Wishes(NamedTuple):
    """What the options of `organize` and `plan` ask for."""

    layout: str | None = None
    copy: bool | None = None
    """True: copy; False: move; None: move in place, copy to another target."""
    cloud_only: bool = False
    untagged: str | None = None
    leftovers: str | None = None
    playlists: tuple[str, ...] = ()
    """Locations whose lists are looked at, besides those of the config."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    settle: str | None = None
    reading: str | None = None
    """The policy of reading tags; None: as the config or the profile says."""
    no_scan: bool = False
    """Go by the catalogue alone."""
    dedup: str | None = None
    """off, report or quarantine; None: as the config says."""
    keep: str | None = None
    reference: tuple[str, ...] = ()
    same_format_only: bool = False


def places(session: Session, source_text: str, target_text: str | None) -> tuple[Location, Location]:
    """Source and target. Raises UsageError when the target lies inside the source, or where a bucket must be named."""
    found = session.places(*([source_text] if target_text is None else [source_text, target_text]))
    for place in found:
        check_bucket(session, place)
    source, target = found[0], found[-1]
    below = session.path_below(target, source)
    if below == "":
        return source, source
    if below is not None:
        raise UsageError(
            f"the target {target.typed} lies inside the source {source.typed}: choose a folder outside, or organize in place"
        )
    return source, target


def _check_folder(place: Location) -> Path | None:
    """The nearest folder that there is, of a place on this machine. Raises UsageError where it is something else."""
    if not place.local:
        return None
    nearest = next(one for one in (Path(place.fs), *Path(place.fs).parents) if os.path.lexists(one))
    if not nearest.is_dir():
        raise UsageError(f"{place.typed}: {nearest} is not a folder")
    return nearest


def check_target(target: Location) -> None:
    """Find out before any work that a target on this machine cannot be made or written to. Raises UsageError."""
    nearest = _check_folder(target)
    if nearest is not None and not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{target.typed}: nothing can be written to {nearest}: choose another target, or mend its permissions")


def check_bucket(session: Session, place: Location) -> None:
    """An artist's folder at the top of an object store would be a bucket. Raises UsageError."""
    if place.remote is None or place.fs.partition(":")[2].strip("/"):
        return
    backend = place.definition.type if place.definition is not None else session.remotes.get(place.remote)
    profile = load_profile(backend or "")
    if profile.has_buckets:
        example = f"{place.fs}my-{profile.top_level.removesuffix('s')}/Music"
        raise UsageError(f"{place.fs} holds {profile.top_level}, not folders: name one, such as {example}")


@contextmanager
def reaching(session: Session, place: Location) -> Iterator[None]:
    """While a place is asked: what is wrong with the place as a whole is said with its name, and with what to do.

    Raises UsageError for one that is not there.
    """
    try:
        yield
    except NotFoundError as error:
        raise UsageError(f"{place.typed}: there is no such folder ({error.message})") from error
    except TransientError as error:
        error.message = f"{place.typed} cannot be reached: {error.message}"
        raise
    except AuthError as error:
        error.message = f"{place.typed} refuses the credentials: {_remedy(session, place)} ({error.message})"
        raise


def _remedy(session: Session, place: Location) -> str:
    """Where the credentials of a place are to be mended."""
    definition = place.definition
    profile = profile_for_environment_remote(place.remote or "")
    if profile is not None:
        return f"set {profile.environment.credentials} to good ones, or name a remote of the rclone config under `schemes:`"
    if definition is not None:
        ours = definition.name == CLOUD_REMOTE and session.config.cloud is not None
        return f"correct `{'cloud' if ours else f'remotes.{definition.name}'}.options` in the config"
    return f"`rclone config reconnect {place.remote}:` or `rclone config update {place.remote}` mends them"


def scan_place(session: Session, place: Location, wishes: Wishes, *, allow_emptied: bool = False) -> ScanResult:
    """Bring the catalogue up to date.

    Raises UsageError for a folder that is not there, SafetyLimitError for one that is empty now, or has lost most of its music.
    """
    from orchestrator.catalogue.update import scan  # noqa: PLC0415 - heavy

    settle_s = parse_duration(wishes.settle)
    _check_folder(place)
    storage = session.storage(place)
    try:
        with reaching(session, place):
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
    except SafetyLimitError as error:
        remedy = f"If it was removed on purpose: music-orchestrator scan --allow-empty {place.typed}"
        raise SafetyLimitError(f"{error.message} {remedy}", path=error.path) from error
    session.summary.files_seen += result.files_seen
    session.summary.files_read += result.files_read
    session.summary.bytes_read += result.bytes_read
    return result


def look(session: Session, place: Location, wishes: Wishes) -> tuple[ScanResult, Capabilities]:
    """What lies at a place and what its storage can do: by a scan or, with `no_scan`, by the catalogue, whose age is told.

    Raises UsageError for a place that the catalogue does not know, else as `scan_place` does.
    """
    if not wishes.no_scan:
        return scan_place(session, place, wishes), session.storage(place).capabilities
    from orchestrator.catalogue.last_scan import recall  # noqa: PLC0415 - heavy

    now_ns = time.time_ns()
    settle_s = parse_duration(wishes.settle)
    found = recall(session.catalogue, place.fs, include=wishes.include, exclude=wishes.exclude, settle_s=settle_s, now_ns=now_ns)
    if found is None:
        raise UsageError(
            f"{place.typed} has not been scanned yet: run `music-orchestrator scan {place.typed}`, or leave out --no-scan"
        )
    age = duration_text((now_ns - found.scanned_ns) / 1e9)
    session.reporter.note(f"{place.typed}: as the catalogue knows it from {age} ago; nothing was listed")
    if found.unread:
        session.reporter.warning(
            f"{place.typed}: {found.unread} files have not been read yet and are left out; a scan reads them"
        )
    session.summary.files_seen += found.result.files_seen
    return found.result, found.capabilities


def report_scan(session: Session, result: ScanResult, *, suspects: bool = True) -> ExitCode:
    """Name what is suspect and what could not be looked at, but for unreadable files and shared names: the plan names those."""
    for path, why in result.suspect if suspects else ():
        session.reporter.finding("suspect", why, path)
    for path in result.vanished:
        hidden = ", or lies in a folder that shares its name with another one" if result.folders_may_hide else ""
        session.reporter.error("vanished", f"was there when the folder was listed, and then was gone{hidden}", path)
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


def items_of(session: Session, place: Location, result: ScanResult) -> list[Item]:
    """What the planner is told of a place."""
    from orchestrator.records import Item  # noqa: PLC0415 - heavy
    from orchestrator.tags.formats import is_audio  # noqa: PLC0415

    items = []
    for one in session.catalogue.entries(place.fs, result.selection):
        # Music that the storage did not give is neither without tags nor somebody's companion.
        unread = "it could not be read" if one.reading is None and is_audio(one.entry.path) else None
        items.append(Item(one.entry, one.reading, one.skipped_because or unread, one.content))
    wanted = result.selection.include
    if wanted and all(item.skipped_because in OUTSIDE for item in items):
        session.reporter.warning(f"{place.typed}: no file there fits --include {' --include '.join(wanted)}")
    return items


def target_items(session: Session, place: Location, wishes: Wishes) -> tuple[list[Item], Capabilities]:
    """What already lies at another target; nothing when it is not there yet. Raises UsageError for a bucket that is missing."""
    if wishes.no_scan:
        result, capabilities = look(session, place, Wishes(no_scan=True))
        return items_of(session, place, result), capabilities
    capabilities = session.storage(place).capabilities
    try:
        result = scan_place(session, place, Wishes(reading=wishes.reading), allow_emptied=True)
    except UsageError as error:
        # Without directories of its own a remote tells only of a missing bucket, and we make none.
        if capabilities.empty_directories and isinstance(error.__cause__, NotFoundError):
            return [], capabilities
        raise
    return items_of(session, place, result), capabilities


def outside_lists(session: Session, wishes: Wishes) -> list[ExternalList]:
    """The playlists and cue sheets of the places that are named for them; what cannot be read is said. Nothing without a scan.

    Raises UsageError for a folder that is not there.
    """
    from orchestrator.catalogue.external_playlists import read_lists  # noqa: PLC0415 - heavy

    typed = () if wishes.no_scan else dict.fromkeys((*session.config.playlists, *wishes.playlists))
    found: list[ExternalList] = []
    for place in session.places(*typed):
        with reaching(session, place):
            lists, unread = read_lists(session.storage(place))
        found += lists
        for path, reason in unread:
            session.reporter.warning(f"{place.typed}: {path}: {reason}: whether its entries move is not known")
    return found


def name_shared(session: Session, result: ScanResult) -> ExitCode:
    """Name what several files are called: as a finding where their ids tell them apart, else as an error."""
    for path, number in result.sharing_names.items():
        if path in result.nameless:
            session.reporter.error("duplicate-name", f"{number} files carry this name: give them names of their own first", path)
        else:
            session.reporter.finding("duplicate-name", f"{number} files carry this name; each is known by its id", path)
    session.summary.ops_skipped += len(result.nameless)
    return ExitCode.SOME_FAILED if result.nameless else ExitCode.DONE
