"""Which files are already where the layout wants them, so that `dedup` keeps what `organize` would not move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.paths import join_path, split_extension
from orchestrator.plan.layout.names import names_for
from orchestrator.plan.layout.placing import Placing
from orchestrator.plan.layout.templates import compile_layout
from orchestrator.plan.music.albums import has_usable_tags
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.settings import LayoutSettings
from orchestrator.records import Capabilities
from orchestrator.track import Status


def note_in_place(
    settings: LayoutSettings,
    capabilities: Mapping[str, Capabilities],
    candidates: Sequence[Candidate],
    wanted: Iterable[Candidate],
) -> None:
    """Set `in_place` of the `wanted` candidates. Only the albums that they are on are placed, each in its location."""
    titles = {fold(first(one.track.album)) for one in wanted}
    by_location: dict[str, list[tuple[Candidate, Song]]] = {}
    layout = compile_layout(settings.layout, settings.layouts)
    names = {fs: names_for(settings.names, known, settings.replace) for fs, known in capabilities.items()}
    for candidate in candidates:
        track = candidate.track
        if candidate.reading.status is Status.TAGGED and has_usable_tags(track) and fold(first(track.album)) in titles:
            song = Song(candidate.item, names[candidate.fs].track(track), kind=candidate.kind)
            song.extension = names[candidate.fs].extension(split_extension(candidate.path)[1])
            by_location.setdefault(candidate.fs, []).append((candidate, song))
    for fs, placed in by_location.items():
        Placing(layout, names[fs]).place([song for _, song in placed])
        for candidate, song in placed:
            candidate.in_place = candidate.path == join_path(song.directory, song.stem + song.extension)
