"""Reads names as tags: only for files whose tags do not suffice, and only where all files of a folder fit one pattern.

Files with usable tags play no part: they go their own way, and the next run must find the same. Folders such as "CD1" are discs
of the folder that they belong to.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

import msgspec

from orchestrator.paths import (
    is_clutter,
    is_ours,
    is_rclone_debris,
    name_of,
    parent_of,
    path_problem,
    split_extension,
    split_path,
)
from orchestrator.plan.file_names.automatic import Folders, Shelf, automatic, is_doubtful_place
from orchestrator.plan.file_names.pattern import AUTO, Pattern, pattern_of
from orchestrator.plan.file_names.told import Told, contradicts, filled, is_possible
from orchestrator.plan.music.albums import has_usable_tags
from orchestrator.plan.music.disc_folders import disc_folder
from orchestrator.plan.music.doubtful_texts import with_texts
from orchestrator.plan.music.kinds import kind_of
from orchestrator.plan.music.positions import explained
from orchestrator.plan.music.spelling import letters_of
from orchestrator.records import Item
from orchestrator.tags.formats import is_audio
from orchestrator.track import Reading, Status, Track

LAYOUT: Final = "the layout"
"""What stands for a pattern where a name is one that the layout gives."""

_DISC_WORD = re.compile(
    r"(?<![^\W\d_])(?:cd|dis[ck]s?|disque|disco|диск)[\s._#-]*(?:\d{1,2}|[a-d]|i{1,3}|iv|v|one|two|three|four|five|six)(?![^\W_])",
    re.IGNORECASE,
)
"""Of the words of `disc_folder` those that never belong to a title, such as "Vol. 2" and "Part 1"."""
_OF_DISCS = re.compile(r"(?<=[0-9])\s+(?:of|von|de)\s+[0-9]{1,2}(?=\s*[)\]}]?$)", re.IGNORECASE)
"""How many discs there are: "(Disc 1 of 2)"."""
_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_BEGINS_WITH_YEAR = re.compile(r"[(\[]?(?:19|20)[0-9]{2}(?![0-9])")
_STRANGE = re.compile("[\x00-\x1f\x7f-\x9f\u201b\ufffd\ud800-\udfff]")
"""Controls, and what stands in listings for bytes that are no text."""
_FORMAT = (
    r"(?:flac|mp3|aac|m4a|alac|ape|wav|ogg|opus|wma|wv|dsd\d*|lossless|lossy|web|eac|xld|log|cue|hi-?res|vbr|cbr|v[0-2]|kbps"
    r"|@?(?:64|96|128|160|192|224|256|320)(?:[ -]?k(?:bps|b/s|bit/s)?)?|(?:16|24|32)[ -]?bits?"
    r"|(?:16|24)[-_ /](?:44(?:[.,]1)?|48|88(?:[.,]2)?|96|176|192)(?:[ -]?khz)?|(?:44[.,]1|48|88[.,]2|96|176[.,]4|192)[ -]?khz)"
)
_NOTES = re.compile(rf"(?:\s*[\[({{]\s*{_FORMAT}(?:[ ,;+/&_|-]+{_FORMAT})*\s*[\])}}])+$", re.IGNORECASE)
"""Notes on the format at the end of the name of a folder: "[FLAC]", "(24bit 96kHz)"."""
_BARE_NOTES = re.compile(rf"(?<=[)\]}}])(?:[ ,;+/&_|-]+{_FORMAT})+$", re.IGNORECASE)
"""The same without brackets, behind a year in brackets: "(2018) MP3"."""
_NOTES_OF_SCENE = re.compile(r"-(?:\d?CD[SMRG]?|WEB|VINYL|VLS|FLAC|MP3|EP|LP|PROMO|RETAIL|\([\w-]+\))(?=-)", re.IGNORECASE)


class LayoutName(NamedTuple):
    """A form of the names that the layout gives, and what it says without a field."""

    pattern: Pattern
    adds: Told


class FromName(NamedTuple):
    """The tags of a file, with what its name tells, and the pattern that told it."""

    track: Track
    pattern: str


class NamesRead(msgspec.Struct, frozen=True):
    """What names tell, by the paths of files."""

    read: dict[str, FromName] = {}
    doubtful: dict[str, str] = {}
    """Files whose names fit a pattern, but are in an unknown encoding: why, in words."""
    unused: dict[str, str] = {}
    """Files whose names fit a pattern, but are not used: why, in words."""

    def patterns(self) -> list[tuple[str, int]]:
        """The patterns that fit, each with the number of its files; the most frequent first."""
        counts = Counter(one.pattern for one in self.read.values())
        return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


class _File(NamedTuple):
    item: Item
    stem: str
    disc: int | None
    """The disc of its folder."""
    own: Track | None
    """Its tags; None if they could not be read."""
    is_waiting: bool
    """Whether its name is wanted: it was read, and has no usable tags."""


def read_names(
    items: Iterable[Item],
    patterns: Sequence[str],
    layout: Sequence[LayoutName] = (),
    held: Collection[str] = (),
    artists: Collection[str] = (),
) -> NamesRead:
    """What the names of files tell whose tags do not suffice.

    `patterns` are tried in order; AUTO is the table of habits. `layout` are the names that the layout gives: they come last.
    `held` are paths of files whose folders are not read. `artists` are the letters of the artists that tags name.
    """
    folders: dict[str, list[_File]] = defaultdict(list)
    for item in items:
        if (file := _file(item)) is not None:
            folders[album_folder_of(item.entry.path)].append(file)
    shelves = _shelves(folders, artists)
    found: dict[str, FromName] = {}
    for folder in sorted(folders):
        files = folders[folder]
        if any(one.is_waiting for one in files) and not any(one.item.entry.path in held for one in files):
            shelf = shelves.get(parent_of(folder), Shelf.UNKNOWN)
            found |= _told(folder, files, patterns, layout, shelf) or {}
    return _judged(found, folders) if found else NamesRead()


def lacks_tags(item: Item) -> bool:
    """Whether a file is music that has no usable tags, or whose tags are not used: its name must fit."""
    return _file(item) is not None


def _file(item: Item) -> _File | None:
    """A music file that has no usable tags, or whose tags are not used; None for all others."""
    path, reading = item.entry.path, item.reading
    own = reading.track if reading is not None and reading.status is not Status.UNREADABLE else None
    is_used = item.skipped_because is None and item.doubtful is None
    if is_used and own is not None and has_usable_tags(own):
        return None
    if not (reading is not None or is_audio(path)) or is_ours(path) or is_clutter(path) or is_rclone_debris(path):
        return None
    is_waiting = is_used and own is not None and path_problem(path) is None and not kind_of(path, own)
    return _File(item, split_extension(name_of(path))[0], _album_folder(path)[1], own, is_waiting)


def _album_folder(path: str) -> tuple[str, int | None]:
    """The folder of a file's album, and the disc that its folder tells by a word such as "CD"."""
    folder = parent_of(path)
    found = disc_folder(_OF_DISCS.sub("", folder))
    return (found.album, found.disc) if found.certain and found.disc and _DISC_WORD.search(name_of(folder)) else (folder, None)


def album_folder_of(path: str) -> str:
    """The folder whose files must all fit one pattern, discs included."""
    return _album_folder(path)[0]


def _shelves(folders: Iterable[str], artists: Collection[str]) -> dict[str, Shelf]:
    """What is known of the folders that hold others."""
    found: dict[str, Shelf] = {}
    left: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        above, name = split_path(folder)
        artist, dash, _ = name.partition(" - ")
        if dash and not _BEGINS_WITH_YEAR.match(name):
            left[above].add(artist.casefold())
        elif _YEAR.search(name):
            found[above] = Shelf.ALBUMS
    found |= {above: Shelf.SEVERAL for above, names in left.items() if len(names) > 1 and above not in found}
    return found | {above: Shelf.ARTIST for above in left if letters_of(name_of(above)) in artists}


def _told(
    folder: str, files: Sequence[_File], patterns: Sequence[str], layout: Sequence[LayoutName], shelf: Shelf
) -> dict[str, FromName] | None:
    """What the first pattern tells that all files of a folder fit; None if there is none."""
    if _STRANGE.search(folder) or any(_STRANGE.search(one.stem) for one in files):
        return None
    names, stems = _plain(folder.split("/") if folder else [], [one.stem for one in files])
    for_layout = _all(_first_match(layout, one.item.entry.path) for one in files)
    for text in patterns:
        if text == AUTO:
            folders = Folders(names, [one.disc for one in files], shelf, is_own_form=for_layout is not None)
            found = automatic(folders, stems, lambda told: _is_possible(files, told))
            if found is not None:
                return _tracks(files, *found)
            continue
        pattern = pattern_of(text)
        told = [pattern.match((*_folders_for(pattern, one, names), stem)) for one, stem in zip(files, stems, strict=True)]
        if (whole := _all(told)) is not None and _is_possible(files, whole):
            return _tracks(files, pattern, whole)
    return _tracks(files, None, for_layout) if for_layout is not None and _is_possible(files, for_layout) else None


def _plain(names: Sequence[str], stems: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names of folders and files with spaces for what stands for spaces, and without notes on the format.

    Underscores stand for spaces if there are no spaces: in none of the files, for folders also in none of the last two.
    """
    no_spaces = not any(" " in stem for stem in stems)
    folders = [name if " " in name else _NOTES_OF_SCENE.sub("", name) for name in names]
    if no_spaces and not any(" " in name for name in folders[-2:]):
        folders = [*map(_spaced, folders)]
    return [_BARE_NOTES.sub("", _NOTES.sub("", name)) for name in folders], [*map(_spaced, stems)] if no_spaces else [
        " ".join(stem.split()) for stem in stems
    ]


def _spaced(name: str) -> str:
    return " ".join(unquote(name).replace("_", " ").split())


def _folders_for(pattern: Pattern, file: _File, names: Sequence[str]) -> Sequence[str]:
    """The folders that a pattern is compared with: that of a disc is left out, unless the pattern names the disc there."""
    return parent_of(file.item.entry.path).split("/") if "disc" in pattern.folder_fields else names


def _first_match(layout: Iterable[LayoutName], path: str) -> Told | None:
    """What a name tells that the layout gives. It is compared as it is."""
    parts = (*parent_of(path).split("/"), split_extension(name_of(path))[0])
    matches = ((one.pattern.match(parts), one.adds) for one in layout)
    return next(({**told, **adds} for told, adds in matches if told is not None and not is_doubtful_place(told)), None)


def _all(told: Iterable[Told | None]) -> list[Told] | None:
    """What is told of every file; None if one does not fit."""
    found = []
    for one in told:
        if one is None:
            return None
        found.append(one)
    return found


def _is_possible(files: Sequence[_File], told: Iterable[Told]) -> bool:
    return all(is_possible(one) and not contradicts(file.own, one) for file, one in zip(files, told, strict=True))


def _tracks(files: Sequence[_File], pattern: Pattern | None, told: Iterable[Told]) -> dict[str, FromName] | None:
    """The tags of the files that wait for them; None if a name does not tell enough. Without pattern it is the layout's."""
    found = {}
    of_album = pattern is not None and "artist" in pattern.folder_fields
    for file, one in zip(files, told, strict=True):
        if file.is_waiting:
            track = filled(file.own, one, artist_of_album=of_album, disc_of_folder=file.disc)
            if not has_usable_tags(track):
                return None
            found[file.item.entry.path] = FromName(track, LAYOUT if pattern is None else pattern.text)
    return found


# ------------------------------------------------------------ what only all names together show


def _judged(read: Mapping[str, FromName], folders: Mapping[str, Sequence[_File]]) -> NamesRead:
    """What was read, without the folders whose names are in an unknown encoding, and with the numbers that albums explain."""
    items = {
        file.item.entry.path: _tagged(file.item, read[file.item.entry.path].track)
        for files in folders.values()
        for file in files
        if file.item.entry.path in read
    }
    doubts = {item.entry.path: item.doubtful for item in with_texts([*items.values()]) if item.doubtful is not None}
    doubtful = {
        path: _why_doubtful(doubts.get(path))
        for files in folders.values()
        if any(file.item.entry.path in doubts for file in files)
        for path in (file.item.entry.path for file in files)
        if path in read
    }
    paths = [path for path in read if path not in doubtful]
    numbers = explained([read[path].track for path in paths])
    return NamesRead(
        {path: FromName(numbers.get(n, read[path].track), read[path].pattern) for n, path in enumerate(paths)}, doubtful
    )


def _why_doubtful(why: str | None) -> str:
    """Why a name is doubtful, from why tags with its texts would be."""
    if why is None:
        return "another name in its folder is in an unknown encoding"
    return f"{why.partition(': ')[0].replace('its tags have', 'its name has')}: no tags are taken from it"


def _tagged(item: Item, track: Track) -> Item:
    return msgspec.structs.replace(item, reading=Reading(Status.TAGGED, track), doubtful=None)
