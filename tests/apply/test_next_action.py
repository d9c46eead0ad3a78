"""`next_action` as a table over all its states: every combination is in exactly one row, with the action that must follow."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest

from orchestrator.apply.protocol.next_action import Action, Found, next_action
from orchestrator.apply.protocol.routes import Route

ANY_END = frozenset(Found)
ANY = frozenset({True, False})
YES, NO = frozenset({True}), frozenset({False})
THERE, CHANGED, GONE = frozenset({Found.EXPECTED}), frozenset({Found.OTHER}), frozenset({Found.NOTHING})
FREE, SAME, OTHER = GONE, THERE, CHANGED
MOVING = frozenset({Route.RENAME, Route.TRANSFER, Route.COPY})
REMOVE, WRITE = frozenset({Route.REMOVE}), frozenset({Route.WRITE})


class Row(NamedTuple):
    """States that ask for one action. `begun`: it may have been sent before; `verified`: the journal says so."""

    routes: frozenset[Route]
    begun: frozenset[bool]
    verified: frozenset[bool]
    source: frozenset[Found]
    destination: frozenset[Found]
    action: Action


TABLE = (
    # The first time: the source as planned, and nothing at the destination, or it is not sent.
    Row(MOVING, NO, ANY, THERE, FREE, Action.SEND),
    Row(MOVING, NO, ANY, THERE, SAME | OTHER, Action.SKIP_DESTINATION_EXISTS),
    Row(MOVING, NO, ANY, CHANGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    Row(MOVING, NO, ANY, GONE, ANY_END, Action.SKIP_SOURCE_GONE),
    # Again, with the source still there.
    Row(MOVING, YES, ANY, THERE, FREE, Action.SEND),
    Row(MOVING, YES, ANY, THERE, OTHER, Action.CONFLICT),
    Row(MOVING, YES, NO, THERE, SAME, Action.VERIFY),
    Row(MOVING - {Route.COPY}, YES, YES, THERE, SAME, Action.DELETE_SOURCE),
    Row(frozenset({Route.COPY}), YES, YES, THERE, SAME, Action.VERIFY),
    # Again, with the source gone: it arrived, or the content is nowhere.
    Row(MOVING, YES, ANY, GONE, SAME, Action.DONE),
    Row(MOVING, YES, ANY, GONE, FREE | OTHER, Action.LOST),
    # Again, with another file at the source: after a rename another program may have put a new one there.
    Row(frozenset({Route.RENAME}), YES, ANY, CHANGED, SAME, Action.DONE),
    Row(frozenset({Route.RENAME}), YES, ANY, CHANGED, FREE | OTHER, Action.SKIP_SOURCE_CHANGED),
    Row(MOVING - {Route.RENAME}, YES, ANY, CHANGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    # Deleting for good: there is no destination.
    Row(REMOVE, ANY, ANY, THERE, ANY_END, Action.SEND),
    Row(REMOVE, ANY, ANY, CHANGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    Row(REMOVE, NO, ANY, GONE, ANY_END, Action.SKIP_SOURCE_GONE),
    Row(REMOVE, YES, ANY, GONE, ANY_END, Action.DONE),
    # Writing a rewritten playlist at our own temporary name: any other file there is an older or partial one of ours.
    Row(WRITE, ANY, ANY, THERE, FREE | OTHER, Action.SEND),
    Row(WRITE, ANY, ANY, THERE, SAME, Action.VERIFY),
    Row(WRITE, ANY, ANY, CHANGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    Row(WRITE, ANY, ANY, GONE, ANY_END, Action.SKIP_SOURCE_GONE),
)


@pytest.mark.parametrize(("route", "begun", "verified"), list(product(Route, (False, True), (False, True))))
def test_every_state_has_its_action(route: Route, begun: bool, verified: bool) -> None:
    for source, destination in product(Found, Found):
        rows = [
            row
            for row in TABLE
            if route in row.routes
            and begun in row.begun
            and verified in row.verified
            and source in row.source
            and destination in row.destination
        ]
        assert len(rows) == 1, f"{len(rows)} rows for {source}, {destination}"
        assert next_action(route, source, destination, begun=begun, verified=verified) is rows[0].action, (source, destination)
