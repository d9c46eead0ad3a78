"""Labels that distinguish albums of one name, chosen over the whole plan: all such albums get one, and always the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Sequence
from typing import Final
from zlib import crc32

from orchestrator.paths import collision_key
from orchestrator.plan.music.copies import FACTS, fact_of
from orchestrator.plan.music.folders import folder_of_album
from orchestrator.plan.music.song import Album
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import STAND_INS

FIELDS: Final = (
    "albumartist",
    "release_type",
    "year",
    "date",
    "label",
    "catalogue_number",
    "edition",
    "media",
    "barcode",
    "release",
)
"""Tried in this order; "release" is the start of the MusicBrainz release id."""
_LABELLED = re.compile(r"(?P<album>.*) \[(?P<label>[^\[\]]+)\]")


def labels_of(albums: Sequence[Album], legal: Callable[[str], str], directory: str | None) -> list[str] | None:
    """The label to add to the name of each album that would share a directory; None if nothing distinguishes them.

    The first field that all of them have and that differs; otherwise the first that differs and that one of them lacks; otherwise
    the shortest combination of the first fields that differs; last the characters of their names that no path can have. Copies
    of one album are told apart by their sound, then by the names of their folders; one that is in `directory`, which they would
    share, then needs no label, nor if all others have one already. `legal` gives an album's name as it stands in a path.
    """
    values = [[_legal(str(_value(album, field)), legal) for album in albums] for field in FIELDS]
    values.append(_lost_characters(albums, legal))
    if any(album.is_copy for album in albums):
        facts = [[_label(fact_of(album.songs, fact)) for album in albums] for fact in FACTS]
        values = facts if all(album.is_copy for album in albums) else [*values, *facts]
        told = (
            _beside(albums, legal, directory, settled=True)
            or _first_of_all(values)
            or _distinct(_combined(values))
            or _beside(albums, legal, directory, settled=False)
        )
        folders = _folder_names(albums, legal)
        return told or _distinct(folders) or _combined([*values, folders])
    return _first_of_all(values) or next(filter(_differ, values), None) or _combined(values)


def _first_of_all(values: Sequence[list[str]]) -> list[str] | None:
    """The first field that all albums have and that differs."""
    return next((found for found in values if _differ(found) and all(found)), None)


def _distinct(labels: list[str] | None) -> list[str] | None:
    """Labels that distinguish all albums, all of which have one."""
    return labels if labels and _differ(labels) and all(labels) else None


def _combined(values: Sequence[list[str]]) -> list[str] | None:
    """The first fields that together distinguish most albums; None if none do."""
    together = [""] * len(values[0])
    parts = 1
    for found in values:
        longer = [", ".join(filter(None, pair)) for pair in zip(together, found, strict=True)]
        distinct = len(set(map(fold, longer)))
        if distinct > parts:
            together, parts = longer, distinct
        if _differ(together):
            return together
    return together if parts > 1 else None


def _differ(values: Sequence[str]) -> bool:
    return len(set(map(fold, values))) == len(values)


def _value(album: Album, field: str) -> object:
    return album.values["musicbrainz_release_id"][:8] if field == "release" else album.values[field]


def _legal(value: str, legal: Callable[[str], str]) -> str:
    """A value as it stands in a name: labels that only differ otherwise would tell nothing apart."""
    return legal(value) if value else ""


def _lost_characters(albums: Sequence[Album], legal: Callable[[str], str]) -> list[str]:
    """What paths cannot show of albums with different names: what its characters are called, otherwise a checksum."""
    names = [(str(album.values["albumartist"]), str(album.values["album"])) for album in albums]
    if len({tuple(map(fold, name)) for name in names}) == 1:
        return [""] * len(albums)
    lost = [", ".join(_called(char) for part in name for char in part if char not in legal(part)) for name in names]
    return lost if _differ(lost) else [f"{crc32(fold(' / '.join(name)).encode()):08x}" for name in names]


def _called(char: str) -> str:
    return "slash" if char in {"/", STAND_INS["/"]} else unicodedata.name(char, f"{ord(char):04x}").lower()


def _label(text: str) -> str:
    return text.replace("[", "(").replace("]", ")")


def _beside(albums: Sequence[Album], legal: Callable[[str], str], directory: str | None, *, settled: bool) -> list[str] | None:
    """Labels for all albums but one that is in the directory already, by the names of their folders; None if none is.

    With `settled` only labels that earlier runs gave them, beside that directory.
    """
    home = collision_key(directory or "")
    at_home = [all(collision_key(folder_of_album(song)) == home for song in album.songs) for album in albums]
    if directory is None or sum(at_home) != 1:
        return None
    others = [album for album, stays in zip(albums, at_home, strict=True) if not stays]
    if settled:
        names = [_given(_path(album), legal(str(album.values["album"]))) for album in others]
        plain = ["/".join(_path(album)[::-1]).replace(f" [{name}]", "", 1) for album, name in zip(others, names, strict=True)]
        if any(collision_key(path) != home for path in plain):
            return None
    else:
        own = {
            collision_key(name) for name in (directory.rpartition("/")[2], *(legal(str(one.values["album"])) for one in others))
        }
        telling = _folder_names(others, legal, own)
        names = telling if all(telling) else _folder_names(others, legal)
    if not all(names):
        return None
    given = iter(names)
    labels = ["" if stays else next(given) for stays in at_home]
    return labels if _differ(labels) else None


def _path(album: Album) -> list[str]:
    """The folder of an album and those above it, the lowest first."""
    return min(map(folder_of_album, album.songs)).split("/")[::-1]


def _folder_names(albums: Sequence[Album], legal: Callable[[str], str], own: Container[str] = ()) -> list[str]:
    """The name that each album's folder has, or an earlier run gave it as a label; further up where names are equal, or `own`."""
    paths = [*map(_path, albums)]
    for level in range(max(map(len, paths))):
        names = [
            _given(path, legal(str(album.values["album"]))) or (_label(path[level]) if level < len(path) else "")
            for path, album in zip(paths, albums, strict=True)
        ]
        if _differ(names) and not any(collision_key(name) in own for name in names):
            return names
    return [""] * len(albums)


def _given(path: Sequence[str], album: str) -> str:
    """The label in the path of an album that was given one."""
    for part in path:
        found = _LABELLED.match(part)
        if found is not None and collision_key(found["album"]).endswith(collision_key(album)):
            return found["label"]
    return ""
