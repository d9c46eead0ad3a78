"""The numbers by which Windows names codecs: in WAV, in WMA, and in files of QuickTime and AIFF-C."""

from __future__ import annotations

Codec = tuple[str | None, bool | None]
"""The name of a codec, and whether it is lossless; None for unknown."""

PCM, FLOAT = 0x0001, 0x0003
EXTENSIBLE = 0xFFFE
"""The number is in the first two bytes of a GUID that follows."""
WMA_LOSSLESS = 0x0163
_ADPCM = (0x02, 0x10, 0x11, 0x12, 0x14, 0x17, 0x20, 0x36, 0x40, 0x45, 0x62, 0x64, 0x65, 0x69, 0x85, 0x97, 0x170, 0x200, 0x1002)
_AAC = (0xFF, 0x180, 0x1600, 0x1601, 0x1602, 0x1610, 0x4143, 0x706D, 0xA106)
_CODECS: dict[int, Codec] = {
    PCM: ("pcm", True),
    FLOAT: ("pcm", True),
    0x06: ("alaw", False),
    0x07: ("mulaw", False),
    0x0A: ("wma", False),  # Voice
    0x31: ("gsm", False),
    0x32: ("gsm", False),
    0x50: ("mp2", False),
    0x55: ("mp3", False),
    0x92: ("ac3", False),
    0x160: ("wma", False),
    0x161: ("wma", False),
    0x162: ("wma", False),  # Professional
    WMA_LOSSLESS: ("wma", True),
    0x270: ("atrac", False),
    0x2000: ("ac3", False),
    0x2001: ("dts", False),
    0x5756: ("wavpack", None),
    0xA109: ("speex", False),
    0xF1AC: ("flac", True),
    0x1FC4: ("alf2", True),
    0x704F: ("opus", False),
    **dict.fromkeys(_ADPCM, ("adpcm", False)),
    **dict.fromkeys(_AAC, ("aac", False)),
    **dict.fromkeys((0x674F, 0x6750, 0x6751, 0x676F, 0x6770, 0x6771, 0x566F), ("vorbis", False)),
}


def codec_of(number: int) -> Codec:
    """The codec of this number."""
    return _CODECS.get(number, (None, None))
