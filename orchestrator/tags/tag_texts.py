"""Tags of one kind -> the texts under each key, in lower case."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orchestrator.tags.media_kinds import AUDIOBOOK_CLASS
from orchestrator.tags.parsed import TextTags

MOST_VALUES = 16
LONGEST_TEXT = 64 * 1024
"""Bytes; a longer text is none that places a file."""
PEOPLE = "people:"
"""What stands before the role in the keys of ID3's lists of people."""
LYRICS_LANGUAGE = "lyrics language"
"""The key for the languages of ID3's lyrics."""
_PICTURES = frozenset({"METADATA_BLOCK_PICTURE", "COVERART"})
_ASF_BYTES = 1
"""The type of values that are not text: mostly pictures."""
_ASF_CLASS = "WM/MediaClassSecondaryID"
_ASF_INDEX = "WM/Track"
"""The number of the track, counted from 0."""


def decoded(data: bytes, otherwise: str = "latin-1") -> str:
    """The text of bytes up to the first zero: UTF-8, `otherwise` another encoding."""
    data = data.partition(b"\0")[0]
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(otherwise, "replace")


_CUT_BY_ID3V1 = 28
"""Bytes; ID3v1 cuts texts at 30, and programs drop spaces at the end."""


def _latin1(text: str) -> str:
    """A text from a place where only Latin-1 may be: programs also write UTF-8 there, which no name in Latin-1 looks like."""
    if text.isascii():
        return text
    data = text.encode("latin-1")
    try:
        found = getincrementaldecoder("utf-8")().decode(data, final=len(data) < _CUT_BY_ID3V1)
    except UnicodeDecodeError:
        return text
    return text if found.isascii() else found


def _frame_texts(frame: Any, values: Iterable[object]) -> list[str]:
    texts = _texts(values)
    return [_latin1(text) for text in texts] if frame.encoding == 0 else texts


def _texts(values: Iterable[object]) -> list[str]:
    return [text for value in values if (text := str(value))]


_ID3_PEOPLE = frozenset({"TIPL", "TMCL", "IPLS"})
_ID3_OTHER_TEXTS = frozenset({"GRP1", "MVNM", "MVIN"})
_ID3_PODCAST = frozenset({"PCST", "WFED"})
"""Frames that mean a podcast by being there: iTunes' flag is four zeros, and the parser cannot read its address of the feed."""
_ID3_LYRICS = frozenset({"USLT", "SYLT"})


def _id3_values(tags: Any) -> dict[str, list[str]]:
    values = _frames(tags)
    _join_date(values)
    if not values.keys().isdisjoint({"mvnm", "mvin"}) and "txxx:work" not in values:
        values["txxx:work"] = values.pop("tit1", [])  # beside a movement, iTunes writes the work in the place of the group
    if any(key[:4] in _ID3_PODCAST for key in tags):
        values["pcst"] = ["1"]
    return values


def _frames(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, frame in tags.items():
        frame_id = key[:4]
        if frame_id == "TCON":
            values["tcon"] = _frame_texts(frame, frame.genres)
        elif frame_id in _ID3_PEOPLE:
            for role, name in frame.people:
                if name:
                    values.setdefault(PEOPLE + role.strip().lower(), []).extend(_frame_texts(frame, [name]))
        elif frame_id == "TXXX" or frame_id[0] == "T" or frame_id in _ID3_OTHER_TEXTS:
            values.setdefault(key.lower(), _frame_texts(frame, frame.text))
        elif frame_id in _ID3_LYRICS:
            values.setdefault(LYRICS_LANGUAGE, []).append(frame.lang)
        elif frame_id == "UFID":
            values[key.lower()] = _texts([frame.data.decode("latin-1").strip("\0")])
        elif frame_id == "COMM" and ("comm" not in values or not frame.desc) and not frame.desc.startswith("iTun"):
            values["comm"] = _frame_texts(frame, frame.text)
    return values


def _join_date(values: dict[str, list[str]]) -> None:
    """Join the date of ID3v2.3, which has one frame each for the year, for day and month ("0602"), and for the time ("1530")."""
    year, day, time = (next(iter(values.get(key, ())), "") for key in ("tyer", "tdat", "time"))
    if all(re.fullmatch(r"\d{4}", text) for text in (year, day)):
        until_minute = f"T{time[:2]}:{time[2:]}:00" if re.fullmatch(r"\d{4}", time) else ""
        values["tyer"] = [f"{year}-{day[2:]}-{day[:2]}{until_minute}"]


def _vorbis_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in list.__iter__(tags):
        texts = values.setdefault(key.lower(), [])
        if value and len(value) <= LONGEST_TEXT and len(texts) < MOST_VALUES:
            texts.append(value)
    return values


def long_texts(kind: str, tags: Any) -> Iterator[tuple[str, int]]:
    """The Vorbis comments that are too long for a text, with their lengths; texts of other kinds are not in `tags` then."""
    if kind == "vorbis" and tags is not None:
        for key, value in list.__iter__(tags):
            if len(value) > LONGEST_TEXT and key.upper() not in _PICTURES:
                yield key, len(value)


def _own_values(tags: TextTags) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, texts in tags.items():
        values.setdefault(key.lower(), texts)
    return values


def _asf_values(tags: Any) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in list.__iter__(tags):
        if key == _ASF_CLASS and value.value == AUDIOBOOK_CLASS:
            text = "audiobook"
        elif value.TYPE == _ASF_BYTES or not (text := str(value)):
            continue
        if key == _ASF_INDEX:
            text = str(int(text) + 1) if text.isdecimal() else ""
        values.setdefault(key.lower(), []).append(text)
    return values


_KINDS: dict[str, Callable[[Any], dict[str, list[str]]]] = {
    "id3": _id3_values,
    "vorbis": _vorbis_values,
    "ape": _own_values,
    "mp4": _own_values,
    "riff": _own_values,
    "iff": _own_values,
    "asf": _asf_values,
}


def texts_of(kind: str, tags: Any) -> dict[str, list[str]]:
    """The texts of `tags`; see `Parsed.kind`."""
    return _KINDS[kind](tags)
