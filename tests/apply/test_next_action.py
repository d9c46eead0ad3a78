"""`next_action` as a table over all its states: every combination is in exactly one row, with the action that must follow."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest

from orchestrator.apply.protocol.next_action import Action, Found, next_action, next_action_in_place
from orchestrator.apply.protocol.routes import COPIES, Route

ANY_SOURCE = frozenset(Found) - {Found.OLD, Found.TORN}
ANY_END = ANY_SOURCE - {Found.LEAVING}
ANY = frozenset({True, False})
YES, NO = frozenset({True}), frozenset({False})
THERE, CHANGED, GONE, LEAVING = (frozenset({one}) for one in (Found.EXPECTED, Found.OTHER, Found.NOTHING, Found.LEAVING))
FREE, SAME, OTHER = GONE, THERE, CHANGED
UNSTAGED: frozenset[Found | None] = frozenset({None})
"""It goes straight to its destination."""
COMPLETE, BROKEN, NO_COPY = THERE, CHANGED, GONE
"""What lies under the staged name."""
STAGED = COMPLETE | BROKEN | NO_COPY
MOVING = frozenset({Route.RENAME, Route.TRANSFER, Route.COPY})
COPY, RENAME, REMOVE, WRITE = (frozenset({route}) for route in (Route.COPY, Route.RENAME, Route.REMOVE, Route.WRITE))


class Row(NamedTuple):
    """States that ask for one action. `begun`: it may have been sent before; `verified`: the journal says so."""

    routes: frozenset[Route]
    begun: frozenset[bool]
    verified: frozenset[bool]
    source: frozenset[Found]
    staged: frozenset[Found] | frozenset[Found | None]
    destination: frozenset[Found]
    action: Action


TABLE = (
    # The first time: the source as planned, and nothing at the destination, or it is not sent.
    Row(MOVING, NO, ANY, THERE, UNSTAGED | STAGED, FREE, Action.SEND),
    Row(MOVING, NO, ANY, THERE, UNSTAGED | STAGED, SAME | OTHER, Action.SKIP_DESTINATION_EXISTS),
    Row(MOVING, NO, ANY, CHANGED | LEAVING, UNSTAGED | STAGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    Row(MOVING, NO, ANY, GONE, UNSTAGED | STAGED, ANY_END, Action.SKIP_SOURCE_GONE),
    # Again, and our copy or the moved file is at the destination, the source still there.
    Row(MOVING - COPY, YES, YES, THERE, UNSTAGED | STAGED, SAME, Action.DELETE_SOURCE),
    Row(COPY, YES, YES, THERE, UNSTAGED | STAGED, SAME, Action.VERIFY),
    Row(MOVING, YES, NO, THERE, UNSTAGED | BROKEN | NO_COPY, SAME, Action.VERIFY),
    # The same, with the source gone, or another file there.
    Row(MOVING, YES, YES, GONE, UNSTAGED | STAGED, SAME, Action.DONE),
    Row(MOVING, YES, NO, GONE, UNSTAGED | BROKEN | NO_COPY, SAME, Action.DONE),
    Row(RENAME, YES, YES, CHANGED, UNSTAGED | STAGED, SAME, Action.DONE),
    Row(RENAME, YES, NO, CHANGED, UNSTAGED | BROKEN | NO_COPY, SAME, Action.DONE),
    Row(COPY, YES, YES, CHANGED, UNSTAGED | STAGED, SAME, Action.DONE),
    Row(COPY, YES, NO, CHANGED, UNSTAGED | STAGED, SAME, Action.SKIP_SOURCE_CHANGED),
    Row(MOVING - COPY - RENAME, YES, ANY, CHANGED, UNSTAGED | STAGED, SAME, Action.SKIP_SOURCE_CHANGED),
    Row(RENAME, YES, NO, CHANGED, COMPLETE, SAME, Action.SKIP_SOURCE_CHANGED),
    # A staged copy that the journal does not know as verified never got its name: the file at the destination is not ours.
    Row(MOVING, YES, NO, THERE, COMPLETE, SAME, Action.SKIP_DESTINATION_EXISTS),
    Row(MOVING, YES, NO, GONE, COMPLETE, SAME, Action.LOST),
    # Again, nothing of ours at the destination, and the source has changed.
    Row(MOVING, YES, ANY, CHANGED, UNSTAGED | STAGED, FREE | OTHER, Action.SKIP_SOURCE_CHANGED),
    # Again, nothing of ours at the destination, and it is not staged.
    Row(MOVING, YES, ANY, THERE, UNSTAGED, FREE, Action.SEND),
    Row(MOVING, YES, ANY, THERE, UNSTAGED, OTHER, Action.CONFLICT),
    Row(MOVING - COPY, YES, ANY, GONE, UNSTAGED, FREE, Action.LOST),
    Row(MOVING, YES, ANY, GONE, UNSTAGED, OTHER, Action.LOST),
    # The same, staged. The only copy of a file whose source is gone gets its name, too.
    Row(MOVING, YES, YES, THERE | GONE, COMPLETE, FREE, Action.GIVE),
    Row(MOVING, YES, NO, THERE | GONE, COMPLETE, FREE, Action.VERIFY),
    Row(MOVING, YES, ANY, THERE, BROKEN | NO_COPY, FREE, Action.SEND),
    Row(MOVING, YES, ANY, THERE, STAGED, OTHER, Action.SKIP_DESTINATION_EXISTS),
    Row(MOVING - COPY, YES, ANY, GONE, BROKEN | NO_COPY, FREE, Action.LOST),
    Row(MOVING - COPY, YES, ANY, GONE, STAGED, OTHER, Action.LOST),
    Row(COPY, YES, ANY, GONE, COMPLETE, OTHER, Action.LOST),
    # A copy does not take its source away: its user did.
    Row(COPY, YES, ANY, GONE, UNSTAGED, FREE, Action.SKIP_SOURCE_GONE),
    Row(COPY, YES, ANY, GONE, BROKEN | NO_COPY, FREE | OTHER, Action.SKIP_SOURCE_GONE),
    # The source is in our trash, about to be deleted: only if its copy is still there.
    Row(MOVING, YES, ANY, LEAVING, UNSTAGED | STAGED, SAME, Action.DELETE_SOURCE),
    Row(MOVING, YES, ANY, LEAVING, UNSTAGED | STAGED, FREE | OTHER, Action.BRING_BACK_SOURCE),
    # Deleting for good: there is no destination.
    Row(REMOVE, ANY, ANY, THERE, UNSTAGED | STAGED, ANY_END, Action.SEND),
    Row(REMOVE, ANY, ANY, CHANGED | LEAVING, UNSTAGED | STAGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    Row(REMOVE, NO, ANY, GONE, UNSTAGED | STAGED, ANY_END, Action.SKIP_SOURCE_GONE),
    Row(REMOVE, YES, ANY, GONE, UNSTAGED | STAGED, ANY_END, Action.DONE),
    # Writing a rewritten playlist at our own temporary name: any other file there is an older or partial one of ours.
    Row(WRITE, ANY, ANY, THERE, UNSTAGED | STAGED, FREE | OTHER, Action.SEND),
    Row(WRITE, ANY, ANY, THERE, UNSTAGED | STAGED, SAME, Action.VERIFY),
    Row(WRITE, ANY, ANY, CHANGED | LEAVING, UNSTAGED | STAGED, ANY_END, Action.SKIP_SOURCE_CHANGED),
    Row(WRITE, ANY, ANY, GONE, UNSTAGED | STAGED, ANY_END, Action.SKIP_SOURCE_GONE),
)


def test_only_copies_are_staged() -> None:
    """So the rows of the other routes with something under a staged name are never reached."""
    assert {Route.COPY, Route.TRANSFER} == COPIES


@pytest.mark.parametrize(("route", "begun", "verified"), list(product(Route, (False, True), (False, True))))
def test_every_state_has_its_action(route: Route, begun: bool, verified: bool) -> None:
    for source, staged, destination in product(ANY_SOURCE, (None, *ANY_END), ANY_END):
        rows = [
            row
            for row in TABLE
            if route in row.routes
            and begun in row.begun
            and verified in row.verified
            and source in row.source
            and staged in row.staged
            and destination in row.destination
        ]
        state = (source, staged, destination)
        assert len(rows) == 1, f"{len(rows)} rows for {state}"
        assert next_action(route, source, staged, destination, begun=begun, verified=verified) is rows[0].action, state


class InPlace(NamedTuple):
    """The same for a replacement in place; `in_trash`: what our trash holds instead of the old content."""

    begun: frozenset[bool]
    source: frozenset[Found]
    destination: frozenset[Found]
    in_trash: frozenset[Found]
    action: Action


OLD, TORN = frozenset({Found.OLD}), frozenset({Found.TORN})
ANY_CONTENT = ANY_END | OLD | TORN

TABLE_IN_PLACE = (
    # The first time only the source is looked at: the copy to the trash shows what the destination holds.
    InPlace(NO, THERE, ANY_CONTENT, ANY_END, Action.SEND),
    InPlace(NO, CHANGED, ANY_CONTENT, ANY_END, Action.SKIP_SOURCE_CHANGED),
    InPlace(NO, GONE, ANY_CONTENT, ANY_END, Action.SKIP_SOURCE_GONE),
    # The new content has arrived. Whatever became of its source later, this is done.
    InPlace(YES, THERE, SAME, ANY_END, Action.VERIFY),
    InPlace(YES, CHANGED | GONE, SAME, ANY_END, Action.DONE),
    # Nothing is there: the old content gets its name back before anything else, if we have it.
    InPlace(YES, ANY_END, FREE | TORN, THERE, Action.PUT_BACK),
    InPlace(YES, ANY_END, FREE, GONE | CHANGED, Action.SKIP_DESTINATION_GONE),
    # What somebody has written stays, and what he had written when we made the copy as well.
    InPlace(YES, ANY_END, OTHER, ANY_END, Action.SKIP_DESTINATION_CHANGED),
    InPlace(YES, ANY_END, TORN, GONE | CHANGED, Action.SKIP_DESTINATION_CHANGED),
    InPlace(YES, ANY_END, OLD, CHANGED, Action.SKIP_DESTINATION_CHANGED),
    # Nothing was uploaded.
    InPlace(YES, THERE, OLD, THERE | GONE, Action.SEND),
    InPlace(YES, CHANGED, OLD, THERE | GONE, Action.SKIP_SOURCE_CHANGED),
    InPlace(YES, GONE, OLD, THERE | GONE, Action.SKIP_SOURCE_GONE),
)


def test_every_state_of_a_replacement_in_place_has_its_action() -> None:
    for state in product((False, True), ANY_END, ANY_CONTENT, ANY_END):
        rows = [row for row in TABLE_IN_PLACE if all(one in allowed for one, allowed in zip(state, row[:4], strict=True))]
        assert len(rows) == 1, f"{len(rows)} rows for {state}"
        begun, *ends = state
        assert next_action_in_place(*ends, begun=begun) is rows[0].action, state
