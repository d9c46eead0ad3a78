"""Decisions about files that both sides of a sync have changed."""

from __future__ import annotations

from orchestrator.plan.planners.sync.records import Answer, Conflict, Direction, File, SyncSettings
from orchestrator.records import Entry
from orchestrator.review.conflicts import ConflictsReview
from orchestrator.track import Track


def conflict(path: str, why: str = "both are kept by default", *, damaged: bool = False) -> Conflict:
    files = File(Entry(path, 10, 1_790_000_000 * 10**9)), File(Entry(path, 20, None))
    outcome = Answer.A if damaged else Answer.BOTH
    return Conflict(files, outcome, "B has a damaged file: cut" if damaged else why, damaged=1 if damaged else None)


def review_of(*conflicts: Conflict, **settings: object) -> ConflictsReview:
    tracks = Track(title=("One",), codec="flac", sample_rate=44100, bit_depth=16, lossless=True), Track(title=("Two [b]",))
    chosen = SyncSettings(**settings)  # type: ignore[arg-type]
    return ConflictsReview(conflicts, chosen, ("/a", "b:"), lambda _: tracks, lambda _: "2026-09-21 12:00:00")


def text(review: ConflictsReview, index: int = 0) -> str:
    return "\n".join("".join(part for part, _ in line) for line in review.details(index, 0, 100)[0])


def test_each_answer_and_what_it_would_do() -> None:
    review = review_of(conflict("x.flac"), conflict("y.txt"))
    for key, answer, says in [
        ("1", Answer.A, "A's file replaces that of B, which goes to the trash there"),
        ("2", Answer.B, "B's file replaces that of A, which goes to the trash there"),
        ("a", Answer.BOTH, "the two of them are kept"),
        ("w", Answer.LATER, "the next sync finds the conflict again"),
    ]:
        review.press(key, 0, 0)
        assert review.answers == {("x.flac", "x.flac"): answer}
        assert says in text(review)
    review.press("p", 0, 0)
    assert (review.answers, review.decided) == ({}, 0)
    review.press("enter", 1, 1)
    assert review.summary() == "1 of 2 decided, B: 1, both: 1"
    shown = text(review)
    for known in ("2026-09-21 12:00:00", "10 B", "20 B", "44.1/16", "?", "title          A One   B Two [b]"):
        assert known in shown


def test_a_damaged_file_replaces_none_whatever_is_decided() -> None:
    review = review_of(conflict("x.flac", damaged=True))
    assert "a damaged file never replaces a complete one" in review.press("2", 0, 0)
    assert review.outcome(0) is Answer.A
    review.press("w", 0, 0)
    assert review.outcome(0) is Answer.LATER


def test_one_way_nothing_changes_at_the_source() -> None:
    review = review_of(conflict("x.flac"), direction=Direction.A_TO_B)
    review.press("2", 0, 0)
    assert "the sync changes nothing on A" in text(review)


def test_many_at_once_and_back() -> None:
    review = review_of(conflict("d/x"), conflict("d/e/y"), conflict("z", "--conflict newer says so"))
    kind, *folders = review.scopes(1, 0)
    assert [one.title for one in (kind, *folders)] == [
        "both are kept by default: 2 conflicts",
        "d/e: 1 conflict",
        "d: 2 conflicts",
        "all: 3 conflicts",
    ]
    kind.offers[0].do()
    assert review.decided == 2
    folders[-1].offers[3].do()
    assert set(review.answers.values()) == {Answer.LATER}
    assert review.undo() == "taken back: 3 decisions"
    assert set(review.answers.values()) == {Answer.A}
