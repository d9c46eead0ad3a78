"""MPEG audio: ID3v2 at the front, then the first frame; ID3v1 and APEv2 at the end."""

from __future__ import annotations

from typing import Any

from orchestrator.tags.audio_identity import window
from orchestrator.tags.containers.mpeg_info import look_at_first_frame
from orchestrator.tags.foreign_tags import add_id3, fetch_end, find_other_tags, may_have_id3v1
from orchestrator.tags.frames.mpeg import FreeFormat, PlainFrames, free_format, mpeg_size, plain_frames
from orchestrator.tags.id3 import plan_tag, stacked, tag_end
from orchestrator.tags.lazy_imports import id3_class, id3_options, parser
from orchestrator.tags.parsed import Parsed, StreamFacts
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_PLACES = ("TIT2", "TPE1", "TALB")
_DATES = ("TDRC", "TYER")
_FIRST_FRAMES = 8 * 1024
_CODECS = {1: "mp1", 2: "mp2", 3: "mp3"}


def read(file: SparseFile) -> Parsed:
    """Parse the ID3v2 tags and the first frames; read the end only if a field is missing: APEv2 first, then ID3v1."""
    starts, first = _plan(file)
    frames = window(file, first, _FIRST_FRAMES)
    free = free_format(frames)
    if free is not None:
        return _of_free_format(file, free)
    plain = plain_frames(frames) if len(starts) == 1 else None
    return _of_frames(file, starts) if plain is None else _of_plain_frames(file, first, plain)


def _of_plain_frames(file: SparseFile, first: int, plain: PlainFrames) -> Parsed:
    """What mutagen makes of such a stream, for a tenth of its time."""
    file.seek(0)
    tags = (id3_class() or parser("id3", "ID3"))(file, load_v1=False, **id3_options())
    facts = StreamFacts(8 * (file.size - first) / plain.bitrate, plain.sample_rate, None, plain.channels, plain.bitrate)
    parsed = Parsed(kind="id3", tags=tags, info=facts, codec="mp3", lossless=False)
    return _completed(file, parsed, [tags], first)


def _of_frames(file: SparseFile, starts: list[int]) -> Parsed:
    file.seek(0)
    mp3 = parser("mp3", "MP3")(file, id3_class(), load_v1=False, **id3_options())
    info: Any = mp3.info
    parsed = Parsed(kind="id3", tags=mp3.tags, info=info, codec=_CODECS.get(info.layer, "mp3"), lossless=False)
    for start in starts[1:]:
        add_id3(file, parsed, start)
    sources = [mp3.tags, *(tags for _, tags in parsed.others)]
    return _completed(file, parsed, sources, None if info.sketchy else info.frame_offset)


def _completed(file: SparseFile, parsed: Parsed, sources: list[Any], first: int | None) -> Parsed:
    """Add what the end and the first frame say, where it is known for sure that there is one."""
    dated = any(_has(sources, (key,)) for key in _DATES)
    if not dated or not _has(sources, (*_PLACES, "TRCK")):
        fetch_end(file)
        if not _has(sources, _PLACES) or not may_have_id3v1(file):
            find_other_tags(file, parsed, kinds=("ape",))
        if may_have_id3v1(file):
            file.seek(0)
            with_id3v1 = parser("mp3", "MP3")(file, id3_class(), **id3_options()).tags
            if dated and not _has(sources, _DATES[:1]):
                with_id3v1.pop("TDRC", None)  # the year of ID3v1, beside the frame for it that ID3v2.3 has
            if not parsed.others:
                parsed.tags = with_id3v1
            elif with_id3v1:  # ID3v1 cuts each text to 30 characters, so all others win
                parsed.others.append(("id3", with_id3v1))
    if file.policy.end_check and first is not None:
        parsed.sound, parsed.frame_size = (first, sound_end(file)), mpeg_size
    if first is not None:
        look_at_first_frame(file, first, parsed)
    return parsed


def _of_free_format(file: SparseFile, stream: FreeFormat) -> Parsed:
    """A stream of a bitrate that is in no table: mutagen would search it for other frames, and find some by chance."""
    facts = StreamFacts(sample_rate=stream.sample_rate, channels=stream.channels)
    parsed = Parsed(kind="id3", tags=None, info=facts, codec=_CODECS[stream.layer], lossless=False)
    find_other_tags(file, parsed)
    return parsed


def _has(sources: list[Any], keys: tuple[str, ...]) -> bool:
    return all(any(tags and tags.get(key) for tags in sources) for key in keys)


def _plan(file: SparseFile) -> tuple[list[int], int]:
    """Plan the first ID3v2 tag, which mutagen parses, and the first frames.

    Returns where all ID3v2 tags at the start begin, and where the last of them ends.
    """
    plan_tag(file, 0)
    starts = list(stacked(file, 0))
    position = tag_end(file.peek(starts[-1], 10), starts[-1]) or 0 if starts else 0
    if 0 < position < file.size and not file.has(position, min(position + 4, file.size)):
        file.fetch(position, position + max(_FIRST_FRAMES, file.policy.extra), "past the ID3v2 tag: the first MPEG frames")
    return starts, position
