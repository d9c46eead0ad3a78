"""The search for duplicates, repeated without those it has found until it finds no more: a second run is to find nothing.

What a file is to others can depend on files that leave: an album loses a copy whose tags joined or split it, a copy in a folder
ranks by the number of tracks beside it, and files that agree only in part agree once the one between them is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import first
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.choices import NO_CHOICES, Choices
from orchestrator.plan.planners.dedup.records import Decision, Duplicates
from orchestrator.plan.planners.dedup.search import COMPLETE, SAME_SOUND, TELLING_APART, SameFiles
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Ref

NoteInPlace = Callable[[Sequence[Candidate], Iterable[Candidate]], None]
"""Sets `Candidate.in_place`: called with all candidates and those that may be duplicates."""

UNSETTLED = "what one of them is to other files would change if it left"

_MAX_SEARCHES = 12
"""Libraries made to be difficult need up to five. After more, the first search counts."""


def find_duplicates(
    candidates: Iterable[Candidate],
    options: DedupSettings | None = None,
    note_in_place: NoteInPlace | None = None,
    choices: Choices = NO_CHOICES,
) -> Duplicates:
    """Decide which files of any number of locations are duplicates. Their order does not matter.

    Each search is one of `SameFiles.duplicates`. With choices there is one search alone: its outcome is what the person has seen.
    Raises UsageError for an invalid `keep`.
    """
    if choices != NO_CHOICES:
        return SameFiles(tuple(candidates), note_in_place).duplicates(options or DedupSettings(), choices)
    search = _RepeatedSearch(tuple(candidates), options or DedupSettings(), note_in_place)
    return search.settled()


class _RepeatedSearch:
    def __init__(self, candidates: Sequence[Candidate], options: DedupSettings, note_in_place: NoteInPlace | None) -> None:
        self._candidates = candidates
        self._options = options
        self._note_in_place = note_in_place
        self._same = SameFiles(candidates, note_in_place)
        self._staying: dict[Ref, str] = {}
        """Files whose going would lead to more than they are worth -> why they stay, in words."""

    def settled(self) -> Duplicates:
        """The duplicates, and none where another run would find more than they are."""
        found = self.result()
        while self._staying:
            gone = {id(one.duplicate) for one in found.decisions}
            rest = [_again(one, compared=True) for one in self._candidates if id(one) not in gone]
            more = _RepeatedSearch(rest, self._options, self._note_in_place).result().decisions
            titles = {_title(file) for one in more for file in (one.duplicate, one.kept)}
            around = [one.duplicate for one in found.decisions if titles & {_title(one.duplicate), _title(one.kept)}]
            staying = {one.ref: UNSETTLED for one in (*around, *(one.duplicate for one in more))}
            if staying.keys() <= self._staying.keys():
                break
            self._staying |= staying
            found = self.result()
        return found

    def result(self) -> Duplicates:
        """The duplicates of all searches together, each with the file that is kept in the end."""
        alone = found = self._same.duplicates(self._options, NO_CHOICES, self._staying)
        gone = {id(one.duplicate): one for one in found.decisions}
        freed = False
        for _ in range(_MAX_SEARCHES):
            if not freed and not self._may_find_more(gone):
                return self._all_of(gone, found)
            found = self._search([one for one in self._candidates if id(one) not in gone])
            all_gone = gone | {id(one.duplicate): one for one in found.decisions}
            # What was a duplicate of a file that leaves is compared with the others.
            kept = {name: one for name, one in all_gone.items() if id(one.kept) not in all_gone}
            freed = len(kept) < len(all_gone)
            staying = self._telling_apart(found.decisions, gone) | self._broken_up(kept)
            if staying.keys() - self._staying.keys():
                self._staying |= staying
                found = self._same.duplicates(self._options, NO_CHOICES, self._staying)
                gone, freed = {id(one.duplicate): one for one in found.decisions}, False
            elif not found.decisions:
                return self._all_of(gone, found)
            else:
                gone = kept
        return alone

    def _all_of(self, gone: Mapping[int, Decision], last: Duplicates) -> Duplicates:
        decisions = sorted(gone.values(), key=lambda one: (one.kept.fs, one.kept.path, one.duplicate.fs, one.duplicate.path))
        return Duplicates(tuple(decisions), last.alike)

    def _telling_apart(self, more: Iterable[Decision], gone: Mapping[int, Decision]) -> dict[Ref, str]:
        """The files without which files that sound different would be the same by tags that only agree in part."""
        by_tags = [(id(one.duplicate), id(one.kept)) for one in more if one.tier not in SAME_SOUND]
        found: dict[Ref, str] = {}
        for members in self._same.unclear if by_tags else ():
            names = {id(one) for one in members}
            if any(one in names and other in names for one, other in by_tags):
                found |= {one.ref: TELLING_APART for one in members if id(one) in gone}
        return found

    def _broken_up(self, gone: Mapping[int, Decision]) -> dict[Ref, str]:
        """The files of complete albums of which some tracks would be left: what made them complete has left before."""
        copies = {id(copy): copy for one in gone.values() if (copy := one.duplicate.album_copy) is not None and copy.complete}
        found: dict[Ref, str] = {}
        for copy in copies.values():
            needed = copy.needed()
            lost = sum(all(id(one) in gone for one in files) for files in needed)
            if 0 < lost < len(needed):
                found |= {one.ref: COMPLETE for one in copy.members}
        return found

    def _may_find_more(self, gone: Mapping[int, Decision]) -> bool:
        """Whether another search could find more: two files stay that could be the same, and something around them leaves."""
        if not gone:
            return False
        titles = {_title(one.duplicate) for one in gone.values()}
        groups = [*self._same.groups, *self._same.unclear]
        open_groups = []
        for members in groups:
            staying = [one for one in members if id(one) not in gone]
            if len(staying) > 1 and (len(staying) < len(members) or any(_title(one) in titles for one in staying)):
                open_groups.append(staying)
        if not open_groups:
            return False
        return bool(self._search_around(open_groups, groups, gone).decisions)

    def _search_around(
        self, open_groups: Iterable[Sequence[Candidate]], groups: Iterable[Sequence[Candidate]], gone: Mapping[int, Decision]
    ) -> Duplicates:
        """A search among these files, those of their albums, and what is the same as one of them. Other albums only count."""
        titles = {_title(one) for members in open_groups for one in members}
        near = {id(one) for one in self._candidates if _title(one) in titles}
        near |= {id(one) for members in groups if any(id(one) in near for one in members) for one in members}
        titles = {_title(one) for one in self._candidates if id(one) in near}
        return self._search([one for one in self._candidates if id(one) not in gone and _title(one) in titles], near)

    def _search(self, candidates: Sequence[Candidate], compared: Collection[int] | None = None) -> Duplicates:
        """One search among some of the files, of which those in `compared` (ids of Python) can be duplicates.

        It uses candidates of its own, because their albums are other ones.
        """
        own = [_again(one, compared=compared is None or id(one) in compared) for one in candidates]
        of = {id(one): given for one, given in zip(own, candidates, strict=True)}
        found = SameFiles(own, self._note_in_place).duplicates(self._options, NO_CHOICES, self._staying)
        return Duplicates(
            tuple(replace(one, duplicate=of[id(one.duplicate)], kept=of[id(one.kept)]) for one in found.decisions),
            tuple(replace(one, files=tuple(of[id(file)] for file in one.files)) for one in found.alike),
        )


def _title(candidate: Candidate) -> str:
    return fold(first(candidate.track.album))


def _again(candidate: Candidate, *, compared: bool) -> Candidate:
    return Candidate(
        candidate.fs,
        candidate.item,
        candidate.reading,
        shares_name=candidate.shares_name,
        eligible=candidate.eligible and compared,
        in_place=candidate.in_place,
    )
