"""The mirrors of `organize`: which locations they may be, what they hold, and what is queued for those that are away."""

from __future__ import annotations

from orchestrator.actions.locations import check_location, check_shared, check_target
from orchestrator.actions.mirror_record import begin_mirrors
from orchestrator.actions.place_ids import check_mirror
from orchestrator.actions.scan import target_items
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import forget, intention_to_mirror, names_of_pair, put
from orchestrator.config.options.organize import OrganizeChoices
from orchestrator.errors import AuthError, ExitCode, RateLimitError, SafetyLimitError, TransientError, UsageError, worst
from orchestrator.location import Location
from orchestrator.plan.model import Plan, mirrors_of
from orchestrator.plan.planners.organize.request import Mirror
from orchestrator.profiles import load_profile
from orchestrator.report.reporter import error_code

_AWAY = frozenset({ExitCode.UNREACHABLE, ExitCode.AUTH})


class Mirrors:
    """Those of one command."""

    def __init__(self, session: Session, options: OrganizeChoices, source: Location, target: Location) -> None:
        """Raises UsageError for a location that cannot be a mirror."""
        self._session = session
        self._options = options
        self._target = target
        self.locations = session.locations(*options.mirrors)
        self._away: list[tuple[Location, str]] = []
        """Those that could not be listed -> why."""
        others = [source] if source == target else [source, target]
        for mirror in self.locations:
            check_location(session, mirror)
            for other in others:
                if session.path_below(mirror, other) is not None or session.path_below(other, mirror) is not None:
                    raise UsageError(
                        f"the mirror {mirror.typed} and {other.typed} are one location, or one lies inside the other"
                    )
            others.append(mirror)
        if self.locations:
            check_shared(session, others)
        for mirror in self.locations if not session.options.dry_run else ():
            check_target(mirror)

    def list(self) -> tuple[list[Mirror], ExitCode]:
        """What they hold. One that is away (5, or 6) or has lost its id (7) is reported and left out."""
        found: list[Mirror] = []
        codes = []
        for mirror in self.locations:
            try:
                check_mirror(self._session, mirror, self._target)
                items, capabilities, code = target_items(
                    self._session, mirror, reading=self._options.reading, exclude=self._options.exclude
                )
            except (TransientError, RateLimitError, AuthError) as error:
                message = f"nothing is copied to the mirror {mirror.typed}: {error.message}"
                code_word = "auth" if isinstance(error, AuthError) else "unreachable"
                self._session.problems.failed(f"mirror {mirror.typed}", code_word, error.message, shown=message)
                self._away.append((mirror, error.message))
                codes.append(error.exit_code)
                continue
            except SafetyLimitError as error:
                self._session.reporter.error(error_code(error), error.message)
                codes.append(error.exit_code)
                continue
            self._session.problems.succeeded(f"mirror {mirror.typed}")
            has_buckets = load_profile(capabilities.remote_type).has_buckets
            found.append(Mirror(fs=mirror.fs, items=items, capabilities=capabilities, has_buckets=has_buckets))
            codes.append(code)
        return found, worst(codes)

    def begin(self, plan: Plan) -> None:
        """Before the first change: queue what could not be planned, and record what is alike, or is expected to be."""
        for mirror, reason in self._away:
            put(self._session, intention_to_mirror(self._session, self._target, mirror), reason)
        begin_mirrors(self._session, plan, plan.mirrored)

    def forget_full(self, plan: Plan) -> None:
        """Take the mirrors out of the queue that have all that the target has, now that all of the plan was carried out."""
        for fs in plan.full_mirrors:
            forget(self._session, names_of_pair(self._session, self._target.fs, fs))


def queue_lost_mirrors(session: Session, run_id: str) -> None:
    """Queue the mirrors that a run has lost on its way."""
    plan = session.journal.plan(run_id)
    mirrors = mirrors_of(plan.header)
    states = session.journal.states(run_id) if mirrors else {}
    lost: dict[str, str] = {}
    for operation in plan.operations if mirrors else ():
        state = states.get(operation.id)
        if operation.dst.fs in mirrors and state is not None and state.code in _AWAY:
            lost.setdefault(operation.dst.fs, state.message or "")
    for fs, reason in lost.items():
        target, mirror = session.locations(plan.header.target, fs)
        put(session, intention_to_mirror(session, target, mirror), reason)
