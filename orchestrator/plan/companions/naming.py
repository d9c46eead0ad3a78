"""Names for what lies beside the music; what belonged to duplicates has what the others leave, or is superseded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from orchestrator.paths import collision_key, extension_of, name_of, parent_of, split_extension, split_path
from orchestrator.plan.companions.playlists.formats import is_list
from orchestrator.plan.companions.sidecars import Companion, Kind
from orchestrator.plan.layout.collisions import Claim, Namespace
from orchestrator.plan.layout.names import Names
from orchestrator.records import Item


def claims_of(
    companions: Iterable[Companion], claim_of: Mapping[int, Claim], names: Names, position: Callable[[Item], str]
) -> Iterator[Claim]:
    """The claims of those that go. `claim_of`: id of a song -> its claim; what stays at another target has none."""
    for companion in companions:
        item, song = companion.item, companion.song
        name = name_of(item.entry.path)
        if companion.kind is Kind.ALBUM:
            directory = "/".join([companion.directory, *(names.directory(part) for part in companion.below.split("/") if part)])
        elif companion.kind is Kind.TRACK and song is not None:
            track = claim_of.get(id(song))
            path = f"{song.directory}/{song.stem}{song.extension}" if track is None else track.path
            directory, file = split_path(path)
            # Where the track stays the name is as good as its own; only case or Unicode form can differ.
            if companion.former or track is None or position(song.item) != path:
                name = split_extension(file)[0] + companion.suffix
        else:
            continue
        stem, extension = split_extension(name)
        extension = names.extension(extension)
        yield Claim(item, position(item), directory, names.stem(stem, extension), extension, companion)


class CompanionNames:
    """Lets in what belonged to duplicates, beside what belongs to what stays for them: under its own name, or not at all."""

    def __init__(self, namespace: Namespace, standing: Iterable[Item]) -> None:
        """`standing` is what the target holds already."""
        self._namespace = namespace
        self._lists = {kind_of_list(item.entry.path) for item in standing if is_list(item.entry.path)}
        self.superseded: list[Claim] = []
        """Those whose name is taken, and lists of a kind that their directory has: two would say the same."""

    def let_in(self, claims: Sequence[Claim], own: Iterable[Claim]) -> list[Claim]:
        """Give names to some of the claims, in the order of their positions. `own` have theirs."""
        if not claims:
            return []
        self._lists.update(kind_of_list(claim.path) for claim in own if _is_album_list(claim))
        self._namespace.settle_directories(claim.directory for claim in claims)
        found = []
        for claim in sorted(claims, key=lambda claim: (claim.position, claim.item.entry.id or "")):
            listing = _is_album_list(claim)
            wanted = f"{self._namespace.directory(claim.directory)}/{claim.stem}{claim.extension}"
            if (listing and kind_of_list(wanted) in self._lists) or not self._namespace.is_free(claim):
                self.superseded.append(claim)
                continue
            self._namespace.assign([claim])
            found.append(claim)
            if listing:
                self._lists.add(kind_of_list(wanted))
        return found


def _is_album_list(claim: Claim) -> bool:
    return isinstance(claim.owner, Companion) and claim.owner.kind is Kind.ALBUM and is_list(claim.item.entry.path)


def kind_of_list(path: str) -> tuple[str, str]:
    """Of a list: the key of its directory, and its extension. Two of a kind say the same of one album."""
    return collision_key(parent_of(path)), extension_of(path)
