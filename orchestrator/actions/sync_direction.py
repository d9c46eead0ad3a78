"""Which way a sync goes: by its options, otherwise by what the config says of the cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.actions.locations import check_shared
from orchestrator.actions.session import Session
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import ConfigError, UsageError
from orchestrator.location import CLOUD_REMOTE, Location
from orchestrator.plan.planners.sync.records import SIDES, Direction, SideNumber

_MODES = {"upload": "to-cloud", "download": "to-local"}
"""The other words for a direction in the config."""


class Way(NamedTuple):
    """Where changes go, and what becomes of their source."""

    direction: Direction
    delete_after: bool = False


def sides_of(options: SyncOptions) -> tuple[str, str]:
    """The two locations as they were typed: B may be the value of a direction. Raises UsageError unless there are two."""
    named = _named(options)
    if named is not None and options.b is not None:
        option, value = named
        raise UsageError(f"sync has two locations, A and B, but got three: {options.a}, {options.b} and {option}={value}")
    b = options.b if named is None else named[1]
    if b is None:
        raise UsageError(f"sync needs two locations, and only {options.a} is given: add the other one")
    return options.a, b


def check_sides(session: Session, a: Location, b: Location) -> None:
    """Raise UsageError for two locations that share a folder."""
    if session.path_below(a, b) is not None or session.path_below(b, a) is not None:
        raise UsageError(f"{a.typed} and {b.typed} are one location, or one lies inside the other: they cannot be synced")
    check_shared(session, [a, b])


def way_of(options: SyncOptions, session: Session, locations: Sequence[Location]) -> Way:
    """The direction, and whether the source is deleted. Raises UsageError for options that exclude each other.

    Also raises it where the direction is that of the config, and that does not fit the locations.
    """
    cloud = session.config.cloud
    in_cloud = [] if cloud is None else [side for side in SIDES if _is_in_cloud(session, locations[side])]
    direction = _given_direction(options, locations)
    if direction is None:
        direction = _configured_direction(session, in_cloud)
    both_ways = direction is Direction.BOTH
    if options.delete and both_ways:
        raise UsageError("--delete is for one way, with --to-cloud or --to-local: both ways, deletions are always carried over")
    configured = cloud is not None and bool(in_cloud) and cloud.delete_after_sync
    if (options.delete_after or configured) and (both_ways or options.delete):
        said = "--delete-after" if options.delete_after else session.loaded_config.label("cloud", "delete_after_sync")
        if both_ways:
            raise UsageError(f"{said} only works one way: add --to-cloud or --to-local")
        raise UsageError(f"{said} and --delete exclude each other")
    if options.keep_names is not None and not both_ways:
        raise UsageError("--keep-names is for a first sync both ways: one way, the names of the source are used")
    return Way(direction, options.delete_after or configured)


def _given_direction(options: SyncOptions, locations: Sequence[Location]) -> Direction | None:
    given = [mode for mode in ("to-cloud", "to-local", "bidirectional") if getattr(options, mode.replace("-", "_"))]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other")
    if not given:
        return None
    _check_named(options, locations)
    return direction_of(given[0], locations)


def _configured_direction(session: Session, in_cloud: Sequence[SideNumber]) -> Direction:
    """What `cloud.sync_mode` means for these sides that are in the cloud, whatever the other location is."""
    said = session.config.cloud.sync_mode if session.config.cloud is not None and in_cloud else None
    mode = _MODES.get(said or "", said)
    if mode in {None, "bidirectional"}:
        return Direction.BOTH
    if len(in_cloud) > 1:
        label = session.loaded_config.label("cloud", "sync_mode")
        raise ConfigError(f"{label}: both locations are in the cloud, so {said} says no direction: add --to-cloud, from A to B")
    return Direction.A_TO_B if (in_cloud[0] == SIDES[1]) == (mode == "to-cloud") else Direction.B_TO_A


def direction_of(mode: str, locations: Sequence[Location]) -> Direction:
    """Which side gets changes with an option. Which one stands first only matters if neither or both are on this machine.

    Raises UsageError for `to-local` there.
    """
    if mode == "bidirectional":
        return Direction.BOTH
    first, second = (location.local for location in locations)
    if first != second:
        return Direction.A_TO_B if first == (mode == "to-cloud") else Direction.B_TO_A
    if mode == "to-local":
        raise UsageError(
            "--to-local needs one location on this machine and one on a remote; --to-cloud carries changes from A to B"
        )
    return Direction.A_TO_B


def _is_in_cloud(session: Session, location: Location) -> bool:
    """Whether a location is in the cloud of the config, whatever its remote is called."""
    if location.remote == CLOUD_REMOTE:
        return True
    cloud = session.config.cloud
    if location.local or cloud is None or cloud.provider is None or not (cloud.sync_mode or cloud.delete_after_sync):
        return False  # or nothing depends on it
    return session.path_below(location, session.named(f"{CLOUD_REMOTE}:")[0]) is not None


def _named(options: SyncOptions) -> tuple[str, str] | None:
    """The direction with a location as its value, and that location."""
    for option, value in (("--to-cloud", options.to_cloud), ("--to-local", options.to_local)):
        if isinstance(value, str):
            return option, value
    return None


def _check_named(options: SyncOptions, locations: Sequence[Location]) -> None:
    """Refuse a direction that names the location from which it goes away. Raises UsageError."""
    named = _named(options)
    first, second = (location.local for location in locations)
    if named is not None and first != second and second != (named[0] == "--to-local"):
        where = "on this machine" if second else "not on this machine"
        right = f"`sync {options.a} {named[1]} {named[0]}`"
        raise UsageError(f"{named[1]} is {where}: to copy from it to {options.a}, write {right}")
