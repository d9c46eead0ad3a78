"""The generated parts of docs/python-api.md: the action of each command, and the errors."""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Iterator, Mapping

from orchestrator import errors
from orchestrator.config.options.declare import Options
from orchestrator.errors import OrchestratorError

ACTIONS = {
    "organize": "organize.organize",
    "plan": "organize.plan",
    "show": "show.show",
    "apply": "apply.apply",
    "runs list": "runs.list_runs",
    "runs show": "runs.show_run",
    "runs abandon": "runs.abandon",
    "resume": "runs.resume",
    "undo": "runs.undo",
    "scan": "scan.scan",
    "scan --explain": "explain.explain",
    "stats": "stats.stats",
    "verify": "verify.verify",
    "dedup": "dedup.dedup",
    "sync": "sync.sync",
    "run": "jobs.run",
    "schedule": "schedule.schedule",
    "queue list": "queue.list_queue",
    "queue flush": "queue.flush",
    "queue drop": "queue.drop",
    "status": "job_status.status",
    "problems list": "problems.list_problems",
    "problems ignore": "problems.ignore",
    "quarantine list": "quarantine.list_quarantine",
    "quarantine restore": "quarantine.restore",
    "quarantine empty": "quarantine.empty",
    "remotes list": "remotes.list_remotes",
    "remotes check": "remotes.check_remote",
    "config init": "config_file.init",
    "config show": "config_file.show",
    "config get": "config_file.get",
    "config set": "config_file.set_value",
    "config unset": "config_file.unset",
    "config validate": "config_file.validate",
    "config schema": "config_file.show_schema",
    "doctor": "doctor.doctor",
}
"""Command -> its function below `orchestrator.actions`."""

_CONTAINERS: dict[object, str] = {list: "a list of", tuple: "a tuple of", dict: "a mapping of", Mapping: "a mapping of"}


def actions_block() -> str:
    """The table of the actions, with the types in their signatures."""
    rows = ["| command | action | options | returns |", "|---|---|---|---|"]
    for command, path in ACTIONS.items():
        module, _, name = path.rpartition(".")
        hints = typing.get_type_hints(getattr(importlib.import_module(f"orchestrator.actions.{module}"), name))
        returned = hints.pop("return")
        options = [kind for kind in hints.values() if isinstance(kind, type) and issubclass(kind, Options)]
        rows.append(f"| `{command}` | `{path}` | {', '.join(map(_name, options)) or 'none'} | {_name(returned)} |")
    return "\n".join(rows) + "\n"


def _name(kind: object) -> str:
    """A type in words, without the packages that the page names above the table."""
    if typing.get_origin(kind) is not None:
        if isinstance(kind, types.UnionType):
            return " or ".join(map(_name, typing.get_args(kind)))
        container = _CONTAINERS[typing.get_origin(kind)]
        return f"{container} {', '.join(_name(one) for one in typing.get_args(kind) if one is not Ellipsis)}"
    if kind is type(None):
        return "None"
    if not isinstance(kind, type):
        return f"`{kind}`"
    if not kind.__module__.startswith("orchestrator."):
        return f"`{kind.__name__}`"
    module = kind.__module__.removeprefix("orchestrator.").removeprefix("config.options.")
    return f"`{module}.{kind.__name__}`"


def errors_block() -> str:
    """The tree of the errors, each with the exit code of a command that it ends."""
    rows = ["| error | exit code | meaning |", "|---|---|---|"]
    for error, depth in _tree(OrchestratorError, 0):
        meaning = " ".join((error.__doc__ or "").split())
        rows.append(f"| {'&nbsp; ' * depth}`{error.__name__}` | {int(error.exit_code)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _tree(error: type[OrchestratorError], depth: int) -> Iterator[tuple[type[OrchestratorError], int]]:
    yield error, depth
    for below in error.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _tree(below, depth + 1)
