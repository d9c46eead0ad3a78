"""Check the jobs of the config: what their types alone cannot say. Each problem names the file, the line and the key."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from orchestrator.actions.config_check import (
    Check,
    check_criteria,
    check_folder_name,
    check_patterns,
    of_layout,
    of_settings,
)
from orchestrator.config.calendar import parse_calendars
from orchestrator.config.fields import fields_of
from orchestrator.config.jobs import as_job, placed_steps
from orchestrator.config.loading import LoadedConfig
from orchestrator.config.location_text import check_form, is_path
from orchestrator.config.model import Config
from orchestrator.config.options.declare import Options
from orchestrator.config.options.dedup import DedupStep
from orchestrator.config.options.organize import OrganizeStep
from orchestrator.config.options.sync import SyncStep
from orchestrator.config.problems import Key, Problem
from orchestrator.config.setting_syntax import parse_duration, parse_limit, parse_money, parse_size
from orchestrator.errors import UsageError
from orchestrator.globs import compile_globs
from orchestrator.wording import repeated

_OF_JOBS: dict[str, Check] = {
    "at": parse_calendars,
    "wait": partial(parse_duration, unit_needed=True),
    "max_duration": partial(parse_duration, unit_needed=True),
    "max_transfer": parse_size,
    "max_cost": parse_money,
}


def job_problems(loaded: LoadedConfig, names: Sequence[str] | None = None) -> list[Problem]:
    """What keeps these jobs (None: all) from being done, as far as the config alone can say."""
    jobs = loaded.config.jobs
    found: list[Problem] = []
    for name in jobs if names is None else names:
        job = as_job(jobs[name])
        found += of_settings(loaded, [(check, getattr(job, key), ("jobs", name, key)) for key, check in _OF_JOBS.items()])
        if not job.steps and ("jobs", name) not in loaded.incomplete:
            found.append(loaded.problem(("jobs", name), ": a job needs at least one step"))
    for placed in placed_steps(jobs, names):
        for command, options in placed.step.commands.items():
            found += _of_step(loaded, (*placed.key, command), options)
    return loaded.judged(found)


def sends_messages(config: Config) -> bool:
    """Whether the end of some job is to be reported by a message."""
    return any(
        notify is not None and notify.urls for notify in (config.notify, *(as_job(job).notify for job in config.jobs.values()))
    )


def locations_in(options: Options) -> Iterator[tuple[str, str]]:
    """The locations that the options of a step name: the option -> the location."""
    for field in fields_of(type(options)):
        if field.spelling.completes == "location":
            value = getattr(options, field.name)
            for text in (value,) if isinstance(value, str) else value or ():
                yield field.name, text


def _of_step(loaded: LoadedConfig, key: Key, options: Options) -> Iterator[Problem]:
    checks: dict[str, Check] = {
        "max_delete": parse_limit,
        "settle": parse_duration,
        "older_than": partial(parse_duration, unit_needed=True),
        "untagged": check_folder_name,
        "leftovers": check_folder_name,
        "names_as_tags": check_patterns,
        "keep": check_criteria,
        "include": _check_globs,
        "exclude": _check_globs,
    }
    yield from of_settings(loaded, [(check, getattr(options, name, None), (*key, name)) for name, check in checks.items()])
    for name, text in locations_in(options):
        if reason := _location_problem(text, {*loaded.config.locations, *loaded.unread_names("locations")}):
            yield loaded.problem((*key, name), f": {reason}")
    match options:
        case SyncStep(delete_after=True) if options.delete or options.mode == "bidirectional":
            reason = ": moves files one way: use to-cloud or to-local as its mode, and no `delete`"
            yield loaded.problem((*key, "delete_after"), reason)
        case DedupStep(delete=True, dedup="report"):
            yield loaded.problem((*key, "delete"), ": cannot be combined with `dedup: report`, which only reports")
        case OrganizeStep(copy=True, move=True):
            yield loaded.problem((*key, "move"), ": files are copied or moved: write one of `copy` and `move`")
        case OrganizeStep(layout=str(layout)):
            from orchestrator.plan.layout.templates import compile_layout  # noqa: PLC0415 - jinja2 is slow to import

            yield from of_layout(compile_layout, layout, loaded, (*key, "layout"))
        case _:
            pass


def _check_globs(value: Sequence[str], label: str) -> None:
    try:
        compile_globs(value)
    except UsageError as error:
        raise UsageError(f"{label}: {error.message}") from None


def _location_problem(text: str, names: Collection[str]) -> str | None:
    """Why a text can be no location, by its form and the names of the config: remotes are not looked up."""
    if text in names:
        return None
    try:
        check_form(text)
    except UsageError as error:
        return error.message
    name, colon, _ = text.partition(":")
    if is_path(text) or (colon and "/" not in name):
        return None
    near = difflib.get_close_matches(text, names, n=1)
    instead = f"did you mean {near[0]}?" if near else f"write ./{repeated(text)} for a folder"
    return f"no location {repeated(text)} under `locations:`; {instead}"
