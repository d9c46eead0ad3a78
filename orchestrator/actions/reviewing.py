"""Open a review in the terminal, and do what the person wants at its end."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.actions.change import Planned, offer_to_write
from orchestrator.actions.session import Session
from orchestrator.errors import UsageError
from orchestrator.review.model import Outcome, Review

MISSING = "a review needs textual: pip install 'music-orchestrator[review]'"


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

    `save_rules` saves the decisions for other runs; then the review goes on.
    """
    outcome = _show(session, review, 0)
    while outcome.end == "rules":
        save_rules()
        outcome = _show(session, review, outcome.entry)
    if outcome.end == "quit":
        return None
    planned = plan_again()
    if outcome.end == "write":
        offer_to_write(session, planned.plan)
        return None
    return planned


def save_in_config(session: Session, settings: Mapping[str, Any]) -> None:
    """Show keys for the config file, and set them if the person agrees. Raises ConfigError for a file that cannot be changed."""
    from orchestrator.actions.config_file import set_value  # noqa: PLC0415 - few reviews end with rules
    from orchestrator.config.options.config import ConfigSetOptions  # noqa: PLC0415 - as above

    for key, value in settings.items():
        session.reporter.note(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    if settings and session.reporter.confirm(f"Write this to {session.loaded_config.path}?"):
        for key, value in settings.items():
            set_value(ConfigSetOptions(key=key, value=json.dumps(value, ensure_ascii=False)), session)
    elif settings:
        session.reporter.note("the config was not changed")
    session.reporter.ask("Enter goes back to the review.")


def _show(session: Session, review: Review, at: int) -> Outcome:
    from orchestrator.review.terminal import show  # noqa: PLC0415 - textual is an extra, and slow to import

    session.reporter.begin_screen()
    began = time.monotonic()
    try:
        return show(review, at)
    finally:
        session.summary.waited_s += time.monotonic() - began
