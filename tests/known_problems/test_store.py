"""Which problems are the same as before, and how long they are remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.known_problems.store import KEPT_S, KnownProblems, StandingProblem, same_reason

DAY = 86_400.0


@pytest.fixture
def known(tmp_path: Path) -> Iterator[KnownProblems]:
    with KnownProblems(tmp_path / "problems.sqlite3") as problems:
        yield problems


def problem(path: str, reason: str = "it is damaged", location: str = "nas:music") -> StandingProblem:
    return StandingProblem(location, path, "unreadable", reason)


def everything(_: StandingProblem) -> bool:
    return True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("failed in run 20260101-020304-ab12cd", "failed in run 20260102-020304-0f12cd"),
        ("AccessDenied: request id 4442587FB7D0A2F9, host id x", "AccessDenied: request id 9152587AA7D0B2F1, host id x"),
        ("error 5f0c2f9e-1111-4222-8333-0123456789ab", "error 6a0c2f9e-1111-4222-8333-0123456789ab"),
        ("dial tcp 127.0.0.1:41231: refused", "dial tcp 127.0.0.1:38012: refused"),
        ("changed at 2026-01-01 02:03:04", "changed at 2026-01-02 02:03:04"),
    ],
)
def test_what_changes_each_time_is_no_other_reason(one: str, other: str) -> None:
    assert same_reason(one) == same_reason(other)


def test_a_part_that_fails_with_other_amounts_fails_for_the_same_reason() -> None:
    reasons = ["needs {} bytes, but only {} are free", "{} of {} files would be deleted, more than --max-delete 5 allows"]
    for text in reasons:
        one, other = (StandingProblem("", "nightly, step 1", "quota", text.format(*numbers)).key for numbers in ((7, 8), (9, 10)))
        assert one == other
    assert problem("a", "7 of 8 files are lost").key != problem("a", "9 of 9 files are lost").key, "a file has its own reason"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("403 Forbidden", "404 Not Found"),
        ("ends after 3 of 5 frames", "ends after 4 of 5 frames"),
        ("no usable tags", "it does not begin as a FLAC file does"),
        ("the same as 01 Song.mp3", "the same as 02 Song.mp3"),
    ],
)
def test_another_reason_is_another_one(one: str, other: str) -> None:
    assert same_reason(one) != same_reason(other)


def test_the_age_of_a_problem_is_that_of_its_first_report(known: KnownProblems) -> None:
    known.settle("organize", [problem("a")], DAY, judged=everything)
    known.settle("scan", [problem("a")], 2 * DAY, judged=everything)
    known.settle("organize", [problem("a")], 3 * DAY, judged=everything)
    assert known.all() == [msgspec.structs.replace(problem("a"), since=DAY)]
    assert known.at("nas:music") == {problem("a").key}
    assert known.at("nas:other") == set()


def test_only_what_was_looked_at_is_forgotten(known: KnownProblems) -> None:
    known.settle("organize", [problem("a"), problem("b/c")], DAY, judged=everything)
    known.settle("organize", [], 2 * DAY, judged=None)
    known.settle("organize", [], 2 * DAY, judged=lambda one: one.path.startswith("b/"))
    known.settle("sync", [], 2 * DAY, judged=everything)
    assert [one.path for one in known.all()] == ["a"]


def test_what_one_command_finds_gone_is_news_to_all(known: KnownProblems) -> None:
    """Otherwise a problem that comes back would be taken for one that never was away."""
    known.settle("organize to the old target", [problem("a")], DAY, judged=everything)
    known.settle("organize", [problem("a")], DAY, judged=everything)
    known.settle("organize", [], 2 * DAY, judged=everything)
    assert known.all() == []


def test_the_problems_of_a_command_that_is_no_longer_called_are_forgotten_in_the_end(known: KnownProblems) -> None:
    known.settle("organize to the old target", [problem("a")], DAY, judged=everything)
    known.settle("organize", [problem("b")], DAY, judged=everything)
    known.settle("organize", [problem("b")], KEPT_S, judged=everything)
    assert [one.path for one in known.all()] == ["a", "b"]
    known.settle("organize", [problem("b")], KEPT_S + 2 * DAY, judged=everything)
    assert [one.path for one in known.all()] == ["b"]
