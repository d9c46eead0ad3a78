"""Ogg: comments in the first pages, the duration in the last one."""

from __future__ import annotations

from typing import Any

from orchestrator.tags.containers.ogg_comments import Page, page_at, plan_comments
from orchestrator.tags.containers.ogg_sound import identify
from orchestrator.tags.identity import STREAMINFO_SIZE, streaminfo
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.track import AudioIdentity

_LAST_READ = 256 * 256
"""mutagen looks for the last page in so many bytes of the file's end."""
_BLOCK_HEADER = 4
_END_OF_STREAM = 4
_HEADERS = {"vorbis": 1, "opus": 0, "speex": 0}
"""Packets between the comments and the sound."""
_HEADERS_AT, _STREAMINFO_AT = 7, 17
"""Behind "\\x7fFLAC", versions and the first block's header."""
_INCOMPLETE = "cut short: its last Ogg page is incomplete"
_TO_BE_CONTINUED = 255
"""A last segment of this length belongs to a packet that goes on."""
_Facts = tuple[AudioIdentity | None, str | None]
"""Identity and suspicion."""
_NO_PACKET_ENDS = b"\xff" * 8
"""The granule position of a page on which no packet ends."""


def _parse(file: SparseFile, mutagen_class: Any, codec: str, magic: bytes, packet_magic: bytes) -> Parsed:
    comments = plan_comments(file, magic, len(packet_magic))
    identity, suspect = _plan_end(file, comments, codec, _HEADERS[codec])
    file.seek(0)
    audio = mutagen_class(file)
    return Parsed("vorbis", audio.tags, audio.info, codec=codec, lossless=False, identity=identity, suspect=suspect)


def _plan_end(file: SparseFile, comments: Page, codec: str, headers: int) -> _Facts:
    """Let the parser find the last page in the file's end, without the rest of what it would read there.

    It reads the whole file when the last page lacks the end-of-stream flag, is incomplete or is another stream's: then the last
    good page of our stream gets the flag, and what looks like a page behind it is hidden.

    Gives the identity of the sound, and says so when a page, or the last packet, is incomplete. A missing end-of-stream flag
    alone is no sign of damage: many writers forget it.
    """
    whole = file.has(0, file.size)
    window = max(comments.end, file.size - _LAST_READ)
    suspect = None
    for start in (max(window, file.size - file.policy.ogg_tail), window):
        tail = file.peek(start, file.size - start, "the last Ogg page")
        at = tail.rfind(b"OggS")
        while at >= 0:
            page = page_at(file, start + at)
            if page and page.serial == comments.serial:
                if page.is_whole and page.end <= file.size and page.position != _NO_PACKET_ENDS:
                    if page.header[-1] == _TO_BE_CONTINUED:
                        suspect = _INCOMPLETE
                    identity = identify(file, codec, comments, headers, page)
                    if not whole:
                        file.patch(start + at + 5, page.header[5] | _END_OF_STREAM)
                        file.dig(window, start, "pages before the last one")
                    return identity, suspect
                suspect = _INCOMPLETE
            if not whole:
                file.patch(start + at, 0)
            at = tail.rfind(b"OggS", 0, at)
    if whole:
        return None, suspect  # the parser has all that it can look for
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
    comments = plan_comments(file, b"\x7fFLAC", _BLOCK_HEADER)
    info_at = file.peek(0, 128).find(b"\x7fFLAC")
    block = file.peek(info_at + _STREAMINFO_AT, STREAMINFO_SIZE) if info_at >= 0 else b""
    identity, suspect = streaminfo(block), None
    if block and not int.from_bytes(block[10:18], "big") & 0xFFFFFFFFF:
        headers = int.from_bytes(file.peek(info_at + _HEADERS_AT, 2), "big")
        identity, suspect = _plan_end(file, comments, "flac", max(0, headers - 1))
    file.seek(0)
    audio = parser("oggflac", "OggFLAC")(file)
    return Parsed("vorbis", audio.tags, audio.info, codec="flac", lossless=True, identity=identity, suspect=suspect)
