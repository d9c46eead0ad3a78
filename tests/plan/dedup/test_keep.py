"""Which copy is kept, and how the user chooses it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.errors import UsageError
from orchestrator.plan.planners.dedup.keep_order import CRITERIA
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP
from tests.plan.dedup.copies import FLAC, MP3, file, found, on_album, quarantined


@pytest.mark.parametrize(
    ("criterion", "goes", "stays"),
    [
        ("lossless", MP3, FLAC),
        ("bit_depth", FLAC, {**FLAC, "bit_depth": 24}),
        ("sample_rate", FLAC, {**FLAC, "sample_rate": 96_000}),
        ("bitrate", {**MP3, "bitrate": 128_000}, MP3),
        ("longest", {**MP3, "duration_s": 200.0}, {**MP3, "duration_s": 201.6}),
        ("tags", FLAC, {**FLAC, "genre": "Rock"}),
        ("oldest", {**FLAC, "mtime": 2}, {**FLAC, "mtime": 1}),
        ("oldest", {**FLAC, "mtime": None}, {**FLAC, "mtime": 1}),
    ],
)
def test_the_first_criterion_that_differs_decides(criterion: str, goes: dict[str, Any], stays: dict[str, Any]) -> None:
    answer = found([on_album("a", 1, **{"duration_s": 200.0, **goes}), on_album("b", 1, **{"duration_s": 200.0, **stays})])
    assert quarantined(answer) == {"a": f"T3 b {criterion}"}


def test_the_list_is_the_users() -> None:
    items = [on_album("new.flac", 1, mtime=9), on_album("old.mp3", 1, mtime=1, **MP3)]
    assert quarantined(found(items)) == {"old.mp3": "T3 new.flac lossless"}
    assert quarantined(found(items, keep=("oldest",))) == {"new.flac": "T3 old.mp3 oldest"}
    assert quarantined(found(items, keep=("path:*.mp3",))) == {"new.flac": "T3 old.mp3 path:*.mp3"}


def test_an_original_name_is_one_without_the_mark_of_a_copy() -> None:
    items = [file(name, content="x") for name in ("song (1).mp3", "a much longer song.mp3", "song - Copy.mp3")]
    assert set(quarantined(found(items, keep=("original_name",)))) == {"song (1).mp3", "song - Copy.mp3"}


def test_a_location_can_be_preferred() -> None:
    places = {"/a": [file("x.mp3", content="x")], "b:music": [file("x.mp3", content="x")]}
    (only,) = found(places, keep=("location:b:music",)).decisions
    assert (only.duplicate.fs, only.criterion) == ("/a", "location:b:music")


def test_the_path_may_decide_before_the_location() -> None:
    places = {"/a": [file("long/x.mp3", content="x")], "/b": [file("x.mp3", content="x")]}
    answer = found(places, keep=("shortest_path", "first_location"), precedence=("/a", "/b"))
    assert quarantined(answer) == {"long/x.mp3": "T0 x.mp3 shortest_path"}


def test_a_reference_is_never_touched() -> None:
    places = {"/ref": [file("deep/down/x.mp3", content="x"), file("y.mp3", content="x")], "/in": [file("x.mp3", content="x")]}
    answer = found(places, reference=("/ref",), keep=("shortest_path",))
    assert [(one.duplicate.fs, one.kept.fs, one.criterion) for one in answer.decisions] == [("/in", "/ref", "reference")]


def test_a_folder_of_a_location_can_be_the_reference() -> None:
    items = [file("keep/long/x.mp3", content="x"), file("x.mp3", content="x"), file("keepsake/x.mp3", content="x")]
    assert set(quarantined(found(items, reference=("/music/keep",)))) == {"x.mp3", "keepsake/x.mp3"}


@pytest.mark.parametrize("word", ["bitrat", "path:", "location:", "best", "path:GLOB", "LOSSLESS"])
def test_an_unknown_word_is_refused_by_name(word: str) -> None:
    with pytest.raises(UsageError, match="keep: "):
        found([], keep=(word,))


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("path", "path:GLOB"),
        ("path:", "path:GLOB"),
        ("pth:x", "path:GLOB"),
        ("location", "location:NAME"),
        ("losless", "lossless?"),
    ],
)
def test_the_error_suggests_the_right_criterion(word: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        found([], keep=(word,))


def test_a_word_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        found([], keep=("oldest", "oldest"))


def test_every_default_is_described() -> None:
    assert set(DEFAULT_KEEP) <= set(CRITERIA)
