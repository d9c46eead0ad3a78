"""The names that a layout gives, as patterns: so files that were named by their names are known again.

A template is rendered with the fields themselves as values: "{albumartist}/{album} ({year})/{track} {title}". Where that makes no
pattern, because a filter changes the fields, there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, Final

from orchestrator.errors import UsageError
from orchestrator.plan.file_names.pattern import Pattern
from orchestrator.plan.file_names.reading import LayoutName
from orchestrator.plan.layout.templates import ABSENT_FIELDS, Layout, Template, split_directory, tidy
from orchestrator.plan.music.album_fields import VARIOUS_ARTISTS
from orchestrator.plan.music.layout_fields import NO_ALBUM, NO_TITLE
from orchestrator.plan.music.tag_values import Position

_SOME_YEAR: Final = 2000
_CHOICES: Final[tuple[tuple[dict[str, Any], ...], ...]] = (
    (
        {"various": True, "albumartist": VARIOUS_ARTISTS, "artist": "{artist}"},
        {"albumartist": "{albumartist}", "artist": "{artist}"},
    ),
    ({"multi_disc": True, "discs": 2, "disc": Position(1, "{disc}")}, {}),
    ({"album": "{album}"}, {"album": NO_ALBUM, "singleton": True}),
    ({"year": Position(_SOME_YEAR, "{year}"), "date": "{date}"}, {}),
    ({"venue": "{venue}"}, {}),
    ({"track": Position(1, "{track}")}, {}),
    ({"title": "{title}"}, {"title": NO_TITLE}),
)
"""The fields that names tell, each there or absent."""


@lru_cache(maxsize=16)
def names_of_layout(layout: Layout) -> tuple[LayoutName, ...]:
    """The forms of the names that a layout gives to files of which nothing is known but what names tell."""
    found: dict[str, LayoutName] = {}
    for template in layout.templates:
        for choice in product(*_CHOICES):
            values = dict(ABSENT_FIELDS)
            for part in choice:
                values.update(part)
            for text in _rendered(template, values):
                adds = {"various": VARIOUS_ARTISTS} if values.get("various") else {}
                try:
                    found.setdefault(text, LayoutName(Pattern(f"/{text}", whole=False), adds))
                except UsageError:
                    continue
    return tuple(sorted(found.values(), key=lambda one: "track" not in one.pattern.fields))


def _rendered(template: Template, values: dict[str, Any]) -> Iterator[str]:
    try:
        directory, name = template.render({**values, "artists": values["albumartist"]})
    except UsageError:  # an expression that needs other values
        return
    yield "/".join([*filter(None, map(tidy, split_directory(directory))), tidy(name)])
