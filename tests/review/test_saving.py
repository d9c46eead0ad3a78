"""What the end of a review writes: nothing that is in the config is lost, and no mistake loses the decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator.actions import reviewing
from orchestrator.actions.change import Planned
from orchestrator.actions.reviewing import appended, reviewed, save_in_config
from orchestrator.actions.session import Session, open_session
from orchestrator.config.edit import set_key
from orchestrator.config.loading import load
from orchestrator.config.options.common import CommonOptions
from orchestrator.errors import ExitCode
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.report.log_reporter import LogReporter
from orchestrator.review.keep_rules import moved_to_front, put_in_front
from orchestrator.review.model import Outcome
from tests.review.test_albums import asked, review_of, two_albums


class Person(LogReporter):
    """Says yes, after something else was done to the file, and gives answers."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None
        self.answers: list[str] = []
        self.warnings: list[str] = []

    def confirm(self, question: str, offers: Mapping[str, object] = {}) -> bool:
        self.meanwhile()
        return True

    def ask(self, question: str) -> str:
        return self.answers.pop(0) if "which new file" in question else ""

    def warning(self, message: str, path: str | None = None) -> None:
        self.warnings.append(message)


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("# mine\nexclude: [old]\n")
    return file


@pytest.fixture
def session(person: Person, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_EXCLUDE", "of-the-environment")
    with open_session(CommonOptions(config=str(config), state_dir=str(tmp_path / "state")), person) as session:
        yield session


def excluded(config: Path) -> list[str]:
    return list(load(str(config), {}).config.exclude)


def test_a_pattern_is_added_to_what_the_file_has_at_that_moment(session: Session, person: Person, config: Path) -> None:
    person.meanwhile = lambda: config.write_text("# mine\nexclude: [old, meanwhile]\n")
    save_in_config(session, {"exclude": appended(["/A/"])})
    person.meanwhile = lambda: None
    save_in_config(session, {"exclude": appended(["/A/", "/B/"])})
    assert excluded(config) == ["old", "meanwhile", "/A/", "/B/"]
    assert not person.warnings


@pytest.mark.parametrize("letter", ["\u0085", "\u009f", "\u2028", "\ufeff", "\u00ad", "\U0001f600", "'", '"', "\\", "é"])
def test_every_name_is_saved_as_it_is(letter: str, session: Session, person: Person, config: Path) -> None:
    save_in_config(session, {"exclude": appended([f"/a{letter}b/"])})
    save_in_config(session, {"exclude": appended(["/c/"])})
    assert excluded(config) == ["old", f"/a{letter}b/", "/c/"]
    assert not person.warnings
    as_json = config.with_name("config.json")
    as_json.write_text("{}")
    set_key(as_json, "exclude", f'["/a\\u{ord(letter):04x}b/"]' if ord(letter) < 0x10000 else f'["/a{letter}b/"]')
    assert excluded(as_json) == [f"/a{letter}b/"]


def test_a_file_that_cannot_be_changed_is_warned_of_and_stays(session: Session, person: Person, config: Path) -> None:
    for broken in ("exclude: [old\n", "exclude: {a: b}\n"):
        config.write_text(broken)
        save_in_config(session, {"exclude": appended(["/A/"])})
        assert config.read_text() == broken
    assert len(person.warnings) == 2


def test_criteria_are_put_before_those_of_the_file() -> None:
    after = put_in_front(["path:B/*"], DEFAULT_KEEP)
    first = moved_to_front(DEFAULT_KEEP, after)
    assert list(first) == ["path:B/*"]
    assert put_in_front(first, ("reference", "path:A/*", "newest")) == ("reference", "path:B/*", "path:A/*", "newest")
    last = DEFAULT_KEEP[-1]
    assert list(moved_to_front(DEFAULT_KEEP, put_in_front([last], DEFAULT_KEEP))) == [last]


def test_the_review_goes_on_until_the_plan_is_written(
    session: Session, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("")
    person.answers = ["", str(tmp_path / "taken"), str(tmp_path / "new.plan")]
    shown: list[int] = []

    def show(session: Session, review: object, at: int) -> Outcome:
        shown.append(at)
        return Outcome("write", len(shown))

    monkeypatch.setattr(reviewing, "_show", show)
    request = asked(two_albums())
    made: list[Planned] = []

    def plan_again() -> Planned:
        made.append(Planned(plan_organize(request), ExitCode.DONE))
        return made[-1]

    assert reviewed(session, review_of(request), plan_again, lambda: None) is None
    assert (shown, len(made), (tmp_path / "new.plan").exists()) == ([0, 1, 2], 1, True)
    assert person.warnings == [f"{tmp_path}/taken exists already"]
