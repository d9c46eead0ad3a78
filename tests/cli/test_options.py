"""One declaration of options: the command line, the steps of jobs and the JSON schema say what the structs say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
import pytest
from msgspec import inspect

from orchestrator.cli.framework import Command
from orchestrator.cli.main import PROGRAM, application, run
from orchestrator.cli.options import CommonOption, take_record
from orchestrator.config.fields import FieldFacts, alternatives, fields_of
from orchestrator.config.jobs import JobStep
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.dedup import DedupOptions
from orchestrator.config.options.organize import OrganizeOptions
from orchestrator.config.options.quarantine import QuarantineEmptyOptions
from orchestrator.config.options.scan import ScanOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.config.options.verify import VerifyOptions
from orchestrator.config.schema import schema


def commands(group: click.Group = application, prefix: str = "") -> Iterator[tuple[str, Command]]:
    """Every command that does something, with its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, f"{prefix}{name} ")
        else:
            assert isinstance(found, Command)
            yield f"{prefix}{name}", found


COMMANDS = dict(commands())
every_command = pytest.mark.parametrize("name", COMMANDS)


def spelled(field: FieldFacts) -> str:
    return f"--{(field.spelling.name or field.name).replace('_', '-')}"


def words_of(field: FieldFacts) -> tuple[list[str], Any]:
    """How a value of this field is typed, and the value that the record then has."""
    option = [] if field.spelling.positional else [spelled(field)]
    if field.default is False:
        return option, True
    choices = getattr(field.type, "values", None) or getattr(getattr(field.type, "types", [None])[0], "values", ["word"])
    value = str(choices[0])
    several = any(isinstance(one, inspect.VarTupleType) for one in alternatives(field.type))
    return [*option, value], (value,) if several else value


@every_command
def test_the_command_line_takes_what_the_struct_declares(name: str) -> None:
    command = COMMANDS[name]
    fields = fields_of(command.declaration)
    own = [one for one in command.params if not isinstance(one, CommonOption)]
    options = {one.opts[-1] if one.opts[-1].startswith("--") else one.opts[0] for one in own if isinstance(one, click.Option)}
    arguments = [one.name for one in own if isinstance(one, click.Argument)]
    assert options == {spelled(field) for field in fields if not field.spelling.positional}
    assert arguments == [field.name for field in fields if field.spelling.positional]
    assert all(field.description.endswith(".") for field in fields)


@every_command
def test_typed_values_end_up_in_the_record(name: str) -> None:
    command = COMMANDS[name]
    fields = fields_of(command.declaration)
    needed = {field.name: words_of(field) for field in fields if field.required}
    bare = [word for words, _ in needed.values() for word in words]
    expected = {name: value for name, (_, value) in needed.items()}
    assert record(command, bare) == command.declaration(**expected)
    for field in fields:
        if not field.required:
            typed, value = words_of(field)
            assert record(command, [*bare, *typed]) == command.declaration(**expected | {field.name: value})


def record(command: Command, words: list[str]) -> Any:
    values = command.make_context("x", [*words], **application.context_settings).params
    take_record(CommonOptions, values)
    made = take_record(command.declaration, values)
    assert not values, "every parameter belongs to a field"
    return made


def test_of_two_flags_that_exclude_each_other_the_last_one_counts() -> None:
    last = record(COMMANDS["organize"], ["a", "--copy", "--move"])
    assert (last.copy, last.move) == (False, True)
    assert record(COMMANDS["organize"], ["a", "--move", "--copy"]).copy
    assert [OrganizeOptions(source="a").copies(in_place=where) for where in (True, False)] == [False, True]


@every_command
def test_help_shows_the_common_options_that_affect_the_command_and_all_are_accepted(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[name]
    assert set(command.declaration.common) <= set(CommonOptions.__struct_fields__)
    assert {one.name for one in command.params if isinstance(one, CommonOption)} == set(CommonOptions.__struct_fields__)
    assert run([*name.split(), "--help"]) == 0
    block = capsys.readouterr().out.partition("\nCommon options:\n")[2]
    shown = [field.name for field in fields_of(CommonOptions) if f"{spelled(field)} " in block]
    assert shown == [field for field in CommonOptions.__struct_fields__ if field in command.declaration.common]


def test_some_common_options_affect_only_some_commands() -> None:
    common = {name: command.declaration.common for name, command in COMMANDS.items()}
    assert [name for name in common if "max_delete" in common[name]] == [
        *("organize", "plan", "apply", "scan", "stats", "dedup", "sync", "verify", "queue flush", "run")
    ]
    assert [name for name in common if "strict" in common[name]] == [
        *("organize", "plan", "scan", "dedup", "sync", "queue flush", "run")
    ]
    for limit in ("max_cost", "max_transfer"):
        assert [name for name in common if limit in common[name]] == [
            *("organize", "apply", "resume", "undo", "scan", "dedup", "sync", "verify", "queue flush", "run"),
            *("quarantine restore", "quarantine empty"),
        ]
    assert [name for name in common if "yes" in common[name]] == [
        *("organize", "apply", "runs abandon", "resume", "undo", "dedup", "sync", "queue flush", "queue drop", "run"),
        *("quarantine restore", "quarantine empty"),
    ]
    assert not {"transfers", "bandwidth", "max_delete", "ignore_marker"} & {*common["runs abandon"]}
    assert not {"transfers", "bandwidth", "rclone"} & {*common["config validate"], *common["show"], *common["runs list"]}


def test_help_lists_choices_as_declared_and_shows_no_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["organize", "--help"]) == 0
    text = capsys.readouterr().out
    assert "[off|report|quarantine]" in text
    assert "<=" not in text
    assert run(["organize", ".", "--transfers", "0"]) == 2
    assert run(["organize", ".", "--transfers", "1001"]) == 2


def test_a_group_lists_the_common_options_of_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--help"]) == 0
    text = capsys.readouterr().out
    assert "--dry-run" in text
    assert "--transfers" not in text


NOT_IN_JOBS = {
    "organize": {"plan_file", "review"},
    "dedup": {"plan_file", "review"},
    "scan": {"allow_empty", "explain"},
    "sync": {"plan_file", "resync", "to_cloud", "to_local", "bidirectional"},
}
"""Options for a person at a terminal. `allow_empty`: a job must stop if the music is gone."""
ONLY_IN_JOBS = {"organize": {"max_delete"}, "dedup": {"max_delete"}, "sync": {"max_delete", "mode"}}
"""`max_delete` is a common option of the command line."""
STRUCTS = {
    "organize": OrganizeOptions,
    "dedup": DedupOptions,
    "scan": ScanOptions,
    "sync": SyncOptions,
    "verify": VerifyOptions,
    "quarantine_empty": QuarantineEmptyOptions,
}


def test_the_steps_of_jobs_take_the_options_of_their_commands() -> None:
    steps = {field.name: field.section for field in fields_of(JobStep)}
    assert set(steps) == set(STRUCTS)
    for name, step in steps.items():
        assert step is not None
        keys = {field.name: field.description for field in fields_of(step)}
        options = {field.name: field.description for field in fields_of(STRUCTS[name])}
        assert set(keys) == set(options) - NOT_IN_JOBS.get(name, set()) | ONLY_IN_JOBS.get(name, set()), name
        for key in set(keys) & set(options):
            assert keys[key] == options[key], f"{name}.{key}: one description"


def test_the_schema_describes_the_steps_as_the_command_line_does() -> None:
    definitions = json.loads(json.dumps(schema()))["$defs"]
    for field in fields_of(OrganizeOptions):
        if field.name not in NOT_IN_JOBS["organize"]:
            assert definitions["OrganizeStep"]["properties"][field.name]["description"] == field.description


def test_the_program_is_called_as_its_help_says() -> None:
    assert application.name == PROGRAM
