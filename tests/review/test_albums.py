"""Decisions about where files go: what is left stays, all else goes where the full plan says, and nothing is lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.actions.reviewing_albums import known_files, plan_excluding
from orchestrator.paths import collision_key
from orchestrator.plan.layout.presets import PRESETS
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest, OrganizeSettings, source_names
from orchestrator.records import Item, Ref
from orchestrator.review.albums import AlbumsReview
from orchestrator.review.exclude_rules import ExcludeRules, exclude_rules, patterns_of
from tests.plan.test_properties import check_organized, libraries
from tests.plan.test_sharing import DRIVE, Drive, album_track, drives
from tests.plan.worlds import LOCAL, PretendStorage, listing, moved, plain, skips, song, untagged


def asked(items: Sequence[Item], **options: Any) -> OrganizeRequest:
    return OrganizeRequest(
        source_fs="/music",
        target_fs="/music",
        items=items,
        source_capabilities=LOCAL,
        target_capabilities=LOCAL,
        options=OrganizeSettings(**options),
        tool_version="1",
        created="now",
    )


def review_of(request: OrganizeRequest) -> AlbumsReview:
    return AlbumsReview(request, plan_organize(request), lambda left: planned(request, left))


def planned(request: OrganizeRequest, left: frozenset[Ref]) -> Plan:
    return plan_organize(msgspec.structs.replace(request, left=left))


def album(folder: str, name: str, *numbers: int, artist: str = "Beck") -> list[Item]:
    return [song(f"{folder}/{n}.flac", album=name, artist=artist, title=f"Song {n}", track=n, track_total=9) for n in numbers]


def two_albums() -> list[Item]:
    return [
        *album("in/x", "X", 1, 2),
        plain("in/x/1.lrc"),
        plain("in/x/cover.jpg"),
        *album("in/y", "Y", 1, 2),
        untagged("in/y/odd.mp3"),
    ]


def without_numbers(path: str) -> str:
    """A destination without what depends on which names are taken."""
    return collision_key(re.sub(r"( \(\d+\))+(?=$|/|\.\w+$)", "", path))


def text(review: AlbumsReview, index: int = 0, marked: int = 0) -> str:
    return "\n".join("".join(part for part, _ in line) for line in review.details(index, marked, 100)[0])


def line(review: AlbumsReview, index: int) -> str:
    return "".join(part for part, _ in review.line(index, 80))


@settings(max_examples=settings.default.max_examples // 2)
@given(libraries(), st.sampled_from(sorted(PRESETS)), st.data())
def test_what_is_left_stays_and_all_else_goes_where_the_full_plan_says(
    items: list[Item], layout: str, data: st.DataObject
) -> None:
    options = data.draw(st.sampled_from([{}, {"dedup": DedupSettings()}, {"copy": True}, {"untagged": "U", "leftovers": "L"}]))
    request = asked(items, layout=layout, **options)
    review = review_of(request)
    first = {step.src.path: step for step in review.files}
    for _ in range(data.draw(st.integers(1, 3)) if len(review) else 0):
        index = data.draw(st.integers(0, len(review) - 1))
        marked = data.draw(st.integers(0, review.choices(index) - 1))
        key = data.draw(st.sampled_from(["enter", "enter", "a", "p", "many", "undo"]))
        if key == "undo":
            review.undo()
        elif key == "many":
            data.draw(st.sampled_from(review.scopes(index, marked))).offers[data.draw(st.integers(0, 1))].do()
        else:
            review.press(key, index, marked)
        text(review, index, marked), line(review, index), review.summary()
    made = planned(request, review.left)
    check_organized(made)
    assert {ref.path for ref in review.now.changes} == set(moved(made))
    storage = PretendStorage.holding("/music", items)
    before, contents = storage.tree("/music"), storage.contents()
    storage.carry_out(made)
    after = storage.tree("/music")
    assert not Counter(contents) - Counter(storage.contents())
    assert {ref.path: after[ref.path] for ref in review.left} == {ref.path: before[ref.path] for ref in review.left}
    if not review.left:
        assert made.operations == planned(request, frozenset()).operations
    music = {item.entry.path for item in items if item.reading is not None}
    both = [(step, first[ref.path]) for ref, step in review.now.changes.items() if ref.path in music and ref.path in first]
    assert [without_numbers(now.dst.path) for now, _ in both] == [without_numbers(full.dst.path) for _, full in both]


def on_drive(items: Sequence[Item], **options: Any) -> OrganizeRequest:
    return msgspec.structs.replace(asked(items, **options), source_capabilities=DRIVE, target_capabilities=DRIVE)


@settings(deadline=None, max_examples=settings.default.max_examples // 2)
@given(drives(), st.sampled_from([{}, {"dedup": DedupSettings()}, {"leftovers": "L"}]), st.data())
def test_files_that_share_a_name_are_left_each_for_itself(items: list[Item], options: Any, data: st.DataObject) -> None:
    request, drive = on_drive(items, **options), Drive(items)
    before = drive.tree()
    names = source_names(request)
    ids = {names.ref("/music", item.entry): item.entry.id for item in items}
    planned_first = sorted((step.src for step in review_of(request).files), key=lambda ref: (ref.path, ref.object_id or ""))
    left = frozenset(data.draw(st.sets(st.sampled_from(planned_first)))) if planned_first else frozenset()
    drive.carry_out(planned(request, left), 1)
    after = drive.tree()
    assert after.keys() == before.keys()
    assert [after[ids[ref]] for ref in left] == [ref.path for ref in left]


def test_of_two_files_with_one_name_one_is_left() -> None:
    request = on_drive([album_track("in/a.flac", number, f"id{number}") for number in (1, 2)])
    review = review_of(request)
    assert all(f"Song {number} / Band / Album" in text(review) for number in (1, 2))
    assert "what else stays" not in text(review)
    review.press("1", 0, 0)
    assert {ref.object_id for ref in review.now.changes} == {"id2"}
    assert review.summary() == "1 of 1 decided, 1 file changes, 1 kept"
    assert re.findall(r"^[> ] +\d  (\w+)", text(review), re.MULTILINE) == ["stays", "moves"]

    def rules() -> ExcludeRules:
        return exclude_rules(review, known_files(request), lambda patterns: plan_excluding(request, patterns))

    assert rules() == ExcludeRules(()), "a pattern cannot tell them apart"
    review.press("2", 0, 0)
    assert rules() == (["/in/"], 2, 0)


def test_what_belongs_to_a_file_that_is_left_stays_with_it() -> None:
    review = review_of(asked(two_albums()))
    assert line(review, 0).startswith("  in/x -> Beck/X   ")
    assert line(review, 1).startswith("  in/y -> Beck/Y   ")
    assert line(review, 0).endswith("2 tracks")
    assert "1 other file with it" in review.press("1", 0, 0)
    assert {ref.path for ref in review.now.changes} == {"in/x/2.flac", "in/x/cover.jpg", "in/y/1.flac", "in/y/2.flac"}
    shown = text(review)
    assert "stays" in shown
    assert "kept where it is, as decided in the review" in shown
    assert review.summary() == "1 of 2 decided, 4 files change, 1 kept"
    assert "Song 2 / Beck / X" in shown
    assert line(review, 0).startswith("* ")
    assert "in/y/odd.mp3: no usable tags" in text(review, 1)
    review.press("1", 0, 0)
    assert (review.decided, len(review.now.changes)) == (0, 6)


def test_the_name_of_a_file_that_is_left_stays_taken() -> None:
    taken = song("Beck/X/01 Song 1.flac", album="Y", artist="Beck", title="Other", track=3)
    review = review_of(asked([*album("in", "X", 1), taken]))
    index = next(n for n in range(len(review)) if "Beck/Y" in line(review, n))
    review.press("a", index, 0)
    (step,) = review.now.changes.values()
    assert (step.src.path, step.dst.path) == ("in/1.flac", "Beck/X/01 Song 1 (2).flac")


def test_many_at_once_and_back() -> None:
    review = review_of(asked([*two_albums(), *album("new", "Z", 1, artist="Eva")]))
    assert [scope.title for scope in review.scopes(0, 0)] == [
        "4 files from in/x", "6 files from in", "7 files from all folders", "4 files to Beck/X", "6 files to Beck",
    ]  # fmt: skip
    review.scopes(0, 0)[4].offers[0].do()
    assert {ref.path for ref in review.now.changes} == {"new/1.flac"}
    assert "all 4 stay" in line(review, 0)
    assert review.undo() == "taken back: 6 decisions"
    assert (review.decided, review.undo()) == (0, "there is nothing to take back")


def test_a_playlist_that_is_left_is_not_rewritten_and_that_is_reported() -> None:
    request = asked(
        [*album("in/x", "X", 1, 2), listing("in/x/all.m3u", b"1.flac\n2.flac\n"), listing("mine.m3u", b"in/x/1.flac\n")]
    )
    review = review_of(request)
    lists = {"in/x/all.m3u", "mine.m3u"}
    assert lists < {ref.path for ref in review.now.changes}
    for index in range(len(review)):
        for marked in range(review.choices(index)):
            if review.files[review._groups[index][marked]].src.path in lists:
                review.press("enter", index, marked)
    made = planned(request, review.left)
    assert {operation.src.path for operation in made.operations} == {"in/x/1.flac", "in/x/2.flac"}
    assert skips(made) == dict.fromkeys(lists, "playlist")


def test_a_duplicate_can_be_left() -> None:
    copy = song("b/1.flac", "in/x/1.flac", album="X", artist="Beck", title="Song 1", track=1, track_total=9)
    review = review_of(asked([*album("in/x", "X", 1, 2), copy], dedup=DedupSettings()))
    index = next(n for n in range(len(review)) if "the quarantine" in line(review, n))
    others = {ref: step.dst for ref, step in review.now.changes.items() if ref.path != "b/1.flac"}
    assert "quarantine" in text(review, index)
    review.press("a", index, 0)
    assert {ref: step.dst for ref, step in review.now.changes.items()} == others


def test_folders_left_are_said_as_patterns_and_the_rest_is_counted() -> None:
    request = asked([*two_albums(), *album("odd [1]", "Z", 1)])
    review = review_of(request)

    def rules() -> ExcludeRules:
        return exclude_rules(review, known_files(request), lambda patterns: plan_excluding(request, patterns))

    assert not rules().patterns
    review.press("a", 0, 0)
    review.press("a", 2, 0)
    assert rules() == (["/in/x/", "/odd [[]1]/"], 5, 0)
    review.press("1", 1, 0)
    assert rules() == (["/in/x/", "/in/y/1.flac", "/odd [[]1]/"], 6, 0)


def test_a_folder_with_anything_else_in_it_is_no_pattern() -> None:
    """Every command would skip what lies there, also what already stays."""
    placed = [song(f"A0/Beck/X/0{n} Song {n}.flac", album="X", artist="Beck", title=f"Song {n}", track=n) for n in (1, 2)]
    stray = song("A0/stray.flac", album="Z", artist="Beck", title="Song 1", track=1)
    at_home = [song(f"Beck/Y/0{n} Song {n}.flac", album="Y", artist="Beck", title=f"Song {n}", track=n) for n in (1, 2)]
    other = song("Beck/Y/odd.flac", album="Q", artist="Eva", title="Song 1", track=1)
    for items, path in (([*placed, stray], None), ([*at_home, other], "/Beck/Y/odd.flac")):
        request = asked(items)
        review = review_of(request)
        index = next(n for n in range(len(review)) if review.text(n).count("stray") or review.text(n).count("odd"))
        review.press("a", index, 0)
        found = exclude_rules(review, known_files(request), lambda patterns, request=request: plan_excluding(request, patterns))
        assert found.patterns == [path or "/A0/stray.flac"]
    hidden = msgspec.structs.replace(asked([stray]), foreign_folders=["A0/@eaDir"])
    assert patterns_of(frozenset({Ref("/music", "A0/stray.flac")}), known_files(hidden)) == ["/A0/stray.flac"]
    many = [song(f"A/{n}.flac", album="M", artist="Beck", title=f"Song {n}", track=n) for n in range(1, 22)]
    review = review_of(request := asked([*many, untagged("A/odd.mp3")]))
    review.press("a", 0, 0)
    assert not exclude_rules(review, known_files(request), lambda patterns: plan_excluding(request, patterns)).patterns


def test_what_is_left_still_counts_as_a_track_of_its_album_and_what_is_excluded_does_not() -> None:
    request = asked([*album("in/x", "X", 1), *album("in/x", "X", 2, artist="Eva")])
    review = review_of(request)
    review.press("2", 0, 0)
    (step,) = review.now.changes.values()
    assert step.dst.path == "Various Artists/X/01 Beck - Song 1.flac"
    assert exclude_rules(review, known_files(request), lambda patterns: plan_excluding(request, patterns)) == (
        ["/in/x/2.flac"],
        1,
        1,
    )


def test_a_large_library_is_planned_again_outside_of_the_keys() -> None:
    review = review_of(asked([*two_albums(), *(plain(f"other/{n}.txt") for n in range(2000))]))
    review.press("a", 0, 0)
    assert review.pending
    assert review.summary().endswith("4 files kept; planning again ...")
    assert "all 4 stay" in line(review, 0)
    review.settle()
    assert not review.pending
    assert review.summary() == "1 of 2 decided, 2 files change, 4 kept"
