"""Which copy is kept: an ordered list of criteria, of which the first that differs decides."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from math import fsum

from msgspec.structs import replace

from orchestrator.errors import UsageError
from orchestrator.paths import join_location, location_prefix, name_of
from orchestrator.plan.music.copy_names import looks_like_copy
from orchestrator.plan.planners.dedup.candidates import AlbumCopy, Candidate
from orchestrator.plan.planners.dedup.choices import NO_CHOICES, Choices
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP, DedupSettings
from orchestrator.plan.planners.dedup.sound_quality import undecided, weighed_bitrate
from orchestrator.track import Track

Value = float | tuple[int, str, str]
"""The smallest is kept."""
Rank = tuple[Value, ...]

_STREAM_FIELDS = frozenset(
    {"duration_s", "codec", "bitrate", "sample_rate", "bit_depth", "channels", "lossless", "comment", "acoustid_id", "facts"}
)
_TAG_FIELDS = tuple(name for name in Track.__struct_fields__ if name not in _STREAM_FIELDS)
CRITERIA: dict[str, str] = {
    "reference": "files under a reference",
    "whole": "files that are not smaller than another copy of the same sound, or are known to be whole",
    "lossless": "lossless over lossy files",
    "bit_depth": "more bits per sample, of lossless files",
    "sample_rate": "the higher sample rate, of lossless files",
    "bitrate": "the higher bitrate, weighed by codec",
    "first_location": "files in the location that was given first; with `organize`, in the target",
    "in_place": "files that are already where the layout wants them",
    "longest": "the longer playing time",
    "album_tracks": "the location with the most tracks of the album",
    "folder_tracks": "the folder with the most tracks of the album",
    "not_compilation": "other albums over compilations",
    "tags": "more tags",
    "original_name": "names that do not look like those of copies",
    "oldest": "the oldest modification time",
    "shortest_path": "the shortest path, then the first in alphabetical order",
    "path:GLOB": "paths that match GLOB",
    "location:NAME": "files in this location",
}
"""Criterion of `dedup.keep` -> what it prefers."""

CHOSEN = "chosen"
"""What decides, before all criteria, if a person has chosen a file."""

_BECAUSE: Mapping[str, str] = {
    "reference": "it is under a reference",
    "whole": "it is larger or known to be whole",
    "lossless": "it is lossless",
    "bit_depth": "of its bit depth",
    "sample_rate": "of its sample rate",
    "bitrate": "of its bitrate",
    "first_location": "of the location that it is in",
    "in_place": "it is already in place",
    "longest": "it is longer",
    "album_tracks": "its location has more tracks of the album",
    "folder_tracks": "its folder has more tracks of the album",
    "not_compilation": "it is not on a compilation",
    "tags": "it has more tags",
    "oldest": "it is older",
    "original_name": "of its original name",
    "shortest_path": "of its path",
    "album": "it is part of an album that is kept as a whole",
    CHOSEN: "you chose it",
}


KEPT_BECAUSE = "which is kept because"
"""Stands between a kept copy and the reason of that."""


def because(criterion: str) -> str:
    """What a criterion says about the kept file, to follow "because"."""
    name, _, argument = criterion.partition(":")
    match name:
        case "path":
            return f"its path matches {argument}"
        case "location":
            return f"it is in {argument}"
    return _BECAUSE[criterion]


def keep_words(text: str) -> list[str]:
    """The criteria in the value of `--keep`, which are separated by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def check_keep(words: Sequence[str], where: str = "keep") -> None:
    """Raise UsageError for an unknown or repeated criterion. `where` says in the message where it was given."""
    for word in words:
        name, _, argument = word.partition(":")
        form = next((known for known in CRITERIA if known.startswith(f"{name}:")), None)
        if form is not None and argument in {"", form.partition(":")[2]}:
            raise UsageError(f"{where}: {word!r} needs a value after the colon: {form}")
        if form is None and word not in CRITERIA:
            import difflib  # noqa: PLC0415 - only to help

            near = difflib.get_close_matches(word, CRITERIA, 1) or difflib.get_close_matches(f"{name}:", CRITERIA, 1)
            hint = f"did you mean {near[0]}?" if near else f"known criteria: {', '.join(CRITERIA)}"
            raise UsageError(f"{where}: unknown criterion {word!r}; {hint}")
    if len(set(words)) < len(words):
        raise UsageError(f"{where}: {next(word for word in words if words.count(word) > 1)!r} is given twice")


class KeepOrder:
    """Ranks candidates. Complete album copies are ranked as a whole, so that two copies are never mixed."""

    def __init__(self, options: DedupSettings, cut: frozenset[int], choices: Choices = NO_CHOICES) -> None:
        """`cut`: ids (of Python) of the readings of files that may be cut, as `cut_readings` finds them."""
        check_keep(options.keep)
        words = list(options.keep) or list(DEFAULT_KEEP)
        if "reference" not in words:
            words.insert(0, "reference")
        if "first_location" not in words:
            words.insert(words.index("shortest_path") if "shortest_path" in words else len(words), "first_location")
        if "shortest_path" in words:
            del words[words.index("shortest_path") + 1 :]
        else:
            words.append("shortest_path")
        if choices.kept:
            words.insert(0, CHOSEN)
        self.words: tuple[str, ...] = tuple(words)
        self.lossless_first = "lossless" in words
        # After shortest_path, which always decides, it would never be asked.
        self._better_before = words.index("first_location") if "first_location" in words else len(words)
        """How many of the criteria come before the order of the locations."""
        self._choices = choices
        self._references = tuple(options.reference)
        self._precedence = [(location_prefix(location), index) for index, location in enumerate(options.precedence)]
        self._precedence.sort(key=lambda one: -len(one[0]))  # a folder of another location has its own rank
        self._cut = cut
        self._criteria = [self._criterion(word) for word in words[:-1]]
        self._own: dict[int, Rank] = {}
        self._of_album: dict[int, Rank] = {}

    def is_reference(self, candidate: Candidate) -> bool:
        """Whether a file is under a reference."""
        if not self._references:
            return False
        absolute = join_location(candidate.fs, candidate.path)
        return any(absolute.startswith(location_prefix(reference)) for reference in self._references)

    def is_chosen(self, candidate: Candidate) -> bool:
        """Whether a person has chosen to keep it."""
        return bool(self._choices.kept) and candidate.ref in self._choices.kept

    def never_leaves(self, candidate: Candidate) -> bool:
        """Whether it is kept whatever the criteria say."""
        return self.is_left(candidate) or self.is_chosen(candidate) or self.is_reference(candidate)

    def is_left(self, candidate: Candidate) -> bool:
        """Whether a person has decided that it stays."""
        return bool(self._choices.left) and candidate.ref in self._choices.left

    def rank(self, candidate: Candidate) -> tuple[Rank, Rank]:
        """The rank of a file, smallest is kept: first that of its album copy if complete, then its own."""
        own = self.own_rank(candidate)
        copy = candidate.album_copy
        return (self._album_rank(copy) if copy is not None and copy.complete else own), own

    def deciding_criterion(self, kept: Candidate, duplicate: Candidate) -> str:
        """The first criterion in which the two differ; "album" if it does not prefer the file itself: its album decided."""
        own, others = self.own_rank(kept), self.own_rank(duplicate)
        for one, other in zip(self.rank(kept), self.rank(duplicate), strict=True):
            for index, word in enumerate(self.words):
                if one[index] != other[index]:
                    preferred = one[index] < other[index] and own[index] < others[index]  # type: ignore[operator]
                    return word if preferred else "album"
        return "shortest_path"

    def may_replace(self, kept: Candidate, duplicate: Candidate) -> bool:
        """Whether the order of locations allows it: the later of two locations only keeps its copy if it is better."""
        if self._location(kept) <= self._location(duplicate):
            return True
        one, other = kept.album_copy, duplicate.album_copy
        if one is not None and other is not None and one.complete and other.complete:
            mine, theirs = self._album_rank(one), self._album_rank(other)
        else:
            mine, theirs = self.own_rank(kept), self.own_rank(duplicate)
        return mine[: self._better_before] < theirs[: self._better_before]

    def undecided(self, kept: Candidate, duplicate: Candidate) -> str | None:
        """Why the criteria cannot say which of two files sounds better, in words; None if they can, or are not asked to."""
        one, other = self._sound(kept, duplicate), self._sound(duplicate, kept)
        for word, mine, theirs in zip(self.words, self.own_rank(kept), self.own_rank(duplicate), strict=True):
            why = undecided(word, one, other)
            if why is not None or mine != theirs:
                return why
        return None

    def _sound(self, candidate: Candidate, beside: Candidate) -> Track:
        """The facts of its sound. Of two complete album copies, the mean bitrate counts: quiet tracks need fewer bits."""
        copy, other = candidate.album_copy, beside.album_copy
        if copy is None or other is None or copy is other or not (copy.complete and other.complete):
            return candidate.track
        tracks = [member.track for member in copy.members]
        bitrates = [track.bitrate for track in tracks if track.codec == candidate.track.codec and track.bitrate]
        return replace(candidate.track, bitrate=round(fsum(bitrates) / len(bitrates))) if bitrates else candidate.track

    def own_rank(self, candidate: Candidate) -> Rank:
        """The rank of a file without its album, smallest is kept."""
        found = self._own.get(id(candidate))
        if found is None:
            path = candidate.path
            found = (*(criterion(candidate) for criterion in self._criteria), (len(path), path, candidate.fs))
            self._own[id(candidate)] = found
        return found

    def _album_rank(self, copy: AlbumCopy) -> Rank:
        """The mean of the ranks of the best file of each track."""
        found = self._of_album.get(id(copy))
        if found is None:
            best = [min(self.own_rank(member) for member in members) for members in copy.slots.values()]
            numbers = [fsum(column) / len(best) for column in list(zip(*best, strict=True))[:-1]]
            found = self._of_album[id(copy)] = (*numbers, min(rank[-1] for rank in best))
        return found

    def _location(self, candidate: Candidate) -> int:
        if len(self._precedence) < 2:
            return 0
        absolute = join_location(candidate.fs, candidate.path)
        return next((index for prefix, index in self._precedence if absolute.startswith(prefix)), len(self._precedence))

    def _criterion(self, word: str) -> Callable[[Candidate], float]:
        name, _, argument = word.partition(":")
        if name in (CHOSEN, "reference"):
            is_first = self.is_chosen if name == CHOSEN else self.is_reference
            return lambda candidate: not is_first(candidate)
        if name == "whole":
            return lambda candidate: id(candidate.reading) in self._cut
        if name == "first_location":
            return self._location
        if name == "path":
            matches = re.compile(fnmatch.translate(argument)).match
            return lambda candidate: matches(candidate.path) is None
        if name == "location":
            prefix = location_prefix(argument)
            return lambda candidate: not (join_location(candidate.fs, candidate.path)).startswith(prefix)
        return _SIMPLE[name]


def _if_lossless(candidate: Candidate, value: int | None) -> int:
    """A fact of the sound that only counts between lossless files: decoders of lossy ones choose it."""
    return -(value or 0) if candidate.track.lossless else 0


def _bitrate(candidate: Candidate) -> float:
    """For lossless files, the bitrate of the uncompressed sound: how well it is compressed does not matter."""
    track = candidate.track
    if track.lossless and track.sample_rate and track.bit_depth:
        return -track.sample_rate * track.bit_depth * (track.channels or 2)
    return -weighed_bitrate(track)


def _oldest(candidate: Candidate) -> float:
    mtime = candidate.item.entry.mtime_ns
    return float("inf") if mtime is None else mtime // 1_000_000_000


def _tags(candidate: Candidate) -> float:
    track, facts = candidate.track, candidate.track.facts
    stated = sum(1 for name in _TAG_FIELDS if getattr(track, name) not in (None, (), ""))
    return -(stated + (sum(1 for name in facts.__struct_fields__ if getattr(facts, name)) if facts else 0))


_SIMPLE: Mapping[str, Callable[[Candidate], float]] = {
    "lossless": lambda candidate: not candidate.track.lossless,
    "bit_depth": lambda candidate: _if_lossless(candidate, candidate.track.bit_depth),
    "sample_rate": lambda candidate: _if_lossless(candidate, candidate.track.sample_rate),
    "bitrate": _bitrate,
    "longest": lambda candidate: -round(candidate.track.duration_s or 0.0),
    "album_tracks": lambda candidate: -(candidate.album_copy.tracks_at_location if candidate.album_copy else 0),
    "folder_tracks": lambda candidate: -(len(candidate.album_copy.members) if candidate.album_copy else 0),
    "not_compilation": lambda candidate: bool(candidate.album_copy and candidate.album_copy.album.values["compilation"]),
    "tags": _tags,
    "in_place": lambda candidate: not candidate.in_place,
    "oldest": _oldest,
    "original_name": lambda candidate: looks_like_copy(name_of(candidate.path)),
}
