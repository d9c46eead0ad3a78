"""The review of duplicates: each group of files that are the same, and which of them is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from orchestrator.paths import join_location, name_of
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.keep_order import because
from orchestrator.plan.planners.dedup.planner import reason_of
from orchestrator.plan.planners.dedup.records import Decision
from orchestrator.plan.shared_names import display_name
from orchestrator.report.reporter import printable, shortened, width_of
from orchestrator.report.wrapping import wrapped
from orchestrator.review.duplicate_groups import Chosen, DuplicateGroups, Effect
from orchestrator.review.file_facts import HEADINGS, columns, differing_tags, widths
from orchestrator.review.folders import folders_of, is_below
from orchestrator.review.model import QUARANTINED, Key, Line, Offer, Scope, Style
from orchestrator.wording import counted, size_text

_KEYS = (
    Key("enter", "keep it", "keep the marked file instead of the others"),
    Key("a", "keep all", "keep all files of this group"),
    Key("p", "plan", "do with this group what the plan says"),
)
_TOGETHER = "copies of an album are kept or quarantined as a whole"
_LEAST_PATH = 20


class DuplicatesReview:
    """See `orchestrator.review.model.Review`."""

    title = "duplicates"
    keys: Sequence[Key] = _KEYS

    def __init__(self, groups: DuplicateGroups) -> None:
        self.groups = groups
        self._several = len({member.fs for group in groups.groups for member in group}) > 1

    def __len__(self) -> int:
        return len(self.groups.groups)

    @property
    def decided(self) -> int:
        """How many groups a person has decided."""
        return len(self.groups.decisions)

    @property
    def pending(self) -> bool:
        """Never: each decision is carried through at once."""
        return False

    def settle(self) -> None:
        """Nothing to do."""

    def summary(self) -> str:
        """What would be quarantined."""
        groups = self.groups
        would = f"{counted(groups.files, 'file')} to quarantine, {size_text(groups.size)}"
        return f"{len(groups.decisions)} of {len(self)} decided, {would}"

    def line(self, index: int, width: int) -> Line:
        """The file that is kept, how many it is kept instead of, and why."""
        members = self.groups.groups[index]
        leaving = [one for member in members if (one := self.groups.leaving.get(id(member))) is not None]
        mark = "*" if index in self.groups.decisions else "~" if self._comes_out_otherwise(index) else " "
        if leaving:
            shown, what = leaving[0].kept, f"{_tier(leaving[0])}, {len(leaving)} of {len(members)} quarantined"
        else:
            shown, what = members[0], f"all {len(members)} kept"
        room = max(_LEAST_PATH, width - 3 - width_of(what))
        name = shortened(printable(self._name(shown)), room)
        space = " " * max(1, width - 2 - width_of(name) - width_of(what))
        return (
            (f"{mark} ", "strong"),
            (name, "strong" if mark == "*" else "plain"),
            (space + what, "plain" if leaving else "faint"),
        )

    def choices(self, index: int) -> int:
        """Its files."""
        return len(self.groups.groups[index])

    def text(self, index: int) -> str:
        """The names of its files, and why they are quarantined."""
        members = self.groups.groups[index]
        reasons = (because(one.criterion) for member in members if (one := self.groups.leaving.get(id(member))))
        return " ".join([*(self._name(member) for member in members), *reasons])

    def details(self, index: int, marked: int, width: int) -> tuple[Sequence[Line], int]:
        """The files side by side, what is done with the marked one and why, and the tags in which they differ."""
        members = self.groups.groups[index]
        facts = [columns(member.track, member.size) for member in members]
        wide = widths(facts)
        used = 16 + sum(wide) + 2 * len(wide)
        lines: list[Line] = [
            ((" " * 16 + "".join(f"{text:<{size}}  " for text, size in zip(HEADINGS, wide, strict=True)) + "file", "faint"),)
        ]
        for number, (member, row) in enumerate(zip(members, facts, strict=True)):
            state: Style = "leaves" if id(member) in self.groups.leaving else "stays"
            name = shortened(printable(self._name(member)), max(_LEAST_PATH, width - used))
            arrow = ">" if number == marked else " "
            head = f"{arrow}{number + 1:>2}  "
            cells = "".join(f"{text:<{size}}  " for text, size in zip(row, wide, strict=True))
            word = QUARANTINED if state == "leaves" else "stays"
            lines.append(((head, "strong"), (f"{word:<11}", state), (cells + name, "plain")))
        lines += [(), *self._about(members[marked], width)]
        tags = differing_tags([member.reading.track for member in members])
        if tags:
            lines += [(), (("tags that differ", "faint"),)]
        for name_, values in tags:
            shown = "   ".join(f"{number + 1} {printable(value)}" for number, value in enumerate(values))
            lines.append(((f"  {name_:<14} ", "faint"), (shown, "plain")))
        return lines, 1 + marked

    def press(self, key: str, index: int, marked: int) -> str:
        """Decide one group."""
        members = self.groups.groups[index]
        if key == "a":
            effect = self.groups.step({index: Chosen(left=frozenset(member.ref for member in members))})
            return self._said("all files of this group stay", effect, index)
        if key == "p":
            return self._said("as planned", self.groups.step({index: None}), index)
        number = marked if key == "enter" else int(key) - 1
        if not 0 <= number < len(members):
            return f"this group has {counted(len(members), 'file')}"
        return self._keep(index, members[number])

    def scopes(self, index: int, marked: int) -> Sequence[Scope]:
        """The groups of the same tier and criterion, and those with files in the folder of the marked file, or above."""
        found = []
        planned = self._planned(index)
        if planned is not None:
            kind = (planned.tier, planned.criterion)
            same = [one for one in range(len(self)) if (of := self._planned(one)) and (of.tier, of.criterion) == kind]
            title = f"{_tier(planned)}, kept because {because(planned.criterion)}: {counted(len(same), 'group')}"
            found.append(Scope(title, self._offers_of_kind(same)))
        file = self.groups.groups[index][marked]
        for folder in folders_of(file.path, root=self._several):
            inside: dict[int, list[Candidate]] = {}
            for number, members in enumerate(self.groups.groups):
                files = [one for one in members if one.fs == file.fs and is_below(one.path, folder)]
                if files:
                    inside[number] = files
            title = f"{join_location(file.fs, folder) if self._several or not folder else folder}: "
            found.append(Scope(title + counted(len(inside), "group"), self._offers_of_folder(inside)))
        return found

    def undo(self) -> str:
        """Take back the last step."""
        effect = self.groups.undo()
        return f"taken back: {counted(len(effect.decided), 'decision')}" if effect.decided else "there is nothing to take back"

    # One group.

    def _keep(self, index: int, file: Candidate) -> str:
        """Keep a file, and with it its whole copy of an album if the other one is such a copy, too."""
        step = {index: Chosen(kept=frozenset({file.ref}))}
        copy = file.album_copy
        others = [member.album_copy for member in self.groups.groups[index] if member.album_copy is not copy]
        if copy is not None and copy.complete and any(other is not None and other.complete for other in others):
            for member in copy.members:
                number = self.groups.number_of.get(id(member))
                if number is not None and number not in step:
                    step[number] = Chosen(kept=frozenset({member.ref}))
        return self._said(f"{name_of(file.path)} stays", self.groups.step(step), index)

    def _said(self, what: str, effect: Effect, index: int | None = None) -> str:
        """What a step came to: with what else it changes, and what it does not."""
        parts = [what]
        further = len(effect.changed - {index}) if index is not None else 0
        if further:
            parts.append(f"{counted(further, 'other group')} with it, because {_TOGETHER}")
        if index is not None and what != "as planned":
            parts += self._unlike(index)
        worse = sum(self._loses_quality(number) for number in effect.changed)
        if worse:
            parts.append(f"{counted(worse, 'lossless file')} would be quarantined for a lossy one")
        return "; ".join(parts)

    def _unlike(self, index: int) -> Iterable[str]:
        """Why files stay beside the chosen one."""
        chosen = self.groups.decisions.get(index)
        if chosen is None or not chosen.kept:
            return
        staying = [one for one in self.groups.groups[index] if id(one) not in self.groups.leaving and one.ref not in chosen.kept]
        for why in dict.fromkeys(filter(None, map(self.groups.why_kept, staying))):
            yield f"others stay as well: {why}"

    def _loses_quality(self, index: int) -> int:
        found = (self.groups.leaving.get(id(member)) for member in self.groups.groups[index])
        return sum(1 for one in found if one and one.duplicate.track.lossless and one.kept.track.lossless is False)

    def _about(self, member: Candidate, width: int) -> list[Line]:
        """What is done with a file, and why."""
        lines: list[Line] = [((part, "strong"),) for part in wrapped(printable(self._name(member)), width)]
        decision = self.groups.leaving.get(id(member))
        if decision is not None:
            text = printable(f"to the quarantine: {reason_of(decision, self._name(decision.kept))}")
        else:
            text = f"stays{self._why_it_stays(member)}"
        state: Style = "stays" if decision is None else "leaves"
        lines += [((part, state),) for part in wrapped(text, width)]
        copy = member.album_copy
        if copy is not None:
            whole = "complete album" if copy.complete else "album, not complete"
            where = f"{whole}: {counted(len(copy.members), 'file')} in {printable(copy.folder or 'the top folder')}"
            lines += [((part, "faint"),) for part in wrapped(where, width)]
        return lines

    def _why_it_stays(self, member: Candidate) -> str:
        group = self.groups.groups[self.groups.number_of[id(member)]]
        leaving = (self.groups.leaving.get(id(one)) for one in group)
        others = [one for one in leaving if one is not None and one.kept is member]
        if others:
            return f" instead of {counted(len(others), 'other file')}, because {because(others[0].criterion)}"
        why = self.groups.why_kept(member)
        return f": {why}" if why else ""

    # Many groups.

    def _offers_of_kind(self, same: Sequence[int]) -> Sequence[Offer]:
        groups = self.groups

        def other() -> str:
            chosen: dict[int, Chosen | None] = {}
            for number in same:
                leaving = [one for one in groups.groups[number] if id(one) in groups.planned]
                chosen[number] = Chosen(kept=frozenset({groups.best(leaving).ref}))
            return self._many(chosen)

        return (
            Offer("keep the other copy instead; of several, the best one", other),
            Offer("keep all files of these groups", lambda: self._many(self._all_left(same))),
            Offer("as planned", lambda: self._many(dict.fromkeys(same))),
        )

    def _offers_of_folder(self, inside: dict[int, list[Candidate]]) -> Sequence[Offer]:
        best, groups = self.groups.best, self.groups
        outside = {
            number: others
            for number, files in inside.items()
            if (others := [one for one in groups.groups[number] if one not in files])
        }

        def keep_best(of: dict[int, list[Candidate]]) -> str:
            return self._many({number: Chosen(kept=frozenset({best(files).ref})) for number, files in of.items()})

        def keep_each() -> str:
            return self._many({n: Chosen(kept=frozenset(one.ref for one in files)) for n, files in inside.items()})

        return (
            Offer("keep the copies in this folder; of several, the best one", partial(keep_best, inside)),
            Offer("keep the copies outside of this folder", partial(keep_best, outside)),
            Offer("quarantine nothing in this folder", keep_each),
            Offer("keep all files of these groups", lambda: self._many(self._all_left(inside))),
            Offer("as planned", lambda: self._many(dict.fromkeys(inside))),
        )

    def _all_left(self, numbers: Iterable[int]) -> dict[int, Chosen | None]:
        return {number: Chosen(left=frozenset(one.ref for one in self.groups.groups[number])) for number in numbers}

    def _many(self, step: Mapping[int, Chosen | None]) -> str:
        effect = self.groups.step(step)
        unlike = sum(1 for number in step if any(self._unlike(number)))
        text = self._said(f"decided: {counted(len(step), 'group')}, {len(effect.changed)} of all come out otherwise", effect)
        return text + (f"; in {counted(unlike, 'group')}, others stay as well" if unlike else "")

    # Words.

    def _planned(self, index: int) -> Decision | None:
        found = (self.groups.planned.get(id(member)) for member in self.groups.groups[index])
        return next((one for one in found if one is not None), None)

    def _comes_out_otherwise(self, index: int) -> bool:
        return self.groups.outcome(index) != self.groups.outcome(index, self.groups.planned)

    def _name(self, candidate: Candidate) -> str:
        return display_name(candidate.ref, "" if self._several else candidate.fs)


def _tier(decision: Decision) -> str:
    lossy = decision.kept.track.lossless and decision.duplicate.track.lossless is False
    return "lossy copy" if lossy else decision.tier.words
