"""Links and shortcuts on servers in the place of synced files: the listing leaves them out, so the files seem to be deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orchestrator.paths import directories_above, join_path, name_of, parent_of, parents_of
from orchestrator.storage.protocol import Storage


def links_above(storage: Storage, missing: Iterable[str], listed: Iterable[str]) -> list[str]:
    """The links at the paths of missing files and above them, where the remote tells.

    It costs one request for each listed folder that has lost something, and for each folder in which nothing is left; one more
    where something is there that was not listed. Raises the storage's errors.
    """
    real = directories_above(listed) | {""}
    links: list[str] = []
    waiting = sorted(set(missing))
    while waiting:
        lost: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for path in waiting:
            place = next(place for place in (path, *parents_of(path)) if parent_of(place) in real)
            lost[parent_of(place)][name_of(place)].append(path)
        waiting = []
        for folder, names in lost.items():
            for name, is_link in storage.links(folder, names).items():
                place = join_path(folder, name)
                if is_link:
                    links.append(place)
                else:  # a folder without listed files
                    real.add(place)
                    waiting += [path for path in names[name] if path != place]
    return sorted(links)
