"""Writes the generated parts of docs/: `--help` of each command, config keys, presets and fields of layouts, the manual page.

Run it when one of those changes: `python scripts/update_docs.py`. A test fails if they are out of date.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from msgspec import inspect

from orchestrator.cli.main import PROGRAM, application
from orchestrator.config import model
from orchestrator.config.environment import environment_names
from orchestrator.config.fields import FieldFacts, fields_of
from orchestrator.foreign_folders import FOREIGN_FOLDERS
from orchestrator.globs import compile_globs
from orchestrator.plan.file_names import habits
from orchestrator.plan.file_names.pattern import FIELDS as PATTERN_FIELDS
from orchestrator.plan.layout.filters import EXAMPLES
from orchestrator.plan.layout.foreign_templates import translations_of
from orchestrator.plan.layout.presets import DESCRIPTIONS, PRESETS
from orchestrator.plan.layout.templates import Template, compile_layout, split_directory, tidy
from orchestrator.plan.music.classes import CLASSES
from orchestrator.plan.music.layout_fields import ALBUM_FIELDS, FIELDS, NO_ALBUM, NO_ARTIST, TRACK_FIELDS
from orchestrator.plan.music.tag_values import ABSENT
from orchestrator.plan.planners.dedup.keep_order import CRITERIA
from orchestrator.prices import REQUEST_KINDS
from orchestrator.profiles import all_profiles, price_lists
from scripts import api_reference
from scripts.man_page import man_page

DOCS = Path(__file__).parents[1] / "docs"
MAN_PAGE = DOCS / "music-orchestrator.1"
WIDTH = 100
_BLOCK = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> Iterator[tuple[str, str]]:
    """The full name and the help of every command; the program itself comes first."""
    yield from _commands(application, PROGRAM, None)


def _commands(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _commands(found, inner, context)


def _help_block() -> str:
    parts = []
    for path, text in commands():
        shown = text
        if path != PROGRAM:
            shown, _, common = text.partition("\n\nCommon options:\n")
            names = ", ".join(re.findall(r"^  (?:-\w, )?(--[\w-]+)", common, re.MULTILINE))
            shown += "\n\n" + textwrap.fill(f"Common options, see above: {names}", WIDTH, break_on_hyphens=False)
        parts.append(f"### {path}\n\n```text\n{shown}\n```\n")
    return "\n".join(parts)


def _config_block() -> str:
    rows = ["| key | what it says | default | environment |", "|---|---|---|---|"]
    environment = {".".join(path): name for name, path in environment_names().items()}
    for key, field in _keys(fields_of(model.Config), ""):
        default = "" if field.default in (None, [], (), {}) or field.section else f"`{field.default}`"
        name = f"`{environment[key]}`" if key in environment else ""
        described = f"{field.description}{' A list.' if isinstance(field.type, inspect.VarTupleType) else ''}"
        rows.append(f"| `{key}` | {described.replace('|', chr(92) + '|')} | {default} | {name} |")
    return "\n".join(rows) + "\n"


_INNER = {
    "jobs": ".<job>",
    "steps": "[]",
    "remotes": ".<remote>",
    "layouts": "[]",
    "sidecars": "[]",
    "secrets": ".<option>",
}
"""What stands between a key and those below it, where it holds several mappings."""


def _keys(fields: Iterable[FieldFacts], prefix: str) -> Iterator[tuple[str, FieldFacts]]:
    for field in fields:
        key = f"{prefix}{field.name}"
        yield key, field
        if field.section is not None:
            yield from _keys(fields_of(field.section), f"{key}{_INNER.get(field.name, '')}.")


def _preset_block() -> str:
    rows = ["| preset | what it gives | a track of a second disc |", "|---|---|---|"]
    for name in PRESETS:
        template = compile_layout(name).choose(FIELDS)
        directory, file = template.render({**FIELDS, "disc": 2})
        path = "/".join(tidy(part) for part in (*split_directory(directory), file))
        rows.append(f"| `{name}` | {DESCRIPTIONS[name]} | `{path}.flac` |")
    return "\n".join(rows) + "\n"


def _template_block() -> str:
    parts = ["```text"]
    for name, rules in PRESETS.items():
        parts.append(name)
        for rule in rules:
            parts += [f"    when {rule.when}:"] if rule.when else []
            parts.append(f"    {'    ' if rule.when else ''}{rule.template}")
    return "\n".join([*parts, "```", ""])


def _code(text: str) -> str:
    """Format a text as code in a table."""
    return f"`{text.replace('|', chr(92) + '|')}`"


def _filter_block() -> str:
    rows = ["| template | with | gives |", "|---|---|---|"]
    for template, fields, result in EXAMPLES:
        given = ", ".join(f"{name} = {value}" for name, value in fields.items()) or "no genre"
        rows.append(f"| {_code(template)} | {given} | {result} |")
    return "\n".join(rows) + "\n"


def _habit_block() -> str:
    rows = ["| name | read as | in the default layout |", "|---|---|---|"]
    rows += [f"| {_code(one.paths[0])} | {_code(one.pattern)} | {_code(one.becomes)} |" for one in habits.EXAMPLES]
    return "\n".join(rows) + "\n"


def _habit_table_block() -> str:
    """The whole table: names of folders, and below them, indented, the names of their files."""
    lines = ["```text"]
    for files, of_one_kind in groupby(habits.HABITS, key=lambda habit: habit.files):
        lines += [habit.folders or "any folder" for habit in of_one_kind]
        lines += textwrap.wrap(" | ".join(files), 140, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join([*lines, "```", ""])


def _pattern_field_block() -> str:
    rows = ["| field | what it is |", "|---|---|", *(f"| `{{{name}}}` | {meaning} |" for name, meaning in PATTERN_FIELDS.items())]
    return "\n".join(rows) + "\n"


def _class_block() -> str:
    return (
        "\n".join(["| class | what makes it |", "|---|---|", *(f"| `{name}` | {why} |" for name, why in CLASSES.items())]) + "\n"
    )


def _keep_block() -> str:
    rows = ["| criterion | prefers |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in CRITERIA.items())]
    return "\n".join(rows) + "\n"


_FOREIGN = {
    "beets": (
        "$title",
        "$albumartist $album",
        "$albumartist_sort",
        "$track $disc",
        "$disctotal",
        "$year",
        "$original_year",
        "$genre",
        "$albumtype",
        "$albumdisambig",
        "$label $catalognum",
        "$mb_albumid",
        "%upper{$artist}",
        "%left{$albumartist,1}",
        "%the{$albumartist}",
        "%asciify{$title}",
        "%if{$comp,Mixes,$albumartist}",
        "%ifdef{albumdisambig,[$albumdisambig]}",
        "%aunique{}",
    ),
    "Picard": (
        "%title%",
        "%albumartist% %album%",
        "%albumartistsort%",
        "%tracknumber% %discnumber%",
        "%totaldiscs%",
        "$left(%date%,4)",
        "%originalyear%",
        "%genre%",
        "%releasetype%",
        "%_releasecomment%",
        "%label% %catalognumber%",
        "%musicbrainz_albumid%",
        "$upper(%artist%)",
        "$firstalphachar(%albumartist%,#)",
        "$swapprefix(%albumartist%)",
        "$num(%tracknumber%,3)",
        "$if2(%albumartist%,%artist%)",
        "$if(%_multiartist%,%artist% - ,)",
        "$if($gt(%totaldiscs%,1),Disc %discnumber%/,)",
    ),
    "foobar2000 or Mp3tag": (
        "%title%",
        "%album artist% %album%",
        "%tracknumber%",
        "%track number%",
        "%discnumber% %totaldiscs%",
        "%date%",
        "$left(%date%,4)",
        "$num(%track%,3)",
        "$upper($left(%artist%,1))",
        "$replace(%title%,&,and)",
        "[%discnumber%-]",
        "$if(%compilation%,Mixes,%album artist%)",
        "$ifgreater(%totaldiscs%,1,Disc %discnumber%\\,)",
    ),
}
"""Program -> parts of its templates, for people who know them."""


def _foreign_templates_block() -> str:
    parts = []
    for program, texts in _FOREIGN.items():
        title = "$title" if program == "beets" else "%title%"
        parts += [f"| {program} | here |", "|---|---|"]
        for text in texts:
            (found,) = translations_of(text + title)
            ours = found.text.removesuffix("{{ title }}")
            parts.append(f"| {_code(text)} | {_code(ours) if ours else 'not needed'} |")
        parts.append("")
    return "\n".join(parts)


_MISSING = (
    ("{{ albumartist }}/{{ album }} ({{ year }})/{{ track | pad(2) }} {{ title }}", ()),
    ("{{ albumartist }}/{{ album }} ({{ year }})/{{ track | pad(2) }} {{ title }}", ("year",)),
    ("{{ albumartist }}/{{ album }} ({{ year }})/{{ track | pad(2) }} {{ title }}", ("track",)),
    ("{{ albumartist }}/{{ album }} ({{ year }})/{{ track | pad(2) }} {{ title }}", ("albumartist", "album", "year")),
    ("{{ year }} - {{ album }} [{{ edition }}, {{ media }}]/{{ title }}", ("year", "edition")),
    ("{{ genre }}/{{ title }}", ("genre",)),
    ("{{ genre | default('[no genre]') }}/{{ title }}", ("genre",)),
    ("{{ edition or label }}/{{ title }}", ("edition",)),
    ("{% if disc %}Disc {{ disc }}/{% endif %}{{ title }}", ("disc",)),
)
"""Template, and the fields that a track lacks."""


def _missing_block() -> str:
    rows = ["| template | without | gives |", "|---|---|---|"]
    for template, fields in _MISSING:
        absent = {"albumartist": NO_ARTIST, "album": NO_ALBUM}
        directory, name = Template(template).render({**FIELDS, **{field: absent.get(field, ABSENT) for field in fields}})
        path = "/".join(filter(None, map(tidy, (*split_directory(directory), name))))
        rows.append(f"| {_code(template)} | {', '.join(fields)} | {_code(path)} |")
    return "\n".join(rows) + "\n"


def _field_block() -> str:
    def table(fields: dict[str, Any]) -> list[str]:
        return ["| field | example |", "|---|---|", *(f"| `{name}` | {_example(value)} |" for name, value in fields.items())]

    return "\n".join(
        ["One value for a whole album:", "", *table(ALBUM_FIELDS), "", "For each track:", "", *table(TRACK_FIELDS), ""]
    )


def _example(value: Any) -> str:
    return ("true or false" if isinstance(value, bool) else str(value)) or " "


def _schema_block() -> str:
    names = [field.name for field in fields_of(model.Config)]
    return "Top-level keys: " + ", ".join(f"`{name}`" for name in names) + ".\n"


def _prices_block() -> str:
    rows = [
        f"| name | {' | '.join(REQUEST_KINDS)} | storage | egress | retrieval | from |",
        f"|---|{'---|' * len(REQUEST_KINDS)}---|---|---|---|",
    ]
    for name, prices in price_lists().items():
        costs = [getattr(prices, kind) for kind in (*REQUEST_KINDS, "storage", "egress", "retrieval")]
        least = f", at least {prices.least_storage:g} GB" if prices.least_storage else ""
        source = f"{prices.date}: {prices.source}{least}"
        rows.append(f"| `{name}` | {' | '.join(f'{cost:g}' for cost in costs)} | {source} |")
    return "\n".join(rows) + "\n"


def _quotas_block() -> str:
    rows = ["| provider | requests a second | GB a day up | GB a day down | from |", "|---|---|---|---|---|"]
    for profile in all_profiles():
        if (limits := profile.quotas) is not None:
            numbers = (limits.requests_per_second, limits.upload_gb_per_day, limits.download_gb_per_day)
            shown = " | ".join("" if number is None else f"{number:g}" for number in numbers)
            rows.append(f"| {profile.type} | {shown} | {limits.date}: {limits.source} |")
    return "\n".join(rows) + "\n"


def _foreign_block() -> str:
    rows = ["| folders | what they keep |", "|---|---|"]
    rows += [f"| {', '.join(map(_code, kind.names))} | {kind.title} |" for kind in FOREIGN_FOLDERS]
    return "\n".join(rows) + "\n"


_GLOBS = ("*.flac", "Inbox", "Inbox/**", "/Inbox/*.flac", "Inbox/*.flac", "**/Demos/*.flac", "Demos/", "0[1-3] *", "[!0]*.flac")
_GLOB_PATHS = ("Inbox/01 Intro.flac", "Inbox/Demos/02 Take.flac", "Live/Inbox/03 Outro.mp3", "Demos/Solo.flac")


def _glob_block() -> str:
    rows = ["| pattern | matches | does not match |", "|---|---|---|"]
    for glob in _GLOBS:
        found = compile_globs([glob])
        matching = [path for path in _GLOB_PATHS if found and found.search(path)]
        other = [path for path in _GLOB_PATHS if path not in matching]
        rows.append(f"| {_code(glob)} | {', '.join(map(_code, matching))} | {', '.join(map(_code, other))} |")
    return "\n".join(rows) + "\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "help": _help_block,
    "config-keys": _config_block,
    "config-top": _schema_block,
    "presets": _preset_block,
    "preset-templates": _template_block,
    "fields": _field_block,
    "foreign-templates": _foreign_templates_block,
    "missing-fields": _missing_block,
    "filters": _filter_block,
    "classes": _class_block,
    "keep": _keep_block,
    "foreign-folders": _foreign_block,
    "globs": _glob_block,
    "actions": api_reference.actions_block,
    "errors": api_reference.errors_block,
    "prices": _prices_block,
    "quotas": _quotas_block,
    "name-habits": _habit_block,
    "name-patterns": _habit_table_block,
    "name-fields": _pattern_field_block,
}


def updated(text: str) -> str:
    """The text of a document with its generated parts brought up to date."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n{found[3]}", text)


def main() -> None:
    """Rewrite the documents that are out of date."""
    for file in sorted(DOCS.glob("*.md")):
        text = file.read_text(encoding="utf-8")
        if (new := updated(text)) != text:
            file.write_text(new, encoding="utf-8")
    MAN_PAGE.write_text(man_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
