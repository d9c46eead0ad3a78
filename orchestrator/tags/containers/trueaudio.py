"""True Audio (TTA): stream facts at the front, ID3v2 before them or APEv2 at the end."""

from __future__ import annotations

import struct
from zlib import crc32

from orchestrator.tags.audio_identity import digest, of_edges, window
from orchestrator.tags.foreign_tags import find_other_tags
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.lazy_imports import id3_options, parser
from orchestrator.tags.parsed import Parsed, StreamFacts
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end
from orchestrator.track import AudioIdentity, SoundEnd, Strength

_FIRST_VERSION = b"TTA1"
_HEADER, _CHECKSUM = 22, 4
_LONGEST_TABLE = 64 * 1024
_LEAST_SIZES = 8
"""At least this many different frame sizes mean that the sound is not silent."""


def read(file: SparseFile) -> Parsed:
    """Parse ID3 as mutagen does, or APEv2 if there is no ID3."""
    start = plan_tag(file, 0) or 0
    file.seek(0)
    audio = parser("trueaudio", "TrueAudio")(file, **id3_options())
    parsed = Parsed(kind="id3", tags=audio.tags, info=audio.info, codec="tta", lossless=True)
    if not audio.tags:
        find_other_tags(file, parsed, kinds=("ape",))
    _look_at_frames(file, start, parsed)
    header, length = file.peek(start, _HEADER), audio.info.length or None
    if header.startswith(_FIRST_VERSION):
        channels, bits, rate = struct.unpack_from("<HHI", header, 6)
        parsed.info = StreamFacts(length, rate or None, bits or None, channels or None)
    if length:
        parsed.bitrate = int((sound_end(file) - start) * 8 / length)
    return parsed


def _look_at_frames(file: SparseFile, start: int, parsed: Parsed) -> None:
    """Identity and completeness from the seek table after the header: it holds the size of every frame of 1.04 s."""
    header = file.peek(start, _HEADER)
    rate, samples = int.from_bytes(header[10:14], "little"), int.from_bytes(header[14:18], "little")
    if not header.startswith(_FIRST_VERSION) or not rate or not samples:
        return
    length = -(-samples // (256 * rate // 245)) * 4
    table = window(file, start + _HEADER, length) if length <= _LONGEST_TABLE else b""
    if len(table) < length:
        return
    sizes = struct.unpack(f"<{length // 4}I", table)
    sound = start + _HEADER + length + _CHECKSUM
    if sound + sum(sizes) > file.size:
        parsed.suspect = f"cut short: {max(0, file.size - sound):,} of {sum(sizes):,} bytes of sound are there"
        return
    if file.policy.end_check and sizes:
        _check_last_frame(file, parsed, sound + sum(sizes), sizes[-1])
    if len(set(sizes)) >= _LEAST_SIZES:
        parsed.identity = AudioIdentity("tta-frames", digest(header, table), Strength.HINT)
    else:
        parsed.identity = of_edges(file, "tta", start, sound + sum(sizes))


def _check_last_frame(file: SparseFile, parsed: Parsed, end: int, size: int) -> None:
    """Every frame ends with its CRC-32."""
    frame = window(file, end - size, size)
    if len(frame) < size or size < _CHECKSUM:
        return
    if crc32(frame[:-_CHECKSUM]) != int.from_bytes(frame[-_CHECKSUM:], "little"):
        parsed.suspect = "damaged: its last frame does not match its checksum"
        return
    parsed.whole = True
    parsed.end = SoundEnd(loose=max(0, sound_end(file) - end))
