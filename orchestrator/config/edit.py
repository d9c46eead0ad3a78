"""The config file as a text: the commented template, and changing one key in place with the comments kept."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, inspect

from orchestrator.config.fields import FieldFacts, alternatives, fields_of
from orchestrator.config.loading import parse
from orchestrator.config.model import Config
from orchestrator.config.yaml_decoder import is_text, scalar
from orchestrator.errors import ConfigError, UsageError

_HEAD = """\
# The config of music-orchestrator. Every key may be left out; what stands here after "#" are examples.
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
    """What stands below a key that holds a closed mapping, or mappings by name, or a list of them."""
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
            f"{space}  - scan: {{location: library}}",
        ]
    shown = ", ".join(f"{one.name}: {_flow(one.example)}" for one in inner if one.example is not None)
    return [f"{space}my-aws: {{{shown}}}"]


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and any(mark in value for mark in "{}[],#%'\"&*!|>@`") and not value.replace("%", "").isalnum():
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def split_key(key: str) -> list[str]:
    """The parts of a dotted key; a part that holds dots stands in double quotes. Raises UsageError."""
    parts: list[str] = []
    rest = key
    while rest:
        if rest.startswith('"'):
            part, quote, rest = rest[1:].partition('"')
            if not quote or (rest and not rest.startswith(".")):
                raise UsageError(f"{key}: the quotes do not match")
            rest = rest[1:]
        else:
            part, _, rest = rest.partition(".")
        if not part:
            raise UsageError(f"{key}: not a key; write section.key, such as cloud.provider")
        parts.append(part)
    if not parts or key.endswith("."):
        raise UsageError(f"{key!r}: not a key; write section.key, such as cloud.provider")
    return parts


def lookup(document: Any, parts: Sequence[str]) -> Any:
    """The value at a key. Raises KeyError."""
    place = document
    for part in parts:
        if isinstance(place, Mapping):
            place = place[part]
        elif isinstance(place, list) and part.isdigit() and int(part) < len(place):
            place = place[int(part)]
        else:
            raise KeyError(part)
    return place


def set_key(path: Path, key: str, value: str) -> None:
    """Set one key of the file, which is made if need be. Comments stay; a file that would be wrong is not written.

    `value` is YAML: a word, a number, `[a, b]`, `{a: b}`. Raises ConfigError.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only here: it is slow to import
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    if not is_text(key + value):
        raise UsageError("the key or the value is not UTF-8 text")
    parts = split_key(key)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    try:
        text = path.read_bytes() if path.exists() else b""
        if text:
            # Its own mistakes first, with their lines.
            parse(text, path)
        document = yaml.load(text.decode("utf-8"))
        new_value = yaml.load(value) if _is_structure(value) else scalar(value)
    except YAMLError as error:
        raise ConfigError(f"{key}: {value} is not valid YAML: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
    if document is None:
        kept = text.decode("utf-8")
        document = yaml.load("{}")
        document.fa.set_block_style()
    else:
        kept = ""
    _put(document, parts, new_value, f"{path}: {key}")
    written = io.StringIO()
    yaml.dump(document, written)
    new_text = kept + ("\n" if kept and not kept.endswith("\n") else "") + written.getvalue()
    try:
        parse(new_text.encode("utf-8"), path)
    except ConfigError as error:
        raise ConfigError(f"not written: {error.message}") from error
    write_atomically(path, new_text)


def _put(document: Any, parts: Sequence[str], value: Any, where: str) -> None:
    """Put a value at a key of ruamel's document, the mappings on the way made where they are missing. Raises ConfigError."""
    place = document
    for part in parts[:-1]:
        at = _at(place, part, where)
        if (place.get(at) if isinstance(place, dict) else place[at]) is None:
            place[at] = type(document)()
        place = place[at]
    place[_at(place, parts[-1], where)] = value


def _at(place: Any, part: str, where: str) -> Any:
    if isinstance(place, dict):
        return part
    if not isinstance(place, list):
        raise ConfigError(f"{where}: what stands above `{part}` holds a value, not keys")
    if not (part.isdecimal() and len(part) < 9 and int(part) < len(place)):
        raise ConfigError(f"{where}: `{part}` stands where the number of an entry must; there are {len(place)}, counted from 0")
    return int(part)


def _is_structure(value: str) -> bool:
    """Whether a value is a list, a mapping or a quoted word. A layout template begins with a brace as well."""
    return value.startswith(("[", "{", '"', "'")) and not value.startswith(("{{", "{%"))


def write_atomically(path: Path, text: str) -> None:
    """Replace the file as a whole; readable by its owner alone when it is new. Raises ConfigError."""
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = real.stat().st_mode & 0o777 if real.exists() else 0o600
        descriptor, temporary = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the config file: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(real)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot write the config file: {error.strerror}") from error


def known_key(parts: Sequence[str], section: type[Struct] = Config) -> bool:
    """Whether a key may stand in the file (names that the user chooses, such as a job's, are all known)."""
    facts = {field.name: field for field in fields_of(section)}
    field = facts.get(parts[0])
    if field is None or len(parts) == 1:
        return field is not None
    if field.section is None:
        return not field.scalar
    rest = parts[1:] if field.closed else parts[2:]
    return not rest or field.name == "jobs" or known_key(rest, field.section)
