"""Where each song belongs: the layout places all songs but the duplicates that are quarantined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.paths import check_directory, parent_of, split_extension
from orchestrator.plan.companions.sorting import SortedItems, is_music
from orchestrator.plan.layout.names import names_for
from orchestrator.plan.layout.placing import Placing
from orchestrator.plan.layout.templates import compile_layout
from orchestrator.plan.music.same_content import Likeness, same_content
from orchestrator.plan.music.song import Song
from orchestrator.plan.planners.organize.arrivals import label_beside, music_at_target
from orchestrator.plan.planners.organize.duplicates import QuarantinedDuplicates, quarantine_duplicates
from orchestrator.plan.planners.organize.locations import SourceAndTarget
from orchestrator.plan.planners.organize.named import NamesAsTags
from orchestrator.plan.planners.organize.request import LEFT, OrganizeRequest


class Placement:
    """The files of the source, its songs with their albums and the directories and names that the layout wants."""

    def __init__(self, request: OrganizeRequest, locations: SourceAndTarget) -> None:
        options, target = request.options, request.target_capabilities
        self._locations = locations
        self.layout = compile_layout(options.layout, options.layouts)
        self.names = names_for(options.names, target, options.replace)
        self._various_artists = options.various_artists
        self._placing = Placing(self.layout, self.names, self._various_artists)
        self.untagged_directory = self._legal_directory(options.untagged, "the folder for untagged files")
        self.leftovers_directory = self._legal_directory(options.leftovers, "the folder for what is left")
        self.copies_inside = options.copy and locations.below is not None
        """The originals stay in the target, and each one may be the copy that another one would make."""
        self.names_as_tags = NamesAsTags(request, self.layout)
        self.equal_songs: list[tuple[Song, Song]] = []
        """Songs that are not copied because another one has the same content, each with that other one."""
        self.alike_songs: list[tuple[Song, Song]] = []
        """Those of them whose bytes were not compared."""
        self._sort_and_place(request)
        while self.names_as_tags.hold_unstable(self.files.songs, self._place_alone):
            self._sort_and_place(request)
        self.duplicates = QuarantinedDuplicates()
        if options.dedup is not None:
            self.duplicates = quarantine_duplicates(request, options.dedup, self.files, self._is_in_place)
            if self.duplicates.of_source or request.left:
                self._place()  # what stays is placed as if the duplicates had never been there
        self._mark_arriving_copies(request)
        self.albums = [album for album in self._placing.albums if not album.stays]
        unclear = [song for song in self.files.songs if song.unclear and song.directory == parent_of(song.item.entry.path)]
        self.kept_together = len({parent_of(song.item.entry.path) for song in unclear})
        """How many folders stay as they are because nothing tells which albums they hold."""
        for song in unclear:
            self.files.skip(song.item, "unclear", song.unclear)
        self.left_alone = [song for song in self.files.songs if song.album.left_alone]
        """What is no music and has no place in the layout."""
        for song in self.left_alone:
            self.files.leave_alone(song.item, song.kind)
        for item in request.items if request.left else ():
            if is_music(item) and self.files.shared_names.ref(request.source_fs, item.entry) in request.left:
                self.files.skip(item, "left-alone", LEFT)
        self.files.drop_skipped()

    def _sort_and_place(self, request: OrganizeRequest) -> None:
        options = request.options
        self.files = SortedItems(
            request.items,
            self.names,
            source_fs=request.source_fs,
            capabilities=request.source_capabilities,
            target_fs=request.target_fs,
            copy=options.copy,
            moves_untagged=options.untagged is not None,
            kinds=self.layout.kinds,
            names_read=self.names_as_tags.read(),
            litter=request.litter,
        )
        if self.copies_inside:
            self.files.songs, self.equal_songs = _distinct(self.files.songs)
            self.alike_songs = [
                (one, other) for one, other in self.equal_songs if same_content(one.item, other.item) is not Likeness.SAME
            ]
        self._place()

    def _place_alone(self, songs: Sequence[Song]) -> None:
        """Place songs as a run of their own does."""
        for song in songs:
            song.extension = self.names.extension(split_extension(song.name)[1])
        Placing(self.layout, self.names, self._various_artists).place(songs, by_folder=self._by_folder)

    def names_album_artist(self, song: Song) -> bool:
        """Whether the path of a song holds the name of its album's artist."""
        return self._placing.names_album_artist(song.album)

    @property
    def _by_folder(self) -> bool:
        """In-place copies leave the originals where they are: their folders say nothing new to the next run."""
        return not self.copies_inside or self._locations.below != ""

    def _place(self) -> None:
        self._placing.place(self.files.songs, by_folder=self._by_folder)
        for song, other in self.equal_songs:
            song.album, song.directory, song.stem = other.album, other.directory, other.stem

    def _mark_arriving_copies(self, request: OrganizeRequest) -> None:
        there = music_at_target(request.target_items, self._locations.below, self.duplicates.freed_at_target)
        for album in self._placing.albums if there else ():
            if not (album.stays or album.singletons):
                label = label_beside(album, there)
                if label is not None:
                    self._placing.mark_copy(album, label)

    def _is_in_place(self, song: Song) -> bool:
        wanted = f"{song.directory}/{song.stem}{song.extension}".lstrip("/")
        return self._locations.below is not None and self._locations.position(song.item) == wanted

    def _legal_directory(self, given: str | None, what: str) -> str | None:
        if given is None:
            return None
        return "/".join(self.names.directory(part) for part in check_directory(given, what).split("/"))


def _distinct(songs: Iterable[Song]) -> tuple[list[Song], list[tuple[Song, Song]]]:
    """One song of each content, and the others each with the one that has its content.

    A copy that an earlier run made in place must not count twice, and must not be copied again.
    """
    distinct: list[Song] = []
    by_size: dict[object, list[Song]] = {}
    equal: list[tuple[Song, Song]] = []
    for song in songs:
        others = by_size.setdefault((song.item.entry.size, song.item.reading and song.item.reading.track), [])
        first = next((other for other in others if same_content(song.item, other.item).agrees), None)
        if first is None:
            others.append(song)
            distinct.append(song)
        else:
            equal.append((song, first))
    return distinct, equal
