"""The size of MPEG audio and ADTS frames, from their headers."""

from __future__ import annotations

from typing import NamedTuple

_BITRATES = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""(version, layer) in the coding of the header -> kilobits per second. Layers II and III of MPEG 2 share one table."""
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LAYER_I, _LAYER_III = 3, 1
_PLAIN_FRAMES = 4
"""So many frames in sequence are no coincidence."""
_ADTS_HEADER = 7
_LEAST_FREE = 24
"""Bytes of a frame: 8 kbit/s at 24 kHz."""


def mpeg_size(header: bytes) -> int:
    """Bytes of the frame with this header; 0 if it is none, or if its rate is free."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer, bitrate, rate = header[1] >> 3 & 3, header[1] >> 1 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3:
        return 0
    bits = _BITRATES[3 if version == 3 else 2, layer if version == 3 else max(layer, 2)][bitrate] * 1000
    frequency, padding = _RATES[version][rate], header[2] >> 1 & 1
    if layer == _LAYER_I:
        return (12 * bits // frequency + padding) * 4
    return (72 if version != 3 and layer == _LAYER_III else 144) * bits // frequency + padding


class FreeFormat(NamedTuple):
    """What the first frame says about a stream of a bitrate that is in no table."""

    layer: int
    sample_rate: int
    channels: int


class PlainFrames(NamedTuple):
    """What the first frames of a stream say that has nothing else to say."""

    bitrate: int
    """Of the first frame, in bits per second."""
    sample_rate: int
    channels: int


def plain_frames(data: bytes) -> PlainFrames | None:
    """The facts of a stream of layer III that begins with four frames without counts by an encoder; otherwise None."""
    at = 0
    for _ in range(_PLAIN_FRAMES):
        header = data[at : at + 4]
        size, mono = mpeg_size(header), header[3:] >= b"\xc0"
        if not size or header[1] >> 1 & 3 != _LAYER_III:
            return None
        beside = (36 if not mono else 21) if header[1] >> 3 & 3 == 3 else (21 if not mono else 13)
        if data[at + beside : at + beside + 4] in (b"Xing", b"Info") or data[at + 36 : at + 40] == b"VBRI":
            return None
        at += size
    version = data[1] >> 3 & 3
    bitrate = _BITRATES[3 if version == 3 else 2, _LAYER_III if version == 3 else 2][data[2] >> 4]
    return PlainFrames(bitrate * 1000, _RATES[version][data[2] >> 2 & 3], 1 if data[3] >> 6 == 3 else 2)


def free_format(data: bytes) -> FreeFormat | None:
    """The facts of a stream that begins with three frames of free bitrate; None for any other beginning."""
    header = data[:4]
    if len(header) < 4 or header[2] >> 4 or not mpeg_size(bytes((*header[:2], header[2] | 0x10, header[3]))):
        return None

    def is_frame(at: int) -> bool:
        return data[at : at + 2] == header[:2] and len(data) > at + 2 and data[at + 2] & 0xFC == header[2] & 0xFC

    starts = range(_LEAST_FREE, len(data) // 2)
    if not any(is_frame(at) and any(is_frame(2 * at + padding) for padding in (0, 1, -1)) for at in starts):
        return None
    mono = header[3] >> 6 == 3
    return FreeFormat(4 - (header[1] >> 1 & 3), _RATES[header[1] >> 3 & 3][header[2] >> 2 & 3], 1 if mono else 2)


def adts_size(header: bytes) -> int:
    """Bytes of the ADTS frame with this header; 0 if it is none."""
    if len(header) < _ADTS_HEADER or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size >= _ADTS_HEADER else 0
