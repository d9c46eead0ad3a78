"""Finds the copies of albums: the tracks of one album in one folder.

Tags decide which tracks are one album. A copy of it consists of its tracks in one folder; disc folders count as the folder above
them. So a collection of files from different albums is not an album.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from orchestrator.plan.music.albums import group_albums, has_usable_tags
from orchestrator.plan.music.disc_folders import album_folder, disc_of_folder
from orchestrator.plan.music.kinds import kinds_of
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.planners.dedup.candidates import AlbumCopy, Candidate
from orchestrator.track import Status


def find_album_copies(candidates: Sequence[Candidate]) -> list[AlbumCopy]:
    """Set the album copy, kind, disc and number of each candidate, and return all copies."""
    songs: list[Song] = []
    of_song: dict[int, Candidate] = {}
    for candidate in candidates:
        track = candidate.reading.track
        if candidate.reading.status is Status.TAGGED and track is not None and has_usable_tags(track):
            song = Song(candidate.item, track)
            songs.append(song)
            of_song[id(song)] = candidate
            candidate.disc, candidate.number = track.disc or disc_of_folder(candidate.path), track.track
    for song, kind in zip(songs, kinds_of([(song.item.entry.path, song.tags) for song in songs]), strict=True):
        song.kind = of_song[id(song)].kind = kind
    copies: list[AlbumCopy] = []
    for album in group_albums(songs):
        if not album.singletons:
            copies += _copies(album, (of_song[id(song)] for song in album.songs))
    return copies


def _copies(album: Album, members: Iterable[Candidate]) -> list[AlbumCopy]:
    by_folder: dict[tuple[str, str], AlbumCopy] = {}
    at_location: dict[str, set[object]] = defaultdict(set)
    for member in members:
        folder = album_folder(member.path)
        copy = by_folder.get((member.fs, folder))
        if copy is None:
            copy = by_folder[member.fs, folder] = AlbumCopy(member.fs, folder, album)
        copy.members.append(member)
        member.album_copy = copy
        at_location[member.fs].add((member.disc or 1, member.number) if member.number else member.track.title)
    for copy in by_folder.values():
        copy.assess()
        copy.tracks_at_location = len(at_location[copy.fs])
    several = any(copy.several_discs for copy in by_folder.values())
    for copy in by_folder.values():
        copy.several_anywhere = several
    return list(by_folder.values())
