"""FLAC: STREAMINFO and VORBIS_COMMENT stand at the front, pictures and padding between them are skipped."""

from __future__ import annotations

from orchestrator.tags.id3 import tag_end
from orchestrator.tags.leftovers import find_other_tags
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.track import AudioIdentity, Strength

_STREAMINFO, _PADDING, _COMMENT, _PICTURE = 0, 1, 4, 6
_LAST = 0x80
_MOST_BLOCKS = 1000
_MOST_COMMENTS = 50_000
_PICTURE_HEADER = 1024
_KNOWN_HEADERS = 16 * 1024
"""Block headers within so much of the file's start count for the bit rate, so that it is the same however much was read."""


def read(file: SparseFile) -> Parsed:
    """Parse up to the Vorbis comment."""
    start = tag_end(file.peek(0, 10), 0) or 0
    sound_start, rest = _plan(file, start)
    flac = parser("flac", "FLAC")(file)
    info = flac.info
    parsed = Parsed(kind="vorbis", tags=flac.tags, info=info, codec="flac", lossless=True)
    if not flac.tags:
        find_other_tags(file, parsed)
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
            _check_rest(file, rest)
    return parsed


def _check_rest(file: SparseFile, position: int | None) -> None:
    """Raise where even the metadata from `position` on is cut: worth a request only for a file already suspect."""
    for _ in range(_MOST_BLOCKS):
        if position is None or position + 4 > file.size:
            return
        flags, _, end = _block(file, position, set())
        position = None if flags & _LAST else end


def _plan(file: SparseFile, start: int) -> tuple[int, int | None]:
    """Walk the block headers and make the parser stop once it has what we need.

    Gives where the sound begins, as far as known, and the first block not looked at, None when all were.
    """
    if file.peek(start, 4) != b"fLaC":
        raise NotReadableError("it does not begin as a FLAC file does")
    position = sound_start = start + 4
    needed = {_STREAMINFO, _COMMENT}
    for _ in range(_MOST_BLOCKS):
        if not needed and not file.has(position, min(position + _PICTURE_HEADER, file.size)):
            return sound_start, position  # what follows is looked at only where that costs nothing
        flags, kind, end = _block(file, position, needed)
        if kind in needed:
            needed.remove(kind)
            if not needed:
                file.patch(position, flags | _LAST | kind)
        elif needed and kind in (_PICTURE, _PADDING):
            # As padding of the same length it needs no parsing, so none of it needs to be here.
            file.patch(position, flags | _PADDING)
            file.dig(position + 4, end, "a picture" if kind == _PICTURE else "padding")
        if position + _PICTURE_HEADER <= _KNOWN_HEADERS or needed:
            sound_start = end
        if flags & _LAST or end + 4 > file.size:
            return sound_start, None
        position = end
    raise NotReadableError("its metadata is damaged: there would be too many blocks")


def _block(file: SparseFile, position: int, needed: set[int]) -> tuple[int, int, int]:
    """Flags, kind and real end of the block at `position`: the stated length is wrong at times.

    mutagen goes by the lengths inside pictures and comments. Comments that are needed are fetched whole.
    """
    header = file.peek(position, 4, "the next metadata block").ljust(4, b"\0")
    kind, payload = header[0] & 0x7F, position + 4
    end = payload + int.from_bytes(header[1:4], "big")
    if kind == _PICTURE:
        end = _picture_end(file, payload, end)
    elif kind == _COMMENT:
        if kind in needed:
            file.fetch(position, end, "the Vorbis comment")
        end = _comment_end(file, payload, end)
    if end > file.size:
        raise NotReadableError("cut short: a block of its metadata runs beyond the file's end")
    return header[0] & _LAST, kind, end


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
    if count > _MOST_COMMENTS:
        raise NotReadableError("its comments are damaged: there would be too many")
    for _ in range(count):
        if position + 4 > file.size:
            return stated
        position += 4 + int.from_bytes(file.peek(position, 4), "little")
    return position if position <= file.size else stated
