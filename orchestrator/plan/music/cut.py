"""Which files may be cut, judged by other files of the same sound."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.track import AudioIdentity, Reading, Strength


def may_be_cut(one: Reading, whole: Reading) -> bool:
    """Whether a file has so many fewer bytes than another file of the same sound and codec that it may be cut.

    A cut lossless file still has the checksum of the whole sound in its head. So any smaller size counts, unless its end was
    read. The price: a file from a better encoder is smaller too, and may be quarantined for it.
    """
    mine, theirs = one.track, whole.track
    if mine is None or theirs is None or one.identity is None or one.identity != whole.identity or one.whole:
        return False
    if mine.codec != theirs.codec or not mine.bitrate or not theirs.bitrate:
        return False
    return mine.bitrate < (1.0 if mine.lossless else 0.9) * theirs.bitrate


def cut_readings(readings: Iterable[Reading]) -> frozenset[int]:
    """Ids (of Python) of the readings of files that are cut or damaged, or may be cut because others have more of their sound."""
    known = list(readings)
    largest: dict[tuple[AudioIdentity, str | None], Reading] = {}
    for reading in known:
        if reading.identity is not None and reading.track is not None:
            other = largest.setdefault((reading.identity, reading.track.codec), reading)
            if other.track is not None and (reading.track.bitrate or 0) > (other.track.bitrate or 0):
                largest[reading.identity, reading.track.codec] = reading

    def is_cut(reading: Reading) -> bool:
        if reading.suspect is not None:
            return True
        if reading.identity is None or reading.track is None or reading.identity.strength is Strength.HINT:
            return False
        return may_be_cut(reading, largest[reading.identity, reading.track.codec])

    return frozenset(id(reading) for reading in known if is_cut(reading))
