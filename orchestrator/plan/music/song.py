"""A song with its destination, and the album that it belongs to."""

from __future__ import annotations

from orchestrator.plan.music.album_fields import AlbumFields
from orchestrator.records import Item
from orchestrator.track import Track


class Song:
    """One audio file with usable tags, and where the plan puts it: directory, stem and extension."""

    __slots__ = ("album", "directory", "extension", "inferred_from", "item", "stem", "track")

    def __init__(self, item: Item, track: Track) -> None:
        self.item = item
        self.track = track
        self.album: Album
        self.directory = ""
        self.stem = ""
        self.extension = ""
        self.inferred_from = ""
        """How the album artist was inferred, in words; "" if the song's own tags name it."""


class Album:
    """Songs that belong together, and the fields that have one value for all of them."""

    __slots__ = ("songs", "values")

    def __init__(self, songs: list[Song], artist: str) -> None:
        self.songs = songs
        self.values = AlbumFields([song.track for song in songs], artist)
        for song in songs:
            song.album = self

    @property
    def singletons(self) -> bool:
        """Whether these are tracks of one artist whose tags name no album."""
        return bool(self.values["singleton"])
