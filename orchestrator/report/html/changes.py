"""What pages say of changes, whether planned or done: their rows, their pictures, and what an undo would do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from orchestrator.paths import extension_of
from orchestrator.plan.model import KeptCopy, Plan, Verb
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.records import OWN_DIRECTORY
from orchestrator.report.html.document import STATES, Chart, ChartItem, State, largest, only_filled
from orchestrator.report.html.rows import Rows
from orchestrator.report.plan_view import PlanStep, iterate_steps
from orchestrator.tags.formats import is_audio
from orchestrator.wording import counted, size_text

_YEAR = re.compile(r"[(\[]((?:19|20)\d\d)[)\]]")
_KEPT_BECAUSE = re.compile(r"\bkept because .*?(?=(?: \(tier T\d\))?$)")  # older plan files end with the tier
_LEAVES = (Verb.QUARANTINE, Verb.DELETE)
_MOST_BARS = 10
_MOST_SHARES = 7


class Result(NamedTuple):
    """What became of an operation."""

    state: State
    message: str | None = None


def write_changes(rows: Rows, plan: Plan, results: Mapping[str, Result] | None = None) -> None:
    """Write the changes of a plan. `results`: by the id of an operation, what a run did with it."""
    for step in iterate_steps(plan):
        result = Result("not done") if results is None else result_of(step, results)
        state = STATES.index(result.state)
        rows.change(step, new_place(step), state, result.message)
        if step.kept is not None and step.verb in _LEAVES:
            rows.kept_copy(step.kept.ref, step.kept.size, _why_duplicate(step, step.kept))


def _why_duplicate(step: PlanStep, kept: KeptCopy) -> str:
    """How a duplicate is the same, and why the other copy is kept, without the path, which stands beside it."""
    because = _KEPT_BECAUSE.search(step.reason)
    if because is None or not kept.tier:
        return step.reason
    lossy = step.reason.startswith("lossy copy")
    same = f"lossy copy of a lossless file, {Tier(kept.tier).words}" if lossy else Tier(kept.tier).words
    return f"{same}; {because[0]}"


def result_of(step: PlanStep, results: Mapping[str, Result]) -> Result:
    """What became of a change, which may take two operations."""
    found = [results[one] for one in step.ids if one in results]
    if not found:
        return Result("not done")
    if len(found) < len(step.ids) and found[-1].state == "done":
        return Result("half-way", found[-1].message)
    return found[-1]


def new_place(step: PlanStep) -> tuple[str, str]:
    """Where a file goes: a location, or a heading, and the path below it."""
    fs, path = step.dst.fs, step.dst.path
    if step.verb is Verb.QUARANTINE:
        return f"{fs} (quarantine)", path
    if step.verb is Verb.DELETE:
        return f"{fs} ({'deleted for good' if is_for_good(step) else 'trash'})", path
    return fs, path if step.dst.object_id is None else f"{path} [{step.dst.object_id}]"


def is_for_good(step: PlanStep) -> bool:
    """Whether the file is gone afterwards: only what lies in quarantine or trash already is not moved there."""
    return step.verb is Verb.DELETE and step.src.path.startswith(f"{OWN_DIRECTORY}/")


class Tally:
    """What many changes come to."""

    def __init__(self, changes: Iterable[PlanStep] = ()) -> None:
        self.verbs: Counter[str] = Counter()
        """Changes of each kind."""
        self.deleted_for_good = 0
        self.quarantined_bytes = 0
        self.moved_at: set[str] = set()
        """The locations to which files are moved."""
        self._formats: Counter[str] = Counter()
        self._decades: Counter[str] = Counter()
        self._space: Counter[str] = Counter()
        self._tiers: Counter[str] = Counter()
        self._duplicated: Counter[str] = Counter()
        for step in changes:
            self.add(step)

    def add(self, step: PlanStep) -> None:
        """Count one change."""
        size, path = step.size or 0, step.dst.path
        if step.verb in _LEAVES:
            self._add_leaving(step, size)
            return
        self.verbs[step.verb] += 1
        if step.verb is Verb.MOVE:
            self.moved_at.add(step.dst.fs)
        self._space[_top(path)] += size
        if is_audio(path):
            self._formats[extension_of(path).upper()] += size
            if year := _YEAR.search(path):
                self._decades[f"{year[1][:3]}0s"] += 1

    def _add_leaving(self, step: PlanStep, size: int) -> None:
        if is_for_good(step):
            self.deleted_for_good += 1
            return
        self.verbs[step.verb] += 1
        self.quarantined_bytes += size if step.verb is Verb.QUARANTINE else 0
        if step.kept is not None:
            self._tiers[Tier(step.kept.tier).words if step.kept.tier else "unknown"] += size
            self._duplicated[_top(step.src.path)] += size

    def charts(self) -> list[Chart]:
        """Formats and decades of what is placed, where the space goes, what is duplicated."""
        return only_filled(
            [
                Chart("Formats", "shares", largest(self._formats, size_text, most=_MOST_SHARES, rest="more")),
                Chart("Decades", "columns", decade_items(self._decades), note="Files, by the years in their new folder names."),
                Chart("Where the space goes", "bars", largest(self._space, size_text, most=_MOST_BARS, rest="more folders")),
                Chart("How duplicates were found", "bars", largest(self._tiers, size_text, most=_MOST_BARS, rest="more")),
                Chart("Where duplicates are", "bars", largest(self._duplicated, size_text, most=_MOST_BARS, rest="more folders")),
            ]
        )

    def undo(self) -> Iterator[str]:
        """What `undo` would do once these changes are made."""
        if number := self.verbs[Verb.MOVE]:
            yield f"{counted(number, 'file')} would go back to {_its(number)} old folders and names"
        if number := self.verbs[Verb.QUARANTINE]:
            yield f"{counted(number, 'file')} would come back from the quarantine"
        if number := self.verbs[Verb.DELETE]:
            yield f"{counted(number, 'file')} would come back from the trash"
        if number := self.verbs[Verb.COPY]:
            yield f"{number} {'copy' if number == 1 else 'copies'} would go to the quarantine of the target"
        if number := self.verbs[Verb.REWRITE]:
            yield f"{counted(number, 'playlist')} would have {_its(number)} old content again"
        if number := self.verbs[Verb.REPLACE]:
            yield f"{counted(number, 'replaced file')} would have {_its(number)} old content again"
        if number := self.deleted_for_good:
            yield f"{counted(number, 'file')} would stay away: what is deleted for good cannot come back"


def _its(number: int) -> str:
    return "its" if number == 1 else "their"


def decade_items(decades: Mapping[str, float]) -> list[ChartItem]:
    """Decades in order; those between that have nothing, too."""
    known = sorted(int(name[:4]) for name in decades if name[:4].isdecimal())
    if not known:
        return []
    years = range(known[0], known[-1] + 1, 10)
    return [ChartItem(f"{year}s", decades.get(f"{year}s", 0), f"{decades.get(f'{year}s', 0):,.0f}") for year in years]


def _top(path: str) -> str:
    first, slash, _ = path.partition("/")
    return first if slash else "(no folder)"


def checks(plan: Plan, tally: Tally) -> Iterator[str]:
    """How safe the changes are, in sentences."""
    by_hash = sum(bool(operation.expect.hash) for operation in plan.operations)
    numbers = {"a hash": by_hash, "size and time": len(plan.operations) - by_hash}
    ways = " and ".join(f"{number:,} by {way}" for way, number in numbers.items() if number)
    yield f"Before each operation, its file is compared with the plan ({ways}); what has changed is left alone."
    if number := tally.verbs[Verb.QUARANTINE]:
        stay = "stays" if number == 1 else "stay"
        size = size_text(tally.quarantined_bytes)
        yield f"{counted(number, 'file')} ({size}) {stay} on the same storage, in its quarantine, until you empty that."
    if tally.deleted_for_good:
        yield f"{counted(tally.deleted_for_good, 'file')} would be deleted for good."
    else:
        yield "Nothing is deleted for good."
    known = plan.header.capabilities
    if copying := sorted(fs for fs in tally.moved_at if fs in known and not known[fs].get("move")):
        yield f"{', '.join(copying)} cannot rename: each file is copied there and verified before its source is removed."
