"""The screen of a review, driven by keys: what is decided, found and taken back, in every window."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from textual.pilot import Pilot

from orchestrator.plan.model import Plan
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.records import Ref
from orchestrator.review.albums import AlbumsReview
from orchestrator.review.conflicts import ConflictsReview
from orchestrator.review.duplicates import DuplicatesReview
from orchestrator.review.model import Line, Outcome, Review
from orchestrator.review.screen import ReviewScreen
from tests.plan.dedup.copies import file
from tests.plan.worlds import plain
from tests.review.test_albums import album, planned
from tests.review.test_albums import asked as asked_to_organize
from tests.review.test_albums import review_of as review_of_albums
from tests.review.test_duplicates import asked, pairs, review_of

Steps = Callable[[Pilot[Outcome]], Coroutine[Any, Any, None]]


def screen_of(review: Review, steps: Steps, size: tuple[int, int] = (80, 24)) -> ReviewScreen:
    """Show a review, and do these steps."""

    async def run() -> ReviewScreen:
        app = ReviewScreen(review)
        async with app.run_test(size=size) as pilot:
            await steps(pilot)
        return app

    return asyncio.run(run())


def text_of(pilot: Pilot[Outcome]) -> str:
    """What the screen shows now."""
    return "\n".join("".join(part.text for part in strip) for strip in pilot.app.screen._compositor.render_strips())


def some() -> DuplicatesReview:
    return review_of(asked(pairs(1, 2, 3)))


@pytest.mark.parametrize(
    ("keys", "decided", "leaving"),
    [
        (["2"], 1, "Downloads/1.mp3 stays"),
        (["right", "enter"], 1, "Downloads/1.mp3 stays"),
        (["l", "enter", "u"], 0, "A/1.mp3 stays"),
        (["down", "j", "k", "up", "2"], 1, "Downloads/1.mp3 stays"),
        (["a", "p"], 0, "A/1.mp3 stays"),
        (["s", "1", "1"], 3, "Downloads/1.mp3 stays"),
        (["s", "escape", "2"], 1, "Downloads/1.mp3 stays"),
        (["2", "s", "j", "enter", "5"], 0, "A/1.mp3 stays"),
        (["x", "z", "8"], 0, "A/1.mp3 stays"),
    ],
)
def test_keys_decide(keys: list[str], decided: int, leaving: str) -> None:
    review = some()

    async def steps(pilot: Pilot[Outcome]) -> None:
        await pilot.press(*keys)

    screen_of(review, steps)
    (left,) = (one.duplicate.path for one in review.groups.leaving.values() if one.duplicate.path.endswith("/1.mp3"))
    stays = {"A/1.mp3": "Downloads/1.mp3 stays", "Downloads/1.mp3": "A/1.mp3 stays"}[left]
    assert (review.decided, stays) == (decided, leaving)


def test_the_numbers_are_always_in_view_and_say_what_would_happen() -> None:
    async def steps(pilot: Pilot[Outcome]) -> None:
        assert "1/3  0 of 3 decided, 3 files to quarantine" in text_of(pilot)
        await pilot.press("a", "j")
        assert "2/3  1 of 3 decided, 2 files to quarantine" in text_of(pilot)
        assert "all 2 kept" in text_of(pilot)
        await pilot.press("?")
        await pilot.pause()
        assert "none of them changes a file" in text_of(pilot)

    screen_of(some(), steps)


def test_a_search_finds_and_goes_on() -> None:
    async def steps(pilot: Pilot[Outcome]) -> None:
        await pilot.press("/", *"downLOADS/3", "space", *"mp3", "enter")
        assert "3/3 " in text_of(pilot)
        await pilot.press("/", "escape", "n")
        assert "3/3 " in text_of(pilot)
        await pilot.press("/", *"mp3", "enter", "n")
        assert "1/3 " in text_of(pilot)
        await pilot.press("N", "/", *"nowhere", "enter")
        assert "3/3 " in text_of(pilot)
        assert "nothing found" in text_of(pilot)

    screen_of(some(), steps)


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (["q"], "quit"),
        (["ctrl+c"], "quit"),
        (["escape"], "quit"),
        (["a", "ctrl+c", "2"], "quit"),
        (["a", "q", "down", "enter"], "quit"),
        (["a", "d", "1"], "apply"),
        (["d", "4", "d", "2"], "write"),
        (["d", "3"], "rules"),
        (["d", "5"], "quit"),
        (["a", "q", "1"], None),
        (["a", "q", "ctrl+c"], "quit"),
    ],
)
def test_leaving(keys: list[str], end: str | None) -> None:
    """Decisions are only thrown away after a question; the second Ctrl-C needs none."""

    async def steps(pilot: Pilot[Outcome]) -> None:
        await pilot.press(*keys)
        await pilot.pause()

    outcome = screen_of(some(), steps).return_value
    assert (outcome.end if outcome else None) == end


@pytest.mark.parametrize("size", [(80, 24), (20, 6)])
def test_every_window_and_hostile_names(size: tuple[int, int]) -> None:
    names = (
        "[bold]a[/bold]\x1b[31m\x1b]0;x\x07.mp3",
        "שלום\u202emp3.exe",
        "長" * 120 + ".mp3",
        "x" * 250,
        "a\nb\r\t.mp3",
        "[",
        "\\[/]",
    )
    review = review_of(asked([file(f"{folder}/{name}", content=name) for name in names for folder in ("A", "B")]))

    async def steps(pilot: Pilot[Outcome]) -> None:
        for _ in names:
            await pilot.press("l", "2", "j", "s")
            await pilot.pause()
            shown = text_of(pilot)
            await pilot.press("escape")
            await pilot.pause()
            shown += text_of(pilot)
            assert all(character.isprintable() or character == "\n" for character in shown)
            assert "\u202e" not in shown
        if size == (80, 24):
            assert "[bold]a[/bold]\\x1b[31m" in "\n".join(
                "".join(part for part, _ in line) for index in range(len(names)) for line in review.details(index, 0, 200)[0]
            )
        await pilot.resize_terminal(61, 17)
        await pilot.pause()
        assert len(text_of(pilot).splitlines()) == 17
        await pilot.press("?")
        await pilot.resize_terminal(100, 30)

    app = screen_of(review, steps, size)
    assert app.failure is None
    assert review.decided == len(names)


def test_only_what_is_in_view_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    review = review_of(asked(pairs(*range(1000))))
    made: list[int] = []
    line = DuplicatesReview.line

    def counting(self: DuplicatesReview, index: int, width: int) -> Line:
        made.append(index)
        return line(self, index, width)

    monkeypatch.setattr(DuplicatesReview, "line", counting)

    async def steps(pilot: Pilot[Outcome]) -> None:
        await pilot.press("G")
        assert "1000/1000" in text_of(pilot)

    screen_of(review, steps)
    assert len(set(made)) < 50


def test_a_failure_ends_the_screen_and_is_raised_where_it_was_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> str:
        raise ValueError("broken")

    monkeypatch.setattr(DuplicatesReview, "press", fails)

    async def steps(pilot: Pilot[Outcome]) -> None:
        await pilot.press("a")

    app = screen_of(some(), steps)
    assert isinstance(app.failure, ValueError)
    assert app.return_value is None


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["2"], {"in/x/2.flac"}),
        (["right", "enter", "2", "1"], {"in/x/1.flac"}),
        (["a", "p", "j", "a"], {"in/y/1.flac"}),
        (["s", "2", "1", "u", "j", "s", "1", "1"], {"in/y/1.flac"}),
        (["s", "2", "1"], {"in/x/1.flac", "in/x/2.flac", "in/y/1.flac"}),
    ],
)
def test_keys_leave_files_where_they_are(keys: list[str], left: set[str]) -> None:
    review = review_of_albums(asked_to_organize([*album("in/x", "X", 1, 2), *album("in/y", "Y", 1)]))

    async def steps(pilot: Pilot[Outcome]) -> None:
        assert "1/2  0 of 2 decided, 3 files change, 0 kept" in text_of(pilot)
        await pilot.press(*keys)
        assert f"{3 - len(left)} file{'s' * (len(left) != 2)} change" in text_of(pilot)

    assert screen_of(review, steps).failure is None
    assert {ref.path for ref in review.left} == left


def test_keys_are_taken_while_a_large_library_is_planned_again() -> None:
    planning = threading.Event()
    request = asked_to_organize([*album("in/x", "X", 1, 2), *(plain(f"other/{number}.txt") for number in range(2000))])

    def plan_leaving(left: frozenset[Ref]) -> Plan:
        assert planning.wait(20)
        return planned(request, left)

    review = AlbumsReview(request, plan_organize(request), plan_leaving)

    async def steps(pilot: Pilot[Outcome]) -> None:
        await pilot.press("1", "2")
        assert "2 files kept; planning again" in text_of(pilot)
        await pilot.press("1")
        planning.set()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert "1 of 1 decided, 1 file changes, 1 kept" in text_of(pilot)

    assert screen_of(review, steps).failure is None


def test_all_reviews_use_the_same_keys_and_words() -> None:
    """Those of a review alone are others than those that they share."""
    shared = {"enter": "keep", "a": "keep", "p": "do"}
    for review in (AlbumsReview, DuplicatesReview, ConflictsReview):
        meanings = {key.key: key.meaning.split()[0] for key in review.keys}
        assert {key: meanings[key] for key in shared} == shared
        words = " ".join(f"{key.short} {key.meaning}" for key in review.keys if key.key != "w")
        assert not re.search(r"\bleaves?\b", words), "it may mean to stay or to go"
    assert {key.key for key in ConflictsReview.keys} - {*shared} == {"1", "2", "w"}
