"""What files that are not audio belong to: the music beside them. Where it went, they go as well."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from orchestrator.paths import case_key, parent_of, parents_of, split_extension


class MusicFolders:
    """The folders of one side with the music in them, and where that is on the other side."""

    def __init__(self, audio: Iterable[str], partners: Mapping[str, str]) -> None:
        """`partners`: file -> the file of the other side that is the same entry."""
        self._partners = partners
        self._inside: dict[str, list[str]] = defaultdict(list)
        self._below: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for path in audio:
            self._inside[parent_of(path)].append(path)
            self._by_stem[_stem(path)].append(path)
            for folder in parents_of(path):
                self._below[folder].append(path)
        self._ways: dict[str | None, dict[str, int]] = {None: {}}
        """Folder, or path without its extension -> what `way` answers."""

    def folder_of(self, path: str) -> str | None:
        """The folder whose music a file belongs to; None if to none.

        Its own, with music in it or in folders in it (discs, albums), or the nearest one above with music in itself.
        """
        folder = parent_of(path)
        if folder in self._inside or folder in self._below:
            return folder
        return next((above for above in parents_of(folder, root=True) if above in self._inside), None)

    def way(self, path: str) -> Mapping[str, int]:
        """Where the music of a file is on the other side, with the folders above it, as folder -> rank: 0 is where most of it is.

        Empty if some of that music stays where it is, or is not on the other side: the file then stays as well. The music of
        lyrics is the song with their name; that of other files is what is in their folder.
        """
        stem, folder = _stem(path), self.folder_of(path)
        key = stem if stem in self._by_stem else folder
        if key not in self._ways:
            music = self._by_stem.get(stem) or self._inside.get(folder or "") or self._below[folder or ""]
            self._ways[key] = self._way(music)
        return self._ways[key]

    def _way(self, music: Iterable[str]) -> dict[str, int]:
        went: Counter[str] = Counter()
        for path in music:
            partner = self._partners.get(path)
            if partner is None or case_key(parent_of(path)) == case_key(parent_of(partner)):
                return {}
            went[parent_of(partner)] += 1
        ranks: dict[str, int] = {}
        for rank, (_, folder) in enumerate(sorted((-count, folder) for folder, count in went.items())):
            for one in (folder, *parents_of(folder, root=True)):
                ranks.setdefault(one, rank)
        return ranks

    def is_free(self, path: str) -> bool:
        """Whether a file may be renamed without taking it away from music."""
        return self.folder_of(path) is None or bool(self.way(path))


def _stem(path: str) -> str:
    return split_extension(path)[0]
