"""Albums as they lie: the tracks of one release in one folder, whether they are all there, and who covers whom.

Which tracks are one album, their tags say; a copy of it is what of that album lies in one folder (folders of discs count as the
folder above). A collection in which each file names another album is no album.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from orchestrator.plan.music.albums import group_albums, has_place
from orchestrator.plan.music.completeness import missing
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.values import first
from orchestrator.plan.planners.dedup.records import Candidate
from orchestrator.track import Status

_DISC_FOLDER = re.compile(
    r"(?:cd|dis[ck]s?|disque|disco|vinyl|lp|side|part)[\s._-]*(?P<disc>\d{1,2}|[a-d]|one|two)\b.*", re.IGNORECASE
)
_DISC_NAMES = {"a": 1, "b": 2, "c": 3, "d": 4, "one": 1, "two": 2}

Slot = tuple[int, int]
"""Disc (1 where none is given) and track number."""


class AlbumCopy:
    """The tracks of one album in one folder of one location."""

    __slots__ = ("album", "complete", "folder", "fs", "members", "mixes_discs", "needs_unnumbered", "slots", "tracks_at_location")

    def __init__(self, fs: str, folder: str, album: Album) -> None:
        self.fs = fs
        self.folder = folder
        self.album = album
        self.members: list[Candidate] = []
        self.slots: dict[Slot, list[Candidate]] = defaultdict(list)
        """The whole tracks that have a number."""
        self.complete = False
        self.mixes_discs = False
        """Whether discs lie in it that not all tags name: several numbers stand for two titles each."""
        self.needs_unnumbered = False
        """Whether it is complete only because a track without a number may be the one that is missing."""
        self.tracks_at_location = 0
        """How many different tracks of the album its location holds, in all folders."""

    def settle(self) -> None:
        """Find out whether it is complete, when all its members are in."""
        for member in self.members:
            if member.number is not None and member.reading.suspect is None:
                self.slots[member.disc or 1, member.number].append(member)
        whole = [member.track for member in self.members if member.reading.suspect is None]
        self.complete = bool(self.slots) and missing(whole) is None
        taken_twice = (len({fold(first(member.track.title)) for member in members}) > 1 for members in self.slots.values())
        self.mixes_discs = sum(taken_twice) > 1
        numbered = [member.track for members in self.slots.values() for member in members]
        self.needs_unnumbered = self.complete and missing(numbered) is not None


def add_albums(candidates: Sequence[Candidate]) -> list[AlbumCopy]:
    """Tell each candidate which copy of which album it is part of."""
    songs: list[Song] = []
    of_song: dict[int, Candidate] = {}
    for candidate in candidates:
        track = candidate.reading.track
        if candidate.reading.status is Status.TAGGED and track is not None and has_place(track):
            song = Song(candidate.item, track)
            songs.append(song)
            of_song[id(song)] = candidate
            candidate.disc, candidate.number = track.disc or _disc_of_folder(candidate.path), track.track
    copies: list[AlbumCopy] = []
    for album in group_albums(songs):
        if not album.singletons:
            copies += _copies(album, (of_song[id(song)] for song in album.songs))
    return copies


def _copies(album: Album, members: Iterable[Candidate]) -> list[AlbumCopy]:
    by_folder: dict[tuple[str, str], AlbumCopy] = {}
    at_location: dict[str, set[object]] = defaultdict(set)
    for member in members:
        folder = _album_folder(member.path)
        copy = by_folder.get((member.fs, folder))
        if copy is None:
            copy = by_folder[member.fs, folder] = AlbumCopy(member.fs, folder, album)
        copy.members.append(member)
        member.copy = copy
        at_location[member.fs].add((member.disc or 1, member.number) if member.number else member.track.title)
    for copy in by_folder.values():
        copy.settle()
        copy.tracks_at_location = len(at_location[copy.fs])
    return list(by_folder.values())


def _disc_of_folder(path: str) -> int | None:
    """The disc that a folder's name tells; None where it tells none."""
    found = _DISC_FOLDER.fullmatch(path.rpartition("/")[0].rpartition("/")[2])
    if found is None:
        return None
    name = found["disc"].casefold()
    return int(name) if name.isdecimal() else _DISC_NAMES[name]


def _album_folder(path: str) -> str:
    folder = path.rpartition("/")[0]
    above, _, name = folder.rpartition("/")
    return above if above and _DISC_FOLDER.fullmatch(name) else folder
