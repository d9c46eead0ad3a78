"""A song with its destination, and the album that it belongs to."""

from __future__ import annotations

import msgspec

from orchestrator.paths import name_of, split_extension, split_path
from orchestrator.plan.music.album_fields import AlbumFields
from orchestrator.plan.music.own_titles import title_in_name
from orchestrator.plan.music.tag_values import first
from orchestrator.records import Item
from orchestrator.track import Track


class Song:
    """One audio file with usable tags, and where the plan puts it: directory, stem and extension."""

    __slots__ = (
        "album", "cue", "directory", "evidence", "extension", "folder", "from_name", "inferred_from", "item", "kind", "name",
        "stem", "tags", "titled_by_name", "track", "unclear",
    )  # fmt: skip

    def __init__(self, item: Item, track: Track, cue: str = "", *, kind: str = "", from_name: str = "") -> None:
        """`cue` is the path of the cue sheet that says what the tags of the file do not; "" for none."""
        self.item = item
        self.from_name = from_name
        """The pattern by which its name tells what its tags do not; "" if they suffice."""
        self.cue = cue
        self.kind = kind
        """One of KINDS of `orchestrator.plan.music.kinds`; "" for music."""
        self.titled_by_name = not first(track.title) and not from_name
        """Whether only the name of the file says what is in it."""
        self.tags = track
        """What the file says, or its name."""
        self.track = track
        """The same, with a disc that only its folder tells."""
        self.folder, self.name = split_path(item.entry.path)
        """Where the file is when its album is looked for."""
        self.album: Album
        self.directory = ""
        self.stem = ""
        self.extension = ""
        self.inferred_from = ""
        """How the album artist was inferred, in words; "" if the song's own tags name it."""
        self.evidence = ""
        """What else the folders tell about it, in words."""
        self.unclear = ""
        """Why its folder stays as it is, in words: the evidence does not suffice to say which album it holds."""
        self.forget()

    def forget(self) -> None:
        """Drop all that was found out about it."""
        if self.titled_by_name:
            title = title_in_name(split_extension(self.name)[0], self.tags.track)
            self.tags = msgspec.structs.replace(self.tags, title=(title,) if title else ())
        self.track = self.tags
        self.inferred_from = self.unclear = ""
        self.evidence = f"; tags from its cue sheet {name_of(self.cue)}" if self.cue else ""
        if self.titled_by_name and self.tags.title:
            self.evidence += "; its name is its title"


class Album:
    """Songs that belong together, and the fields that have one value for all of them."""

    __slots__ = ("is_copy", "kind", "left_alone", "songs", "values")

    def __init__(self, songs: list[Song], artist: str, *, is_copy: bool = False) -> None:
        self.songs = songs
        self.is_copy = is_copy
        """Whether its tags are those of another album here too: only folders tell them apart."""
        self.kind = songs[0].kind
        """As in Song: all songs of an album are of one kind."""
        self.left_alone = False
        """Whether it stays where it is because it is no music, and the layout has no rule for its kind."""
        self.values = AlbumFields([song.track for song in songs], artist, self.kind)
        for song in songs:
            song.album = self

    @property
    def singletons(self) -> bool:
        """Whether these are tracks of one artist whose tags name no album."""
        return bool(self.values["singleton"])

    @property
    def stays(self) -> bool:
        """Whether its songs stay where they are: it is left alone, or nothing tells which album they are."""
        return self.left_alone or bool(self.songs[0].unclear)
