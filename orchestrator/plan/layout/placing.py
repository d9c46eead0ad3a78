"""Gives each song the directory and name that the layout wants, with labels for albums that would share a directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.paths import collision_key
from orchestrator.plan.layout.disambiguation import labels_of
from orchestrator.plan.layout.names import Names
from orchestrator.plan.layout.templates import Layout, Template, split_directory, tidy
from orchestrator.plan.music.albums import group_albums
from orchestrator.plan.music.layout_fields import NAMING_FIELDS, track_fields
from orchestrator.plan.music.song import Album, Song


class Placing:
    """One layout under the name rules of one target."""

    def __init__(self, layout: Layout, names: Names) -> None:
        self._layout = layout
        self._names = names
        self._directories: dict[str, str] = {}
        """Directory as rendered -> the same with legal names."""
        self._templates: dict[Album, Template] = {}

    def place(self, songs: Sequence[Song]) -> None:
        """Set the album, wanted directory and name of every song."""
        albums = group_albums(songs)
        self._templates.clear()
        for album in albums:
            self._templates[album] = self._layout.choose(album.values)
            self._render(album)
        self._add_labels(albums)

    def names_album_artist(self, album: Album) -> bool:
        """Whether the layout puts the album artist into the paths of this album."""
        return "albumartist" in self._templates[album].fields

    def _render(self, album: Album) -> None:
        template = self._templates[album]
        values = {name: album.values[name] for name in template.album_fields}
        for song in album.songs:
            raw, name = template.render(track_fields(song.track, template.track_fields, dict(values)))
            directory = self._directories.get(raw)
            if directory is None:
                parts = (tidy(part) for part in split_directory(raw))
                directory = self._directories[raw] = "/".join(self._names.directory(part) for part in parts if part)
            song.directory = directory
            song.stem = self._names.stem(tidy(name), song.extension)

    def _add_labels(self, albums: list[Album]) -> None:
        """Add labels to the names of albums that would share a directory named after an album."""
        by_directory: dict[str, list[Album]] = defaultdict(list)
        for album in albums:
            depth = self._templates[album].album_depth
            if depth is not None and not album.singletons:
                parts = album.songs[0].directory.split("/")
                by_directory[collision_key("/".join(parts[: depth + 1]))].append(album)
        for sharing in by_directory.values():
            labels = labels_of(sharing) if len(sharing) > 1 else None
            for album, label in zip(sharing, labels or (), strict=False):
                if label:
                    self._add_label(album, label)

    def _add_label(self, album: Album, label: str) -> None:
        directory = album.songs[0].directory
        for name in NAMING_FIELDS:
            value = album.values[name]
            album.values[name] = f"{value} [{label}]"
            self._render(album)
            if album.songs[0].directory != directory:
                return
            album.values[name] = value
