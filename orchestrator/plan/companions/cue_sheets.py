"""What cue sheets say about the images of albums: files that hold several tracks. Tags that a file has count more."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from orchestrator.paths import collision_key, extension_of, name_of, parent_of, split_extension
from orchestrator.plan.companions.playlists.text import GUESSED, decode
from orchestrator.plan.music.doubtful_texts import with_texts
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first
from orchestrator.records import Item
from orchestrator.tags.formats import is_audio
from orchestrator.track import Reading, Status, Track

_LONG_NUMBER: Final = 4
"""Digits: no album has so many discs."""
_COMMAND = re.compile(
    r"""[ \t\ufeff]*(?P<command>(?:REM[ \t]+)?[A-Z]+)[ \t]+(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\r\n]*))""", re.IGNORECASE
)


class Image(msgspec.Struct, frozen=True):
    """An audio file with several tracks, as its cue sheet describes it."""

    cue: str
    """The path of the cue sheet."""
    artist: str
    album: str
    date: str
    genre: str
    disc: int | None
    disc_total: int | None
    titles: frozenset[str]
    """The folded titles of its tracks."""


class _Sheet:
    """The commands of one cue sheet."""

    def __init__(self, text: str) -> None:
        self.of_album: dict[str, str] = {}
        self.files: list[tuple[str, list[str]]] = []
        """The files, each with the titles of the tracks that begin in it."""
        title: str | None = None
        for line in text.splitlines():
            found = _COMMAND.match(line)
            if found is None:
                continue
            command = " ".join(found["command"].upper().split())
            value = (found["bare"] or "" if found["quoted"] is None else found["quoted"]).strip()
            if command == "FILE":
                self.files.append((value if found["quoted"] is not None else value.rpartition(" ")[0], []))
            elif command == "TRACK":
                title = ""
            elif command == "INDEX" and value.startswith("01") and self.files:
                self.files[-1][1].append(title or "")
            elif title is None:
                self.of_album.setdefault(command, value)
            elif command == "TITLE":
                title = value


def images_of(items: Iterable[Item]) -> dict[str, Image]:
    """Path -> the image, for the files that cue sheets beside them describe."""
    sheets = [item for item in items if item.content is not None and extension_of(item.entry.path) == "cue"]
    if not sheets:
        return {}
    beside: dict[str, list[str]] = {parent_of(item.entry.path): [] for item in sheets}
    for item in items:
        directory = parent_of(item.entry.path)
        if directory in beside and (item.reading is not None or is_audio(item.entry.path)):
            beside[directory].append(item.entry.path)
    found: dict[str, Image] = {}
    described = [described for item in sheets for described in _described(item, beside[parent_of(item.entry.path)])]
    # Of several sheets for one image, that in Unicode says more.
    for path, image, _ in sorted(described, key=lambda one: (not one[2], one[1].cue)):
        found.setdefault(path, image)
    return found


def with_cue_sheet(track: Track, image: Image | None) -> Track:
    """The tags of a file, completed by its cue sheet if that is about the same album; without a sheet they stay as they are.

    A title that is that of the album or of one of its tracks is none of an image, nor is a number then.
    """
    if image is None and not track.cue_sheet:
        return track
    album = first(track.album) or (image.album if image is not None else "")
    titles = {"", fold(album), *(image.titles if image is not None else ())}
    changed: dict[str, object] = {}
    if fold(first(track.title)) in titles:
        changed |= {"title": (), "track": None, "position": None}
    if image is not None and fold(image.album) in {"", fold(album)}:
        changed |= _lacking(track, image)
    return msgspec.structs.replace(track, **changed)


def _lacking(track: Track, image: Image) -> dict[str, object]:
    """The fields that a cue sheet has and the tags have not."""
    facts: tuple[tuple[bool, str, object], ...] = (
        (bool(first(track.album)), "album", (image.album,) if image.album else ()),
        (bool(track.artist or track.album_artist), "album_artist", (image.artist,) if image.artist else ()),
        (bool(track.date or track.original_date), "date", image.date or None),
        (bool(track.genre), "genre", (image.genre,) if image.genre else ()),
        (track.disc is not None, "disc", image.disc),
        (track.disc is not None or track.disc_total is not None, "disc_total", image.disc_total),
    )
    return {field: value for known, field, value in facts if value and not known}


def _described(item: Item, beside: Sequence[str]) -> Iterator[tuple[str, Image, bool]]:
    """The images that a cue sheet describes, each with its path, and whether the encoding of the sheet is certain."""
    names = _names(beside)

    def path_of(value: str) -> str | None:
        return names.get(_key(value)) or names.get(_key(split_extension(value)[0]))

    def names_in(text: str) -> int:
        return sum(path_of(value) is not None for value, _ in _Sheet(text).files if not value.isascii())

    text = decode(item.content or b"", names_in)
    if text is None:
        return
    certain = text[1] not in GUESSED or names_in(text[0]) > 0
    sheet = _Sheet(text[0] if certain else text[0].encode(text[1]).decode("latin-1"))
    of_album = sheet.of_album
    artist, album = _names_in_latin1(item, sheet) if not certain else (of_album.get("PERFORMER", ""), of_album.get("TITLE", ""))
    genre = of_album.get("REM GENRE", "")
    for value, titles in sheet.files:
        path = path_of(value)
        if path is not None and len(titles) > 1:
            image = Image(
                item.entry.path,
                artist,
                album,
                of_album.get("REM DATE", ""),
                genre if certain or genre.isascii() else "",
                _number(of_album.get("REM DISCNUMBER", "")),
                _number(of_album.get("REM TOTALDISCS", "")),
                frozenset(map(fold, titles)),
            )
            yield path, image, certain


def _names_in_latin1(item: Item, sheet: _Sheet) -> tuple[str, str]:
    """Artist and album of a sheet that was read as Latin-1; "" for both if they look like another encoding."""
    tags = Track(artist=(sheet.of_album.get("PERFORMER", ""),), album=(sheet.of_album.get("TITLE", ""),))
    (judged,) = with_texts([Item(item.entry, Reading(Status.TAGGED, tags))])
    track = judged.reading.track if judged.reading is not None and judged.doubtful is None else None
    return (track.artist[0], track.album[0]) if track is not None else ("", "")


def _names(paths: Iterable[str]) -> Mapping[str, str | None]:
    """Key of a name, and of a stem -> the only file with it, None for several."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        name = name_of(path)
        for known in {name, split_extension(name)[0]}:
            found[_key(known)].append(path)
    return {key: paths[0] if len(paths) == 1 else None for key, paths in found.items()}


def _key(name: str) -> str:
    return collision_key(name.replace("\\", "/").rpartition("/")[2])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONG_NUMBER and int(text) else None
