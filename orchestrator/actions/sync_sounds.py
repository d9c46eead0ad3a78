"""What the files themselves say, for the planner of `sync`: which sound, which tags, and whether they are whole."""

from __future__ import annotations

import msgspec

from orchestrator.catalogue.known_readings import reading_with_end
from orchestrator.catalogue.store import Catalogue
from orchestrator.plan.planners.sync.records import File, Sound
from orchestrator.storage.protocol import Storage
from orchestrator.tags.all_tags import edges_of_sound, lasting_tags
from orchestrator.tags.audio_identity import digest
from orchestrator.tags.formats import by_name
from orchestrator.tags.sparse import ReadRange
from orchestrator.track import Reading, Status, Strength, Track


def with_sound(storage: Storage, catalogue: Catalogue, file: File) -> File:
    """The file with its sound, or with the reason why it cannot be whole. Raises the storage's errors."""
    container = by_name(file.path)
    if container is None or container.module == "unsupported":
        return file
    reading, content = reading_with_end(storage, catalogue, file.entry)
    if reading.suspect or reading.status is Status.UNREADABLE:
        return msgspec.structs.replace(file, damage=reading.suspect or reading.reason or "it cannot be read")
    identity = reading.identity
    known = _edges(storage, file) if identity is None else f"{identity.kind}:{identity.value}"
    sound = Sound(
        known,
        digest(msgspec.msgpack.encode((_tags_alone(reading.track), reading.covers))),
        sure=identity is not None and identity.strength is not Strength.HINT,
        content=content,
        reading=Reading(reading.status, _stream_alone(reading.track), identity, whole=reading.whole, end=reading.end),
    )
    return msgspec.structs.replace(file, sound=sound)


def with_lasting_tags(storage: Storage, file: File) -> File:
    """A file whose sound is known, with the digest of its lasting tags. Raises the storage's errors."""
    if file.sound is None or file.size is None:
        return file

    found = lasting_tags(file.path, file.size, _reader(storage, file.path))
    return msgspec.structs.replace(file, sound=msgspec.structs.replace(file.sound, lasting_tags=found))


def _edges(storage: Storage, file: File) -> str | None:
    """What identifies a sound of which the file itself says nothing, as an MP3 without a header of its encoder."""
    return None if file.size is None else edges_of_sound(file.path, file.size, _reader(storage, file.path))


def _reader(storage: Storage, path: str) -> ReadRange:
    return lambda offset, length: storage.read_range(path, offset, length)


_STREAM = ("codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless", "duration_s")


def _stream_alone(track: Track | None) -> Track | None:
    return track and Track(**{name: getattr(track, name) for name in _STREAM})


def _tags_alone(track: Track | None) -> Track | None:
    """Without the facts about the stream: the bit rate depends on how much else is in the file."""
    return track and msgspec.structs.replace(track, **dict.fromkeys(_STREAM))
