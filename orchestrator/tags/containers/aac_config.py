"""AudioSpecificConfig: what an MPEG-4 stream says about its sound. Bytes in, facts out; unknown where it does not say."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from orchestrator.tags.parsed import NotReadableError, StreamFacts

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 9: 3, 10: 4, 11: 7, 12: 8, 13: 24, 14: 8}
"""Channel configuration -> channels; 0 means that they are listed one by one."""
_SBR, _PS, _BSAC, _ALS, _ELD, _USAC = 5, 29, 22, 36, 39, 42
_MAY_REPLICATE = frozenset((1, 2, 3, 4, 6, 17, 19, 20, 22))
"""Object types to which spectral band replication may be added without a word."""
_GENERAL = _MAY_REPLICATE | {7, 21, 23}
_RESILIENT = frozenset((17, 19, 20, 21, 22, 23))
_SBR_FOLLOWS, _PS_FOLLOWS = 0x2B7, 0x548
_FASTEST_WITH_SBR = 24_000
_OTHER_CODECS = {
    7: "twinvq",
    8: "celp",
    9: "hvxc",
    32: "mp1",
    33: "mp2",
    34: "mp3",
    _ALS: "als",
    37: "sls",
    38: "sls",
    _USAC: "xhe-aac",
}
_LOSSLESS = frozenset((_ALS, 37, 38))


class Bits:
    """Reads numbers of any width from the front; NotReadableError behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = 8 * len(data)

    def take(self, width: int) -> int:
        """The next `width` bits."""
        if width > self.left:
            raise NotReadableError("its description of the sound is cut short")
        self.left -= width
        return self._value >> self.left & (1 << width) - 1

    def align(self) -> None:
        """Skip to the next whole byte."""
        self.left -= self.left % 8


@dataclass(slots=True)
class Coding:
    """How a stream of AAC is coded; what it announces about extensions is None where it says nothing."""

    rate: int
    """Hz, before spectral band replication."""
    channels: int | None
    """Before parametric stereo."""
    kind: int = 2
    """The MPEG-4 object type: 2 is plain AAC."""
    replication: bool | None = None
    """Spectral band replication (HE-AAC), which usually doubles the sample rate."""
    stereo: bool | None = None
    """Parametric stereo (HE-AAC v2): two channels from one; only with replication."""
    replicated: int = 0
    """Hz, with replication."""

    def facts(self) -> StreamFacts:
        """What a decoder makes of it; None where it depends on extensions of which nothing is said."""
        silent = self.kind in _MAY_REPLICATE and self.rate <= _FASTEST_WITH_SBR
        rate = self.replicated if self.replication else None if silent and self.replication is None else self.rate
        channels = self.channels
        if channels == 1 and self.stereo:
            channels = 2
        elif channels == 1 and silent and self.stereo is None and self.replication is not False:
            channels = None
        return StreamFacts(sample_rate=rate or None, channels=channels)


def specific_config(config: bytes) -> tuple[str, bool, StreamFacts, int]:
    """Codec, whether it is lossless, the facts, and the sample rate before any replication (0 for unknown).

    NotReadableError if it is too short to say what it is.
    """
    bits = Bits(config)
    kind, rate, layout = _object_type(bits), _rate(bits), bits.take(4)
    coding = Coding(rate, None, kind)
    if kind in (_SBR, _PS):
        coding.replication, coding.stereo = True, True if kind == _PS else None
        coding.replicated, coding.kind = _rate(bits), _object_type(bits)
        if coding.kind == _BSAC:
            layout = bits.take(4)
    coding.channels = _CHANNELS.get(layout)
    with suppress(NotReadableError):  # what came before the extensions stays true without them
        _read_rest(bits, coding, layout)
    kind = coding.kind
    facts = _als(config) if kind == _ALS else coding.facts()
    return _OTHER_CODECS.get(kind, "aac"), kind in _LOSSLESS, facts, rate


def _object_type(bits: Bits) -> int:
    kind = bits.take(5)
    return kind if kind < 31 else 32 + bits.take(6)


def _rate(bits: Bits) -> int:
    index = bits.take(4)
    if index == 15:
        return bits.take(24)
    return _RATES[index] if index < len(_RATES) else 0


def _read_rest(bits: Bits, coding: Coding, layout: int) -> None:
    """The part that depends on the kind, and the extensions that may follow."""
    if coding.kind == _USAC and not layout:
        coding.channels = _usac_channels(bits)
    elif coding.kind == _ELD:
        bits.take(4)
        coding.replication, coding.stereo = bool(bits.take(1)), False
        coding.replicated = 2 * coding.rate if coding.replication and bits.take(1) else coding.rate
    elif coding.kind in _GENERAL:
        _read_general(bits, coding, layout)
        if coding.replication is None and bits.left >= 16 and bits.take(11) == _SBR_FOLLOWS and _object_type(bits) == _SBR:
            coding.replication = bool(bits.take(1))
            coding.replicated = _rate(bits) if coding.replication else 0
            if coding.replication and bits.left >= 12 and bits.take(11) == _PS_FOLLOWS:
                coding.stereo = bool(bits.take(1))


def _read_general(bits: Bits, coding: Coding, layout: int) -> None:
    """GASpecificConfig."""
    bits.take(1)
    if bits.take(1):
        bits.take(14)
    extended = bits.take(1)
    if not layout:
        coding.channels = listed_channels(bits)
    if coding.kind in (6, 20):
        bits.take(3)
    if extended:
        bits.take({_BSAC: 16, 17: 3, 19: 3, 20: 3, 23: 3}.get(coding.kind, 0) + 1)
    if coding.kind in _RESILIENT:
        bits.take(2)


def listed_channels(bits: Bits) -> int:
    """The channels of a program_config_element, which lists them one by one."""
    bits.take(10)
    elements = sum(bits.take(4) for _ in range(3))
    effects, data, coupled = bits.take(2), bits.take(3), bits.take(4)
    for width in (4, 4, 3):  # the ways of mixing it down
        if bits.take(1):
            bits.take(width)
    channels = effects
    for _ in range(elements):
        channels += 1 + bits.take(1)
        bits.take(4)
    bits.take(4 * effects + 4 * data + 5 * coupled)
    bits.align()
    bits.take(8 * bits.take(8))
    return channels


def _usac_channels(bits: Bits) -> int | None:
    if bits.take(5) == 31:
        bits.take(24)
    bits.take(3)
    layout = bits.take(5)
    return 2 if layout == 8 else _CHANNELS.get(layout)


def _als(config: bytes) -> StreamFacts:
    at = config.find(b"ALS\0")
    if at < 0 or len(config) < at + 15:
        return StreamFacts()
    return StreamFacts(
        sample_rate=int.from_bytes(config[at + 4 : at + 8], "big"),
        bits_per_sample=8 * (1 + (config[at + 14] >> 2 & 7)),
        channels=1 + int.from_bytes(config[at + 12 : at + 14], "big"),
    )
