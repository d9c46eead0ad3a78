"""Pairs of one recording in every two of 13 qualities, mono and stereo: which copy a listener would keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from orchestrator.track import Track
from tests import audio_streams as streams
from tests.audio import FORMATS
from tests.program import Ended

SECONDS = 2.09
"""80 frames of MP3, near a whole number of frames of every other codec."""


class Kind(NamedTuple):
    """One way to encode the recording."""

    format: str
    stream: Callable[..., bytes]


KINDS: Mapping[str, Kind] = {
    "FLAC 24/96": Kind("flac", partial(streams.flac, rate=96_000, bits=24)),
    "FLAC 16/44": Kind("flac", streams.flac),
    "ALAC 16/44": Kind("alac", streams.alac),
    "MP3 320": Kind("mp3", partial(streams.mp3_of, bitrate=320_000)),
    "MP3 V0": Kind("mp3", partial(streams.mp3_of, bitrate=245_000)),
    "MP3 128": Kind("mp3", partial(streams.mp3_of, bitrate=128_000)),
    "MP3 48": Kind("mp3", partial(streams.mp3_of, bitrate=48_000)),
    "AAC 256": Kind("m4a", partial(streams.m4a, bitrate=256_000)),
    "AAC 48": Kind("m4a", partial(streams.m4a, bitrate=48_000)),
    "Opus 256": Kind("opus", partial(streams.opus, bitrate=256_000)),
    "Opus 64": Kind("opus", partial(streams.opus, bitrate=64_000)),
    "Vorbis q8": Kind("ogg", partial(streams.vorbis, bitrate=256_000)),
    "Vorbis q2": Kind("ogg", partial(streams.vorbis, bitrate=96_000)),
}
BOTH, EITHER = "both", "either"
"""What the table says where no kind stays alone: both copies do, and are listed; or the next criterion decides."""
Pair = tuple[str, str, int, int]
"""The first kind and the second, in the order of KINDS, and the channels of each."""


def pairs() -> Iterator[Pair]:
    """Every two of the 26 copies."""
    every = [(name, channels) for name in KINDS for channels in (1, 2)]
    for (one, channels), (other, others) in combinations(every, 2):
        yield one, other, channels, others


def outcomes(dedup: Callable[[], Ended], library: Path, inbox: Path, says: Callable[[Pair], str]) -> dict[Pair, str]:
    """What `dedup` keeps of each pair: the name of a kind, or BOTH. All else speaks for the copy that is to go by `says`."""
    made = [*pairs()]
    made_streams = {
        (name, channels): kind.stream(SECONDS, number, channels=channels)
        for number, (name, kind) in enumerate(KINDS.items())
        for channels in (1, 2)
    }
    paths = {}
    for number, pair in enumerate(made):
        one, other, *channels = pair
        favoured = 1 if says(pair) == one else 0
        for index, (name, count) in enumerate(zip((one, other), channels, strict=True)):
            better = index == favoured
            kind, file = FORMATS[KINDS[name].format], BytesIO(made_streams[name, count])
            names = {
                "title": (f"Song {number:03}",),
                "artist": ("Band",),
                "album_artist": ("Band",),
                "album": (f"Album {number:03}",),
            }
            more = {"genre": ("Rock",), "label": "Label"} if better else {}
            tags = Track(track=1, disc=1, **names, **more)
            kind.save(file, tags, b"")
            place = library / f"{number:03}" if better else inbox / f"{number:03} a longer path"
            place.mkdir(parents=True)
            path = place / f"{'a' if better else 'a longer name'}.{kind.extension}"
            path.write_bytes(file.getvalue())
            os.utime(path, (1_600_000_000 - 9 * better,) * 2)
            paths[number, index] = str(path)
    ended = dedup()
    gone = {_absolute(event) for event in ended.events if event["type"] == "duplicate"}
    listed = {_absolute(file) for event in ended.events if event["type"] == "alike" for file in event["files"]}
    found = {}
    for number, pair in enumerate(made):
        mine, theirs = paths[number, 0], paths[number, 1]
        left = [name for name, path in zip(pair, (mine, theirs), strict=False) if path not in gone]
        found[pair] = left[0] if len(left) == 1 else BOTH if {mine, theirs} <= listed else "both, not listed"
    return found


def _absolute(event: Mapping[str, str]) -> str:
    return str(Path(event["location"]) / event["path"])
