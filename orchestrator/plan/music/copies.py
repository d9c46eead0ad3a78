"""Tells copies of one album apart by their folders: 24 and 16 bit, FLAC and MP3, standard and deluxe, two rips.

In one folder, only the facts of their sound and their totals tell copies apart.

Only songs that claim one disc and number make folders count. A folder is a copy of its own if two of its songs, or its only song
with facts of its own, meet those of another one; other folders belong to the copy that they resemble.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from orchestrator.plan.music.folders import are_images, by_album_folder, differ_in_titles, has_repeats, place_of
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first, text
from orchestrator.track import Track
from orchestrator.wording import counted

_CODECS: Final = {"vorbis": "Vorbis", "opus": "Opus", "speex": "Speex", "musepack": "Musepack", "wavpack": "WavPack"}
FACTS: Final[tuple[Callable[[Track], str], ...]] = (
    lambda track: counted(track.track_total, "track") if track.track_total else "",
    lambda track: _CODECS.get(track.codec, track.codec.upper()) if track.codec else "",
    lambda track: f"{track.bit_depth} bit" if track.bit_depth and track.lossless else "",
    lambda track: f"{track.sample_rate / 1000:g} kHz" if track.sample_rate else "",
    lambda track: text(track.edition),
)
"""What copies may differ in, in the order in which it is looked at; "" where it is unknown."""


class _Part:
    """Songs of one folder, or of several that are one copy."""

    def __init__(self, songs: list[Song]) -> None:
        self.songs = songs
        self.places = {place_of(song) for song in songs}
        self.facts = [fact_of(songs, fact) for fact in FACTS]

    def meets(self, other: _Part) -> int:
        """How many songs have a place that is taken in another part."""
        return 0 if self.places.isdisjoint(other.places) else sum(place_of(song) in other.places for song in self.songs)

    def resembles(self, other: _Part) -> bool:
        """Whether no fact that both state differs."""
        return all(ours == theirs or not (ours and theirs) for ours, theirs in zip(self.facts, other.facts, strict=True))

    def is_another_copy(self, other: _Part) -> bool:
        """Whether this is a copy of its own beside another one, not a stray track of it."""
        if len(self.songs) > 1:
            return self.meets(other) > 1
        if not self.meets(other):
            return False
        (song,) = self.songs
        if are_images([song, *other.songs]):
            return True
        titles = {fold(first(song.track.title)) for song in other.songs if place_of(song) in self.places}
        totals = {self.facts[0], other.facts[0]}
        return fold(first(song.track.title)) not in titles or (len(totals) > 1 and "" not in totals)


def copies_of(songs: list[Song]) -> list[list[Song]]:
    """The songs of each copy of an album."""
    if not has_repeats(songs):
        return [songs]
    folders = by_album_folder(songs)
    parts = [(folder, number, part) for folder in folders for number, part in enumerate(_apart(folders[folder]))]
    copies: list[_Part] = []
    strays: list[_Part] = []
    for _, _, together in sorted(parts, key=lambda part: (-len(part[2]), *part[:2])):
        part = _Part(together)
        position = next((n for n, copy in enumerate(copies) if not part.meets(copy) and part.resembles(copy)), None)
        if position is not None:
            copies[position] = _Part(copies[position].songs + part.songs)
        elif not copies or any(part.is_another_copy(copy) for copy in copies):
            copies.append(part)
        else:
            strays.append(part)
    for part in strays:
        min(copies, key=lambda copy: (not part.resembles(copy), part.meets(copy))).songs.extend(part.songs)
    return [copy.songs for copy in copies]


def _apart(songs: list[Song]) -> list[list[Song]]:
    """The songs of one folder, by the first fact that tells copies of one format in it apart, such as 24 and 16 bit."""
    if not _collide(songs) or differ_in_titles(songs):
        return [songs]
    for fact in FACTS:
        found: dict[str, list[Song]] = defaultdict(list)
        for song in songs:
            found[fact(song.track)].append(song)
        if len(found) > 1 and "" not in found and not any(len(part) == 1 or _collide(part) for part in found.values()):
            return [found[value] for value in sorted(found)]
    return [songs]


def _collide(songs: list[Song]) -> bool:
    """Whether two songs of one format claim one place."""
    return len({(place_of(song), song.extension) for song in songs}) < len(songs)


def fact_of(songs: Sequence[Song], fact: Callable[[Track], str]) -> str:
    """What most of the songs say of a fact that they state, "" for nothing."""
    values = Counter(filter(None, (fact(song.track) for song in songs)))
    return min(values, key=lambda value: (-values[value], value), default="")
