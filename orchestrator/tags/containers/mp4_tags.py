"""The tags in `moov`: the lists of iTunes and of QuickTime, and the texts of QuickTime and of mobile phones.

Programs write them in several places. Of several, iTunes' place counts first: it is the one that players show and taggers edit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from orchestrator.tags.containers.mp4_atoms import Atom, atoms
from orchestrator.tags.covers import LOOKS_AT, cover
from orchestrator.tags.lazy_imports import loaded
from orchestrator.tags.parsed import TextTags
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.tag_texts import LONGEST_TEXT, decoded
from orchestrator.track import Cover

_VERSION = 4
_DATA_HEADER = 8
_MOST_KEYS = 1000
_FRONT = 3
_PNG = 14
_UTF8, _UTF16 = 1, 2
_NUMBERS = frozenset({21, 22, 65, 66, 67, 74, 75, 76, 77, 78})
_PAIRS = frozenset({b"trkn", b"disk"})
_UNTYPED_NUMBERS = frozenset({b"cpil", b"pgap", b"pcst", b"tmpo", b"rtng", b"stik", b"hdvd", b"shwm", b"\xa9mvi", b"\xa9mvc"})
_APPLE = "com.apple.quicktime."
_MOBILE = frozenset({b"titl", b"perf", b"auth", b"albm", b"gnre"})
_ISO_LANGUAGES = 0x400
"""Languages below are those of the Macintosh, and so is the encoding of their texts."""


class Place(IntEnum):
    """Where tags are, the best place first."""

    ITUNES = 0
    """The list in `moov.udta`."""
    MOVIE = 1
    """The list in `moov`."""
    TEXTS = 2
    """Single texts in `moov.udta`."""
    TRACK = 3
    """A list in a track, as GStreamer writes it."""


class Tags:
    """What is found on a walk over `moov`."""

    def __init__(self, file: SparseFile) -> None:
        self._file = file
        self.until = file.size
        """Where `moov` ends."""
        self._found: dict[Place, TextTags] = {}
        self.covers: list[Cover] = []

    def sources(self) -> list[tuple[str, TextTags]]:
        """(kind, tags), the best first."""
        return [("mp4", tags) for _, tags in sorted(self._found.items()) if tags]

    def read_meta(self, meta: Atom, place: Place) -> None:
        """Read a `meta`: ISO gives it a version, QuickTime does not."""
        header = self._file.peek(meta.payload, 8, "a list of tags")
        start = meta.payload + (0 if header[4:8] in (b"hdlr", b"ilst", b"keys") else _VERSION)
        keys: list[str] = []
        for atom in self._atoms(start, meta.end):
            if atom.name == b"keys":
                keys = self._keys(atom)
            elif atom.name == b"ilst":
                self._read_list(atom, keys, place)

    def read_texts(self, udta: Atom) -> None:
        """Read the single texts of a `udta`: QuickTime's begin with a copyright sign, 3GPP's with a version."""
        tags = self._found.setdefault(Place.TEXTS, {})
        for atom in self._atoms(udta.payload, udta.end):
            if atom.name[:1] == b"\xa9":
                if self._file.peek(atom.payload + 4, 4) == b"data":
                    self._read_item(atom, [], tags)
                else:
                    _add(tags, atom.name, _quicktime_texts(self._content(atom.payload, atom.end)))
            elif atom.name in _MOBILE:
                _read_mobile(atom.name, self._content(atom.payload + _VERSION + 2, atom.end), tags)
            elif atom.name == b"yrrc":
                _add(tags, atom.name, [str(int.from_bytes(self._content(atom.payload + _VERSION, atom.end)[:2], "big"))])

    # ------------------------------------------------------------ inside

    def _keys(self, atom: Atom) -> list[str]:
        """The names of QuickTime's list: its items state their index, from 1."""
        names: list[str] = []
        for key in self._atoms(atom.payload + 2 * _VERSION, atom.end):
            names.append(decoded(self._content(key.payload, key.end)).lower().removeprefix(_APPLE))
            if len(names) >= _MOST_KEYS:
                break
        return names

    def _read_list(self, ilst: Atom, keys: list[str], place: Place) -> None:
        """Read one list; a second one in the same place fills gaps."""
        tags: TextTags = {}
        for item in self._atoms(ilst.payload, ilst.end):
            if item.name == b"covr":
                self._read_covers(item)
            else:
                self._read_item(item, keys, tags)
        self._found[place] = tags | self._found.get(place, {})

    def _read_item(self, item: Atom, keys: list[str], tags: TextTags) -> None:
        index = int.from_bytes(item.name, "big")
        name = item.name
        key = keys[index - 1] if 0 < index <= len(keys) else name.decode("latin-1")
        for atom in self._atoms(item.payload, item.end):
            if atom.name == b"name" and name == b"----":
                key = decoded(self._content(atom.payload + _VERSION, atom.end))
            elif atom.name == b"data":
                kind = int.from_bytes(self._file.peek(atom.payload + 1, 3), "big")
                if atom.end - atom.payload - _DATA_HEADER > LONGEST_TEXT:
                    self._file.skip_text(key, atom.end - atom.payload - _DATA_HEADER)
                text = _value(name, kind, self._content(atom.payload + _DATA_HEADER, atom.end), free=name == b"----")
                if text:
                    tags.setdefault("\xa9gen" if name == b"gnre" else key, []).append(text)

    def _read_covers(self, item: Atom) -> None:
        for atom in self._atoms(item.payload, item.end):
            if atom.name == b"data":
                start, end = atom.payload + _DATA_HEADER, min(atom.end, self._file.size)
                # Kept: version, flags, locale, and the beginning of the picture.
                self._file.make_hole(start + LOOKS_AT, end, "a cover")
                kind = int.from_bytes(self._file.peek(atom.payload + 1, 3), "big")
                beginning = self._file.peek(start, min(LOOKS_AT, max(0, end - start)))
                self.covers.append(cover(_FRONT, "image/png" if kind == _PNG else "image/jpeg", beginning, max(0, end - start)))

    def _atoms(self, start: int, end: int) -> Iterator[Atom]:
        return atoms(self._file, start, min(end, self.until), self.until)

    def _content(self, start: int, end: int) -> bytes:
        """The bytes there; none if they are too many for a text."""
        length = min(end, self._file.size) - start
        return self._file.peek(start, length, "a tag") if 0 < length <= LONGEST_TEXT else b""


def _add(tags: TextTags, name: bytes, texts: list[str]) -> None:
    if texts := [text for text in texts if text]:
        tags.setdefault(name.decode("latin-1"), texts)


def _value(name: bytes, kind: int, data: bytes, *, free: bool) -> str:
    """The text of one value; an empty one for values that are no text and no number."""
    if name in _PAIRS and kind != _UTF8:
        numbers = [str(number) for number in struct.unpack_from(f">{min(len(data), 6) // 2}H", data)]
        return "/".join(numbers[1:])
    if name == b"gnre" and len(data) == 2:
        genres = loaded("mutagen.id3", "TCON").GENRES
        index = int.from_bytes(data, "big") - 1
        return str(genres[index]) if 0 <= index < len(genres) else ""
    if kind in _NUMBERS or (name in _UNTYPED_NUMBERS and kind != _UTF8):
        return str(int.from_bytes(data, "big", signed=kind != 22)) if 0 < len(data) <= 8 else ""
    if kind == _UTF16:
        return data.decode("utf-16-be", "replace")
    return decoded(data) if free or kind == _UTF8 or (not kind and name[:1] not in b"\0") else ""


def _quicktime_texts(data: bytes) -> list[str]:
    """The texts of one atom, in several languages: length, language, text."""
    texts, position = [], 0
    while position + 4 <= len(data):
        length, language = struct.unpack_from(">HH", data, position)
        text = data[position + 4 : position + 4 + length]
        texts.append(decoded(text, "mac_roman" if language < _ISO_LANGUAGES else "latin-1"))
        position += 4 + length
    return texts[:1]


def _read_mobile(name: bytes, data: bytes, tags: TextTags) -> None:
    """A text of 3GPP; behind that of an album may be the number of the track."""
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        _add(tags, name, data.decode("utf-16", "replace").split("\0")[:1])
        return
    text, _, rest = data.partition(b"\0")
    _add(tags, name, [decoded(text)])
    if name == b"albm" and len(rest) == 1 and rest[0]:
        _add(tags, b"trkn", [str(rest[0])])
