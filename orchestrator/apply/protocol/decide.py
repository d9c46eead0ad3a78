"""What to do next for one operation, from what lies at its two ends. Pure: the resume table of the protocol as one function."""

from __future__ import annotations

from enum import Enum, StrEnum, auto


class Route(StrEnum):
    """How an operation is carried out."""

    RENAME = "rename"
    """One request on one storage."""
    TRANSFER = "transfer"
    """Copy, verify, delete the source: between storages, or where the remote cannot rename."""
    COPY = "copy"
    """Copy and verify; the source stays."""
    WRITE = "write"
    """Write the plan's own content at a temporary name; the source, which it is made from, stays."""
    REMOVE = "remove"
    """Delete for good: only what already lies in the quarantine or the trash."""


class End(Enum):
    """What lies at one end of an operation."""

    ABSENT = auto()
    RIGHT = auto()
    """Source: the file that the plan expects. Destination: the same content."""
    WRONG = auto()
    """Another file, or the file after a change."""


class Action(Enum):
    """What follows from a look at both ends."""

    SEND = auto()
    """Move, copy or remove it."""
    VERIFY = auto()
    """It was copied, and both ends hold the same: go on from making it durable."""
    DELETE_SOURCE = auto()
    """It was copied and verified: only the source is left to delete."""
    DONE = auto()
    DRIFT_SOURCE_GONE = auto()
    DRIFT_SOURCE_CHANGED = auto()
    DRIFT_DESTINATION_EXISTS = auto()
    CONFLICT = auto()
    """Begun, and now another content lies at the destination: touch nothing."""
    ALARM = auto()
    """Begun, and now the content lies at neither end."""


def decide(route: Route, source: End, destination: End, *, begun: bool, verified: bool) -> Action:
    """The next action. `begun`: it may have been sent before. `verified`: the journal says that the destination was compared."""
    if route is Route.REMOVE:
        return _decide_removal(source, begun=begun)
    if route is Route.WRITE:
        return _decide_writing(source, destination)
    if not begun:
        return _decide_first(source, destination)
    if source is End.RIGHT:
        return _decide_again(route, destination, verified=verified)
    if destination is End.RIGHT and (source is End.ABSENT or route is Route.RENAME):
        return Action.DONE  # after a rename somebody may have put a new file there
    return Action.ALARM if source is End.ABSENT else Action.DRIFT_SOURCE_CHANGED


def _decide_first(source: End, destination: End) -> Action:
    if source is End.ABSENT:
        return Action.DRIFT_SOURCE_GONE
    if source is End.WRONG:
        return Action.DRIFT_SOURCE_CHANGED
    return Action.SEND if destination is End.ABSENT else Action.DRIFT_DESTINATION_EXISTS


def _decide_removal(source: End, *, begun: bool) -> Action:
    match source:
        case End.RIGHT:
            return Action.SEND
        case End.WRONG:
            return Action.DRIFT_SOURCE_CHANGED
        case End.ABSENT:
            return Action.DONE if begun else Action.DRIFT_SOURCE_GONE


def _decide_writing(source: End, destination: End) -> Action:
    """Nothing but this content is ever written at its temporary name: what else lies there is a cut or older one of ours."""
    if source is End.ABSENT:
        return Action.DRIFT_SOURCE_GONE
    if source is End.WRONG:
        return Action.DRIFT_SOURCE_CHANGED
    return Action.VERIFY if destination is End.RIGHT else Action.SEND


def _decide_again(route: Route, destination: End, *, verified: bool) -> Action:
    match destination:
        case End.ABSENT:
            return Action.SEND
        case End.WRONG:
            return Action.CONFLICT
        case End.RIGHT:
            return Action.DELETE_SOURCE if verified and route is not Route.COPY else Action.VERIFY
