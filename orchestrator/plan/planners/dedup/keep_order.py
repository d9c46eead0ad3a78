"""Which copy stays: an ordered list of criteria, the first that differs decides."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from math import fsum

from orchestrator.errors import UsageError
from orchestrator.paths import join_location, location_prefix, name_of
from orchestrator.plan.planners.dedup.candidates import AlbumCopy, Candidate
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP, DedupSettings
from orchestrator.track import Track

Value = float | tuple[int, str, str]
"""The less, the rather it stays."""
Rank = tuple[Value, ...]

_STREAM_FIELDS = frozenset(
    {"duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless", "comment", "acoustid_id"}
)
_TAG_FIELDS = tuple(name for name in Track.__struct_fields__ if name not in _STREAM_FIELDS)
_COPY_NAME = re.compile(
    r"(?:copy of |kopie von |copie de )|(?: - copy| copy| kopie| \(\d{1,3}\)|_\d| \d{1,2})(?:\.[^.]*)?\Z", re.IGNORECASE
)

CRITERIA: dict[str, str] = {
    "reference": "under a reference",
    "whole": "no smaller than another copy of the same sound, or seen to be whole",
    "lossless": "lossless before lossy",
    "bit_depth": "more bits a sample",
    "sample_rate": "more samples a second",
    "bitrate": "more bits a second",
    "longest": "longer",
    "album_tracks": "the album of which its location holds the most tracks",
    "folder_tracks": "the folder that holds the most tracks of its album",
    "not_compilation": "an album before a compilation",
    "tags": "more tag fields filled",
    "in_place": "already where the layout wants it",
    "oldest": "changed longest ago",
    "original_name": "a name that is not that of a copy",
    "shortest_path": "the shortest path, then the first one",
    "path:GLOB": "its path matches",
    "location:NAME": "it lies in that location",
}
"""The words of `dedup.keep`, and what each prefers."""


def keep_words(text: str) -> list[str]:
    """The words of `--keep`, which has commas between."""
    return [word.strip() for word in text.split(",") if word.strip()]


def check_keep(words: Sequence[str], where: str = "keep") -> None:
    """Raise UsageError, which says `where`, for a word that is no criterion, or stands there twice."""
    for word in words:
        name, _, argument = word.partition(":")
        form = next((known for known in CRITERIA if known.startswith(f"{name}:")), None)
        if form is not None and argument in {"", form.partition(":")[2]}:
            raise UsageError(f"{where}: {word!r}: say what after the colon: {form}")
        if form is None and word not in CRITERIA:
            import difflib  # noqa: PLC0415 - only to help

            near = difflib.get_close_matches(word, CRITERIA, 1) or difflib.get_close_matches(f"{name}:", CRITERIA, 1)
            hint = f"did you mean {near[0]}?" if near else f"there is: {', '.join(CRITERIA)}"
            raise UsageError(f"{where}: {word!r} is no criterion; {hint}")
    if len(set(words)) < len(words):
        raise UsageError(f"{where}: {next(word for word in words if words.count(word) > 1)!r} is there twice")


class KeepOrder:
    """Ranks candidates. Copies of an album that are complete are ranked as albums, so that no two get mixed."""

    def __init__(self, options: DedupSettings, maybe_cut: frozenset[int]) -> None:
        """`maybe_cut`: the ids (of Python) of the candidates that are smaller than another copy of their sound and may be cut."""
        check_keep(options.keep)
        words = list(options.keep) or list(DEFAULT_KEEP)
        if "reference" not in words:
            words.insert(0, "reference")
        if "shortest_path" in words:
            del words[words.index("shortest_path") + 1 :]
        else:
            words.append("shortest_path")
        self.words: tuple[str, ...] = tuple(words)
        self.lossless_first = "lossless" in words
        self._references = tuple(options.reference)
        self._maybe_cut = maybe_cut
        self._criteria = [self._criterion(word) for word in words[:-1]]
        self._own: dict[int, Rank] = {}
        self._of_album: dict[int, Rank] = {}

    def is_reference(self, candidate: Candidate) -> bool:
        """Whether it lies under a reference."""
        if not self._references:
            return False
        absolute = join_location(candidate.fs, candidate.path)
        return any(absolute.startswith(location_prefix(reference)) for reference in self._references)

    def rank(self, candidate: Candidate) -> tuple[Rank, Rank]:
        """The less, the rather it stays: first by its album where that is complete, then by itself."""
        own = self.own_rank(candidate)
        copy = candidate.album_copy
        return (self._album_rank(copy) if copy is not None and copy.complete else own), own

    def decided(self, stays: Candidate, goes: Candidate) -> str:
        """The first criterion in which the two differ; "album" where the list would have it the other way round."""
        for one, other in zip(self.rank(stays), self.rank(goes), strict=True):
            for word, mine, theirs in zip(self.words, one, other, strict=True):
                if mine != theirs:
                    return word if mine < theirs else "album"  # type: ignore[operator]
        return "shortest_path"

    def own_rank(self, candidate: Candidate) -> Rank:
        """The less, the rather it stays, whatever it is a part of."""
        found = self._own.get(id(candidate))
        if found is None:
            path = candidate.path
            found = (*(criterion(candidate) for criterion in self._criteria), (len(path), path, candidate.fs))
            self._own[id(candidate)] = found
        return found

    def _album_rank(self, copy: AlbumCopy) -> Rank:
        """The mean of the best file of each of its tracks."""
        found = self._of_album.get(id(copy))
        if found is None:
            best = [min(self.own_rank(member) for member in members) for members in copy.slots.values()]
            numbers = [fsum(column) / len(best) for column in list(zip(*best, strict=True))[:-1]]
            found = self._of_album[id(copy)] = (*numbers, min(rank[-1] for rank in best))
        return found

    def _criterion(self, word: str) -> Callable[[Candidate], float]:
        name, _, argument = word.partition(":")
        if name == "reference":
            return lambda candidate: not self.is_reference(candidate)
        if name == "whole":
            return lambda candidate: id(candidate) in self._maybe_cut
        if name == "path":
            matches = re.compile(fnmatch.translate(argument)).match
            return lambda candidate: matches(candidate.path) is None
        if name == "location":
            prefix = location_prefix(argument)
            return lambda candidate: not (join_location(candidate.fs, candidate.path)).startswith(prefix)
        return _SIMPLE[name]


def _bitrate(candidate: Candidate) -> float:
    """Of lossless files what the sound takes unpacked: how well it is packed says nothing of it."""
    track = candidate.track
    if track.lossless and track.sample_rate and track.bit_depth:
        return -track.sample_rate * track.bit_depth * (track.channels or 2)
    return -(track.bitrate or 0)


def _oldest(candidate: Candidate) -> float:
    mtime = candidate.item.entry.mtime_ns
    return float("inf") if mtime is None else mtime // 1_000_000_000


def _tags(candidate: Candidate) -> float:
    track = candidate.track
    return -sum(1 for name in _TAG_FIELDS if getattr(track, name) not in (None, (), ""))


_SIMPLE: Mapping[str, Callable[[Candidate], float]] = {
    "lossless": lambda candidate: not candidate.track.lossless,
    "bit_depth": lambda candidate: -(candidate.track.bit_depth or 0),
    "sample_rate": lambda candidate: -(candidate.track.sample_rate or 0),
    "bitrate": _bitrate,
    "longest": lambda candidate: -round(candidate.track.duration_s or 0.0),
    "album_tracks": lambda candidate: -(candidate.album_copy.tracks_at_location if candidate.album_copy else 0),
    "folder_tracks": lambda candidate: -(len(candidate.album_copy.members) if candidate.album_copy else 0),
    "not_compilation": lambda candidate: bool(candidate.album_copy and candidate.album_copy.album.values["compilation"]),
    "tags": _tags,
    "in_place": lambda candidate: not candidate.in_place,
    "oldest": _oldest,
    "original_name": lambda candidate: _COPY_NAME.search(name_of(candidate.path)) is not None,
}
