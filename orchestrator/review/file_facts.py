"""What is known of audio files, as the columns of a table: an unknown fact is shown as unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.track import Track
from orchestrator.wording import size_text

UNKNOWN = "?"
_NOT_TAGS = frozenset(
    {"duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless", "acoustid_id", "facts"}
)
TAGS = tuple(name for name in Track.__struct_fields__ if name not in _NOT_TAGS)
HEADINGS = ("format", "bit rate", "kHz/bits", "length", "size")


def columns(track: Track | None, size: int | None) -> tuple[str, str, str, str, str]:
    """Format, bit rate, sample rate with bits per sample, length, and size."""
    track = track or Track()
    rate = UNKNOWN if not track.sample_rate else f"{track.sample_rate / 1000:g}"
    bits = f"/{track.bit_depth or UNKNOWN}" if track.lossless else ""
    return (
        (track.codec or UNKNOWN).upper()[:6],
        f"{track.bitrate // 1000}k" if track.bitrate else UNKNOWN,
        rate + bits,
        length_text(track.duration_s),
        UNKNOWN if size is None else size_text(size),
    )


def length_text(seconds: float | None) -> str:
    """Minutes and seconds."""
    if not seconds:
        return UNKNOWN
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def differing_tags(tracks: Sequence[Track | None]) -> list[tuple[str, list[str]]]:
    """The tags in which files differ: the name of each, and its value in each file, "-" where it has none."""
    found = []
    for name in TAGS:
        values = [_text(getattr(track, name)) if track is not None else "-" for track in tracks]
        if len(set(values)) > 1:
            found.append((name.replace("_", " "), values))
    return found


def _text(value: object) -> str:
    if value is None or value in ("", ()):
        return "-"
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def widths(rows: Iterable[Sequence[str]]) -> list[int]:
    """How wide each column has to be."""
    return [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=False)]
