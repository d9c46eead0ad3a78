"""The config file that `config init` writes: every key with its description and an example, commented out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from orchestrator.config.fields import FieldFacts, alternatives, fields_of
from orchestrator.config.model import Config

_HEAD = """\
# The config of music-orchestrator. Every key is optional; the lines after "#" are examples.
# `music-orchestrator config validate` checks this file, `config schema` gives its JSON schema for editors.
"""


def template() -> str:
    """A config in which every key is described and commented out."""
    lines = [_HEAD]
    for field in fields_of(Config):
        lines += [f"# {field.description}", *(f"#{line}" for line in _example(field, 0)), ""]
    return "\n".join(lines)


def _example(field: FieldFacts, indent: int) -> list[str]:
    """The key with an example value, in YAML."""
    space = "  " * indent
    if field.example is not None:
        return [f"{space}{field.name}: {_flow(field.example)}"]
    if field.section is not None:
        return [f"{space}{field.name}:", *_section_example(field, indent + 1)]
    if isinstance(field.default, (list, dict)) and not field.default:
        return [f"{space}{field.name}: {'[]' if isinstance(field.default, list) else '{}'}"]
    return [f"{space}{field.name}: {_flow(field.default) if field.default is not None else ''}".rstrip()]


def _section_example(field: FieldFacts, indent: int) -> list[str]:
    """The lines below a key that holds a closed mapping, or mappings by name, or a list of them."""
    assert field.section is not None  # noqa: S101 - for mypy: the caller has looked
    space = "  " * indent
    inner = fields_of(field.section)
    if field.closed:
        return [line for one in inner for line in _example(one, indent)]
    if isinstance(field.default, list) and field.default:
        rows = (msgspec.to_builtins(row).items() for row in field.default)
        return [f"{space}- {_flow({key: value for key, value in row if value})}" for row in rows]
    if any(isinstance(kind, inspect.ListType) for kind in alternatives(field.type)):
        shown = ", ".join(f"{one.name}: {_flow(one.example)}" for one in inner if one.example is not None)
        return [f"{space}- {{{shown}}}"]
    if field.name == "jobs":
        return [
            f"{space}nightly:",
            f"{space}  - organize: {{source: gdrive:Inbox, target: library}}",
            f"{space}  - sync: {{a: /srv/music, b: library}}",
            f"{space}monthly:",
            f"{space}  max_duration: 4h",
            f"{space}  steps: [{{quarantine_empty: {{location: library, older_than: 30d}}}}]",
        ]
    shown = ", ".join(f"{one.name}: {_flow(one.example)}" for one in inner if one.example is not None)
    return [f"{space}my-aws: {{{shown}}}"]


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and (value != value.strip(" :") or not value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and any(mark in value for mark in "{}[],#%'\"&*!|>@`?") and not value.replace("%", "").isalnum():
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
