"""The next action for one operation, from what lies at its source and its destination. Pure.

This is the decision table of `resume` as well: after an interruption only a look at both ends shows how far an operation came.
"""

from __future__ import annotations

from enum import Enum, auto

from orchestrator.apply.protocol.routes import Route


class Found(Enum):
    """What lies at one end of an operation."""

    NOTHING = auto()
    EXPECTED = auto()
    """At the source: the file that the plan expects. At the destination: the same content."""
    OTHER = auto()
    """A different file, or the expected file after a change."""


class Action(Enum):
    """What to do after a look at both ends."""

    SEND = auto()
    """Move, copy, write or delete the file."""
    VERIFY = auto()
    """It was copied, and both ends hold the same content: continue with making the copy durable."""
    DELETE_SOURCE = auto()
    """It was copied and verified: only the source is left to delete."""
    DONE = auto()
    SKIP_SOURCE_GONE = auto()
    SKIP_SOURCE_CHANGED = auto()
    SKIP_DESTINATION_EXISTS = auto()
    CONFLICT = auto()
    """It was begun, and now a different file lies at the destination: change nothing."""
    LOST = auto()
    """It was begun, and now neither end holds the content."""


def next_action(route: Route, source: Found, destination: Found, *, begun: bool, verified: bool) -> Action:
    """The next action. `begun`: it may have been sent before. `verified`: the journal says that the copy was compared."""
    if route is Route.REMOVE:
        return _when_deleting_for_good(source, begun=begun)
    if route is Route.WRITE:
        return _when_writing(source, destination)
    if not begun:
        return _when_new(source, destination)
    if source is Found.EXPECTED:
        return _when_source_is_still_there(route, destination, verified=verified)
    if destination is Found.EXPECTED and (source is Found.NOTHING or route is Route.RENAME):
        return Action.DONE  # after a rename someone may have put a new file at the source
    return Action.LOST if source is Found.NOTHING else Action.SKIP_SOURCE_CHANGED


def _when_new(source: Found, destination: Found) -> Action:
    if source is not Found.EXPECTED:
        return _skip_for(source)
    return Action.SEND if destination is Found.NOTHING else Action.SKIP_DESTINATION_EXISTS


def _when_deleting_for_good(source: Found, *, begun: bool) -> Action:
    if source is Found.EXPECTED:
        return Action.SEND
    return Action.DONE if begun and source is Found.NOTHING else _skip_for(source)


def _when_writing(source: Found, destination: Found) -> Action:
    """Only this operation writes to its temporary name, so other content there is an older or incomplete write of ours."""
    if source is not Found.EXPECTED:
        return _skip_for(source)
    return Action.VERIFY if destination is Found.EXPECTED else Action.SEND


def _skip_for(source: Found) -> Action:
    return Action.SKIP_SOURCE_GONE if source is Found.NOTHING else Action.SKIP_SOURCE_CHANGED


def _when_source_is_still_there(route: Route, destination: Found, *, verified: bool) -> Action:
    match destination:
        case Found.NOTHING:
            return Action.SEND
        case Found.OTHER:
            return Action.CONFLICT
        case Found.EXPECTED:
            return Action.DELETE_SOURCE if verified and route is not Route.COPY else Action.VERIFY
