"""The kept copies of duplicates, as playlists and companions of the duplicates need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from orchestrator.paths import split_extension, split_path
from orchestrator.plan.companions.playlists.formats import is_checksums
from orchestrator.plan.companions.records import QuarantinedTrack
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.records import Decision
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import Item, Ref

FOLLOWS_KEPT_COPY = "moves to the kept copy of its duplicate"
_KEPT_COPY_HAS_ITS_OWN = "belongs to a duplicate; the kept copy has its own"
_CHECKSUMS_OF_DUPLICATES = "its checksums are those of duplicates"
"""Why a companion of a duplicate is moved or quarantined."""

SongOnAlbum = tuple[Song, Album | None]
"""A song with its directory and name, and its album."""


def kept_copy_of(decisions: Iterable[Decision], sharing: Mapping[str, SharedNames]) -> dict[Ref, Ref]:
    """Each path that becomes free -> the kept copy, both without ids. `sharing`: location -> its shared names.

    A path that several files share only counts if all of them are duplicates.
    """
    pairs = [(Ref(one.duplicate.fs, one.duplicate.path), Ref(one.kept.fs, one.kept.path)) for one in decisions]
    duplicates = Counter(path for path, _ in pairs)
    return {path: kept for path, kept in reversed(pairs) if duplicates[path] >= sharing[path.fs].count(path.path)}


def why_quarantined(companion: Item) -> str:
    """Why a companion of a duplicate is quarantined with it, in words."""
    return _CHECKSUMS_OF_DUPLICATES if is_checksums(companion) else _KEPT_COPY_HAS_ITS_OWN


def song_where_it_lies(candidate: Candidate) -> SongOnAlbum:
    """A kept file as a song at its present path."""
    song = Song(candidate.item, candidate.track)
    song.directory, name = split_path(candidate.path)
    song.stem, extension = split_extension(name)
    song.extension = f".{extension}" if extension else ""
    if candidate.album_copy is None:
        return song, None
    song.album = candidate.album_copy.album
    return song, song.album


def quarantined_tracks(
    decisions: Iterable[Decision], song_of: Callable[[Candidate], SongOnAlbum | None]
) -> Iterator[QuarantinedTrack]:
    """The duplicates as tracks being quarantined, each with its kept copy if `song_of` returns one."""
    for one in decisions:
        song, album = song_of(one.kept) or (None, None)
        yield QuarantinedTrack(one.duplicate.path, song, album)
