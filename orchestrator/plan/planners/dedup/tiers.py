"""Which files are the same by each tier: they share a label. A file that lacks any part of the key of a tier gets no label.

T0 and T1 compare content: if A equals B and B equals C, then A equals C. T2 and T3 compare tags, where that does not follow.
There, files get a label only if each agrees with each other, also in their lengths; otherwise their group is unclear.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations
from typing import TypeAlias

from orchestrator.paths import name_of, parent_of
from orchestrator.plan.music.disc_folders import disc_of_folder
from orchestrator.plan.music.spelling import without_guest
from orchestrator.plan.music.stand_ins import is_various
from orchestrator.plan.music.tag_values import first, joined
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.named_apart import NameOfFile, NameOfFolder
from orchestrator.plan.planners.dedup.reasons_to_keep import RELEASE_FACTS, agree, contradicting, release_facts
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.plan.planners.dedup.stated_facts import acoustid, language_named, stated_facts
from orchestrator.plan.planners.dedup.version_words import (
    distinctive_release_types,
    edition_words,
    file_version_words,
    folder_version_words,
    guest_names,
    key,
    name_key,
    version_words,
)
from orchestrator.records import WEAK_HASHES
from orchestrator.tags.written_dates import year_of
from orchestrator.track import Strength, Track

Labels: TypeAlias = dict[int, int]
"""id (of Python) of a candidate -> the label that it shares with all candidates that are the same. Others have none."""

_FactsOf: TypeAlias = Callable[[Candidate], dict[str, object]]
"""What a file states, by the names of the facts: files with equal tags must not contradict each other about these."""

SECONDS, SHARE = 2.0, 0.03
"""How much the lengths of one track may differ; T3: at most this share of the shorter one, too."""
_MAX_COMPARED = 64
"""Files of larger groups are not compared one by one: either all their facts are equal, or the group is unclear."""


class Tiers:
    """The labels of all candidates in the acting tiers, and the unclear groups."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.unclear: list[tuple[Tier, list[Candidate]]] = []
        self.contradicting: list[tuple[list[Candidate], list[str]]] = []
        """Files whose tags would make them the same, and the facts that contradict that, in words."""
        self._next = 0
        self.labels: dict[Tier, Labels] = {
            Tier.BYTES: self._same_bytes(candidates),
            Tier.AUDIO: self._same_audio(candidates),
            Tier.RELEASE_TRACK: self._same_tags(
                candidates, Tier.RELEASE_TRACK, _release_track_key, _version, _release_track_facts
            ),
            # Episodes and recordings of different days have equal tags, and so may two readings of a book.
            Tier.TAGS: self._same_tags(
                [one for one in candidates if not one.kind], Tier.TAGS, _tags_key, _version_and_edition, _tags_facts
            ),
        }

    def _label(self, members: Iterable[Candidate], labels: Labels) -> None:
        self._next += 1
        for member in members:
            labels[id(member)] = self._next

    def _same_bytes(self, candidates: Sequence[Candidate]) -> Labels:
        by_hash: dict[tuple[int, str, str], list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            for kind, value in candidate.item.entry.hashes.items():
                if kind not in WEAK_HASHES and value:
                    by_hash[candidate.size, kind, value.lower()].append(candidate)
        groups = _Groups()
        for members in by_hash.values():
            if len(members) > 1:
                groups.join(members)
        labels: Labels = {}
        for members in groups.found():
            if _one_value_each(members):
                self._label(members, labels)
        return labels

    def _same_audio(self, candidates: Sequence[Candidate]) -> Labels:
        by_identity: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            identity = candidate.reading.identity
            if identity is not None and identity.strength is not Strength.HINT:
                by_identity[identity.kind, identity.value].append(candidate)
        labels: Labels = {}
        for members in by_identity.values():
            if len(members) > 1:
                self._label(members, labels)
        return labels

    def _same_tags(
        self,
        candidates: Sequence[Candidate],
        tier: Tier,
        key_of: Callable[[Track], Hashable | None],
        version_of: Callable[[Track], Hashable],
        facts_of: _FactsOf,
    ) -> Labels:
        by_key: dict[Hashable, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            found = key_of(candidate.track)
            if found is not None:
                by_key[found].append(candidate)
        labels: Labels = {}
        for sharing in by_key.values():
            # Finding version words is slow, so it is done only if several files share the rest of the key.
            for members in _by_version(sharing, version_of) if len(sharing) > 1 else ():
                for agreeing in self._agreeing(members, tier, facts_of):
                    self._label(agreeing, labels)
        return labels

    def _agreeing(self, members: list[Candidate], tier: Tier, facts_of: _FactsOf) -> Iterable[list[Candidate]]:
        """The parts of a group in which each file agrees with each other; the other parts become unclear."""
        named = [facts_of(member) for member in members]
        facts = [tuple(one.values()) for one in named]
        lengths = [member.track.duration_s for member in members]
        if len(members) > _MAX_COMPARED:
            known = [length for length in lengths if length]
            if len(set(facts)) == 1 and (not known or _as_long(min(known), max(known), tier)):
                yield members
            else:
                self.unclear.append((tier, members))
            return
        for part, all_agree in _parts(facts, lengths, tier):
            chosen = [members[index] for index in part]
            if all_agree and len(part) == len(members):
                yield members
                return
            if all_agree:
                yield chosen
            else:
                self.unclear.append((tier, chosen))
        found = {
            name: None
            for index, other in combinations(range(len(members)), 2)
            for name in _contradictions((facts[index], lengths[index]), (facts[other], lengths[other]), tier, named[0])
        }
        if found:
            self.contradicting.append((members, [*found]))


def _by_version(sharing: Sequence[Candidate], version_of: Callable[[Track], Hashable]) -> Iterable[list[Candidate]]:
    """Groups of two or more files that name the same version."""
    groups: dict[Hashable, list[Candidate]] = defaultdict(list)
    for candidate in sharing:
        groups[version_of(candidate.track)].append(candidate)
    return (members for members in groups.values() if len(members) > 1)


_Stated: TypeAlias = tuple[tuple[object, ...], float | None]
"""The facts of a file, and its length in seconds."""


def _contradictions(one: _Stated, other: _Stated, tier: Tier, names: Iterable[str]) -> list[str]:
    return contradicting(one[0], other[0], names) + ([] if _as_long(one[1], other[1], tier) else ["length"])


def _parts(facts: Sequence[tuple[object, ...]], lengths: Sequence[float | None], tier: Tier) -> Iterable[tuple[list[int], bool]]:
    """Indices of two or more files that are connected by agreement, and whether each of them agrees with each other."""
    count = len(facts)
    agreeing: list[set[int]] = [{index} for index in range(count)]
    for index, other in combinations(range(count), 2):
        if agree(facts[index], facts[other]) and _as_long(lengths[index], lengths[other], tier):
            agreeing[index].add(other)
            agreeing[other].add(index)
    left = set(range(count))
    while left:
        part, waiting = set[int](), [min(left)]
        while waiting:
            index = waiting.pop()
            if index not in part:
                part.add(index)
                waiting += agreeing[index] - part
        left -= part
        if len(part) > 1:
            yield sorted(part), all(agreeing[index] == part for index in part)


class _Groups:
    """Groups of candidates that are connected, directly or through others."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}
        self._candidates: dict[int, Candidate] = {}

    def join(self, members: Sequence[Candidate]) -> None:
        first_one = self._top(members[0])
        for member in members[1:]:
            self._above[self._top(member)] = first_one

    def found(self) -> list[list[Candidate]]:
        groups: dict[int, list[Candidate]] = defaultdict(list)
        for member in self._candidates.values():
            groups[self._top(member)].append(member)
        return list(groups.values())

    def _top(self, member: Candidate) -> int:
        name = id(member)
        self._candidates.setdefault(name, member)
        path = []
        while (above := self._above.setdefault(name, name)) != name:
            path.append(name)
            name = above
        for passed in path:
            self._above[passed] = name
        return name


def components(candidates: Sequence[Candidate], tiers: Tiers) -> list[list[Candidate]]:
    """Groups of candidates that are connected by any tier, each in the given order."""
    by_label: dict[int, list[Candidate]] = defaultdict(list)
    for labels in tiers.labels.values():
        for candidate in candidates:
            label = labels.get(id(candidate))
            if label is not None:
                by_label[label].append(candidate)
    groups = _Groups()
    for members in by_label.values():
        groups.join(members)
    position = {id(candidate): index for index, candidate in enumerate(candidates)}
    found = [sorted(members, key=lambda member: position[id(member)]) for members in groups.found()]
    return sorted(found, key=lambda members: position[id(members[0])])


def _one_value_each(members: Sequence[Candidate]) -> bool:
    """Whether all files agree in every type of hash."""
    values: dict[str, str] = {}
    return all(
        values.setdefault(kind, value.lower()) == value.lower()
        for member in members
        for kind, value in member.item.entry.hashes.items()
    )


def _as_long(one: float | None, other: float | None, tier: Tier) -> bool:
    if not one or not other:
        return True
    return abs(one - other) <= (min(SECONDS, SHARE * min(one, other)) if tier is Tier.TAGS else SECONDS)


def _release_track_key(track: Track) -> Hashable | None:
    # Disc and track number are part of the key because some taggers give a whole album one recording id.
    recording, release = _identifier(track.musicbrainz_recording_id), _identifier(track.musicbrainz_release_id)
    if not (recording and release and track.disc and track.track):
        return None
    return recording, release, track.disc, track.track


def _identifier(value: str | None) -> str:
    """A MusicBrainz id; "" for placeholders such as "0", "unknown" and the all-zero id."""
    found = name_key(value or "")
    return found if found.strip("0-") else ""


def _version(track: Track) -> tuple[Hashable, ...]:
    """The words that name a version of the track. A file without them is a different version than one with them."""
    return version_words(track), guest_names(track)


def _version_and_edition(track: Track) -> tuple[Hashable, ...]:
    """The same, and the facts of an edition of the release. A reissue is recognised by an original year of its own."""
    original = year_of(track.original_date)
    return (
        *_version(track),
        *map(key, (track.subtitle or "", track.disc_subtitle or "", track.edition or "", track.venue or "")),
        _keys(track.version),
        _keys(track.remixer),
        distinctive_release_types(track),
        original if original != year_of(track.date) else "",
    )


def _keys(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(map(key, texts))


def _release_track_facts(candidate: Candidate) -> dict[str, object]:
    # The release id implies the edition, so a missing fact is no contradiction. A differing fact means a wrong id.
    track = candidate.track
    return {
        "MusicBrainz track": track.musicbrainz_track_id,
        "channels": track.channels,
        "moving pictures": str(track.video),
        "advisory": track.advisory,
        "version in the name of the file": (file_version_words(candidate.path, track),),
        "AcoustID": acoustid(track),
        "subtitle": key(track.subtitle or ""),
        "venue": key(track.venue or ""),
        "version": _keys(track.version),
        "remixer": _keys(track.remixer),
        "edition": (edition_words(track),) if track.edition else None,
        "release type": (distinctive_release_types(track),) if track.release_type else None,
    }


def _tags_key(track: Track) -> Hashable | None:
    if not (track.album_artist and track.album and track.disc and track.track and track.title and track.duration_s):
        return None
    owner = joined(track.album_artist)
    if (track.compilation or is_various(owner)) and not track.artist:
        return None  # "Various Artists" is no performer
    names = name_key(owner), tuple(map(name_key, track.album)), tuple(map(key, track.title))
    if not (names[0] and all(names[1]) and all(names[2])):
        return None
    return (*names, track.disc, track.track, track.advisory, track.video)


def _tags_facts(candidate: Candidate) -> dict[str, object]:
    track = candidate.track
    return {
        **dict(zip(RELEASE_FACTS, release_facts(track), strict=True)),
        **stated_facts(track),
        "disc in the name of the folder": disc_of_folder(candidate.path),
        "version in the name of the folder": (folder_version_words(candidate.path, track),),
        "version in the name of the file": (file_version_words(candidate.path, track),),
        "language in the name of the folder": language_named(name_of(parent_of(candidate.path))),
        "artist": key(without_guest(joined(track.artist))),
        "channels": track.channels,
        "ISRC": tuple(sorted(track.isrc)),
        "MusicBrainz recording": track.musicbrainz_recording_id,
        "MusicBrainz track": track.musicbrainz_track_id,
        "MusicBrainz release": track.musicbrainz_release_id,
        "MusicBrainz release group": track.musicbrainz_release_group_id,
        # Last: they are only looked at where all else agrees.
        "name of the folder": NameOfFolder(candidate.path, candidate.reading),
        "name of the file": NameOfFile(candidate.path, candidate.reading),
    }


def lookalikes(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Groups of files that share title and artist, an AcoustID, or an audio identity of strength HINT."""
    groups: dict[Hashable, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        track, identity = candidate.track, candidate.reading.identity
        title = key(first(track.title)) if track.title else ""
        artist = name_key(without_guest(first(track.artist or track.album_artist)))
        if title and artist and not candidate.kind:
            groups["tags", title, artist].append(candidate)
        if track.acoustid_id:
            groups["acoustid", track.acoustid_id].append(candidate)
        if identity is not None and identity.strength is Strength.HINT:
            groups["hint", identity.kind, identity.value].append(candidate)
    seen: set[tuple[int, ...]] = set()
    found = []
    for members in groups.values():
        names = tuple(map(id, members))
        if len(members) > 1 and names not in seen:
            seen.add(names)
            found.append(members)
    return found
