"""Decisions about duplicates: they come out as the planner plans them, and no decision sends the last copy away."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan.model import Plan
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, plan_dedup, same_files_of
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Item
from orchestrator.review.duplicate_groups import DuplicateGroups
from orchestrator.review.duplicates import DuplicatesReview
from orchestrator.review.keep_rules import rules_of
from tests.plan.dedup.copies import MP3, album, file, on_album
from tests.plan.dedup.test_properties import options, request, worlds
from tests.plan.worlds import LOCAL


def asked(*places: Sequence[Item], **settings: object) -> DedupRequest:
    items = [item for place in places for item in place]
    location = DedupLocation(fs="/music", items=items, capabilities=LOCAL)
    return DedupRequest(locations=[location], options=DedupSettings(**settings), tool_version="1", created="now")  # type: ignore[arg-type]


def review_of(request: DedupRequest) -> DuplicatesReview:
    return DuplicatesReview(DuplicateGroups(same_files_of(request), request.options))


def planned(request: DedupRequest, review: DuplicatesReview) -> Plan:
    return plan_dedup(msgspec.structs.replace(request, choices=review.groups.choices))


def leaving(request: DedupRequest, review: DuplicatesReview) -> set[str]:
    """What leaves by the plan; the review shows the same."""
    made = {operation.src.path for operation in planned(request, review).operations}
    assert made == {one.duplicate.path for one in review.groups.leaving.values()}
    return made


def group_of(review: DuplicatesReview, path: str) -> tuple[int, int]:
    """Number of the group of a file, and its own number there."""
    return next(
        (number, place)
        for number, members in enumerate(review.groups.groups)
        for place, member in enumerate(members)
        if member.path == path
    )


def choose(review: DuplicatesReview, path: str) -> str:
    return review.press("enter", *group_of(review, path))


def do(review: DuplicatesReview, path: str, scope: str, offer: str) -> str:
    """Decide about many groups, by what the menus say."""
    (found,) = (one for one in review.scopes(*group_of(review, path)) if one.title.startswith(scope))
    (wanted,) = (one for one in found.offers if one.text.startswith(offer))
    return wanted.do()


@given(worlds(), options, st.data())
def test_whatever_is_decided_comes_out_as_it_is_planned(
    world: dict[str, list[Item]], chosen: DedupSettings, data: st.DataObject
) -> None:
    asking = request(world, chosen)
    review = review_of(asking)
    first = dict(review.groups.leaving)
    if not len(review):
        return
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(review) - 1))
        marked = data.draw(st.integers(0, review.choices(index) - 1))
        key = data.draw(st.sampled_from(["enter", "a", "p", "many", "undo"]))
        if key == "undo":
            review.undo()
        elif key == "many":
            offers = [offer for scope in review.scopes(index, marked) for offer in scope.offers]
            data.draw(st.sampled_from(offers)).do()
        else:
            review.press(key, index, marked)
        plan = planned(asking, review)
        check_plan(plan)
        gone = {operation.src for operation in plan.operations}
        shown = {one.duplicate.ref: one.kept.ref for one in review.groups.leaving.values()}
        assert {ref.path for ref in shown} == {ref.path for ref in gone}
        assert not set(shown) & set(shown.values()), "a kept copy leaves"
        assert not set(shown) & (review.groups.choices.kept | review.groups.choices.left), "a chosen file leaves"
        copies = {id(one.album_copy): one.album_copy for group in review.groups.groups for one in group if one.album_copy}
        for copy in copies.values():
            lost = [slot for slot in copy.slots.values() if all(member.ref in shown for member in slot)]
            assert not copy.complete or len(lost) in {0, len(copy.slots)}, "an album is broken up"
        assert review.groups.files == len(shown)
        for number in range(len(review)):
            lines, place = review.details(number, 0, 80)
            assert 0 <= place < len(lines)
            assert review.line(number, 80)
    while review.undo() != "there is nothing to take back":
        pass
    assert review.groups.leaving == first


def test_one_track_of_an_album_chooses_the_whole_copy_and_says_so() -> None:
    asking = asked(album("Album"), [on_album(f"Other/0{number}.mp3", number, **MP3) for number in (1, 2, 3)])
    review = review_of(asking)
    assert leaving(asking, review) == {"Other/01.mp3", "Other/02.mp3", "Other/03.mp3"}
    said = choose(review, "Other/02.mp3")
    assert leaving(asking, review) == {"Album/01.flac", "Album/02.flac", "Album/03.flac"}
    assert "2 other groups with it, because copies of an album are kept or quarantined as a whole" in said
    assert "3 lossless files would be quarantined for a lossy one" in said
    assert review.decided == 3
    assert review.undo() == "taken back: 3 decisions"
    assert leaving(asking, review) == {"Other/01.mp3", "Other/02.mp3", "Other/03.mp3"}


def test_a_loose_file_never_takes_a_track_of_a_complete_album_and_the_review_says_why() -> None:
    asking = asked(album("Album"), [on_album("x/01.mp3", 1, **MP3)])
    review = review_of(asking)
    assert leaving(asking, review) == {"x/01.mp3"}
    assert "others stay as well: a complete album would become incomplete" in choose(review, "x/01.mp3")
    assert leaving(asking, review) == set()


def test_all_of_a_group_and_back_to_the_plan() -> None:
    asking = asked([file(name, content="x") for name in ("a.mp3", "b.mp3", "c.mp3")])
    review = review_of(asking)
    review.press("a", 0, 0)
    assert (leaving(asking, review), review.decided) == (set(), 1)
    (kept,) = same_files_of(asking).duplicates(asking.options, review.groups.choices).alike
    assert kept.why == "it was decided to keep them all"
    review.press("3", 0, 0)
    assert leaving(asking, review) == {"a.mp3", "b.mp3"}
    assert review.press("9", 0, 0) == "this group has 3 files"
    review.press("p", 0, 0)
    assert (leaving(asking, review), review.decided) == ({"b.mp3", "c.mp3"}, 0)
    assert planned(asking, review) == plan_dedup(asking)


def pairs(*numbers: int) -> list[Item]:
    return [file(f"{folder}/{number}.mp3", content=str(number)) for number in numbers for folder in ("A", "Downloads")]


def test_all_of_a_folder_and_all_of_a_kind() -> None:
    asking = asked(pairs(1, 2, 3), [file("B/4.mp3", content="4"), file("C/4.mp3", content="4")])
    review = review_of(asking)
    do(review, "A/1.mp3", "A:", "keep the copies outside")
    assert leaving(asking, review) == {"A/1.mp3", "A/2.mp3", "A/3.mp3", "C/4.mp3"}
    do(review, "Downloads/1.mp3", "same bytes", "keep the other copy")
    assert leaving(asking, review) == {"A/1.mp3", "A/2.mp3", "A/3.mp3", "B/4.mp3"}
    do(review, "Downloads/1.mp3", "Downloads:", "as planned")
    assert leaving(asking, review) == {"Downloads/1.mp3", "Downloads/2.mp3", "Downloads/3.mp3", "B/4.mp3"}
    do(review, "A/1.mp3", "same bytes", "keep all")
    assert leaving(asking, review) == set()


def test_a_folder_never_loses_both_of_its_copies() -> None:
    """Other programs let a choice by folder mark all copies of a file."""
    asking = asked([file(name, content="x") for name in ("Downloads/a.mp3", "Downloads/b.mp3")])
    review = review_of(asking)
    do(review, "Downloads/a.mp3", "Downloads:", "keep the copies outside")
    assert leaving(asking, review) == {"Downloads/b.mp3"}
    do(review, "Downloads/a.mp3", "Downloads:", "quarantine nothing")
    assert leaving(asking, review) == set()


def test_what_is_not_known_is_shown_as_unknown() -> None:
    asking = asked([file(name, content="x", title="One [bold]\x1b[2J") for name in ("a.mp3", "b\u202e.mp3")])
    review = review_of(asking)
    text = "\n".join("".join(part for part, _ in line) for line in review.details(0, 1, 80)[0])
    assert " ?       ?         ?" in text
    assert text.isprintable() or set(text) - {"\n"} == {one for one in text if one.isprintable()}
    assert "\\u202e" in text


def test_decisions_about_a_folder_become_a_rule_that_decides_alike() -> None:
    asking = asked(pairs(1, 2, 3), [file("B/4.mp3", content="4"), file("C/4.mp3", content="4")])
    review = review_of(asking)
    do(review, "Downloads/1.mp3", "Downloads:", "keep the copies in this folder")
    rules = rules_of(review.groups)
    assert (rules.alike, rules.unlike, rules.others) == (3, 0, 0)
    again = msgspec.structs.replace(asking, options=DedupSettings(**_options(rules.settings)))
    assert {one.src.path for one in plan_dedup(again).operations} == leaving(asking, review)


def test_decisions_about_formats_become_a_rule() -> None:
    tracks = [
        on_album(f"{folder}/{number}.mp3", number, album=folder[:1], track_total=9, **MP3)
        for number in (1, 2)
        for folder in ("X lossy",)
    ]
    asking = asked([on_album(f"X/{number}.flac", number, album="X", track_total=9) for number in (1, 2)], tracks)
    review = review_of(asking)
    assert leaving(asking, review) == {"X lossy/1.mp3", "X lossy/2.mp3"}
    for path in ("X/1.flac", "X/2.flac"):
        review.press("a", *group_of(review, path))
    assert rules_of(review.groups).settings == {"dedup.same_format_only": True}


def test_no_rule_is_made_of_what_no_rule_says() -> None:
    asking = asked([file(name, content=name[0]) for name in ("1/a.mp3", "1/b.mp3", "1 a.mp3", "1 b.mp3")], pairs(5, 6))
    review = review_of(asking)
    review.press("a", *group_of(review, "A/5.mp3"))
    rules = rules_of(review.groups)
    assert (rules.settings, rules.alike, rules.unlike) == ({}, 0, 1)


def _options(settings: dict[str, object]) -> dict[str, object]:
    return {key.partition(".")[2]: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
