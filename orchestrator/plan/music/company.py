"""Hosts and their company: "Ann", "Ann & Bob" and "Ann, Eve" are album artists of one album, which is Ann's.

A name is only taken apart where the part before the company is an album artist of the same album, or where several companies
share it. So "Earth, Wind & Fire" stays whole beside "Earth, Wind & Fire with Ramsey Lewis".
"""

from __future__ import annotations

from collections import defaultdict

from orchestrator.plan.music.folders import place_of
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import fold, hosts, parts_of, without_guest
from orchestrator.plan.music.tag_values import joined


def merge_company(owned: dict[str, list[Song]], *, by_folder: bool) -> None:
    """Give the songs of hosts with company to the album of the host, if their places there are free.

    `owned`: owner -> songs. Names are only taken apart among songs in one folder (with `by_folder`), or if a host has several
    companies.
    """
    _merge_spellings(owned)
    for owner in sorted(owned, key=lambda name: (len(owned[name]), name)):
        names = {song.track.album_artist for song in owned[owner]}
        guests = {fold(name) for values in names for name in (without_guest(joined(values)), *values)}
        companions = [host for host in reversed(list(hosts(owner))) if host in owned]
        known = sorted((name for name in guests if name in owned), key=lambda name: (-len(owned[name]), name))
        for host in [*known, *companions]:
            sure = host in guests or (by_folder and _in_one_folder(owned[host], owned[owner]))
            if host != owner and _is_host(host, owner, owned, sure=sure):
                owned[host] += owned.pop(owner)
                break
    if by_folder:
        _merge_without_host(owned)


def _is_host(host: str, owner: str, owned: dict[str, list[Song]], *, sure: bool) -> bool:
    several = sum(1 for name in owned if host in hosts(name)) > 1
    if not several and (not sure or len(owned[host]) < len(owned[owner])):
        return False
    return not _places_meet(owned[host], owned[owner])


def _merge_spellings(owned: dict[str, list[Song]]) -> None:
    """Make one of "Ann & Bob", "Bob and Ann" and "Ann, Bob": the spelling of most songs."""
    spellings: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for owner in owned:
        if len(parts := parts_of(owner)) > 1:
            spellings[tuple(sorted(parts))].append(owner)
    for names in spellings.values():
        best, *rest = sorted(names, key=lambda name: (-len(owned[name]), name))
        for name in rest:
            if not _places_meet(owned[best], owned[name]):
                owned[best] += owned.pop(name)


def _merge_without_host(owned: dict[str, list[Song]]) -> None:
    """Where several companies share a host without songs alone, make one album: of whom most songs name, or of the host."""
    shared: dict[str, list[str]] = defaultdict(list)
    for owner in owned:
        for host in hosts(owner):
            if len(parts_of(owner)) == len(parts_of(host)) + 1:
                shared[host].append(owner)
    for host in sorted(shared, key=lambda host: (-len(host), host)):
        names = sorted((name for name in shared[host] if name in owned), key=lambda name: (-len(owned[name]), name))
        songs = [song for name in names for song in owned[name]]
        if len(names) < 2 or host in owned or len({place_of(song) for song in songs}) < len(songs):
            continue
        if all(_in_one_folder(owned[names[0]], owned[name]) for name in names):
            best = names[0] if len(owned[names[0]]) * 2 > len(songs) else host
            for name in names:
                del owned[name]
            owned[best] = songs


def _in_one_folder(songs: list[Song], others: list[Song]) -> bool:
    return not {song.folder for song in songs}.isdisjoint(song.folder for song in others)


def _places_meet(songs: list[Song], others: list[Song]) -> bool:
    return not {place_of(song) for song in songs}.isdisjoint(map(place_of, others))
