"""FLAC: STREAMINFO and VORBIS_COMMENT are at the front; pictures and padding between them are skipped."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from orchestrator.tags.audio_identity import STREAMINFO_SIZE, streaminfo
from orchestrator.tags.containers.flac_end import missing_end
from orchestrator.tags.covers import KEPT, LONGEST_PICTURE_NAME, PICTURE_NAMES, flac_picture
from orchestrator.tags.foreign_tags import find_other_tags
from orchestrator.tags.id3 import tag_end
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.tag_texts import LONGEST_TEXT
from orchestrator.tags.trailers import sound_end
from orchestrator.track import Cover, SoundEnd

_STREAMINFO, _PADDING, _SEEKTABLE, _COMMENT, _CUESHEET, _PICTURE = 0, 1, 3, 4, 5, 6
_LAST = 0x80
_MOST_BLOCKS = 1000
_MOST_COMMENTS = 50_000
_MANY_COMMENTS = 256 * 1024
"""Bytes of small comments that are fetched at once."""
_PICTURE_HEADER = 1024
_SEEK_POINT = 18
_CHECKSUM, _ZEROS = 2, 4096
_KNOWN_HEADERS = 16 * 1024
"""Only block headers within this many bytes count for the bit rate, so that it does not depend on how much was read."""


@dataclass(slots=True)
class _Blocks:
    """What the walk over the metadata blocks found."""

    sound: int
    """Where the sound begins, judged by the blocks that every policy reads: the bit rate depends on it."""
    end: int
    """Where the blocks that were read end."""
    streaminfo: int = 0
    seek_table: tuple[int, int] | None = None
    covers: list[Cover] = field(default_factory=list)
    cue_sheet: bool = False
    """Whether a cue sheet comes before the comments: what comes after them is not always read."""
    rest: int | None = None
    """The first block that was not read; None if all were."""

    def note(self, file: SparseFile, kind: int, payload: int, end: int) -> None:
        """Take what is useful in a block other than the comments."""
        if kind == _STREAMINFO and not self.streaminfo:
            self.streaminfo = payload
        elif kind == _SEEKTABLE:
            self.seek_table = (payload, end)
        elif kind == _PICTURE:
            length = min(_PICTURE_HEADER, end - payload)
            found = flac_picture(file.peek(payload, length), end - payload) if file.has(payload, payload + length) else None
            if found is not None:
                self.covers.append(found)


def read(file: SparseFile) -> Parsed:
    """Parse up to the Vorbis comment."""
    start = tag_end(file.peek(0, 10), 0) or 0
    blocks = _plan(file, start)
    flac = parser("flac", "FLAC")(file)
    info = flac.info
    parsed = Parsed(kind="vorbis", tags=flac.tags, info=info, codec="flac", lossless=True)
    if not flac.tags:
        find_other_tags(file, parsed)
    parsed.covers = tuple(blocks.covers) if blocks.covers or blocks.rest is None else None
    if info.length:
        parsed.bitrate = int(max(0, file.size - blocks.sound) * 8 / info.length)
    parsed.cue_sheet = blocks.cue_sheet
    parsed.identity = streaminfo(file.peek(blocks.streaminfo, STREAMINFO_SIZE))
    sound, least = max(0, file.size - blocks.end), _least_bytes(file, info, blocks)
    if least > sound:
        parsed.suspect = f"cut short: its sound needs at least {least:,} bytes, more than the file has"
        _check_rest(file, blocks.rest)
    elif file.policy.end_check:
        parsed.suspect = missing_end(file, blocks.end, info)
        parsed.whole = parsed.suspect is None
        parsed.end = SoundEnd(loose=_zeros_behind(file))
    return parsed


def _zeros_behind(file: SparseFile) -> int:
    """Zeros behind the last frame: a checksum that is right stays right with them."""
    end = sound_end(file)
    tail = file.peek(max(0, end - _ZEROS), min(end, _ZEROS))
    zeros = len(tail) - len(tail.rstrip(b"\0"))
    return zeros if zeros > _CHECKSUM else 0


def _least_bytes(file: SparseFile, info: Any, blocks: _Blocks) -> int:
    """The fewest bytes that the sound can take, according to the head.

    Every frame but the last takes at least the minimum that STREAMINFO states, and never less than a header of 6 bytes, a
    checksum of 2 and one byte per channel. The last seek point states how far its frame is from the first one.
    """
    if not info.total_samples or not info.max_blocksize:
        return 0
    shortest = 8 + info.channels
    frame = max(info.min_framesize, shortest)

    def from_sample(sample: int) -> int:
        return int((-(-(info.total_samples - sample) // info.max_blocksize) - 1) * frame + shortest)

    return max(
        offset + from_sample(sample) for sample, offset in [(0, 0), *_seek_points(file, blocks.seek_table, info.total_samples)]
    )


def _seek_points(file: SparseFile, table: tuple[int, int] | None, samples: int) -> list[tuple[int, int]]:
    """(sample, offset) of the last seek point within the sound, if the table has been read; placeholder points are ignored."""
    if table is None or not file.has(*table):
        return []
    data = file.peek(table[0], table[1] - table[0])
    for at in range(len(data) - _SEEK_POINT, -1, -_SEEK_POINT):
        sample, offset = struct.unpack_from(">QQ", data, at)
        if sample < samples:
            return [(sample, offset)]
    return []


def _check_rest(file: SparseFile, position: int | None) -> None:
    """Raise if even the metadata from `position` on is cut; worth a request only for a file that is already suspect."""
    for _ in range(_MOST_BLOCKS):
        if position is None or position + 4 > file.size:
            return
        flags, _, end = _block(file, position, set())
        position = None if flags & _LAST else end


def _plan(file: SparseFile, start: int) -> _Blocks:
    """Walk the block headers, and make the parser stop as soon as it has what we need."""
    if file.peek(start, 4) != b"fLaC":
        raise NotReadableError("it does not begin as a FLAC file does")
    position = start + 4
    blocks = _Blocks(sound=position, end=position)
    needed = {_STREAMINFO, _COMMENT}
    for _ in range(_MOST_BLOCKS):
        if not needed and not file.has(position, min(position + _PICTURE_HEADER, file.size)):
            blocks.rest = position
            return blocks  # the rest is checked only if that costs nothing
        flags, kind, end = _block(file, position, needed)
        blocks.note(file, kind, position + 4, end)
        blocks.end = end
        blocks.cue_sheet |= kind == _CUESHEET and bool(needed)
        if kind in needed:
            needed.remove(kind)
            if not needed:
                file.patch(position, flags | _LAST | kind)
        elif needed and kind in (_PICTURE, _PADDING):
            # Shown as padding of the same length it needs no parsing, so none of it has to be fetched.
            file.patch(position, flags | _PADDING)
            file.make_hole(position + 4, end, "a picture" if kind == _PICTURE else "padding")
        if position + _PICTURE_HEADER <= _KNOWN_HEADERS or needed:
            blocks.sound = end
        if flags & _LAST or end + 4 > file.size:
            return blocks
        position = end
    raise NotReadableError("its metadata is damaged: it has too many blocks")


def _block(file: SparseFile, position: int, needed: set[int]) -> tuple[int, int, int]:
    """Flags, kind and real end of the block at `position`: the stated length is sometimes wrong.

    mutagen trusts the lengths inside pictures and comments. Comments that are needed are fetched.
    """
    header = file.peek(position, 4, "the next metadata block").ljust(4, b"\0")
    kind, payload = header[0] & 0x7F, position + 4
    end = payload + int.from_bytes(header[1:4], "big")
    if kind == _PICTURE:
        end = _picture_end(file, payload, end)
    elif kind == _COMMENT:
        if kind in needed:
            _skip_large_comments(file, payload, min(end, file.size))
            file.fetch(position, end, "the Vorbis comment")
        end = _comment_end(file, payload, end)
    if end > file.size:
        raise NotReadableError("cut short: a metadata block exceeds the file")
    return header[0] & _LAST, kind, end


def _picture_end(file: SparseFile, payload: int, stated: int) -> int:
    mime = int.from_bytes(file.peek(payload + 4, 4), "big")
    if payload + 32 + mime > file.size:
        return stated
    description = int.from_bytes(file.peek(payload + 8 + mime, 4), "big")
    if payload + 32 + mime + description > file.size:
        return stated
    return payload + 32 + mime + description + int.from_bytes(file.peek(payload + 28 + mime + description, 4), "big")


def _skip_large_comments(file: SparseFile, payload: int, end: int) -> None:
    """Make holes for pictures, and for texts too long to be of use, among the comments."""
    position = payload + 4 + int.from_bytes(file.peek(payload, 4), "little")
    count = int.from_bytes(file.peek(position, 4), "little") if position < end else 0
    position, hole = position + 4, False
    for _ in range(min(count, _MOST_COMMENTS)):
        if end - position < file.policy.hole:
            return
        if not hole and not file.has(position, position + 4 + LONGEST_PICTURE_NAME):
            file.fetch(position, min(end, position + _MANY_COMMENTS), "the Vorbis comment")
        beginning = file.peek(position, 4 + LONGEST_PICTURE_NAME, "the next comment")
        length = int.from_bytes(beginning[:4], "little")
        hole = length >= file.policy.hole and (length > LONGEST_TEXT or beginning[4:].upper().startswith(PICTURE_NAMES))
        if hole:
            file.make_hole(position + 4 + KEPT, min(position + 4 + length, end), "a picture or a long text")
        position += 4 + length


def _comment_end(file: SparseFile, payload: int, stated: int) -> int:
    position = payload + 4 + int.from_bytes(file.peek(payload, 4), "little")
    count = int.from_bytes(file.peek(position, 4), "little") if position < file.size else 0
    position += 4
    if count > _MOST_COMMENTS:
        raise NotReadableError("its comments are damaged: there are too many")
    for _ in range(count):
        if position + 4 > file.size:
            return stated
        position += 4 + int.from_bytes(file.peek(position, 4), "little")
    return position if position <= file.size else stated
