"""What the folders of one location hold, each looked at once: for the end of a run, which only takes emptied folders away."""

from __future__ import annotations

from orchestrator.apply.folder_look import IDS_HOLD_S
from orchestrator.paths import case_key, name_of, parent_of
from orchestrator.storage.protocol import Storage


class FolderNames:
    """The names in folders. A folder that another look has shown to be gone is not looked for."""

    def __init__(self, storage: Storage) -> None:
        """Makes the storage look up all folders again, unless that was done a moment ago."""
        storage.forget_folders(keep_s=IDS_HOLD_S)
        self._storage = storage
        self._key_of = case_key if storage.capabilities.case_insensitive else str
        self._found: dict[str, dict[str, str] | None] = {}
        """Key of a folder -> key of each name -> the name, folders with a "/" at the end; None: there is no such folder."""

    def of(self, folder: str) -> list[str] | None:
        """The names in it, folders with a "/" at the end; None if it does not exist. Raises the storage's errors."""
        found = self._look(folder)
        return None if found is None else [*found.values()]

    def has(self, path: str) -> bool:
        """Whether a file is there, under any spelling. Looks into its folder; raises the storage's errors."""
        return self._key_of(name_of(path)) in (self._look(parent_of(path)) or {})

    def _look(self, folder: str) -> dict[str, str] | None:
        key, above = self._key_of(folder), self._key_of(parent_of(folder))
        if key not in self._found:
            gone = above in self._found and key != above and self._key_of(f"{name_of(folder)}/") not in (self._found[above] or {})
            names = None if gone else self._storage.entries(folder)
            self._found[key] = None if names is None else {self._key_of(name): name for name in names}
        return self._found[key]
