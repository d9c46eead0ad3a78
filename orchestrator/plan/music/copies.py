"""Tells copies of one album apart by their folders: 24 and 16 bit, FLAC and MP3, standard and deluxe, two rips.

Only songs that claim one disc and number make folders count. A folder is a copy of its own if two of its songs, or its only song
with facts of its own, meet those of another one; other folders belong to the copy that they resemble.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from orchestrator.plan.music.folders import by_album_folder, has_repeats, place_of
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first, text
from orchestrator.track import Track

_CODECS: Final = {"vorbis": "Vorbis", "opus": "Opus", "speex": "Speex", "musepack": "Musepack", "wavpack": "WavPack"}
FACTS: Final[tuple[Callable[[Track], str], ...]] = (
    lambda track: f"{track.track_total} tracks" if track.track_total else "",
    lambda track: _CODECS.get(track.codec, track.codec.upper()) if track.codec else "",
    lambda track: f"{track.bit_depth} bit" if track.bit_depth and track.lossless else "",
    lambda track: f"{track.sample_rate / 1000:g} kHz" if track.sample_rate else "",
    lambda track: text(track.edition),
)
"""What copies may differ in, in the order in which it is looked at; "" where it is unknown."""


def copies_of(songs: list[Song]) -> list[list[Song]]:
    """The songs of each copy of an album."""
    folders = by_album_folder(songs)
    if len(folders) == 1 or not has_repeats(songs):
        return [songs]
    copies: list[list[Song]] = []
    others: list[list[Song]] = []
    for folder in sorted(folders, key=lambda folder: (-len(folders[folder]), folder)):
        part = folders[folder]
        fitting = [copy for copy in copies if not _meeting(part, copy) and _same_facts(part, copy)]
        if fitting:
            fitting[0].extend(part)
        elif not copies or any(_is_copy(part, copy) for copy in copies):
            copies.append(list(part))
        else:
            others.append(part)
    for part in others:
        min(copies, key=lambda copy: (not _same_facts(part, copy), len(_meeting(part, copy)))).extend(part)
    return copies


def fact_of(songs: Sequence[Song], fact: Callable[[Track], str]) -> str:
    """What most of the songs say of a fact that they state, "" for nothing."""
    values = Counter(filter(None, (fact(song.track) for song in songs)))
    return min(values, key=lambda value: (-values[value], value), default="")


def _meeting(part: list[Song], copy: list[Song]) -> list[Song]:
    """The songs of a part whose places are taken in a copy."""
    taken = {place_of(song) for song in copy}
    return [song for song in part if place_of(song) in taken]


def _same_facts(part: list[Song], copy: list[Song]) -> bool:
    """Whether a part states nothing that differs from what a copy states."""
    stated = ({fact_of(part, fact), fact_of(copy, fact)} - {""} for fact in FACTS)
    return all(len(values) < 2 for values in stated)


def _is_copy(part: list[Song], copy: list[Song]) -> bool:
    meeting = _meeting(part, copy)
    if len(part) > 1:
        return len(meeting) > 1
    if not meeting:
        return False
    titles = {fold(first(song.track.title)) for song in copy if place_of(song) == place_of(part[0])}
    total, other_total = fact_of(part, FACTS[0]), fact_of(copy, FACTS[0])
    return fold(first(part[0].track.title)) not in titles or ("" not in {total, other_total} and total != other_total)
