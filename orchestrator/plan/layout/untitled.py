"""Where a layout puts a song whose title only its file name tells, so that a second run finds the same title."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.paths import split_extension
from orchestrator.plan.layout.names import Names
from orchestrator.plan.layout.templates import Template, tidy
from orchestrator.plan.music.layout_fields import NO_TITLE
from orchestrator.plan.music.own_titles import title_in_layout, title_in_name, without_copy_number
from orchestrator.plan.music.song import Song

_PROBE: Final = "\ue000"


def rendered_by_name(song: Song, template: Template, fields: dict[str, Any], names: Names) -> tuple[str, str]:
    """The raw directory and the stem of such a song.

    If the layout does not show its whole title, a song without a number keeps its name, and one with a number has no title.
    """
    stem, number = split_extension(song.name)[0], song.track.track

    def rendered(title: str) -> tuple[str, str]:
        directory, name = template.render({**fields, "title": title})
        return directory, names.stem(tidy(name), song.extension)

    def title_in(name: str) -> str:
        return title_in_layout(name, title_in_name(name, number), before, after)

    without = rendered(NO_TITLE)
    if number is not None and without[1] == stem:
        return without  # in "01 Beck" of a sampler, Beck is the artist
    directory, name = rendered(_PROBE)
    before, probe, after = name.partition(_PROBE)
    title = title_in(stem) if probe else ""
    if title:
        placed = rendered(title)
        original = without_copy_number(stem)
        if placed[1] != stem and original != stem and (bare := title_in(original)):
            as_original = rendered(bare)
            copy_number = stem.removeprefix(original)
            if as_original[1] == original or copy_number not in placed[1]:  # cut, by a layout that shortens titles
                title, placed = bare, as_original
        again = title_in(placed[1])
        if again == title or rendered(again) == placed:
            return (rendered(without_copy_number(title))[0], placed[1]) if _PROBE in directory else placed
    if number is None:
        return rendered(without_copy_number(stem))[0], names.stem(stem, song.extension)
    return without
