"""The next action for one operation, from what lies at its source, under its staged name, and at its destination. Pure.

This is the decision table of `resume` as well: after an interruption only a look at all ends shows how far an operation came.
A copy is staged before it is verified, and gets its final name only after the journal says that it was. So without that record
whatever lies at the destination of a staged copy was put there by somebody else, or by an older version of this program.
"""

from __future__ import annotations

from enum import Enum, auto

from orchestrator.apply.protocol.routes import Route


class Found(Enum):
    """What lies at one end of an operation."""

    NOTHING = auto()
    EXPECTED = auto()
    """At the source: the file that the plan expects. Elsewhere: the same content."""
    OTHER = auto()
    """A different file, or the expected file after a change."""
    OLD = auto()
    """Only at the destination of a replacement in place: the content that is to be replaced."""
    TORN = auto()
    """Only there: an upload of ours that is not what was to be sent."""
    LEAVING = auto()
    """Only at the source: it was moved to our trash, just before it is deleted."""


class Action(Enum):
    """What to do after a look at all ends."""

    SEND = auto()
    """Move, copy, write or delete the file."""
    VERIFY = auto()
    """It was copied, and source and copy hold the same content: continue with making the copy durable."""
    GIVE = auto()
    """The staged copy was verified: give it its final name."""
    DELETE_SOURCE = auto()
    """It was copied and verified: only the source is left to delete."""
    BRING_BACK_SOURCE = auto()
    """The source is in our trash, but the copy is gone or has changed: give the source its name back."""
    PUT_BACK = auto()
    """A replacement in place left nothing at the destination, or a torn upload: give the old content its name back."""
    DONE = auto()
    SKIP_SOURCE_GONE = auto()
    SKIP_SOURCE_CHANGED = auto()
    SKIP_DESTINATION_EXISTS = auto()
    SKIP_DESTINATION_GONE = auto()
    """There is nothing to replace any more."""
    SKIP_DESTINATION_CHANGED = auto()
    """What was to be replaced has changed."""
    CONFLICT = auto()
    """It was begun, and now a different file lies at the destination: change nothing."""
    LOST = auto()
    """A move was begun, and now no end holds the content."""


def next_action(route: Route, source: Found, staged: Found | None, destination: Found, *, begun: bool, verified: bool) -> Action:
    """The next action. `begun`: it may have been sent before. `verified`: the journal says that the copy was compared.

    `staged` is None for what is not staged. A staged copy beside its verified equal at the destination is the same file, or no
    longer needed.
    """
    if route is Route.REMOVE:
        return _when_deleting_for_good(source, begun=begun)
    if route is Route.WRITE:
        return _when_writing(source, destination)
    if not begun:
        return _when_new(source, destination)
    return _when_begun(route, source, staged, destination, verified=verified)


def next_action_in_place(source: Found, destination: Found, in_trash: Found, *, begun: bool) -> Action:
    """The next action where an upload replaces the content of a file.

    The upload begins only when the old content is in our trash (`in_trash`: EXPECTED). Then the file at the destination has its
    old content, the new one, a mixture if the source changed meanwhile, or is gone: rclone deletes what it finds damaged.
    """
    if not begun:
        return Action.SEND if source is Found.EXPECTED else _skip_for(source)
    if destination is Found.EXPECTED:
        return Action.VERIFY if source is Found.EXPECTED else Action.DONE
    if destination in {Found.NOTHING, Found.TORN} and in_trash is Found.EXPECTED:
        return Action.PUT_BACK
    if destination is Found.NOTHING:
        return Action.SKIP_DESTINATION_GONE
    if destination is not Found.OLD or in_trash is Found.OTHER:
        return Action.SKIP_DESTINATION_CHANGED
    return Action.SEND if source is Found.EXPECTED else _skip_for(source)


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


def _when_begun(route: Route, source: Found, staged: Found | None, destination: Found, *, verified: bool) -> Action:
    if source is Found.LEAVING:
        return Action.DELETE_SOURCE if destination is Found.EXPECTED else Action.BRING_BACK_SOURCE
    if destination is Found.EXPECTED and (verified or staged is not Found.EXPECTED):
        return _when_arrived(route, source, verified=verified)
    if source is Found.OTHER:
        return Action.SKIP_SOURCE_CHANGED
    if staged is not None:
        action = _when_staged(source, staged, destination, verified=verified)
    else:
        action = _when_not_arrived(source, destination)
    # A copy takes nothing away. What is ours may only be under its staged name, or, if that has none, at the destination.
    ours = destination if staged is None else staged
    if action is Action.LOST and route is Route.COPY and (ours is Found.NOTHING or staged is Found.OTHER):
        return Action.SKIP_SOURCE_GONE
    return action


def _when_arrived(route: Route, source: Found, *, verified: bool) -> Action:
    """Our copy, or the moved file, is at the destination."""
    if source is Found.EXPECTED:
        return Action.DELETE_SOURCE if verified and route is not Route.COPY else Action.VERIFY
    # After a rename somebody may have put a new file at the source; a verified copy is done whatever became of its source.
    if source is Found.NOTHING or route is Route.RENAME or (route is Route.COPY and verified):
        return Action.DONE
    return Action.SKIP_SOURCE_CHANGED


def _when_staged(source: Found, staged: Found, destination: Found, *, verified: bool) -> Action:
    """The destination holds nothing of ours."""
    if staged is Found.EXPECTED and destination is Found.NOTHING:
        return Action.GIVE if verified else Action.VERIFY
    if source is Found.NOTHING:
        return Action.LOST
    return Action.SEND if destination is Found.NOTHING else Action.SKIP_DESTINATION_EXISTS


def _when_not_arrived(source: Found, destination: Found) -> Action:
    if source is Found.NOTHING:
        return Action.LOST
    return Action.SEND if destination is Found.NOTHING else Action.CONFLICT
