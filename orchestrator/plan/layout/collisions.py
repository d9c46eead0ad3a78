"""Assigns the names of the whole plan at once: no two files share a collision key, and no file has the name of a directory.

Every file that wants a name makes a Claim. Claims for one name are served in a fixed order: first the file that already has the
name or a numbered variant of it, then by path. Each gets the name or its first free variant " (2)", " (3)" ... So the same files
get the same names in every run and on every remote. But a file that may be cut never gets the name itself if another one is
whole, nor does a copy ("song (1)") before its original.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orchestrator.paths import collision_key, join_path, name_of, parent_of, split_path
from orchestrator.plan.layout.names import Names
from orchestrator.plan.layout.number_suffix import possible_number
from orchestrator.plan.music.copy_names import looks_like_copy
from orchestrator.plan.music.cut import cut_readings
from orchestrator.plan.music.same_content import Likeness, same_content
from orchestrator.records import Item


@dataclass(slots=True, eq=False)
class Claim:
    """One file that wants a name. Directory, stem and extension are legal already."""

    item: Item
    position: str
    """Its path now, relative to the target's root: a file that already has the name keeps it."""
    directory: str
    stem: str
    extension: str
    owner: object = None
    """The song or companion that the claim is for."""
    path: str = ""
    """The assigned path."""
    number: int = 1
    """From 2 on, the number in the assigned name."""
    occupant: Item | None = None
    """The equal file that the target already has at `path`."""
    compared: bool = True
    """Whether it is known that `occupant` has the same bytes; False: everything else agrees."""
    differs_from: Item | None = None
    """A file at the target that wants the name as well and agrees in size and tags, but not in its bytes or sound."""
    undecided: tuple[Item, ...] = ()
    """Files at the target that have names it wants, and may be equal to it: only a read shows that. It then gets no name."""

    @property
    def present(self) -> bool:
        """Whether the target already has an equal file at `path`."""
        return self.occupant is not None


class Namespace:
    """The names of one target: those of files that stay there, and those that the plan has assigned."""

    def __init__(
        self,
        names: Names,
        staying: Sequence[str],
        occupants: Iterable[Item],
        *,
        clutter: Iterable[str] = (),
        directories: Iterable[str] = (),
        shared: bool = False,
        equal: Callable[[Claim, Item], Likeness] | None = None,
    ) -> None:
        """`staying` are paths in use; `occupants` are files of the target that may be equal to the file of a claim.

        An occupant satisfies one claim, or with `shared` every claim that it is `equal` to (by default: has the same content).
        Names of `clutter` are in use too, but not its directories: the plan removes clutter from them. `directories` stay.
        """
        self._names = names
        self._shared = shared
        self._equal = equal or (lambda claim, occupant: same_content(claim.item, occupant))
        self._occupants = {collision_key(item.entry.path): item for item in sorted(occupants, key=lambda item: item.entry.path)}
        self._files = {collision_key(path) for path in staying} | self._occupants.keys()
        self._directories: set[str] = set()
        self._spelling: dict[str, str] = {}
        """Collision key of a directory -> the spelling of its last part."""
        self._resolved: dict[str, str] = {"": ""}
        paths = [*staying, *(item.entry.path for item in self._occupants.values())]
        for directory in [*directories, *sorted({parent_of(path) for path in paths})]:
            self._note_directory(directory)
        self._files.update(map(collision_key, clutter))

    def directory(self, wanted: str) -> str:
        """A wanted directory as the plan spells it: decided by `settle_directories`, otherwise on first use."""
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
        """Decide the spelling of directories that differ only in case or Unicode form: the existing one, or the most wanted."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for directory, count in Counter(wanted).items():
            path = directory
            while path:
                votes[collision_key(path)][name_of(path)] += count
                path = parent_of(path)
        for key, spellings in votes.items():
            self._spelling.setdefault(key, min(spellings, key=lambda name: (-spellings[name], name)))

    def assign(self, claims: Sequence[Claim]) -> None:
        """Assign a path to every claim."""
        for claim in claims:
            claim.directory = self.directory(claim.directory)
        prefixes = {directory: collision_key(directory) + "/" if directory else "" for directory in {c.directory for c in claims}}
        sole: dict[str, Claim] = {}
        contested: dict[str, list[Claim]] = {}
        for claim in claims:
            key = prefixes[claim.directory] + collision_key(claim.stem + claim.extension)
            if key in contested:
                contested[key].append(claim)
            elif key in sole:
                contested[key] = [sole.pop(key), claim]
            elif self._free(key):
                sole[key] = claim
            else:
                contested[key] = [claim]
        for key, claim in sole.items():
            self._take(claim, key, 1)
        if contested:
            self._assign_contested(list(contested.values()))

    def _assign_contested(self, groups: list[list[Claim]]) -> None:
        """Assign the names that several claims want, or that are in use. Each group wants one name."""
        for group in groups:
            group.sort(key=self._precedence)
        groups.sort(key=lambda group: self._key(group[0], 1))
        for variants_too in (False, True):
            for group in groups:
                self._find_present(group, variants_too=variants_too)
        waiting = [[claim for claim in group if not claim.path and not claim.undecided] for group in groups]
        for group in waiting:
            if group and self._free(key := self._key(group[0], 1)):
                first = self._first_for_the_name(group)
                group.remove(first)
                self._take(first, key, 1)
        for group in waiting:
            number = 1
            for claim in group:
                while not self._free(key := self._key(claim, number)):
                    number += 1
                self._take(claim, key, number)

    def is_free(self, claim: Claim) -> bool:
        """Whether the exact name that a claim wants is free."""
        directory = self.directory(claim.directory)
        return self._free(collision_key(join_path(directory, claim.stem + claim.extension)))

    def _find_present(self, group: list[Claim], *, variants_too: bool) -> None:
        """Match claims with equal files that the target already has, instead of making a second copy."""
        remaining = [claim for claim in group if not claim.path]
        number = 1
        while remaining and not self._free(key := self._key(group[0], number)):
            occupant = self._occupants.get(key)
            if occupant is not None:
                found = self._equal_claims(remaining, occupant)
                for claim, compared in found:
                    claim.path, claim.number, claim.occupant, claim.undecided = occupant.entry.path, number, occupant, ()
                    claim.compared = compared
                if found:
                    remaining = [claim for claim in remaining if not claim.path]
                    if not self._shared:
                        del self._occupants[key]
            if not variants_too:
                return
            number += 1

    def _equal_claims(self, claims: Sequence[Claim], occupant: Item) -> list[tuple[Claim, bool]]:
        """The claims of files that an occupant equals, without `shared` only the first, and whether their bytes were compared.

        Notes those of which nothing is known.
        """
        found = []
        for claim in claims:
            # A file that stays in the target while it is copied there equals itself.
            itself = self._shared and claim.position == occupant.entry.path
            likeness = Likeness.SAME if itself else self._equal(claim, occupant)
            if likeness is Likeness.UNKNOWN and occupant not in claim.undecided:
                claim.undecided = (*claim.undecided, occupant)
            elif likeness is Likeness.DAMAGED:
                claim.differs_from = occupant
            elif likeness.agrees:
                found.append((claim, likeness is Likeness.SAME))
                if not self._shared:
                    break
        return found

    def _precedence(self, claim: Claim) -> tuple[bool, int, bool, str]:
        number = self._current_number(claim)
        exact = claim.position == self._path(claim, number or 1)
        return not number, number, not exact, claim.position

    def _first_for_the_name(self, group: Sequence[Claim]) -> Claim:
        """Which claim of a group gets the name without a number. `group` is in the order of precedence."""
        cut = cut_readings(claim.item.reading for claim in group if claim.item.reading is not None)

        def rank(claim: Claim) -> tuple[bool, bool, bool]:
            has_name = self._current_number(claim) == 1
            return id(claim.item.reading) in cut, not has_name, looks_like_copy(name_of(claim.position))

        return min(group, key=rank)

    def _current_number(self, claim: Claim) -> int:
        """1 if the file already has the wanted name, 2 if it has the variant " (2)" ..., 0 if it has neither."""
        position = collision_key(claim.position)
        if position == self._key(claim, 1):
            return 1
        number = possible_number(claim.position[: len(claim.position) - len(claim.extension)])
        return number if number and position == self._key(claim, number) else 0

    def _free(self, key: str) -> bool:
        return key not in self._files and key not in self._directories

    def _take(self, claim: Claim, key: str, number: int) -> None:
        self._files.add(key)
        path = self._path(claim, number)
        # In an organized library most files are already in place: sharing one string for both paths saves much memory.
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
