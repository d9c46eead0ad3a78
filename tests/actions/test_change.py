"""The one way in which every command changes a library: finish what was interrupted, plan, show, ask, carry out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from orchestrator.actions.apply import apply
from orchestrator.actions.dedup import dedup
from orchestrator.actions.mirror_record import saved_mirrored, with_mirrored
from orchestrator.actions.organize import organize, plan
from orchestrator.actions.quarantine import empty, list_quarantine, restore
from orchestrator.actions.runs import abandon, list_runs, resume, show_run, undo
from orchestrator.actions.session import Session, open_session
from orchestrator.actions.stats import stats
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.dedup import DedupOptions
from orchestrator.config.options.organize import OrganizeOptions, PlanOptions
from orchestrator.config.options.plan_files import ApplyOptions
from orchestrator.config.options.quarantine import QuarantineEmptyOptions, QuarantineListOptions, QuarantineRestoreOptions
from orchestrator.config.options.runs import ResumeOptions, RunsAbandonOptions, RunsShowOptions, UndoOptions
from orchestrator.config.options.scan import StatsOptions
from orchestrator.errors import ExitCode, LockedError, SafetyLimitError, UsageError
from orchestrator.plan.model import Plan
from orchestrator.plan.plan_file import read_plan
from orchestrator.report.log_reporter import LogReporter
from orchestrator.report.reporter import Offer
from orchestrator.track import Track
from tests.audio import make_track


class Person(LogReporter):
    """A user at a terminal, and what the terminal shows."""

    can_ask = True

    def __init__(self, *, says_yes: bool) -> None:
        super().__init__()
        self.says_yes = says_yes
        self.questions: list[str] = []
        self.notes: list[str] = []
        self.plans: list[Plan] = []

    def note(self, message: str, *, in_plan: bool = False) -> None:
        self.notes.append(message)

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        self.plans.append(plan)

    def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:
        self.questions.append(question)
        return self.says_yes


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two songs, and a second copy of one of them."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    root = tmp_path / "music"
    for number in (1, 2):
        track = Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number, date="2001")
        make_track(root / "Band" / "Album" / f"0{number}.flac", "flac", track, seconds=0.2, serial=number)
    copy = root / "Downloads" / "song.flac"
    copy.parent.mkdir()
    copy.write_bytes((root / "Band" / "Album" / "01.flac").read_bytes())
    return root


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_session(CommonOptions(yes=True, state_dir=str(tmp_path / "state"))) as session:
        yield session


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_no_changes_nothing(music: Path, tmp_path: Path) -> None:
    before, person = files(music), Person(says_yes=False)
    with open_session(CommonOptions(state_dir=str(tmp_path / "state")), person) as session:
        result = organize(OrganizeOptions(source=str(music)), session)
        assert list_runs(session) == []
    assert (result.exit_code, result.run, files(music)) == (ExitCode.DONE, None, before)
    assert [len(plan.operations) for plan in person.plans] == [3]
    assert person.questions == ["Make these 3 changes?"]
    assert person.notes == ["nothing was changed"]


def test_a_person_may_write_the_plan_before_the_answer(music: Path, tmp_path: Path) -> None:
    """It says what a mirror will have, as the file of `plan` does."""
    (tmp_path / "mirror").mkdir()

    class Careful(Person):
        def ask(self, question: str) -> str:
            return str(tmp_path / "saved.plan")

        def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:
            for offer in (*offers.values(), offers["write plan"]):
                offer.do()
            return super().confirm(question)

    person = Careful(says_yes=False)
    with open_session(CommonOptions(state_dir=str(tmp_path / "state")), person) as session:
        result = organize(OrganizeOptions(source=str(music), mirror=(str(tmp_path / "mirror"),)), session)
    assert result.plan is not None
    saved = read_plan(tmp_path / "saved.plan")
    assert saved.header == with_mirrored(result.plan).header
    assert len(saved_mirrored(saved)) == 3
    assert person.plans == [result.plan] * 2
    assert [note.partition(" written")[0] for note in person.notes] == ["plan", "nothing was changed"], "no file is replaced"


def test_a_yes_is_asked_for_once_and_nothing_to_do_is_not_asked_for(music: Path, tmp_path: Path) -> None:
    person = Person(says_yes=True)
    with open_session(CommonOptions(state_dir=str(tmp_path / "state")), person) as session:
        first = organize(OrganizeOptions(source=str(music)), session)
        second = organize(OrganizeOptions(source=str(music)), session)
        undone = undo(UndoOptions(run=str(first.run)), session)
        again = undo(UndoOptions(run=str(first.run)), session)
    assert len(person.questions) == 2
    assert (first.exit_code, second.run, undone.exit_code, again.run) == (ExitCode.DONE, None, ExitCode.DONE, None)
    assert person.notes == [f"run {first.run}: nothing is left to undo"]
    assert files(music) == {"Band/Album/01.flac", "Band/Album/02.flac", "Downloads/song.flac"}


def test_undo_of_a_run_that_changed_nothing_names_the_one_before_it(music: Path, tmp_path: Path) -> None:
    """Such as an `undo last` while the disk was not mounted, once it is mounted again."""
    person = Person(says_yes=True)
    with open_session(CommonOptions(state_dir=str(tmp_path / "state")), person) as session:
        first = organize(OrganizeOptions(source=str(music)), session)
        music.rename(tmp_path / "away")
        music.mkdir()
        failed = undo(UndoOptions(run="last"), session)
        music.rmdir()
        (tmp_path / "away").rename(music)
        person.notes.clear()
        undo(UndoOptions(run="last"), session)
        assert f"`undo {first.run}`" in person.notes[-1]
        assert f"run {failed.run}: it changed nothing" in person.notes[-1]
        assert undo(UndoOptions(run=str(first.run)), session).exit_code is ExitCode.DONE
        undo(UndoOptions(run=str(failed.run)), session)
    assert person.notes[-1] == f"run {failed.run}: it changed nothing, so nothing was undone"
    assert files(music) == {"Band/Album/01.flac", "Band/Album/02.flac", "Downloads/song.flac"}


def test_a_plan_file_is_carried_out_and_its_run_shown(music: Path, session: Session, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.jsonl")
    planned = plan(PlanOptions(source=str(music), output=file), session)
    applied = apply(ApplyOptions(file=file), session)
    assert planned.plan is not None
    assert applied.plan == planned.plan
    assert show_run(RunsShowOptions(run=str(applied.run)), session).operations == 3
    assert resume(ResumeOptions(), session).run == applied.run  # nothing is left of it


def test_duplicates_are_quarantined_restored_and_deleted(music: Path, session: Session) -> None:
    place = str(music)
    assert stats(StatsOptions(location=place), session).statistics.music.files == 3
    reported = dedup(DedupOptions(locations=(place,)), session)
    assert (reported.duplicates is not None, reported.run) == (True, None)
    done = dedup(DedupOptions(locations=(place,), dedup="quarantine"), session)
    (item,) = list_quarantine(QuarantineListOptions(location=place), session)
    assert item.run == done.run
    restored = restore(QuarantineRestoreOptions(items=(item.id,), location=place), session)
    assert (restored.exit_code, "Downloads/song.flac" in files(music)) == (ExitCode.DONE, True)
    dedup(DedupOptions(locations=(place,), delete=True), session)
    assert list_quarantine(QuarantineListOptions(location=place), session) == []
    assert empty(QuarantineEmptyOptions(location=place), session).run is None
    assert files(music) == {"Band/Album/01.flac", "Band/Album/02.flac"}


@pytest.mark.parametrize(
    ("quarantine", "shown"),
    [
        (lambda music, session: organize(OrganizeOptions(source=music, dedup="quarantine"), session), 0),
        (lambda music, session: dedup(DedupOptions(locations=(music,), dedup="quarantine"), session), 1),
    ],
    ids=["organize", "dedup"],
)
def test_a_plan_over_the_limit_is_not_carried_out(
    quarantine: Callable[[str, Session], object], shown: int, music: Path, tmp_path: Path
) -> None:
    before, person = files(music), Person(says_yes=True)
    options = CommonOptions(max_delete="0", state_dir=str(tmp_path / "state"))
    with open_session(options, person) as session, pytest.raises(SafetyLimitError, match="--max-delete 0"):
        quarantine(str(music), session)
    assert (len(person.plans), person.questions, files(music)) == (shown, [], before)


def test_the_lock_is_held_while_a_person_thinks(music: Path, session: Session, tmp_path: Path) -> None:
    class Thinking(Person):
        def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:
            with pytest.raises(LockedError):
                organize(OrganizeOptions(source=str(music)), session)
            return super().confirm(question)

    with open_session(CommonOptions(state_dir=str(tmp_path / "state")), Thinking(says_yes=False)) as other:
        organize(OrganizeOptions(source=str(music)), other)
        assert other.summary.waited_s > 0, "that time is not the command's"
    assert organize(OrganizeOptions(source=str(music)), session).run is not None


def test_a_run_that_cannot_be_finished_blocks_only_its_own_folders_and_can_be_given_up(
    music: Path, session: Session, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its target's remote is gone from the rclone config. A command on another folder goes on: 3, and the run is named."""
    file = str(tmp_path / "plan.jsonl")
    target = str(tmp_path / "target")
    made = plan(PlanOptions(source=str(music), target=target, include=("Band/**",), output=file), session).plan
    assert made is not None
    gone = msgspec.json.decode(msgspec.json.encode(made).replace(target.encode(), b"gone:Music"), type=Plan)
    stuck = session.journal.begin(gone, "organize")
    inbox = organize(OrganizeOptions(source=str(music / "Downloads")), session)
    assert (inbox.exit_code, inbox.run is not None) == (ExitCode.SOME_FAILED, True)
    with pytest.raises(UsageError) as refused:
        organize(OrganizeOptions(source=str(music)), session)
    assert f"runs abandon {stuck}" in refused.value.message
    caplog.set_level("INFO")
    assert abandon(RunsAbandonOptions(run=stuck), session) == ExitCode.DONE
    assert f"run {stuck} was given up; it had changed nothing" in caplog.text
    assert abandon(RunsAbandonOptions(run=stuck), session) == ExitCode.DONE
    assert organize(OrganizeOptions(source=str(music)), session).exit_code == ExitCode.DONE
