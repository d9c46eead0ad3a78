"""The review of `organize`: each folder that files go to, and which of these files are left where they are."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from orchestrator.paths import name_of, parent_of, parents_of
from orchestrator.plan.model import Plan, Verb, mirrors_of
from orchestrator.plan.music.disc_folders import album_folder
from orchestrator.plan.planners.organize.request import LEFT, OrganizeRequest, source_names
from orchestrator.plan.shared_names import display_name
from orchestrator.records import Ref
from orchestrator.report.plan_view import PlanStep, iterate_steps
from orchestrator.report.reporter import printable, shortened, width_of
from orchestrator.report.wrapping import wrapped
from orchestrator.review.decisions import Decisions
from orchestrator.review.file_facts import columns
from orchestrator.review.folders import folders_of, is_below
from orchestrator.review.model import QUARANTINED, Key, Line, Offer, Scope, Style
from orchestrator.tags.formats import is_audio
from orchestrator.track import Track
from orchestrator.wording import counted

_KEYS = (
    Key("enter", "keep here", "keep the marked file where it is; once more: as planned"),
    Key("a", "keep all here", "keep all files of this album where they are"),
    Key("p", "plan", "do with this album what the plan says"),
)
_MOVES: tuple[str, Style] = ("moves", "leaves")
_STATES: dict[Verb, tuple[str, Style]] = {
    Verb.MOVE: _MOVES,
    Verb.COPY: ("copied", "plain"),
    Verb.QUARANTINE: (QUARANTINED, "leaves"),
    Verb.REWRITE: ("updated", "leaves"),
}
_STAYS: tuple[str, Style] = ("stays", "stays")
_QUARANTINE = "the quarantine"
_NO_CHANGE = "nothing to change"
_INDENT = " " * 16
_LEAST_PATH = 20
_MOST_AROUND = 100
"""Files before the marked one that are shown, and from it on: some layouts have a single folder."""
_MOST_STAYING = 20
"""Files that are named because they stay beside those of one album."""
_SOON = 2_000
"""Files that are planned again in 0.2 s: 50 to 100 µs were measured for each."""


class _Made(NamedTuple):
    """A plan, and what it was made for."""

    left: frozenset[Ref]
    changes: Mapping[Ref, PlanStep]
    """File of the source -> what is done with it."""
    reasons: Mapping[str, str]
    """Path -> why a file is skipped."""


class AlbumsReview:
    """See `orchestrator.review.model.Review`. What becomes of the files is always what the planner says."""

    title = "albums"
    keys: Sequence[Key] = _KEYS

    def __init__(self, request: OrganizeRequest, first: Plan, plan_leaving: Callable[[frozenset[Ref]], Plan]) -> None:
        """`first` is the plan of the request, `plan_leaving` makes that in which these files are left."""
        self._plan_leaving = plan_leaving
        self._tracks: dict[Ref, Track | None] = {}
        self._beside: dict[str, list[Ref]] = {}
        names = source_names(request)
        for item in request.items:
            ref = names.ref(request.source_fs, item.entry)
            if item.reading is not None:
                self._tracks[ref] = item.reading.track
            self._beside.setdefault(parent_of(ref.path), []).append(ref)
        for refs in self._beside.values():
            refs.sort(key=lambda ref: (ref.path, ref.object_id or ""))
        self._lines: dict[int, tuple[frozenset[Ref], frozenset[Ref], int, Line]] = {}
        """Number of an entry -> its line, with what was planned and decided, and the width."""
        self._soon = len(request.items) <= _SOON
        self._decisions: Decisions[bool] = Decisions()
        self.left: frozenset[Ref] = frozenset()
        """The files to leave where they are."""
        self.now = made_of(first, self.left)
        """What would be done."""
        self.files: list[PlanStep] = list(self.now.changes.values())
        """What was planned at first. Files that only move because of a decision are added."""
        self._number = {step.src: number for number, step in enumerate(self.files)}
        found: dict[tuple[bool, str], list[int]] = {}
        for number, step in enumerate(self.files):
            found.setdefault(_place(step), []).append(number)
        self._places = sorted(found)
        self._groups = [found[place] for place in self._places]
        self._group_of = {number: index for index, group in enumerate(self._groups) for number in group}

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def decided(self) -> int:
        """How many albums have files that a person has left."""
        return len({self._group_of[number] for number in self._decisions.made})

    @property
    def pending(self) -> bool:
        """Whether the plan of the decisions is still to be made."""
        return self.now.left is not self.left

    def settle(self) -> None:
        """Make the plan of the decisions."""
        left = self.left
        if left == self.now.left:
            self.now = self.now._replace(left=left)
            return
        made = made_of(self._plan_leaving(left), left)
        for ref, step in made.changes.items():
            if ref not in self._number:
                self._add(ref, step)
        self.now = made

    def summary(self) -> str:
        """How many files change, and how many are left."""
        decided = f"{self.decided} of {len(self)} decided, "
        if self.pending:
            return f"{decided}{counted(len(self.left), 'file')} kept; planning again ..."
        changing = len(self.now.changes)
        return f"{decided}{counted(changing, 'file')} {'changes' if changing == 1 else 'change'}, {len(self.left)} kept"

    def line(self, index: int, width: int) -> Line:
        """Where its files come from and go to, and how many tracks do. Kept, as a folder may have all files of a library."""
        known = self._lines.get(index)
        if known is None or known[:3] != (self.now.left, self.left, width):
            known = self._lines[index] = (self.now.left, self.left, width, self._line(index, width))
        return known[3]

    def choices(self, index: int) -> int:
        """Its files."""
        return len(self._groups[index])

    def text(self, index: int) -> str:
        """The paths of its files, old and new, and the reasons."""
        return " ".join(text for step in self._steps(index) for text in (step.was, step.becomes, self._why(step)))

    def details(self, index: int, marked: int, width: int) -> tuple[Sequence[Line], int]:
        """Its files with old and new names, all about the marked one, and what stays in the folders they come from."""
        lines: list[Line] = []
        at = 0
        numbers = self._groups[index]
        begin, end = max(0, marked - _MOST_AROUND), min(len(numbers), marked + _MOST_AROUND)
        if begin:
            lines.append(((f"  ... {counted(begin, 'file')} before", "faint"),))
        for number in range(begin, end):
            at = len(lines) if number == marked else at
            lines += self._row(number, self.files[numbers[number]], width, marked=number == marked)
        if end < len(numbers):
            lines.append(((f"  ... {counted(len(numbers) - end, 'more file')}", "faint"),))
        staying = [*self._staying(index)]
        if staying:
            lines += [(), (("what else stays in the folders that they come from", "faint"),)]
        for ref in staying[:_MOST_STAYING]:
            text = printable(f"{display_name(ref, ref.fs)}: {self._why_staying(ref)}")
            lines += [((f"  {part}", "plain"),) for part in wrapped(text, max(_LEAST_PATH, width - 2))]
        if len(staying) > _MOST_STAYING:
            lines.append(((f"  ... and {counted(len(staying) - _MOST_STAYING, 'more file')}", "plain"),))
        return lines, at

    def press(self, key: str, index: int, marked: int) -> str:
        """Decide one file, or one album."""
        numbers = self._groups[index]
        if key in ("a", "p"):
            text = f"kept where they are: {counted(len(numbers), 'file')}" if key == "a" else "as planned"
            return self._decide(numbers, text, leave=key == "a")
        chosen = marked if key == "enter" else int(key) - 1
        if not 0 <= chosen < len(numbers):
            return f"this album has {counted(len(numbers), 'file')}"
        leave = numbers[chosen] not in self._decisions
        name = name_of(self.files[numbers[chosen]].src.path)
        return self._decide([numbers[chosen]], f"{name}: {'kept where it is' if leave else 'as planned'}", leave=leave)

    def scopes(self, index: int, marked: int) -> Sequence[Scope]:
        """All files from the folder of the marked one, or above; and all that go to the folders above that of the album."""
        step = self.files[self._groups[index][marked]]
        found = []
        for folder in folders_of(step.src.path, root=True):
            inside = [number for number, one in enumerate(self.files) if is_below(one.src.path, folder)]
            found.append(Scope(f"{counted(len(inside), 'file')} from {folder or 'all folders'}", self._offers(inside)))
        in_quarantine, new = self._places[index]
        for folder in () if in_quarantine else parents_of(f"{new}/."):
            inside = [
                number
                for place, group in zip(self._places, self._groups, strict=True)
                if not place[0] and is_below(f"{place[1]}/", folder)
                for number in group
            ]
            found.append(Scope(f"{counted(len(inside), 'file')} to {folder}", self._offers(inside)))
        return found

    def undo(self) -> str:
        """Take back the last step."""
        changed = self._decisions.undo()
        if not changed:
            return "there is nothing to take back"
        self._settle_soon()
        return f"taken back: {counted(len(changed), 'decision')}"

    def _offers(self, numbers: Sequence[int]) -> Sequence[Offer]:
        text = f"decided: {counted(len(numbers), 'file')}"
        return (
            Offer("keep them where they are", partial(self._decide, numbers, text, leave=True)),
            Offer("as planned", partial(self._decide, numbers, text, leave=False)),
        )

    def _decide(self, numbers: Iterable[int], text: str, *, leave: bool) -> str:
        chosen = {*numbers}
        before = self.now.changes
        self._decisions.make(dict.fromkeys(chosen, True if leave else None))
        self._settle_soon()
        if self.pending:
            return text
        after = self.now.changes
        decided = {self.files[number].src for number in chosen}
        others = sum(_goal(before.get(ref)) != _goal(after.get(ref)) for ref in {*before, *after} if ref not in decided)
        return f"{text}; {counted(others, 'other file')} with {'it' if len(chosen) == 1 else 'them'}" if others else text

    def _add(self, ref: Ref, step: PlanStep) -> None:
        """Show a file that only moves because of a decision: with those that go where it goes, or next to there."""
        number, index = len(self.files), max(0, bisect(self._places, _place(step)) - 1)
        self.files.append(step)
        self._number[ref], self._group_of[number] = number, index
        self._groups[index].append(number)

    def _settle_soon(self) -> None:
        self.left = frozenset(self.files[number].src for number in self._decisions.made)
        if self._soon:
            self.settle()

    def _steps(self, index: int) -> list[PlanStep]:
        return [self.files[number] for number in self._groups[index]]

    def _change(self, step: PlanStep) -> PlanStep | None:
        """What would be done with a file now; what is decided is shown before it has been planned."""
        if self._number[step.src] in self._decisions:
            return None
        return self.now.changes.get(step.src, step if step.src in self.now.left else None)

    def _line(self, index: int, width: int) -> Line:
        steps = self._steps(index)
        going = [step for step in steps if self._change(step)]
        sources = list(dict.fromkeys(parent_of(step.src.path) for step in steps))
        new = _QUARANTINE if self._places[index][0] else self._places[index][1]
        more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        mark = "* " if any(n in self._decisions for n in self._groups[index]) else "~ " if self._otherwise(index) else "  "
        tracks = sum(is_audio(step.src.path) for step in going)
        what = counted(tracks, "track") if tracks else counted(len(going), "file")
        staying = len(steps) - len(going)
        if staying:
            what = f"{what}, {staying} {'stays' if staying == 1 else 'stay'}" if going else f"all {staying} stay"
        room = max(_LEAST_PATH, width - 3 - width_of(what))
        old, new = (printable(folder or "the top folder") for folder in (sources[0], new))
        name = new if old == new and not more else shortened(old, room // 2 - 3 - len(more)) + f"{more} -> {new}"
        name = shortened(name, room)
        space = " " * max(1, width - 2 - width_of(name) - width_of(what))
        return ((mark, "strong"), (name, "plain"), (space + what, "plain" if going else "faint"))

    def _row(self, number: int, step: PlanStep, width: int, *, marked: bool) -> Iterator[Line]:
        """One file: what happens to it, its names and tags; of the marked one, also its paths and the reason."""
        change, track = self._change(step), self._tracks.get(step.src)
        word, style = _STATES.get(change.verb, _MOVES) if change else _STAYS
        form, _, _, length, _ = columns(track, step.size)
        cells = f"{form:<6} {length:>6}  " if is_audio(step.src.path) else " " * 15
        head = f"{'>' if marked else ' '}{number + 1:>3}  "
        yield (head, "strong"), (f"{word:<11}", style), (cells + _names(step, change, width - 31), "plain")
        room = max(_LEAST_PATH, width - len(_INDENT))
        if track is not None:
            yield ((_INDENT + shortened(printable(_tags(track)), room), "faint"),)
        if marked:
            goes = change is not None and change.verb is not Verb.QUARANTINE
            about = [f"from {step.was}", *([f"to   {change.becomes}"] if change and goes else [])]
            for text in (*about, f"{'because' if change else 'stays'}: {self._why(step)}"):
                yield from (((_INDENT + part, "strong"),) for part in wrapped(printable(text), room))

    def _why(self, step: PlanStep) -> str:
        change = self._change(step)
        if change is not None:
            return change.reason
        return LEFT if self._number[step.src] in self._decisions else self._why_staying(step.src)

    def _why_staying(self, ref: Ref) -> str:
        reason = self.now.reasons.get(ref.path, _NO_CHANGE)
        return _NO_CHANGE if reason == LEFT and ref not in self.now.left else reason  # of another file with this name

    def _otherwise(self, index: int) -> bool:
        return any(_goal(self._change(step)) != _goal(step) for step in self._steps(index))

    def _staying(self, index: int) -> Iterator[Ref]:
        """The files that stay where those of an album come from."""
        for folder in dict.fromkeys(parent_of(step.src.path) for step in self._steps(index)):
            yield from (ref for ref in self._beside.get(folder, ()) if ref not in self._number)


def made_of(plan: Plan, left: frozenset[Ref] = frozenset()) -> _Made:
    """What a plan does with the files of the source, in its order. What mirrors get follows from that."""
    mirrors, source = mirrors_of(plan.header), plan.header.source
    changes = {step.src: step for step in iterate_steps(plan) if step.src.fs == source and step.dst.fs not in mirrors}
    return _Made(left, changes, {one.path: one.reason for one in plan.skipped})


def _place(step: PlanStep) -> tuple[bool, str]:
    """Where a file goes: the folder of the album; of what is quarantined, the folder that it leaves."""
    quarantined = step.verb is Verb.QUARANTINE
    return quarantined, parent_of(step.src.path) if quarantined else album_folder(step.dst.path)


def _goal(step: PlanStep | None) -> tuple[Verb, Ref] | None:
    return None if step is None else (step.verb, step.dst)


def _names(step: PlanStep, change: PlanStep | None, width: int) -> str:
    old = printable(name_of(step.src.path))
    new = "" if change is None or change.verb is Verb.QUARANTINE else printable(name_of(change.dst.path))
    room = max(_LEAST_PATH, width)
    if new in ("", old):
        return shortened(old, room)
    return f"{shortened(old, (room - 4) // 2)} -> {shortened(new, (room - 4) // 2)}"


def _tags(track: Track) -> str:
    return " / ".join("; ".join(values) or "-" for values in (track.title, track.artist, track.album))
