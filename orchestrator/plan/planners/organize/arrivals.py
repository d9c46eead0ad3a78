"""Copies of albums that another target holds already: they get folders of their own there, as copies do in one location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.paths import collision_key, is_ours, split_extension
from orchestrator.plan.music.copies import FACTS, fact_of
from orchestrator.plan.music.folders import folder_of_album
from orchestrator.plan.music.same_content import Likeness, same_content
from orchestrator.plan.music.song import Album, Song
from orchestrator.records import Item
from orchestrator.track import Track


def music_at_target(items: Iterable[Item], below: str | None, freed: Iterable[str]) -> dict[str, list[Item]]:
    """Key of each path without its extension -> the music there, but for the source and what is quarantined."""
    found: dict[str, list[Item]] = {}
    gone = {*freed}
    for item in items:
        path = item.entry.path
        if item.reading is None or is_ours(path) or path in gone or (below is not None and path.startswith(below)):
            continue
        found.setdefault(collision_key(split_extension(path)[0]), []).append(item)
    return found


def label_beside(album: Album, there: Mapping[str, list[Item]]) -> str | None:
    """What tells an album from the one that is at its place: a fact of the sound, otherwise its folder; None if none is.

    Another one is there if most of its songs meet others of their names: not the same files, nor damaged copies of them.
    """
    met = [(song, others) for song in album.songs if (others := _others(song, there))]
    if len(met) < 2 or len(met) * 2 <= len(album.songs):
        return None
    theirs = [Song(one, _track(one)) for _, others in met for one in others]
    for fact in FACTS:
        mine, other = fact_of(album.songs, fact), fact_of(theirs, fact)
        if mine and other and mine != other:
            return mine
    taken = {collision_key(name) for name in (*album.songs[0].directory.split("/"), str(album.values["album"]))}
    folders = min(map(folder_of_album, album.songs)).split("/")[::-1]
    return next((name for name in folders if name and collision_key(name) not in taken), None)


def _others(song: Song, there: Mapping[str, list[Item]]) -> list[Item]:
    found = there.get(collision_key(f"{song.directory}/{song.stem}".lstrip("/")), [])
    return found if all(same_content(song.item, one) is Likeness.OTHER for one in found) else []


def _track(item: Item) -> Track:
    return (item.reading and item.reading.track) or Track()
