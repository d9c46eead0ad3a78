"""What stays for what goes: where lists lead then, and with what the files go that lie beside a duplicate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from orchestrator.paths import split_extension, split_path
from orchestrator.plan.companions.records import QuarantinedTrack
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.records import Decision
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import Ref

Placed = tuple[Song, Album | None]
"""A song with its place, and the album that it is a track of."""


def kept_copy_of(decisions: Iterable[Decision], sharing: Mapping[str, SharedNames]) -> dict[Ref, Ref]:
    """Name that goes with all who carry it -> what stays for it, neither with an id. `sharing`: location -> its names."""
    goes = [(Ref(one.duplicate.fs, one.duplicate.path), Ref(one.kept.fs, one.kept.path)) for one in decisions]
    going = Counter(name for name, _ in goes)
    return {name: stays for name, stays in reversed(goes) if going[name] >= sharing[name.fs].count(name.path)}


def song_where_it_lies(candidate: Candidate) -> Placed:
    """A file that stays where it is, as what belongs to it sees it."""
    song = Song(candidate.item, candidate.track)
    song.directory, name = split_path(candidate.path)
    song.stem, extension = split_extension(name)
    song.extension = f".{extension}" if extension else ""
    if candidate.album_copy is None:
        return song, None
    song.album = candidate.album_copy.album
    return song, song.album


def quarantined_tracks(decisions: Iterable[Decision], placed: Callable[[Candidate], Placed | None]) -> Iterator[QuarantinedTrack]:
    """What goes, with what stays for it where `placed` knows a place of that."""
    for one in decisions:
        song, album = placed(one.kept) or (None, None)
        yield QuarantinedTrack(one.duplicate.path, song, album)
