"""What becomes of the decisions of a review of duplicates: they are saved as rules, and checked against the plan made of them."""

from __future__ import annotations

from typing import Any

from orchestrator.actions.reviewing import Change, appended, save_in_config
from orchestrator.actions.session import Session
from orchestrator.plan.planners.dedup.records import Duplicates
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP
from orchestrator.plan.shared_names import display_name
from orchestrator.review.duplicate_groups import DuplicateGroups
from orchestrator.review.keep_rules import moved_to_front, put_in_front, rules_of
from orchestrator.wording import counted

_NAMED = 20
_SINCE = "ends of files were read after the review, or the search was repeated without what leaves"


def save_keep_rules(session: Session, groups: DuplicateGroups) -> None:
    """Say which keys of the config decide as the person has done, and write them if the person agrees."""
    note = session.reporter.note
    session.reporter.stage("looking for rules")
    rules = rules_of(groups)
    if not groups.decisions:
        note("nothing was decided, so there is nothing to save")
    elif not rules.settings:
        note("no rule says what was decided: it holds for this run alone, or as a plan file")
    else:
        note(f"these rules decide {rules.alike} of {counted(len(groups.decisions), 'group')} as you did:")
        if rules.unlike:
            note(f"they do not say what you decided about {counted(rules.unlike, 'group')}")
        if rules.others:
            note(f"they also change {counted(rules.others, 'group')} that you did not decide")
    save_in_config(session, {key: _change(groups, key, value) for key, value in rules.settings.items()})


def _change(groups: DuplicateGroups, key: str, value: Any) -> Change:
    """What makes the new value of what the file has: the criteria and references of this run alone are not written to it."""
    if key == "dedup.reference":
        return appended([one for one in value if one not in groups.options.reference])
    if key == "dedup.keep":
        first = moved_to_front(groups.options.keep or DEFAULT_KEEP, value)
        return lambda known: list(put_in_front(first, known or DEFAULT_KEEP))
    return lambda _: value


def report_other_outcomes(session: Session, groups: DuplicateGroups, found: Duplicates) -> None:
    """Report what is planned otherwise than the review has shown: see `_SINCE`."""
    planned = {one.duplicate.ref for one in found.decisions}
    shown = {one.duplicate.ref for one in groups.leaving.values()}
    for ref in sorted(shown - planned, key=lambda ref: (ref.fs, ref.path))[:_NAMED]:
        session.reporter.warning(f"stays, although it was to be quarantined: {_SINCE}", display_name(ref, ""))
    for ref in sorted(planned - shown, key=lambda ref: (ref.fs, ref.path))[:_NAMED]:
        session.reporter.warning(f"is to be quarantined, although it was to stay: {_SINCE}", display_name(ref, ""))
    further = max(0, len(shown - planned) - _NAMED) + max(0, len(planned - shown) - _NAMED)
    if further:
        session.reporter.warning(f"... and {counted(further, 'more file')}")
