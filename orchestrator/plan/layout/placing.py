"""Gives each song the directory and name that the layout wants, with labels for albums that would share a directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from orchestrator.paths import collision_key, split_extension, split_path
from orchestrator.plan.layout.disambiguation import labels_of
from orchestrator.plan.layout.names import Names
from orchestrator.plan.layout.templates import Layout, Template, split_directory, tidy
from orchestrator.plan.layout.untitled import rendered_by_name
from orchestrator.plan.music.albums import artist_spellings, group_albums
from orchestrator.plan.music.folders import Folders, title_key
from orchestrator.plan.music.layout_fields import NAMING_FIELDS, track_fields
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.stand_ins import is_various, various_names
from orchestrator.plan.music.tag_values import ABSENT
from orchestrator.track import Track

_MAX_ROUNDS: Final = 5
"""After so many rounds without an end, only tags count."""


class Placing:
    """One layout under the name rules of one target."""

    def __init__(self, layout: Layout, names: Names, various_artists: Iterable[str] = ()) -> None:
        """`various_artists` are more names of album artists that mean several artists."""
        self._layout = layout
        self._names = names
        self._various = various_names(various_artists)
        self._directories: dict[str, str] = {}
        """Directory as rendered -> the same with legal names."""
        self._templates: dict[Album, Template] = {}
        self._labelled: list[tuple[Album, str, Any]] = []
        """Albums with a label in a field, and the field's value without it; "" for labels behind the names of files."""
        self._spellings: dict[str, str] = {}
        self._asked: set[str] = set()
        """The album titles that are placed several times."""
        self._rendered: dict[object, dict[Song, tuple[Track, str, str]]] = defaultdict(dict)
        """For their songs: template and values of the album -> song -> its track, directory and stem."""
        self.albums: list[Album] = []

    def place(self, songs: Sequence[Song], *, by_folder: bool = True) -> None:
        """Set the album, wanted directory and name of every song. Without `by_folder` only tags count.

        Folders are evidence, and the plan changes them: songs are placed again as if they were at their new places, until
        nothing changes. So the next run finds everything in place. Where this does not end, only tags count.
        """
        self._spellings = artist_spellings(songs)
        if by_folder and self._settle(songs):
            return
        self._start(songs)
        self._group(songs, None)
        self._add_labels()
        if by_folder and not self._settle(songs, start=False):
            self._start(songs)
            self._group(songs, None)
            self._add_labels()

    def _settle(self, songs: Sequence[Song], *, start: bool = True) -> bool:
        """Place songs until nothing changes, from where they are now or, without `start`, from where they were placed."""
        if start:
            self._start(songs)
        else:
            _move(songs)
        folders = Folders(songs)
        self._group(songs, folders)
        self._add_labels()
        if not folders.asked:
            return True
        asked = [song for song in songs if title_key(song) in folders.asked]
        settled = [album for album in self.albums if title_key(album.songs[0]) not in folders.asked]
        for _ in range(_MAX_ROUNDS):
            before = [(song.directory, song.stem) for song in songs]
            said = [(song.inferred_from, song.evidence) for song in asked]
            _move(songs)
            self._remove_labels(settled)
            self.albums = list(settled)
            self._group(asked, Folders(songs))
            self._add_labels()
            if before == [(song.directory, song.stem) for song in songs]:
                for song, (inferred_from, evidence) in zip(asked, said, strict=True):
                    song.inferred_from, song.evidence = inferred_from, evidence
                self._rendered.clear()
                return True
        return False

    def _start(self, songs: Sequence[Song]) -> None:
        self._templates.clear()
        self._labelled.clear()
        self._rendered.clear()
        self.albums = []
        for song in songs:
            song.folder, song.name = split_path(song.item.entry.path)
            song.directory, song.stem = song.folder, split_extension(song.name)[0]

    def _group(self, songs: Sequence[Song], folders: Folders | None) -> None:
        for song in songs:
            song.forget()
        albums = group_albums(songs, folders, self._various)
        self._asked = folders.asked if folders is not None else set()
        for album in albums:
            if self._spellings and not album.values["various"]:
                artist = album.values["albumartist"]
                album.values["albumartist"] = self._spellings.get(fold(artist), artist)
            template = self._layout.choose_for(album.kind, album.values) if album.kind else self._layout.choose(album.values)
            if template is None:
                album.left_alone = True
            else:
                self._templates[album] = template
            self._render(album)
        self.albums += albums

    def names_album_artist(self, album: Album) -> bool:
        """Whether the layout puts the album artist into the paths of this album."""
        return album in self._templates and "albumartist" in self._templates[album].fields

    def _render(self, album: Album) -> None:
        if album.stays:
            for song in album.songs:
                song.directory, song.stem = song.folder, split_extension(song.name)[0]
            return
        template = self._templates[album]
        values = {name: album.values[name] for name in template.album_fields}
        repeated = title_key(album.songs[0]) in self._asked
        known = self._rendered[template, *values.values()] if repeated else {}
        for song in album.songs:
            before = known.get(song)
            if before is not None and before[0] is song.track:
                _, song.directory, song.stem = before
                continue
            fields = track_fields(song.track, template.track_fields, dict(values))
            if song.titled_by_name:
                if is_various(str(fields.get("artist", "")), self._various):
                    fields["artist"] = ABSENT  # the image of a sampler
                raw, song.stem = rendered_by_name(song, template, fields, self._names)
            else:
                raw, name = template.render(fields)
                song.stem = self._names.stem(tidy(name), song.extension)
            directory = self._directories.get(raw)
            if directory is None:
                parts = (tidy(part) for part in split_directory(raw))
                directory = self._directories[raw] = "/".join(self._names.directory(part) for part in parts if part)
            song.directory = directory
            if repeated:
                known[song] = song.track, song.directory, song.stem

    def _add_labels(self) -> None:
        """Add labels to the names of albums that would share a directory named after an album.

        Where no directory is, copies of one album would share the names of files.
        """
        sharing: dict[object, list[Album]] = defaultdict(list)
        directories: dict[object, str] = {}
        for album in self.albums:
            if album.stays or album.singletons:
                continue
            depth = self._templates[album].album_depth
            if depth is not None:
                parts = min({song.directory for song in album.songs}).split("/")
                directory = "/".join(parts[: depth + 1])
                directories.setdefault(collision_key(directory), directory)
                sharing[collision_key(directory)].append(album)
            elif album.is_copy:
                sharing[title_key(album.songs[0]), album.values["albumartist"]].append(album)
        for key, albums in sharing.items():
            apart = len(albums) == 1 or (key not in directories and not _share_names(albums))
            labels = None if apart else labels_of(albums, self._names.directory, directories.get(key))
            for album, label in zip(albums, labels or (), strict=False):
                if label:
                    self._add_label(album, label)

    def mark_copy(self, album: Album, label: str) -> None:
        """Add a label to the name of an album that is a copy of another one, which is not among these songs."""
        album.is_copy = True
        self._add_label(album, label.replace("[", "(").replace("]", ")"))

    def _add_label(self, album: Album, label: str) -> None:
        in_names = self._templates[album].album_depth is None

        def place() -> str:
            return album.songs[0].stem if in_names else album.songs[0].directory

        before = place()
        for name in NAMING_FIELDS:
            value = album.values[name]
            album.values[name] = f"{value} [{label}]"
            self._render(album)
            if place() != before:
                self._labelled.append((album, name, value))
                break
            album.values[name] = value
        else:
            if not in_names:
                return
            self._labelled.append((album, "", None))
            for song in album.songs:
                song.stem = self._names.stem(f"{song.stem} [{label}]", song.extension)
        for song in album.songs if album.is_copy else ():
            song.evidence += f"; one of several copies of an album: [{label}]"

    def _remove_labels(self, albums: Sequence[Album]) -> None:
        """Remove all labels, and place these albums without them; the others are grouped again."""
        staying = set(albums)
        for album, name, value in self._labelled:
            if name:
                album.values[name] = value
            if album in staying:
                self._render(album)
        self._labelled.clear()


def _share_names(albums: Sequence[Album]) -> bool:
    """Whether songs of two albums would have one name."""
    names = [{collision_key(f"{song.directory}/{song.stem}{song.extension}") for song in album.songs} for album in albums]
    return len(set().union(*names)) < sum(map(len, names))


def _move(songs: Sequence[Song]) -> None:
    """Take songs for being where they were placed."""
    for song in songs:
        song.folder, song.name = song.directory, song.stem + song.extension
