"""The search: which files go, each for one that stays; and which are the same, or look so, and all stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from orchestrator.plan.planners.dedup import reasons_to_keep
from orchestrator.plan.planners.dedup.album_copies import find_album_copies
from orchestrator.plan.planners.dedup.candidates import AlbumCopy, Candidate
from orchestrator.plan.planners.dedup.keep_order import KeepOrder
from orchestrator.plan.planners.dedup.records import ACTING, Alike, Decision, Duplicates, Tier
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.dedup.tiers import Tiers, components, lookalikes

_MOST_LOOKED_AT = 64
"""So many kept files are held against one that may go; what is the same as more of them without reason to go stays."""

_SAME_SOUND = (Tier.BYTES, Tier.AUDIO)

COMPLETE = "it would leave a complete album incomplete"
BETTER = "it is better than the track of a complete album, which stays where it is"
UNCLEAR = "they agree only in part: the same as each of two that differ"


def find_duplicates(candidates: Iterable[Candidate], options: DedupSettings | None = None) -> Duplicates:
    """Decide about files of any number of locations. The order in which they come makes no difference.

    A file goes only for one that stays and shares a tier with it directly. A track of a complete album goes only for another copy
    of it in the same folder, or together with the whole folder, for one that has all of its tracks. Raises UsageError for a wrong
    `keep`.
    """
    ordered = sorted(candidates, key=lambda candidate: (candidate.fs, candidate.path, candidate.item.entry.id or ""))
    find_album_copies(ordered)
    acting = [candidate for candidate in ordered if candidate.takes_part]
    tiers = Tiers(acting)
    chosen = options or DedupSettings()
    search = _Search(chosen, tiers, KeepOrder(chosen, _maybe_cut(acting, tiers)))
    groups = components(acting, tiers)
    for members in groups:
        search.register(members)
    for members in groups:
        search.choose(members)
    search.keep_albums_whole()
    search.let_albums_win()
    return Duplicates(search.decisions(), tuple(search.staying(groups, acting)))


def _maybe_cut(candidates: Sequence[Candidate], tiers: Tiers) -> frozenset[int]:
    """The candidates that hold fewer bytes of sound than another one of the same sound and codec, and may be cut."""
    by_label: dict[int, list[Candidate]] = defaultdict(list)
    labels = tiers.labels[Tier.AUDIO]
    for candidate in candidates:
        if id(candidate) in labels:
            by_label[labels[id(candidate)]].append(candidate)
    found = set()
    for members in by_label.values():
        largest: dict[str | None, Candidate] = {}
        for member in members:
            other = largest.setdefault(member.track.codec, member)
            if (member.track.bitrate or 0) > (other.track.bitrate or 0):
                largest[member.track.codec] = member
        found |= {id(member) for member in members if reasons_to_keep.shortened(member, largest[member.track.codec])}
    return frozenset(found)


class _Search:
    def __init__(self, options: DedupSettings, tiers: Tiers, order: KeepOrder) -> None:
        self._same_format_only = options.same_format_only
        self._order = order
        self._tiers = tiers
        self._sharing: dict[int, list[Candidate]] = defaultdict(list)
        """Label -> its candidates."""
        self._kept: dict[int, list[Candidate]] = defaultdict(list)
        """Label -> those of its candidates that stay so far, the first choice first."""
        self._stays: dict[int, Candidate] = {}
        self._goes: dict[int, tuple[Candidate, Candidate, Tier]] = {}
        """id of a candidate that goes -> itself, the one it goes for, by which tier."""
        self._followers: dict[int, list[Candidate]] = defaultdict(list)
        """id of a candidate that stays -> those that go for it; known once albums win."""
        self._covers: dict[tuple[int, int], bool] = {}
        self._why: dict[tuple[int, int], str] = {}
        """Two candidates that are the same -> why both stay."""

    def register(self, members: Iterable[Candidate]) -> None:
        """Note who shares which label."""
        for member in members:
            for _, label in self._labels(member):
                self._sharing[label].append(member)

    def choose(self, members: Sequence[Candidate]) -> None:
        """Go through files that hang together, the first choice first: each goes for one that stays already, or stays."""
        for member in sorted(members, key=self._order.rank):
            found = self._reason_to_go(member)
            if found is None:
                self._keep(member)
            else:
                self._goes[id(member)] = (member, *found)

    def keep_albums_whole(self) -> None:
        """Take back what would leave a complete album with some of its tracks."""
        copies = {id(copy): copy for member, _, _ in self._goes.values() if (copy := member.album_copy) is not None}
        for copy in copies.values():
            if not copy.complete:
                continue
            lost = [slot for slot in copy.slots.values() if all(id(member) in self._goes for member in slot)]
            if lost and len(lost) < len(copy.slots):
                for slot in lost:
                    self._keep_one(slot)

    def let_albums_win(self) -> None:
        """Where a file is the same as a track of an album that must stay, and not better, the loose one goes.

        Of one sound there is no better: it goes in any case.
        """
        for goes, stays, _ in self._goes.values():
            self._followers[id(stays)].append(goes)
        for candidate in sorted(self._stays.values(), key=self._order.rank, reverse=True):
            if self._is_album_track(candidate) or self._order.is_reference(candidate):
                continue
            for tier, label in self._labels(candidate):
                if self._goes_for_another(candidate, tier, label):
                    break

    def decisions(self) -> tuple[Decision, ...]:
        """What goes, sorted by the file that stays."""
        found = [Decision(goes, stays, tier, self._order.decided(stays, goes)) for goes, stays, tier in self._goes.values()]
        return tuple(sorted(found, key=lambda one: (one.kept.fs, one.kept.path, one.duplicate.fs, one.duplicate.path)))

    def staying(self, groups: Sequence[Sequence[Candidate]], acting: Sequence[Candidate]) -> Iterable[Alike]:
        """Those that are the same, or look so, and stay all the same."""
        named: set[frozenset[int]] = set()
        for members in groups:
            for tier, sharing in self._survivors(members):
                names = frozenset(map(id, sharing))
                if names not in named:
                    named.add(names)
                    yield Alike(tier, tuple(sharing), self._why_all_stay(sharing))
        for tier, members in self._tiers.unclear:
            left = [member for member in members if id(member) not in self._goes]
            names = frozenset(map(id, left))
            if len(left) > 1 and names not in named:
                named.add(names)
                yield Alike(tier, tuple(left), UNCLEAR)
        for members in lookalikes([candidate for candidate in acting if id(candidate) not in self._goes]):
            names = frozenset(map(id, members))
            if names not in named:
                named.add(names)
                yield Alike(Tier.ALIKE, tuple(members), "title and artist, or the sound, look alike")

    # One file against another.

    def _labels(self, candidate: Candidate) -> Iterable[tuple[Tier, int]]:
        for tier in ACTING:
            label = self._tiers.labels[tier].get(id(candidate))
            if label is not None:
                yield tier, label

    def _reason_to_go(self, member: Candidate) -> tuple[Candidate, Tier] | None:
        """The kept file for which this one may go, and by which tier."""
        if self._order.is_reference(member):
            return None
        for tier, label in self._labels(member):
            for kept in self._kept[label][:_MOST_LOOKED_AT]:
                why = self._reason_to_keep(member, kept, tier) or self._album_reason(member, kept)
                if why is None and self._is_album_track(kept) and self._is_better(member, kept, tier):
                    why = BETTER
                if why is None:
                    return kept, tier
                self._why.setdefault((id(member), id(kept)), why)
        return None

    def _reason_to_keep(self, goes: Candidate, stays: Candidate, tier: Tier) -> str | None:
        return reasons_to_keep.reason_to_keep(
            goes, stays, tier, same_format_only=self._same_format_only, lossless_first=self._order.lossless_first
        )

    def _album_reason(self, member: Candidate, kept: Candidate) -> str | None:
        """The album guard: a slot of a complete album stays filled, or the whole copy goes for one that has it all."""
        copy = member.album_copy
        if copy is not None and copy.needs_unnumbered and member.number is None:
            return COMPLETE
        if copy is None or not copy.complete or member.number is None or copy is kept.album_copy:
            return None
        if any(id(other) in self._stays for other in copy.slots[member.disc or 1, member.number]):
            return None
        return None if kept.album_copy is not None and self._covered(copy, kept.album_copy) else COMPLETE

    def _covered(self, copy: AlbumCopy, by: AlbumCopy) -> bool:
        """Whether each track of a copy could go for one of another copy."""
        found = self._covers.get((id(copy), id(by)))
        if found is None:
            found = self._covers[id(copy), id(by)] = all(
                self._has_counterpart(member, by) for slot in copy.slots.values() for member in slot
            )
        return found

    def _has_counterpart(self, member: Candidate, by: AlbumCopy) -> bool:
        if self._order.is_reference(member):
            return False
        return any(
            other.album_copy is by and self._reason_to_keep(member, other, tier) is None
            for tier, label in self._labels(member)
            for other in self._sharing[label][:_MOST_LOOKED_AT]
        )

    def _keep(self, member: Candidate) -> None:
        self._stays[id(member)] = member
        for _, label in self._labels(member):
            self._kept[label].append(member)

    # Albums.

    def _keep_one(self, slot: Sequence[Candidate]) -> None:
        """Let the best file of a track stay after all; the others may go for it."""
        best = min(slot, key=self._order.rank)
        _, kept, _ = self._goes.pop(id(best))
        self._why[id(best), id(kept)] = COMPLETE
        self._keep(best)

    def _is_album_track(self, candidate: Candidate) -> bool:
        copy = candidate.album_copy
        return copy is not None and copy.complete and (candidate.number is not None or copy.needs_unnumbered)

    def _is_better(self, loose: Candidate, track: Candidate, tier: Tier) -> bool:
        """Whether a file would stay if the track were of no album, whose mean says nothing of one track. One sound is as good."""
        return (
            tier not in _SAME_SOUND
            and not self._is_album_track(loose)
            and self._order.own_rank(loose) < self._order.own_rank(track)
        )

    def _goes_for_another(self, candidate: Candidate, tier: Tier, label: int) -> bool:
        """Let a kept file go for another kept one of the same sound, with all that go for it."""
        for other in self._kept[label][:_MOST_LOOKED_AT]:
            if other is candidate or id(other) not in self._stays or self._reason_to_keep(candidate, other, tier) is not None:
                continue
            if not (self._is_album_track(other) or _says_more(other, candidate)):
                continue
            if self._is_better(candidate, other, tier):
                continue
            followers = self._followers[id(candidate)]
            tiers = [self._direct(goes, other) for goes in followers]
            if all(found is not None for found in tiers):
                for goes, found in zip(followers, tiers, strict=True):
                    self._goes[id(goes)] = (goes, other, found or tier)
                self._followers[id(other)] += [*followers, candidate]
                del self._stays[id(candidate)]
                self._goes[id(candidate)] = (candidate, other, tier)
                return True
        return False

    def _direct(self, goes: Candidate, stays: Candidate) -> Tier | None:
        for tier, label in self._labels(goes):
            if self._tiers.labels[tier].get(id(stays)) == label and self._reason_to_keep(goes, stays, tier) is None:
                return tier
        return None

    # What stays.

    def _survivors(self, members: Sequence[Candidate]) -> Iterable[tuple[Tier, list[Candidate]]]:
        for tier in ACTING:
            sharing: dict[int, list[Candidate]] = defaultdict(list)
            labels = self._tiers.labels[tier]
            for member in members:
                if id(member) in labels and id(member) in self._stays:
                    sharing[labels[id(member)]].append(member)
            for found in sharing.values():
                if len(found) > 1:
                    yield tier, found

    def _why_all_stay(self, sharing: Sequence[Candidate]) -> str:
        if all(map(self._order.is_reference, sharing)):
            return reasons_to_keep.REFERENCE
        names = {id(member) for member in sharing}
        found = {why for (one, other), why in self._why.items() if one in names and other in names} if len(names) < 3 else set()
        if not found:
            found = {
                why
                for one in sharing[:_MOST_LOOKED_AT]
                for other in sharing[:_MOST_LOOKED_AT]
                if (why := self._why.get((id(one), id(other)))) is not None
            }
        return "; ".join(sorted(found)) or COMPLETE


def _says_more(one: Candidate, other: Candidate) -> bool:
    """Whether the tags of the one give it a place in an album, those of the other do not."""
    return (one.album_copy is not None, one.number is not None) > (other.album_copy is not None, other.number is not None)
