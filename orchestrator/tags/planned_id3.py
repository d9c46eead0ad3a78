"""mutagen's ID3 tag, made from frames whose places are known: only those that a field comes from are parsed.

mutagen looks for the frames of a tag twice, and copies a picture six times. Its own way through a tag stays where the frames are
not known, and its classes read each frame that is anything but one plain text.
"""

# ruff: noqa: SLF001 - mutagen has no other place for this; used with versions whose code was looked at (`slices_id3`)

from __future__ import annotations

from typing import Any

from mutagen.id3 import APIC, ID3, TXXX, Encoding, Frames, Frames_2_2, TextFrame, TimeStampTextFrame
from mutagen.id3._util import ID3JunkFrameError

from orchestrator.tags.covers import KEPT
from orchestrator.tags.lazy_imports import id3_options
from orchestrator.tags.sparse import ContentView

_USED = frozenset(
    {
        *(name for name in Frames if name.startswith("T")),
        *("APIC", "COMM", "GRP1", "IPLS", "MVIN", "MVNM", "PCST", "SYLT", "UFID", "USLT", "WFED"),
    }
)
"""The frames that a field comes from."""
_ENCODINGS = {0: (Encoding.LATIN1, "latin-1"), 1: (Encoding.UTF16, "utf-16"), 3: (Encoding.UTF8, "utf-8")}
_BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")


def _text(data: bytes, encoding: str) -> str | None:
    """A text with or without an end, and nothing behind it; None if it is anything else."""
    if encoding == "utf-16" and (data[:2] not in _BYTE_ORDERS or len(data) % 2):
        return None
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    end = text.find("\0")
    return text if end < 0 else text[:-1] if end == len(text) - 1 else None


def _plain_text(kind: Any, data: bytes) -> Any:
    """The frame of one text with this content; None if mutagen has to look at it."""
    encoding, name = _ENCODINGS.get(data[0], (None, ""))
    text = _text(data[1:], name) if encoding is not None and len(data) > 1 else None
    if text is None:
        return None
    frame = kind.__new__(kind)
    frame.__dict__.update(encoding=encoding, text=[text])
    return frame


def _plain_named_text(kind: Any, data: bytes) -> Any:
    """The same for a text with a name before it."""
    encoding, name = _ENCODINGS.get(data[0], (None, ""))
    if encoding is None or (start := _end_of_name(data, wide=name == "utf-16")) is None:
        return None
    named, text = _text(data[1:start], name), _text(data[start:], name)
    if named is None or not text:
        return None
    frame = kind.__new__(kind)
    frame.__dict__.update(encoding=encoding, desc=named, text=[text])
    return frame


def _end_of_name(data: bytes, *, wide: bool) -> int | None:
    if not wide:
        return data.find(b"\0", 1) + 1 or None
    at = data.find(b"\0\0", 1)
    while at >= 0 and at % 2 == 0:  # it lies across two characters
        at = data.find(b"\0\0", at + 1)
    return at + 2 if at >= 0 else None


_OLDER: dict[str, Any] = Frames_2_2
_PICTURE: Any = APIC
_BY_MUTAGEN: Any = ID3._read
_KNOWN: dict[str, Any] = id3_options()["known_frames"]
_PLAIN = {
    **{
        kind: _plain_text
        for kind in _KNOWN.values()
        if issubclass(kind, TextFrame)
        and not issubclass(kind, TimeStampTextFrame)
        and [spec.name for spec in kind._framespec] == ["encoding", "text"]
    },
    TXXX: _plain_named_text,
}


_BY_NAME = _PLAIN.keys() - {TXXX}
"""The frames that a tag has once, under their name."""


class PlannedID3(ID3):
    """See the module."""

    def _read(self, header: Any, data: Any) -> Any:
        """What mutagen's own method does, for planned frames."""
        if not isinstance(data, ContentView) or data.frames is None or header.version[1] not in (3, 4):
            return _BY_MUTAGEN(self, header, data)
        tag_is_plain = not header.f_unsynch
        add: Any = self._add
        names: set[str] = set()
        for frame in data.frames:
            kind = _kind(frame.header[:4]) if frame.end > frame.start else None
            if kind is None:
                continue
            flags = int.from_bytes(frame.header[8:10], "big")
            found = None
            if tag_is_plain and not flags:
                if (make := _PLAIN.get(kind)) is not None:
                    found = make(kind, data.assemble(frame.start, frame.end))
                elif kind is _PICTURE and frame.end - frame.start > KEPT:
                    found = _short_picture(header, data.assemble(frame.start, frame.start + KEPT), frame.end - frame.start)
            try:
                if found is None:
                    found = kind._fromData(header, flags, data.assemble(frame.start, frame.end))
            except (NotImplementedError, ID3JunkFrameError):
                continue
            name = kind.__name__
            if name in names or kind not in _BY_NAME:
                add(found, strict=False)  # it also joins texts of one name
            else:
                self[name] = found
            names.add(name)
        return b""


def _kind(name: bytes) -> Any:
    """The class for frames of this name; None if mutagen has none, or no field comes from them."""
    try:
        text = name.decode("ascii")
        if text[-1] == "\0":  # a name of 2.2 in a tag of 2.3
            text = _OLDER[text[:-1]].__base__.__name__
        return _KNOWN[text] if text in _USED else None
    except (UnicodeDecodeError, KeyError):
        return None


def _short_picture(header: Any, beginning: bytes, size: int) -> Any:
    """The frame of a picture of which only the beginning is looked at; None if its texts may be longer than that."""
    try:
        frame = _PICTURE._fromData(header, 0, beginning)
    except ID3JunkFrameError:
        return None
    if not frame.data:
        return None
    frame.__dict__["left_out"] = size - len(beginning)
    return frame
