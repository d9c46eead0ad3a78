"""Where each song belongs: its album's template, the directory and the name that this gives, albums of one name told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.paths import collision_key
from orchestrator.plan.layout.disambiguation import labels_of
from orchestrator.plan.layout.names import Names
from orchestrator.plan.layout.templates import Layout, Template, split_directory, tidy
from orchestrator.plan.music.albums import group_albums
from orchestrator.plan.music.fields import NAMING_FIELDS, track_fields
from orchestrator.plan.music.song import Album, Song


class Placing:
    """One layout under the rules for names of one target."""

    def __init__(self, layout: Layout, names: Names) -> None:
        self._layout = layout
        self._names = names
        self._directories: dict[str, str] = {}
        """Directory as a template gives it -> the same with legal names."""
        self._templates: dict[Album, Template] = {}

    def place(self, songs: Sequence[Song]) -> None:
        """Give every song its album and its wanted directory and name."""
        albums = group_albums(songs)
        self._templates.clear()
        for album in albums:
            self._templates[album] = self._layout.choose(album.values)
            self._render(album)
        self._tell_apart(albums)

    def names_album_artist(self, album: Album) -> bool:
        """Whether the paths of an album's songs hold its artist's name."""
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

    def _tell_apart(self, albums: list[Album]) -> None:
        """Albums that would share a directory which bears an album's name get what tells them apart put behind their names."""
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
                    self._mark(album, label)

    def _mark(self, album: Album, label: str) -> None:
        directory = album.songs[0].directory
        for name in NAMING_FIELDS:
            value = album.values[name]
            album.values[name] = f"{value} [{label}]"
            self._render(album)
            if album.songs[0].directory != directory:
                return
            album.values[name] = value
