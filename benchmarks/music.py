"""A library with realistic sizes: full-length streams, pictures from 20 KB to 1.5 MB."""

from __future__ import annotations

from pathlib import Path
from random import Random

from orchestrator.track import Track
from tests.audio import FORMATS, track_bytes

# Format -> files in a thousand. Most are MP3 and FLAC, as in real libraries; every other reader gets a share.
_MIX = {
    "mp3": 430,
    "flac": 230,
    "m4a": 110,
    "ogg": 50,
    "opus": 40,
    "alac": 40,
    "wma": 30,
    "wav": 15,
    "aiff": 10,
    "ape": 15,
    "wv": 15,
    "mpc": 5,
    "dsf": 5,
    "tta": 5,
}
_PICTURES = (0, 0, 0, 20_000, 40_000, 60_000, 90_000, 120_000, 200_000, 300_000, 500_000, 1_000_000, 1_500_000)
_SOUND_BYTES = 400_000
"""Added to FLAC streams: those of the tests are constant tones, which compress to almost nothing."""


def make_music(root: Path, count: int, *, seed: int = 1) -> list[str]:
    """Write `count` tagged audio files below `root`, and return their paths. An album has one format and one picture."""
    random = Random(seed)
    formats = [name for name, share in _MIX.items() if name in FORMATS for _ in range(share)]
    paths: list[str] = []
    album = 0
    while len(paths) < count:
        album += 1
        kind = random.choice(formats)
        picture = random.choice(_PICTURES)
        extension = FORMATS[kind].extension
        for number in range(1, min(random.randrange(6, 16), count - len(paths)) + 1):
            tags = Track(
                title=(f"Title {number} of {album}",),
                artist=(f"Artist {album // 3}",),
                album_artist=(f"Artist {album // 3}",),
                album=(f"Album {album}",),
                track=number,
                disc=1,
                date=str(1960 + album % 60),
                genre=("Rock",),
                musicbrainz_recording_id=f"{album:08x}-0000-4000-8000-{number:012x}" if album % 2 else None,
            )
            content = track_bytes(kind, tags, cover_bytes=picture, seconds=random.uniform(120, 300), serial=len(paths) + 1)
            if kind == "flac":
                # With frames of noise, the size of the largest frame (bytes 15 to 17) is no longer known.
                content = content[:15] + bytes(3) + content[18:] + random.randbytes(_SOUND_BYTES)
            path = f"Inbox/{album % 17}/rip {album}/{number:02} track.{extension}"
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            paths.append(path)
    return paths
