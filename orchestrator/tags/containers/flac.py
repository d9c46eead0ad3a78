"""FLAC: STREAMINFO and VORBIS_COMMENT stand at the front, pictures and padding between them are skipped."""

from __future__ import annotations

from orchestrator.tags.id3 import plan_tag, tag_end
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.track import AudioIdentity, Strength

_STREAMINFO, _PADDING, _COMMENT, _PICTURE = 0, 1, 4, 6
_MOST_COMMENTS = 100_000
_PICTURE_HEADER = 1024
_KNOWN_HEADERS = 64 * 1024
"""Block headers within so much of the file's start count for the bit rate, so that it is the same however much was read."""


def read(file: SparseFile) -> Parsed:
    """Parse up to the Vorbis comment."""
    start = tag_end(file.peek(0, 10), 0) or 0
    sound_start = _plan(file, start)
    flac = parser("flac", "FLAC")(file)
    info = flac.info
    parsed = Parsed(kind="vorbis", tags=flac.tags, info=info, codec="flac", lossless=True)
    if not flac.tags and start:
        plan_tag(file, 0)
        file.seek(0)
        parsed.other_tags = parser("id3", "ID3")(file, load_v1=False)
    sound = max(0, file.size - sound_start)
    if info.length:
        parsed.bitrate = int(sound * 8 / info.length)
    if info.md5_signature:
        parsed.identity = AudioIdentity("pcm-md5", f"{info.md5_signature:032x}:{info.total_samples}", Strength.SURE)
    if info.total_samples and info.max_blocksize:
        frames = -(-info.total_samples // info.max_blocksize)
        least = frames * info.min_framesize
        if least > sound:
            parsed.suspect = f"cut short: {frames:,} frames do not fit in {sound:,} bytes"
    return parsed


def _plan(file: SparseFile, start: int) -> int:
    """Walk the block headers, make the parser stop once it has what we need; where the sound begins, as far as known."""
    if file.peek(start, 4) != b"fLaC":
        raise NotReadableError("it does not begin as a FLAC file does")
    position = sound_start = start + 4
    needed, last = {_STREAMINFO, _COMMENT}, False
    while not last and position + 4 <= file.size:
        if not needed and not file.has(position, min(position + _PICTURE_HEADER, file.size)):
            break  # what follows is looked at only where that costs nothing
        header = file.peek(position, 4)
        last, kind = bool(header[0] & 0x80), header[0] & 0x7F
        stated = position + 4 + int.from_bytes(header[1:4], "big")
        if kind == _COMMENT and kind in needed:
            file.fetch(position, stated)
        end = _block_end(file, kind, position + 4, stated)
        if end > file.size:
            raise NotReadableError("cut short: a block of its metadata runs beyond the file's end")
        if kind in needed:
            needed.remove(kind)
            if not needed:
                file.patch(position, header[0] | 0x80)
        elif needed and kind in (_PICTURE, _PADDING):
            # As padding of the same length it needs no parsing, so none of it needs to be here.
            file.patch(position, header[0] & 0x80 | _PADDING)
            file.dig(position + 4, end)
        if position + _PICTURE_HEADER <= _KNOWN_HEADERS or needed:
            sound_start = end
        position = end
    return sound_start


def _block_end(file: SparseFile, kind: int, payload: int, stated: int) -> int:
    """Where the block really ends: the stated length is wrong at times, and mutagen goes by the lengths inside these two."""
    if kind == _PICTURE:
        return _picture_end(file, payload, stated)
    return _comment_end(file, payload, stated) if kind == _COMMENT else stated


def _picture_end(file: SparseFile, payload: int, stated: int) -> int:
    mime = int.from_bytes(file.peek(payload + 4, 4), "big")
    if payload + 32 + mime > file.size:
        return stated
    description = int.from_bytes(file.peek(payload + 8 + mime, 4), "big")
    if payload + 32 + mime + description > file.size:
        return stated
    return payload + 32 + mime + description + int.from_bytes(file.peek(payload + 28 + mime + description, 4), "big")


def _comment_end(file: SparseFile, payload: int, stated: int) -> int:
    position = payload + 4 + int.from_bytes(file.peek(payload, 4), "little")
    count = int.from_bytes(file.peek(position, 4), "little") if position < file.size else 0
    position += 4
    for _ in range(min(count, _MOST_COMMENTS)):
        if position + 4 > file.size:
            return stated
        position += 4 + int.from_bytes(file.peek(position, 4), "little")
    return position if position <= file.size else stated
