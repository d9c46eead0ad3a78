"""Files with their truth, and what follows from it: written after the rules of the field, without a look at the planner.

The truth of a file is which recording it holds, in which encoding, for which place of which release, and whether it is whole. Two
files may be merged exactly if they are whole copies of one thing: the same recording for the same place of the same release (or
bit-equal sound, where one of them does not say where it belongs). By which tier they can be found depends on what they show.
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
"""Those that act."""
_TOLERANCE_S = 2.0


class Slot(NamedTuple):
    """One place of one release: what a collector owns."""

    release: str
    disc: int
    track: int


@dataclass
class TrueFile:
    """One file and its truth."""

    path: str
    case: str
    """What it was made to try."""
    sound: Sound
    tags: Track | None
    slot: Slot | None
    """None: the file does not say where it belongs (it has no tags, or hardly any)."""
    content: bytes = field(repr=False)
    whole: bool = True
    """False: cut, empty or no audio; whatever it was made from."""
    cut_from: str | None = None
    """Path of the whole file from which this one was cut, perhaps without a sign. It may go for that one, never the reverse."""

    @property
    def digest(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


def tagged(sound: Sound, tags: Track | None, *, cover_bytes: int = 0) -> bytes:
    """The bytes of a file with this sound and these tags."""
    if tags is None:
        return sound.content()
    file = BytesIO(sound.content())
    FORMATS[sound.format].save(file, tags, picture(cover_bytes, len(sound.recording)))
    return file.getvalue()


# ------------------------------------------------------------ what the rules say of two files


def mergeable(one: TrueFile, other: TrueFile) -> bool:
    """Whether losing one of them loses nothing, as long as the other one stays."""
    if not (one.whole and other.whole) or one.sound.recording != other.sound.recording:
        return False
    if one.slot is None or other.slot is None:
        return one.sound.stream == other.sound.stream
    return one.slot == other.slot


def tier_of(one: TrueFile, other: TrueFile, *, common_hash: bool) -> str | None:
    """The strongest tier by which two files are to be found; None where they are not to be, or nothing shows it.

    `common_hash`: both lie where the listing gives a hash of one type.
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
    near = abs(one.sound.seconds - other.sound.seconds) <= _TOLERANCE_S
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
    """All files. `places` says in which of several locations each lies; 0 for all of them at first."""

    files: dict[str, TrueFile] = field(default_factory=dict)

    def split(self, places: int) -> list[TrueLibrary]:
        """The files over so many locations, the same way each time: copies of one thing are torn apart as often as not."""
        parts = [TrueLibrary() for _ in range(places)]
        for path, file in self.files.items():
            part = hashlib.sha256(path.encode()).digest()[0] % places
            parts[part].files[path] = file
        return parts

    def write(self, root: Path) -> None:
        """Put the files below a directory of this machine."""
        for path, file in self.files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)

    def groups(self) -> Iterator[Sequence[TrueFile]]:
        """Files of one recording: no others can be merged."""
        by_recording: dict[str, list[TrueFile]] = {}
        for file in self.files.values():
            by_recording.setdefault(file.sound.recording, []).append(file)
        return iter(by_recording.values())


class Gone(NamedTuple):
    """One decision of the planner: the files are named by their paths, which are unique over all locations."""

    goes: str
    stays: str
    tier: str


class Score(msgspec.Struct):
    """What the decisions about one tier came to."""

    true_pairs: int = 0
    """Pairs that are to be found by this tier, and no stronger one."""
    gone: int = 0
    """Of these, those of which one file at least goes."""
    named: int = 0
    """Those of which both stay, and the report names them and the guard that keeps them."""
    decisions: int = 0
    right: int = 0
    """Decisions of this tier that lose nothing."""

    @property
    def precision(self) -> float:
        """Right ones among the decisions; 1 without any."""
        return self.right / self.decisions if self.decisions else 1.0

    @property
    def recall(self) -> float:
        """Found ones among the true pairs; 1 without any."""
        return (self.gone + self.named) / self.true_pairs if self.true_pairs else 1.0


class Verdict(msgspec.Struct):
    """All that the decisions came to."""

    scores: dict[str, Score]
    false_merges: list[Gone] = []
    """Decisions that lose a thing, or keep the poorer copy."""
    missed: list[tuple[str, str, str]] = []
    """(path, path, tier) of the true pairs that were not found."""
    kept: list[tuple[str, str, str]] = []
    """The same of those that were found and kept by a guard."""


def judge(
    library: TrueLibrary,
    decisions: Iterable[Gone],
    kept: Iterable[frozenset[str]],
    hashes: Sequence[frozenset[str]],
    where: dict[str, int],
) -> Verdict:
    """Hold decisions against the truth.

    `kept`: files that are reported as the same by an acting tier and stay, for a reason that is named. `where`: path -> number of
    its location. `hashes`: the hash types that each location lists.
    """
    together: dict[str, list[int]] = {}
    for number, paths in enumerate(kept):
        for path in paths:
            together.setdefault(path, []).append(number)
    gone = {decision.goes: decision for decision in decisions}
    verdict = Verdict({tier: Score() for tier in TIERS})
    for decision in gone.values():
        goes, stays = library.files[decision.goes], library.files[decision.stays]
        score = verdict.scores[decision.tier]
        score.decisions += 1
        if mergeable(goes, stays) and decision.stays not in gone and stays.cut_from != goes.path:
            score.right += 1
        else:
            verdict.false_merges.append(decision)
    for group in library.groups():
        for one, other in combinations(group, 2):
            tier = tier_of(one, other, common_hash=bool(hashes[where[one.path]] & hashes[where[other.path]]))
            if tier is not None:
                score = verdict.scores[tier]
                score.true_pairs += 1
                if one.path in gone or other.path in gone:
                    score.gone += 1
                elif set(together.get(one.path, ())) & set(together.get(other.path, ())):
                    score.named += 1
                    verdict.kept.append((one.path, other.path, tier))
                else:
                    verdict.missed.append((one.path, other.path, tier))
    return verdict
