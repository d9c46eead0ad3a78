"""How a plan is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import msgspec

from orchestrator.apply.guard.exclusive_access import exclusive_access
from orchestrator.apply.guard.marker import Markers
from orchestrator.apply.guard.surroundings import SurroundingsOf, alone
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import VerifyMode
from orchestrator.apply.spending import Limits
from orchestrator.plan.model import Plan
from orchestrator.storage.protocol import Storage


class Settings(msgspec.Struct, frozen=True):
    """How a plan is carried out."""

    transfers: int = 8
    """Requests at a time."""
    window: int = 100
    """Operations that are recorded together."""
    tries: int = 2
    """Tries of the final check. The tries of single operations are limited in `protocol.request_budget`."""
    change_tries: int | None = None
    """How often one change is sent at most; None: twice or so, as its budget allows."""
    verify: VerifyMode = "fast"
    fresh: bool = False
    """The plan was made from a listing taken under the lock that is held now. Destinations are not looked at again before the
    first try, because every request moves an unexpected file there to the trash. Nor are sources in a bucket, which copies them:
    before they are deleted, they are compared with what was listed."""
    marker: bool = False
    """Write a marker on remotes during the run, and stop (8) at a fresh one of another machine or state directory."""
    ignore_marker: bool = False
    """Continue in spite of another run's marker."""
    limits: Limits = Limits()
    """What this start of the run may spend."""
    surroundings_of: SurroundingsOf = alone
    """What is known about a location: what it really is, and which locations are around it and in it."""

    def exclusive_access(self, plan: Plan, storages: Mapping[str, Storage], journal: Journal) -> AbstractContextManager[Markers]:
        """See `orchestrator.apply.guard.exclusive_access`."""
        return exclusive_access(
            plan.operations,
            storages,
            journal,
            marker=self.marker,
            ignore_marker=self.ignore_marker,
            surroundings_of=self.surroundings_of,
        )
