"""Whether the last frame of a FLAC file is complete. Its head is the same whether or not the file was cut."""

from __future__ import annotations

from typing import Any

from fastcrc.crc16 import umts as crc16

from orchestrator.tags.frames.flac import LONGEST_HEADER, SYNC, frame_header
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_MOST_LOOKED_AT = 16
"""How many headers are tried: about once in 8 MiB, bytes inside a frame look like a header by chance."""
_LONGEST_FRAME = 1024 * 1024


def missing_end(file: SparseFile, start: int, info: Any) -> str | None:
    """The reason if the sound (from `start`) does not end with a complete frame that holds its last samples."""
    end = sound_end(file)
    begin = max(start, min(file.size - file.policy.end_check, end - min(info.max_framesize, _LONGEST_FRAME)))
    data = file.peek(begin, end - begin, "the end of the sound, for its last frame") if end > begin else b""
    least = len(data) - info.max_framesize if info.max_framesize else 0
    looked_at = 0
    for at in reversed([sync.start() for sync in SYNC.finditer(data)]):
        header = frame_header(data[at : at + LONGEST_HEADER]) if at >= least else None
        if header is None:
            continue
        if not crc16(data[at:]):  # it ends with its own checksum
            held = header.end(info.max_blocksize)
            short = held < info.total_samples
            return f"cut short: {held:,} of {info.total_samples:,} samples are there" if short else None
        looked_at += 1
        if looked_at == _MOST_LOOKED_AT:
            break
    return "cut short or damaged: it does not end with a whole frame"
