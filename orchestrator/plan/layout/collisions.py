"""Names for the whole plan at once: no two files meet under the collision key, no file is in a directory's way.

Every file that wants a name makes a Claim. Claims for one name are served in a fixed order - who already stands at the name
or at a numbered variant of it first, then by path - and get the name, or its first free variant " (2)", " (3)" ... So the
same files get the same names in every run, on every remote.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from orchestrator.paths import collision_key, join_path, name_of, parent_of, split_path
from orchestrator.plan.layout.names import Names
from orchestrator.plan.music.same_content import same_content
from orchestrator.records import Item


@dataclass(slots=True, eq=False)
class Claim:
    """One file that wants a name. The planner gives directory, stem and extension in legal form."""

    item: Item
    position: str
    """Where it is now, relative to its root: whoever stands at a name keeps it."""
    directory: str
    stem: str
    extension: str
    owner: object = None
    """The song or companion that it is made for."""
    path: str = ""
    """What it got."""
    number: int = 1
    present: bool = False
    """The target holds an equal file at `path` already."""


class Namespace:
    """The names of one target: what stays there, and what the plan has given away."""

    def __init__(
        self,
        names: Names,
        staying: Sequence[str],
        occupants: Iterable[Item],
        *,
        clutter: Iterable[str] = (),
        shared: bool = False,
        equal: Callable[[Claim, Item], bool] | None = None,
    ) -> None:
        """`staying` are paths that nobody may use, `occupants` files that may turn out to be what a claim would put there.

        An occupant stands for one claim, with `shared` for every claim that it is `equal` to (as files are by default).
        `clutter` has its names, but its directories are not in anybody's way: it is swept out of them.
        """
        self._names = names
        self._shared = shared
        self._equal = equal or (lambda claim, occupant: same_content(claim.item, occupant))
        self._occupants = {collision_key(item.entry.path): item for item in sorted(occupants, key=lambda item: item.entry.path)}
        self._files = {collision_key(path) for path in staying} | self._occupants.keys()
        self._directories: set[str] = set()
        self._spelling: dict[str, str] = {}
        """Key of a directory as wanted -> how its last part is spelled."""
        self._resolved: dict[str, str] = {"": ""}
        paths = [*staying, *(item.entry.path for item in self._occupants.values())]
        for directory in sorted({parent_of(path) for path in paths}):
            self._note_directory(directory)
        self._files.update(map(collision_key, clutter))

    def directory(self, wanted: str) -> str:
        """A wanted directory as the plan spells it; settled by `settle_directories`, else on first use."""
        resolved = self._resolved.get(wanted)
        if resolved is not None:
            return resolved
        parent, name = split_path(wanted)
        above = self.directory(parent)
        name = self._spelling.setdefault(collision_key(wanted), name)
        prefix = f"{above}/" if above else ""
        number = 1
        resolved = prefix + name
        while collision_key(resolved) in self._files:
            number += 1
            resolved = prefix + self._names.file(name, "", number)
        self._resolved[wanted] = resolved
        self._directories.add(collision_key(resolved))
        return resolved

    def settle_directories(self, wanted: Iterable[str]) -> None:
        """Decide how directories that differ in case or Unicode form only are spelled: as it stands, else as most want it."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for directory, count in Counter(wanted).items():
            path = directory
            while path:
                votes[collision_key(path)][name_of(path)] += count
                path = parent_of(path)
        for key, spellings in votes.items():
            self._spelling.setdefault(key, min(spellings, key=lambda name: (-spellings[name], name)))

    def assign(self, claims: Sequence[Claim]) -> None:
        """Give every claim its path."""
        for claim in claims:
            claim.directory = self.directory(claim.directory)
        prefixes = {directory: collision_key(directory) + "/" if directory else "" for directory in {c.directory for c in claims}}
        alone: dict[str, Claim] = {}
        crowded: dict[str, list[Claim]] = {}
        for claim in claims:
            key = prefixes[claim.directory] + collision_key(claim.stem + claim.extension)
            if key in crowded:
                crowded[key].append(claim)
            elif key in alone:
                crowded[key] = [alone.pop(key), claim]
            elif self._free(key):
                alone[key] = claim
            else:
                crowded[key] = [claim]
        for key, claim in alone.items():
            self._give(claim, key, 1)
        if crowded:
            self._serve(list(crowded.values()))

    def _serve(self, groups: list[list[Claim]]) -> None:
        for group in groups:
            group.sort(key=self._turn)
        groups.sort(key=lambda group: self._key(group[0], 1))
        for variants_too in (False, True):
            for group in groups:
                self._find_present(group, variants_too=variants_too)
        waiting = [[claim for claim in group if not claim.path] for group in groups]
        for group in waiting:
            if group and self._free(key := self._key(group[0], 1)):
                self._give(group.pop(0), key, 1)
        for group in waiting:
            number = 1
            for claim in group:
                while not self._free(key := self._key(claim, number)):
                    number += 1
                self._give(claim, key, number)

    def is_free(self, claim: Claim) -> bool:
        """Whether a claim could have just the name that it wants."""
        directory = self.directory(claim.directory)
        return self._free(collision_key(join_path(directory, claim.stem + claim.extension)))

    def _find_present(self, group: list[Claim], *, variants_too: bool) -> None:
        """Let claims have what the target already holds of them, instead of a second copy."""
        remaining = [claim for claim in group if not claim.path]
        number = 1
        while remaining and not self._free(key := self._key(group[0], number)):
            occupant = self._occupants.get(key)
            if occupant is not None:
                equal = (claim for claim in remaining if self._equal(claim, occupant))
                found = list(equal) if self._shared else list(islice(equal, 1))
                for claim in found:
                    claim.path, claim.number, claim.present = occupant.entry.path, number, True
                if found:
                    remaining = [claim for claim in remaining if not claim.path]
                    if not self._shared:
                        del self._occupants[key]
            if not variants_too:
                return
            number += 1

    def _turn(self, claim: Claim) -> tuple[bool, int, bool, str]:
        number = self._standing(claim)
        exact = claim.position == self._path(claim, number or 1)
        return not number, number, not exact, claim.position

    def _standing(self, claim: Claim) -> int:
        """1 for whoever stands at its name, 2 at " (2)" ..., 0 for whoever comes from elsewhere."""
        position = collision_key(claim.position)
        if position == self._key(claim, 1):
            return 1
        inner = claim.position[: len(claim.position) - len(claim.extension)].rstrip(")")
        digits = inner.rpartition("(")[2]
        if digits.isascii() and digits.isdigit() and len(digits) < 9 and position == self._key(claim, int(digits)):
            return int(digits)
        return 0

    def _free(self, key: str) -> bool:
        return key not in self._files and key not in self._directories

    def _give(self, claim: Claim, key: str, number: int) -> None:
        self._files.add(key)
        path = self._path(claim, number)
        # Most files of a library in order stand where they should: one text for both saves much memory.
        claim.path, claim.number = claim.position if path == claim.position else path, number

    def _path(self, claim: Claim, number: int) -> str:
        name = self._names.file(claim.stem, claim.extension, number)
        return f"{claim.directory}/{name}" if claim.directory else name

    def _key(self, claim: Claim, number: int) -> str:
        return collision_key(self._path(claim, number))

    def _note_directory(self, path: str) -> None:
        while path:
            key = collision_key(path)
            if key in self._directories:
                return
            self._directories.add(key)
            self._spelling.setdefault(key, name_of(path))
            path = parent_of(path)
