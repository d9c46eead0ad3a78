"""Which file of the target has the content of a file of the source, by what is known of both."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence

from orchestrator.paths import split_path
from orchestrator.records import Entry
from orchestrator.same_contents.records import Known, Proof, Reason, Wanted, differ, same_hashes
from orchestrator.same_contents.sounds import judge, same_titles, unlike

_MOST_JUDGED = 64
"""So many files of the target that have the same sound, name or size are compared with a file."""
FULL = "`--full` compares them"


class Matching:
    """The files of the source and of the target. Memory: one record a file."""

    def __init__(self, source: Iterable[Entry], target: Iterable[Entry]) -> None:
        """Proves at once what the listings prove."""
        self.source = sorted(map(Wanted, source), key=lambda file: (file.path, file.entry.id or ""))
        self.target = sorted(map(Known, target), key=lambda file: (file.path, file.entry.id or ""))
        for side in (self.source, self.target):
            names = Counter(file.path for file in side)
            for file in side:
                file.shares_name = names[file.path] > 1
        self.of_size: dict[int, list[Known]] = defaultdict(list)
        """Size -> the files of the target that have it."""
        self._at: dict[str, Known] = {file.path: file for file in self.target}
        self._called: dict[tuple[int, str], list[Known]] = defaultdict(list)
        """Size and name, wherever it is -> the same."""
        for file in self.target:
            if file.entry.size:
                self.of_size[file.entry.size].append(file)
                self._called[file.entry.size, split_path(file.path)[1]].append(file)
        for one in self.source:
            if one.entry.size == 0:
                one.proof = Proof.EMPTY
        self.match_hashes()

    @property
    def unproven(self) -> list[Wanted]:
        """The files of the source whose content was not found so far."""
        return [file for file in self.source if file.proof is None]

    @property
    def used(self) -> set[int]:
        """Ids (of Python) of the files of the target that are the proof of some file."""
        return {id(file.twin) for file in self.source if file.proof is not None and file.twin is not None}

    def match_hashes(self) -> None:
        """Look for the files that are not proved yet by the hashes that are known now.

        Of several copies at the target, each file gets its own as long as there are any, if possible that at its path.
        """
        groups: dict[tuple[int, str, str], list[Wanted]] = defaultdict(list)
        for file in self.unproven:
            if file.entry.size in self.of_size:
                for kind, value in file.hashes.items():
                    groups[file.entry.size, kind, value].append(file)
        copies: dict[tuple[int, str, str], list[Known]] = defaultdict(list)
        for size in {size for size, _, _ in groups}:
            for one in self.of_size[size]:
                for kind, value in one.hashes.items():
                    if (size, kind, value) in groups:
                        copies[size, kind, value].append(one)
        used = self.used
        for key, found in copies.items():
            _pair(groups[key], found, used)

    def match_sounds(self) -> None:
        """Look for the music that is not proved yet by what both sides say of their sound; note what speaks against it."""
        by_identity: dict[tuple[str, str], list[Known]] = defaultdict(list)
        for one in self.target:
            if one.reading is not None and (identity := one.reading.identity) is not None:
                by_identity[identity.kind, identity.value].append(one)
        used = self.used
        for file in self.unproven:
            if file.reading is None or (identity := file.reading.identity) is None:
                continue
            copies = by_identity.get((identity.kind, identity.value), ())[:_MOST_JUDGED]
            judged = [(*judge(file, one), one) for one in sorted(copies, key=lambda one: (id(one) in used, one.path))]
            for found, why, one in sorted(judged, key=lambda said: _ORDER[said[0]]):
                if isinstance(found, Proof):
                    file.proof, file.twin, file.reason, file.why = found, one, None, ""
                    used.add(id(one))
                else:
                    file.reason, file.twin, file.why = found, one, why
                break

    def settle(self) -> None:
        """Give each file that is not proved its reason."""
        for file in self.unproven:
            if file.reason is None or file.reason is Reason.SIMILAR:
                self._give_reason(file)

    def _give_reason(self, file: Wanted) -> None:
        if file.gone:
            file.reason, file.why = Reason.VANISHED, "was listed, but was gone when it was read"
        elif file.failure is not None:
            file.reason, file.why = Reason.UNREADABLE, file.failure
        elif file.entry.size is None:
            file.reason, file.why = Reason.UNREADABLE, "the remote does not report its size (a document of Google's?)"
        elif file.reason is None:
            file.reason, file.why, file.twin = self._nearest(file)

    def _nearest(self, file: Wanted) -> tuple[Reason, str, Known | None]:
        """The reason for a file whose content was not found, and the file of the target that comes nearest."""
        size, name = file.entry.size or 0, split_path(file.path)[1]
        open_ones = []
        for one in (*self._called.get((size, name), ())[:_MOST_JUDGED], *self.of_size.get(size, ())[:_MOST_JUDGED]):
            if differ(file, one):
                if split_path(one.path)[1] == name and one.path != file.path:
                    return Reason.DIFFERS, "a file of this name and size has other bytes", one
            elif not unlike(file.reading, one.reading):
                open_ones.append(one)
            elif same_titles(file.reading, one.reading):
                return Reason.DIFFERS, "a file of this size, title and artist has another sound: one may be damaged", one
        if open_ones:
            return self._undecided(file, open_ones)
        there = self._at.get(file.path)
        if there is not None:
            return Reason.DIFFERS, "other content is at its path", there
        return Reason.MISSING, "neither these bytes nor this sound are in the target", None

    def _undecided(self, file: Wanted, open_ones: Sequence[Known]) -> tuple[Reason, str, Known]:
        name = split_path(file.path)[1]
        nearest = min(open_ones, key=lambda one: (one.path != file.path, split_path(one.path)[1] != name, one.path))
        if file.shares_name or nearest.shares_name:
            whose = "its name" if file.shares_name else "the name of the file that may be its copy"
            return Reason.UNREADABLE, f"several files have {whose}, so that it cannot be read by itself", nearest
        if nearest.failure is not None:
            return Reason.UNREADABLE, f"the file that may be its copy could not be read: {nearest.failure}", nearest
        if nearest.reading is not None and nearest.reading.suspect is not None:
            return Reason.DIFFERS, f"the file of its size seems to be damaged: {nearest.reading.suspect}", nearest
        return Reason.SIMILAR, f"has the same size, but no hash in common: {FULL}", nearest


_ORDER: dict[Proof | Reason, int] = {Proof.SOUND: 0, Reason.DIFFERS: 1, Reason.SIMILAR: 2}


def _pair(files: Sequence[Wanted], copies: Sequence[Known], used: set[int]) -> None:
    """Give each of these files, which have a hash in common with each of `copies`, one of these as its proof."""
    by_path = {one.path: one for one in copies}
    spare = deque(copies)
    for file in sorted(files, key=lambda file: file.path not in by_path):
        if file.proof is not None:
            continue
        one = by_path.get(file.path)
        if one is None or id(one) in used:
            while len(spare) > 1 and id(spare[0]) in used:
                spare.popleft()
            one = spare[0] if id(spare[0]) not in used else copies[0]
        found = same_hashes(file, one)
        if found is not None:
            file.proof, file.twin, file.reason, file.why = found, one, None, ""
            used.add(id(one))
