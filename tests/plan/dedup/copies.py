"""Small libraries with duplicates, and the decisions about them in a form for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from orchestrator.plan.planners.dedup.candidates import candidates_of
from orchestrator.plan.planners.dedup.records import Duplicates, Tier
from orchestrator.plan.planners.dedup.repeated_search import find_duplicates
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Entry, Item
from orchestrator.track import AudioIdentity, Reading, Status, Strength, Track
from tests.plan.worlds import track

ALBUM = {
    "album_artist": "Beck",
    "artist": "Beck",
    "album": "Odelay",
    "date": "1996",
    "disc": 1,
    "disc_total": 1,
    "track_total": 3,
}
FLAC = {"codec": "flac", "lossless": True, "bitrate": 900_000, "sample_rate": 44_100, "bit_depth": 16, "channels": 2}
MP3 = {"codec": "mp3", "lossless": False, "bitrate": 320_000, "sample_rate": 44_100, "channels": 2}
TITLES = ("", "Devils Haircut", "Hotwax", "Lord Only Knows")


def file(
    path: str,
    *,
    content: str | None = None,
    sound: str | None = None,
    strength: Strength = Strength.SURE,
    mtime: int | None = 1_600_000_000,
    size: int | None = None,
    suspect: str | None = None,
    hashes: dict[str, str] | None = None,
    tags: Track | None = None,
    **fields: Any,
) -> Item:
    """An audio file. Without `content` its bytes and size are unique; without `sound` its sound is unknown."""
    content = path if content is None else content
    identity = AudioIdentity("pcm-md5", sound, strength) if sound is not None and suspect is None else None
    said = tags or track(**fields)
    status = Status.TAGGED if said.has_tags else Status.UNTAGGED
    entry = Entry(
        path,
        1000 + crc32(content.encode()) % 1_000_000 if size is None else size,
        None if mtime is None else mtime * 1_000_000_000,
        {"md5": content} if hashes is None else hashes,
    )
    return Item(entry, Reading(status, said, identity, suspect))


def on_album(path: str, number: int | None, **fields: Any) -> Item:
    """A track of an album of three. Keywords replace its default tags."""
    said = {"title": TITLES[number or 0], "track": number, "duration_s": 200.0 + (number or 0), **ALBUM, **FLAC, **fields}
    return file(path, **{name: value for name, value in said.items() if value is not None})


def album(folder: str, **fields: Any) -> list[Item]:
    """All three tracks of the album."""
    return [on_album(f"{folder}/0{number}.flac", number, **fields) for number in (1, 2, 3)]


def found(*places: Sequence[Item] | dict[str, Sequence[Item]], **options: Any) -> Duplicates:
    """The decisions about these files of "/music" (or of the given locations)."""
    by_location: dict[str, list[Item]] = {}
    for place in places:
        for fs, items in place.items() if isinstance(place, dict) else [("/music", place)]:
            by_location.setdefault(fs, []).extend(items)
    candidates = [one for fs, items in by_location.items() for one in candidates_of(fs, items)]
    return find_duplicates(candidates, DedupSettings(**options))


def quarantined(answer: Duplicates) -> dict[str, str]:
    """Path of a duplicate -> tier, path of the kept copy, and criterion."""
    return {one.duplicate.path: f"{one.tier} {one.kept.path} {one.criterion}" for one in answer.decisions}


def whys(answer: Duplicates, *tiers: Tier) -> Iterable[tuple[frozenset[str], str]]:
    """Paths of files that are all kept, and why; of these tiers, by default of all acting tiers."""
    wanted = tiers or (Tier.BYTES, Tier.AUDIO, Tier.RELEASE_TRACK, Tier.TAGS)
    return [(frozenset(one.path for one in alike.files), alike.why) for alike in answer.alike if alike.tier in wanted]
