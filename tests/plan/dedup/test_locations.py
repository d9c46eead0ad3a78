"""Of several locations the first keeps its files, unless a later one has a better copy; what is in place stays."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, plan_dedup
from orchestrator.plan.planners.dedup.search import EARLIER_LOCATION
from orchestrator.plan.planners.dedup.settings import DedupSettings, LayoutSettings
from orchestrator.records import Item
from tests.plan.dedup.copies import FLAC, MP3, album, file, found, on_album, quarantined, whys
from tests.plan.worlds import LOCAL

LIBRARY, INBOX = "/library", "remote:inbox"
BOTH = {"precedence": (LIBRARY, INBOX)}
HIGH = {**FLAC, "bit_depth": 24}


def leaving(library: list[Item], inbox: list[Item], **options: Any) -> set[tuple[str, str, str]]:
    """Location and path of each duplicate, and the criterion that decided."""
    answer = found({LIBRARY: library, INBOX: inbox}, **{**BOTH, **options})
    return {(one.duplicate.fs, one.duplicate.path, one.criterion) for one in answer.decisions}


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (file("a/long way/song (1).mp3", content="x", mtime=9), file("s.mp3", content="x", mtime=1)),
        (on_album("deep/down/copy of it.flac", 1, mtime=9, sound="s"), on_album("1.flac", 1, mtime=1, sound="s", genre="Rock")),
        (on_album("x/1.mp3", 1, mtime=9, **MP3), on_album("1.mp3", 1, mtime=1, isrc=("I",), duration_s=201.9, **MP3)),
        (
            # A decoder's bit depth and sample rate say nothing about lossy files.
            on_album("x/1.mp3", 1, **{**MP3, "bitrate": 256_000}),
            on_album("1.mp3", 1, **{**MP3, "bitrate": 256_000, "bit_depth": 16, "sample_rate": 48_000}),
        ),
    ],
    ids=["bytes", "sound", "tags", "lossy"],
)
def test_an_equal_copy_leaves_the_later_location(mine: Item, theirs: Item) -> None:
    assert leaving([mine], [theirs]) == {(INBOX, theirs.entry.path, "first_location")}
    assert leaving([theirs], [mine]) == {(INBOX, mine.entry.path, "first_location")}


@pytest.mark.parametrize(
    ("worse", "better", "criterion"),
    [
        (MP3, FLAC, "lossless"),
        (FLAC, HIGH, "bit_depth"),
        (FLAC, {**FLAC, "sample_rate": 96_000}, "sample_rate"),
        ({**MP3, "bitrate": 128_000}, MP3, "bitrate"),
        ({**FLAC, "sound": "s", "bitrate": 500_000}, {**FLAC, "sound": "s"}, "whole"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_better_copy_in_the_inbox_replaces_one_in_the_library_but_never_a_reference(
    worse: dict[str, Any], better: dict[str, Any], criterion: str
) -> None:
    library, inbox = [on_album("1", 1, **worse)], [on_album("deep/down/1", 1, **better)]
    assert leaving(library, inbox) == {(LIBRARY, "1", criterion)}
    assert not {one for one in leaving(library, inbox, reference=(LIBRARY,)) if one[0] == LIBRARY}


def test_whole_albums_are_compared_as_a_whole() -> None:
    equal = leaving(album("some/where/Album"), album("A", genre="Rock", mtime=1))
    assert equal == {(INBOX, f"A/0{number}.flac", "first_location") for number in (1, 2, 3)}
    better = [on_album("A/1", 1, **HIGH), on_album("A/2", 2, **HIGH), on_album("A/3", 3)]
    assert {fs for fs, _, _ in leaving(album("Album"), better)} == {LIBRARY}


def test_a_complete_album_in_the_inbox_takes_no_loose_song_from_the_library() -> None:
    library, inbox = [on_album("loose.flac", 1, sound="s1")], [on_album(f"A/{n}.flac", n, sound=f"s{n}") for n in (1, 2, 3)]
    answer = found({LIBRARY: library, INBOX: inbox}, **BOTH)
    assert not answer.decisions
    assert any(EARLIER_LOCATION in why for _, why in whys(answer))
    assert leaving(inbox, library) == {(INBOX, "loose.flac", "first_location")}


def test_the_library_is_never_emptied() -> None:
    """Whatever the copies in the inbox are called, however old and well tagged they are."""
    library = [*album("Beck/Odelay"), file("loose/x.mp3", content="x"), on_album("old/1.mp3", 1, mtime=0, **MP3)]
    inbox = [*album("B", genre="Rock", mtime=0), file("x.mp3", content="x", mtime=0)]
    gone = {path for fs, path, _ in leaving(library, inbox) if fs == LIBRARY}
    assert gone == {"old/1.mp3"}, "a lossy copy of a file in the library itself"
    assert len(leaving(library, inbox)) == len(inbox) + 1


def test_a_folder_of_the_library_that_is_given_after_it_comes_after_it() -> None:
    items = [file("Inbox/x.mp3", content="x", mtime=1), file("much/longer/path/x.mp3", content="x", mtime=2)]
    answer = found({LIBRARY: items}, precedence=(LIBRARY, f"{LIBRARY}/Inbox"))
    assert quarantined(answer) == {"Inbox/x.mp3": "T0 much/longer/path/x.mp3 first_location"}
    answer = found({LIBRARY: items}, precedence=(f"{LIBRARY}/Inbox", LIBRARY))
    assert quarantined(answer) == {"much/longer/path/x.mp3": "T0 Inbox/x.mp3 first_location"}


def test_a_list_of_the_user_decides_before_the_order_of_the_locations() -> None:
    library, inbox = [file("x.mp3", content="x", mtime=2)], [file("long/x.mp3", content="x", mtime=1)]
    assert leaving(library, inbox, keep=("oldest",)) == {(LIBRARY, "x.mp3", "oldest")}
    assert leaving(library, inbox, keep=("tags",)) == {(INBOX, "long/x.mp3", "first_location")}


def planned(items: list[Item]) -> dict[str, str]:
    request = DedupRequest(
        locations=[DedupLocation(fs=LIBRARY, items=items, capabilities=LOCAL)],
        options=DedupSettings(),
        layout=LayoutSettings(),
        tool_version="1",
        created="now",
    )
    return {operation.src.path: operation.reason for operation in plan_dedup(request).operations}


def test_what_is_at_its_destination_already_stays() -> None:
    home = on_album("Beck/Odelay (1996)/01 Devils Haircut.flac", 1, mtime=9)
    copy = on_album("1.flac", 1, mtime=1, genre="Rock")
    assert planned([home, copy]) == {"1.flac": f"same tags as {home.entry.path}, which is kept because it is already in place"}
    better = on_album("1.flac", 1, **HIGH)
    assert list(planned([home, better])) == [home.entry.path]
