"""A digest of all tags of a file: whether two copies differ in more than what players write.

A Reading has the tags that place a file. Here are all of them, pictures too; only what players write by themselves is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from orchestrator.errors import OrchestratorError
from orchestrator.tags import formats
from orchestrator.tags.audio_identity import digest
from orchestrator.tags.id3 import tag_end
from orchestrator.tags.lazy_imports import id3_options, loaded, parser
from orchestrator.tags.policy import FEW_REQUESTS, KIB
from orchestrator.tags.sparse import ReadRange, SparseFile
from orchestrator.tags.trailers import sound_end

_PATIENT = msgspec.structs.replace(FEW_REQUESTS, budget=64 * 1024 * KIB, requests=200)
"""Whole pictures, wherever they are."""
_TAGS_AROUND = frozenset({"mpeg", "apetagged", "trueaudio"})
_EDGE = 64 * KIB
_WITH_ALL_TAGS = frozenset({"mpeg", "flac", "mp4", "ogg", "asf", "apetagged", "trueaudio", "dsf"})
"""The modules of the containers whose tags mutagen reads completely: it leaves out the INFO of WAV and the texts of AIFF."""
_FLAC_BLOCKS = frozenset({2, 5, 6})
"""Of applications, cue sheets, pictures; the others are facts about the sound, padding, and the comments."""
_PREFIX = re.compile(r"(txxx:|----:com\.apple\.itunes:|wm/|comm:|priv:|foobar2000/)")
_BY_PLAYERS = re.compile(
    r"(popm|pcnt|rva2|rvad|xrva|rgad)(:.*)?"  # ID3: popularimeter, play counter, gains
    r"|(averagelevel|peakvalue)(:.*)?"  # Windows Media Player
    r"|(replaygain|r128|mp3gain)_.*|itunnorm(:.*)?"
    r"|rate|rating|rating[ :_].*|love ?rating|(shared)?userrating"  # MP4, Vorbis comments, MusicBee, WMA, Kodi
    r"|fmps_(rating|playcount).*"
    r"|(play|skip)[ _-]?(count|counter)(:.*)?"
    r"|(first|last)[ _-]?(played|skipped)([ _-]?(at|date|time|timestamp))?|played_timestamps?"  # foobar2000 and others
)


class _NamedFile(SparseFile):
    """mutagen goes by the name where a file begins with an ID3 tag."""

    name = ""


def lasting_tags(path: str, size: int, read_range: ReadRange) -> str | None:
    """A digest of all tags that mutagen reads, pictures included, without what players write: ratings, gains, counts, times.

    None where not everything can be read. Raises the errors of `read_range`.
    """
    container = formats.by_name(path)
    if container is None or container.module not in _WITH_ALL_TAGS:
        return None
    file = _NamedFile(size, read_range, _PATIENT)
    file.name = path
    try:
        items = sorted(_all_items(file))
    except Exception:  # mutagen raises anything on damaged files: then it is unknown what they hold
        items = None
    if isinstance(file.failure, OrchestratorError):
        raise file.failure
    return None if items is None or file.failure is not None else digest(*(repr(item).encode() for item in items))


def edges_of_sound(path: str, size: int, read_range: ReadRange) -> str | None:
    """The length, beginning and end of the sound, where tags only lie before and behind it; None elsewhere.

    For files without an identity, such as MP3 without a header of its encoder. Raises the errors of `read_range`.
    """
    container = formats.by_name(path)
    if container is None or container.module not in _TAGS_AROUND:
        return None
    file = SparseFile(size, read_range, _PATIENT)
    start, end = tag_end(file.peek(0, 10), 0) or 0, sound_end(file)
    edge = min(_EDGE, end - start)
    return f"edges:{end - start}:{digest(file.peek(start, edge), file.peek(end - edge, edge))}" if edge > 0 else None


def _all_items(file: SparseFile) -> Iterator[tuple[str, str]]:
    """What the file holds, as names and values."""
    found = loaded("mutagen", "File")(file, options=None)
    if found is None:
        raise ValueError("not a kind of file that mutagen knows")
    tags = getattr(found, "tags", None)
    for name, value in _items_of(tags):
        if not is_written_by_players(name):
            yield name, value
    for chapter in getattr(found, "chapters", None) or ():
        yield "chapter", repr((chapter.start, chapter.title))
    for block in getattr(found, "metadata_blocks", ()):
        if block.code in _FLAC_BLOCKS:
            yield f"block {block.code}", repr(block.write())
    # Tags that its class for the format does not read: ID3 before a FLAC, APEv2 behind an MP3.
    for kind, module, missing in ("ID3", "id3", "ID3NoHeaderError"), ("APEv2", "apev2", "APENoHeaderError"):
        if type(tags).__name__ != kind:
            file.seek(0)
            try:
                more = parser(module, kind)(file, **(id3_options() if kind == "ID3" else {}))
            except parser(module, missing):
                continue
            yield from ((f"{kind} {name}", value) for name, value in _items_of(more) if not is_written_by_players(name))


def _items_of(tags: Any) -> Iterator[tuple[str, str]]:
    if tags is None:
        return
    yield from (("unknown frame", repr(frame)) for frame in getattr(tags, "unknown_frames", ()))
    for atom, contents in getattr(tags, "_failed_atoms", {}).items():
        yield atom, repr(contents)
    # Vorbis comments and those of ASF are lists: a name may be in them several times.
    for name, value in list.__iter__(tags) if isinstance(tags, list) else tags.items():
        yield name, _text_of(value)


def _text_of(value: Any) -> str:
    """A value in a form that says all of it, but nothing about the encoding of a text."""
    fields = {name: one for name, one in getattr(value, "__dict__", {}).items() if name != "encoding"}
    if isinstance(value, bytes | str | list | tuple):
        return repr((list(value) if isinstance(value, list) else value, fields))
    return repr(sorted((name, repr(one)) for name, one in fields.items())) if fields else repr(value)


def is_written_by_players(name: str) -> bool:
    """Whether players write a tag of this name (as mutagen gives it) when they play or measure a file, or a person rates it."""
    bare = _PREFIX.sub("", name.lower(), count=1)
    return _BY_PLAYERS.fullmatch(bare) is not None
