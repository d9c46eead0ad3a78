"""A companion: a file that is not music but may belong to some - a cover, lyrics, a cue sheet, a playlist."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from orchestrator.plan.music.song import Album, Song
from orchestrator.records import Item


class CompanionKind(StrEnum):
    """What a companion belongs to, and so what becomes of it."""

    TRACK = "track"
    """To one track: it moves and is renamed with it."""
    ALBUM = "album"
    """To an album: it moves with it and keeps its name."""
    AMBIGUOUS = "ambiguous-sidecar"
    """To an album, but it is unclear to which one: it stays."""
    ABOVE_ALBUM = "above-album"
    """To something above the folder of an album: it stays."""
    UNTAGGED = "untagged"
    """To music without usable tags, which moves: it moves with it."""
    PLAYLIST = "playlist"
    """A playlist of more than one album: in place it stays, to another target it moves with its music."""
    OTHER = "other"
    """To nothing that is known: it stays."""
    STAYING_TRACK = "staying-track"
    """To a track that itself stays where it is."""


class QuarantinedTrack(NamedTuple):
    """Music that is quarantined as a duplicate."""

    path: str
    kept_song: Song | None
    """The kept copy with its destination; None if it has none in this plan."""
    kept_album: Album | None
    """The album of the kept copy, if any."""


class Companion:
    """One companion and the music that it belongs to."""

    __slots__ = ("album_directory", "beside", "duplicates", "item", "kind", "music_directory", "song", "subdirectory", "suffix")

    def __init__(self, item: Item, kind: CompanionKind, music_directory: str, duplicates: Sequence[str] = ()) -> None:
        self.item = item
        self.kind = kind
        self.duplicates = duplicates
        """The paths of its music if that is quarantined. It then moves to the kept copy, unless that has one like it."""
        self.music_directory = music_directory
        """The nearest directory above it with music in or below it; "" also if there is none."""
        self.song: Song | None = None
        """TRACK: the track."""
        self.suffix = ""
        """TRACK, UNTAGGED: what follows the track's stem (or its whole name) in this file's name."""
        self.beside = ""
        """UNTAGGED: the path of the track that its name begins with, "" for none."""
        self.album_directory = ""
        """ALBUM: the album's destination."""
        self.subdirectory = ""
        """ALBUM: the directories between the album's and the file, such as `Scans`."""

    @property
    def of_duplicate(self) -> bool:
        """Whether all its music is quarantined."""
        return bool(self.duplicates)

    @property
    def moves(self) -> bool:
        """Whether it moves with music."""
        return self.kind in {CompanionKind.ALBUM, CompanionKind.TRACK, CompanionKind.UNTAGGED}
