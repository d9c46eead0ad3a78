"""What the end of the sound looks like, where no checksum tells: zeros, bytes that are no sound, incomplete frames.

Read only for files that are to be kept instead of others (`Policy.end_check`).
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.tags.audio_identity import window
from orchestrator.tags.parsed import Parsed, PcmForm
from orchestrator.tags.sparse import SparseFile
from orchestrator.track import LEAST_ZEROS, SoundEnd

_PCM_TIMES = 4
"""If plain samples end in nothing but zeros, a longer look: 256 KiB are 1.5 s of a CD, and most tracks end in less silence."""
_MAY_END_IN_ZEROS = frozenset({"mp3", "mp2", "mp1", "wma", "vorbis", "opus", "speex"})
"""Silent frames and padding of these are zeros."""
_DSF_BLOCK = 4096
"""Each channel of DSF is filled up with zeros to blocks of this size."""
_LOUD = 1 / 100
"""Of full scale: sound that is still louder than this does not fade out."""
_SAMPLES = 128
_HEADER = 10
_CHAIN = 4
"""So many frames in sequence are no coincidence."""


def look_at_end(file: SparseFile, parsed: Parsed) -> None:
    """Set `parsed.end`, unless its container module did."""
    if parsed.end is not None:
        return
    start, end = parsed.sound or (0, 0)
    data = window(file, max(start, end - file.policy.end_check), min(end - start, file.policy.end_check))
    if parsed.pcm is not None and not any(data):
        length = min(end - start, _PCM_TIMES * file.policy.end_check)
        data = window(file, end - length, length) or data
    length = len(data)
    zeros = length - len(data.rstrip(b"\0"))
    if not data:
        parsed.end = SoundEnd(loose=parsed.loose)
        return
    if parsed.frame_size is not None:
        parsed.end = _end_of_frames(data, parsed.frame_size, zeros)
        return
    doubt = None
    if parsed.pcm is not None:
        lost = zeros and _stops_abruptly(data, length - zeros, (end - length - start), parsed.pcm)
    else:
        lost = zeros >= (_DSF_BLOCK if parsed.codec == "dsd" else LEAST_ZEROS) and parsed.codec not in _MAY_END_IN_ZEROS
    if lost:
        doubt = f"its sound ends in {zeros:,}{'' if zeros < length else ' or more'} zero bytes: silence, or an end that is lost"
    parsed.end = SoundEnd(zeros=zeros, loose=parsed.loose, doubt=doubt)


def _stops_abruptly(data: bytes, end: int, offset: int, form: PcmForm) -> bool:
    """Whether the samples just before `end`, where only zeros follow, are loud, or cannot be judged.

    `offset` is that of `data` in the sound.
    """
    width = -(-form.bits // 8)
    if not end or width < 2 or not form.readable:
        return len(data) - end >= LEAST_ZEROS
    last = end - (offset + end) % width  # where the last whole sample ends
    high = width - 2 if not form.big_endian else 0
    values = (
        int.from_bytes(data[at + high : at + high + 2], "big" if form.big_endian else "little", signed=True)
        for at in range(max(0, last - _SAMPLES * width), last - width + 1, width)
    )
    return max(map(abs, values), default=0) >= _LOUD * 0x8000


def _end_of_frames(data: bytes, frame_size: Callable[[bytes], int], zeros: int) -> SoundEnd:
    """Follow the frames up to the end of `data`."""
    at = _first_frame(data, frame_size, 0)
    if at is None:
        return SoundEnd(zeros=zeros, doubt="no frames were found at the end of its sound")
    while at < len(data):
        size = frame_size(data[at : at + _HEADER])
        if size and at + size > len(data):
            return SoundEnd(zeros=zeros, doubt=f"its last frame lacks {at + size - len(data):,} bytes")
        if not size:
            following = _first_frame(data, frame_size, at + 1)
            if following is None:
                return SoundEnd(zeros=zeros, loose=len(data) - at)
            return SoundEnd(zeros=zeros, doubt=f"it is damaged {len(data) - at:,} bytes before its end")
        at += size
    return SoundEnd(zeros=zeros)


def _first_frame(data: bytes, frame_size: Callable[[bytes], int], start: int) -> int | None:
    """Where a chain of frames begins, at or behind `start`; one that ends with `data` may be short."""
    at = data.find(b"\xff", start)
    while at >= 0:
        position, count = at, 0
        while count < _CHAIN and position < len(data) and (size := frame_size(data[position : position + _HEADER])):
            position, count = position + size, count + 1
        if count == _CHAIN or (count > 1 and position >= len(data)):
            return at
        at = data.find(b"\xff", at + 1)
    return None
