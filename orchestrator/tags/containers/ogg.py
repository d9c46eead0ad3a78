"""Ogg: comments in the first pages, the duration in the last one."""

from __future__ import annotations

from typing import Any

from orchestrator.tags.containers.ogg_comments import page_at, plan_comments
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile

_LAST_READ = 256 * 256
"""mutagen looks for the last page in so many bytes of the file's end."""
_BLOCK_HEADER = 4
_END_OF_STREAM = 4
_NO_PACKET_ENDS = b"\xff" * 8
"""The granule position of a page on which no packet ends."""


def _parse(file: SparseFile, mutagen_class: Any, codec: str, magic: bytes, packet_magic: bytes) -> Parsed:
    serial, comments_end = plan_comments(file, magic, len(packet_magic))
    _plan_end(file, serial, comments_end)
    file.seek(0)
    audio = mutagen_class(file)
    return Parsed(kind="vorbis", tags=audio.tags, info=audio.info, codec=codec, lossless=False)


def _plan_end(file: SparseFile, serial: bytes, comments_end: int) -> None:
    """Let the parser find the last page in the file's end, without the rest of what it would read there.

    It reads the whole file when the last page lacks the end-of-stream flag, is incomplete or is another stream's: then the last
    good page of our stream gets the flag, and what looks like a page behind it is hidden.
    """
    if file.has(0, file.size):
        return
    window = max(comments_end, file.size - _LAST_READ)
    for start in (max(window, file.size - file.policy.ogg_tail), window):
        tail = file.peek(start, file.size - start, "the last Ogg page")
        at = tail.rfind(b"OggS")
        while at >= 0:
            page = page_at(file, start + at)
            if page and page.serial == serial and page.end <= file.size and page.header[6:14] != _NO_PACKET_ENDS:
                file.patch(start + at + 5, page.header[5] | _END_OF_STREAM)
                file.dig(window, start, "sound, where the last page might have stood")
                return
            file.patch(start + at, 0)
            at = tail.rfind(b"OggS", 0, at)
    raise NotReadableError("its Ogg stream ends before the file does: the duration cannot be told from its ends")


def read_vorbis(file: SparseFile) -> Parsed:
    """Ogg Vorbis."""
    return _parse(file, parser("oggvorbis", "OggVorbis"), "vorbis", b"\x01vorbis", b"\x03vorbis")


def read_opus(file: SparseFile) -> Parsed:
    """Ogg Opus."""
    return _parse(file, parser("oggopus", "OggOpus"), "opus", b"OpusHead", b"OpusTags")


def read_speex(file: SparseFile) -> Parsed:
    """Ogg Speex."""
    return _parse(file, parser("oggspeex", "OggSpeex"), "speex", b"Speex   ", b"")


def read_flac(file: SparseFile) -> Parsed:
    """FLAC in Ogg: its header states the duration, except for streams made on the fly."""
    serial, comments_end = plan_comments(file, b"\x7fFLAC", _BLOCK_HEADER)
    info_at = file.peek(0, 128).find(b"\x7fFLAC")
    if info_at >= 0 and not int.from_bytes(file.peek(info_at + 17 + 10, 8), "big") & 0xFFFFFFFFF:
        _plan_end(file, serial, comments_end)
    file.seek(0)
    audio = parser("oggflac", "OggFLAC")(file)
    return Parsed(kind="vorbis", tags=audio.tags, info=audio.info, codec="flac", lossless=True)
