"""Ogg: comments in the first pages, the duration in the last one."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

from msgspec.structs import replace

from orchestrator.tags.audio_identity import STREAMINFO_SIZE, streaminfo, window
from orchestrator.tags.containers.ogg_comments import CommentPacket, Page, page_at, plan_comments
from orchestrator.tags.containers.ogg_sound import identify
from orchestrator.tags.frames.ogg import page_checksum
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end
from orchestrator.track import AudioIdentity, SoundEnd

_LAST_READ = 256 * 256
"""mutagen looks for the last page in this many bytes at the end of the file."""
_BLOCK_HEADER = 4
_OPUS_RATE = 48_000
_END_OF_STREAM = 4
_HEADERS = {"vorbis": 1, "opus": 0, "speex": 0}
"""Packets between the comments and the sound."""
_HEADERS_AT, _STREAMINFO_AT = 7, 17
"""After "\\x7fFLAC", the versions and the header of the first block."""
_INCOMPLETE = "cut short: its last Ogg page is incomplete"
_NO_PAGES = "its Ogg stream ends before the file does"
_TO_BE_CONTINUED = 255
"""A last segment of this length belongs to a packet that continues."""
_NO_PACKET_ENDS = b"\xff" * 8
"""The granule position of a page on which no packet ends."""


class _End(NamedTuple):
    """What the end of a stream shows."""

    samples: int | None
    """Where its last good page ends; None if that is before the bytes that were read."""
    suspect: str | None
    identity: AudioIdentity | None = None
    has_pages: bool = True
    """Whether there are pages of any stream."""
    end: SoundEnd | None = None
    """What it looks like, if the policy wants that checked."""
    last: Page | None = None
    """Its last good page, as the parser is to see it."""


def _parse(file: SparseFile, mutagen_class: Any, codec: str, magic: bytes, packet_magic: bytes) -> Parsed:
    packet = plan_comments(file, magic, len(packet_magic))
    comments = packet.last
    end = _plan_end(file, comments, codec, _HEADERS[codec])
    audio = _opened(file, mutagen_class, packet, end)
    parsed = Parsed("vorbis", audio.tags, audio.info, codec=codec, lossless=False, identity=end.identity, suspect=end.suspect)
    parsed.end = end.end
    if codec == "opus":
        audio.info.sample_rate = _OPUS_RATE  # whatever it was encoded from
        audio.info.bitrate = None
    if not audio.info.bitrate and audio.info.length:
        parsed.bitrate = round(8 * (file.size - comments.end) / audio.info.length)
    return parsed


def _opened(file: SparseFile, mutagen_class: Any, comments: CommentPacket, end: _End) -> Any:
    """The file as mutagen sees it; without a length if the end of the stream was not found."""
    whole = file.has(0, file.size)
    if not end.has_pages and not whole:
        raise NotReadableError(f"{_NO_PAGES}: its ends do not show the duration")
    # If the whole file was read, the parser would check every page and get a result that no other policy gets.
    known = end.samples is not None or (whole and end.suspect is None)
    short = comments.without_pictures(end.last) if end.last is not None else None
    if short is None:
        comments.show_unread()
    source = BytesIO(short) if short is not None else file if known else _up_to(file, comments.last.end)
    source.seek(0)
    audio = mutagen_class(source)
    if not known:
        audio.info.length = None
    return audio


def _up_to(file: SparseFile, end: int) -> SparseFile:
    """The file as if it ended there, for a parser that would otherwise read all of it to find the last page."""
    return SparseFile(end, file.peek, replace(file.policy, budget=end, extra=end))


def _plan_end(file: SparseFile, comments: Page, codec: str, headers: int) -> _End:
    """Let the parser find the last page at the end of the file without reading everything before it.

    It reads the whole file if the last page lacks the end-of-stream flag, is incomplete or belongs to another stream: then the
    last good page of our stream gets the flag, and anything after it that looks like a page is hidden.

    Returns the identity of the sound, and reports an incomplete page or last packet. A missing end-of-stream flag alone is no
    sign of damage: many programs forget it. If another stream follows for longer than what is read, neither the end of ours nor
    the total length is known.
    """
    window = max(comments.end, file.size - _LAST_READ)
    suspect, behind = None, list[int]()
    for start in (max(window, file.size - file.policy.ogg_tail), window):
        tail = file.peek(start, file.size - start, "the last Ogg page")
        at, behind = tail.rfind(b"OggS"), []
        while at >= 0:
            page = page_at(file, start + at)
            if page and page.serial == comments.serial:
                if page.is_whole and page.end <= file.size and page.position != _NO_PACKET_ENDS:
                    if page.header[-1] == _TO_BE_CONTINUED:
                        suspect = _INCOMPLETE
                    identity = identify(file, codec, comments, headers, page)
                    seen, damage = _check(file, page) if file.policy.end_check else (None, None)
                    for offset in behind:
                        file.patch(offset, 0)
                    file.patch(start + at + 5, page.header[5] | _END_OF_STREAM)
                    if not file.has(window, start):
                        file.make_hole(window, start, "pages before the last one")
                    samples = int.from_bytes(page.position, "little")
                    return _End(samples, damage or suspect, identity, end=seen, last=page)
                suspect = _INCOMPLETE
            behind.append(start + at)
            at = tail.rfind(b"OggS", 0, at)
    return _End(None, suspect, has_pages=bool(behind))


def _check(file: SparseFile, page: Page) -> tuple[SoundEnd, str | None]:
    """What the end of the stream looks like by its last page, and the damage of that page; to be called before it is patched."""
    content = window(file, page.start, page.end - page.start)
    if content and page_checksum(content) != int.from_bytes(content[22:26], "little"):
        return SoundEnd(), "damaged: its last Ogg page does not match its checksum"
    loose = max(0, sound_end(file) - page.end)
    if page.header[5] & _END_OF_STREAM or file.peek(page.end, 4) == b"OggS":  # pages of another stream follow
        return SoundEnd(loose=0 if file.peek(page.end, 4) == b"OggS" else loose), None
    return SoundEnd(loose=loose, doubt="its last Ogg page is not marked as the last one, so its end may be lost"), None


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
    """FLAC in Ogg: its header states the duration (except for live streams), and the last page shows whether it is complete."""
    packet = plan_comments(file, b"\x7fFLAC", _BLOCK_HEADER)
    packet.show_unread()
    comments = packet.last
    info_at = file.peek(0, 128).find(b"\x7fFLAC")
    block = file.peek(info_at + _STREAMINFO_AT, STREAMINFO_SIZE) if info_at >= 0 else b""
    samples = int.from_bytes(block[10:18], "big") & 0xFFFFFFFFF
    headers = int.from_bytes(file.peek(info_at + _HEADERS_AT, 2), "big") if info_at >= 0 else 0
    end = _plan_end(file, comments, "flac", max(0, headers - 1))
    mutagen_class = parser("oggflac", "OggFLAC")
    file.seek(0)
    audio = mutagen_class(file) if samples else _opened(file, mutagen_class, packet, end)
    parsed = Parsed("vorbis", audio.tags, audio.info, codec="flac", lossless=True, suspect=end.suspect)
    if end.samples is not None and end.samples < samples:
        parsed.suspect = f"cut short: {end.samples:,} of {samples:,} samples are there"
    elif samples and not end.has_pages:
        parsed.suspect = f"cut short or damaged: {_NO_PAGES}"
    elif end.samples is not None:
        parsed.identity = streaminfo(block) if samples else end.identity
        parsed.whole = end.suspect is None
    parsed.end = end.end
    return parsed
