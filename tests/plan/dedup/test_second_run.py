"""Kinds of libraries in which what one run quarantines would make a second run find more."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.plan.planners.dedup.search import TELLING_APART
from orchestrator.records import Item
from tests.plan.dedup.copies import FLAC, MP3, album, file, found, on_album, quarantined, whys


def leaving(items: Sequence[Item], **options: object) -> set[str]:
    """The paths of all duplicates, of which a second run finds none."""
    gone = set(quarantined(found(items, **options)))
    assert not found([item for item in items if item.entry.path not in gone], **options).decisions
    return gone


def test_a_file_stays_whose_tags_tell_two_others_apart() -> None:
    one = on_album("A/2.flac", 2, label="L")
    other = on_album("B/02.mp3", 2, sound="s", label="M", **MP3)
    same_sound = on_album("C/2.mp3", 2, sound="s", **MP3)
    assert leaving([one, other, same_sound], keep=("shortest_path",)) == set()
    answer = found([one, other, same_sound], keep=("shortest_path",))
    assert (frozenset({"B/02.mp3", "C/2.mp3"}), TELLING_APART) in whys(answer, Tier.AUDIO)
    assert leaving([other, same_sound], keep=("shortest_path",)) == {"B/02.mp3"}


def test_editions_that_only_a_copy_joins_are_one_once_it_leaves() -> None:
    """Their sound is the same; the copy without a year is an edition of any year."""
    shared = {name: {"sound": f"s{number}"} for number, name in enumerate(("one", "two", "three"), 1)}
    without_year, old, new = (
        [
            on_album(f"{folder}/0{number}.flac", number, date=year, disc_total=None, **one)
            for number, one in enumerate(shared.values(), 1)
        ]
        for folder, year in (("A", None), ("A [24-96]", "1996"), ("B [24-96]", "2001"))
    )
    gone = leaving([*without_year, *old, *new], keep=("shortest_path",))
    assert not gone & {item.entry.path for item in without_year}


def test_what_was_a_duplicate_of_a_file_that_leaves_is_compared_with_what_stays() -> None:
    loose = [file(f"Loose/{name}", sound=sound, content="bytes", **FLAC) for name, sound in (("a", "s1"), ("b", None))]
    of_album = [on_album(f"Album/{number}", number, sound=f"s{number}") for number in (1, 2, 3)]
    assert leaving([*of_album, *loose], keep=("path:Loose/*",)) == {"Loose/a"}


def test_nothing_else_changes() -> None:
    assert leaving([*album("A"), *album("B")]) == {f"B/0{number}.flac" for number in (1, 2, 3)}
