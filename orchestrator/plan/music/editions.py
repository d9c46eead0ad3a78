"""Splits one artist's songs of one album title by release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from operator import attrgetter

from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first, joined
from orchestrator.tags.written_dates import year_of
from orchestrator.track import Track


def releases(songs: list[Song]) -> list[list[Song]]:
    """The songs of each release, by MusicBrainz release id; without ids, by facts that differ at the same track numbers."""
    by_id: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_id[song.track.musicbrainz_release_id or ""].append(song)
    unknown = by_id.pop("", [])
    editions = _editions(unknown) if unknown else []
    if len(by_id) == 1:
        (release,) = by_id.values()
        known = list(release)
        others = [group for group in editions if _is_another(group, known)]
        release.extend(unknown if not others else (song for group in editions if group not in others for song in group))
        editions = others
    return [*_merge_parts([by_id[release] for release in sorted(by_id)]), *editions]


def positions(songs: list[Song]) -> list[tuple[int, int]]:
    """Disc and track number of each song that has a track number; a missing disc number means disc 1."""
    return [_position(song) for song in songs if song.track.track is not None]


def _merge_parts(groups: list[list[Song]]) -> list[list[Song]]:
    """Merge releases of one release group or one year that fill each other's gaps: one album that was tagged in parts."""
    by_work: dict[str, list[list[Song]]] = defaultdict(list)
    for group in groups:
        tags = group[0].track
        year = year_of(tags.date) or year_of(tags.original_date)
        by_work[tags.musicbrainz_release_group_id or year or tags.musicbrainz_release_id or ""].append(group)
    albums: list[list[Song]] = []
    for work in by_work.values():
        first_of_work = len(albums)
        for group in sorted(work, key=len, reverse=True):
            here = positions(group)
            for album in albums[first_of_work:] if len(here) == len(group) else ():
                there = positions(album)
                if len(there) == len(album) and not set(here) & set(there):
                    album.extend(group)
                    break
            else:
                albums.append(list(group))
    return albums


_EVIDENCE: tuple[tuple[Callable[[Track], object], Callable[[Track], str]], ...] = (
    # The tags that the fact comes from, and the fact.
    (attrgetter("date", "original_date"), lambda track: year_of(track.date) or year_of(track.original_date)),
    (attrgetter("release_type"), lambda track: fold(joined(track.release_type))),
    (attrgetter("catalogue_number"), lambda track: fold(track.catalogue_number or "")),
    (attrgetter("edition"), lambda track: fold(track.edition or "")),
    (attrgetter("barcode"), lambda track: fold(track.barcode or "")),
    (attrgetter("label"), lambda track: fold(track.label or "")),
)


def _editions(songs: list[Song]) -> list[list[Song]]:
    """Split songs without release ids by every fact that differs between songs with the same track numbers."""
    groups = [songs]
    for tags, fact in _EVIDENCE:
        if len({tags(song.track) for song in songs}) > 1:
            groups = [part for group in groups for part in _split(group, fact)]
    return groups


def _split(songs: list[Song], fact: Callable[[Track], str]) -> list[list[Song]]:
    by_value: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_value[fact(song.track)].append(song)
    if len(by_value) == 1:
        return [songs]
    unknown = by_value.pop("", [])
    ranked = [by_value[value] for value in sorted(by_value, key=lambda value: (-len(by_value[value]), value))]
    largest, separate = list(ranked[0]), []
    for group in ranked[1:]:
        if _numbers_meet(group, ranked[0]):
            separate.append(group)
        else:
            largest += group
    groups = [largest, *separate]
    if unknown:
        # Songs without the fact belong to the largest group that does not have other tracks at their numbers.
        home = next((group for group in groups if not _is_another(unknown, group)), None)
        groups = [group + unknown if group is home else group for group in groups] + ([] if home else [unknown])
    return groups


def _numbers_meet(group: list[Song], other: list[Song]) -> bool:
    """Whether most numbers of a group also occur in the other: then these are two albums, not one with inconsistent tags."""
    taken = _titles(other)
    numbered = [song for song in group if song.track.track is not None]
    meeting = [song for song in numbered if _position(song) in taken]
    if len(meeting) * 2 <= len(numbered):
        return False
    return len(group) > 1 or all(_title(song) not in taken[_position(song)] for song in meeting)


def _is_another(group: list[Song], other: list[Song]) -> bool:
    """Whether a group without release facts must be another release: the other group has different titles at its numbers."""
    if not _numbers_meet(group, other):
        return False
    taken = _titles(other)
    differing = [
        song for song in group if song.track.track is not None and _title(song) not in taken.get(_position(song), {_title(song)})
    ]
    return len(differing) * 2 > len(group)


def _titles(songs: list[Song]) -> dict[tuple[int, int], set[str]]:
    """Disc and track number -> the titles at that position."""
    taken: dict[tuple[int, int], set[str]] = defaultdict(set)
    for song in songs:
        if song.track.track is not None:
            taken[_position(song)].add(_title(song))
    return taken


def _position(song: Song) -> tuple[int, int]:
    return song.track.disc or 1, song.track.track or 0


def _title(song: Song) -> str:
    return fold(first(song.track.title))
