"""What the tests of the tag reader share: a file behind ranged reads, the corpus, and what its index states."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.tags.reader import read_track
from orchestrator.tags.written_dates import date_of
from orchestrator.track import Reading, Track

EVERYTHING = 1 << 40
WHOLE_FILE = Policy(
    head=EVERYTHING,
    short_head=EVERYTHING,
    large_head=EVERYTHING,
    tail=EVERYTHING,
    ogg_tail=EVERYTHING,
    short_tail=EVERYTHING,
    extra=EVERYTHING,
    hole=EVERYTHING,
    budget=EVERYTHING,
)
"""Read the whole file locally."""

POLICIES = {"few bytes": FEW_BYTES, "few requests": FEW_REQUESTS}

BITS_OF_REASON_FOR_PROGRAMMERS = ("Error", "mutagen", "Traceback", "b'", "<", "0x")


@dataclass
class Ranges:
    """Serve `content` as a storage does; ranges must be within the file, and no byte may be requested twice."""

    content: bytes
    asked: list[tuple[int, int]] = field(default_factory=list)

    def read(self, offset: int, length: int) -> bytes:
        assert length > 0, "an empty range was asked for"
        assert offset >= 0, "a range begins before the file"
        assert offset + length <= len(self.content), "a range ends behind the file"
        for other, other_length in self.asked:
            assert offset + length <= other or other + other_length <= offset, "bytes were asked for twice"
        self.asked.append((offset, length))
        return self.content[offset : offset + length]


def read(name: str, content: bytes, policy: Policy = FEW_BYTES) -> Reading:
    """Read through ranges, and check that the reading counts them correctly."""
    ranges = Ranges(content)
    reading = read_track(name, len(content), ranges.read, policy)
    assert reading.requests == len(ranges.asked)
    assert reading.bytes_read == sum(length for _, length in ranges.asked)
    return reading


def corpus() -> Path | None:
    """The folder of other projects' test files; None if this machine has none."""
    place = os.environ.get("MUSIC_ORCHESTRATOR_CORPUS")
    folder = Path(place) if place else Path(__file__).parents[3] / "shared" / "corpus"
    return folder if (folder / "index.json").is_file() else None


def corpus_files(folder: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each audio file of the corpus: its line in the index, and its content."""
    for line in json.loads((folder / "index.json").read_text("utf-8"))["files"]:
        if line["expected"] is not None:
            yield line, (folder / line["path"]).read_bytes()


NOT_IN_THE_INDEX: dict[str, dict[str, Any]] = {
    "beets/unparseable.dsf": {"date": "Oct 3, 1995"},
    "beets/unparseable.mp3": {"date": "Oct 3, 1995"},
    "music-metadata/No Sanctuary Here.aiff": {"date": "2020-01-01T00:00:00.000Z"},
    "beets/unparseable.ape": {"date": "Oct 3, 1995"},
    "beets/unparseable.mpc": {"date": "Oct 3, 1995"},
    "beets/unparseable.wv": {"date": "Oct 3, 1995"},
    "fq/mdta_tags.mp4": {"title": ("test",)},
    "mediafile/backup.wav": {
        "title": ("full",), "artist": ("the artist",), "album": ("the album",), "track": 2, "date": "2001",
    },
    "mediafile/full.wav": {"date": "2001"},
    "music-metadata/Their - They're - Therapy - 1sec.mp3": {"disc": 1},
    "music-metadata/riff-iprt-tag.wav": {
        "title": ("Sinner's Prayer",), "artist": ("Beth Hart & Joe Bonamassa",), "album": ("Don't Explain",), "track": 1,
        "date": "2011",
    },
    "music-metadata/riff_adobe_audition.wav": {
        "title": ("The Magic Flute",), "artist": ("Wolfgang Amadeus Mozart",), "album": ("La clemenzo di Tito",),
        "date": "2018-04-26T13:26:19-05:00",
    },
    "tinytag/id3_header_with_a_zero_byte.wav": {
        "title": ("Stacked",), "artist": ("Purpley",), "album": ("prototypes",), "track": 17,
    },
    "tinytag/riff_extra_zero.wav": {
        "title": ("Mission Bass",), "artist": ("B.O.S.E.",), "album": ("808 Bass Express",), "track": 3, "date": "1996",
    },
    "tinytag/riff_extra_zero_2.wav": {
        "title": ("It's Just Begun",), "artist": ("The Jimmy Castor Bunch",), "album": ("The Perfect Beats, Vol. 4",), "track": 7,
    },
    "tinytag/test-riff-tags.wav": {"title": ("thetitle",), "artist": ("theartisst",), "date": "2014"},
    "tinytag/test.aiff": {"title": ("Go Out and Get Some",)},
    "music-metadata/pr-544-id3v24.mp3": {"date": "2020-06-29 00:00:00"},
    "tinytag/iso8859_with_image.m4a": {
        "title": ("Cold Water (feat. Justin Bieber & MØ)",),
        "album": ("Cold Water (feat. Justin Bieber & MØ) - Single",),
    },
}  # fmt: skip
"""What files say under names, and in tags, that the maker of the index did not ask for; from a look at their bytes."""
DURATIONS = {
    "beets/mpeglayer3.wav": 5.025,
    "fq/dash_audio_init.mp4": 0.123,
    "fq/end-of-file.wav": 0.01,
    "music-metadata/DSD128.wv": 0.1,
    "music-metadata/Pmiscck.aif": 0.003,
    "music-metadata/Poffset.aif": 0.003,
    "music-metadata/Porder.aif": 0.003,
    "music-metadata/Ptjunk.aif": 0.003,
    "music-metadata/dvi_adpcm.wav": 0.1,
    "music-metadata/ffmpeg-missing-chunksize.wav": 0.627,
    "music-metadata/gsm610.wav": 0.12,
    "music-metadata/issue-819.wav": 0.155,
    "music-metadata/mpeglayer3.wav": 0.125,
    "tinytag/adpcm.wav": 12.08,
    "tinytag/gsm_6_10.wav": 0.1,
    "tinytag/id3_frames.mp3": None,  # of variable bitrate, without a count of its frames: 4.5 s
}
"""Seconds by the bytes, where mutagen is wrong: compressed sound in WAV and AIFF-C, fragments, DSD, pipes."""
NOT_DAMAGED: dict[str, dict[str, Any]] = {
    "music-metadata/issue-749.m4a": {"title": ("S2E32 : Audio",), "duration_s": 1563.157},
    "tinytag/alac_file.m4a": {"artist": ("Howard Shelley",), "track": 14, "disc": 1, "duration_s": 166.626},
}
"""Files that the maker of the index could not open, although their tags can be read."""


def promised(line: dict[str, Any]) -> dict[str, Any] | None:
    """What a reader should find according to the index, as fields of Track; without tags that the format has no place for.

    None if it cannot be read.
    """
    if line["expected"] == "error":
        return NOT_DAMAGED.get(line["path"])
    choice = line["expected"]
    names = ("title", "artist", "albumartist", "album")
    if not any(choice[name] for name in names):
        choice = next((tags for tags in line.get("other_tags", {}).values() if any(tags[name] for name in names)), choice)
    return {
        "title": tuple(dict.fromkeys(choice["title"])),
        "artist": tuple(dict.fromkeys(choice["artist"])),
        "album_artist": tuple(dict.fromkeys(choice["albumartist"])),
        "album": tuple(dict.fromkeys(choice["album"])),
        "track": choice["track"],
        "disc": choice["disc"],
        "date": choice["date"],
        "duration_s": DURATIONS.get(line["path"], line["expected"]["duration_s"] or None),
    } | NOT_IN_THE_INDEX.get(line["path"], {})


def differences(track: Track, expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Field -> (expected, found). Dates are equal if they are the same day, month or year."""
    pairs = {name: (value, getattr(track, name)) for name, value in expected.items()}
    days = {name: (date_of(value), date_of(found)) for name, (value, found) in pairs.items() if name == "date"}
    return {name: pair for name, pair in (pairs | days).items() if pair[0] != pair[1]}
