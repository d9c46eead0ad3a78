"""Random histories of the action `sync`, on storages that behave as rclone's remotes do, agitated at any call.

Faults, kills, lost answers, lying and partial listings, an old record of what was in sync, and users who work on both sides
before and during a run. Whatever happens, no content is lost that no user destroyed, and nothing cut lies under a name; once all
is calm, two syncs make the sides alike, and a third one does nothing. Each history follows from its number:

    FIRST_HISTORY=17 scripts/test tests/actions/test_sync_histories.py -k '17]'
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec
import pytest

from orchestrator.apply.end_of_run import check_and_tidy
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.errors import (
    AuthError,
    ExitCode,
    PermanentError,
    QuotaError,
    RateLimitError,
    TransientError,
)
from orchestrator.paths import case_key, parent_of, parents_of
from orchestrator.plan.model import is_temporary
from orchestrator.plan.planners.sync.records import Policy
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from tests.actions.fake_sync import WHENS, Agitator, Ended, Engine, MemoryPlace, prepare
from tests.nightly import FIRST_HISTORY, NIGHTLY
from tests.plan.sync.edits import CONTENTS, EDITS, NEW_CONTENTS, PATHS, Edit, tried
from tests.plan.sync.worlds import DAY, START

HISTORIES = 2000 if NIGHTLY else 100
KINDS = (
    *(("local", "s3"), ("local", "drive"), ("local", "dropbox"), ("local", "webdav"), ("local", "sftp"), ("local", "local")),
    *(("s3", "webdav"), ("drive", "local"), ("s3", "drive"), ("dropbox", "s3")),
)
FAULTS: tuple[Callable[[], Exception], ...] = (
    *(lambda: TransientError("connection reset"), lambda: TransientError("connection reset")),
    *(lambda: RateLimitError("slow down"), lambda: AuthError("revoked"), lambda: QuotaError("full")),
    lambda: PermanentError("no"),
)


class History:
    """One history."""

    def __init__(self, number: int, home: Path) -> None:
        self.random = Random(number)
        self.engine = Engine(home, KINDS[number % len(KINDS)], self.random)
        self.settings: dict[str, object] = {
            "conflict": self.random.choice([None, *(policy.value for policy in Policy)]),
            "keep_names": self.random.choice(["a", "b"]),
        }
        self.known: set[str] = set()
        """The contents that must be there."""
        self.ever: set[str] = set()
        """Every content that a user ever made."""
        self.forgiven: set[str] = set()
        self.broken_off = False
        self.has_moved = False
        """Whether a sync with --delete-after was tried: what it moved stays on one side until the user starts over."""
        self.days = 0
        self.story: list[str] = [f"{number}: {KINDS[number % len(KINDS)]}, {self.settings}"]
        self.acted: list[tuple[int, int, set[str], set[str]]] = []
        """Acts of a user during a run: after how many calls, on which side, on which paths, and the contents there now."""

    # What users do.

    def edit(self, *, aimed: str | None = None, only: int | None = None) -> None:
        """One edit by one of the users; 3 in 10 are of files that are on both sides."""
        random, engine = self.random, self.engine
        side = random.randrange(2) if only is None else only
        place = engine.places[side]
        known = sorted(place.tree)
        number = random.randrange(50)
        wanted = [aimed] if aimed else sorted(engine.places[0].tree.keys() & engine.places[1].tree.keys())[:1]
        if wanted and wanted[0] in known and random.random() < 0.3:
            number = known.index(wanted[0])
        # Nothing tells a file that has just got its name from one that was edited in this moment, with size and time kept.
        kinds = [kind for kind in EDITS if aimed is None or kind != "keep-time"]
        edit: Edit = (side, random.choice(kinds), number, random.choice(PATHS), random.choice(NEW_CONTENTS))
        self.days += 1
        before = engine.safe()
        place.touched.clear()
        if tried(place, edit, START + self.days * DAY):
            shown = engine.shown()
            self.known = (self.known | shown) - (before - engine.safe())
            self.ever |= shown
            self.story.append(f"{'AB'[side]} {edit[1:]}: {sorted(place.touched)}")

    def begin(self) -> None:
        """Some files on both sides, and a first sync."""
        for path in self.random.sample(PATHS, self.random.randint(0, 8)):
            content = self.random.choice(CONTENTS)
            for place in self.engine.places[:: self.random.choice([1, -1])]:
                if not place.trying(lambda path=path, content=content, place=place: place.put(path, content)):  # type: ignore[misc]
                    break
        self.known = self.engine.shown()
        self.ever = set(self.known)
        self.calmly()

    # What goes wrong during a run.

    def agitate(self) -> Agitator:
        random = self.random
        agitator = Agitator(self.engine.storages)
        self.acted.clear()
        for _ in range(random.choice([0, 1, 1, 2, 3])):
            number, when = random.randint(1, random.choice([10, 30, 60, 120])), random.choice(WHENS)
            match random.choice(["fault", "fault", "kill", "user", "user"]):
                case "fault":
                    fault = random.choice(FAULTS)
                    agitator.at(number, when, self._told(f"fault {when}", lambda *_, fault=fault: fault()))  # type: ignore[misc]
                case "kill":
                    agitator.at(number, when, self._told(f"kill {when}", self._kill))
                case "user":
                    moment = "before" if when == "between" else when
                    agitator.at(number, moment, self._told(f"user {moment}", self._work_at(agitator)))  # type: ignore[arg-type]
        return agitator

    def _told(self, what: str, act: Callable[..., BaseException | None]) -> Callable[..., BaseException | None]:
        def told(call: RecordedCall, side: int) -> BaseException | None:
            self.story.append(f"  {what} {'AB'[side]} {call.verb} {call.path} {call.dst or ''}")
            return act(call, side)

        return told

    def _kill(self, _: RecordedCall, side: int) -> Killed:
        self.engine.storages[1 - side]._faults.dead = True
        return Killed("killed")

    def _work_at(self, agitator: Agitator) -> Callable[[RecordedCall, int], None]:
        def work(call: RecordedCall, side: int) -> None:
            self.edit(aimed=call.path, only=side if self.random.random() < 0.5 else None)
            for number, place in enumerate(self.engine.places):
                if place.touched:
                    there = {content for path, content in place.tree.items() if path in place.touched}
                    self.acted.append((len(agitator.calls) - 1, number, set(place.touched), there))
                    place.touched.clear()

        return work

    def run(self, command: Callable[[], Ended], *, lies: bool = False) -> None:
        """A command, agitated."""
        agitator = self.agitate()
        if lies:
            storage = self.random.choice(self.engine.storages)
            storage.closed = (parent_of(self.random.choice(PATHS)) or "d",)
            self.story.append(f"  closed: {storage.fs} {storage.closed}")
        try:
            ended = command()
            self.broken_off |= ended.code != ExitCode.DONE
            self.story.append(f"{ended.code!r} {ended.message} {self.planned(ended)}")
        except Killed:
            self.broken_off = True
            self.story.append("killed")
        self.engine.revive()
        self.check(agitator)

    @staticmethod
    def planned(ended: Ended) -> list[str]:
        operations = ended.plan.operations if ended.plan else ()
        return [f"{one.verb} {one.src.fs[0]}/{one.src.path} -> {one.dst.fs[0]}/{one.dst.path}" for one in operations]

    # What must hold.

    def check(self, agitator: Agitator | None = None) -> None:
        """Nothing is lost, nothing is cut."""
        if agitator is not None:
            self.forgiven |= {
                content
                for moment, side, paths, contents in self.acted
                for path in paths
                if _changed_unseen(agitator, moment, side, path)
                for content in contents
            }
        lost = self.known - self.engine.contents() - self.forgiven
        assert not lost, f"lost: {lost}"
        for place in self.engine.places:
            cut = {path for path, content in place.tree.items() if content not in self.ever}
            assert not cut, f"not whole: {cut}"

    def calmly(self, **options: object) -> Ended:
        """A sync that nothing disturbs; after a brake, the user starts over."""
        ended = self.engine.sync(**options, **self.settings)
        self.story.append(f"calm {ended.code!r} {ended.message} {self.planned(ended)}")
        if ended.code == ExitCode.INTEGRITY:  # a user has taken away what a killed run was to move; now that run is finished
            ended = self.engine.sync(**self.settings)
            self.story.append(f"again {ended.code!r} {ended.message} {self.planned(ended)}")
        if ended.code == ExitCode.SAFETY_LIMIT:
            ended = self.engine.sync(resync=True, **self.settings)
            self.story.append(f"resync {ended.code!r} {ended.message} {self.planned(ended)}")
        self.check()
        assert ended.code in {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE}, ended
        return ended

    def settle(self) -> None:
        """The user tells files of one name apart; then the sides become alike, and stay so."""
        if self.has_moved:
            self.calmly()
            self.calmly(resync=True)
        for place in self.engine.places:
            for path in [path for path in place.tree if "#" in path]:
                twin = place._objects.files[place._objects.key(path.partition("#")[0])][-1]
                place._objects.drop(twin)
                place._objects.add(path, twin)
        self.calmly()
        ended = self.calmly()
        # A name may be free on one side, and on the other one taken by another spelling, or by a folder: then the files keep
        # their own, and so do those that were to have the names of these.
        impossible = [one.path for one in ended.plan.skipped if one.code == "unsupported-name"] if ended.plan else []
        spellings = {path for place in self.engine.places for path in place.tree}
        assert not impossible or any(_clash(path, other) for path in spellings for other in spellings)
        first, second = self.engine.spelled()
        assert impossible or first == second or self._differ_unseen(first, second)
        before = self.engine.changes
        ended = self.calmly()
        assert not ended.plan or not ended.plan.operations
        assert self.engine.changes == before

    def _differ_unseen(self, first: list[tuple[str, object]], second: list[tuple[str, object]]) -> bool:
        """Whether the sides only differ where no hash tells, and size and time say otherwise: see docs/sync.md.

        A user has kept both in an edit, and after a run that broke off, other files have the names under which it was known.
        """
        names = [set(storage.capabilities.hashes) for storage in self.engine.storages]
        tells = names[0] & names[1] or any(storage.capabilities.local for storage in self.engine.storages)
        edited = [(path, str(content)[::-1]) for path, content in first]
        return self.broken_off and not tells and all(pair in {first[at], edited[at]} for at, pair in enumerate(second))

    def play(self) -> None:
        """All of it."""
        random, engine = self.random, self.engine
        self.begin()
        snapshot = engine.state.with_name("snapshot")
        for _ in range(random.randint(1, 3)):
            if random.random() < 0.2:
                shutil.copytree(engine.state, snapshot, dirs_exist_ok=True)
            for _ in range(random.randint(0, 6)):
                self.edit()
            hidden = [None, None]
            if random.random() < 0.1:
                side = random.randrange(2)
                hidden[side] = random.choice(sorted(engine.places[side].tree) or [None])
                self.story.append(f"  hidden: {hidden}")
            settings = self.settings
            if random.random() < 0.15:
                settings = {"conflict": self.settings["conflict"], "to_cloud": True, "delete_after": True}
                self.has_moved = True
                self.story.append("  --delete-after")
            self.run(
                lambda hidden=tuple(hidden), settings=settings: engine.sync(hidden=hidden, **settings),  # type: ignore[misc]
                lies=random.random() < 0.1,
            )
            if random.random() < 0.4:
                self.run(engine.resume)
            if random.random() < 0.1 and snapshot.exists():
                self.story.append("the record of what was in sync is restored from a backup")
                for suffix in ("-wal", "-shm"):
                    (engine.state / f"sync.sqlite3{suffix}").unlink(missing_ok=True)
                shutil.copy(snapshot / "sync.sqlite3", engine.state / "sync.sqlite3")
        self.settle()


def _clash(path: str, other: str) -> bool:
    """Whether two paths, or folders above them, differ in case or Unicode form alone, or one is the folder of the other."""
    ours, theirs = ({case_key(above): above for above in (one, *parents_of(one))} for one in (path, other))
    return path in parents_of(other) or any(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())


def _changed_unseen(agitator: Agitator, moment: int, side: int, path: str) -> bool:
    """Whether the program's next call for a path, after what a user did there, changed it: no program can see what it did."""
    for number, call in agitator.calls[moment:]:
        if number == side and (path in {call.path, call.dst} or call.verb == "list"):
            return call.changing
    return False


@pytest.mark.parametrize("number", range(FIRST_HISTORY, FIRST_HISTORY + HISTORIES))
def test_nothing_is_lost_and_the_sides_become_alike(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(number, tmp_path)
    prepare(monkeypatch, history.random)
    try:
        history.play()
    except BaseException:
        print(*history.story, *(place.tree for place in history.engine.places), sep="\n")  # noqa: T201 - replays it
        raise


@pytest.mark.parametrize("kind", ["s3", "webdav"])
def test_an_edit_that_keeps_size_and_time_of_a_file_that_has_just_arrived_is_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    engine = Engine(tmp_path, ("local", kind), Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    theirs.put("d/a.mp3", "content")

    def edit(_: RecordedCall) -> None:
        ours.edit("d/a.mp3", "CONTENT")

    ours.storage.fail_always(lambda call: call.verb == "delete" and call.path.endswith("/run.json"), edit)
    assert engine.sync().code == ExitCode.DONE
    assert ours.tree == {"d/a.mp3": "CONTENT"}
    engine.revive()
    assert engine.sync().code == ExitCode.DONE
    assert theirs.tree == {"d/a.mp3": "CONTENT"}
    again = engine.sync().plan
    assert again is not None
    assert not again.operations


@pytest.mark.parametrize("kind", ["s3", "webdav", "local"])
@pytest.mark.parametrize("killed_after", ["give", "delete"])
@pytest.mark.parametrize("edited", [True, False])
def test_what_arrived_before_a_kill_is_carried_if_it_is_edited_before_the_run_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, killed_after: str, *, edited: bool
) -> None:
    """The edit keeps size and time."""
    engine = Engine(tmp_path, ("local", kind), Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    theirs.put("d/a.mp3", "content")
    ours.storage.fail_always(lambda call: call.verb == killed_after, lambda _: engine.die(), when="after")
    with pytest.raises(Killed):
        engine.sync()
    if edited:
        ours.edit("d/a.mp3", "CONTENT")
    engine.revive()
    engine.resume()
    plan = engine.sync().plan
    assert plan is not None
    # Where the journal does not say when the file got its name, only a hash of the other one shows the edit.
    seen = edited and (killed_after, kind) != ("give", "webdav")
    assert [one.verb for one in plan.operations] == ["replace"] * seen
    assert theirs.tree == {"d/a.mp3": "CONTENT" if seen else "content"}


@pytest.mark.parametrize("renames", [1, 3])
@pytest.mark.parametrize("kinds", [("s3", "webdav"), ("local", "webdav"), ("local", "sftp"), ("local", "local")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_edit_of_the_same_size_while_a_run_renames_the_file_is_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, str], when: Literal["before", "after"], renames: int
) -> None:
    engine = Engine(tmp_path, kinds, Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    for number in range(renames):
        ours.put(f"{number}.mp3", f"content {number}")
    engine.sync()
    for number in range(renames):
        ours.rename(f"{number}.mp3", f"new {number}.mp3")

    def edit(_: RecordedCall) -> None:
        theirs.edit("0.mp3" if when == "before" else "new 0.mp3", "CONTENT 0", START + DAY)

    theirs.storage.fail_always(lambda call: call.verb == "move" and call.path == "0.mp3", edit, when=when)
    engine.sync()
    assert theirs.tree == {"new 0.mp3": "CONTENT 0", **{f"new {n}.mp3": f"content {n}" for n in range(1, renames)}}
    engine.revive()
    plan = engine.sync().plan
    assert plan is not None
    assert [(one.verb, one.dst.path) for one in plan.operations] == [("replace", "new 0.mp3")]
    assert ours.tree == theirs.tree
    assert ours.tree["new 0.mp3"] == "CONTENT 0"


def _rename(place: MemoryPlace) -> None:
    place.rename("d/a.mp3", "d/renamed.mp3")


def _delete(place: MemoryPlace) -> None:
    place.delete("d/a.mp3")


@pytest.mark.parametrize(
    ("kinds", "moment"),
    [
        *((kinds, "has its name") for kinds in (("local", "local"), ("local", "sftp"), ("s3", "local"))),
        *(
            (kinds, "is checked at the end")
            for kinds in (("local", "s3"), ("local", "sftp"), ("local", "drive"), ("s3", "local"))
        ),
    ],
)
@pytest.mark.parametrize("act", [_rename, _delete])
def test_what_a_user_does_with_a_file_that_has_just_arrived_is_no_damage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kinds: tuple[str, str],
    moment: str,
    act: Callable[[MemoryPlace], None],
) -> None:
    """A rename is carried where ids prove it. Otherwise the file may be lost: it may not be deleted on the other side.

    Neither if a file that was there before has the same size and time.
    """
    engine = Engine(tmp_path, kinds, Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    ours.put("old/twin.mp3", "unlike of a.")
    assert engine.sync().code == ExitCode.DONE
    ours.put("d/a.mp3", "content of a")
    ours.put("d/b.mp3", "another content")
    if moment == "has its name":

        def take_away(_: RecordedCall) -> None:
            if "d/a.mp3" in theirs.tree:
                act(theirs)

        theirs.storage.fail_always(lambda call: call.verb == "give" and call.dst == "d/a.mp3", take_away, when="after")
        ended = engine.sync()
    else:
        with monkeypatch.context() as patch:

            def check(*arguments: Any, **settings: Any) -> Any:
                act(theirs)
                return check_and_tidy(*arguments, **settings)

            patch.setattr("orchestrator.apply.executor.check_and_tidy", check)
            ended = engine.sync()
    assert ended.code == ExitCode.SOME_FAILED
    with Journal(engine.state / "journal.sqlite3") as journal:
        run = journal.runs()[-1]
    assert run.summary is not None
    assert (run.state, run.summary.done, run.summary.exit_code) == (RunState.FAILED, 2, ExitCode.SOME_FAILED)
    engine.revive()
    code = engine.sync().code
    others = {"old/twin.mp3": "unlike of a.", "d/b.mp3": "another content"}
    if act is _rename and "drive" not in kinds:
        # Both names come to both sides, or each side keeps its own, which is reported.
        assert code in {ExitCode.DONE, ExitCode.SOME_FAILED}
        assert others.items() <= ours.tree.items() & theirs.tree.items()
        assert "content of a" in ours.tree.values()
        assert theirs.tree["d/renamed.mp3"] == "content of a"
    else:
        assert code == ExitCode.DONE
        name = "d/renamed.mp3" if act is _rename else "d/a.mp3"
        assert ours.tree == theirs.tree == {name: "content of a", **others}


@pytest.mark.parametrize("kinds", [("local", "webdav"), ("webdav", "local"), ("s3", "sftp")])
@pytest.mark.parametrize("act", [_rename, _delete])
def test_a_file_that_its_user_takes_away_while_it_is_copied_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, str], act: Callable[[MemoryPlace], None]
) -> None:
    engine = Engine(tmp_path, kinds, Random(0))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    ours.put("d/a.mp3", "content of a")
    ours.put("d/b.mp3", "another content")

    def take_away(_: RecordedCall) -> None:
        if "d/a.mp3" in ours.tree:
            act(ours)

    theirs.storage.fail_always(lambda call: call.verb == "stat" and is_temporary(call.path), take_away)
    assert engine.sync().code in {ExitCode.SOME_FAILED, ExitCode.DONE}
    engine.revive()
    for _ in range(2):
        assert engine.sync().code == ExitCode.DONE
    assert (
        ours.tree
        == theirs.tree
        == {"d/b.mp3": "another content", **({"d/renamed.mp3": "content of a"} if act is _rename else {})}
    )


@pytest.mark.parametrize("known", [True, False])
def test_names_that_differ_in_case_alone_never_meet_on_a_disk_that_ignores_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """rclone does not know that of a disk with exFAT: a look shows it, once one of the two files is there."""
    engine = Engine(tmp_path, ("local", "local"), Random(0))
    disk = MemoryStorage.like("local", engine.storages[1].fs, case_insensitive=True)
    disk._capabilities = msgspec.structs.replace(disk.capabilities, case_insensitive=known)
    engine.storages = (engine.storages[0], disk)
    engine.places = (engine.places[0], MemoryPlace(disk))
    prepare(monkeypatch, engine.random)
    ours, theirs = engine.places
    ours.put("d/Song.mp3", "one")
    ours.put("d/other.mp3", "other")
    engine.sync()
    ours.put("d/song.mp3", "another song")
    for _ in range(2):
        changes, ended = engine.changes, engine.sync()
        assert ended.code == ExitCode.SOME_FAILED
        assert ended.plan is not None
        assert [(one.path, one.code) for one in ended.plan.skipped] == [("d/song.mp3", "unsupported-name")]
        assert engine.changes == changes
    assert theirs.tree == {"d/Song.mp3": "one", "d/other.mp3": "other"}
    ours.delete("d/Song.mp3")
    assert engine.sync().code == ExitCode.DONE
    assert ours.tree == theirs.tree == {"d/song.mp3": "another song", "d/other.mp3": "other"}


@pytest.mark.parametrize("kinds", [("s3", "webdav"), ("local", "sftp")])
def test_a_kill_between_the_end_of_a_run_and_its_record_makes_no_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, str]
) -> None:
    engine = Engine(tmp_path, kinds, Random(0))
    prepare(monkeypatch, engine.random)
    for day, (place, content) in enumerate(zip(engine.places, ("by A", "by B"), strict=True)):
        place.put("d/a.mp3", content, START + day * DAY)
    with monkeypatch.context() as patch:
        patch.setattr("orchestrator.actions.execution.settle_common_state", lambda *_: engine.die())
        with pytest.raises(Killed):
            engine.sync()
    engine.revive()
    trees = [place.tree for place in engine.places]
    assert sorted(trees[0].values()) == sorted(trees[1].values()) == ["by A", "by B"]
    again = engine.sync().plan
    assert again is not None
    assert not again.operations
    assert [place.tree for place in engine.places] == trees
    for path in trees[0]:  # what was recorded late is the record of that run
        engine.places[1].delete(path)
        break
    engine.sync()
    assert len(engine.places[0].tree) == 1
