"""Changes one key of the config file and keeps its comments; what a dotted key names."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from orchestrator.atomic_file import write_atomically
from orchestrator.config.fields import aliases_of, fields_of
from orchestrator.config.loading import examine
from orchestrator.config.masking import is_secret
from orchestrator.config.model import Config
from orchestrator.config.problems import Key, Problem, part_of, refuse, without_consequences
from orchestrator.config.yaml_decoder import is_text, scalar
from orchestrator.config.yaml_lines import without_lines_of
from orchestrator.errors import ConfigError, UsageError
from orchestrator.user_paths import read_user_file
from orchestrator.wording import repeated

Check = Callable[[bytes], Sequence[Problem]]
"""What is wrong with the content of the file. Raises ConfigError for one that cannot be read."""


def split_key(key: str) -> list[str]:
    """The parts of a dotted key; a part that contains dots is in double quotes. Raises UsageError."""
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
    """The value of a key. Raises KeyError."""
    value = document
    for part in parts:
        if isinstance(value, Mapping):
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and len(part) < 9 and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(part)
    return value


def set_key(path: Path, key: str, value: str, check: Check | None = None) -> list[Problem]:
    """Set one key of the file, and create the file if needed. Comments are kept; a key that would be wrong is not written.

    `value` is YAML: a word, a number, `[a, b]`, `{a: b}`. Returns the problems that the file had and still has: they do not keep
    other keys from being set, so that a file with several mistakes can be repaired. `check` may find more than `examine` does.
    Raises ConfigError.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only here: it is slow to import
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    if not is_text(key + value):
        raise UsageError("the key or the value is not UTF-8 text")
    try:
        new_value = YAML().load(value) if _is_structure(value) else scalar(value)
    except YAMLError as error:
        raise ConfigError(
            f"{repeated(key)}: the value is not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}"
        ) from error
    except RecursionError:
        raise ConfigError(f"{repeated(key)}: the value is nested too deep") from None
    edited = _Edited(path, key, check)
    _refuse_secrets(edited.names, new_value)
    if edited.document is None:
        edited.start_empty()
    _put(edited.document, edited.spelled, _with_quotes(new_value), f"{path}: {key}")
    return edited.write(edited.dumped())


def unset_key(path: Path, key: str, check: Check | None = None) -> list[Problem] | None:
    """Take one key out of the file; None if it is not there. A section or list that nothing is left in goes as well.

    Comments and problems are treated as by `set_key`; comments beside what goes are lost. Raises ConfigError.
    """
    edited = _Edited(path, key, check)
    parts = edited.spelled
    try:
        lookup(edited.document, parts)
    except KeyError:
        return None
    while len(parts) > 1 and len(lookup(edited.document, parts[:-1])) == 1:
        parts = parts[:-1]
    text = without_lines_of(edited.text.decode("utf-8"), parts)
    above = lookup(edited.document, parts[:-1])
    del above[parts[-1] if isinstance(above, Mapping) else int(parts[-1])]
    if text is None or not edited.is_said_by(text):  # its lines hold others, or a comment would become part of a text above it
        text = edited.dumped()
    return edited.write(text, set_now=False)


class _Edited:
    """A config file of which one key is being changed."""

    def __init__(self, path: Path, key: str, check: Check | None) -> None:
        """Raises ConfigError for a file that cannot be read as a whole."""
        from ruamel.yaml import YAML  # noqa: PLC0415 - only here: it is slow to import
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415

        if not is_text(key):
            raise UsageError("the key is not UTF-8 text")
        self._path = path
        self._check = check or (lambda text: examine(text, path, {})[1])
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 4096
        self._comments = ""
        parts = split_key(key)
        try:
            self.text = read_user_file(path) if path.exists() else b""
        except OSError as error:
            raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
        self._before = self._check(self.text)
        self._unread = examine(self.text, path, {})[0].incomplete
        try:
            self.document = self._yaml.load(self.text.decode("utf-8"))
        except (YAMLError, RecursionError) as error:  # such as a key that is given twice: what is written would have only one
            refuse(self._before, "not written: ")
            raise ConfigError(f"{path}: not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}") from error
        self.names = own_names(parts)
        if _is_section_alone(self.document) and self.names[0] != Config.alone[1]:
            self.names = [Config.alone[1], *self.names]
        self.spelled = _as_spelled(self.document, parts)

    def start_empty(self) -> None:
        """Begin a document in a file that has nothing but comments."""
        self._comments = self.text.decode("utf-8")
        self.document = self._yaml.load("{}")
        self.document.fa.set_block_style()

    def is_said_by(self, text: str) -> bool:
        """Whether a text holds the document as it is now."""
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

        try:
            return bool((self._yaml.load(text) or {}) == self.document)
        except YAMLError:
            return False

    def dumped(self) -> str:
        """The file as it is now."""
        return (
            f"{as_json(self.document, indent=4)}\n"
            if _is_json(self.text, self._path)
            else _after(self._comments, self._yaml, self.document)
        )

    def write(self, text: str, *, set_now: bool = True) -> list[Problem]:
        """Write it, unless it has a new problem; `set_now`: unless any is of the key. Returns those that it had already."""
        try:
            after = self._check(text.encode("utf-8"))
        except ConfigError as error:
            raise ConfigError(f"not written: {error.message}") from error
        refused = [
            one for one in after if (set_now and _is_of(self.names, one)) or not _was_there(one, self._before, self._unread)
        ]
        refuse(refused, "not written: ")
        write_config(self._path, text)
        return [*after]


def as_json(document: Any, indent: int | None = None) -> str:
    """JSON that is YAML as well. What cannot be seen is escaped: YAML takes some of it for a line break, and refuses the rest."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    seen = (letter.isprintable() or letter == "\n" or ord(letter) > 0xFFFF for letter in text)
    return "".join(letter if is_seen else f"\\u{ord(letter):04x}" for letter, is_seen in zip(text, seen, strict=True))


def _with_quotes(value: Any) -> Any:
    """A value of ruamel's document in which each text with U+0085 is in quotes that escape it: else YAML reads a space."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString  # noqa: PLC0415 - as above

    if isinstance(value, str):
        return DoubleQuotedScalarString(value) if "\x85" in value else value
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            value[key] = _with_quotes(value[key])
    return value


def _after(comments: str, yaml: Any, document: Any) -> str:
    """A document as ruamel writes it, after the comments of a file that had nothing else."""
    written = io.StringIO()
    yaml.dump(document, written)
    return comments + ("\n" if comments and not comments.endswith("\n") else "") + written.getvalue()


def _is_of(names: Sequence[str], problem: Problem) -> bool:
    """Whether a problem says that the key with these names is wrong, or what is in it, or that there can be no such key."""
    key = [*problem.key]
    return key[: len(names)] == names or (bool(key) and names[: len(key)] == key and not known_key(names))


def _was_there(problem: Problem, before: Sequence[Problem], unread: Collection[Key]) -> bool:
    """Whether the file had a problem before: it was found, or could not be while others were in its part of the file."""
    found = any((one.key, one.reason) == (problem.key, problem.reason) for one in before)
    return found or part_of(problem.key) in unread or problem not in without_consequences([problem, *before])


def _refuse_secrets(names: Sequence[str], value: Any) -> None:
    for option in _secrets_in(names, value):
        raise UsageError(
            f"not written: the option {option} is a secret, and does not belong in a config file or on a command line: "
            f"keep it in a variable of the environment or in a file, and name that: "
            f"`secrets: {{{option}: {{env: NAME}}}}` or `{{file: FILE}}`"
        )


def _secrets_in(parts: Sequence[str], value: Any) -> Iterator[str]:
    """The names of secret options of remotes that a value sets."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _secrets_in([*parts, str(name)], inner)
    elif parts[0] in {"cloud", "remotes"} and "options" in parts[1:-1] and is_secret(parts[-1]):
        yield repeated(parts[-1])


def _is_json(text: bytes, path: Path) -> bool:
    """Whether a file is JSON, and must stay so for the programs that read it as such."""
    try:
        return path.suffix == ".json" and isinstance(json.loads(text), dict)
    except ValueError:  # YAML in spite of its name
        return False


def own_names(parts: Sequence[str]) -> list[str]:
    """A key with each part by its own name instead of an alias."""
    return [name for name, _ in _with_spellings(parts)]


def _with_spellings(parts: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Each part of a key by its own name, and all its spellings."""
    section: type[Struct] | None = Config
    for part in parts:
        aliases = aliases_of(section) if section is not None else {}
        name = aliases.get(part, part)
        yield name, frozenset({name, *(alias for alias, own in aliases.items() if own == name)})
        fields = fields_of(section) if section is not None else ()
        section = next((field.section for field in fields if field.name == name and field.closed), None)


def _is_section_alone(document: Any) -> bool:
    """Whether the whole file is one section, by the key at its top level that only this section has."""
    return isinstance(document, Mapping) and Config.alone[0] in document


def _as_spelled(document: Any, parts: Sequence[str]) -> list[str]:
    """A key as this file spells it; as it was given where the file does not have it."""
    steps = list(zip(parts, _with_spellings(parts), strict=True))
    if _is_section_alone(document) and len(steps) > 1 and steps[0][1][0] == Config.alone[1]:
        steps = steps[1:]
    found = []
    parent = document
    for given, (_, spellings) in steps:
        there = [key for key in parent if key in spellings] if isinstance(parent, Mapping) else []
        found.append(there[0] if there else given)
        parent = parent.get(found[-1]) if isinstance(parent, Mapping) else None
    return found


def _put(document: Any, parts: Sequence[str], value: Any, where: str) -> None:
    """Set a key of ruamel's document, and create missing mappings above it. Raises ConfigError."""
    _give_job_keys(document, parts)
    parent = document
    for part in parts[:-1]:
        index = _index(parent, part, where)
        if (parent.get(index) if isinstance(parent, dict) else parent[index]) is None:
            parent[index] = type(document)()
        parent = parent[index]
    parent[_index(parent, parts[-1], where)] = value


def _give_job_keys(document: Any, parts: Sequence[str]) -> None:
    """Move the steps of a job that is only a list of them under `steps`, if it is to get another key, such as `at`."""
    jobs = document.get("jobs")
    if len(parts) > 2 and parts[0] == "jobs" and not parts[2].isdecimal():
        steps = jobs.get(parts[1]) if isinstance(jobs, dict) else None
        if isinstance(steps, list):
            jobs[parts[1]] = type(document)({"steps": steps})


def _index(parent: Any, part: str, where: str) -> Any:
    if isinstance(parent, dict):
        return part
    if not isinstance(parent, list):
        raise ConfigError(f"{where}: the key above `{part}` holds a value, not keys")
    if not (part.isdecimal() and len(part) < 9 and int(part) < len(parent)):
        raise ConfigError(f"{where}: `{part}` must be the number of an entry: there are {len(parent)}, counted from 0")
    return int(part)


def _is_structure(value: str) -> bool:
    """Whether a value is a list, a mapping or a quoted word. A layout template, which begins with a brace, is none of these."""
    return value.startswith(("[", "{", '"', "'")) and not value.startswith(("{{", "{%"))


def write_config(path: Path, text: str) -> None:
    """Replace the whole file; a new one is readable only by its owner. Raises ConfigError."""
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = real.stat().st_mode & 0o777 if real.exists() else 0o600
        write_atomically(real, [text.encode("utf-8")], mode)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the config file: {error.strerror}") from error


def known_key(parts: Sequence[str], section: type[Struct] = Config) -> bool:
    """Whether a key is valid in the file. Any name is valid where the user chooses it, such as that of a job."""
    facts = {field.name: field for field in fields_of(section)}
    field = facts.get(parts[0])
    if field is None or len(parts) == 1:
        return field is not None
    if field.section is None:
        return not field.scalar
    rest = parts[1:] if field.closed else parts[2:]
    return not rest or field.name == "jobs" or known_key(rest, field.section)
