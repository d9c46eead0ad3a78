"""What is directly in a folder, with the links and shortcuts that listings leave out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from orchestrator.errors import NotFoundError
from orchestrator.paths import is_local, is_ours, join_location, join_path, name_of, parent_of
from orchestrator.profiles import load_profile
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.rc_client import RcClient
from orchestrator.rclone.runtime import Rclone


class ShownNames:
    """The names in the folders of one location."""

    def __init__(self, client: RcClient, fs: str, link_option: str | None) -> None:
        """`link_option`: what makes rclone leave links out there (see Profile); None if it does not, or cannot."""
        self._client = client
        self._fs = fs
        self._with_links = rc_bodies.with_option(fs, f"{link_option}=false") if link_option else fs

    @property
    def may_hide_links(self) -> bool:
        """Whether listings leave links out."""
        return self._with_links != self._fs

    def fs_of(self, folder: str) -> str:
        """The location as it shows all that is in a folder: with links, but there are none in our own."""
        return self._fs if is_ours(folder) else self._with_links

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage. With links: a folder that holds one is not empty."""
        return self._names(self.fs_of(path), path)

    def links(self, path: str, among: Collection[str]) -> Mapping[str, bool]:
        """See Storage."""
        shown = self.entries(path) if self.may_hide_links else None
        found = {name.rstrip("/") for name in shown or ()}.intersection(among)
        listed = {name.rstrip("/") for name in (self._names(self._fs, path) if found else None) or ()}
        return {name: name not in listed for name in sorted(found)}

    def _names(self, fs: str, path: str) -> Sequence[str] | None:
        try:
            listed = self._client.call("operations/list", rc_bodies.list_names(fs, path))["list"]
        except NotFoundError:  # there is no such folder, so it has no links
            return None
        return [f"{item['Name']}/" if item["IsDir"] else item["Name"] for item in listed]


def links_below(rclone: Rclone, fs: str, path: str, among: Collection[str]) -> Mapping[str, bool]:
    """See `Storage.links`: on a remote that leads to others (alias, crypt, combine, union), by a look at those.

    What any of them shows as a file or folder is none. Disks of this machine are left out: their links are followed to find them.
    """
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for name in sorted(among):
        for place in rclone.places_of(join_location(fs, join_path(path, name))):
            remote, colon, below = place.fs.partition(":")
            if colon and below and not is_local(place.fs) and place.named:
                wanted[f"{remote}:{parent_of(below)}"][name_of(below)] = name
    found: dict[str, bool] = {}
    for folder, names in wanted.items():
        shown = ShownNames(rclone.client, folder, load_profile(rclone.remote_type(folder)).link_option)
        for name, is_link in shown.links("", names.keys()).items():
            found[names[name]] = found.get(names[name], True) and is_link
    return found
