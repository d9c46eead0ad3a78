"""Which of two copies sounds better, by the facts of their sound, and when these do not tell.

An unknown fact is no worse than a known one: where it would decide, nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from orchestrator.track import Track

UNCLEAR = "which of them sounds better is not clear"
"""What the reasons of `undecided` begin with."""


class _Worth(NamedTuple):
    """How many bits of MP3 a bit of this codec is worth at low bitrates, at least and at most."""

    least: float
    most: float
    most_of_many: float
    """At most where there are more bits; at least, they are worth as many of MP3."""

    def lowest(self, bitrate: int) -> float:
        """The bits of MP3 that this bitrate is worth at least."""
        return max(self.least * min(bitrate, _LOW), bitrate)

    def highest(self, bitrate: int) -> float:
        """The bits of MP3 that this bitrate is worth at most."""
        return max(self.most * min(bitrate, _LOW), self.most_of_many * bitrate)


_WORTH: Mapping[str, _Worth] = {
    "mp3": _Worth(1.0, 1.0, 1.0),
    "vorbis": _Worth(1.25, 1.4, 1.4),
    "aac": _Worth(1.3, 1.8, 1.4),  # 1.8: HE-AAC, and not every file says whether it is
    "opus": _Worth(1.7, 2.0, 1.7),
}
"""By three public listening tests; docs/duplicates.md says how. Other codecs were not compared widely enough."""
_LOW = 100_000
"""Bits per second up to which the tests found differences between codecs: at 128,000 they found none."""
_CLEARLY = 1.2
"""How many times better one of two codecs must be."""
_FULL_RATE, _LOW_RATE = 44_100, 32_000
_COARSE = 8


def weighed_bitrate(track: Track) -> float:
    """Bits per second; of another codec than MP3, the bits that MP3 would need at low bitrates for the same quality."""
    worth = _WORTH.get(track.codec or "")
    return (track.bitrate or 0) * (worth.least if worth else 1.0)


def undecided(criterion: str, one: Track, other: Track) -> str | None:
    """Why `criterion` cannot say which of two copies sounds better; None if it can, or if it has nothing to do with the sound."""
    judge = _JUDGES.get(criterion)
    why = judge(one, other) if judge is not None else None
    return None if why is None else f"{UNCLEAR}: {why}"


def _by_lossless(one: Track, other: Track) -> str | None:
    if one.lossless is None or other.lossless is None:
        return None if one.codec == other.codec else "it is unknown whether one of them is lossless"
    if one.lossless == other.lossless:
        return None
    lossless, lossy = (one, other) if one.lossless else (other, one)
    rate = lossless.sample_rate or _FULL_RATE
    if (lossless.bit_depth or _COARSE + 1) <= _COARSE and lossless.codec != "dsd":
        return f"the lossless one has {lossless.bit_depth} bits per sample"
    if rate < min(_FULL_RATE, lossy.sample_rate or 0):
        return f"the lossless one has {rate:,} Hz, the lossy one {lossy.sample_rate:,} Hz"
    return None


def _by_bit_depth(one: Track, other: Track) -> str | None:
    if not (one.lossless and other.lossless):
        return None
    if (one.bit_depth == 1) != (other.bit_depth == 1) and one.bit_depth and other.bit_depth:
        return "one of them is DSD, the other one is not"
    return _one_is_unknown(one.bit_depth, other.bit_depth, "bit depth")


def _by_sample_rate(one: Track, other: Track) -> str | None:
    return _one_is_unknown(one.sample_rate, other.sample_rate, "sample rate") if one.lossless and other.lossless else None


def _by_bitrate(one: Track, other: Track) -> str | None:
    if one.lossless or other.lossless:
        return None
    unknown = _one_is_unknown(one.bitrate, other.bitrate, "bitrate")
    if unknown is not None:
        return unknown
    better, worse = (one, other) if weighed_bitrate(one) >= weighed_bitrate(other) else (other, one)
    if better.codec == worse.codec:
        narrow = (better.sample_rate or _LOW_RATE) < _LOW_RATE and (worse.sample_rate or 0) > (better.sample_rate or 0)
        return "the one with the higher bitrate has the lower sample rate" if narrow and better.bitrate != worse.bitrate else None
    names = f"{_named(one)} beside {_named(other)}"
    mine, theirs = _WORTH.get(better.codec or ""), _WORTH.get(worse.codec or "")
    if mine is None or theirs is None or not better.bitrate or not worse.bitrate:
        return names
    return None if mine.lowest(better.bitrate) >= _CLEARLY * theirs.highest(worse.bitrate) else names


_JUDGES: Mapping[str, Callable[[Track, Track], str | None]] = {
    "lossless": _by_lossless,
    "bit_depth": _by_bit_depth,
    "sample_rate": _by_sample_rate,
    "bitrate": _by_bitrate,
}


def _one_is_unknown(one: int | None, other: int | None, what: str) -> str | None:
    return f"the {what} of one of them is unknown" if bool(one) != bool(other) else None


def _named(track: Track) -> str:
    bitrate = f" of {round(track.bitrate / 1000):,} kbit/s" if track.bitrate else ""
    return f"{track.codec or 'an unknown codec'}{bitrate}"
