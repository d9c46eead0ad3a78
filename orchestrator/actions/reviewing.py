"""Open a review in the terminal, and do what the person wants at its end."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.actions.change import Planned, offer_to_write
from orchestrator.actions.session import Session
from orchestrator.errors import ConfigError, UsageError
from orchestrator.review.model import Outcome, Review

MISSING = "a review needs textual: pip install 'music-orchestrator[review]'"
_BACK = "Enter goes back to the review."

Change = Callable[[Any], Any]
"""What makes the new value of a key of that in the config file."""


def need_review(session: Session, option: str) -> None:
    """Refuse a review where none can be shown. Raises UsageError."""
    if not session.reporter.can_show_screen:
        raise UsageError(f"{option} needs a terminal, and neither --json nor -q: leave it out to let the rules decide")
    if importlib.util.find_spec("textual") is None:
        raise UsageError(MISSING)


def reviewed(
    session: Session, review: Review, plan_again: Callable[[], Planned], save_rules: Callable[[], None]
) -> Planned | None:
    """Show a review, and plan what was decided; None if nothing is to be changed now.

    `save_rules` saves the decisions for other runs; then the review goes on, as it does if no plan file was written.
    """
    outcome = _show(session, review, 0)
    while outcome.end in ("rules", "write"):
        if outcome.end == "rules":
            save_rules()
        elif offer_to_write(session, lambda: plan_again().plan):
            return None
        else:
            session.reporter.ask(_BACK)
        outcome = _show(session, review, outcome.entry)
    return None if outcome.end == "quit" else plan_again()


def appended(new: Sequence[str]) -> Change:
    """What adds to a list that of this which it lacks."""
    return lambda known: [*(known or ()), *(one for one in new if one not in (known or ()))]


def save_in_config(session: Session, changes: Mapping[str, Change]) -> None:
    """Show keys for the config file, and set them if the person agrees. A file that cannot be changed is warned of."""
    try:
        _save_in_config(session, changes)
    except (ConfigError, UsageError) as error:
        session.reporter.warning(error.message)
    session.reporter.ask(_BACK)


def _save_in_config(session: Session, changes: Mapping[str, Change]) -> None:
    from orchestrator.actions.config_file import set_value, value_in_file  # noqa: PLC0415 - few reviews end with rules
    from orchestrator.config.edit import as_json  # noqa: PLC0415 - as above
    from orchestrator.config.options.config import ConfigSetOptions  # noqa: PLC0415 - as above

    def values() -> dict[str, str]:
        there = {key: value_in_file(key, session) for key in changes}
        return {key: as_json(change(there[key])) for key, change in changes.items() if change(there[key]) != there[key]}

    shown = values()
    for key, value in shown.items():
        session.reporter.note(f"{key}: {value}")
    if changes and not shown:
        session.reporter.note("the config says this already")
    elif shown and session.reporter.confirm(f"Write this to {session.loaded_config.path}?"):
        for key, value in values().items():  # the file may have been changed during the question
            set_value(ConfigSetOptions(key=key, value=value), session)
    elif shown:
        session.reporter.note("the config was not changed")


def _show(session: Session, review: Review, at: int) -> Outcome:
    from orchestrator.review.terminal import show  # noqa: PLC0415 - textual is an extra, and slow to import

    session.reporter.begin_screen()
    began = time.monotonic()
    try:
        return show(review, at)
    finally:
        session.summary.waited_s += time.monotonic() - began
