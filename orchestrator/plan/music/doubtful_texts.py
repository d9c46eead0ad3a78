"""Texts that were read as Latin-1 and are none: reported, or read in the encoding that the config names.

Nothing is concluded from one name: a text is doubtful only if it holds control characters (0x80 to 0x9F), or if most letters of
all texts of its folder, its album or its file are not ASCII. No language of Latin-1 writes so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import msgspec

from orchestrator.paths import parent_of
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import MAX_VALUE, first, joined, text
from orchestrator.plan.music.text_encodings import ENCODINGS, FOREIGN, Encoding, best_encoding, decoded, is_other
from orchestrator.records import Item
from orchestrator.track import Facts, Track

AUTO: Final = "auto"
_NAMES = ("title", "artist", "album_artist", "album")
"""The fields whose texts are judged."""
_TEXTS = (
    *_NAMES, "composer", "genre", "version", "remixer", "artist_sort", "album_artist_sort", "title_sort", "album_sort",
    "disc_subtitle", "subtitle", "venue", "edition", "label", "comment",
)  # fmt: skip
_TEXTS_OF_FACTS = ("conductor", "orchestra", "ensemble", "performer", "work", "movement", "recording_place", "grouping")
_STRANGE = re.compile(f"[\x80-\x9f]|{FOREIGN.pattern}")
_CONTROLS = re.compile("[\x80-\x9f]")
_WIDE = re.compile("[^\x00-\xff]")
_WINDOWS_1252 = re.compile(
    "(?:[^\x80-\x9f]|(?<=[A-Za-z0-9\xc0-\xff])[\x91\x92]|[\x91\x92](?=[A-Za-z0-9\xc0-\xff])"  # apostrophes
    "|[\x84\x93](?=[^\x93\x94]*[\x93\x94])|(?<=[A-Za-z0-9\xc0-\xff.,!?\x85])[\x93\x94](?![A-Za-z0-9\x80-\xff])"  # quotes
    "|(?<=[A-Za-z. ])\x85|^\x85(?=[A-Za-z ])|(?<=[ 0-9])[\x96\x97](?=[ 0-9])|(?<=[A-Za-z])\x97(?=[A-Z])"  # ellipsis, dashes
    "|(?<=[A-Za-z0-9 ])\x95(?=[A-Z0-9 ])|(?<=[0-9])\x80|\x80(?=[ 0-9])|\x99(?![A-Za-z])|[\x8c\x9c](?=[uUiI]))*"  # signs, OE
)
"""Control characters that are only the quotes, dashes and signs of Windows' Latin-1, in places where they make sense."""
_MANY = 100
"""More texts show no more about their encoding."""
_FEW = 4
"""Fewer letters that are not ASCII show nothing."""


def with_texts(items: Sequence[Item], legacy_encoding: str | None = None) -> list[Item]:
    """The items, with doubtful texts read in `legacy_encoding`, or with `doubtful` set.

    `legacy_encoding` is an encoding, or AUTO: then each folder gets the one of ENCODINGS that its texts show.
    """
    tracks = {index: item.reading.track for index, item in enumerate(items) if item.reading is not None and item.reading.track}
    strange = [index for index, track in tracks.items() if _has_strange_texts(track)]
    if not strange:
        return list(items)
    folders, albums = _groups(items, tracks, strange)
    groups = (*folders.values(), *albums.values(), *({index: tracks[index]} for index in strange))
    in_doubt = {index for group in groups if _is_foreign_group(group) for index in group}
    found: dict[int, Track] = {}
    doubts: dict[int, str] = {}
    for group in folders.values():
        said = _said_by_paths(items, group)
        doubtful = _doubtful(group, in_doubt | said.keys())
        if doubtful:
            read, why = _read(doubtful, Counter(chain.from_iterable(said.values())), legacy_encoding)
            found |= read
            doubts |= dict.fromkeys(doubtful.keys() - read.keys(), why)
            doubts |= _others_of_albums(group, doubts)
    found |= {index: _as_windows_1252(tracks[index]) for index in strange if index not in found and index not in doubts}
    return [_changed(item, found.get(index), doubts.get(index)) for index, item in enumerate(items)]


def _changed(item: Item, track: Track | None, doubt: str | None) -> Item:
    if doubt is not None:
        return msgspec.structs.replace(item, doubtful=doubt)
    if track is None or item.reading is None:
        return item
    return msgspec.structs.replace(item, reading=msgspec.structs.replace(item.reading, track=track))


# ------------------------------------------------------------ groups of files


def _groups(
    items: Sequence[Item], tracks: Mapping[int, Track], strange: Iterable[int]
) -> tuple[dict[str, dict[int, Track]], dict[tuple[str, str], dict[int, Track]]]:
    """The folders and the albums of strange texts, with all their files."""
    folders: dict[str, dict[int, Track]] = {parent_of(items[index].entry.path): {} for index in strange}
    albums: dict[tuple[str, str], dict[int, Track]] = {_album(tracks[index]): {} for index in strange}
    for index, track in tracks.items():
        for group in (folders.get(parent_of(items[index].entry.path)), albums.get(_album(track))):
            if group is not None:
                group[index] = track
    return folders, albums


def _album(track: Track) -> tuple[str, str]:
    return fold(first(track.album)), fold(joined(track.album_artist or track.artist))


def _others_of_albums(group: Mapping[int, Track], doubts: Mapping[int, str]) -> dict[int, str]:
    """The other files of albums with doubtful texts in one folder: an album stays together."""
    albums = {_album(track) for index, track in group.items() if index in doubts} - {("", "")}
    why = "another file of its album has doubtful texts"
    return {index: why for index, track in group.items() if index not in doubts and track.album and _album(track) in albums}


# ------------------------------------------------------------ judging texts


def _texts(track: Track) -> Iterator[str]:
    for name in _NAMES:
        yield from getattr(track, name)


def _has_strange_texts(track: Track) -> bool:
    """Whether a text may be foreign. Asked of every file of a library, so it takes the shortest way."""
    for values in (track.title, track.artist, track.album_artist, track.album):
        for value in values:
            if not value.isascii() and _STRANGE.search(value) is not None and not _WIDE.search(value):
                return True
    return False


def _is_foreign_group(group: Mapping[int, Track]) -> bool:
    """Whether most letters of all texts together are not ASCII. Texts that have letters beyond Latin-1 do not count."""
    texts = {value for track in group.values() for value in _texts(track) if not _WIDE.search(value)}
    ascii_letters, others = (sum(column) for column in zip(*map(_letters, texts), strict=True)) if texts else (0, 0)
    return others >= _FEW and others >= ascii_letters and any(FOREIGN.search(value) for value in texts)


def _letters(value: str) -> tuple[int, int]:
    """How many letters are ASCII, and how many signs are not."""
    return sum(1 for sign in value if sign.isascii() and sign.isalpha()), sum(1 for sign in value if not sign.isascii())


def _is_foreign(value: str, *, in_doubt: bool = True) -> bool:
    """Whether a text is none of Latin-1; `in_doubt`: most letters around it are not ASCII."""
    if value.isascii() or _WIDE.search(value):
        return False
    if _CONTROLS.search(value) and not _is_windows_1252(value):
        return True
    ascii_letters, others = _letters(value)
    return in_doubt and (others >= ascii_letters or FOREIGN.search(value) is not None)


def _doubtful(group: Mapping[int, Track], in_doubt: Container[int]) -> dict[int, Track]:
    """The files of a folder with doubtful texts, and those that share one of these texts."""
    strange = {index: track for index, track in group.items() if _has_strange_texts(track)}
    found: dict[int, Track] = {}
    texts: set[str] = set()
    while more := {
        index: track
        for index, track in strange.items()
        if index not in found and any(value in texts or _is_foreign(value, in_doubt=index in in_doubt) for value in _texts(track))
    }:
        found |= more
        texts.update(value for track in more.values() for value in _texts(track) if _is_foreign(value))
    return found


def _foreign_texts(track: Track) -> list[str]:
    return sorted({value for value in _texts(track) if _is_foreign(value)})


# ------------------------------------------------------------ reading doubtful texts


def _read(doubtful: Mapping[int, Track], said: Counter[Encoding], legacy_encoding: str | None) -> tuple[dict[int, Track], str]:
    """The tracks that can be read in the encoding of their folder, and why the others are doubtful.

    `said`: how often paths say texts, for each encoding in which they do.
    """
    texts = sorted({value for track in doubtful.values() for value in _foreign_texts(track)})
    encoding = max(said, key=lambda one: (said[one], one.name)) if said else best_encoding(texts[:_MANY])
    if legacy_encoding is not None and legacy_encoding != AUTO:
        return _read_in(doubtful, legacy_encoding)
    if encoding is None:
        return {}, "its tags have texts in an unknown encoding: if you know it, set `tags.legacy_encoding` in the config"
    if legacy_encoding == AUTO:
        alike = {index: track for index, track in doubtful.items() if not is_other(_foreign_texts(track), encoding)}
        return _read_in(alike, encoding.name)
    example = next((found for value in texts if (found := decoded(value, encoding.name))), "")
    looks = f'its tags have texts that look like {encoding.script} in {encoding.name.upper()} ("{example}")'
    return {}, f"{looks}: set `tags.legacy_encoding` in the config to read them"


def _read_in(doubtful: Mapping[int, Track], encoding: str) -> tuple[dict[int, Track], str]:
    read = {index: track for index, one in doubtful.items() if (track := _in_encoding(one, encoding)) is not None}
    return read, f"its tags have texts that are not in {encoding.upper()}"


def _said_by_paths(items: Sequence[Item], group: Mapping[int, Track]) -> dict[int, list[Encoding]]:
    """The files whose paths say one of their foreign texts, each with the encodings in which they do."""
    said: dict[int, list[Encoding]] = {}
    for index, track in group.items():
        path = text(items[index].entry.path.replace("/", " "))
        if _WIDE.search(path):
            values = [value for value in _texts(track) if _is_foreign(value)]
            if found := [one for one in ENCODINGS for value in values if _is_said(text(decoded(value, one.name)), path)]:
                said[index] = found
    return said


def _is_said(value: str, path: str) -> bool:
    return len(value) > 1 and value in path


def _in_encoding(track: Track, encoding: str) -> Track | None:
    """The track with its foreign texts read in the encoding; None if one of its names is not in it."""
    if any(decoded(value, encoding) is None for value in _texts(track) if _is_foreign(value)):
        return None
    return _with_each_text(track, {value: decoded(value, encoding) or value for value in _all_texts(track) if _is_foreign(value)})


def _as_windows_1252(track: Track) -> Track:
    """The track with the quotes, dashes and signs that Windows adds to Latin-1."""
    found = {
        value: value.encode("latin-1").decode("cp1252", "replace") for value in _all_texts(track) if _has_windows_signs(value)
    }
    return _with_each_text(track, found) if found else track


def _has_windows_signs(value: str) -> bool:
    return bool(_CONTROLS.search(value)) and not _WIDE.search(value) and _is_windows_1252(value)


def _is_windows_1252(value: str) -> bool:
    return len(value) <= MAX_VALUE and _WINDOWS_1252.fullmatch(value) is not None


def _all_texts(track: Track) -> Iterator[str]:
    for record, names in ((track, _TEXTS), (track.facts or Facts(), _TEXTS_OF_FACTS)):
        for name in names:
            value = getattr(record, name)
            yield from (value,) if isinstance(value, str) else value or ()


def _with_each_text(track: Track, found: Mapping[str, str]) -> Track:
    facts = track.facts and msgspec.structs.replace(track.facts, **_replaced(track.facts, _TEXTS_OF_FACTS, found))
    return msgspec.structs.replace(track, facts=facts, **_replaced(track, _TEXTS, found))


def _replaced(record: Track | Facts, names: Iterable[str], found: Mapping[str, str]) -> dict[str, object]:
    values = {name: getattr(record, name) for name in names}
    return {
        name: found.get(value, value) if isinstance(value, str) else tuple(found.get(one, one) for one in value)
        for name, value in values.items()
        if value
    }
