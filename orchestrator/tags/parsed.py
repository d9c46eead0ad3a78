"""What a container module hands to the reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.tags.policy import Policy
from orchestrator.track import AudioIdentity, Cover, SoundEnd

TextTags = dict[str, list[str]]
"""Tags that we parse ourselves: the texts under each key, as spelled in the file."""


class NotReadableError(Exception):
    """The file cannot be read; the message is the reason, for people."""


@dataclass(slots=True)
class StreamFacts:
    """What a stream says about its sound, named as by mutagen; None where it does not say."""

    length: float | None = None
    """Seconds."""
    sample_rate: int | None = None
    """Hz."""
    bits_per_sample: int | None = None
    channels: int | None = None
    bitrate: int | None = None
    """Bits per second."""


class PcmForm(NamedTuple):
    """How plain samples are written."""

    bits: int
    big_endian: bool
    readable: bool = True
    """False for floating point: how loud a sample is was not looked at."""


@dataclass(slots=True)
class Parsed:
    """One parsed file. `info` and `tags` are mutagen's objects, unless we parse their kind: then StreamFacts and TextTags."""

    kind: str
    """Which rules of `orchestrator.tags.tag_names` apply to `tags`: "id3", "vorbis", "ape", "mp4", "asf", "riff", "iff"."""
    tags: Any
    info: Any
    codec: str | None
    lossless: bool | None
    video: bool = False
    """Whether it has moving pictures."""
    others: list[tuple[str, Any]] = field(default_factory=list)
    """(kind, tags) of other tags in the same file, the best first: they fill fields that `tags` and those before them lack."""
    identity: AudioIdentity | None = None
    suspect: str | None = None
    whole: bool = False
    """The end of the sound was checked, and nothing is missing."""
    sound: tuple[int, int] | None = None
    """Where the sound begins and ends in the file, as far as its end can be looked at."""
    pcm: PcmForm | None = None
    """How plain samples are written; None for any other sound."""
    loose: int = 0
    """Bytes of the file that are neither sound nor tags, as far as the container module knows."""
    frame_size: Callable[[bytes], int] | None = None
    """For streams of frames without a table: the size of the frame with this header of 10 bytes; 0 if it is none."""
    end: SoundEnd | None = None
    """What the end of the sound looks like, if the container module has looked at it; otherwise the reader does."""
    covers: tuple[Cover, ...] | None = ()
    """Pictures outside the tags; None if unknown."""
    cue_sheet: bool = False
    """There is a cue sheet outside the tags."""
    bitrate: int | None = None
    """Set if mutagen's own figure would depend on how much was read."""


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of file: how it is recognised, what is requested first, and which module reads it."""

    name: str
    """For messages, such as "a FLAC file"."""
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    """Whether these first bytes, after any ID3v2 tag, are of this kind."""
    module: str
    """The module in `orchestrator.tags.containers` that reads it; imported on first use."""
    function: str = "read"
    head: Callable[[Policy], int] = lambda policy: policy.head
    tail: Callable[[Policy], int] | None = None
    """How much of the end is requested together with the head; None if the head determines it."""
