"""The search for duplicates: which files are duplicates of a kept file, and which are the same or look alike and are all kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator.plan.music.cut import cut_readings
from orchestrator.plan.music.lost_end import lost_ends
from orchestrator.plan.planners.dedup import reasons_to_keep
from orchestrator.plan.planners.dedup.album_copies import find_album_copies
from orchestrator.plan.planners.dedup.candidates import AlbumCopy, Candidate
from orchestrator.plan.planners.dedup.choices import NO_CHOICES, Choices
from orchestrator.plan.planners.dedup.keep_order import KeepOrder
from orchestrator.plan.planners.dedup.records import ACTING, Alike, Decision, Duplicates, Tier
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.dedup.tiers import Tiers, components, lookalikes
from orchestrator.records import Ref

_MAX_COMPARED = 64
"""A file is compared with at most this many kept files that are the same. It is kept if none of them can replace it."""

SAME_SOUND = (Tier.BYTES, Tier.AUDIO)

NONE: Mapping[Ref, str] = {}

COMPLETE = "a complete album would become incomplete"
BETTER = "it is better than the track of a complete album, which is kept"
EARLIER_LOCATION = "a location only loses a file to a better one in a location that comes after it"
CONTRADICTING = "their tags are the same, but contradict each other about"
TELLING_APART = "the tags of one of them tell other files apart, which would look the same without it"
UNCLEAR = "they agree only in part: one of them matches files that differ from each other"


class SameFiles:
    """Which files are the same, whatever is chosen among them: it can be searched again and again with other choices."""

    def __init__(
        self,
        candidates: Iterable[Candidate],
        note_in_place: Callable[[Sequence[Candidate], Iterable[Candidate]], None] | None = None,
    ) -> None:
        ordered = sorted(candidates, key=lambda candidate: (candidate.fs, candidate.path, candidate.item.entry.id or ""))
        find_album_copies(ordered)
        self._eligible = [candidate for candidate in ordered if candidate.eligible]
        self._tiers = Tiers(self._eligible)
        self.groups: Sequence[Sequence[Candidate]] = components(self._eligible, self._tiers)
        """Files that are connected by any tier. Each file is in one group at most."""
        self.unclear: Sequence[Sequence[Candidate]] = [members for _, members in self._tiers.unclear]
        """Files with equal tags of which some contradict others."""
        self._cut = cut_readings(one.reading for one in self._eligible) | lost_ends(
            [one.reading for one in members] for members in self.groups
        )
        if self.groups and note_in_place is not None:
            note_in_place(ordered, (member for members in self.groups for member in members))

    def duplicates(self, options: DedupSettings, choices: Choices = NO_CHOICES, staying: Mapping[Ref, str] = NONE) -> Duplicates:
        """Decide which files are duplicates.

        A file is only a duplicate of a kept file with which it shares a tier directly. A track of a complete album is only a
        duplicate of another file of that track in the same folder, or together with the whole folder, if another copy of the
        album has all of its tracks. Files in `staying` stay, for the reasons in words that it has. Raises UsageError for an
        invalid `keep`.
        """
        search = self._searched(options, choices, self.groups, staying)
        return Duplicates(search.decisions(), tuple(search.all_kept(self.groups, self._eligible)))

    def decide(self, options: DedupSettings, choices: Choices, groups: Sequence[Sequence[Candidate]]) -> Decided:
        """The same for some groups. Groups that hold tracks of one album copy have to be decided together."""
        search = self._searched(options, choices, groups)
        return Decided(search.decisions(), search.reasons)

    def order(self, options: DedupSettings) -> KeepOrder:
        """Which of these files are kept rather than others, by the criteria alone."""
        return KeepOrder(options, self._cut)

    def _searched(
        self, options: DedupSettings, choices: Choices, groups: Sequence[Sequence[Candidate]], staying: Mapping[Ref, str] = NONE
    ) -> _Search:
        search = _Search(options, self._tiers, KeepOrder(options, self._cut, choices), staying)
        for members in groups:
            search.register(members)
        for members in groups:
            search.choose(members)
        search.keep_albums_complete()
        search.prefer_album_tracks()
        return search


class Decided(NamedTuple):
    """What a search came to in some groups."""

    decisions: tuple[Decision, ...]
    reasons: Mapping[tuple[int, int], str]
    """ids (of Python) of two candidates that are the same -> why the first one is kept beside the second."""


class _Match(NamedTuple):
    """A duplicate, the file that is kept instead of it, and the tier by which they are the same."""

    duplicate: Candidate
    kept: Candidate
    tier: Tier


class _Search:
    def __init__(self, options: DedupSettings, tiers: Tiers, order: KeepOrder, staying: Mapping[Ref, str]) -> None:
        self._same_format_only = options.same_format_only
        self._staying = staying
        self._order = order
        self._tiers = tiers
        self._with_label: dict[int, list[Candidate]] = defaultdict(list)
        """Label -> its candidates."""
        self._kept_with_label: dict[int, list[Candidate]] = defaultdict(list)
        """Label -> those of its candidates that are kept so far, first choice first."""
        self._kept: dict[int, Candidate] = {}
        self._matches: dict[int, _Match] = {}
        """id of a duplicate -> its match."""
        self._duplicates_of: dict[int, list[Candidate]] = defaultdict(list)
        """id of a kept file -> its duplicates; filled by `prefer_album_tracks`."""
        self._covers: dict[tuple[int, int], bool] = {}
        self.reasons: dict[tuple[int, int], str] = {}
        """ids of two files that are the same -> why both are kept."""

    def register(self, members: Iterable[Candidate]) -> None:
        """Note the labels of these files."""
        for member in members:
            for _, label in self._labels(member):
                self._with_label[label].append(member)

    def choose(self, members: Sequence[Candidate]) -> None:
        """Go through connected files, first choice first: each is a duplicate of a file that is already kept, or is kept."""
        for member in sorted(members, key=self._order.rank):
            match = self._match(member)
            if match is None:
                self._keep(member)
            else:
                self._matches[id(member)] = match

    def keep_albums_complete(self) -> None:
        """Keep tracks after all if a complete album would otherwise lose only some of its tracks."""
        copies = {id(copy): copy for match in self._matches.values() if (copy := match.duplicate.album_copy) is not None}
        for copy in copies.values():
            if not copy.complete:
                continue
            needed = copy.needed()
            lost = [files for files in needed if all(id(member) in self._matches for member in files)]
            if lost and len(lost) < len(needed):
                for files in lost:
                    self._keep_best(files)

    def prefer_album_tracks(self) -> None:
        """Where a kept loose file is the same as a kept album track and not better, make the loose file a duplicate.

        With the same sound neither is better, so the loose file is always the duplicate.
        """
        for match in self._matches.values():
            self._duplicates_of[id(match.kept)].append(match.duplicate)
        for candidate in sorted(self._kept.values(), key=self._order.rank, reverse=True):
            if self._is_album_track(candidate) or self._never_leaves(candidate):
                continue
            for tier, label in self._labels(candidate):
                if self._replace(candidate, tier, label):
                    break

    def decisions(self) -> tuple[Decision, ...]:
        """The duplicates, sorted by the file that is kept."""
        found = [
            Decision(duplicate, kept, tier, self._order.deciding_criterion(kept, duplicate))
            for duplicate, kept, tier in self._matches.values()
        ]
        return tuple(sorted(found, key=lambda one: (one.kept.fs, one.kept.path, one.duplicate.fs, one.duplicate.path)))

    def all_kept(self, groups: Sequence[Sequence[Candidate]], eligible: Sequence[Candidate]) -> Iterable[Alike]:
        """Groups of files that are the same or look alike, and are all kept."""
        reported: set[frozenset[int]] = set()
        for members in groups:
            for tier, same in self._kept_by_tier(members):
                ids = frozenset(map(id, same))
                if ids not in reported:
                    reported.add(ids)
                    yield Alike(tier, tuple(same), self._why_all_kept(same))
        for tier, members in self._tiers.unclear:
            remaining = [member for member in members if id(member) not in self._matches]
            ids = frozenset(map(id, remaining))
            if len(remaining) > 1 and ids not in reported:
                reported.add(ids)
                yield Alike(tier, tuple(remaining), UNCLEAR)
        for members, facts in self._tiers.contradicting:
            remaining = [member for member in members if id(member) not in self._matches]
            ids = frozenset(map(id, remaining))
            if len(remaining) > 1 and ids not in reported:
                reported.add(ids)
                yield Alike(Tier.ALIKE, tuple(remaining), f"{CONTRADICTING} {', '.join(facts)}")
        for members in lookalikes([candidate for candidate in eligible if id(candidate) not in self._matches]):
            ids = frozenset(map(id, members))
            if ids not in reported:
                reported.add(ids)
                yield Alike(Tier.ALIKE, tuple(members), "similar title and artist, or similar sound")

    # One file against another.

    def _labels(self, candidate: Candidate) -> Iterable[tuple[Tier, int]]:
        for tier in ACTING:
            label = self._tiers.labels[tier].get(id(candidate))
            if label is not None:
                yield tier, label

    def _never_leaves(self, member: Candidate) -> bool:
        return self._order.never_leaves(member) or (bool(self._staying) and member.ref in self._staying)

    def _match(self, member: Candidate) -> _Match | None:
        """The first kept file that this one is a duplicate of."""
        if self._never_leaves(member):
            return None
        for tier, label in self._labels(member):
            for kept in self._kept_with_label[label][:_MAX_COMPARED]:
                reason = self._reason_to_keep(member, kept, tier) or self._album_reason(member, kept)
                if reason is None and self._is_album_track(kept) and self._is_better(member, kept, tier):
                    reason = BETTER
                if reason is None:
                    return _Match(member, kept, tier)
                self.reasons.setdefault((id(member), id(kept)), reason)
        return None

    def _reason_to_keep(self, file: Candidate, kept: Candidate, tier: Tier) -> str | None:
        chosen = self._order.is_chosen(kept)
        reason = reasons_to_keep.reason_to_keep(
            file,
            kept,
            tier,
            same_format_only=self._same_format_only,
            lossless_first=self._order.lossless_first and not chosen,
        )
        if chosen:
            return reason
        if reason is None and tier not in SAME_SOUND:
            reason = self._order.undecided(kept, file)
        return reason or (None if self._order.may_replace(kept, file) else EARLIER_LOCATION)

    def _album_reason(self, member: Candidate, kept: Candidate) -> str | None:
        """A complete album keeps a file for each of its tracks, unless the whole copy is a duplicate of one that has them all."""
        copy = member.album_copy
        if copy is None or not copy.complete or (member.number is None and not copy.needs_unnumbered):
            return None
        if member.number is not None and copy is kept.album_copy:
            return None
        if member.number is not None and any(id(other) in self._kept for other in copy.slots[member.disc or 1, member.number]):
            return None
        by = kept.album_copy
        return None if by is not None and by is not copy and self._covered(copy, by) else COMPLETE

    def _covered(self, copy: AlbumCopy, by: AlbumCopy) -> bool:
        """Whether each track of a copy could be a duplicate of a track of another copy."""
        found = self._covers.get((id(copy), id(by)))
        if found is None:
            found = self._covers[id(copy), id(by)] = all(
                self._has_counterpart(member, by) for files in copy.needed() for member in files
            )
        return found

    def _has_counterpart(self, member: Candidate, by: AlbumCopy) -> bool:
        if self._never_leaves(member):
            return False
        return any(
            other.album_copy is by and self._reason_to_keep(member, other, tier) is None
            for tier, label in self._labels(member)
            for other in self._with_label[label][:_MAX_COMPARED]
        )

    def _keep(self, member: Candidate) -> None:
        self._kept[id(member)] = member
        for _, label in self._labels(member):
            self._kept_with_label[label].append(member)

    # Albums.

    def _keep_best(self, files: Sequence[Candidate]) -> None:
        """Keep the best file of a track after all; the others may stay duplicates."""
        best = min(files, key=self._order.rank)
        match = self._matches.pop(id(best))
        self.reasons[id(best), id(match.kept)] = COMPLETE
        self._keep(best)

    def _is_album_track(self, candidate: Candidate) -> bool:
        copy = candidate.album_copy
        return copy is not None and copy.complete and (candidate.number is not None or copy.needs_unnumbered)

    def _is_better(self, loose: Candidate, track: Candidate, tier: Tier) -> bool:
        """Whether a loose file ranks before an album track, leaving the rest of the album aside. Equal sound is equally good."""
        return (
            tier not in SAME_SOUND
            and not self._is_album_track(loose)
            and self._order.own_rank(loose) < self._order.own_rank(track)
        )

    def _replace(self, candidate: Candidate, tier: Tier, label: int) -> bool:
        """Make a kept file, with all its duplicates, a duplicate of another kept file. Returns whether there is one."""
        for other in self._kept_with_label[label][:_MAX_COMPARED]:
            if other is candidate or id(other) not in self._kept:
                continue
            reason = self._reason_to_keep(candidate, other, tier)
            if reason is not None:
                if reason == EARLIER_LOCATION:
                    self.reasons.setdefault((id(candidate), id(other)), reason)
                continue
            if not (self._is_album_track(other) or _has_more_album_tags(other, candidate)):
                continue
            if self._is_better(candidate, other, tier):
                continue
            # Its duplicates must be the same as the other file directly, not only through the candidate.
            duplicates = self._duplicates_of[id(candidate)]
            tiers = [self._shared_tier(duplicate, other) for duplicate in duplicates]
            if all(found is not None for found in tiers):
                for duplicate, found in zip(duplicates, tiers, strict=True):
                    self._matches[id(duplicate)] = _Match(duplicate, other, found or tier)
                # The other file is not replaced in turn: it ranks behind this one, so it was looked at before.
                del self._kept[id(candidate)]
                self._matches[id(candidate)] = _Match(candidate, other, tier)
                return True
        return False

    def _shared_tier(self, duplicate: Candidate, kept: Candidate) -> Tier | None:
        """The first tier by which one file could be a duplicate of the other."""
        for tier, label in self._labels(duplicate):
            if self._tiers.labels[tier].get(id(kept)) == label and self._reason_to_keep(duplicate, kept, tier) is None:
                return tier
        return None

    # Files that are the same and all kept.

    def _kept_by_tier(self, members: Sequence[Candidate]) -> Iterable[tuple[Tier, list[Candidate]]]:
        for tier in ACTING:
            same: dict[int, list[Candidate]] = defaultdict(list)
            labels = self._tiers.labels[tier]
            for member in members:
                if id(member) in labels and id(member) in self._kept:
                    same[labels[id(member)]].append(member)
            for found in same.values():
                if len(found) > 1:
                    yield tier, found

    def _why_all_kept(self, same: Sequence[Candidate]) -> str:
        if all(map(self._order.is_reference, same)):
            return reasons_to_keep.REFERENCE
        if all(map(self._order.is_left, same)):
            return reasons_to_keep.DECIDED
        found = {self._staying[member.ref] for member in same if member.ref in self._staying} if self._staying else set()
        if found:
            return "; ".join(sorted(found))
        ids = {id(member) for member in same}
        found = {why for (one, other), why in self.reasons.items() if one in ids and other in ids} if len(ids) < 3 else set()
        if not found:
            found = {
                why
                for one in same[:_MAX_COMPARED]
                for other in same[:_MAX_COMPARED]
                if (why := self.reasons.get((id(one), id(other)))) is not None
            }
        return "; ".join(sorted(found)) or COMPLETE


def _has_more_album_tags(one: Candidate, other: Candidate) -> bool:
    """Whether the tags of the first file place it in an album and those of the other do not, or not with a number."""
    return (one.album_copy is not None, one.number is not None) > (other.album_copy is not None, other.number is not None)
