"""Finds samplers: albums of several artists whose tags name no album artist, recognised by the folder that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.plan.music.folders import Folders, by_album_folder, has_repeats
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.plan.music.tag_values import first
from orchestrator.tags.written_dates import year_of

_MIN_MIXED = 4
"""So many tracks of one album title make a sampler in a folder of several albums, where no fact supports or contradicts it."""


def by_shared_folder(
    ownerless: Sequence[Song],
    owned: dict[str, list[Song]],
    title: str,
    folders: Folders,
    shared_by_most: Callable[[Sequence[Song]], str],
) -> Iterator[tuple[Song, str]]:
    """The owners of songs that are one album by the folder that they share. `shared_by_most` names the artist of most songs."""
    owners = {id(song): owner for owner, songs in owned.items() for song in songs}
    everything = by_album_folder([*ownerless, *(song for songs in owned.values() for song in songs)])
    for together in everything.values():
        without = [song for song in together if id(song) not in owners]
        if not without or len(together) == 1 or not _is_one_album(together):
            continue
        alone = folders.holds_only(together, title)
        if len(without) < len(together):
            owner = _only_owner(together, owners) if alone else ""
        else:
            mixed = len(set(map(_artist, without))) > 1
            owner = shared_by_most(without) if mixed and (alone or _is_supported(without)) else ""
        if owner:
            yield from ((song, owner) for song in without)


def _only_owner(songs: Sequence[Song], owners: Mapping[int, str]) -> str:
    """The owner of those of an album's songs that have one, "" if there are several or numbers are missing."""
    known = {owners[id(song)] for song in songs if id(song) in owners}
    return known.pop() if len(known) == 1 and _all_numbered(songs) else ""


def each_by_its_artist(owned: Mapping[str, list[Song]], title: str, folders: Folders) -> list[Song]:
    """The songs of samplers whose album artist is in each track its own artist: one album in a folder without any other.

    At least four tracks with different numbers, all of which state the same total or the same year.
    """
    alone = [songs[0] for songs in owned.values() if len(songs) == 1]
    found = []
    for together in by_album_folder(alone).values():
        if len(together) >= _MIN_MIXED and folders.holds_only(together, title) and _is_one_album(together):
            facts = ({song.track.track_total for song in together}, {year_of(song.track.date) or None for song in together})
            if _all_numbered(together) and any(len(values) == 1 and None not in values for values in facts):
                found += together
    return found


def leave_scattered(owned: dict[str, list[Song]], title: str, folders: Folders) -> list[list[Song]]:
    """Take songs out of `owned` that would be scattered from one folder into albums of one track; those of each folder."""
    inferred = [song for songs in owned.values() for song in songs if song.inferred_from]
    alone = {id(songs[0]) for songs in owned.values() if len(songs) == 1}
    found = []
    for together in by_album_folder(inferred).values():
        scattered = sum(id(song) in alone for song in together)
        if scattered < 2 or scattered * 2 <= len(together) or not folders.holds_only(together, title):
            continue
        why = "track numbers occur twice" if has_repeats(together) else "their tags state different releases"
        for song in together:
            song.inferred_from = ""
            song.unclear = (
                f"its folder stays together: {len(together)} tracks of one album title by several artists, without album artist, "
                f"and {why}. Set an album artist, or the compilation flag"
            )
        found.append(together)
    left = {id(song) for songs in found for song in songs}
    for owner in list(owned) if left else ():
        owned[owner] = [song for song in owned[owner] if id(song) not in left]
        if not owned[owner]:
            del owned[owner]
    return found


def _is_one_album(songs: Sequence[Song]) -> bool:
    """Whether nothing that the songs state contradicts that they are one album."""
    totals: dict[int, set[int]] = {}
    for song in songs:
        if song.track.track_total:
            totals.setdefault(song.track.disc or 1, set()).add(song.track.track_total)
    releases = {song.track.musicbrainz_release_id for song in songs} - {None}
    return not has_repeats(songs) and all(len(stated) == 1 for stated in totals.values()) and len(releases) < 2


def _is_supported(songs: Sequence[Song]) -> bool:
    """Whether songs among those of other albums are one album: by their total or year, or because they are many."""
    if not _all_numbered(songs):
        return False
    years = {year_of(song.track.date or song.track.original_date) for song in songs}
    if len(years - {""}) > 1:
        return False
    stated = all(song.track.track_total for song in songs) or "" not in years
    return len(songs) >= (3 if stated else _MIN_MIXED)


def _all_numbered(songs: Sequence[Song]) -> bool:
    return all(song.track.track is not None for song in songs)


def _artist(song: Song) -> str:
    return fold(without_guest(first(song.track.artist)))
