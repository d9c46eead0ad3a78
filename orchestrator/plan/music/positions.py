"""Track numbers that only the other tracks of an album explain: `1-05`, `1.0`, `A1`, `0`.

- `1-05`: disc and track if all tracks of the album are so written and the second number varies within one first number; number
  and total if the second number is always the same and at least the largest first number; otherwise unknown.
- `1.0`, `2.0`: decimal numbers if the second number is always 0.
- `A1`, `B2`, `AA1`: positions on a record, which stay as they are written.
- `0`: a track before the first if only one title of its disc has it and that disc has a track 1; otherwise unknown.

An album is here what has one title and one album artist. Without album artist it is one title; if that shows nothing, one title
and one artist. Folders do not count, so the numbers mean the same wherever an album is moved to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.plan.music.tag_values import first, joined
from orchestrator.records import Item
from orchestrator.tags.written_numbers import Pair, Side, is_zero, pair_of, roman, side_of
from orchestrator.track import Track

_PER_SIDE = 100
"""Position `B2` has the number 202: numbers of two sides never meet, and none seems to be missing between them."""


def with_positions(items: Sequence[Item]) -> list[Item]:
    """The items, with the track and disc numbers that follow from their albums."""
    found = explained([item.reading.track if item.reading is not None else None for item in items])
    return [_with_track(item, found.get(index)) for index, item in enumerate(items)] if found else list(items)


def explained(tracks: Sequence[Track | None]) -> dict[int, Track]:
    """Index -> the track with its numbers, for those that change."""
    titles = {_title(track) for track in tracks if track is not None and track.track is None and track.track_text}
    if not titles:
        return {}
    albums: dict[tuple[str, str], dict[int, Track]] = defaultdict(dict)
    for index, track in enumerate(tracks):
        if track is not None and (title := _title(track)) in titles:
            albums[title, fold(joined(track.album_artist))][index] = track
    changed: dict[int, Track] = {}
    for (title, artist), album in albums.items():
        found = _with_sides(album)
        if title:
            found = _with_hidden(found | (_with_pairs(found) if artist else _with_pairs_of_artists(found)))
        changed |= {index: track for index, track in found.items() if track is not album[index]}
    return changed


def _with_track(item: Item, track: Track | None) -> Item:
    if track is None or item.reading is None:
        return item
    return msgspec.structs.replace(item, reading=msgspec.structs.replace(item.reading, track=track))


def _title(track: Track) -> str:
    return fold(first(track.album))


# ------------------------------------------------------------ positions on a record


def _with_sides(album: Mapping[int, Track]) -> dict[int, Track]:
    """The album with its positions on a record. Roman numbers of one letter are positions only among others."""
    sides = {index: side for index, track in album.items() if track.track_text and (side := side_of(track.track_text))}
    if all(roman(album[index].track_text or "") for index in sides):
        return dict(album)
    digits = max(len(str(side.number)) for side in sides.values())
    return {index: _on_side(track, sides[index], digits) if index in sides else track for index, track in album.items()}


def _on_side(track: Track, side: Side, digits: int) -> Track:
    index = ord(side.side[0]) - ord("A") + 1 + 26 * (len(side.side) - 1)
    return msgspec.structs.replace(
        track,
        track=index * _PER_SIDE + side.number,
        track_total=None,
        disc=track.disc or side.disc,
        position=f"{side.side}{side.number:0{digits}}" if side.number else side.side,
    )


# ------------------------------------------------------------ two numbers


def _with_pairs_of_artists(album: Mapping[int, Track]) -> dict[int, Track]:
    """The same for tracks of one title without album artist: one album, unless that makes no sense: then one for each artist."""
    pairs = [pair for track in album.values() if track.track_text and (pair := pair_of(track.track_text))]
    together = _with_pairs(album)
    if together and (not _are_disc_and_track(pairs) or min(pair.second for pair in pairs) <= 1):
        return together
    by_artist: dict[str, dict[int, Track]] = defaultdict(dict)
    for index, track in album.items():
        by_artist[fold(without_guest(first(track.artist)))][index] = track
    return {index: track for part in by_artist.values() for index, track in _with_pairs(part).items()}


def _with_pairs(album: Mapping[int, Track]) -> dict[int, Track]:
    """The tracks whose text has two numbers, as far as the album shows what they mean."""
    pairs = {index: pair for index, track in album.items() if track.track_text and (pair := pair_of(track.track_text))}
    numbered = sum(1 for track in album.values() if track.track or track.track_text)
    if not pairs or len(pairs) < numbered:
        return {}
    if _are_decimal(pairs.values()):
        return {index: _numbered(album[index], pair.first) for index, pair in pairs.items()}
    if _are_disc_and_track(pairs.values()) and all(album[index].disc in (None, pair.first) for index, pair in pairs.items()):
        return {index: _numbered(album[index], pair.second, disc=pair.first) for index, pair in pairs.items()}
    if _have_total(pairs.values()):
        return {index: _numbered(album[index], pair.first, total=pair.second) for index, pair in pairs.items()}
    return {}


def _are_decimal(pairs: Collection[Pair]) -> bool:
    return all(pair.mark in ".," and not pair.second for pair in pairs)


def _are_disc_and_track(pairs: Collection[Pair]) -> bool:
    """Whether the second number varies within one first number."""
    return len({(pair.first, pair.second) for pair in pairs}) > len({pair.first for pair in pairs})


def _have_total(pairs: Collection[Pair]) -> bool:
    """Whether the second number is always the same, and at least the largest first number."""
    totals = {pair.second for pair in pairs}
    largest = max(pair.first for pair in pairs)
    return len(totals) == 1 and min(totals) >= largest and not any(pair.padded for pair in pairs)


def _numbered(track: Track, number: int, *, disc: int | None = None, total: int | None = None) -> Track:
    return msgspec.structs.replace(track, track=number, disc=track.disc or disc or None, track_total=track.track_total or total)


# ------------------------------------------------------------ a track before the first


def _with_hidden(album: Mapping[int, Track]) -> dict[int, Track]:
    """The album with the number 0 of the tracks that come before the first."""
    zeros: dict[int, dict[int, str]] = defaultdict(dict)
    for index, track in album.items():
        if track.track == 0 or (track.track is None and track.track_text and is_zero(track.track_text)):
            zeros[track.disc or 1][index] = fold(first(track.title))
    begun = {track.disc or 1 for track in album.values() if track.track == 1}
    hidden = {index for disc, titles in zeros.items() if disc in begun and len(set(titles.values())) == 1 for index in titles}
    zero = {index: 0 if index in hidden else None for titles in zeros.values() for index in titles}
    return {
        index: msgspec.structs.replace(track, track=zero[index]) if index in zero else track for index, track in album.items()
    }
