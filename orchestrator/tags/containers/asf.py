"""WMA: everything is in the header object at the front, pictures included."""

from __future__ import annotations

import struct

from orchestrator.tags.audio_identity import digest, distinctive
from orchestrator.tags.containers.wave_formats import codec_of
from orchestrator.tags.covers import KEPT
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import Parsed, StreamFacts
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end
from orchestrator.track import AudioIdentity, Strength

_OBJECT_HEADER = 24
_HEADER_OBJECT = 30
_EXTENSION_HEADER = _OBJECT_HEADER + 22
_MOST_OBJECTS = 1000
_LEAST_ID = 16
"""Deflated, 16 zeros take 11 bytes, a random id 24."""
_PADDING = bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8")
_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_METADATA_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")
_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_PROPERTIES_SIZE = 80
_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_FORM_AT, _FORM_SIZE = 54, 16
_DATA_HEADER = 50
_BROADCAST = 1


def read(file: SparseFile) -> Parsed:
    """Parse the header object."""
    end = min(int.from_bytes(file.peek(16, 8), "little"), file.size)
    places = _plan(file, _HEADER_OBJECT, end)
    properties = places.get(_PROPERTIES)
    file.seek(0)
    asf = parser("asf", "ASF")(file)
    facts, codec, lossless = StreamFacts(asf.info.length or None), None, None
    if _STREAM in places:
        form = file.peek(places[_STREAM] + _FORM_AT, _FORM_SIZE)
        number, channels, rate, byte_rate, _, bits = struct.unpack("<HHIIHH", form.ljust(_FORM_SIZE, b"\0"))
        codec, lossless = codec_of(number)
        bits = bits if lossless else 0
        facts = StreamFacts(facts.length, rate or None, bits or None, channels or None, 8 * byte_rate or None)
    parsed = Parsed(kind="asf", tags=asf.tags, info=facts, codec=codec, lossless=lossless, video=_VIDEO in places)
    if file.policy.end_check:
        parsed.sound, parsed.loose = _data(file, end)
    if properties is not None:
        _look_at_properties(file, file.peek(properties, _PROPERTIES_SIZE), end, parsed)
    return parsed


def _data(file: SparseFile, position: int) -> tuple[tuple[int, int], int]:
    """Where the data object begins and ends, and how many bytes behind the last object are none: indexes may follow the data."""
    sound = position, file.size
    for number in range(_MOST_OBJECTS):
        size = int.from_bytes(file.peek(position + 16, 8), "little")
        if size < _OBJECT_HEADER or position + size > file.size:
            break
        if not number:
            sound = position + _DATA_HEADER, position + size
        position += size
    return sound, max(0, sound_end(file) - position) if sound[1] < file.size else 0


def _look_at_properties(file: SparseFile, properties: bytes, header_end: int, parsed: Parsed) -> None:
    """Completeness and identity from the file properties object.

    Encoders give each file an id that taggers keep; ffmpeg gives none. With the number of packets and the play and send times
    it is a hint only: no byte of the sound is read, because after a picture that would take another request.
    """
    if len(properties) < _PROPERTIES_SIZE or int.from_bytes(properties[64:68], "little") & _BROADCAST:
        return  # the counts were unknown when the header was written
    packets, smallest = int.from_bytes(properties[32:40], "little"), int.from_bytes(properties[68:72], "little")
    stated, there = packets * smallest, max(0, file.size - header_end - _DATA_HEADER)
    if stated > there:
        parsed.suspect = f"cut short: {there:,} of {stated:,} bytes of sound are there"
    file_id, facts = properties[:16], properties[24:76]
    if packets and distinctive(file_id, _LEAST_ID):
        parsed.identity = AudioIdentity("asf", digest(file_id, facts), Strength.HINT)


def _plan(file: SparseFile, position: int, end: int) -> dict[bytes, int]:
    """Make holes for the objects from `position` on.

    Returns the payload offsets of the file properties, the first sound and, under _VIDEO, the first video.
    """
    places: dict[bytes, int] = {}
    for _ in range(_MOST_OBJECTS):
        header = file.peek(position, _OBJECT_HEADER, "the next object")
        size = int.from_bytes(header[16:], "little")
        if size < _OBJECT_HEADER or position + size > end:
            return places
        kind, payload, position = header[:16], position + _OBJECT_HEADER, position + size
        if kind == _STREAM:
            stream = file.peek(payload, len(_SOUND))
            if stream in (_SOUND, _VIDEO):
                places.setdefault(_STREAM if stream == _SOUND else _VIDEO, payload)
        elif kind == _PROPERTIES:
            places.setdefault(kind, payload)
        elif kind == _EXTENSION:
            places = _plan(file, payload - _OBJECT_HEADER + _EXTENSION_HEADER, position) | places
        elif kind == _PADDING:
            file.make_hole(payload, position, "padding")
        elif kind == _EXTENDED_CONTENT:
            _plan_values(file, payload, position, name_length_at=0)
        elif kind == _METADATA_LIBRARY:
            _plan_values(file, payload, position, name_length_at=4)
    return places


def _plan_values(file: SparseFile, payload: int, end: int, *, name_length_at: int) -> None:
    """Make holes for values that are too long to be text."""
    # Extended content: name length, name, type, length (2 bytes), value.
    # Library: language, stream, name length, type, length (4 bytes), name, value.
    count = int.from_bytes(file.peek(payload, 2), "little")
    position = payload + 2
    for _ in range(count):
        if position + 12 > end:
            return
        name_length = int.from_bytes(file.peek(position + name_length_at, 2), "little")
        if name_length_at:
            length = int.from_bytes(file.peek(position + 8, 4), "little")
            value = position + 12 + name_length
        else:
            length = int.from_bytes(file.peek(position + 4 + name_length, 2), "little")
            value = position + 6 + name_length
        position = value + length
        if position > end:
            return
        file.make_hole(value + KEPT, position, "a value too long to be text (usually a picture)")
