"""Let a person decide the conflicts of a sync, and say which option decides in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from orchestrator.actions.change import Planned
from orchestrator.actions.reviewing import reviewed
from orchestrator.actions.session import Session
from orchestrator.catalogue.known_readings import reading_with_end
from orchestrator.errors import OrchestratorError
from orchestrator.location import Location
from orchestrator.plan.planners.sync.records import Answer, Conflict, File, SyncSettings
from orchestrator.review.conflicts import ConflictsReview, Tracks
from orchestrator.tags.formats import by_name
from orchestrator.track import Track
from orchestrator.wording import counted

Answers = Mapping[tuple[str, str], Answer]


def review_conflicts(
    session: Session,
    conflicts: Sequence[Conflict],
    settings: SyncSettings,
    locations: tuple[Location, Location],
    plan: Callable[[Answers], Planned],
) -> Planned | None:
    """Show the conflicts, and plan again with the answers; None to change nothing. Without conflicts, the plan as it is."""
    known: dict[tuple[str, str], Tracks] = {}

    def track(location: Location, file: File) -> Track | None:
        container = by_name(file.path)
        if container is None or container.module == "unsupported":
            return None
        try:
            return reading_with_end(session.storage(location), session.catalogue, file.entry)[0].track
        except OrchestratorError:  # it is shown as unknown, and the run will report it
            return None

    def tracks_of(conflict: Conflict) -> Tracks:
        if conflict.paths not in known:
            known[conflict.paths] = track(locations[0], conflict.files[0]), track(locations[1], conflict.files[1])
        return known[conflict.paths]

    names = locations[0].typed, locations[1].typed
    review = ConflictsReview(conflicts, settings, names, tracks_of, _time_text)
    return reviewed(session, review, lambda: plan(review.answers), lambda: _say_rules(session, review))


def _say_rules(session: Session, review: ConflictsReview) -> None:
    """Name the value of --conflict that says all of what was decided, if there is one."""
    outcomes = {review.outcome(index) for index in range(len(review))}
    option = {Answer.A: "a", Answer.B: "b", Answer.BOTH: "keep-both"}.get(next(iter(outcomes))) if len(outcomes) == 1 else None
    if option is None:
        session.reporter.note("no rule says what was decided: it holds for this run alone, or as a plan file")
    else:
        what = f"`--conflict {option}`, or `conflict: {option}` in the step of a job"
        session.reporter.note(f"{what}, decides {counted(len(review), 'conflict')} as you did")
    session.reporter.ask("Enter goes back to the review.")


def _time_text(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9).astimezone().isoformat(" ", "seconds")[:19]
