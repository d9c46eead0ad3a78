"""`sync` on pairs of real servers: every case of `tests.sync_cases`, in both directions, and each once more with kills."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from random import Random
from typing import Any

import pytest

from tests import forked
from tests.forked import Death, Started
from tests.nightly import FIRST_HISTORY
from tests.places import digest
from tests.program import Ended
from tests.servers.http import Then
from tests.sync_cases import CASES, Case, Step
from tests.sync_sides import Synced, contents_of

PAIRS = {
    "local and S3": ("local", "s3_moto"),
    "local and Drive": ("local", "drive"),
    "local and Dropbox": ("local", "dropbox"),
    "S3 and WebDAV": ("s3_moto", "webdav"),
    "local and crypt": ("local", "crypt"),
}
UNFINISHED: dict[str, tuple[set[str], str]] = {}
"""Case -> the kinds of servers on which it does not hold yet (none: on all), and why not. What holds must be taken out."""
Trees = tuple[dict[str, str], dict[str, str]]


class Cases:
    """All cases of one policy, on one pair of locations."""

    def __init__(self, synced: Synced, policy: str) -> None:
        self._synced = synced
        self._options = ("--conflict", policy) if policy else ()
        state = synced.settings["state"]
        self._record = state / "sync.sqlite3"
        self.cases = {name: Case(name, synced.sides, state, policy) for name in CASES[policy]}
        self._steps = {name: function(self.cases[name]) for name, function in CASES[policy].items()}
        self._wanted: dict[str, Step] = {}
        self.wrong: dict[str, str] = {}
        """Case -> what is not as it must be."""
        self.kills = 0
        """How many syncs were killed."""

    def run(self, *, kills: Random | None = None) -> None:
        """Go through the steps of all cases. With `kills`, each sync is killed first."""
        synced = self._synced
        rounds = 0
        while edited := self._edit():
            rounds += 1
            options = (*self._options, *(option for name in edited for option in self._wanted[name].options))
            before = synced.everything()
            if kills is not None:
                self._kill(kills, *options)
            elif rounds <= 2:  # as a first sync, and as another one
                self._look_only(before, *options)
            synced.reset()
            ended = synced(*options, codes=(0, 3))
            after = synced.everything()
            self._compare(ended, after, kills=kills is not None)
            lost = contents_of(before) - contents_of(after)
            assert not lost, "nothing is lost"
            if kills is None and all(side.hashed for side in synced.sides):
                self._check_uploads(before, after)
            synced.does_nothing(*options, codes=(0, 3))

    def _edit(self) -> list[str]:
        """Let the user of each case work; returns the cases that go on."""
        going = []
        for name, steps in [*self._steps.items()]:
            try:
                self._wanted[name] = next(steps)
                going.append(name)
            except StopIteration:
                del self._steps[name]
            except AssertionError as error:
                self.wrong.setdefault(name, f"after its sync: {error or error.__traceback__.tb_next.tb_lineno}")
                del self._steps[name]
        return going

    def _look_only(self, before: Trees, *options: str) -> None:
        """A dry run changes neither the locations nor the common state."""
        rows = self._rows()
        assert self._synced("--dry-run", *options, codes=(0, 3)).summary["run"] is None
        assert (self._synced.everything(), self._rows()) == (before, rows)

    def _rows(self) -> list[Any]:
        """What the program remembers of the files of both sides."""
        if not self._record.exists():
            return []
        with closing(sqlite3.connect(self._record)) as database:
            return database.execute("SELECT * FROM entry ORDER BY number").fetchall()

    def _kill(self, random: Random, *options: str) -> None:
        """Kill a sync at a random write of its journal or changing request, and go on with `resume` or without."""
        synced = self._synced
        victims, proxies = random.choice(["program", "both"]), [side.proxy for side in synced.sides if side.proxy is not None]
        started: list[Started] = []
        death = None
        if random.random() < 0.5:
            death = Death(random.randint(1, 8), committed=random.random() < 0.5, victims=victims)
        else:
            kill = Then(lambda: forked.kill(started[0].pid, victims), reply=random.random() < 0.5)
            random.choice(proxies).at(random.randint(3, 60), kill)
        started.append(synced.start(*options, death=death))
        self.kills += started[0].end().code < 0
        synced.reset()
        if random.random() < 0.5:
            synced.forks.run("resume", codes=(0, 3), **synced.settings)

    def _compare(self, ended: Ended, after: Trees, *, kills: bool) -> None:
        """Find the cases whose trees or reports are not as wanted."""
        names = [*self._wanted]
        errors = {name: {} for name in names}
        for error in ended.errors:
            name, _, path = str(error["path"]).partition("/")
            errors[name][path] = error["code"]
        operations = [event for event in ended.events if event["type"] == "operation"]
        for name in names:
            case, step = self.cases[name], self._wanted[name]
            case.everything, case.killed = after, kills
            case.operations = [one for one in operations if one["dst"]["path"].startswith(f"{name}/")]
            for letter, tree, wanted in zip("AB", after, step.trees, strict=True):
                there = {path.partition("/")[2]: content for path, content in tree.items() if path.startswith(f"{name}/")}
                expected = {path: digest(content) for path, content in wanted.items()}
                if there != expected:
                    lacks, other = {*expected} - {*there}, {*there} - {*expected}
                    differ = [path for path in there.keys() & expected.keys() if there[path] != expected[path]]
                    self.wrong.setdefault(name, f"{letter} lacks {lacks}, has {other}, other content: {differ}")
            if errors[name] != step.errors and not (kills and errors[name].items() <= step.errors.items()):
                self.wrong.setdefault(name, f"reported {errors[name]}")

    def _check_uploads(self, before: Trees, after: Trees) -> None:
        """Each content that a server did not have was sent once, and nothing else."""
        for number, side in enumerate(self._synced.sides):
            new = {*after[number].values()} - {*before[number].values()}
            sent = side.uploads()
            assert len(sent) <= len(new), Counter(seen.path for seen in sent)


def check(cases: Cases, kinds: tuple[str, str], **settings: Any) -> None:
    cases.run(**settings)
    unfinished = {name for name, (where, _) in UNFINISHED.items() if name in cases.cases and (not where or where & {*kinds})}
    wrong = "".join(f"\n{name}: {why}" for name, why in cases.wrong.items() if name not in unfinished)
    assert not wrong, wrong
    # What a kill leaves to the next sync may hold by chance.
    assert cases.kills or unfinished <= cases.wrong.keys(), "these hold now: take them out of UNFINISHED"


def at_night(pair: str, *, in_ci: Collection[str]) -> object:
    """The pair as a parameter."""
    return pytest.param(pair, marks=() if pair in in_ci else pytest.mark.nightly)


SWAPPED = [False, pytest.param(True, marks=pytest.mark.nightly)]


@pytest.mark.parametrize("swapped", SWAPPED)
@pytest.mark.parametrize("pair", [at_night(pair, in_ci=["local and S3"]) for pair in PAIRS])
def test_both_sides_end_as_they_must(synced: Callable[..., Synced], pair: str, swapped: bool) -> None:
    kinds = PAIRS[pair][:: -1 if swapped else 1]
    check(Cases(synced(kinds), ""), kinds)


@pytest.mark.parametrize("swapped", SWAPPED)
@pytest.mark.parametrize("pair", [at_night(pair, in_ci=["local and S3"]) for pair in PAIRS])
@pytest.mark.parametrize(
    "policy", ["newer", *(pytest.param(one, marks=pytest.mark.nightly) for one in CASES if one not in ("", "newer"))]
)
def test_a_policy_decides(synced: Callable[..., Synced], pair: str, swapped: bool, policy: str) -> None:
    kinds = PAIRS[pair][:: -1 if swapped else 1]
    check(Cases(synced(kinds), policy), kinds)


@pytest.mark.parametrize("swapped", SWAPPED)
@pytest.mark.parametrize("pair", [at_night(pair, in_ci=["local and Drive"]) for pair in PAIRS])
def test_killed_syncs_are_finished(synced: Callable[..., Synced], pair: str, swapped: bool) -> None:
    kinds = PAIRS[pair][:: -1 if swapped else 1]
    cases = Cases(synced(kinds), "")
    check(cases, kinds, kills=Random(FIRST_HISTORY))
    assert cases.kills
