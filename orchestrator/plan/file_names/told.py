"""From the fields that a pattern took out of a name to the tags of a file. Its own tags win."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from orchestrator.plan.file_names.habits import BANDS
from orchestrator.plan.music.album_fields import VARIOUS_ARTISTS
from orchestrator.plan.music.spelling import letters_of
from orchestrator.plan.music.stand_ins import is_no_album, is_no_artist, is_no_title, is_various
from orchestrator.plan.music.tag_values import first, joined
from orchestrator.tags.written_dates import date_of
from orchestrator.track import Track

Told = Mapping[str, str]
"""Field of a pattern -> its text in one name."""

_OF_SEVERAL: Final = frozenset(
    map(letters_of, ("OST", "Soundtrack", "Soundtracks", "Original Soundtrack", "Sampler", "Samplers"))
)


def is_of_several(name: str) -> bool:
    """Whether a name in the place of an artist means several artists: those of album artists, and what else folders say."""
    return is_various(name) or letters_of(name) in _OF_SEVERAL


def date_told(told: Told) -> str | None:
    """The date in a name as "1977-05-08", "1977-05" or "1977"; None without one. Years of two digits begin with 1960."""
    if "date" not in told:
        return told.get("year")
    text = told["date"]
    if len(text) == 8 and not text[:4].isdecimal():
        text = ("19" if text >= "60" else "20") + text
    return date_of(text.replace("_", "-").replace(".", "-"))


def is_possible(told: Told) -> bool:
    """Whether the fields can be what the pattern says: a band that is known, a day that exists, several artists."""
    date = date_told(told)
    return (
        ("band" not in told or told["band"].lower() in BANDS)
        and ("various" not in told or is_of_several(told["various"]))
        and ("date" not in told or len(date or "") >= len(told["date"]))
    )


def contradicts(track: Track | None, told: Told) -> bool:
    """Whether the artist or album that a file states is another one than its name tells."""
    if track is None:
        return False
    stated = (
        (_known_artist(track.album_artist) or _known_artist(track.artist), told.get("albumartist") or told.get("artist")),
        (() if is_no_album(first(track.album), "") else track.album, told.get("album")),
    )
    return any(mine and other and not _alike(joined(mine), other) for mine, other in stated)


def _alike(one: str, other: str) -> bool:
    ours, theirs = letters_of(one), letters_of(other)
    return ours in theirs or theirs in ours


def _known_artist(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not is_no_artist(name))


def filled(track: Track | None, told: Told, *, artist_of_album: bool, disc_of_folder: int | None) -> Track:
    """The tags of a file with what its name tells where they are missing.

    `artist_of_album`: the artist stands in the name of a folder. `disc_of_folder` is the disc of a folder such as "CD1".
    """
    track = track or Track()
    changes = _texts(track, told, artist_of_album=artist_of_album) | _numbers(track, told, disc_of_folder)
    if _is_concert(told) and not track.release_type:
        changes["release_type"] = ("live",)
    return msgspec.structs.replace(track, **changes)


def _texts(track: Track, told: Told, *, artist_of_album: bool) -> dict[str, Any]:
    artist, date = _artist(told), date_told(told)
    album_artist = told.get("albumartist") or (artist if artist_of_album or "band" in told else "")
    own_artist, own_album_artist = _known_artist(track.artist), _known_artist(track.album_artist)
    own_album = tuple(title for title in track.album if not is_no_album(title, joined(own_artist)))
    own_title = track.title
    if not (own_album and (own_artist or own_album_artist)):
        own_title = tuple(title for title in own_title if not is_no_title(title))
    if "various" in told:
        album_artist = VARIOUS_ARTISTS
    elif own_artist:
        album_artist = ""  # which may be spelled in another way
    return {
        "artist": own_artist or _one(artist),
        "album_artist": own_album_artist or _one(album_artist),
        "album": own_album or _one(_album(told, date)),
        "title": own_title or _one(told.get("title", "")),
        "date": track.date or date,
        "venue": track.venue or _place(told) or None,
    }


def _numbers(track: Track, told: Told, disc_of_folder: int | None) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    if track.disc is None and track.disc_text is None:
        numbers["disc"] = int(told["disc"]) or None if "disc" in told else disc_of_folder
    if track.track is None and track.track_text is None and "track" in told:
        number = told["track"]
        is_number = number.isdecimal() and int(number) > 0
        numbers |= {"track": int(number)} if is_number else {"track_text": number.upper()}  # which the other tracks explain
    return numbers


def _artist(told: Told) -> str:
    artist = told.get("artist") or BANDS.get(told.get("band", "").lower(), "")
    return "" if is_no_artist(artist) else artist


def _is_concert(told: Told) -> bool:
    return "date" in told and "album" not in told


def _album(told: Told, date: str | None) -> str:
    """The title of the album. A concert has its date and place for one."""
    if not _is_concert(told):
        album = told.get("album", "")
        edition = told.get("edition")
        return "" if is_no_album(album, _artist(told)) else f"{album} [{edition}]" if edition else album
    source = told.get("source")
    return " ".join(filter(None, (date, _place(told), source and f"({source})")))


def _place(told: Told) -> str:
    return ", ".join(filter(None, (told.get("venue"), told.get("city"))))


def _one(text: str) -> tuple[str, ...]:
    return (text,) if text else ()
