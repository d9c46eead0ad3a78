"""What becomes of the decisions of a review of duplicates: they are saved as rules, and checked against the plan made of them."""

from __future__ import annotations

from orchestrator.actions.reviewing import save_in_config
from orchestrator.actions.session import Session
from orchestrator.plan.planners.dedup.records import Duplicates
from orchestrator.plan.shared_names import display_name
from orchestrator.review.duplicate_groups import DuplicateGroups
from orchestrator.wording import counted

_NAMED = 20


def save_keep_rules(session: Session, groups: DuplicateGroups) -> None:
    """Say which keys of the config decide as the person has done, and write them if the person agrees."""
    from orchestrator.review.keep_rules import rules_of  # noqa: PLC0415 - few reviews end with rules

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
    known = session.config.dedup.reference
    if "dedup.reference" in rules.settings:  # as they are spelled there
        new = [one for one in rules.settings["dedup.reference"] if one not in groups.options.reference]
        rules.settings["dedup.reference"] = [*known, *new]
    save_in_config(session, rules.settings)


def report_other_outcomes(session: Session, groups: DuplicateGroups, found: Duplicates) -> None:
    """Report what is planned otherwise than the review has shown, because ends of files were read since then."""
    planned = {one.duplicate.ref for one in found.decisions}
    shown = {one.duplicate.ref for one in groups.leaving.values()}
    for ref in sorted(shown - planned, key=lambda ref: (ref.fs, ref.path))[:_NAMED]:
        why = "stays, although it was to be quarantined: what its copy or its own end holds was read after the review"
        session.reporter.warning(why, display_name(ref, ""))
    for ref in sorted(planned - shown, key=lambda ref: (ref.fs, ref.path))[:_NAMED]:
        session.reporter.warning(
            "is to be quarantined, although it was to stay: its end was read after the review", display_name(ref, "")
        )
    further = max(0, len(shown - planned) - _NAMED) + max(0, len(planned - shown) - _NAMED)
    if further:
        session.reporter.warning(f"... and {counted(further, 'more file')}")
