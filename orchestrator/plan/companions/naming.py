"""Names for companions. Those of duplicates get the names that the kept copy's own companions leave free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from orchestrator.paths import collision_key, name_of, parent_of, split_extension, split_path
from orchestrator.plan.companions.playlists.formats import is_checksums, is_list, kind_of
from orchestrator.plan.companions.records import Companion, CompanionKind
from orchestrator.plan.layout.collisions import Claim, Namespace
from orchestrator.plan.layout.names import Names
from orchestrator.records import Item


def claims_of(
    companions: Iterable[Companion], claim_of: Mapping[int, Claim], names: Names, position: Callable[[Item], str]
) -> Iterator[Claim]:
    """The claims of companions that move with songs and albums.

    `claim_of`: id of a song -> its claim; kept copies that stay in another target have none. `position` gives a file's path
    below the target as it is now.
    """
    for companion in companions:
        item, song = companion.item, companion.song
        name = name_of(item.entry.path)
        if companion.kind is CompanionKind.ALBUM:
            subdirectories = (names.directory(part) for part in companion.subdirectory.split("/") if part)
            directory = "/".join([companion.album_directory, *subdirectories])
        elif companion.kind is CompanionKind.TRACK and song is not None:
            track = claim_of.get(id(song))
            path = f"{song.directory}/{song.stem}{song.extension}" if track is None else track.path
            directory, track_name = split_path(path)
            # Beside a track that keeps its path a companion keeps its name: they may differ in case or Unicode form only.
            if companion.of_duplicate or track is None or position(song.item) != path:
                name = split_extension(track_name)[0] + companion.suffix
        else:
            continue
        stem, extension = split_extension(name)
        extension = names.extension(extension)
        yield Claim(item, position(item), directory, names.stem(stem, extension), extension, companion)


class DuplicatesCompanionNames:
    """Names for the companions of duplicates beside the kept copies: exactly the name that each wants, or none."""

    def __init__(self, namespace: Namespace, occupants: Iterable[Item]) -> None:
        """`occupants` are the files that the target already holds."""
        self._namespace = namespace
        self._lists = {kind_of_list(item.entry.path) for item in occupants if is_list(item)}
        self.superseded: list[Claim] = []
        """Claims that get no name: it is taken, the directory has such a list, which would say the same, or it has checksums."""

    def assign(self, claims: Sequence[Claim], others: Iterable[Claim]) -> list[Claim]:
        """Give names to claims, in the order of their positions; returns those that got one. `others` have theirs already."""
        if not claims:
            return []
        self._lists.update(kind_of_list(claim.path) for claim in others if _is_album_list(claim))
        self._namespace.settle_directories(claim.directory for claim in claims)
        named = []
        for claim in sorted(claims, key=lambda claim: (claim.position, claim.item.entry.id or "")):
            is_album_list = _is_album_list(claim)
            wanted = f"{self._namespace.directory(claim.directory)}/{claim.stem}{claim.extension}"
            is_told = is_checksums(claim.item) or (is_album_list and kind_of_list(wanted) in self._lists)
            if is_told or not self._namespace.is_free(claim):
                self.superseded.append(claim)
                continue
            self._namespace.assign([claim])
            named.append(claim)
            if is_album_list:
                self._lists.add(kind_of_list(wanted))
        return named


def _is_album_list(claim: Claim) -> bool:
    owner = claim.owner
    return isinstance(owner, Companion) and owner.kind is CompanionKind.ALBUM and is_list(claim.item)


def kind_of_list(path: str) -> tuple[str, str | None]:
    """Key of a list's directory, and its format. Two lists of one kind say the same about one album."""
    return collision_key(parent_of(path)), kind_of(path)
