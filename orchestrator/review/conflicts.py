"""The review of a sync: each file that both sides have changed, and which of the two is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from orchestrator.plan.planners.sync.records import LETTERS, SIDES, Answer, Conflict, SideNumber, SyncSettings, other
from orchestrator.report.reporter import printable, shortened, width_of
from orchestrator.report.wrapping import wrapped
from orchestrator.review.decisions import Decisions
from orchestrator.review.file_facts import UNKNOWN, columns, differing_tags
from orchestrator.review.folders import folders_of, is_below
from orchestrator.review.model import Key, Line, Offer, Scope, Style
from orchestrator.track import Track
from orchestrator.wording import counted

_KEYS = (
    Key("enter", "", "keep the marked file on both sides"),
    Key("1", "A's", "keep A's file on both sides"),
    Key("2", "B's", "keep B's file on both sides"),
    Key("a", "both", "keep the two of them, one under another name"),
    Key("w", "later", "leave it for later: nothing is done with either"),
    Key("p", "plan", "do what the plan says"),
)
_ANSWERS = {"1": Answer.A, "2": Answer.B, "a": Answer.BOTH, "w": Answer.LATER, "p": None}
_OF_SIDES = (Answer.A, Answer.B)
_WORDS = {Answer.A: "A's is kept", Answer.B: "B's is kept", Answer.BOTH: "both kept", Answer.LATER: "left for later"}
_OFFERS = (
    ("keep A's files", Answer.A),
    ("keep B's files", Answer.B),
    ("keep both of each", Answer.BOTH),
    ("leave them for later", Answer.LATER),
    ("as planned", None),
)

Tracks = tuple[Track | None, Track | None]
"""The tags of the two files; None where they are unknown, or there can be none."""


class ConflictsReview:
    """See `orchestrator.review.model.Review`."""

    title = "conflicts"
    keys: Sequence[Key] = _KEYS

    def __init__(
        self,
        conflicts: Sequence[Conflict],
        settings: SyncSettings,
        sides: tuple[str, str],
        tracks_of: Callable[[Conflict], Tracks],
        time_text: Callable[[int], str],
    ) -> None:
        """`sides`: what the locations are called. `tracks_of` is asked for what is shown; `time_text` writes nanoseconds."""
        self._conflicts = conflicts
        self._settings = settings
        self._sides = sides
        self._tracks_of = tracks_of
        self._time_text = time_text
        self._decisions: Decisions[Answer] = Decisions()

    def __len__(self) -> int:
        return len(self._conflicts)

    @property
    def decided(self) -> int:
        """How many conflicts a person has decided."""
        return len(self._decisions)

    @property
    def answers(self) -> Mapping[tuple[str, str], Answer]:
        """All decisions, for the planner."""
        return {self._conflicts[index].paths: answer for index, answer in self._decisions.made.items()}

    def outcome(self, index: int) -> Answer:
        """What becomes of a conflict now: a damaged file replaces none, whatever was decided."""
        conflict, answer = self._conflicts[index], self._decisions.get(index)
        if answer is None or (conflict.damaged is not None and answer is not Answer.LATER):
            return conflict.outcome
        return answer

    @property
    def pending(self) -> bool:
        """Never: each decision is carried through at once."""
        return False

    def settle(self) -> None:
        """Nothing to do."""

    def summary(self) -> str:
        """How many files are kept of each side."""
        found = Counter(map(self.outcome, range(len(self))))
        parts = [f"{answer.upper() if len(answer) == 1 else answer}: {found[answer]}" for answer in Answer if found[answer]]
        return ", ".join([f"{self.decided} of {len(self)} decided", *parts])

    def line(self, index: int, width: int) -> Line:
        """Its name, and what becomes of it."""
        mark = "* " if index in self._decisions else "  "
        what = _WORDS[self.outcome(index)]
        name = shortened(printable(self._conflicts[index].paths[0]), max(20, width - 3 - width_of(what)))
        space = " " * max(1, width - 2 - width_of(name) - width_of(what))
        return ((mark, "strong"), (name, "plain"), (space + what, "plain"))

    def choices(self, index: int) -> int:  # noqa: ARG002 - all have the same
        """The two files."""
        return len(SIDES)

    def text(self, index: int) -> str:
        """The names, and why the plan says so."""
        return " ".join([*self._conflicts[index].paths, self._conflicts[index].why, _WORDS[self.outcome(index)]])

    def details(self, index: int, marked: int, width: int) -> tuple[Sequence[Line], int]:
        """Both files side by side, what becomes of them and why, and the tags in which they differ."""
        conflict = self._conflicts[index]
        tracks = self._tracks_of(conflict)
        lines: list[Line] = [(("             changed              size       format  bit rate  kHz/bits  length", "faint"),)]
        for side in SIDES:
            file = conflict.files[side]
            form, rate, sample, length, size = columns(tracks[side], file.size)
            time_ns = file.own_mtime_ns if file.own_mtime_ns is not None else file.entry.mtime_ns
            changed = UNKNOWN if time_ns is None else self._time_text(time_ns)
            style: Style = "leaves" if self.outcome(index) is _OF_SIDES[other(side)] else "stays"
            head = f"{'>' if marked == side else ' '} {LETTERS[side]}  "
            cells = f"{changed:<20} {size:<10} {form:<7} {rate:<9} {sample:<9} {length}"
            lines.append(((head, "strong"), (f"{'replaced' if style == 'leaves' else 'stays':<9}", style), (cells, "plain")))
        lines.append(())
        for side in SIDES:
            text = f"{LETTERS[side]}: {printable(self._sides[side])}: {printable(conflict.paths[side])}"
            lines += [((part, "strong" if side == marked else "plain"),) for part in wrapped(text, width)]
        for text in self._said(index):
            lines += [((part, "plain"),) for part in wrapped(printable(text), width)]
        tags = differing_tags(tracks) if all(tracks) else []
        if tags:
            lines += [(), (("tags that differ", "faint"),)]
        for name, values in tags:
            shown = "   ".join(f"{LETTERS[side]} {printable(values[side])}" for side in SIDES)
            lines.append(((f"  {name:<14} ", "faint"), (shown, "plain")))
        return lines, 1 + marked

    def press(self, key: str, index: int, marked: int) -> str:
        """Decide one conflict."""
        if key not in _ANSWERS and key != "enter":
            return "there are two files: A's and B's"
        self._decisions.make({index: _OF_SIDES[marked] if key == "enter" else _ANSWERS[key]})
        return f"{_WORDS[self.outcome(index)]}{self._unlike([index])}"

    def scopes(self, index: int, marked: int) -> Sequence[Scope]:
        """The conflicts with the same reason, those of each folder, and all."""
        conflict = self._conflicts[index]
        why = [
            one for one, other_ in enumerate(self._conflicts) if (other_.why, other_.outcome) == (conflict.why, conflict.outcome)
        ]
        found = [Scope(f"{conflict.why}: {counted(len(why), 'conflict')}", self._offers(why))]
        for folder in folders_of(conflict.paths[marked], root=True):
            inside = [one for one, other_ in enumerate(self._conflicts) if is_below(other_.paths[marked], folder)]
            found.append(Scope(f"{folder or 'all'}: {counted(len(inside), 'conflict')}", self._offers(inside)))
        return found

    def undo(self) -> str:
        """Take back the last step."""
        changed = self._decisions.undo()
        return f"taken back: {counted(len(changed), 'decision')}" if changed else "there is nothing to take back"

    def _offers(self, indices: Sequence[int]) -> Sequence[Offer]:
        return [Offer(text, partial(self._many, indices, answer)) for text, answer in _OFFERS]

    def _many(self, indices: Sequence[int], answer: Answer | None) -> str:
        self._decisions.make(dict.fromkeys(indices, answer))
        return f"decided: {counted(len(indices), 'conflict')}{self._unlike(indices)}"

    def _unlike(self, indices: Iterable[int]) -> str:
        """Where a decision has no effect."""
        unlike = sum(1 for one in indices if one in self._decisions and self.outcome(one) != self._decisions.get(one))
        return f"; a damaged file never replaces a complete one: {counted(unlike, 'complete file')} kept" if unlike else ""

    def _said(self, index: int) -> Iterable[str]:
        """What becomes of the two files, and why."""
        outcome, planned = self.outcome(index), self._conflicts[index]
        yield f"plan: {_WORDS[planned.outcome]}, because {planned.why}"
        if outcome is Answer.LATER:
            yield "now: nothing is done with either file; the next sync finds the conflict again"
        elif outcome is Answer.BOTH:
            yield "now: the two of them are kept, and one gets `(conflict ...)` in its name"
        else:
            winner: SideNumber = SIDES[outcome is Answer.B]
            loser = other(winner)
            if self._settings.writes_to(loser):
                yield f"now: {LETTERS[winner]}'s file replaces that of {LETTERS[loser]}, which goes to the trash there"
            else:
                yield f"now: both stay as they are, because the sync changes nothing on {LETTERS[loser]}"
        if outcome is not Answer.LATER and self._same_sound(index):
            yield "both hold the same sound"

    def _same_sound(self, index: int) -> bool:
        first, second = (file.sound.identity if file.sound else None for file in self._conflicts[index].files)
        return first is not None and first == second
