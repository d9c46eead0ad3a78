"""What a container module hands to the reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.tags.policy import Policy
from orchestrator.track import AudioIdentity, Cover


class NotReadableError(Exception):
    """The file cannot be read; the message is the reason, for people."""


@dataclass(slots=True)
class Parsed:
    """One parsed file. `tags` and `info` are mutagen's objects."""

    kind: str
    """Which rules of `orchestrator.tags.tag_names` apply to `tags`: "id3", "vorbis", "ape", "mp4", "asf"."""
    tags: Any
    info: Any
    codec: str | None
    lossless: bool | None
    other_kind: str = "id3"
    other_tags: Any = None
    """Tags of another kind in the same file: they fill fields that `tags` lack."""
    last_tags: Any = None
    """Tags of the first kind again, with texts that count only if no other tag has any."""
    identity: AudioIdentity | None = None
    suspect: str | None = None
    whole: bool = False
    """The end of the sound was checked, and nothing is missing."""
    covers: tuple[Cover, ...] | None = ()
    """Pictures outside the tags; None if unknown."""
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
