"""Files with known truth, and which of them are duplicates: independent of the planner's code.

The truth of a file is its recording, its encoding, its track of a release, and whether it is whole. Two files are duplicates if
both are whole copies of the same recording on the same track of the same release, or have bit-equal sound if the tags of one do
not name the release. The tier that can find them depends on their tags, hashes and identities.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec

from orchestrator.track import Track
from tests.audio import FORMATS, picture
from tests.truth.sounds import Sound

TIERS = ("T0", "T1", "T2", "T3")
"""The tiers whose duplicates may be quarantined."""
_TOLERANCE_S, _TOLERANCE = 2.0, 0.03


class Slot(NamedTuple):
    """One track of one release, as a collector sees it."""

    release: str
    disc: int
    track: int


@dataclass
class TrueFile:
    """One file, and what is true about it."""

    path: str
    case: str
    """The case that it is made for."""
    sound: Sound
    tags: Track | None
    slot: Slot | None
    """None: the tags do not say which release the file is from."""
    content: bytes = field(repr=False)
    whole: bool = True
    """False: cut, empty or not audio, whatever it was made from."""
    cut_from: str | None = None
    """Path of the whole file that this one was cut from. It may be a duplicate of that file, never the reverse."""

    @property
    def digest(self) -> str:
        """MD5 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


def tagged(sound: Sound, tags: Track | None, *, cover_bytes: int = 0) -> bytes:
    """The bytes of a file with this sound and these tags."""
    if tags is None:
        return sound.content()
    file = BytesIO(sound.content())
    FORMATS[sound.format].save(file, tags, picture(cover_bytes, len(sound.recording)))
    return file.getvalue()


# ------------------------------------------------------------ what the rules say about two files


def mergeable(one: TrueFile, other: TrueFile) -> bool:
    """Whether one of them can be lost without a loss, as long as the other one is kept."""
    if not (one.whole and other.whole) or one.sound.recording != other.sound.recording:
        return False
    if one.slot is None or other.slot is None:
        return one.sound.stream == other.sound.stream
    return one.slot == other.slot


def tier_of(one: TrueFile, other: TrueFile, *, common_hash: bool) -> str | None:
    """The strongest tier that must find these two files; None if they are not the same, or nothing proves it.

    `common_hash`: both listings have a hash of the same type.
    """
    if not mergeable(one, other) or one.cut_from or other.cut_from:
        return None
    if common_hash and one.content == other.content:
        return "T0"
    if one.sound.identified and other.sound.identified and one.sound.stream == other.sound.stream:
        return "T1"
    first, second = one.tags, other.tags
    if first is None or second is None:
        return None
    if _same_release_track(first, second):
        return "T2"
    lengths = one.sound.seconds, other.sound.seconds
    near = max(lengths) - min(lengths) <= min(_TOLERANCE_S, _TOLERANCE * min(lengths))
    return "T3" if near and _same_tags(first, second) else None


def _same_release_track(first: Track, second: Track) -> bool:
    def key(track: Track) -> tuple[object, ...]:
        return track.musicbrainz_recording_id, track.musicbrainz_release_id, track.disc, track.track

    return all(key(first)) and key(first) == key(second)


def _same_tags(first: Track, second: Track) -> bool:
    def key(track: Track) -> tuple[object, ...]:
        return _fold(track.album_artist), _fold(track.album), _fold(track.title), track.disc, track.track

    return all(key(first)) and key(first) == key(second)


def _fold(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(" ".join(unicodedata.normalize("NFC", value.casefold()).split()) for value in values)


# ------------------------------------------------------------ the library


@dataclass
class TrueLibrary:
    """All files. `places` says in which of several locations each one is; 0 for all of them at first."""

    files: dict[str, TrueFile] = field(default_factory=dict)

    def split(self, places: int) -> list[TrueLibrary]:
        """The files spread over that many locations, always in the same way; copies of a track are often separated."""
        parts = [TrueLibrary() for _ in range(places)]
        for path, file in self.files.items():
            part = hashlib.sha256(path.encode()).digest()[0] % places
            parts[part].files[path] = file
        return parts

    def write(self, root: Path) -> None:
        """Write the files to a local directory."""
        for path, file in self.files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)

    def groups(self) -> Iterator[Sequence[TrueFile]]:
        """The files of each recording; only these can be duplicates."""
        by_recording: dict[str, list[TrueFile]] = {}
        for file in self.files.values():
            by_recording.setdefault(file.sound.recording, []).append(file)
        return iter(by_recording.values())


class PathDecision(NamedTuple):
    """One decision of the planner, with the paths of the files, which are unique over all locations."""

    duplicate: str
    kept: str
    tier: str


class Score(msgspec.Struct):
    """The result of one tier."""

    true_pairs: int = 0
    """Pairs that this tier must find, and no stronger one can."""
    removed: int = 0
    """The pairs with at least one file in quarantine."""
    reported: int = 0
    """The pairs of which both files are kept and reported with a reason."""
    decisions: int = 0
    right: int = 0
    """Decisions of this tier without a loss."""

    @property
    def precision(self) -> float:
        """The share of correct decisions; 1 if there are none."""
        return self.right / self.decisions if self.decisions else 1.0

    @property
    def recall(self) -> float:
        """The share of true pairs that were found; 1 if there are none."""
        return (self.removed + self.reported) / self.true_pairs if self.true_pairs else 1.0


class Verdict(msgspec.Struct):
    """The result of all decisions."""

    scores: dict[str, Score]
    false_merges: list[PathDecision] = []
    """Decisions that lose something or keep the worse copy."""
    missed: list[tuple[str, str, str]] = []
    """(path, path, tier) of true pairs that were not found."""
    kept: list[tuple[str, str, str]] = []
    """(path, path, tier) of true pairs that were found and kept for a reason."""


def judge(
    library: TrueLibrary,
    decisions: Iterable[PathDecision],
    kept: Iterable[frozenset[str]],
    hashes: Sequence[frozenset[str]],
    where: dict[str, int],
) -> Verdict:
    """Compare decisions with the truth.

    `kept`: groups of files that are reported as the same by an acting tier and are all kept for a reason. `where`: path -> number
    of its location. `hashes`: the hash types that each location lists.
    """
    together: dict[str, list[int]] = {}
    for number, paths in enumerate(kept):
        for path in paths:
            together.setdefault(path, []).append(number)
    quarantined = {decision.duplicate: decision for decision in decisions}
    verdict = Verdict({tier: Score() for tier in TIERS})
    for decision in quarantined.values():
        duplicate, copy = library.files[decision.duplicate], library.files[decision.kept]
        score = verdict.scores[decision.tier]
        score.decisions += 1
        equally_broken = not duplicate.whole and duplicate.content == copy.content  # of equal bytes, one is enough
        if (
            (equally_broken or mergeable(duplicate, copy))
            and decision.kept not in quarantined
            and copy.cut_from != duplicate.path
        ):
            score.right += 1
        else:
            verdict.false_merges.append(decision)
    for group in library.groups():
        for one, other in combinations(group, 2):
            tier = tier_of(one, other, common_hash=bool(hashes[where[one.path]] & hashes[where[other.path]]))
            if tier is not None:
                score = verdict.scores[tier]
                score.true_pairs += 1
                if one.path in quarantined or other.path in quarantined:
                    score.removed += 1
                elif set(together.get(one.path, ())) & set(together.get(other.path, ())):
                    score.reported += 1
                    verdict.kept.append((one.path, other.path, tier))
                else:
                    verdict.missed.append((one.path, other.path, tier))
    return verdict
