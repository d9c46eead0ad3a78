"""The sample entry of an MP4: codec and facts of the sound. Bytes in, facts out; unknown where only fillers are stated."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.tags.audio_identity import STREAMINFO_SIZE
from orchestrator.tags.containers.aac_config import Bits, specific_config
from orchestrator.tags.containers.wave_formats import Codec, codec_of
from orchestrator.tags.parsed import NotReadableError, StreamFacts

_HEADER = 36
"""Of the entry, with its size and name, up to the atoms inside."""
_QUICKTIME = {1: 16, 2: 36}
"""Version of an entry of QuickTime -> bytes that it has more."""
_OPUS_RATE = 48_000
_STEREO_AND_SO_ON = (2, 1, 2, 3, 3, 4, 4, 5)
"""The channels of AC-3 by its audio coding mode, without the one for low frequencies."""
_AC3_RATES = (48_000, 44_100, 32_000)
_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_PLAIN = {  # bits per sample; 0: as stated
    "sowt": 0,
    "twos": 0,
    "lpcm": 0,
    "ipcm": 0,
    "fpcm": 0,
    "NONE": 0,
    "raw ": 8,
    "in24": 24,
    "in32": 32,
    "fl32": 32,
    "fl64": 64,
}
_CODECS: dict[str, Codec] = {
    **dict.fromkeys(_PLAIN, ("pcm", True)),
    "alac": ("alac", True),
    "fLaC": ("flac", True),
    "Opus": ("opus", False),
    "ac-3": ("ac3", False),
    "ec-3": ("eac3", False),
    "ac-4": ("ac4", False),
    "alaw": ("alaw", False),
    "ulaw": ("mulaw", False),
    "agsm": ("gsm", False),
    ".mp3": ("mp3", False),
    "ima4": ("adpcm", False),
    "samr": ("amr", False),
    "sawb": ("amr", False),
    "mlpa": ("truehd", True),
    "dtsc": ("dts", False),
    "dtse": ("dts", False),
    "dtsh": ("dts", None),
    "dtsl": ("dts", True),
    "drms": ("drms", False),
    "mp4a": ("aac", False),
}
_OBJECTS: dict[int, Codec] = {
    **dict.fromkeys((0x69, 0x6B), ("mp3", False)),
    0xA5: ("ac3", False),
    0xA6: ("eac3", False),
    0xA9: ("dts", False),
    0xAD: ("opus", False),
    0xDD: ("vorbis", False),
    0xE1: ("qcelp", False),
}
_AAC_OBJECTS = (0x40, 0x66, 0x67, 0x68)
_CONFIG_TAGS = (3, 4, 5)
"""The descriptors of an elementary stream, its decoder, and the configuration of that."""


class Entry(NamedTuple):
    """What a sample entry says."""

    name: str
    """Its four letters."""
    codec: str | None
    lossless: bool | None
    facts: StreamFacts
    core_rate: int = 0
    """Of AAC, the sample rate before spectral band replication."""


def read_entry(data: bytes) -> Entry | None:
    """The entry at the beginning of `data`; None if it is cut."""
    if len(data) < _HEADER:
        return None
    name = data[4:8].decode("latin-1")
    known = codec_of(int.from_bytes(data[6:8], "big")) if name.startswith("ms") else _CODECS.get(name)
    codec, lossless = known or (name.strip() or None, None)
    channels, bits, rate = *struct.unpack_from(">HH", data, 24), int.from_bytes(data[32:34], "big")
    version = int.from_bytes(data[16:18], "big")
    if version == 2 and len(data) >= _HEADER + 24:
        rate, channels = round(min(struct.unpack_from(">d", data, 40)[0], 1e9)), int.from_bytes(data[48:52], "big")
        bits = int.from_bytes(data[56:60], "big")
    facts = StreamFacts(sample_rate=rate or None)
    if name in _PLAIN:
        facts.channels, facts.bits_per_sample = channels or None, _PLAIN[name] or bits or None
    found = Entry(name, codec, lossless, facts)
    for atom, content in _inside_sound(data, version):
        read = _READERS.get(atom)
        try:
            found = read(found, content) if read is not None else found
        except (NotReadableError, struct.error, IndexError):
            continue  # damaged: what it would say stays unknown
    return found


def _inside_sound(data: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    """The atoms inside an entry, and those inside its `wave`: QuickTime writes the others there."""
    position = _HEADER
    if not _is_atom(data, position):
        position += _QUICKTIME.get(version, 0)
    for atom, content in inside(data, position):
        if atom == b"wave":
            yield from _inside_sound(bytes(_HEADER) + content, 0)
        else:
            yield atom, content


def inside(data: bytes, position: int) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the atoms inside an entry from `position` on, as far as they are atoms."""
    while _is_atom(data, position):
        size, atom = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        yield atom, data[position + 8 : position + size]
        position += size


def _is_atom(data: bytes, position: int) -> bool:
    size, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
    return size >= 8 and position + size <= len(data) and name.isascii() and name.decode().isprintable()


def _elementary_stream(entry: Entry, content: bytes) -> Entry:
    kind, bitrate, config = decoder(content)
    facts = StreamFacts(sample_rate=entry.facts.sample_rate, bitrate=bitrate)
    codec, lossless = entry.codec, entry.lossless
    if kind not in _AAC_OBJECTS and kind:
        codec, lossless = _OBJECTS.get(kind, (f"mp4a.{kind:X}", None))
    if kind not in _AAC_OBJECTS or not config or entry.name != "mp4a":
        return entry._replace(codec=codec, lossless=lossless, facts=facts)
    codec, lossless, said, core_rate = specific_config(config)
    said.bitrate = facts.bitrate
    if said.sample_rate is None and facts.sample_rate == 2 * core_rate:
        said.sample_rate = facts.sample_rate
    return entry._replace(codec=codec, lossless=lossless, facts=said, core_rate=core_rate)


def decoder(content: bytes) -> tuple[int, int | None, bytes]:
    """The kind of decoder, the bit rate and the configuration in an `esds`: descriptors inside each other.

    Raises IndexError if they are damaged.
    """
    data, kind, bitrate, config = content[4:], 0, None, b""
    while len(data) > 2 and data[0] in _CONFIG_TAGS:
        tag, data = _descriptor(data)
        if tag == 3:
            flags = data[2]
            data = data[3 + 2 * (flags >> 7) + (1 + data[3] if flags & 0x40 else 0) + 2 * (flags >> 5 & 1) :]
        elif tag == 4:
            kind, bitrate = data[0], int.from_bytes(data[9:13], "big") or None
            data = data[13:]
        else:
            config = data
            break
    return kind, bitrate, config


def _descriptor(data: bytes) -> tuple[int, bytes]:
    """Tag and content of the descriptor at the beginning; its length takes up to four bytes of 7 bits."""
    length, at = 0, 1
    while at < 5:
        length = length << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            break
    return data[0], data[at : at + length] if data[0] == _CONFIG_TAGS[-1] else data[at:]


def _apple_lossless(entry: Entry, content: bytes) -> Entry:
    """The magic cookie: the entry around it often says 44.1 kHz, 2 channels and 16 bits of anything."""
    _, version, bits, *_, channels, _, _, bitrate, rate = struct.unpack_from(">IBBBBBBHIII", content, 4)
    return (
        entry
        if version
        else entry._replace(facts=StreamFacts(None, rate or None, bits or None, channels or None, bitrate or None))
    )


def _flac(entry: Entry, content: bytes) -> Entry:
    """`dfLa`: FLAC's own metadata blocks, STREAMINFO first."""
    block = content[8 : 8 + STREAMINFO_SIZE]
    if content[4] & 0x7F or len(block) < STREAMINFO_SIZE:
        return entry
    said = int.from_bytes(block[10:18], "big")
    return entry._replace(facts=StreamFacts(None, said >> 44 or None, (said >> 36 & 31) + 1, (said >> 41 & 7) + 1))


def _opus(entry: Entry, content: bytes) -> Entry:
    return entry._replace(facts=StreamFacts(None, _OPUS_RATE, None, content[1] or None))


def _ac3(entry: Entry, content: bytes) -> Entry:
    bits = Bits(content)
    rate, _, mode, low, kilobits = bits.take(2), bits.take(8), bits.take(3), bits.take(1), bits.take(5)
    facts = StreamFacts(None, _AC3_RATES[rate] if rate < 3 else None, None, _STEREO_AND_SO_ON[mode] + low)
    facts.bitrate = 1000 * _AC3_KILOBITS[kilobits]
    return entry._replace(facts=facts)


def _enhanced_ac3(entry: Entry, content: bytes) -> Entry:
    """`dec3`: the first independent substream; how many channels dependent ones add is not worked out."""
    bits = Bits(content)
    kilobits, _, rate, _, mode, low = bits.take(13), bits.take(3), bits.take(2), bits.take(10), bits.take(3), bits.take(1)
    channels = None if bits.take(7) & 0xF else _STEREO_AND_SO_ON[mode] + low
    facts = StreamFacts(None, _AC3_RATES[rate] if rate < 3 else entry.facts.sample_rate, None, channels, 1000 * kilobits or None)
    return entry._replace(facts=facts)


def _pcm(entry: Entry, content: bytes) -> Entry:
    """`pcmC`: the size of samples of ISO's own PCM."""
    entry.facts.bits_per_sample = content[5] or None
    return entry


_READERS = {
    b"esds": _elementary_stream,
    b"alac": _apple_lossless,
    b"dfLa": _flac,
    b"dOps": _opus,
    b"dac3": _ac3,
    b"dec3": _enhanced_ac3,
    b"pcmC": _pcm,
}
